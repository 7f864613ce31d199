//! One connection of a link: a client with its own runtime and backend, opened and closed as a whole.
//!
//! The client reconnects by itself after ordinary losses; a link opens a fresh session when that is
//! not enough (see `pump.rs`). Events carry the session's number, so that late ones of an old session
//! are told apart.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use recado_model::{Error, Result};
use tokio::sync::mpsc;
use whatsapp_rust::{
    CacheConfig, CacheEntryConfig, Client,
    store::{commands::DeviceCommand, persistence_manager::PersistenceManager},
    types::events::{Event, EventHandler, EventInterest, EventKind, Subscription},
    wacore::{runtime::Runtime as _, store::DevicePropsOverride},
};

use super::{
    backend::{Backend, Fence},
    inbound::CommitHook,
    link::{Control, LinkCore},
    runtime::LinkRuntime,
};

/// Events waiting for the sink, per link. The last slots are kept for what must not be lost.
pub(super) const QUEUE: usize = 512;
const RESERVED: usize = 128;

/// A graceful close flushes receipts and commits; a stuck sink must not hold it for ever.
const CLOSE: Duration = Duration::from_secs(12);

/// The saver also wakes by itself on each change; this is only its safety net.
const SAVER_INTERVAL: Duration = Duration::from_secs(600);

/// What other linked devices of this kind keep at WhatsApp; the library's own number (812) would make
/// every pairing write as many rows.
const PRE_KEYS: usize = 100;

pub(super) struct Signal {
    pub epoch: u64,
    pub event: Arc<Event>,
}

pub(super) struct Session {
    pub(super) epoch: u64,
    pub(super) client: Arc<Client>,
    pub(super) persistence: Arc<PersistenceManager>,
    fence: Fence,
    runtime: LinkRuntime,
    events: Mutex<Option<Subscription>>,
}

impl Session {
    pub(super) async fn open(link: &Arc<LinkCore>, epoch: u64) -> Result<Self> {
        let control = link.control.clone();
        let fence = Fence::new(move || {
            // The link may be gone already; then there is nobody to reconnect.
            let _ = control.send(Control::Redeliver { epoch });
        });
        let backend = Backend::new(link.device.clone(), fence.clone());
        let backend = Arc::new(backend.keeping(link.spec.keep_inbound));
        let persistence = PersistenceManager::new(backend)
            .await
            .map_err(Error::internal)?;
        let persistence = Arc::new(persistence);
        if persistence.get_device_snapshot().pn.is_none() {
            let props = DevicePropsOverride::new().with_os(link.spec.device_name.clone());
            persistence
                .process_command(DeviceCommand::SetDeviceProps(props))
                .await;
        }
        let runtime = LinkRuntime::default();
        let mut builder = Client::builder()
            .with_runtime(runtime.clone())
            .with_persistence_manager(persistence.clone())
            .with_transport_factory_arc(link.shared.transport.clone())
            .with_http_client_arc(link.shared.http.clone())
            .with_cache_config(caches())
            .with_skip_history_sync(true)
            .with_wanted_pre_key_count(PRE_KEYS)
            .with_background_saver_interval(SAVER_INTERVAL)
            .with_inbound_durability_hook(CommitHook::new(link, epoch));
        if let Some(version) = link.shared.version {
            builder = builder.with_version_override(version);
        }
        let client = builder
            .build()
            .await
            .map_err(Error::internal)?
            .into_client();
        let tap = Arc::new(Tap {
            epoch,
            queue: link.queue.clone(),
            pairable: link.pairable.clone(),
        });
        let events = client.subscribe(interest(), tap);
        let running = client.clone();
        runtime.spawn_detached(Box::pin(async move { running.run().await }));
        Ok(Self {
            epoch,
            client,
            persistence,
            fence,
            runtime,
            events: Mutex::new(Some(events)),
        })
    }

    /// Closes the socket and ends every task.
    pub(super) async fn close(&self) {
        // First, so that no event of the closing reaches the sink.
        drop(
            self.events
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        if tokio::time::timeout(CLOSE, self.client.disconnect())
            .await
            .is_err()
        {
            tracing::warn!("a link did not close in time; its tasks are ended");
        }
        self.runtime.end().await;
    }

    /// [`Self::close`], and not one more row written: for a device that is about to be wiped.
    pub(super) async fn close_for_good(&self) {
        self.close().await;
        self.fence.raise();
    }
}

fn interest() -> EventInterest {
    EventInterest::of(&[
        EventKind::Connected,
        EventKind::Disconnected,
        EventKind::PairSuccess,
        EventKind::PairError,
        EventKind::LoggedOut,
        EventKind::PairingQrCode,
        EventKind::PairingCodeRefresh,
        EventKind::PairingQrCodesExhausted,
        EventKind::QrScannedWithoutMultidevice,
        EventKind::ClientOutdated,
        EventKind::Messages,
        EventKind::Receipt,
        EventKind::ServerAck,
        EventKind::ChatPresence,
        EventKind::StreamReplaced,
        EventKind::TemporaryBan,
        EventKind::ConnectFailure,
    ])
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
        ..CacheConfig::default()
    }
}

/// Takes events off the receive path: never blocks, never reorders, counts what it must drop.
struct Tap {
    epoch: u64,
    queue: mpsc::Sender<Signal>,
    pairable: Arc<tokio::sync::watch::Sender<bool>>,
}

impl Tap {
    fn drop_one(kind: &'static str) {
        metrics::counter!("recado_engine_events_dropped_total", "kind" => kind).increment(1);
    }
}

impl EventHandler for Tap {
    fn handle_event(&self, event: Arc<Event>) {
        let (kind, expendable) = match &*event {
            // Already committed by the hook: telling it again would deliver it twice.
            Event::Messages(batch) if batch.hook_committed => return,
            Event::Messages(_) => ("message", false),
            Event::ServerAck(ack) if ack.class.as_deref() != Some("message") => return,
            Event::ServerAck(_) => ("ack", true),
            Event::Receipt(_) => ("receipt", true),
            Event::ChatPresence(_) => ("typing", true),
            Event::PairingQrCode(_) => {
                self.pairable.send_replace(true);
                ("state", false)
            }
            _ => ("state", false),
        };
        if expendable && self.queue.capacity() < RESERVED {
            Self::drop_one(kind);
            return;
        }
        let signal = Signal {
            epoch: self.epoch,
            event,
        };
        match self.queue.try_send(signal) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => {
                Self::drop_one(kind);
                if !expendable {
                    tracing::error!(kind, "an event was lost: the link's queue is full");
                }
            }
            // The link is closed: nobody listens any more.
            Err(mpsc::error::TrySendError::Closed(_)) => {}
        }
    }
}
