//! A link: what it is made of, and its life from start to stop.
//!
//! `session.rs` is one connection, `pump.rs` turns its events into notices and decides about new
//! connections, `outbound.rs` and `calls` are what callers ask for.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use recado_model::{Address, Call, CallAnswer, Error, ErrorCode, Result, message::FinishedMessage};
use recado_store::{DeviceOp, DeviceStore};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use whatsapp_rust::{Client, types::events::InboundMessage as WaMessage};

use super::{
    Shared,
    backend::forget_group_keys,
    calls::Given,
    courier,
    gate::Trip,
    inbound,
    journal::Journal,
    lost::Lost,
    pump::Pump,
    session::{NotOpened, Session},
    tap::{QUEUE, Signal},
};
use crate::{Link, LinkSpec, Sink};

/// Unlinking at WhatsApp is best effort.
const UNLINK: Duration = Duration::from_secs(10);

/// Wishes that the pump carries out, in order.
pub(super) enum Control {
    /// The next client is to know nothing of these rows.
    Forget { rows: Vec<DeviceOp> },
    /// The gate of session `epoch` was shut.
    Tripped { epoch: u64 },
    /// Session `epoch` opens a socket, its first or another one.
    Dialling { epoch: u64 },
}

pub(super) struct LinkCore {
    pub(super) spec: LinkSpec,
    pub(super) shared: Arc<Shared>,
    pub(super) device: DeviceStore,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) journal: Arc<Journal>,
    pub(super) queue: mpsc::Sender<Signal>,
    pub(super) control: mpsc::UnboundedSender<Control>,
    /// True once the server is ready to pair this session.
    pub(super) pairable: Arc<watch::Sender<bool>>,
    /// Until when a link code may still be typed in.
    pub(super) code_until: Mutex<Option<Instant>>,
    /// The link code that was given out last, with its number and the epoch of its session. Held while
    /// one is asked for.
    pub(super) given: tokio::sync::Mutex<Option<Given>>,
    pub(super) closed: CancellationToken,
    session: RwLock<Option<Arc<Session>>>,
    /// What was asked for again.
    pub(super) lost: Lost,
    /// Held while a session is opened or closed.
    changing: tokio::sync::Mutex<()>,
    /// Messages reach the sink one batch at a time.
    delivering: tokio::sync::Mutex<()>,
    epochs: AtomicU64,
}

impl LinkCore {
    /// The running session, as long as its gate is open.
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        self.any_session()
            .filter(|session| session.gate.tripped().is_none())
    }

    pub(super) fn any_session(&self) -> Option<Arc<Session>> {
        self.session
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_session(&self, session: Option<Arc<Session>>) -> Option<Arc<Session>> {
        std::mem::replace(
            &mut self.session.write().unwrap_or_else(PoisonError::into_inner),
            session,
        )
    }

    /// The session that `epoch` names, while it is the running one.
    pub(super) fn session_of(&self, epoch: u64) -> Option<Arc<Session>> {
        self.any_session().filter(|session| session.epoch == epoch)
    }

    /// How long the sink may take before a commit is given up and left for redelivery.
    pub(super) fn commit_within(&self) -> Duration {
        Duration::from_millis(self.shared.timers.commit_ms)
    }

    /// A little more than `pause`: all links of a process lose the network or the database together.
    pub(super) fn jittered(&self, pause: Duration) -> Duration {
        let spread = u64::try_from(pause.as_millis() / 2).unwrap_or(0).max(1);
        pause + Duration::from_millis(self.shared.rng.below(spread))
    }

    /// Closes what runs and opens anew; nothing once the link is stopped.
    pub(super) async fn reopen(self: &Arc<Self>) -> Result<(), NotOpened> {
        let _changing = self.changing.lock().await;
        if let Some(session) = self.set_session(None) {
            session.close().await;
        }
        if self.closed.is_cancelled() {
            return Ok(());
        }
        self.pairable.send_replace(false);
        let epoch = self.epochs.fetch_add(1, Ordering::Relaxed) + 1;
        let session = Session::open(self, epoch).await?;
        self.set_session(Some(Arc::new(session)));
        Ok(())
    }

    /// Closes session `epoch`; false when another one runs by now.
    pub(super) async fn close_session(&self, epoch: u64) -> bool {
        let _changing = self.changing.lock().await;
        if self.session_of(epoch).is_none() {
            return false;
        }
        if let Some(session) = self.set_session(None) {
            session.close().await;
        }
        true
    }

    /// Hands a batch to the sink; `Ok` once it is committed.
    pub(super) async fn deliver(&self, client: &Client, batch: &[WaMessage]) -> Result<()> {
        let _turn = self.delivering.lock().await;
        let mut messages = Vec::with_capacity(batch.len());
        for item in batch {
            messages.extend(inbound::convert(client, &self.spec.instance, item).await?);
        }
        if messages.is_empty() {
            return Ok(());
        }
        tokio::time::timeout(self.commit_within(), self.sink.messages(messages))
            .await
            .map_err(|_| inbound::too_slow())?
    }

    fn renew(&self, groups: &[Address]) {
        let rows = groups.iter().map(|group| forget_group_keys(group.as_str()));
        if self.forget(rows.collect())
            && let Some(session) = self.session()
        {
            session.gate.trip(Trip::Renewed);
        }
    }

    /// The next client is to know nothing of `rows`. Called before the gate of this one is shut: whoever
    /// opens the next must have heard of it. False when the link is over.
    pub(super) fn forget(&self, rows: Vec<DeviceOp>) -> bool {
        self.control.send(Control::Forget { rows }).is_ok()
    }

    async fn log_out(&self) -> Result<()> {
        self.closed.cancel();
        let _changing = self.changing.lock().await;
        if let Some(session) = self.set_session(None) {
            let unlinked = tokio::time::timeout(UNLINK, session.client.logout()).await;
            if unlinked.is_err() {
                tracing::warn!(
                    instance.id = %self.spec.instance,
                    "WhatsApp did not confirm the log-out; the device is wiped nevertheless"
                );
            }
            session.close().await;
        }
        self.device.wipe().await?;
        self.journal.wipe();
        Ok(())
    }

    async fn shut(&self) {
        self.closed.cancel();
        let _changing = self.changing.lock().await;
        if let Some(session) = self.set_session(None) {
            session.close().await;
        }
    }
}

pub(super) struct WaLink {
    pub(super) core: Arc<LinkCore>,
    tasks: Mutex<Option<Tasks>>,
}

struct Tasks {
    pump: JoinHandle<()>,
    courier: JoinHandle<()>,
}

impl WaLink {
    pub(super) async fn start(
        shared: Arc<Shared>,
        device: DeviceStore,
        spec: LinkSpec,
        sink: Arc<dyn Sink>,
        journal: PathBuf,
    ) -> Result<Self> {
        let journal = tokio::task::spawn_blocking(move || Journal::open(journal))
            .await
            .map_err(Error::internal)?;
        let (queue, signals) = mpsc::channel(QUEUE);
        let (control, wishes) = mpsc::unbounded_channel();
        let core = Arc::new(LinkCore {
            spec,
            shared,
            device,
            sink,
            journal: Arc::new(journal),
            queue,
            control,
            pairable: Arc::new(watch::Sender::new(false)),
            code_until: Mutex::new(None),
            given: tokio::sync::Mutex::new(None),
            lost: Lost::default(),
            closed: CancellationToken::new(),
            session: RwLock::new(None),
            changing: tokio::sync::Mutex::new(()),
            delivering: tokio::sync::Mutex::new(()),
            epochs: AtomicU64::new(0),
        });
        core.reopen().await.map_err(|failed| failed.error)?;
        let tasks = Tasks {
            pump: tokio::spawn(Pump::new(core.clone(), signals, wishes).run()),
            courier: tokio::spawn(courier::run(core.clone())),
        };
        Ok(Self {
            core,
            tasks: Mutex::new(Some(tasks)),
        })
    }

    async fn end_tasks(tasks: Option<Tasks>) {
        let Some(tasks) = tasks else { return };
        for ended in [tasks.pump.await, tasks.courier.await] {
            if let Err(error) = ended {
                tracing::error!(%error, "a link's task failed");
            }
        }
    }

    fn take_tasks(&self) -> Option<Tasks> {
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// Nobody holds the link any more and nobody stopped it (its owner failed): a socket without an owner
/// must not stay, or the next link of the instance would meet it.
impl Drop for WaLink {
    fn drop(&mut self) {
        let Some(tasks) = self.take_tasks() else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let core = self.core.clone();
            runtime.spawn(async move {
                core.shut().await;
                Self::end_tasks(Some(tasks)).await;
            });
        }
    }
}

/// The work of ending runs as a task of its own: a caller that gives up waiting, or that is itself
/// called by the pump being ended, must not leave a half-closed link behind.
async fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T> {
    tokio::spawn(work).await.map_err(Error::internal)
}

#[async_trait]
impl Link for WaLink {
    async fn send(&self, message: &FinishedMessage) -> Result<()> {
        self.core.send(message).await
    }

    async fn call(&self, call: Call) -> Result<CallAnswer> {
        self.core.call(call).await
    }

    async fn logout(&self) -> Result<()> {
        let (core, tasks) = (self.core.clone(), self.take_tasks());
        apart(async move {
            let outcome = core.log_out().await;
            Self::end_tasks(tasks).await;
            outcome
        })
        .await?
    }

    async fn renew(&self, groups: &[Address]) {
        self.core.renew(groups);
    }

    async fn stop(&self) {
        let (core, tasks) = (self.core.clone(), self.take_tasks());
        let ended = apart(async move {
            core.shut().await;
            Self::end_tasks(tasks).await;
        })
        .await;
        if let Err(error) = ended {
            tracing::error!(%error, "a link could not be closed cleanly");
        }
    }
}

/// No socket, or not logged in.
pub(super) fn not_connected() -> Error {
    Error::new(
        ErrorCode::InstanceNotConnected,
        "The instance is not connected to WhatsApp. Ask for session/status, then session/qr.",
    )
}
