//! The notices of an actor's link: codes to scan, pairing, online, offline, over.

use recado_engine::Notice;
use recado_model::{ConnectionState, StateReason, instance::Pairing};

use super::{
    LiveQr,
    actor::{Actor, End, over},
    changes::Change,
};

impl Actor {
    /// `Some` when that is its end.
    pub(super) async fn noticed(&mut self, notice: Notice) -> Option<End> {
        match notice {
            Notice::Qr { code, valid_ms } => self.shows_qr(code, valid_ms).await,
            Notice::QrExhausted => {
                return Some(End {
                    state: Some(ConnectionState::Disconnected),
                    ..over(StateReason::QrExpired)
                });
            }
            Notice::PairFailed { message } => {
                tracing::warn!(instance.id = %self.instance, why = message, "pairing failed");
            }
            Notice::Paired {
                phone,
                jid,
                lid,
                push_name,
                business_name,
            } => {
                let pairing = Pairing {
                    phone,
                    jid,
                    lid,
                    push_name,
                    business_name,
                };
                self.is_paired(pairing).await;
            }
            Notice::Online { push_name } => self.is_online(push_name).await,
            Notice::Offline { reason, retrying } => return self.is_offline(reason, retrying).await,
            Notice::LoggedOut { reason } => {
                self.online = false;
                drop(self.flights.void());
                self.persist(Change::LoggedOut(reason)).await;
                return Some(over(reason));
            }
            Notice::Fenced => return Some(over(StateReason::StreamReplaced)),
            Notice::Renamed { push_name } => self.is_renamed(push_name).await,
            // Handled where they arrive.
            Notice::Receipt(_)
            | Notice::Presence(_)
            | Notice::Call(_)
            | Notice::Person(_)
            | Notice::Typing(_)
            | Notice::Group(_)
            | Notice::Synced(_)
            | Notice::History(_)
            | Notice::Unsynced(_)
            | Notice::SyncedAgain { .. }
            | Notice::ServerAck { .. }
            | Notice::Undecryptable { .. } => {}
        }
        None
    }

    async fn shows_qr(&mut self, code: String, valid_ms: i64) {
        let until = self.core.clock.now().plus_millis(valid_ms);
        if self.live.borrow().state != ConnectionState::QrPending {
            self.set_state(ConnectionState::QrPending, None).await;
        }
        self.live
            .send_modify(|live| live.qr = Some(LiveQr { code, until }));
    }

    async fn is_paired(&mut self, pairing: Pairing) {
        self.own_jid = Some(pairing.jid.clone());
        self.push_name = pairing.push_name.clone();
        let phone = pairing.phone.clone();
        self.persist(Change::Paired(pairing)).await;
        self.live.send_modify(|live| {
            live.qr = None;
            live.paired = true;
            live.phone = Some(phone);
        });
        // The phone has the code, and the log-in follows.
        self.set_state(ConnectionState::Connecting, None).await;
    }

    async fn is_online(&mut self, push_name: Option<String>) {
        let news = !std::mem::replace(&mut self.online, true);
        self.attempts = 0;
        self.push_name = push_name.or(self.push_name.take());
        self.persist(Change::Online { news }).await;
        self.live.send_modify(|live| {
            live.qr = None;
            live.state = ConnectionState::Connected;
        });
        self.flights.rested();
        self.look_soon();
        self.appear();
    }

    async fn is_offline(&mut self, reason: StateReason, retrying: bool) -> Option<End> {
        self.link_lost(retrying).await;
        let was = std::mem::replace(&mut self.online, false);
        let state = match reason {
            _ if retrying || reason.is_transient() => ConnectionState::Connecting,
            StateReason::TemporaryBan
            | StateReason::AccountLocked
            | StateReason::ClientOutdated => ConnectionState::Blocked,
            _ => ConnectionState::Disconnected,
        };
        // A code of the lost connection cannot be scanned any more.
        self.live.send_modify(|live| {
            live.qr = None;
            live.state = state;
        });
        self.persist(Change::Offline { state, reason, was }).await;
        if retrying {
            return None;
        }
        self.close().await;
        if reason.is_transient() && self.live.borrow().paired {
            self.retry_later();
            return None;
        }
        Some(over(reason))
    }
}
