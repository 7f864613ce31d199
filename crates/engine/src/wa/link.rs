//! A link: what it is made of, and its life from start to stop.
//!
//! `session.rs` is one connection, `pump.rs` turns its events into notices and decides about new
//! connections, `pairing.rs` and `outbound.rs` are what callers ask for.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use recado_model::{
    Error, ErrorCode, PhoneNumber, Result,
    message::{FinishedMessage, MessageId},
};
use recado_store::DeviceStore;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use whatsapp_rust::{Client, types::events::InboundMessage as WaMessage};

use super::{
    Shared, inbound,
    pump::Pump,
    session::{QUEUE, Session, Signal},
};
use crate::{Link, LinkSpec, Sink};

/// How long a commit may take before it is given up and left for redelivery.
const COMMIT: Duration = Duration::from_secs(30);
/// Unlinking at WhatsApp is best effort.
const UNLINK: Duration = Duration::from_secs(10);

/// Wishes that the pump carries out, in order.
pub(super) enum Control {
    Reopen,
    /// A message was not committed in session `epoch`: have WhatsApp deliver it again, soon.
    Redeliver {
        epoch: u64,
    },
}

pub(super) struct LinkCore {
    pub(super) spec: LinkSpec,
    pub(super) shared: Arc<Shared>,
    pub(super) device: DeviceStore,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) queue: mpsc::Sender<Signal>,
    pub(super) control: mpsc::UnboundedSender<Control>,
    /// True once the server is ready to pair this session.
    pub(super) pairable: Arc<watch::Sender<bool>>,
    /// Until when a link code may still be typed in.
    pub(super) code_until: Mutex<Option<Instant>>,
    pub(super) closed: CancellationToken,
    session: RwLock<Option<Arc<Session>>>,
    /// Held while a session is opened or closed.
    changing: tokio::sync::Mutex<()>,
    /// Messages reach the sink one batch at a time.
    delivering: tokio::sync::Mutex<()>,
    failures: AtomicU32,
    epochs: AtomicU64,
}

impl LinkCore {
    pub(super) fn session(&self) -> Option<Arc<Session>> {
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
        self.session().filter(|session| session.epoch == epoch)
    }

    /// Closes what runs and opens anew; nothing once the link is stopped.
    pub(super) async fn reopen(self: &Arc<Self>) -> Result<()> {
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

    /// Closes session `epoch`; false when another one runs by now. `for_good`: its device is going
    /// to be wiped.
    pub(super) async fn close_session(&self, epoch: u64, for_good: bool) -> bool {
        let _changing = self.changing.lock().await;
        if self.session_of(epoch).is_none() {
            return false;
        }
        if let Some(session) = self.set_session(None) {
            if for_good {
                session.close_for_good().await;
            } else {
                session.close().await;
            }
        }
        true
    }

    /// Hands a batch to the sink; `Ok` once it is committed.
    pub(super) async fn deliver(&self, client: &Client, batch: &[WaMessage]) -> Result<()> {
        let _turn = self.delivering.lock().await;
        let mut messages = Vec::with_capacity(batch.len());
        for item in batch {
            messages.extend(inbound::convert(client, &self.spec.instance, item).await);
        }
        if messages.is_empty() {
            return Ok(());
        }
        tokio::time::timeout(COMMIT, self.sink.messages(messages))
            .await
            .map_err(|_| inbound::too_slow())?
    }

    pub(super) fn delivered(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    pub(super) fn redeliver(&self, epoch: u64) {
        // The pump ends only with the link, and then nothing is left to deliver to.
        let _ = self.control.send(Control::Redeliver { epoch });
    }

    /// How many commits failed in a row, counting this one.
    pub(super) fn count_failure(&self) -> u32 {
        self.failures.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn log_out(&self) -> Result<()> {
        self.closed.cancel();
        let _changing = self.changing.lock().await;
        if let Some(session) = self.set_session(None) {
            let unlinked = tokio::time::timeout(UNLINK, session.client.logout()).await;
            if unlinked.is_err() {
                tracing::warn!(
                    instance = %self.spec.instance,
                    "WhatsApp did not confirm the log-out; the device is wiped nevertheless"
                );
            }
            session.close_for_good().await;
        }
        self.device.wipe().await?;
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
    pump: Mutex<Option<JoinHandle<()>>>,
}

impl WaLink {
    pub(super) async fn start(
        shared: Arc<Shared>,
        device: DeviceStore,
        spec: LinkSpec,
        sink: Arc<dyn Sink>,
    ) -> Result<Self> {
        let (queue, signals) = mpsc::channel(QUEUE);
        let (control, wishes) = mpsc::unbounded_channel();
        let core = Arc::new(LinkCore {
            spec,
            shared,
            device,
            sink,
            queue,
            control,
            pairable: Arc::new(watch::Sender::new(false)),
            code_until: Mutex::new(None),
            closed: CancellationToken::new(),
            session: RwLock::new(None),
            changing: tokio::sync::Mutex::new(()),
            delivering: tokio::sync::Mutex::new(()),
            failures: AtomicU32::new(0),
            epochs: AtomicU64::new(0),
        });
        core.reopen().await?;
        let pump = tokio::spawn(Pump::new(core.clone(), signals, wishes).run());
        Ok(Self {
            core,
            pump: Mutex::new(Some(pump)),
        })
    }

    async fn end_pump(pump: Option<JoinHandle<()>>) {
        if let Some(pump) = pump
            && let Err(error) = pump.await
        {
            tracing::error!(%error, "a link's event pump failed");
        }
    }

    fn take_pump(&self) -> Option<JoinHandle<()>> {
        self.pump
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// Nobody holds the link any more and nobody stopped it (its owner failed): a socket without an owner
/// must not stay, or the next link of the instance would meet it.
impl Drop for WaLink {
    fn drop(&mut self) {
        let Some(pump) = self.take_pump() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let core = self.core.clone();
            runtime.spawn(async move {
                core.shut().await;
                Self::end_pump(Some(pump)).await;
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

    async fn pair_code(&self, phone: &PhoneNumber) -> Result<String> {
        self.core.pair_code(phone).await
    }

    async fn mark_read(&self, chat: &str, sender: Option<&str>, ids: &[MessageId]) -> Result<()> {
        self.core.mark_read(chat, sender, ids).await
    }

    async fn set_typing(&self, chat: &str, state: &str) -> Result<()> {
        self.core.set_typing(chat, state).await
    }

    async fn on_whatsapp(
        &self,
        phones: &[PhoneNumber],
    ) -> Result<Vec<(PhoneNumber, Option<String>)>> {
        self.core.on_whatsapp(phones).await
    }

    async fn logout(&self) -> Result<()> {
        let (core, pump) = (self.core.clone(), self.take_pump());
        apart(async move {
            let outcome = core.log_out().await;
            Self::end_pump(pump).await;
            outcome
        })
        .await?
    }

    async fn renew(&self, _groups: &[String]) {
        if self.core.control.send(Control::Reopen).is_err() {
            tracing::debug!("a stopped link was asked to reconnect");
        }
    }

    async fn stop(&self) {
        let (core, pump) = (self.core.clone(), self.take_pump());
        let ended = apart(async move {
            core.shut().await;
            Self::end_pump(pump).await;
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
