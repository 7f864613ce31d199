//! The product itself: one service per noun, called alike by REST, MCP, the Direct API, the
//! dashboard, the command line and the workers.
//!
//! - [`instances`], [`connections`], [`messages`], [`groups`], [`media`], [`webhooks`], [`direct`], [`shop`]: what callers ask for.
//! - [`people`], [`profile`]: others on WhatsApp, and what they see of an instance. `asking`: how fast it asks; `own`:
//!   its own profile of late.
//! - [`billing`]: what instances are paid for.
//! - `exchange`: calls to devices, put through to whoever has the link.
//! - [`supervisor`]: one actor per running instance; it owns the link and the send queue. `inbox`: what it is
//!   told; `held`: its instance, for every change.
//! - `history`: what phones send of their past, stored beside what comes in now; `past`: how an instance stands with it.
//! - [`ingest`]: what comes in from WhatsApp, committed before it is acknowledged.
//! - [`egress`]: the one way to addresses that tenants choose. [`events`]: the payloads that subscribers see.
//! - `workers`: what the program does by itself, such as webhooks going out. `ready`: whether the database takes a
//!   write.
//!
//! Callers, accounts, credentials, people and the audit log are [`recado_identity`]'s, which
//! reaches no engine; [`App`] holds it and hands out its services.
//!
//! To add something a caller can do: a method on the service of its noun, taking who calls
//! (`&dyn Calls`), or the instance that was granted to whoever calls (`&Granted`); then a
//! route or tool in `api`. Nothing here knows HTTP; nothing here hands out types of `store` or
//! `engine`.

mod asking;
pub mod billing;
pub mod chats;
pub mod config;
pub mod connections;
pub mod contacts;
pub mod direct;
pub mod egress;
pub mod events;
mod exchange;
pub mod groups;
mod held;
mod history;
mod inbox;
pub mod ingest;
pub mod instances;
mod labels;
pub mod media;
pub mod messages;
mod own;
mod past;
pub mod people;
pub mod profile;
mod ready;
pub mod ringing;
mod shop;
pub mod supervisor;
pub mod webhooks;
mod workers;

use std::sync::Arc;

use recado_engine::Engine;
use recado_identity::{
    Access, Calls, Credentials, Identity, Limits, audit, members::Members, users::Users,
};
use recado_model::{Clock, Result, Rng};
use recado_store::Store;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use billing::{BillingConfig, BillingStanding, ReturnTo, Subscribed, Subscriptions};
pub use chats::{
    AskedHistory, ChatMessageView, ChatMessages, ChatPage, ChatView, Chats, LastView, ListChats,
    Person,
};
pub use config::{Config, Guests, MediaConfig, MediaLimits};
pub use connections::{ConnectionStatus, Connections, QrAnswer};
pub use contacts::{ContactPage, Contacts, ListContacts};
pub use direct::{ClaimedInstance, CreatedDirectInstance, Direct, NewDirectInstance};
pub use groups::{Groups, GroupsPage, MadeGroup, NewGroup};
pub use instances::{InstanceList, InstanceView, Instances};
pub use labels::Labels;
pub use media::{
    Downloaded, Given, LookExit, Media, Opened, Receiving, Span, Spooled, Stored, Taken, Turn,
    too_slow,
};
pub use messages::{
    Accepted, Act, Acted, MessageDetail, MessageView, Messages, Named, PollView, Purged, QueuePage,
    QueuedView, ReactionView, ReceiptView, SendMedia, SendMessage, SendOptions,
};
pub use own::OwnProfile;
pub use past::HistoryStanding;
pub use people::{Avatar, CheckedNumber, Described, People};
pub use profile::{ProfileChange, Profiles};
pub use shop::{Shop, ShopStatus};
pub use webhooks::Webhooks;

/// The parts that the program wires in.
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
    identity: Identity,
    supervisor: supervisor::Supervisor,
    exchange: Arc<dyn exchange::Exchange>,
    ready: Arc<ready::Ready>,
}

/// The parts that all services share.
pub(crate) struct Core {
    pub store: Store,
    pub engine: Arc<dyn Engine>,
    pub clock: Arc<dyn Clock>,
    pub rng: Arc<dyn Rng>,
    pub config: Config,
    pub billing: Arc<dyn billing::Provider>,
    pub egress: egress::Egress,
    pub media: media::MediaRoom,
    /// Messages whose status changed, for those who wait on one.
    pub progress: tokio::sync::broadcast::Sender<messages::Progress>,
    pub numbers: messages::numbers::Numbers,
    pub asking: asking::Asking,
    pub own: own::Own,
    /// Rings when a frame of history has come.
    pub frames: tokio::sync::Notify,
    /// Callers who were answered of late.
    pub answered: messages::replies::Answered,
    pub ringing: ringing::RingingCalls,
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
        let of_identity = config.identity();
        let identity =
            Identity::new(store.clone(), clock.clone(), rng.clone(), of_identity).await?;
        let egress = egress::Egress::new(&config)?;
        let media = media::MediaRoom::open(&config.media, &config.node)?;
        let billing = billing::provider(&config.billing);
        let core = Arc::new(Core {
            store,
            engine,
            clock,
            rng,
            config,
            billing,
            egress,
            media,
            progress: tokio::sync::broadcast::channel(256).0,
            numbers: Default::default(),
            asking: Default::default(),
            own: Default::default(),
            frames: Default::default(),
            answered: Default::default(),
            ringing: Default::default(),
        });
        let supervisor = supervisor::Supervisor::new(core.clone());
        supervisor.recover().await?;
        billing::adopt(&core).await?;
        Ok(Self {
            core,
            identity,
            exchange: Arc::new(supervisor.clone()),
            supervisor,
            ready: Arc::default(),
        })
    }

    /// Starts the workers and brings back the instances that were connected.
    pub fn start(&self) -> Workers {
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        tasks.spawn(workers::deliveries::run(self.core.clone(), stop.clone()));
        tasks.spawn(workers::retention::run(self.core.clone(), stop.clone()));
        let supervisor = self.supervisor.clone();
        let changed = move || supervisor.look_now();
        let identity = self.identity.clone();
        tasks.spawn(identity.watch_epoch(stop.clone(), changed));
        tasks.spawn(workers::guests::run(self.clone(), stop.clone()));
        tasks.spawn(workers::billing::run(self.clone(), stop.clone()));
        tasks.spawn(workers::media::run(self.clone(), stop.clone()));
        tasks.spawn(workers::media::prune(self.core.clone(), stop.clone()));
        tasks.spawn(workers::history::run(self.core.clone(), stop.clone()));
        tasks.spawn(self.identity.clone().write_usage(stop.clone()));
        let supervisor = || self.supervisor.clone();
        tasks.spawn(workers::leases::run(supervisor(), stop.clone()));
        tasks.spawn(workers::queues::run(supervisor(), stop.clone()));
        tasks.spawn(workers::starts::run(supervisor(), stop.clone()));
        tasks.close();
        Workers {
            stop,
            tasks,
            supervisor: self.supervisor.clone(),
            identity: self.identity.clone(),
            core: self.core.clone(),
        }
    }

    pub fn access(&self) -> &Access {
        self.identity.access()
    }
    /// How often proofs may fail.
    pub fn limits(&self) -> &Limits {
        self.identity.limits()
    }
    pub fn credentials(&self) -> Credentials<'_> {
        self.identity.credentials()
    }
    pub fn users(&self) -> Users<'_> {
        self.identity.users()
    }
    pub fn members(&self) -> Members<'_> {
        self.identity.members()
    }
    /// See [`audit::read`].
    pub async fn audit_log(
        &self,
        by: &dyn Calls,
        limit: u32,
        before: Option<&str>,
        kind: Option<&str>,
    ) -> Result<audit::Page> {
        self.identity.audit_log(by, limit, before, kind).await
    }
    /// Writes now what the use of credentials has left to write; a worker does it every few seconds.
    pub async fn flush_usage(&self) -> Result<()> {
        self.identity.flush_usage().await
    }
    pub fn instances(&self) -> Instances<'_> {
        Instances { app: self }
    }
    pub fn connections(&self) -> Connections<'_> {
        Connections { app: self }
    }
    pub fn messages(&self) -> Messages<'_> {
        Messages { app: self }
    }
    pub fn people(&self) -> People<'_> {
        People { app: self }
    }
    pub fn profiles(&self) -> Profiles<'_> {
        Profiles { app: self }
    }
    pub fn groups(&self) -> Groups<'_> {
        Groups { app: self }
    }
    pub fn chats(&self) -> Chats<'_> {
        Chats { app: self }
    }
    pub fn labels(&self) -> Labels<'_> {
        Labels { app: self }
    }
    pub fn contacts(&self) -> Contacts<'_> {
        Contacts { app: self }
    }
    pub fn media(&self) -> Media<'_> {
        Media { app: self }
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
    identity: Identity,
    core: Arc<Core>,
}

impl Workers {
    /// Stops taking work, finishes what is under way, closes every link (pairings stay), sends the letters
    /// that are on their way.
    pub async fn stop(self) {
        self.stop.cancel();
        self.core.media.close().await;
        self.supervisor.stop_all().await;
        self.identity.finish_letters().await;
        self.tasks.wait().await;
    }
}
