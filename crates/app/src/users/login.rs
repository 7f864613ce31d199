//! Signing in and out, and proving oneself again inside a session.
//!
//! Every refusal costs the same and says the same, whether the e-mail is known or not: the limits are
//! asked first, then the person check, then one password is hashed.

use std::net::IpAddr;

use recado_model::{AccountId, Error, ErrorCode, Result, Secret, UserId, UserSessionId};
use recado_store::{
    Conn,
    system::{user_sessions::NewUserSession, users::UserRecord},
};

use super::{
    Users,
    code::Code,
    password::Password,
    recovery, totp,
};
use crate::{
    IssuedToken, Person,
    access::person::{self, Session},
    audit::Detail,
};

/// What a person sends to sign in, and from where.
pub struct Credentials {
    pub email: String,
    pub password: Secret,
    /// A code of the second factor, or a recovery code.
    pub otp: Option<Secret>,
    /// Which account to act in, for members of several.
    pub account: Option<AccountId>,
    pub turnstile_token: Option<String>,
    pub from: Option<IpAddr>,
    pub agent: Option<String>,
}

/// A session that was just opened.
pub struct Opened {
    pub cookie: Secret,
    pub session: std::sync::Arc<Session>,
}

/// Where a session is opened.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub from: Option<IpAddr>,
    pub agent: Option<String>,
}

impl Users<'_> {
    pub async fn log_in(&self, shown: Credentials) -> Result<(Opened, IssuedToken)> {
        let email = normal_email(&shown.email);
        let password = Password::parse(shown.password.expose())?;
        self.require_calm(&email, shown.from).await?;
        self.people()
            .human
            .check(shown.turnstile_token.as_deref(), shown.from, "login")
            .await?;
        let user = self.prove(&email, &password, shown.from).await?;
        self.require_second_factor(&user, shown.otp.as_ref(), shown.from)
            .await?;
        self.app.limits.login_held(shown.from, &email);

        let place = Place {
            from: shown.from,
            agent: shown.agent,
        };
        let mut conn = self.store().write().await?;
        let account = self.account_of(&mut conn, &user.id, shown.account).await?;
        let who = (&user.id, user.generation);
        let (id, cookie) = self.open(&mut conn, who, &account, &place).await?;
        // A session more makes nothing stale: the caches stay, whoever signs in how often.
        conn.commit().await?;
        let session = self.app.access.opened(&id).await?;
        let opened = Opened { cookie, session };
        let token = self.app.access.issue_to(&opened.session)?;
        Ok((opened, token))
    }

    /// Ends the session of `person`.
    pub async fn log_out(&self, person: &Person) -> Result<()> {
        let record = person.record();
        let mut conn = self.store().write().await?;
        conn.system()
            .end_user_session(&record.user, &record.id)
            .await?;
        Detail::of(&person.caller)
            .write(
                &mut conn.account(&record.account),
                "user.signed_out",
                self.now(),
            )
            .await?;
        self.app.access.commit(conn).await
    }

    /// The password (and second factor) again, inside a session; when it was given last.
    pub async fn confirm(
        &self,
        person: &Person,
        password: &Secret,
        otp: Option<&Secret>,
    ) -> Result<recado_model::Timestamp> {
        let record = person.record();
        let from = person.caller.from;
        let password = Password::parse(password.expose())?;
        self.require_calm(&record.email, from).await?;
        let user = match self.prove(&record.email, &password, from).await {
            Err(error) if error.code == ErrorCode::LoginFailed => {
                let text = "That is not your password.";
                return Err(Error::new(ErrorCode::LoginFailed, text).with_field("password"));
            }
            proven => proven?,
        };
        if user.id != record.user {
            // The address moved on to somebody else meanwhile; so did the generation.
            return Err(login_failed());
        }
        self.require_second_factor(&user, otp, from).await?;
        self.app.limits.login_held(from, &record.email);
        let now = self.now();
        let mut conn = self.store().write().await?;
        conn.system()
            .prove_user_session(&record.id, Some(now))
            .await?;
        self.app.access.commit(conn).await?;
        Ok(now.plus_millis(person::PROOF_MS))
    }

    /// The user whose password it is; the same answer, as late, for whatever is wrong.
    pub(super) async fn prove(
        &self,
        email: &str,
        password: &Password,
        from: Option<IpAddr>,
    ) -> Result<UserRecord> {
        let user = self.store().read().await?.system().user_by_email(email).await?;
        let hash = user.as_ref().map(|user| user.password_hash.expose());
        let verdict = self.people().hasher.verify(password, hash).await?;
        match user {
            Some(user) if verdict.holds => {
                if verdict.upgrade {
                    self.upgrade(&user, password).await;
                }
                Ok(user)
            }
            user => {
                self.failed(email, user.map(|user| user.id), "wrong_password", from);
                Err(login_failed())
            }
        }
    }

    /// Older parameters: hashed anew while the password is at hand. That it fails is no reason to turn
    /// the person away.
    async fn upgrade(&self, user: &UserRecord, password: &Password) {
        let renewed = async {
            let hash = self.people().hasher.hash(password, self.rng()).await?;
            let mut conn = self.store().write().await?;
            let old = user.password_hash.expose();
            conn.system()
                .upgrade_password_hash(&user.id, old, &hash)
                .await?;
            conn.commit().await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = renewed.await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "could not renew the hash of a password"
            );
        }
    }

    /// 401 `otp_required` when there is one and nothing was sent, `otp_invalid` when it is wrong. A code
    /// is used up by this.
    pub(super) async fn require_second_factor(
        &self,
        user: &UserRecord,
        otp: Option<&Secret>,
        from: Option<IpAddr>,
    ) -> Result<()> {
        if !user.has_second_factor {
            return Ok(());
        }
        let Some(otp) = otp.filter(|otp| !otp.expose().trim().is_empty()) else {
            return Err(Error::new(
                ErrorCode::OtpRequired,
                "Send the code of your second factor, or a recovery code, as otp.",
            ));
        };
        let held = match Code::parse(otp.expose()) {
            Code::Totp(code) => self.use_totp(&user.id, &code).await?,
            Code::Recovery(lookup) => self.use_recovery(&user.id, &lookup).await?,
            Code::Invalid => false,
        };
        if held {
            return Ok(());
        }
        self.failed(&user.email, Some(user.id.clone()), "wrong_code", from);
        Err(Error::new(
            ErrorCode::OtpInvalid,
            "That code does not hold: it may be mistyped, used already, or the clock of your phone may be wrong. Wait for the next one.",
        ))
    }

    async fn use_totp(&self, user: &UserId, code: &str) -> Result<bool> {
        let mut conn = self.store().write().await?;
        let mut system = conn.system();
        let Some((seed, last)) = system.totp(user).await? else {
            return Ok(false);
        };
        let seed = totp::Seed::from_bytes(&seed);
        let Some(step) = totp::matching_step(&seed, code, self.now(), last) else {
            return Ok(false);
        };
        let used = system.use_totp_step(user, step).await?;
        conn.commit().await?;
        Ok(used)
    }

    async fn use_recovery(&self, user: &UserId, lookup: &recovery::Lookup) -> Result<bool> {
        let mut conn = self.store().write().await?;
        let used = conn.system().use_recovery_code(user, lookup).await?;
        conn.commit().await?;
        Ok(used)
    }

    /// 429 while too many log-ins have failed, before anything is hashed. Failures from many networks
    /// close an address to strangers only: who signed in from a network before still may.
    pub(super) async fn require_calm(&self, email: &str, from: Option<IpAddr>) -> Result<()> {
        let Some(wait) = self.app.limits.check_login(from, email)? else {
            return Ok(());
        };
        let mut conn = self.store().read().await?;
        let mut system = conn.system();
        let known = match system.user_by_email(email).await? {
            Some(user) => system.user_sessions(&user.id).await?,
            None => Vec::new(),
        };
        match known.iter().any(|session| same_network(session.address.as_deref(), from)) {
            true => Ok(()),
            false => Err(crate::limits::too_many(wait)),
        }
    }

    /// Counts a failed log-in and tells the accounts of the person, off the way of the answer: whether
    /// there is one must not show in its time.
    pub(super) fn failed(
        &self,
        email: &str,
        user: Option<UserId>,
        reason: &'static str,
        from: Option<IpAddr>,
    ) {
        self.app.limits.login_failed(from, email);
        let (store, usage) = (self.store().clone(), self.app.usage.clone());
        tokio::spawn(async move {
            let found = async {
                let user = user?;
                let mut conn = store.read().await.ok()?;
                conn.system().memberships_of(&user).await.ok()
            };
            for membership in found.await.unwrap_or_default() {
                usage.refused(&membership.account, None, reason, from);
            }
        });
    }

    /// The account to act in: the one that was asked for, or the first.
    async fn account_of(
        &self,
        conn: &mut Conn,
        user: &UserId,
        asked: Option<AccountId>,
    ) -> Result<AccountId> {
        let memberships = conn.system().memberships_of(user).await?;
        let mut accounts = memberships.into_iter().map(|membership| membership.account);
        match asked {
            Some(asked) => accounts.find(|account| *account == asked).ok_or_else(|| {
                Error::new(
                    ErrorCode::Forbidden,
                    "You are not a member of that account. Leave account out to sign in to one of yours.",
                )
            }),
            None => accounts.next().ok_or_else(|| {
                Error::new(
                    ErrorCode::Forbidden,
                    "You are not a member of any account. Ask an owner to invite you.",
                )
            }),
        }
    }

    /// A new session of a member who was proven under that generation; the caller commits with
    /// [`Users::commit_session`].
    pub(super) async fn open(
        &self,
        conn: &mut Conn,
        (user, user_generation): (&UserId, i64),
        account: &AccountId,
        place: &Place,
    ) -> Result<(UserSessionId, Secret)> {
        let (cookie, lookup) = person::new_cookie(self.rng());
        let id = UserSessionId::random(self.rng());
        let now = self.now();
        let new = NewUserSession {
            id: id.clone(),
            user: user.clone(),
            user_generation,
            account: account.clone(),
            lookup,
            address: place.from.map(|from| from.to_string()),
            agent: place.agent.clone(),
        };
        let mut system = conn.system();
        if !system.open_user_session(&new, now).await? {
            // The password or the membership was changed in this very moment.
            return Err(login_failed());
        }
        system.logged_in(user, now).await?;
        Detail::of_user(user, "password", place.from)
            .with("session", id.as_str())
            .with("agent", place.agent.as_deref())
            .write(&mut conn.account(account), "user.signed_in", now)
            .await?;
        Ok((id, cookie))
    }

    pub(super) async fn commit_session(
        &self,
        conn: Conn,
        (id, cookie): (UserSessionId, Secret),
    ) -> Result<Opened> {
        self.app.access.commit(conn).await?;
        let session = self.app.access.opened(&id).await?;
        Ok(Opened { cookie, session })
    }
}

fn same_network(address: Option<&str>, from: Option<IpAddr>) -> bool {
    use recado_model::network::network_of;
    let known: Option<IpAddr> = address.and_then(|text| text.parse().ok());
    matches!((known, from), (Some(known), Some(from)) if network_of(known) == network_of(from))
}

pub(super) fn login_failed() -> Error {
    Error::new(
        ErrorCode::LoginFailed,
        "E-mail or password is wrong.",
    )
}

/// E-mails are compared as they are kept.
pub fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}
