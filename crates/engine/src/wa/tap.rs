//! Takes events off the library's tasks: never waits on anything but a line in the journal.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::{mpsc, watch};
use whatsapp_rust::{
    Client, Jid, OwnedNodeRef,
    types::events::{Event, EventHandler, EventInterest, EventKind, LazyHistorySync},
};

use super::{
    gate::{Gate, Trip},
    history::Spool,
    journal::{Entry, Journal},
    notice, synced,
};

/// Events waiting for the pump, per link. The last slots are kept for what must not be lost.
pub(super) const QUEUE: usize = 512;
const RESERVED: usize = 128;

pub(super) struct Signal {
    pub epoch: u64,
    pub event: Arc<Event>,
}

pub(super) fn interest() -> EventInterest {
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
        EventKind::UndecryptableMessage,
        EventKind::ChatPresence,
        EventKind::Presence,
        EventKind::IncomingCall,
        EventKind::SelfPushNameUpdated,
        EventKind::AppStateSyncFailed,
        EventKind::IdentityChange,
        EventKind::ContactNumberChanged,
        EventKind::PictureUpdate,
        EventKind::MissedCall,
        EventKind::GroupUpdate,
        EventKind::ArchiveUpdate,
        EventKind::PinUpdate,
        EventKind::MuteUpdate,
        EventKind::MarkChatAsReadUpdate,
        EventKind::ClearChatUpdate,
        EventKind::DeleteChatUpdate,
        EventKind::ContactUpdate,
        EventKind::HistorySync,
        EventKind::LabelEditUpdate,
        EventKind::LabelAssociationUpdate,
        EventKind::StreamReplaced,
        EventKind::StreamError,
        EventKind::TemporaryBan,
        EventKind::ConnectFailure,
        // For the receipts that the library answers by itself.
        EventKind::RawNode,
    ])
}

/// News that is told once goes into the journal *before* the handler returns: the library acknowledges a
/// receipt after that. The rest goes to the pump, in order.
pub(super) struct Tap {
    pub(super) epoch: u64,
    pub(super) gate: Gate,
    pub(super) journal: Arc<Journal>,
    /// Where frames of history go. `None`: nobody wants them.
    pub(super) spool: Option<Arc<Spool>>,
    pub(super) queue: mpsc::Sender<Signal>,
    /// Hears which version a collection of app state has.
    pub(super) heard: Box<dyn Fn(String, u64) + Send + Sync>,
    pub(super) pairable: Arc<watch::Sender<bool>>,
    /// The connection is closing, and its news is no news any more. The journal still notes: the library
    /// acknowledges until its last byte.
    pub(super) closing: AtomicBool,
    /// Weak: the client holds its tap.
    pub(super) client: Weak<Client>,
}

impl Tap {
    /// Whether it is an address of our own account.
    fn is_own(&self, jid: &Jid) -> bool {
        let Some(client) = self.client.upgrade() else {
            return false;
        };
        let own = [client.pn(), client.lid()];
        let mut own = own.into_iter().flatten();
        own.any(|own| own.user == jid.user && own.is_lid() == jid.is_lid())
    }

    fn drop_one(kind: &'static str) {
        metrics::counter!("recado_engine_events_dropped_total", "kind" => kind).increment(1);
    }

    /// Which versions of app state there are.
    fn hear(&self, node: &OwnedNodeRef) {
        for (collection, version) in synced::versions(node) {
            (self.heard)(collection, version);
        }
    }

    fn note(&self, entry: Entry) {
        if let Err(error) = self.journal.note(entry) {
            tracing::error!(%error, "a receipt could not be noted; the connection ends before it is acknowledged");
            self.gate.trip(Trip::Journal);
        }
    }

    /// A frame is told once, and its phone counts it as taken already.
    fn keep_frame(&self, frame: &LazyHistorySync) {
        let Some(spool) = &self.spool else {
            return;
        };
        match spool.put(frame) {
            Ok(entry) => self.note(entry),
            Err(error) => {
                metrics::counter!("recado_engine_history_frames_lost_total").increment(1);
                tracing::error!(%error, "a frame of history could not be kept; it will be missing");
            }
        }
    }

    fn pass(&self, event: Arc<Event>, kind: &'static str, expendable: bool) {
        if self.closing.load(Ordering::SeqCst) {
            return;
        }
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

impl EventHandler for Tap {
    fn handle_event(&self, event: Arc<Event>) {
        // What the phone remembers does not depend on what this client does.
        if let Event::HistorySync(frame) = &*event {
            self.keep_frame(frame);
            return;
        }
        // A client that is ahead of its database is not believed: its news comes again from the next one.
        if self.gate.tripped().is_some() {
            return;
        }
        match &*event {
            Event::RawNode(node) => {
                self.hear(node);
                let told = notice::asked_again(node).or_else(|| notice::read_elsewhere(node));
                if let Some(entry) = told {
                    self.note(entry);
                }
            }
            Event::Receipt(receipt) => {
                if let Some(entry) = notice::receipt(receipt, |jid| self.is_own(jid)) {
                    self.note(entry);
                }
            }
            Event::ServerAck(ack) => {
                if let Some(entry) = notice::server_ack(ack) {
                    self.note(entry);
                }
            }
            Event::GroupUpdate(update) => {
                if let Some(entry) = notice::group(update) {
                    self.note(entry);
                }
            }
            Event::UndecryptableMessage(message) => {
                metrics::counter!("recado_engine_undecryptable_total").increment(1);
                self.note(notice::undecryptable(message));
                // The pump sees to it that it is asked for again.
                self.pass(event, "undecryptable", true);
            }
            Event::ArchiveUpdate(_)
            | Event::PinUpdate(_)
            | Event::MuteUpdate(_)
            | Event::MarkChatAsReadUpdate(_)
            | Event::ClearChatUpdate(_)
            | Event::DeleteChatUpdate(_)
            | Event::ContactUpdate(_)
            | Event::LabelEditUpdate(_)
            | Event::LabelAssociationUpdate(_) => {
                if let Some(entry) = synced::entry(&event) {
                    self.note(entry);
                }
            }
            Event::IdentityChange(change) => self.note(notice::identity(change)),
            Event::ContactNumberChanged(change) => self.note(notice::number(change)),
            Event::PictureUpdate(change) => self.note(notice::picture(change)),
            // Already committed by the hook: telling it again would deliver it twice.
            Event::Messages(batch) if batch.hook_committed => {}
            Event::Messages(_) => self.pass(event, "message", false),
            Event::ChatPresence(_) => self.pass(event, "typing", true),
            Event::Presence(_) => self.pass(event, "presence", true),
            Event::IncomingCall(call) => {
                if notice::is_told(call) {
                    self.pass(event, "call", true);
                }
            }
            Event::MissedCall(_) => self.pass(event, "call", true),
            Event::PairingQrCode(_) => {
                self.pairable.send_replace(true);
                self.pass(event, "state", false);
            }
            _ => self.pass(event, "state", false),
        }
    }
}
