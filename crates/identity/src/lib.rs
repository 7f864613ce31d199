//! Who may do what: accounts, their credentials, people, and what proves a caller.
//!
//! - [`access`]: who is calling, and may they. Every rule of the design's "Identity and access" that
//!   is not about reading headers lives there.
//! - [`accounts`], [`credentials`]: making accounts, the life of tokens. [`audit`]: the log of who did
//!   what.
//! - [`users`], [`members`]: people, how they sign in, what they may do in an account. [`mail`]: letters
//!   to them. [`turnstile`]: whether they are people.
//! - [`password`], `email`: what people sign in with, in the form that is kept.
//! - [`limits`]: what happens after many failed proofs. [`usage`]: when credentials were used last, from
//!   where, and who was refused.
//! - [`clock`]: the real one. [`faults`]: one line a minute about a fault that lasts. [`workers`]: how
//!   their runs end.
//!
//! No engine is in reach, so nothing here can depend on whether WhatsApp answers; CI holds that. What an
//! account *does* (instances, messages, webhooks, billing) is `recado-app`'s, which holds the one
//! [`Identity`] of the program.
//!
//! To add something a caller can do about accounts, credentials or people: a method on the service of
//! its noun, taking who calls (`&dyn Calls`, or the one kind of caller whom it is for, as `&Person`),
//! with its audit row ([`audit::Detail`]) in the transaction of the change; then a route or tool in
//! `api`. What takes a right away is committed by [`Access::commit`]. Nothing here knows HTTP.

pub mod access;
pub mod accounts;
pub mod audit;
pub mod clock;
mod config;
pub mod credentials;
mod email;
pub mod faults;
pub mod limits;
pub mod mail;
pub mod members;
pub mod password;
pub mod turnstile;
pub mod usage;
pub mod users;
pub mod workers;

use std::sync::Arc;

use recado_model::{Clock, Result, Rng};
use recado_store::Store;
use tokio_util::sync::CancellationToken;

pub use access::{
    Access, Calls, DirectClaim, DirectKey, DirectName, DirectNamed, Granted, Introspection,
    IssuedToken, Person, Presented, ProvenClient, ShopOrGuest, ShopToken,
};
pub use config::{Config, Signup, UsersConfig};
pub use credentials::Credentials;
pub use limits::Limits;

/// Who may do what. A cheap clone; all clones are one.
#[derive(Clone)]
pub struct Identity {
    core: Arc<Core>,
}

/// The parts that every service shares.
struct Core {
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    config: Config,
    access: Access,
    limits: Limits,
    usage: Arc<usage::Usage>,
    people: users::People,
}

impl Identity {
    /// Loads the keys; starts nothing but the threads that hash passwords.
    pub async fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        config: Config,
    ) -> Result<Self> {
        let limits = Limits::new(clock.clone(), config.failed_proofs);
        let people = users::People::new(&config, &clock, &rng)?;
        let usage = Arc::new(usage::Usage::new(clock.clone()));
        let access = Access::new(&store, &clock, &rng, &config, usage.clone()).await?;
        let core = Core {
            store,
            clock,
            rng,
            config,
            access,
            limits,
            usage,
            people,
        };
        Ok(Self {
            core: Arc::new(core),
        })
    }

    pub fn access(&self) -> &Access {
        &self.core.access
    }

    /// How often proofs may fail.
    pub fn limits(&self) -> &Limits {
        &self.core.limits
    }

    /// A worker: sees what other processes changed, forgets what is cached, and calls `changed`.
    pub async fn watch_epoch(self, stop: CancellationToken, changed: impl Fn() + Send) {
        access::watch_epoch(self.access(), stop, changed).await;
    }

    /// A worker: writes when credentials were used and who was refused, the last of it when it stops.
    pub async fn write_usage(self, stop: CancellationToken) {
        usage::run(&self.core.usage, &self.core.store, stop).await;
    }

    /// Writes now what the use of credentials has left to write; the worker does it every few seconds.
    pub async fn flush_usage(&self) -> Result<()> {
        self.core.usage.flush(&self.core.store).await
    }

    /// At the end of the program: the letters that are on their way have 20 s to be sent.
    pub async fn finish_letters(&self) {
        self.core.people.outbox.finish().await;
    }
}
