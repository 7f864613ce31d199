//! Links that are sent to people, each used once: set-up, sign-up, invitation, reset, new e-mail.
//!
//! The token is 256 random bits in the address' fragment, which browsers send to no server. It is never
//! in an answer or a log: it goes by mail, to a file of the operator's, or to a terminal.

use std::net::IpAddr;

use recado_model::{
    AccountId, Error, ErrorCode, Language, LinkId, LinkKind, Result, Role, Secret, Timestamp,
    UserId,
};
use recado_store::{
    Conn, StoreError,
    people::{
        links::{LinkRecord, NewLink},
        users::{NewUser, UserRecord},
    },
};
use sha2::{Digest, Sha256};

use super::{
    Opened, Place, Users, link_invalid,
    login::{Count, Proven, SIGN_IN, normal_email},
    operator::{Operator, new_token},
    parse_email,
    password::Password,
};
use crate::{accounts, audit::Detail, config::Signup, mail::letters};

const MINUTE_MS: i64 = 60_000;
pub(super) const SETUP_MS: i64 = 60 * MINUTE_MS;
pub(super) const SHORT_MS: i64 = 30 * MINUTE_MS;
/// Letters of one kind to one address within an hour.
const LETTERS: i64 = 5;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// What a link is for, for the page that it opens.
#[derive(Clone, Debug)]
pub struct Link {
    pub kind: LinkKind,
    pub email: Option<String>,
    pub account_name: Option<String>,
    pub role: Option<Role>,
    /// There is a user with that e-mail: it is their password that is asked for, not a new one.
    pub known: bool,
    /// That user has a second factor, which no link skips.
    pub needs_otp: bool,
    pub expires_at: Timestamp,
}

/// What a person sends to use a link.
pub struct Use {
    pub token: Secret,
    pub email: Option<String>,
    pub account_name: Option<String>,
    pub password: Option<Secret>,
    pub otp: Option<Secret>,
    pub language: Option<Language>,
    pub place: Place,
}

/// What came of it.
pub enum Used {
    SignedIn(Opened),
    /// To be signed in with as ever.
    Done,
}

/// Whom a link is for.
pub(crate) struct Recipient<'a> {
    pub kind: LinkKind,
    pub email: &'a str,
    /// Of reset and e-mail.
    pub user: Option<(&'a UserId, i64)>,
}

/// Where an invitation leads.
pub(crate) struct Invited<'a> {
    pub email: &'a str,
    pub account: &'a AccountId,
    pub role: Role,
    pub by: Option<&'a UserId>,
}

impl Users<'_> {
    /// 410 for one that is dead.
    pub async fn look(&self, token: &Secret) -> Result<Link> {
        let lookup = lookup_of(token).ok_or_else(link_invalid)?;
        let mut conn = self.store().read().await?;
        let mut people = conn.people();
        let link = people.link(&lookup).await?;
        let link = link.filter(|link| is_live(link, self.now()));
        let link = link.ok_or_else(link_invalid)?;
        let user = match (&link.user, &link.email) {
            (Some(id), _) => people.user(id).await?,
            (None, Some(email)) => people.user_by_email(email).await?,
            (None, None) => None,
        };
        let asks = link.kind != LinkKind::Email;
        Ok(Link {
            kind: link.kind,
            known: user.is_some() && matches!(link.kind, LinkKind::Signup | LinkKind::Invite),
            needs_otp: asks && user.is_some_and(|user| user.has_second_factor),
            email: link.email,
            account_name: link.account_name,
            role: link.role,
            expires_at: link.expires_at,
        })
    }

    /// Does what the link is for. Whatever is missing or wrong leaves it as it is.
    pub async fn use_link(&self, used: Use) -> Result<Used> {
        let lookup = lookup_of(&used.token).ok_or_else(link_invalid)?;
        let found = {
            let mut conn = self.store().read().await?;
            conn.people().link(&lookup).await?
        };
        let link = found.filter(|link| is_live(link, self.now()));
        let link = link.ok_or_else(link_invalid)?;
        let _share = self.people().shares.enter(used.place.from)?;
        match link.kind {
            LinkKind::Setup => self.set_up(&lookup, used).await.map(Used::SignedIn),
            LinkKind::Signup => self.sign_up(&lookup, &link, used).await.map(Used::SignedIn),
            LinkKind::Invite => self.join(&lookup, &link, used).await.map(Used::SignedIn),
            LinkKind::Reset => self.reset(&lookup, &link, used).await.map(|()| Used::Done),
            LinkKind::Email => self
                .move_to(&lookup, &link, used.place.from)
                .await
                .map(|()| Used::Done),
        }
    }

    async fn set_up(&self, lookup: &[u8; 32], used: Use) -> Result<Opened> {
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
            .create_account(&mut conn, &name, &user, used.language, used.place.from)
            .await?;
        let who = Proven {
            user: &user,
            generation,
            second_factor: None,
        };
        let opened = self.open(&mut conn, who, &account, &used.place).await?;
        self.commit_opened(conn, opened, SIGN_IN).await
    }

    async fn sign_up(&self, lookup: &[u8; 32], link: &LinkRecord, used: Use) -> Result<Opened> {
        let email = link.email.as_deref().ok_or_else(link_invalid)?;
        let name = account_name(&used)?;
        let known = self.known_or_chosen(email, &used, &[email, &name]).await?;
        let mut conn = self.store().write().await?;
        self.consume(&mut conn, lookup).await?;
        let second = known.second_factor();
        let (user, generation) = self.user_of(&mut conn, email, known, &used).await?;
        let account = self
            .create_account(&mut conn, &name, &user, used.language, used.place.from)
            .await?;
        let who = Proven {
            user: &user,
            generation,
            second_factor: second,
        };
        let opened = self.open(&mut conn, who, &account, &used.place).await?;
        self.commit_opened(conn, opened, SIGN_IN).await
    }

    async fn join(&self, lookup: &[u8; 32], link: &LinkRecord, used: Use) -> Result<Opened> {
        let (Some(email), Some(account), Some(role)) = (&link.email, &link.account, link.role)
        else {
            return Err(link_invalid());
        };
        let name = link.account_name.as_deref().unwrap_or_default();
        let known = self.known_or_chosen(email, &used, &[email, name]).await?;
        let mut conn = self.store().write().await?;
        self.consume(&mut conn, lookup).await?;
        // Who invited must still be somebody who may.
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
            Detail::of_user(&user, "invitation", used.place.from)
                .with("invitation", link.id.as_str())
                .with("email", email.as_str())
                .with("role", role.as_str())
                .write(&mut conn.account(account), "member.joined", now)
                .await?;
        }
        let who = Proven {
            user: &user,
            generation,
            second_factor: second,
        };
        let opened = self.open(&mut conn, who, account, &used.place).await?;
        self.commit_opened(conn, opened, SIGN_IN).await
    }

    /// A new password. It ends every session and JWT, and does not sign in: the second factor is asked
    /// for here, and again there.
    async fn reset(&self, lookup: &[u8; 32], link: &LinkRecord, used: Use) -> Result<()> {
        let id = link.user.as_ref().ok_or_else(link_invalid)?;
        let from = used.place.from;
        let (user, accounts) = {
            let mut conn = self.store().read().await?;
            let user = conn.people().user(id).await?.ok_or_else(link_invalid)?;
            (user, conn.people().memberships_of(id).await?)
        };
        // Only a code can be guessed here: who holds the link is locked out by nobody else's failures.
        self.identity.limits().begin_proof(id)?;
        let names = accounts.iter().map(|account| account.account_name.as_str());
        let context: Vec<&str> = std::iter::once(user.email.as_str()).chain(names).collect();
        let hash = self.chosen(&used, &context).await?;
        let otp = used.otp.as_ref();
        self.require_second_factor(&user, otp, Count::Person(id), from)
            .await?;
        let mut conn = self.store().write().await?;
        self.consume(&mut conn, lookup).await?;
        conn.people().set_password(&user.id, &hash).await?;
        self.tell_accounts(&mut conn, &user.id, "user.password", from)
            .await?;
        self.identity.access().commit(conn).await?;
        self.identity.limits().proof_held(id);
        self.identity.limits().login_held(from, &user.email);
        let letter = letters::password_changed(user.language, &user.email, &self.dashboard());
        self.send(letter);
        Ok(())
    }

    async fn move_to(
        &self,
        lookup: &[u8; 32],
        link: &LinkRecord,
        from: Option<IpAddr>,
    ) -> Result<()> {
        let (Some(id), Some(email)) = (&link.user, &link.email) else {
            return Err(link_invalid());
        };
        let mut conn = self.store().write().await?;
        self.consume(&mut conn, lookup).await?;
        let old = conn.people().user(id).await?.ok_or_else(link_invalid)?;
        let moved = match conn.people().set_email(id, email).await {
            // Somebody took it in this moment.
            Err(StoreError::Unique { .. }) => false,
            moved => moved?,
        };
        if !moved {
            return Err(Error::new(
                ErrorCode::Conflict,
                "Another user has this address already. Sign in as that user, or choose another address.",
            ));
        }
        self.tell_accounts(&mut conn, id, "user.email", from)
            .await?;
        self.identity.access().commit(conn).await?;
        let letter = letters::email_changed(old.language, &old.email, &self.dashboard());
        self.send(letter);
        Ok(())
    }

    /// "Forgot password". The answer is the same at the same time whoever asks about whom; what is to
    /// be done is done afterwards.
    pub async fn ask_reset(
        &self,
        email: &str,
        turnstile_token: Option<&str>,
        from: Option<IpAddr>,
    ) -> Result<()> {
        let email = self.may_ask(email, turnstile_token, from, "reset").await?;
        let identity = self.identity.clone();
        tokio::spawn(async move {
            let users = identity.users();
            let sent = users.send_reset(&email).await;
            log_failure(sent, "a reset");
        });
        Ok(())
    }

    async fn send_reset(&self, email: &str) -> Result<()> {
        let mut conn = self.store().write().await?;
        let Some(user) = conn.people().user_by_email(email).await? else {
            return Ok(());
        };
        let to = Recipient {
            kind: LinkKind::Reset,
            email: &user.email,
            user: Some((&user.id, user.generation)),
        };
        let Some(link) = self.link_to(&mut conn, to).await? else {
            return Ok(());
        };
        conn.commit().await?;
        let link = link.expose();
        self.send(letters::reset(user.language, &user.email, link, SHORT_MS));
        Ok(())
    }

    /// Signing up, where it is open: a letter to the address. As [`Users::ask_reset`].
    pub async fn ask_sign_up(
        &self,
        email: &str,
        language: Language,
        turnstile_token: Option<&str>,
        from: Option<IpAddr>,
    ) -> Result<()> {
        if self.config().signup != Signup::Open {
            return Err(Error::new(
                ErrorCode::SignupClosed,
                "Nobody can sign up here by themselves. Ask the operator for an account, or an owner of one to invite you.",
            ));
        }
        let email = self.may_ask(email, turnstile_token, from, "signup").await?;
        let identity = self.identity.clone();
        tokio::spawn(async move {
            let sent = identity.users().send_sign_up(&email, language).await;
            log_failure(sent, "a sign-up");
        });
        Ok(())
    }

    pub(super) async fn send_sign_up(&self, email: &str, language: Language) -> Result<bool> {
        let mut conn = self.store().write().await?;
        let known = conn.people().user_by_email(email).await?;
        let to = Recipient {
            kind: LinkKind::Signup,
            email,
            user: None,
        };
        // For who is known, too, although nobody gets it: letters are counted by their links.
        let Some(link) = self.link_to(&mut conn, to).await? else {
            return Ok(false);
        };
        conn.commit().await?;
        self.send(match known {
            // They get to know that they are known; whoever typed the address does not.
            Some(user) => letters::signup_known(user.language, email, &self.dashboard()),
            None => letters::signup(language, email, link.expose(), SHORT_MS),
        });
        Ok(true)
    }

    /// Limits and the person check of the two open forms; the address as it is kept.
    async fn may_ask(
        &self,
        email: &str,
        turnstile_token: Option<&str>,
        from: Option<IpAddr>,
        action: &str,
    ) -> Result<String> {
        let email = parse_email(email)?;
        // Before anybody is looked up: a full outbox is told to everybody alike.
        self.people().outbox.check_room()?;
        // By network only: that somebody asks again and again about an address must not keep its owner
        // from asking. How many letters go there is counted with its links.
        self.identity.limits().spend_asking(from)?;
        let _share = self.people().shares.enter(from)?;
        self.people()
            .human
            .check(turnstile_token, from, action)
            .await?;
        Ok(email)
    }

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

    /// Whether nobody has set this gateway up yet.
    pub async fn setup_needed(&self) -> Result<bool> {
        Ok(!self.store().read().await?.people().any_user().await?)
    }

    /// A link to an address; an older one of that kind dies. `None` when too many went there lately. The
    /// caller commits.
    pub(super) async fn link_to(
        &self,
        conn: &mut Conn,
        to: Recipient<'_>,
    ) -> Result<Option<Secret>> {
        let now = self.now();
        let mut people = conn.people();
        let since = now.plus_millis(-HOUR_MS);
        people.take_turn().await?;
        if people.count_links_since(to.kind, to.email, since).await? >= LETTERS {
            return Ok(None);
        }
        let (address, lookup) = self.new_token();
        let new = NewLink {
            id: LinkId::random(self.rng()),
            kind: to.kind,
            lookup,
            email: Some(to.email.to_owned()),
            account: None,
            role: None,
            made_by: None,
            user: to.user.map(|(user, generation)| (user.clone(), generation)),
            expires_at: now.plus_millis(SHORT_MS),
        };
        people.make_link(&new, now).await?;
        Ok(Some(address))
    }

    /// An invitation; `None` when too many went there lately. The caller commits.
    pub(crate) async fn invitation(
        &self,
        conn: &mut Conn,
        invited: Invited<'_>,
    ) -> Result<Option<(LinkId, Secret, Timestamp)>> {
        let now = self.now();
        let mut people = conn.people();
        let since = now.plus_millis(-HOUR_MS);
        people.take_turn().await?;
        let count = people.count_links_since(LinkKind::Invite, invited.email, since);
        if count.await? >= LETTERS {
            return Ok(None);
        }
        let (address, lookup) = self.new_token();
        let id = LinkId::random(self.rng());
        let expires_at = now.plus_millis(self.config().invitation_ms);
        let new = NewLink {
            id: id.clone(),
            kind: LinkKind::Invite,
            lookup,
            email: Some(invited.email.to_owned()),
            account: Some(invited.account.clone()),
            role: Some(invited.role),
            made_by: invited.by.cloned(),
            user: None,
            expires_at,
        };
        people.make_link(&new, now).await?;
        Ok(Some((id, address, expires_at)))
    }

    fn new_token(&self) -> (Secret, [u8; 32]) {
        new_token(self.rng(), &self.identity.core.config.public_url)
    }

    /// Of two who use it at once, one does.
    async fn consume(&self, conn: &mut Conn, lookup: &[u8; 32]) -> Result<()> {
        let used = conn.people().use_link(lookup, self.now()).await?;
        used.map(|_| ()).ok_or_else(link_invalid)
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
        let from = used.place.from;
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

    async fn chosen(&self, used: &Use, context: &[&str]) -> Result<String> {
        let password = used.password.as_ref().ok_or_else(|| required("password"))?;
        self.new_password(password, context).await
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

    /// A row in the log of each account of a person.
    pub(super) async fn tell_accounts(
        &self,
        conn: &mut Conn,
        user: &UserId,
        kind: &str,
        from: Option<IpAddr>,
    ) -> Result<()> {
        for membership in conn.people().memberships_of(user).await? {
            Detail::of_user(user, "link", from)
                .write(&mut conn.account(&membership.account), kind, self.now())
                .await?;
        }
        Ok(())
    }
}

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

fn is_live(link: &LinkRecord, now: Timestamp) -> bool {
    link.alive && link.expires_at > now
}

fn lookup_of(token: &Secret) -> Option<[u8; 32]> {
    let token = token.expose().trim();
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (token.len() == 43 && token.bytes().all(fits)).then(|| Sha256::digest(token.as_bytes()).into())
}

fn account_name(used: &Use) -> Result<String> {
    let name = used.account_name.as_deref();
    accounts::check_name(
        "account_name",
        name.ok_or_else(|| required("account_name"))?,
    )
}

fn required(field: &'static str) -> Error {
    Error::field(field, format!("{field} is required"))
}

pub(crate) fn too_many_letters() -> Error {
    Error::new(
        ErrorCode::RateLimited,
        "Several letters went to that address within the hour. Try again later.",
    )
    .with_retry_after(3600)
}

fn log_failure<T>(done: Result<T>, what: &str) {
    if let Err(error) = done {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "could not prepare the letter of {what}"
        );
    }
}
