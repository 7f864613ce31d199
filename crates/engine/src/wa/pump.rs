//! The link's own task: tells the sink of the link's state, in order, and decides when a connection has
//! to be opened anew.
//!
//! The library reconnects after ordinary losses, with growing pauses of up to 15 minutes. A link that
//! stays offline is reopened after a while ([`WaTimers::stale_ms`](super::WaTimers)), which restarts
//! those pauses; so a network that comes back is noticed within a minute or two. `pump/watch.rs` is what
//! notices that a socket died in silence, `pump/mend.rs` how a link comes back whose gate was shut, `pump/behind.rs`
//! what sees to it that app state follows. Every
//! pause of ours has jitter: all links of a process lose the network together.

mod behind;
mod mend;
mod watch;

use std::{sync::Arc, time::Duration};

use recado_model::{Address, Clock, StateReason, clock::Monotonic};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use whatsapp_rust::types::events::Event;

use self::{behind::Behind, mend::Mending, watch::Watch};
use super::{
    backend::told::fetched_first, connection::Connection, core::LinkCore, inbound, notice,
    parts::Control, pauses::grown, tap::Signal,
};
use crate::Notice;

const REFUSED_FIRST: Duration = Duration::from_secs(30);
const REFUSED_MOST: Duration = Duration::from_secs(15 * 60);
const WIPE_TRIES: u32 = 5;
const WIPE_AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Pump {
    link: Arc<LinkCore>,
    signals: mpsc::Receiver<Signal>,
    wishes: mpsc::UnboundedReceiver<Control>,
    /// When to open anew, if nothing better happens before.
    reopen_at: Option<Instant>,
    /// False once the link was closed from within (codes used up, logged out, replaced).
    wanted: bool,
    mending: Mending,
    behind: Behind,
    /// The sink's last news: logged in, or not.
    online: bool,
    watch: Watch,
    /// When to stop waiting for a link code to be typed in.
    give_up_at: Option<Instant>,
    refusals: u32,
}

impl Pump {
    pub(super) fn new(
        link: Arc<LinkCore>,
        signals: mpsc::Receiver<Signal>,
        wishes: mpsc::UnboundedReceiver<Control>,
    ) -> Self {
        let watch = Watch::new(&link.parts.engine.timers);
        let mut pump = Self {
            link,
            signals,
            wishes,
            reopen_at: None,
            wanted: true,
            mending: Mending::default(),
            behind: Behind::default(),
            online: false,
            watch,
            give_up_at: None,
            refusals: 0,
        };
        pump.opened();
        pump
    }

    pub(super) async fn run(mut self) {
        let closed = self.link.closed.clone();
        closed.run_until_cancelled(self.recall_behind()).await;
        while let Some(()) = closed.run_until_cancelled(self.step()).await.flatten() {}
    }

    /// One thing at a time. Cancelled at any await when the link closes; what changes connections is
    /// therefore done in tasks of its own.
    async fn step(&mut self) -> Option<()> {
        let clock = self.link.parts.engine.clock.clone();
        tokio::select! {
            biased;
            wish = self.wishes.recv() => match wish? {
                Control::Forget { rows } => self.mending.forget(rows),
                Control::Tripped { epoch } => self.tripped(epoch).await,
                Control::Dialling { epoch } => self.dialling(epoch).await,
                Control::Heard { collection, version } => self.heard(collection, version),
            },
            signal = self.signals.recv() => self.on_event(signal?).await,
            () = until(self.reopen_at) => self.reopen(true).await,
            () = until(self.watch.look_at()) => self.look().await,
            () = until_by(&*clock, self.behind.look_at()) => self.look_at_app_state().await,
            () = until(self.give_up_at) => self.qr_exhausted(None).await,
        }
        Some(())
    }

    fn opened(&mut self) {
        self.wanted = true;
        self.reopen_at = Some(self.stale_at());
        self.give_up_at = None;
    }

    fn stale_at(&self) -> Instant {
        self.after(Duration::from_millis(
            self.link.parts.engine.timers.stale_ms,
        ))
    }

    fn after(&self, pause: Duration) -> Instant {
        Instant::now() + self.link.parts.jittered(pause)
    }

    async fn tell(&self, notice: Notice) {
        if let Err(error) = self.link.parts.sink.notice(notice).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(instance.id = %self.link.parts.spec.instance, error, "news of a link was not taken");
        }
    }

    async fn offline(&mut self, reason: StateReason) {
        self.online = false;
        self.watch.stop();
        self.tell(Notice::Offline {
            reason,
            retrying: true,
        })
        .await;
    }

    /// The socket is gone, and the library opens another one.
    async fn lost(&mut self) {
        // A loss that follows another one puts nothing off: a log-in that fails each time would stay with its client.
        let stale_at = self.stale_at();
        self.reopen_at.get_or_insert(stale_at);
        self.offline(StateReason::ConnectionLost).await;
    }

    /// A client that is logged in opens a socket only when it has lost one, and it does not always say so.
    async fn dialling(&mut self, epoch: u64) {
        if self.online && self.link.connection_of(epoch).is_some() {
            tracing::debug!(instance.id = %self.link.parts.spec.instance, "the connection is being made anew");
            self.lost().await;
        }
    }

    async fn on_event(&mut self, signal: Signal) {
        let Some(connection) = self.link.connection_of(signal.epoch) else {
            return;
        };
        let epoch = signal.epoch;
        match &*signal.event {
            Event::PairingQrCode(qr) => {
                self.reopen_at = None;
                let valid_ms = i64::try_from(qr.timeout.as_millis()).unwrap_or(i64::MAX);
                let code = qr.code.clone();
                self.tell(Notice::Qr { code, valid_ms }).await;
            }
            Event::PairingQrCodesExhausted(codes) => {
                let until = (!codes.disconnected)
                    .then(|| self.link.codes.until())
                    .flatten();
                match until {
                    // Someone may still be typing the link code.
                    Some(until) => self.give_up_at = Some(until),
                    None => self.qr_exhausted(Some(epoch)).await,
                }
            }
            Event::PairingCodeRefresh(_) => {
                self.pair_failed("The link code is no longer valid. Ask for a new one.")
                    .await;
            }
            Event::QrScannedWithoutMultidevice(_) => {
                self.pair_failed(
                    "The phone's WhatsApp is too old to link devices. Update it and scan again.",
                )
                .await;
            }
            Event::PairError(error) => {
                tracing::warn!(instance.id = %self.link.parts.spec.instance, error = error.error, "pairing failed");
                self.pair_failed(
                    "The phone's answer could not be verified. Ask for a new code and try again.",
                )
                .await;
            }
            Event::PairSuccess(success) => self.paired(&connection, &success.business_name).await,
            Event::Connected(_) => self.connected(&connection).await,
            Event::Disconnected(gone) => {
                tracing::debug!(instance.id = %self.link.parts.spec.instance, reason = %gone.reason, "connection lost");
                self.lost().await;
            }
            Event::StreamError(error) => {
                // The library keeps the connection, and so do we: what really ends it says so by name.
                tracing::warn!(instance.id = %self.link.parts.spec.instance, code = error.code, "WhatsApp complains about something on the connection");
            }
            Event::StreamReplaced(_) => self.give_up(epoch, StateReason::StreamReplaced).await,
            Event::TemporaryBan(_) => self.give_up(epoch, StateReason::TemporaryBan).await,
            Event::ClientOutdated(_) => self.give_up(epoch, StateReason::ClientOutdated).await,
            Event::ConnectFailure(failure) => {
                let (reason, again) = notice::refusal(failure.reason);
                if again {
                    self.refused(reason).await;
                } else {
                    self.give_up(epoch, reason).await;
                }
            }
            Event::AppStateSyncFailed(failed) => self.app_state_refused(&failed.fatal).await,
            Event::LoggedOut(out) => self.logged_out(epoch, notice::logged_out(out.reason)).await,
            other => self.on_traffic(&connection, other).await,
        }
    }

    /// Events that are not about the link itself.
    async fn on_traffic(&self, connection: &Connection, event: &Event) {
        match event {
            // Messages that WhatsApp does not ask to be acknowledged (channels, recovered ones).
            Event::Messages(batch) => {
                if let Err(error) =
                    inbound::deliver(&self.link.parts, &connection.client, &batch.messages).await
                {
                    metrics::counter!("recado_engine_events_dropped_total", "kind" => "message")
                        .increment(1);
                    tracing::error!(instance.id = %self.link.parts.spec.instance, %error, "a message outside acknowledgement was not stored");
                }
            }
            // Where the content lies elsewhere, the library asks where asking can help.
            Event::UndecryptableMessage(message)
                if !message.is_unavailable && !message.info.source.is_from_me =>
            {
                connection.ask_phone_for(message.info.clone());
            }
            Event::ChatPresence(update) => {
                // When the person could not be looked up, the connection ends over that.
                if let Ok(notice) = notice::typing(&connection.client, update).await {
                    self.tell(notice).await;
                }
            }
            Event::Presence(update) => {
                if let Ok(notice) = notice::presence(&connection.client, update).await {
                    self.tell(notice).await;
                }
            }
            Event::IncomingCall(call) => {
                if let Ok(Some(notice)) = notice::call(&connection.client, call).await {
                    self.tell(notice).await;
                }
            }
            Event::MissedCall(call) => {
                if let Ok(notice) = notice::missed(&connection.client, call).await {
                    self.tell(notice).await;
                }
            }
            Event::SelfPushNameUpdated(update) => {
                let push_name = update.new_name.clone();
                self.tell(Notice::Renamed { push_name }).await;
            }
            _ => {}
        }
    }

    async fn connected(&mut self, connection: &Connection) {
        let client = &connection.client;
        // Late news of a connection that is gone again; the next one has its own.
        if !client.is_logged_in() {
            return;
        }
        // The first log-in has just learnt its push name, perhaps while the saver wrote what was before: a
        // crash before the next save would make every log-in wait for what does not come again.
        if let Err(error) = connection.save_device().await {
            tracing::warn!(instance.id = %self.link.parts.spec.instance, %error, "a new connection's device could not be stored yet");
        }
        self.reopen_at = None;
        self.refusals = 0;
        self.online = true;
        connection.fetch_owed();
        self.fetched_first(connection).await;
        self.mending.came_online();
        self.watch.start();
        let push_name = Some(client.push_name()).filter(|name| !name.is_empty());
        self.tell(Notice::Online { push_name }).await;
    }

    /// The next log-in that fetches all is the first one again.
    async fn fetched_first(&self, connection: &Connection) {
        if !connection.fetches_first {
            return;
        }
        let forgotten = self.link.parts.device.apply(vec![fetched_first()]).await;
        if let Err(error) = forgotten {
            tracing::warn!(instance.id = %self.link.parts.spec.instance, %error, "that the first fetching is over could not be stored");
        }
    }

    async fn pair_failed(&self, message: &str) {
        self.tell(Notice::PairFailed {
            message: message.to_owned(),
        })
        .await;
    }

    async fn paired(&mut self, connection: &Connection, business_name: &str) {
        self.give_up_at = None;
        // The log-in follows, or another client tries.
        self.reopen_at = Some(self.stale_at());
        let device = connection.persistence.get_device_snapshot();
        // The pairing must outlive a crash right after we told of it.
        if let Err(error) = connection.save_device().await {
            tracing::warn!(instance.id = %self.link.parts.spec.instance, %error, "a new pairing could not be stored yet; it is tried again");
        }
        let Some(jid) = &device.pn else {
            tracing::error!(instance.id = %self.link.parts.spec.instance, "a phone paired without telling its number");
            return;
        };
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.tell(Notice::Paired {
            phone: jid.user.to_string(),
            jid: Address::from_wire(jid.to_non_ad_string()),
            lid: device
                .lid
                .as_ref()
                .filter(|lid| !lid.user.is_empty())
                .map(|lid| Address::from_wire(lid.to_non_ad_string())),
            push_name: text(&device.push_name),
            business_name: text(business_name),
        })
        .await;
    }

    /// Codes are used up: nobody scanned.
    async fn qr_exhausted(&mut self, epoch: Option<u64>) {
        self.give_up_at = None;
        let Some(epoch) = epoch.or_else(|| {
            self.link
                .any_connection()
                .map(|connection| connection.epoch)
        }) else {
            return;
        };
        if self.close(epoch).await {
            self.tell(Notice::QrExhausted).await;
        }
    }

    /// Nothing we do would help: the link waits until it is asked to reconnect.
    async fn give_up(&mut self, epoch: u64, reason: StateReason) {
        if self.close(epoch).await {
            self.tell(Notice::Offline {
                reason,
                retrying: false,
            })
            .await;
        }
    }

    async fn close(&mut self, epoch: u64) -> bool {
        self.reopen_at = None;
        self.give_up_at = None;
        self.online = false;
        self.watch.stop();
        let link = self.link.clone();
        let closed = tokio::spawn(async move { link.close_connection(epoch).await }).await;
        let closed = closed.unwrap_or_else(|error| {
            tracing::error!(instance.id = %self.link.parts.spec.instance, %error, "closing a connection failed");
            true
        });
        self.wanted &= !closed;
        closed
    }

    /// WhatsApp let us not in; the library has stopped, so the next try is ours.
    async fn refused(&mut self, reason: StateReason) {
        self.refusals += 1;
        self.reopen_at = Some(self.after(grown(REFUSED_FIRST, REFUSED_MOST, self.refusals)));
        self.offline(reason).await;
    }

    async fn logged_out(&mut self, epoch: u64, reason: StateReason) {
        if !self.close(epoch).await {
            return;
        }
        let mut tries = 0;
        while let Err(error) = self.link.parts.device.wipe().await {
            tries += 1;
            tracing::error!(instance.id = %self.link.parts.spec.instance, %error, tries, "the device of an ended pairing could not be wiped");
            if tries == WIPE_TRIES {
                // The next start finds it, is refused by WhatsApp, and wipes it then.
                break;
            }
            tokio::time::sleep(WIPE_AGAIN * tries).await;
        }
        self.link.parts.forget_all();
        self.tell(Notice::LoggedOut { reason }).await;
    }
}

async fn until_by(clock: &dyn Clock, at: Option<Monotonic>) {
    match at {
        Some(at) => clock.sleep_until_monotonic(at).await,
        None => std::future::pending().await,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}
