//! What the product does: one service per noun, called alike by REST, MCP, the Direct API, the
//! dashboard, the command line and the workers.
//!
//! - [`access`]: who is calling, and may they. Every rule of the design's "Identity and access" that
//!   is not about reading headers lives there.
//! - [`instances`], [`sessions`], [`messages`], [`webhooks`], [`direct`], [`shop`], [`accounts`]:
//!   what callers ask for.
//! - [`credentials`], [`audit`]: the life of tokens, and the log of who did what.
//! - [`users`], [`members`]: people, how they sign in, what they may do in an account. [`mail`] and
//!   [`turnstile`] are what that needs of the outside.
//! - [`billing`]: what instances are paid for.
//! - [`supervisor`]: one actor per running instance; it owns the link and the send queue.
//! - [`ingest`]: what comes in from WhatsApp, committed before it is acknowledged.
//! - [`limits`]: what happens after many failed proofs. [`usage`]: when credentials were used last, from
//!   where, and who was refused.
//! - [`delivery`]: webhooks going out. [`mail`]: letters to people. [`turnstile`]: whether they are people.
//! - [`events`]: the payloads that subscribers see.
//! - [`faults`]: one line a minute about a fault that lasts. `ready`: whether the database takes a write.
//!
//! To add something a caller can do: a method on the service of its noun, taking `&Caller`; then a
//! route or tool in `api`. Nothing here knows HTTP; nothing here hands out types of `store` or
//! `engine`.

pub mod access;
pub mod accounts;
pub mod audit;
pub mod billing;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod delivery;
pub mod direct;
pub mod events;
pub mod faults;
mod guests;
pub mod ingest;
pub mod instances;
pub mod limits;
pub mod mail;
pub mod members;
pub mod messages;
mod ready;
pub mod sessions;
pub mod shop;
pub mod supervisor;
pub mod turnstile;
pub mod usage;
pub mod users;
pub mod webhooks;

use std::sync::Arc;

use recado_engine::Engine;
use recado_model::{Clock, Result, Rng};
use recado_store::Store;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use access::{Access, Claimed, Introspection, IssuedToken, Person, Presented, ProvenClient};
pub use billing::{BillingConfig, ReturnTo, Standing, Subscribed, Subscriptions};
pub use config::{Config, Guests, Signup, UsersConfig};
pub use credentials::Credentials;
pub use direct::{CreatedSession, Direct, NewSession};
pub use guests::ClaimedSession;
pub use instances::{InstanceList, InstanceView, Instances};
pub use limits::Limits;
pub use messages::{Accepted, MessageView, Messages, SendMessage, SendOptions};
pub use sessions::{QrAnswer, Sessions, Status};
pub use shop::{Shop, ShopStatus};
pub use webhooks::Webhooks;

/// What the program wires in.
pub struct Deps {
    pub store: Store,
    pub engine: Arc<dyn Engine>,
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub config: Config,
}

/// The product. A cheap clone; all clones are one.
#[derive(Clone)]
pub struct App {
    core: Arc<Core>,
    access: Arc<Access>,
    limits: Arc<Limits>,
    usage: Arc<usage::Usage>,
    people: Arc<users::People>,
    supervisor: supervisor::Supervisor,
    ready: Arc<ready::Ready>,
}

/// What every service shares.
pub(crate) struct Core {
    pub store: Store,
    pub engine: Arc<dyn Engine>,
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub config: Config,
    pub billing: Arc<dyn billing::Provider>,
    pub egress: delivery::http::Egress,
    /// Messages whose status changed, for those who wait on one.
    pub progress: tokio::sync::broadcast::Sender<messages::Progress>,
    pub numbers: messages::numbers::Numbers,
}

impl Core {
    /// Wakes whoever waits for this message. After the commit; nobody waiting is fine.
    pub fn told_progress(
        &self,
        instance: &recado_model::InstanceId,
        message: &recado_model::MessageId,
        status: recado_model::MessageStatus,
    ) {
        drop(self.progress.send(messages::Progress {
            instance: instance.clone(),
            message: message.clone(),
            status,
        }));
    }
}

impl App {
    /// Loads keys, builds every service and tidies up after the last run; starts nothing.
    pub async fn new(deps: Deps) -> Result<Self> {
        let Deps {
            store,
            engine,
            clock,
            rng,
            config,
        } = deps;
        let limits = Arc::new(Limits::new(clock.clone(), config.failed_proofs));
        let people = Arc::new(users::People::new(&config, &clock, &rng)?);
        let usage = Arc::new(usage::Usage::new(clock.clone()));
        let access = Access::new(&store, &clock, &rng, &config, usage.clone()).await?;
        let access = Arc::new(access);
        let egress = delivery::http::Egress::new(&config)?;
        let billing = billing::provider(&config.billing);
        let core = Arc::new(Core {
            store,
            engine,
            clock,
            rng,
            config,
            billing,
            egress,
            progress: tokio::sync::broadcast::channel(256).0,
            numbers: Default::default(),
        });
        let supervisor = supervisor::Supervisor::new(core.clone());
        supervisor.recover().await?;
        billing::adopt(&core).await?;
        Ok(Self {
            core,
            access,
            limits,
            usage,
            people,
            supervisor,
            ready: Arc::default(),
        })
    }

    /// Starts the workers and brings back the instances that were connected.
    pub fn start(&self) -> Workers {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(delivery::run(self.core.clone(), stop.clone()));
        tasks.spawn(audit::run(self.core.clone(), stop.clone()));
        let supervisor = self.supervisor.clone();
        let changed = move || supervisor.look_now();
        tasks.spawn(access::watch_epoch(
            self.access.clone(),
            stop.clone(),
            changed,
        ));
        tasks.spawn(guests::run(self.clone(), stop.clone()));
        tasks.spawn(billing::run(self.clone(), stop.clone()));
        let (usage, store) = (self.usage.clone(), self.core.store.clone());
        tasks.spawn(usage::run(usage, store, stop.clone()));
        tasks.spawn(self.supervisor.clone().keep_leases(stop.clone()));
        tasks.spawn(self.supervisor.clone().watch_queues(stop.clone()));
        tasks.spawn(self.supervisor.clone().run(stop.clone()));
        tasks.close();
        Workers {
            stop,
            tasks,
            supervisor: self.supervisor.clone(),
            people: self.people.clone(),
        }
    }

    pub fn access(&self) -> &Access {
        &self.access
    }
    /// How often proofs may fail.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }
    /// Writes now what the use of credentials has left to write; a worker does it every few seconds.
    pub async fn flush_usage(&self) -> Result<()> {
        self.usage.flush(&self.core.store).await
    }
    pub fn instances(&self) -> Instances<'_> {
        Instances { app: self }
    }
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions { app: self }
    }
    pub fn messages(&self) -> Messages<'_> {
        Messages { app: self }
    }
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks { app: self }
    }
    pub fn billing(&self) -> Subscriptions<'_> {
        Subscriptions { app: self }
    }
    pub fn direct(&self) -> Direct<'_> {
        Direct { app: self }
    }
    pub fn shop(&self) -> Shop<'_> {
        Shop { app: self }
    }
    pub fn config(&self) -> &Config {
        &self.core.config
    }
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.core.clock
    }
    pub fn rng(&self) -> &Arc<dyn Rng> {
        &self.core.rng
    }
    /// `whatsapp` or `sandbox`.
    pub fn network(&self) -> &'static str {
        self.core.engine.network()
    }
    /// Whether the database takes a write; tried at most once a second.
    pub async fn ready(&self) -> Result<()> {
        self.ready.look(&self.core.store, &*self.core.clock).await
    }
}

/// The running workers.
pub struct Workers {
    stop: CancellationToken,
    tasks: TaskTracker,
    supervisor: supervisor::Supervisor,
    people: Arc<users::People>,
}

impl Workers {
    /// Stops taking work, finishes what is under way, closes every link (pairings stay), sends the letters
    /// that are on their way.
    pub async fn stop(self) {
        self.stop.cancel();
        self.supervisor.stop_all().await;
        self.people.outbox.finish().await;
        self.tasks.wait().await;
    }
}
