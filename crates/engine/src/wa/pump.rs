//! The link's own task: hands events to the sink in order, and decides when a connection has to be
//! opened anew.
//!
//! The library reconnects after ordinary losses, with growing pauses of up to 15 minutes. A link that
//! stays offline is reopened after [`STALE`], which restarts those pauses; so a network that comes
//! back is noticed within a minute or two. Every pause of ours has jitter: all links of a process
//! lose the network together.

use std::{sync::Arc, time::Duration};

use recado_model::StateReason;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use whatsapp_rust::types::events::Event;

use super::{
    link::{Control, LinkCore},
    notice,
    session::{Session, Signal},
};
use crate::Notice;

const STALE: Duration = Duration::from_secs(180);
const REDELIVER_FIRST: Duration = Duration::from_secs(1);
const REDELIVER_MOST: Duration = Duration::from_secs(60);
const REFUSED_FIRST: Duration = Duration::from_secs(30);
const REFUSED_MOST: Duration = Duration::from_secs(15 * 60);
const OPEN_AGAIN: Duration = Duration::from_secs(15);
const WIPE_TRIES: u32 = 5;

pub(super) struct Pump {
    link: Arc<LinkCore>,
    signals: mpsc::Receiver<Signal>,
    wishes: mpsc::UnboundedReceiver<Control>,
    /// When to open anew, if nothing better happens before.
    reopen_at: Option<Instant>,
    /// False once the link was closed from within (codes used up, logged out, replaced).
    wanted: bool,
    /// Set while messages wait for redelivery: being online then is no reason to stay.
    redelivering: bool,
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
        let mut pump = Self {
            link,
            signals,
            wishes,
            reopen_at: None,
            wanted: true,
            redelivering: false,
            give_up_at: None,
            refusals: 0,
        };
        pump.opened();
        pump
    }

    pub(super) async fn run(mut self) {
        let closed = self.link.closed.clone();
        while let Some(()) = closed.run_until_cancelled(self.step()).await.flatten() {}
    }

    /// One thing at a time. Cancelled at any await when the link closes; what changes sessions is
    /// therefore done in tasks of its own.
    async fn step(&mut self) -> Option<()> {
        tokio::select! {
            biased;
            wish = self.wishes.recv() => match wish? {
                Control::Reopen => self.reopen(false).await,
                Control::Redeliver { epoch } => self.plan_redelivery(epoch),
            },
            signal = self.signals.recv() => self.on_event(signal?).await,
            () = until(self.reopen_at) => self.reopen(true).await,
            () = until(self.give_up_at) => self.qr_exhausted(None).await,
        }
        Some(())
    }

    fn opened(&mut self) {
        self.wanted = true;
        self.reopen_at = Some(self.after(STALE));
        self.redelivering = false;
        self.give_up_at = None;
    }

    fn after(&self, pause: Duration) -> Instant {
        let spread = u64::try_from(pause.as_millis() / 4).unwrap_or(0).max(1);
        Instant::now() + pause + Duration::from_millis(self.link.shared.rng.below(spread))
    }

    fn plan_redelivery(&mut self, epoch: u64) {
        if self.redelivering || self.link.session_of(epoch).is_none() {
            return;
        }
        let pause = grown(REDELIVER_FIRST, REDELIVER_MOST, self.link.count_failure());
        self.redelivering = true;
        self.reopen_at = Some(self.after(pause));
        metrics::counter!("recado_engine_redeliveries_total").increment(1);
        tracing::warn!(
            instance = %self.link.spec.instance,
            pause_ms = pause.as_millis(),
            "incoming messages were not stored; reconnecting so that WhatsApp delivers them again"
        );
    }

    /// `planned`: by our own timer, so a link that was closed meanwhile stays closed.
    async fn reopen(&mut self, planned: bool) {
        self.reopen_at = None;
        if planned && !self.wanted {
            return;
        }
        let was_online = self
            .link
            .session()
            .is_some_and(|session| session.client.is_logged_in());
        if was_online {
            self.tell(Notice::Offline {
                reason: StateReason::ConnectionLost,
                retrying: true,
            })
            .await;
        }
        self.open().await;
    }

    async fn open(&mut self) {
        let link = self.link.clone();
        let opened = tokio::spawn(async move { link.reopen().await }).await;
        self.opened();
        match opened {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(instance = %self.link.spec.instance, %error, "a link could not be opened; trying again");
                self.reopen_at = Some(self.after(OPEN_AGAIN));
            }
            Err(error) => {
                tracing::error!(instance = %self.link.spec.instance, %error, "opening a link failed; trying again");
                self.reopen_at = Some(self.after(OPEN_AGAIN));
            }
        }
    }

    async fn tell(&self, notice: Notice) {
        self.link.sink.notice(notice).await;
    }

    async fn on_event(&mut self, signal: Signal) {
        let Some(session) = self.link.session_of(signal.epoch) else {
            return;
        };
        let client = session.client.clone();
        match &*signal.event {
            Event::PairingQrCode(qr) => {
                self.reopen_at = None;
                let valid_ms = i64::try_from(qr.timeout.as_millis()).unwrap_or(i64::MAX);
                let code = qr.code.clone();
                self.tell(Notice::Qr { code, valid_ms }).await;
            }
            Event::PairingQrCodesExhausted(codes) => {
                let until = (!codes.disconnected)
                    .then(|| self.link.code_until())
                    .flatten();
                match until {
                    // Someone may still be typing the link code.
                    Some(until) => self.give_up_at = Some(until),
                    None => self.qr_exhausted(Some(signal.epoch)).await,
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
                tracing::warn!(instance = %self.link.spec.instance, error = error.error, "pairing failed");
                self.pair_failed(
                    "The phone's answer could not be verified. Ask for a new code and try again.",
                )
                .await;
            }
            Event::PairSuccess(success) => self.paired(&session, &success.business_name).await,
            Event::Connected(_) => {
                if !self.redelivering {
                    self.reopen_at = None;
                }
                self.refusals = 0;
                let push_name = Some(client.push_name()).filter(|name| !name.is_empty());
                self.tell(Notice::Online { push_name }).await;
            }
            Event::Disconnected(gone) => {
                tracing::debug!(instance = %self.link.spec.instance, reason = %gone.reason, "connection lost");
                if !self.redelivering {
                    self.reopen_at = Some(self.after(STALE));
                }
                self.tell(Notice::Offline {
                    reason: StateReason::ConnectionLost,
                    retrying: true,
                })
                .await;
            }
            Event::StreamReplaced(_) => {
                self.give_up(signal.epoch, StateReason::StreamReplaced)
                    .await
            }
            Event::TemporaryBan(_) => self.give_up(signal.epoch, StateReason::TemporaryBan).await,
            Event::ClientOutdated(_) => {
                self.give_up(signal.epoch, StateReason::ClientOutdated)
                    .await
            }
            Event::ConnectFailure(failure) => {
                let (reason, again) = notice::refusal(failure.reason);
                if again {
                    self.refused(reason).await;
                } else {
                    self.give_up(signal.epoch, reason).await;
                }
            }
            Event::LoggedOut(out) => {
                self.logged_out(signal.epoch, notice::logged_out(out.reason))
                    .await;
            }
            // Messages that WhatsApp does not ask to be acknowledged (channels, recovered ones).
            Event::Messages(batch) => {
                if let Err(error) = self.link.deliver(&client, &batch.messages).await {
                    metrics::counter!("recado_engine_events_dropped_total", "kind" => "message")
                        .increment(1);
                    tracing::error!(instance = %self.link.spec.instance, %error, "a message outside acknowledgement was not stored");
                }
            }
            Event::Receipt(receipt) => {
                if let Some(notice) = notice::receipt(&client, receipt).await {
                    self.tell(notice).await;
                }
            }
            Event::ChatPresence(update) => {
                let notice = notice::typing(&client, update).await;
                self.tell(notice).await;
            }
            Event::ServerAck(ack) => {
                if let Some(notice) = notice::server_ack(ack) {
                    self.tell(notice).await;
                }
            }
            _ => {}
        }
    }

    async fn pair_failed(&self, message: &str) {
        self.tell(Notice::PairFailed {
            message: message.to_owned(),
        })
        .await;
    }

    async fn paired(&mut self, session: &Session, business_name: &str) {
        self.give_up_at = None;
        // The pairing must outlive a crash right after we told of it.
        if let Err(error) = session.persistence.flush().await {
            tracing::error!(instance = %self.link.spec.instance, %error, "a new pairing could not be stored yet; it is tried again");
        }
        let device = session.persistence.get_device_snapshot();
        let Some(jid) = &device.pn else {
            tracing::error!(instance = %self.link.spec.instance, "a phone paired without telling its number");
            return;
        };
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        self.tell(Notice::Paired {
            phone: jid.user.to_string(),
            jid: jid.to_non_ad_string(),
            lid: device
                .lid
                .as_ref()
                .filter(|lid| !lid.user.is_empty())
                .map(whatsapp_rust::Jid::to_non_ad_string),
            push_name: text(&device.push_name),
            business_name: text(business_name),
        })
        .await;
    }

    /// Codes are used up: nobody scanned.
    async fn qr_exhausted(&mut self, epoch: Option<u64>) {
        self.give_up_at = None;
        let Some(epoch) = epoch.or_else(|| self.link.session().map(|session| session.epoch)) else {
            return;
        };
        if self.close(epoch, false).await {
            self.tell(Notice::QrExhausted).await;
        }
    }

    /// Nothing we do would help: the link waits until it is asked to reconnect.
    async fn give_up(&mut self, epoch: u64, reason: StateReason) {
        if self.close(epoch, false).await {
            self.tell(Notice::Offline {
                reason,
                retrying: false,
            })
            .await;
        }
    }

    async fn close(&mut self, epoch: u64, for_good: bool) -> bool {
        self.reopen_at = None;
        self.redelivering = false;
        self.give_up_at = None;
        let link = self.link.clone();
        let closed = tokio::spawn(async move { link.close_session(epoch, for_good).await }).await;
        let closed = closed.unwrap_or_else(|error| {
            tracing::error!(instance = %self.link.spec.instance, %error, "closing a connection failed");
            true
        });
        self.wanted &= !closed;
        closed
    }

    /// WhatsApp let us not in; the library has stopped, so the next try is ours.
    async fn refused(&mut self, reason: StateReason) {
        self.refusals += 1;
        self.reopen_at = Some(self.after(grown(REFUSED_FIRST, REFUSED_MOST, self.refusals)));
        self.tell(Notice::Offline {
            reason,
            retrying: true,
        })
        .await;
    }

    async fn logged_out(&mut self, epoch: u64, reason: StateReason) {
        if !self.close(epoch, true).await {
            return;
        }
        let mut tries = 0;
        while let Err(error) = self.link.device.wipe().await {
            tries += 1;
            tracing::error!(instance = %self.link.spec.instance, %error, tries, "the device of an ended pairing could not be wiped");
            if tries == WIPE_TRIES {
                // The next start finds it, is refused by WhatsApp, and wipes it then.
                break;
            }
            tokio::time::sleep(REDELIVER_FIRST * tries).await;
        }
        self.tell(Notice::LoggedOut { reason }).await;
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// `first` doubled with each time after the first, at most `most`.
fn grown(first: Duration, most: Duration, times: u32) -> Duration {
    first
        .saturating_mul(1 << times.saturating_sub(1).min(16))
        .min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_their_bound() {
        let (first, most) = (Duration::from_secs(1), Duration::from_secs(60));
        let pauses: Vec<u64> = (1..9).map(|n| grown(first, most, n).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
