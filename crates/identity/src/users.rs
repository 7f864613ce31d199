//! People: who they are, how they sign in, what they may change about themselves.
//!
//! - [`login`]: signing in and out, the password again inside a session.
//! - [`sessions`]: one's own sessions, the account to act in, a JWT for an hour.
//! - [`profile`]: password, e-mail, language. [`second_factor`]: TOTP and recovery codes.
//! - [`links`]: what is sent to people and used once: set-up, sign-up, invitation, reset, new e-mail.
//! - [`operator`]: what the command line does to people.
//! - [`totp`], [`recovery`], [`code`]: the pure parts.
//!
//! Members of an account, seen from the account: [`crate::members`]. The person of a cookie:
//! [`crate::access::person`].
//!
//! Whatever ends sessions raises the person's generation in the same transaction, and is committed with
//! [`crate::Access`]'s `commit`, so that the next request sees it.

pub mod code;
pub mod links;
pub mod login;
pub mod operator;
pub mod profile;
pub mod recovery;
pub mod second_factor;
pub mod sessions;
pub mod totp;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use recado_model::{
    Clock, Error, ErrorCode, Language, Result, Rng, Secret, Timestamp, network::network_of,
};
use recado_store::Store;

use crate::{
    Config, Identity,
    config::UsersConfig,
    mail::{Letter, Outbox},
    password::{Blocklist, Hasher, HasherConfig},
    turnstile::{HumanCheck, human_check},
};

pub use links::{Link, Use, Used};
pub use login::{Browser, LogInAttempt, Opened};
pub use sessions::{Me, MyAccount, MySession};

/// The parts that everything about people shares.
pub struct People {
    pub(crate) hasher: Hasher,
    pub(crate) blocklist: Blocklist,
    pub(crate) human: Arc<dyn HumanCheck>,
    pub(crate) outbox: Outbox,
    pub(crate) shares: Shares,
}

/// How many log-ins each network has under way: nobody fills the queue of the hashes alone.
#[derive(Default)]
pub(crate) struct Shares(Mutex<HashMap<IpNet, usize>>);

/// Of one network; more are sent away.
const SHARE: usize = 4;

/// A place among them, until it is dropped.
pub(crate) struct Share<'a> {
    of: &'a Shares,
    network: IpNet,
}

impl Shares {
    pub fn enter(&self, from: Option<IpAddr>) -> Result<Share<'_>> {
        let network = network_of(from.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)));
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let here = all.entry(network).or_default();
        if *here >= SHARE {
            return Err(Error::new(
                ErrorCode::Unavailable,
                "Many people are signing in from your network at once. Try again in a moment.",
            )
            .with_retry_after(1));
        }
        *here += 1;
        Ok(Share { of: self, network })
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut all = self.of.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = all.get_mut(&self.network) {
            *here = here.saturating_sub(1);
            if *here == 0 {
                all.remove(&self.network);
            }
        }
    }
}

impl People {
    pub(crate) fn new(config: &Config, clock: &Arc<dyn Clock>, rng: &Arc<dyn Rng>) -> Result<Self> {
        let users = &config.users;
        let hasher = HasherConfig {
            threads: users.password_threads,
            ..HasherConfig::default()
        };
        let blocklist = match &users.blocklist {
            Some(file) => Blocklist::load(file).map_err(|error| {
                let text = "users.password_blocklist_file cannot be read.";
                Error::new(ErrorCode::Unavailable, text).with_source(error)
            })?,
            None => Blocklist::default(),
        };
        let (mail, turnstile) = (&users.mail, users.turnstile.as_ref());
        Ok(Self {
            hasher: Hasher::new(hasher, clock.clone(), &**rng)?,
            blocklist,
            human: human_check(turnstile, clock.clone(), rng.clone())?,
            outbox: mail.outbox(&config.public_url, clock.clone(), rng.clone())?,
            shares: Shares::default(),
        })
    }
}

/// See the module.
pub struct Users<'a> {
    pub(crate) identity: &'a Identity,
}

impl Identity {
    pub fn users(&self) -> Users<'_> {
        Users { identity: self }
    }
}

impl<'a> Users<'a> {
    fn people(&self) -> &'a People {
        &self.identity.core.people
    }

    /// How many passwords were hashed so far.
    pub fn hashes_begun(&self) -> u64 {
        self.people().hasher.begun()
    }

    fn store(&self) -> &'a Store {
        &self.identity.core.store
    }

    fn rng(&self) -> &'a dyn Rng {
        &*self.identity.core.rng
    }

    fn clock(&self) -> &'a dyn Clock {
        &*self.identity.core.clock
    }

    fn now(&self) -> Timestamp {
        self.clock().now()
    }

    fn config(&self) -> &'a UsersConfig {
        &self.identity.core.config.users
    }

    /// Where letters lead who shall look after things.
    fn dashboard(&self) -> String {
        format!("{}/dashboard", self.identity.core.config.public_url)
    }

    /// Sends a letter meanwhile. That the outbox is full is logged there; the answer must not tell.
    pub(crate) fn send(&self, letter: Letter) {
        let _ = self.people().outbox.hand_over(letter);
    }

    /// A password that somebody chose, checked and hashed.
    async fn new_password(&self, text: &Secret, context: &[&str]) -> Result<String> {
        let (people, rng) = (self.people(), self.rng());
        let text = text.expose();
        people
            .hasher
            .choose(text, context, &people.blocklist, rng)
            .await
    }
}

/// The language that a person asked for.
pub fn parse_language(text: &str) -> Result<Language> {
    Language::parse(text).ok_or_else(|| Error::field("language", "language is en, pt-BR or es"))
}

fn gone() -> Error {
    Error::new(
        ErrorCode::Unauthorized,
        "Your session has ended. Sign in again.",
    )
}

pub(crate) fn link_invalid() -> Error {
    Error::new(
        ErrorCode::LinkInvalid,
        "This link was used already, has expired, or was replaced by a newer one. Ask for a new one.",
    )
}
