//! Links that sign in: set-up, sign-up, invitation. A new person gets a user; a known one proves it.

use std::net::IpAddr;

use recado_model::{AccountId, Error, ErrorCode, Language, Result, Role, UserId};
use recado_store::{
    Conn,
    people::{
        links::LinkRecord,
        users::{NewUser, UserRecord},
    },
};

use super::{
    super::{
        Opened, Users, link_invalid,
        login::{Count, ProvenUser, SIGN_IN},
    },
    Use,
    spend::{account_name, required},
};
use crate::{
    accounts,
    audit::Detail,
    email::{normal_email, parse_email},
    password::Password,
};

enum KnownOrNew {
    /// With the second factor that was shown.
    Known(Box<UserRecord>, Option<&'static str>),
    /// The hash of the password that was chosen.
    New(String),
}

impl KnownOrNew {
    fn second_factor(&self) -> Option<&'static str> {
        match self {
            Self::Known(_, second) => *second,
            Self::New(_) => None,
        }
    }
}

impl Users<'_> {
    pub(super) async fn set_up(&self, lookup: &[u8; 32], used: Use) -> Result<Opened> {
        let email = used.email.as_deref().ok_or_else(|| required("email"))?;
        let email = parse_email(email)?;
        let name = account_name(&used)?;
        let hash = self.chosen(&used, &[&email, &name]).await?;
        let mut conn = self.store().write().await?;
        // The command line may be making the first user in this moment.
        conn.people().take_turn().await?;
        self.consume(&mut conn, lookup).await?;
        if conn.people().any_user().await? {
            return Err(link_invalid());
        }
        let (user, generation) = self
            .create_user(&mut conn, &email, &hash, true, used.language)
            .await?;
        let account = self
            .create_account(&mut conn, &name, &user, used.language, used.browser.from)
            .await?;
        let who = ProvenUser {
            user: &user,
            generation,
            second_factor: None,
        };
        let opened = self.open(&mut conn, who, &account, &used.browser).await?;
        self.commit_opened(conn, opened, SIGN_IN).await
    }

    pub(super) async fn sign_up(
        &self,
        lookup: &[u8; 32],
        link: &LinkRecord,
        used: Use,
    ) -> Result<Opened> {
        let email = link.email.as_deref().ok_or_else(link_invalid)?;
        let name = account_name(&used)?;
        let known = self.known_or_chosen(email, &used, &[email, &name]).await?;
        let mut conn = self.store().write().await?;
        self.consume(&mut conn, lookup).await?;
        let second = known.second_factor();
        let (user, generation) = self.user_of(&mut conn, email, known, &used).await?;
        let account = self
            .create_account(&mut conn, &name, &user, used.language, used.browser.from)
            .await?;
        let who = ProvenUser {
            user: &user,
            generation,
            second_factor: second,
        };
        let opened = self.open(&mut conn, who, &account, &used.browser).await?;
        self.commit_opened(conn, opened, SIGN_IN).await
    }

    pub(super) async fn join(
        &self,
        lookup: &[u8; 32],
        link: &LinkRecord,
        used: Use,
    ) -> Result<Opened> {
        let (Some(email), Some(account), Some(role)) = (&link.email, &link.account, link.role)
        else {
            return Err(link_invalid());
        };
        let name = link.account_name.as_deref().unwrap_or_default();
        let known = self.known_or_chosen(email, &used, &[email, name]).await?;
        let mut conn = self.store().write().await?;
        self.consume(&mut conn, lookup).await?;
        // The inviter must still be somebody who may.
        if let Some(by) = &link.made_by {
            let least = role.max(Role::Admin);
            let now = conn.account(account).role_of(by).await?;
            if now.is_none_or(|now| now < least) {
                return Err(link_invalid());
            }
        }
        let second = known.second_factor();
        let (user, generation) = self.user_of(&mut conn, email, known, &used).await?;
        let now = self.now();
        let joined = conn.people().add_member(account, &user, role, now).await?;
        if joined {
            Detail::of_user(&user, "invitation", used.browser.from)
                .with("invitation", link.id.as_str())
                .with("email", email.as_str())
                .with("role", role.as_str())
                .write(&mut conn.account(account), "member.joined", now)
                .await?;
        }
        let who = ProvenUser {
            user: &user,
            generation,
            second_factor: second,
        };
        let opened = self.open(&mut conn, who, account, &used.browser).await?;
        self.commit_opened(conn, opened, SIGN_IN).await
    }

    /// The user of that e-mail, proven by the password that was sent; or the hash of a password for one
    /// who is new.
    async fn known_or_chosen(
        &self,
        email: &str,
        used: &Use,
        context: &[&str],
    ) -> Result<KnownOrNew> {
        let found = self
            .store()
            .read()
            .await?
            .people()
            .user_by_email(email)
            .await?;
        let Some(found) = found else {
            return Ok(KnownOrNew::New(self.chosen(used, context).await?));
        };
        let from = used.browser.from;
        let email = normal_email(email);
        let password = used.password.as_ref().ok_or_else(|| required("password"))?;
        let password = Password::parse(password.expose())?;
        self.identity.limits().begin_proof(&found.id)?;
        let count = Count::Person(&found.id);
        let user = self.prove(&email, &password, count, from).await?;
        let otp = used.otp.as_ref();
        let second = self.require_second_factor(&user, otp, count, from).await?;
        self.identity.limits().proof_held(&found.id);
        Ok(KnownOrNew::Known(Box::new(user), second))
    }

    async fn user_of(
        &self,
        conn: &mut Conn,
        email: &str,
        who: KnownOrNew,
        used: &Use,
    ) -> Result<(UserId, i64)> {
        match who {
            KnownOrNew::Known(user, _) => Ok((user.id, user.generation)),
            KnownOrNew::New(hash) => {
                self.create_user(conn, email, &hash, false, used.language)
                    .await
            }
        }
    }

    async fn create_user(
        &self,
        conn: &mut Conn,
        email: &str,
        password_hash: &str,
        operator: bool,
        language: Option<Language>,
    ) -> Result<(UserId, i64)> {
        let id = UserId::random(self.rng());
        let mut people = conn.people();
        if people.user_by_email(email).await?.is_some() {
            // Somebody made it in this moment, by another link.
            return Err(Error::new(
                ErrorCode::Conflict,
                "A user with this e-mail exists by now. Open the link again and sign in.",
            ));
        }
        let new = NewUser {
            id: &id,
            email,
            password_hash,
            operator,
            language: language.unwrap_or_default(),
        };
        people.create_user(&new, self.now()).await?;
        Ok((id, 0))
    }

    async fn create_account(
        &self,
        conn: &mut Conn,
        name: &str,
        owner: &UserId,
        language: Option<Language>,
        from: Option<IpAddr>,
    ) -> Result<AccountId> {
        let new = accounts::New {
            name,
            owner,
            language: language.unwrap_or_default(),
        };
        let by = Detail::of_user(owner, "link", from);
        let made = accounts::make(conn, self.rng(), new, by, self.now()).await?;
        Ok(made.id)
    }
}
