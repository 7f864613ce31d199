//! One's own sessions, the account to act in, a JWT for an hour.

use recado_model::{
    AccountId, Error, ErrorCode, Language, Result, Role, Secret, Timestamp, UserId, UserSessionId,
};
use recado_store::{Conn, people::users::Membership};

use super::{
    Opened, Users, gone,
    login::{SIGN_IN, UnsavedSession},
};
use crate::{
    IssuedToken, Person,
    access::person::{IDLE_MS, LONGEST_MS, is_within, new_cookie},
    audit::Detail,
};

/// A person who is signed in, as the dashboard's pages need it.
#[derive(Clone, Debug)]
pub struct Me {
    pub user: UserId,
    pub email: String,
    pub operator: bool,
    pub language: Language,
    pub second_factor: bool,
    pub recovery_codes_left: i64,
    /// The one that the session acts in.
    pub account: MyAccount,
    pub accounts: Vec<MyAccount>,
    pub session: UserSessionId,
    pub proven_until: Option<Timestamp>,
}

/// An account that one is a member of.
#[derive(Clone, Debug)]
pub struct MyAccount {
    pub id: AccountId,
    pub name: String,
    pub role: Role,
    /// The account's.
    pub language: Language,
}

impl MyAccount {
    fn of(membership: Membership) -> Self {
        Self {
            id: membership.account,
            name: membership.account_name,
            role: membership.role,
            language: membership.language,
        }
    }
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
        let mut people = conn.people();
        let user = people.user(&record.user).await?.ok_or_else(gone)?;
        let accounts = people.memberships_of(&record.user).await?;
        let accounts: Vec<MyAccount> = accounts.into_iter().map(MyAccount::of).collect();
        let account = accounts.iter().find(|mine| mine.id == record.account);
        let recovery_codes_left = people.recovery_codes_left(&record.user).await?;
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
            proven_until: person.proven_until(now),
            accounts,
        })
    }

    /// A JWT for the instance API, for an hour; it dies with the session.
    pub async fn token(&self, person: &Person) -> Result<IssuedToken> {
        self.identity.access().issue_to(&person.session)
    }

    pub async fn sessions(&self, person: &Person) -> Result<Vec<MySession>> {
        let record = person.record();
        let mut conn = self.store().read().await?;
        let rows = conn.people().user_sessions(&record.user).await?;
        let now = self.now();
        let open = rows.into_iter().filter(|row| {
            row.alive
                && is_within(LONGEST_MS, row.created_at, now)
                && (row.id == record.id || is_within(IDLE_MS, row.seen_at, now))
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
        let user = &person.record().user;
        self.identity.limits().spend_change(user)?;
        let mut conn = self.store().write().await?;
        let mut people = conn.people();
        let found = people.user_session(id).await?;
        let found = found.filter(|found| found.user == *user);
        let (Some(found), true) = (found, people.end_user_session(user, id).await?) else {
            return Err(Error::new(
                ErrorCode::NotFound,
                "You have no such session; it may have ended already.",
            ));
        };
        let accounts = vec![found.account];
        self.ended(&mut conn, person, accounts, id.as_str()).await?;
        self.identity.access().commit(conn).await
    }

    /// Ends all of one's own but the one that asks.
    pub async fn end_other_sessions(&self, person: &Person) -> Result<()> {
        let record = person.record();
        self.identity.limits().spend_change(&record.user)?;
        let mut conn = self.store().write().await?;
        let mut people = conn.people();
        let rows = people.user_sessions(&record.user).await?;
        let others = rows.into_iter().filter(|row| row.id != record.id);
        let accounts = others.map(|row| row.account).collect();
        let gone = people.end_other_user_sessions(&record.user, &record.id);
        if gone.await? == 0 {
            return Ok(());
        }
        self.ended(&mut conn, person, accounts, "others").await?;
        self.identity.access().commit(conn).await
    }

    /// A row in the account that the person acts in, and in each where a session has ended.
    async fn ended(
        &self,
        conn: &mut Conn,
        person: &Person,
        mut accounts: Vec<AccountId>,
        which: &str,
    ) -> Result<()> {
        accounts.push(person.caller.account.clone());
        accounts.sort_unstable();
        accounts.dedup();
        let row = Detail::of(&person.caller).with("session", which);
        for account in &accounts {
            row.clone()
                .write(&mut conn.account(account), "user.session_ended", self.now())
                .await?;
        }
        Ok(())
    }

    /// The session acts in another account of the person from now on, under a new cookie; `None` when
    /// it is the one where it acts already.
    pub async fn switch_account(
        &self,
        person: &Person,
        account: &AccountId,
    ) -> Result<Option<Opened>> {
        let record = person.record();
        if *account == record.account {
            return Ok(None);
        }
        self.identity.limits().spend_change(&record.user)?;
        let (cookie, lookup) = new_cookie(self.rng());
        let mut conn = self.store().write().await?;
        let switched = conn
            .people()
            .switch_user_session(&record.id, account, &lookup)
            .await?;
        if !switched {
            let session = conn.people().user_session(&record.id).await?;
            if !session.is_some_and(|session| session.generations_hold) {
                return Err(gone());
            }
            return Err(Error::new(
                ErrorCode::Forbidden,
                "You are not a member of that account.",
            ));
        }
        // Neither is told which the other one is: that is the person's own business.
        for (account, direction) in [(&record.account, "left"), (account, "entered")] {
            Detail::of(&person.caller)
                .with("session", record.id.as_str())
                .with("direction", direction)
                .write(
                    &mut conn.account(account),
                    "user.switched_account",
                    self.now(),
                )
                .await?;
        }
        let moved = UnsavedSession {
            id: record.id.clone(),
            cookie,
            ended_others: true,
        };
        self.commit_opened(conn, moved, SIGN_IN).await.map(Some)
    }

    /// A row in the log of each account of the person who does it.
    pub(super) async fn log_everywhere(
        &self,
        conn: &mut Conn,
        person: &Person,
        kind: &str,
    ) -> Result<()> {
        let (row, now) = (Detail::of(&person.caller), self.now());
        for membership in conn.people().memberships_of(&person.record().user).await? {
            row.clone()
                .write(&mut conn.account(&membership.account), kind, now)
                .await?;
        }
        Ok(())
    }

    /// The language of letters to the person. Read anew: nothing that is kept in memory says it.
    pub(crate) async fn language_of(&self, conn: &mut Conn, person: &Person) -> Result<Language> {
        let user = conn.people().user(&person.record().user).await?;
        Ok(user.ok_or_else(gone)?.language)
    }

    /// After a change of one's own that ended every session: this one goes on under a new cookie. The
    /// caller commits with [`Users::commit_renewed`].
    pub(super) async fn renew(
        &self,
        conn: &mut Conn,
        person: &Person,
    ) -> Result<(UserSessionId, Secret)> {
        let record = person.record();
        let (cookie, lookup) = new_cookie(self.rng());
        let renewed = conn
            .people()
            .renew_user_session(&record.id, &lookup)
            .await?;
        if !renewed {
            return Err(gone());
        }
        Ok((record.id.clone(), cookie))
    }
}
