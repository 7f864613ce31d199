//! The operator's acts on people, at the command line: no program runs around it.

use std::sync::Arc;

use recado_model::{
    Clock, Error, ErrorCode, Language, LinkId, LinkKind, Result, Rng, Secret, Timestamp, UserId,
};
use recado_store::{
    Conn, Store,
    people::{links::NewLink, users::UserRecord},
};

use super::{
    Users,
    links::{SETUP_MS, SHORT_MS, new_token},
};
use crate::{audit::Detail, email::parse_email};

/// A user in the operator's list.
#[derive(Clone, Debug)]
pub struct UserView {
    pub id: UserId,
    pub email: String,
    pub operator: bool,
    pub second_factor: bool,
    /// How many accounts the user is a member of.
    pub accounts: i64,
    pub created_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
}

/// People, on a database whose gateway, if one runs, is another process: it sees changes within a
/// second.
pub struct Operator<'a> {
    pub store: &'a Store,
    pub clock: &'a Arc<dyn Clock>,
    pub rng: &'a Arc<dyn Rng>,
    /// Where links lead.
    pub public_url: &'a str,
}

impl Operator<'_> {
    pub async fn users(&self) -> Result<Vec<UserView>> {
        let users = self.store.read().await?.people().users().await?;
        Ok(users
            .into_iter()
            .map(|user| UserView {
                id: user.id,
                email: user.email,
                operator: user.operator,
                second_factor: user.second_factor,
                accounts: user.accounts,
                created_at: user.created_at,
                last_login_at: user.last_login_at,
            })
            .collect())
    }

    /// The link of the first start; `None` when there are users already.
    pub async fn set_up_link(&self) -> Result<Option<Secret>> {
        let mut conn = self.store.write().await?;
        if conn.people().any_user().await? {
            return Ok(None);
        }
        conn.people().drop_links(LinkKind::Setup, None).await?;
        let link = self
            .link(&mut conn, LinkKind::Setup, None, None, SETUP_MS)
            .await?;
        conn.commit().await?;
        Ok(Some(link))
    }

    /// A link by which a user chooses a new password; it skips no second factor.
    pub async fn reset_link(&self, email: &str) -> Result<Secret> {
        let mut conn = self.store.write().await?;
        let user = self.find(&mut conn, email).await?;
        let (kind, to) = (LinkKind::Reset, Some(user.email.as_str()));
        let (whose, lasts) = ((&user.id, user.generation), SHORT_MS);
        let link = self.link(&mut conn, kind, to, Some(whose), lasts).await?;
        self.tell(&mut conn, &user.id, "user.reset_asked", by())
            .await?;
        conn.commit().await?;
        Ok(link)
    }

    /// A link by which somebody makes an account of their own.
    pub async fn sign_up_link(&self, email: &str, lasts_ms: i64) -> Result<Secret> {
        let email = parse_email(email)?;
        let mut conn = self.store.write().await?;
        let (kind, to) = (LinkKind::Signup, Some(email.as_str()));
        let link = self.link(&mut conn, kind, to, None, lasts_ms).await?;
        conn.commit().await?;
        Ok(link)
    }

    /// For one who lost telephone and recovery codes. Ends their sessions.
    pub async fn remove_second_factor(&self, email: &str) -> Result<()> {
        let mut conn = self.store.write().await?;
        let id = self.find(&mut conn, email).await?.id;
        conn.people().remove_totp(&id).await?;
        self.tell(&mut conn, &id, "user.second_factor_off", by())
            .await?;
        Ok(conn.commit().await?)
    }

    /// Signs a user out everywhere: sessions and JWTs.
    pub async fn sign_out(&self, email: &str) -> Result<()> {
        let mut conn = self.store.write().await?;
        let id = self.find(&mut conn, email).await?.id;
        conn.people().raise_user_generation(&id).await?;
        conn.people().end_user_sessions(&id).await?;
        self.tell(&mut conn, &id, "user.session_ended", by())
            .await?;
        Ok(conn.commit().await?)
    }

    pub async fn set_operator(&self, email: &str, operator: bool) -> Result<()> {
        let mut conn = self.store.write().await?;
        let user = self.find(&mut conn, email).await?;
        if user.operator == operator {
            return Ok(());
        }
        conn.people().set_operator(&user.id, operator).await?;
        let row = by().with("operator", operator);
        self.tell(&mut conn, &user.id, "user.operator", row).await?;
        Ok(conn.commit().await?)
    }

    /// The language that a user chose, for a letter to them.
    pub async fn language(&self, email: &str) -> Result<Language> {
        let user = self
            .store
            .read()
            .await?
            .people()
            .user_by_email(email)
            .await?;
        Ok(user.map(|user| user.language).unwrap_or_default())
    }

    async fn find(&self, conn: &mut Conn, email: &str) -> Result<UserRecord> {
        let user = conn.people().user_by_email(email).await?;
        user.ok_or_else(|| {
            Error::new(
                ErrorCode::NotFound,
                "There is no user with that e-mail. `recado user list` shows all.",
            )
        })
    }

    async fn link(
        &self,
        conn: &mut Conn,
        kind: LinkKind,
        email: Option<&str>,
        user: Option<(&UserId, i64)>,
        lasts_ms: i64,
    ) -> Result<Secret> {
        let (address, lookup) = new_token(&**self.rng, self.public_url);
        let now = self.clock.now();
        let new = NewLink {
            id: LinkId::random(&**self.rng),
            kind,
            lookup,
            email: email.map(str::to_owned),
            account: None,
            role: None,
            made_by: None,
            user: user.map(|(user, generation)| (user.clone(), generation)),
            expires_at: now.plus_millis(lasts_ms),
        };
        conn.people().make_link(&new, now).await?;
        Ok(address)
    }

    /// A row in the log of each account of the user.
    async fn tell(&self, conn: &mut Conn, user: &UserId, kind: &str, row: Detail) -> Result<()> {
        let (row, now) = (row.with("user", user.as_str()), self.clock.now());
        for membership in conn.people().memberships_of(user).await? {
            row.clone()
                .write(&mut conn.account(&membership.account), kind, now)
                .await?;
        }
        Ok(())
    }
}

impl Users<'_> {
    /// The link of the first start, while there is no user: the address to open. An older one dies.
    pub async fn set_up_link(&self) -> Result<Option<Secret>> {
        let core = &self.identity.core;
        let operator = Operator {
            store: &core.store,
            clock: &core.clock,
            rng: &core.rng,
            public_url: &core.config.public_url,
        };
        operator.set_up_link().await
    }
}

fn by() -> Detail {
    Detail::of_operator()
}
