//! Signing in and out, and proving oneself again inside a session.
//!
//! Every refusal costs the same and says the same, whether the e-mail is known or not: the limits are
//! asked first, then the person check, then one password is hashed.

use std::net::IpAddr;

use recado_model::{
    AccountId, Error, ErrorCode, Result, Secret, UserId, UserSessionId, network::network_of,
};
use recado_store::{
    Conn,
    people::{user_sessions::NewUserSession, users::UserRecord},
};

use super::{Users, code::Code, gone, recovery, totp};
use crate::{
    IssuedToken, Person,
    access::person::{self, Session},
    audit::Detail,
    email::normal_email,
    faults,
    limits::too_many,
    password::Password,
};

/// The form that a person sends to sign in, and from where.
pub struct LogInAttempt {
    pub email: String,
    pub password: Secret,
    /// A code of the second factor, or a recovery code.
    pub otp: Option<Secret>,
    /// Which account to act in, for members of several.
    pub account: Option<AccountId>,
    pub turnstile_token: Option<String>,
    pub browser: Browser,
}

/// A session that was just opened.
pub struct Opened {
    pub cookie: Secret,
    pub session: std::sync::Arc<Session>,
}

/// Against what a proof that fails is counted.
#[derive(Clone, Copy)]
pub(super) enum Count<'a> {
    /// A stranger's, with that e-mail.
    LogIn(&'a str),
    /// Of one who holds a session or a link of that user.
    Person(&'a UserId),
}

/// Somebody who proved to be that user, under that generation.
pub(super) struct ProvenUser<'a> {
    pub user: &'a UserId,
    pub generation: i64,
    /// `totp` or `recovery_code`, where one was asked for.
    pub second_factor: Option<&'static str>,
}

/// A session that is not committed yet.
pub(super) struct UnsavedSession {
    pub id: UserSessionId,
    pub cookie: Secret,
    /// Something that is kept in memory is over: the oldest session of the user, or the cookie of before.
    pub ended_others: bool,
}

/// So long a network from which somebody signed in is theirs.
pub const KNOWN_MS: i64 = 90 * 24 * 3600 * 1000;

/// Where a session is opened.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    pub from: Option<IpAddr>,
    /// The browser's name for itself; anybody may write anything.
    pub agent: Option<String>,
}

pub(super) const TRY_AGAIN: &str =
    "Something about your login was changed in this moment. Try again.";
/// Where what was asked for besides is done, once and for all.
pub(super) const SIGN_IN: &str =
    "That is done, but something about your login was changed in this moment. Sign in.";

impl Users<'_> {
    pub async fn log_in(&self, shown: LogInAttempt) -> Result<(Opened, IssuedToken)> {
        let email = normal_email(&shown.email);
        let password = Password::parse(shown.password.expose())?;
        let from = shown.browser.from;
        self.require_calm(&email, from).await?;
        let _share = self.people().shares.enter(from)?;
        self.people()
            .human
            .check(shown.turnstile_token.as_deref(), from, "login")
            .await?;
        let count = Count::LogIn(&email);
        let user = self.prove(&email, &password, count, from).await?;
        let otp = shown.otp.as_ref();
        if otp.is_none() {
            // That the password is right must not be found out without a trace.
            self.require_second_factor(&user, None, count, from).await?;
        }
        // Before a code is used up for nothing.
        let account = self.account_of(&user.id, shown.account).await?;
        let second = self.require_second_factor(&user, otp, count, from).await?;
        self.identity.limits().login_held(from, &email);

        let mut conn = self.store().write().await?;
        let who = ProvenUser {
            user: &user.id,
            generation: user.generation,
            second_factor: second,
        };
        let new = self.open(&mut conn, who, &account, &shown.browser).await?;
        let opened = self.commit_opened(conn, new, TRY_AGAIN).await?;
        let token = self.identity.access().issue_to(&opened.session)?;
        Ok((opened, token))
    }

    /// Ends the session of `person`.
    pub async fn log_out(&self, person: &Person) -> Result<()> {
        let record = person.record();
        let mut conn = self.store().write().await?;
        let mut people = conn.people();
        if !people.end_user_session(&record.user, &record.id).await? {
            // Somebody was faster.
            return Ok(());
        }
        Detail::of(&person.caller)
            .write(
                &mut conn.account(&record.account),
                "user.signed_out",
                self.now(),
            )
            .await?;
        self.identity.access().commit(conn).await
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
        // Strangers' failures are no reason to doubt who holds the session.
        self.identity.limits().begin_proof(&record.user)?;
        self.identity.limits().spend_change(&record.user)?;
        let _share = self.people().shares.enter(from)?;
        let count = Count::Person(&record.user);
        let user = match self.prove(&record.email, &password, count, from).await {
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
        self.require_second_factor(&user, otp, count, from).await?;
        self.identity.limits().proof_held(&record.user);
        let now = self.now();
        let mut conn = self.store().write().await?;
        let mut people = conn.people();
        if !people.prove_user_session(&record.id, Some(now)).await? {
            return Err(gone());
        }
        self.identity.access().commit(conn).await?;
        Ok(now.plus_millis(person::PROOF_MS))
    }

    /// The user whose password it is; the same answer, as late, for whatever is wrong.
    pub(super) async fn prove(
        &self,
        email: &str,
        password: &Password,
        count: Count<'_>,
        from: Option<IpAddr>,
    ) -> Result<UserRecord> {
        let user = self
            .store()
            .read()
            .await?
            .people()
            .user_by_email(email)
            .await?;
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
                let user = user.map(|user| user.id);
                self.failed(count, user, "wrong_password", from);
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
            conn.people()
                .upgrade_password_hash(&user.id, old, &hash)
                .await?;
            conn.commit().await?;
            Ok::<_, Error>(())
        };
        if let Err(error) = renewed.await {
            faults::warn(&error, "could not renew the hash of a password");
        }
    }

    /// 401 `otp_required` when there is one and nothing was sent, `otp_invalid` when it is wrong. A code
    /// is used up by this. Says which it was.
    pub(super) async fn require_second_factor(
        &self,
        user: &UserRecord,
        otp: Option<&Secret>,
        count: Count<'_>,
        from: Option<IpAddr>,
    ) -> Result<Option<&'static str>> {
        if !user.has_second_factor {
            return Ok(None);
        }
        let Some(otp) = otp.filter(|otp| !otp.expose().trim().is_empty()) else {
            // A caller with the password and without the code may be a thief: the owner sees it in the log.
            self.tell_refused(Some(user.id.clone()), "second_factor_missing", from);
            return Err(Error::new(
                ErrorCode::OtpRequired,
                "Send the code of your second factor, or a recovery code, as otp.",
            ));
        };
        let held = match Code::parse(otp.expose()) {
            Code::Totp(code) => self.use_totp(&user.id, &code).await?.then_some("totp"),
            Code::Recovery(lookup) => {
                let used = self.use_recovery(&user.id, &lookup).await?;
                used.then_some("recovery_code")
            }
            Code::Invalid => None,
        };
        if held.is_some() {
            return Ok(held);
        }
        self.failed(count, Some(user.id.clone()), "wrong_code", from);
        Err(Error::new(
            ErrorCode::OtpInvalid,
            "That code does not hold: it may be mistyped, used already, or the clock of your phone may be wrong. Wait for the next one.",
        ))
    }

    async fn use_totp(&self, user: &UserId, code: &str) -> Result<bool> {
        let mut conn = self.store().write().await?;
        let mut people = conn.people();
        let Some((seed, last)) = people.totp(user).await? else {
            return Ok(false);
        };
        let seed = totp::Seed::from_bytes(&seed);
        let Some(step) = totp::matching_step(&seed, code, self.now(), last) else {
            return Ok(false);
        };
        let used = people.use_totp_step(user, step, last).await?;
        conn.commit().await?;
        Ok(used)
    }

    async fn use_recovery(&self, user: &UserId, lookup: &recovery::Lookup) -> Result<bool> {
        let mut conn = self.store().write().await?;
        let used = conn.people().use_recovery_code(user, lookup).await?;
        conn.commit().await?;
        Ok(used)
    }

    /// 429 while too many log-ins have failed, before anything is hashed. Failures from many networks
    /// close an address to strangers only: who signed in from a network before still may.
    async fn require_calm(&self, email: &str, from: Option<IpAddr>) -> Result<()> {
        let Some(wait) = self.identity.limits().begin_login(from, email)? else {
            return Ok(());
        };
        let network = from.map(|from| network_of(from).to_string());
        let since = self.now().plus_millis(-KNOWN_MS);
        let Some(network) = network else {
            return Err(too_many(wait));
        };
        let mut conn = self.store().read().await?;
        let known = conn
            .people()
            .is_known_network(email, &network, since)
            .await?;
        match known {
            true => Ok(()),
            false => Err(too_many(wait)),
        }
    }

    /// Counts a failed proof and tells the accounts of the person.
    pub(super) fn failed(
        &self,
        count: Count<'_>,
        user: Option<UserId>,
        reason: &'static str,
        from: Option<IpAddr>,
    ) {
        match count {
            Count::LogIn(email) => self.identity.limits().login_failed(from, email),
            Count::Person(user) => self.identity.limits().proof_failed(user),
        }
        self.tell_refused(user, reason, from);
    }

    /// Off the way of the answer: whether there is such a user must not show in its time.
    fn tell_refused(&self, user: Option<UserId>, reason: &'static str, from: Option<IpAddr>) {
        let (store, usage) = (self.store().clone(), self.identity.core.usage.clone());
        tokio::spawn(async move {
            let found = async {
                let user = user?;
                let mut conn = store.read().await.ok()?;
                conn.people().memberships_of(&user).await.ok()
            };
            for membership in found.await.unwrap_or_default() {
                usage.refused(&membership.account, None, reason, from);
            }
        });
    }

    /// The account to act in: the one that was asked for, or the first.
    async fn account_of(&self, user: &UserId, asked: Option<AccountId>) -> Result<AccountId> {
        let mut conn = self.store().read().await?;
        let memberships = conn.people().memberships_of(user).await?;
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

    /// A new session of a member; the caller commits.
    pub(super) async fn open(
        &self,
        conn: &mut Conn,
        who: ProvenUser<'_>,
        account: &AccountId,
        browser: &Browser,
    ) -> Result<UnsavedSession> {
        let (cookie, lookup) = person::new_cookie(self.rng());
        let id = UserSessionId::random(self.rng());
        let (user, now) = (who.user, self.now());
        let new = NewUserSession {
            id: id.clone(),
            user: user.clone(),
            user_generation: who.generation,
            account: account.clone(),
            lookup,
            address: browser.from.map(|from| from.to_string()),
            agent: browser.agent.clone(),
        };
        let network = browser.from.map(|from| network_of(from).to_string());
        let mut people = conn.people();
        let Some(ended) = people.open_user_session(&new, now).await? else {
            return Err(Error::new(ErrorCode::Conflict, TRY_AGAIN));
        };
        people.logged_in(user, network.as_deref(), now).await?;
        Detail::of_user(user, "password", browser.from)
            .with("session", id.as_str())
            .with("second_factor", who.second_factor)
            .with("agent", browser.agent.as_deref())
            .write(&mut conn.account(account), "user.signed_in", now)
            .await?;
        Ok(UnsavedSession {
            id,
            cookie,
            ended_others: ended > 0,
        })
    }

    /// Commits a session that was opened just now. 409 with `ended` when somebody has ended it since: the
    /// cookie would be worth nothing.
    pub(super) async fn commit_opened(
        &self,
        mut conn: Conn,
        new: UnsavedSession,
        ended: &'static str,
    ) -> Result<Opened> {
        let access = self.identity.access();
        let made = access.made(&mut conn, &new.id).await?;
        match new.ended_others {
            true => access.commit(conn).await?,
            // A session more makes nothing stale: the caches stay, whoever signs in how often.
            false => conn.commit().await?,
        }
        let session = match access.opened(&new.id).await {
            Ok(Some(session)) => session,
            Ok(None) => return Err(Error::new(ErrorCode::Conflict, ended)),
            // It is committed: that nobody can look now ends nothing.
            Err(_) => made,
        };
        let cookie = new.cookie;
        Ok(Opened { cookie, session })
    }

    /// Commits a change in whose transaction the session went on under a new cookie. The change is made,
    /// so this is no error whatever becomes of the session behind the commit: what the change answers,
    /// such as recovery codes, is shown this once.
    pub(super) async fn commit_renewed(
        &self,
        mut conn: Conn,
        (id, cookie): (UserSessionId, Secret),
    ) -> Result<Opened> {
        let session = self.identity.access().made(&mut conn, &id).await?;
        self.identity.access().commit(conn).await?;
        Ok(Opened { cookie, session })
    }
}

pub(super) fn login_failed() -> Error {
    Error::new(ErrorCode::LoginFailed, "E-mail or password is wrong.")
}
