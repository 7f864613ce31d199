//! One connection of a link: a client with its own runtime, backend, socket and gate, opened and closed
//! as a whole.
//!
//! The client reconnects by itself after ordinary losses; a link opens a fresh connection when that is
//! not enough (see `pump.rs`). Events carry the connection's number, so that late ones of an old connection
//! are told apart.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use recado_model::{Error, Result};
use tokio::{sync::mpsc::UnboundedSender, time::Instant};
use whatsapp_rust::{
    CacheConfig, CacheEntryConfig, Client, RawNodeLease,
    store::{commands::DeviceCommand, persistence_manager::PersistenceManager},
    sync_task::MajorSyncTask,
    types::{events::Subscription, message::MessageInfo},
    wacore::{
        iq::keepalive::KeepaliveSpec, runtime::Runtime as _, store::error::Result as StoreResult,
    },
};

use super::{
    backend::Backend,
    gate::{Gate, Trip},
    history::{self, Spool},
    inbound::CommitHook,
    lost::Judge,
    parts::{Control, LinkParts},
    runtime::LinkRuntime,
    tap::{self, Tap},
    wire::{Line, Wire},
};

/// A graceful close flushes receipts and commits; a stuck sink must not hold it for ever.
const CLOSE: Duration = Duration::from_secs(12);

/// So long a close waits for frames of history that are being fetched: they do not come again.
const HISTORY: Duration = Duration::from_secs(20);
const HISTORY_LOOK: Duration = Duration::from_millis(100);

/// The saver wakes on each change, but not on one that comes while it writes the one before.
const SAVER_INTERVAL: Duration = Duration::from_secs(10);

/// As many as other linked devices of this kind keep at WhatsApp; the library's own number (812) would make
/// every pairing write as many rows.
const PRE_KEYS: usize = 100;

/// So many connections in a row may fetch all collections before one goes on without.
const FIRST_FETCHES_MOST: u8 = 3;

/// How long a sent message is kept for devices that ask for it again: one that was off for a week
/// still gets it.
const SENT_KEPT_SECS: u64 = 7 * 24 * 3600;

pub(super) struct Connection {
    pub(super) epoch: u64,
    pub(super) client: Arc<Client>,
    pub(super) persistence: Arc<PersistenceManager>,
    pub(super) gate: Gate,
    line: Arc<Line>,
    runtime: LinkRuntime,
    tap: Arc<Tap>,
    spool: Option<Arc<Spool>>,
    events: Mutex<Option<Events>>,
    /// Collections of app state that are to be fetched whole, and of which WhatsApp says nothing by itself.
    owed: Mutex<Vec<String>>,
    /// It had all collections to fetch when it was opened, as after a pairing.
    pub(super) fetches_first: bool,
}

type Events = (Subscription, RawNodeLease);

/// Why a connection could not be opened, and whether its gate was shut over it.
pub(super) struct NotOpened {
    pub(super) error: Error,
    pub(super) tripped: Option<Trip>,
}

impl Connection {
    pub(super) async fn open(link: &Arc<LinkParts>, epoch: u64) -> Result<Self, NotOpened> {
        let line = Arc::new(Line::new());
        let gate = gate(link, epoch, line.clone());
        let runtime = LinkRuntime::default();
        let opened = connect(link, epoch, &gate, &line, &runtime).await;
        match opened {
            Ok(opened) => Ok(Self {
                epoch,
                client: opened.client,
                persistence: opened.persistence,
                gate,
                line,
                runtime,
                tap: opened.tap,
                spool: link.spool.clone(),
                events: Mutex::new(Some(opened.events)),
                owed: Mutex::new(opened.owed),
                fetches_first: opened.fetches_first,
            }),
            Err(error) => {
                let tripped = gate.tripped();
                gate.trip(Trip::Over);
                runtime.end().await;
                Err(NotOpened { error, tripped })
            }
        }
    }

    /// When the last byte came from WhatsApp.
    pub(super) fn heard_at(&self) -> Instant {
        self.line.heard_at()
    }

    /// Asks WhatsApp for any answer: whether one comes shows in [`Self::heard_at`].
    pub(super) fn ask_for_life(&self, within: Duration) {
        let client = self.client.clone();
        self.runtime.spawn_detached(Box::pin(async move {
            if let Err(error) = client.execute(KeepaliveSpec::with_timeout(within)).await {
                tracing::debug!(%error, "no answer to a question for a sign of life");
            }
        }));
    }

    /// Stores the device as it is now. Not by the library's `flush`, which answers at once while another
    /// save is on its way.
    pub(super) async fn save_device(&self) -> StoreResult<()> {
        let device = self.persistence.get_device_snapshot();
        let backend = self.persistence.backend();
        backend.save(&device.to_serializable()).await
    }

    /// Fetches what was forgotten. Once logged in.
    pub(super) fn fetch_owed(&self) {
        let owed = std::mem::take(&mut *self.owed.lock().unwrap_or_else(PoisonError::into_inner));
        if owed.is_empty() {
            return;
        }
        let client = self.client.clone();
        self.runtime.spawn_detached(Box::pin(async move {
            for name in owed {
                // Without a version it is all of it.
                if let Ok(name) = name.parse() {
                    let full_sync = false;
                    let task = MajorSyncTask::AppStateSync { name, full_sync };
                    client.process_sync_task(task).await;
                }
            }
        }));
    }

    /// Gives the socket up and dials anew.
    pub(super) fn dial_again(&self) {
        let client = self.client.clone();
        self.runtime.spawn_detached(Box::pin(async move {
            client.reconnect_immediately().await;
        }));
    }

    /// Asks our own phone for what a message says. At most once per message: the library has asked
    /// already where it asks the sender too, and then this is nothing.
    pub(super) fn ask_phone_for(&self, info: Arc<MessageInfo>) {
        let client = self.client.clone();
        self.runtime.spawn_detached(Box::pin(async move {
            if let Err(error) = client.send_pdo_placeholder_resend_request(&info).await {
                tracing::debug!(%error, message.id = info.id, "the phone could not be asked for a message");
            }
        }));
    }

    async fn finish_history(&self) {
        let Some(spool) = &self.spool else {
            return;
        };
        let fetched = async {
            while self.gate.tripped().is_none()
                && (spool.awaits()
                    || self.client.memory_report().await.history_sync_tasks.entries > 0)
            {
                tokio::time::sleep(HISTORY_LOOK).await;
            }
        };
        if tokio::time::timeout(HISTORY, fetched).await.is_err() {
            tracing::warn!(
                "frames of history were still being fetched when their link closed; they are lost"
            );
        }
    }

    /// Closes the socket and ends every task: in good order while the gate is open, and as if it had
    /// never been once it is shut.
    pub(super) async fn close(&self) {
        self.finish_history().await;
        // First, so that no event of the closing reaches the sink.
        self.tap.closing.store(true, Ordering::SeqCst);
        if self.gate.tripped().is_none() {
            tokio::select! {
                biased;
                () = self.gate.shut() => {}
                closed = tokio::time::timeout(CLOSE, self.client.disconnect()) => {
                    if closed.is_err() {
                        tracing::warn!("a link did not close in time; its tasks are ended");
                    }
                }
            }
        }
        // Nobody who still holds the client writes or speaks any more.
        self.gate.trip(Trip::Over);
        self.line.cut();
        drop(
            self.events
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.runtime.end().await;
    }
}

fn gate(link: &Arc<LinkParts>, epoch: u64, line: Arc<Line>) -> Gate {
    let control = link.control.clone();
    Gate::new(move |why| {
        line.cut();
        if why != Trip::Over {
            // The link may be gone already; then there is nobody to go on with another.
            let _ = control.send(Control::Tripped { epoch });
        }
    })
}

struct Opened {
    client: Arc<Client>,
    persistence: Arc<PersistenceManager>,
    tap: Arc<Tap>,
    events: Events,
    owed: Vec<String>,
    fetches_first: bool,
}

async fn connect(
    link: &Arc<LinkParts>,
    epoch: u64,
    gate: &Gate,
    line: &Arc<Line>,
    runtime: &LinkRuntime,
) -> Result<Opened> {
    let backend = Backend::new(link.device.clone(), gate.clone());
    let backend = backend.keeping(link.spec.keep_inbound);
    let backend = Arc::new(backend.judging(Judge::new(link, gate.clone())));
    let owed = backend.forget_untold().await.map_err(Error::internal)?;
    let persistence = PersistenceManager::new(backend.clone())
        .await
        .map_err(Error::internal)?;
    let persistence = Arc::new(persistence);
    let fetches_first = begin_first(&backend, &persistence).await?;
    if persistence.get_device_snapshot().pn.is_none() {
        let props = history::props(&link.spec.device_name, link.spec.history);
        persistence
            .process_command(DeviceCommand::SetDeviceProps(props))
            .await;
    }
    let control = link.control.clone();
    let wire = Wire {
        inner: link.engine.transport.clone(),
        gate: gate.clone(),
        line: line.clone(),
        runtime: runtime.clone(),
        dialling: Box::new(move || {
            let _ = control.send(Control::Dialling { epoch });
        }),
    };
    let mut builder = Client::builder()
        .with_runtime(runtime.clone())
        .with_persistence_manager(persistence.clone())
        .with_transport_factory_arc(Arc::new(wire))
        .with_http_client_arc(link.engine.http.clone())
        .with_cache_config(caches())
        .with_wanted_pre_key_count(PRE_KEYS)
        .with_background_saver_interval(SAVER_INTERVAL)
        .with_inbound_durability_hook(CommitHook::new(link, gate.clone()));
    if let Some(version) = link.engine.version {
        builder = builder.with_version_override(version);
    }
    let client = builder
        .build()
        .await
        .map_err(Error::internal)?
        .into_client();
    let tap = Arc::new(Tap {
        epoch,
        gate: gate.clone(),
        journal: link.journal.clone(),
        spool: link.spool.clone(),
        queue: link.queue.clone(),
        heard: hearing(link.control.clone()),
        pairable: link.pairable.clone(),
        closing: AtomicBool::new(false),
        client: Arc::downgrade(&client),
    });
    let events = (
        client.subscribe(tap::interest(), tap.clone()),
        client.acquire_raw_node_forwarding(),
    );
    let running = client.clone();
    runtime.spawn_detached(Box::pin(async move { running.run().await }));
    Ok(Opened {
        client,
        persistence,
        tap,
        events,
        owed,
        fetches_first,
    })
}

fn hearing(control: UnboundedSender<Control>) -> Box<dyn Fn(String, u64) + Send + Sync> {
    Box::new(move |collection, version| {
        // The link may be gone already.
        let _ = control.send(Control::Heard {
            collection,
            version,
        });
    })
}

/// Whoever has no name of its own yet fetches all collections at the log-in, and is logged in after the critical ones
/// alone. One of those that cannot be read would hold up every log-in for ever: after some in vain the number stands
/// in for the name, and the log-in waits for nothing. Whether it is such a log-in.
async fn begin_first(backend: &Backend, persistence: &PersistenceManager) -> Result<bool> {
    let device = persistence.get_device_snapshot();
    let Some(own) = device.pn.as_ref().filter(|_| device.push_name.is_empty()) else {
        return Ok(false);
    };
    let before = backend.fetches_first().await.map_err(Error::internal)?;
    if before >= FIRST_FETCHES_MOST {
        let stand_in = own.user.to_string();
        tracing::warn!(
            tries = before,
            "the account's settings cannot be read; the link goes on without them"
        );
        persistence
            .process_command(DeviceCommand::SetPushName(stand_in))
            .await;
    }
    Ok(true)
}

/// Sized for many quiet accounts in one process: entries live in the database, and a miss costs one
/// read. The map of ids to numbers keeps the library's default (no bound): losing a valid pair would
/// address messages wrongly.
fn caches() -> CacheConfig {
    let hour = Some(Duration::from_secs(3600));
    CacheConfig {
        group_cache: CacheEntryConfig::new(hour, 32),
        device_registry_cache: CacheEntryConfig::new(hour, 1024),
        message_retry_counts: CacheEntryConfig::new(hour, 128),
        undecryptable_dispatched: CacheEntryConfig::new(Some(Duration::from_secs(300)), 128),
        pdo_pending_requests: CacheEntryConfig::new(Some(Duration::from_secs(30)), 64),
        pdo_requested: CacheEntryConfig::new(Some(Duration::from_secs(24 * 3600)), 128),
        sender_key_devices_cache: CacheEntryConfig::new(hour, 32),
        session_recreate_history: CacheEntryConfig::new(hour, 64),
        session_locks_capacity: 1024,
        chat_lanes_capacity: 256,
        group_distribution_locks_capacity: 64,
        resend_rate_limiter_capacity: 256,
        seed_msg_secrets_from_history: false,
        sent_message_ttl_secs: SENT_KEPT_SECS,
        ..CacheConfig::default()
    }
}
