//! One's own sessions, the account to act in, a JWT for an hour.

use recado_model::{
    AccountId, Error, ErrorCode, Language, Result, Secret, Timestamp, UserId, UserSessionId,
};
use recado_store::{Conn, system::users::Membership};

use super::{Opened, Users};
use crate::{
    IssuedToken, Person,
    access::person::{IDLE_MS, LONGEST_MS, new_cookie},
    audit::Detail,
};

/// Who is signed in, as the dashboard's pages need it.
#[derive(Clone, Debug)]
pub struct Me {
    pub user: UserId,
    pub email: String,
    pub operator: bool,
    pub language: Language,
    pub second_factor: bool,
    pub recovery_codes_left: i64,
    pub account: Membership,
    pub accounts: Vec<Membership>,
    pub session: UserSessionId,
    pub proven_until: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub struct MySession {
    pub id: UserSessionId,
    /// The one that asks.
    pub current: bool,
    pub account_name: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub address: Option<String>,
    pub agent: Option<String>,
}

impl Users<'_> {
    pub async fn me(&self, person: &Person) -> Result<Me> {
        let record = person.record();
        let mut conn = self.store().read().await?;
        let mut system = conn.system();
        let user = system.user(&record.user).await?.ok_or_else(gone)?;
        let accounts = system.memberships_of(&record.user).await?;
        let mut here = accounts.iter();
        let account = here.find(|membership| membership.account == record.account);
        let recovery_codes_left = system.recovery_codes_left(&record.user).await?;
        let now = self.now();
        Ok(Me {
            user: user.id,
            email: user.email,
            operator: user.operator,
            language: user.language,
            second_factor: user.has_second_factor,
            recovery_codes_left,
            account: account.cloned().ok_or_else(gone)?,
            session: record.id.clone(),
            proven_until: person.proven_until().filter(|until| *until > now),
            accounts,
        })
    }

    /// A JWT for the instance API, for an hour; it dies with the session.
    pub async fn token(&self, person: &Person) -> Result<IssuedToken> {
        self.app.access.issue_to(&person.session)
    }

    pub async fn sessions(&self, person: &Person) -> Result<Vec<MySession>> {
        let record = person.record();
        let mut conn = self.store().read().await?;
        let rows = conn.system().user_sessions(&record.user).await?;
        let now = self.now();
        let open = rows.into_iter().filter(|row| {
            row.alive
                && now.since(row.created_at) < LONGEST_MS
                && (row.id == record.id || now.since(row.seen_at) < IDLE_MS)
        });
        Ok(open
            .map(|row| MySession {
                current: row.id == record.id,
                id: row.id,
                account_name: row.account_name,
                created_at: row.created_at,
                seen_at: row.seen_at,
                address: row.address,
                agent: row.agent,
            })
            .collect())
    }

    /// Ends one of one's own.
    pub async fn end_session(&self, person: &Person, id: &UserSessionId) -> Result<()> {
        let record = person.record();
        let mut conn = self.store().write().await?;
        if !conn.system().end_user_session(&record.user, id).await? {
            return Err(Error::new(
                ErrorCode::NotFound,
                "You have no such session; it may have ended already.",
            ));
        }
        self.ended(&mut conn, person, id.as_str()).await?;
        self.app.access.commit(conn).await
    }

    /// Ends all of one's own but the one that asks.
    pub async fn end_other_sessions(&self, person: &Person) -> Result<()> {
        let record = person.record();
        let mut conn = self.store().write().await?;
        conn.system()
            .end_other_user_sessions(&record.user, &record.id)
            .await?;
        self.ended(&mut conn, person, "others").await?;
        self.app.access.commit(conn).await
    }

    async fn ended(&self, conn: &mut Conn, person: &Person, which: &str) -> Result<()> {
        let now = self.now();
        Detail::of(&person.caller)
            .with("session", which)
            .write(
                &mut conn.account(&person.caller.account),
                "user.session_ended",
                now,
            )
            .await
    }

    /// The session acts in another account of the person from now on, under a new cookie.
    pub async fn switch_account(&self, person: &Person, account: &AccountId) -> Result<Opened> {
        let record = person.record();
        let (cookie, lookup) = new_cookie(self.rng());
        let mut conn = self.store().write().await?;
        let switched = conn
            .system()
            .switch_user_session(&record.id, account, &lookup)
            .await?;
        if !switched {
            return Err(Error::new(
                ErrorCode::Forbidden,
                "You are not a member of that account.",
            ));
        }
        self.commit_session(conn, (record.id.clone(), cookie)).await
    }

    /// After a change of one's own that ended every session: this one goes on under a new cookie. The
    /// caller commits with [`Users::commit_session`].
    pub(super) async fn renew(
        &self,
        conn: &mut Conn,
        person: &Person,
    ) -> Result<(UserSessionId, Secret)> {
        let record = person.record();
        let (cookie, lookup) = new_cookie(self.rng());
        let renewed = conn
            .system()
            .renew_user_session(&record.id, &lookup)
            .await?;
        if !renewed {
            return Err(gone());
        }
        Ok((record.id.clone(), cookie))
    }
}

pub(super) fn gone() -> Error {
    Error::new(
        ErrorCode::Unauthorized,
        "Your session has ended. Sign in again.",
    )
}
