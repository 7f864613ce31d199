//! Messages that were counted as read and are nowhere.
//!
//! The library writes all ratchets together, a moment after anything moved one. When it does so between
//! the decryption of a message and the row that keeps it (`backend/pending`), and the process dies just
//! then, the ratchet knows of the message and nobody else does. WhatsApp delivers it again, the library
//! takes it for a repeat, finds nothing kept, and would acknowledge it. So a repeat of which nothing is
//! kept is looked for in the store. If it is not there, its connection ends without an
//! acknowledgement, and the next one does not know how its sender is read: it then cannot decrypt what
//! is delivered once more, and the phone is asked to send it again.

use std::sync::{Arc, Weak};

use recado_model::{Error, Result, message::MessageId};
use recado_store::DeviceOp;

use super::{
    gate::{Gate, Trip},
    parts::LinkParts,
};

/// Judges the repeats of one connection. Weak: the client holds the backend, and the link the client.
pub(super) struct Judge {
    link: Weak<LinkParts>,
    gate: Gate,
}

impl Judge {
    pub(super) fn new(link: &Arc<LinkParts>, gate: Gate) -> Self {
        Self {
            link: Arc::downgrade(link),
            gate,
        }
    }

    /// Whether the message is lost. A judge that cannot tell does not acknowledge: the connection ends, and
    /// the message is judged again when WhatsApp delivers it to the next one.
    pub(super) async fn is_lost(&self, id: &str) -> Result<bool> {
        let told = self.looked_for(id).await;
        if told.is_err() {
            self.gate.trip(Trip::Commit);
        }
        told
    }

    async fn looked_for(&self, id: &str) -> Result<bool> {
        let link = self
            .link
            .upgrade()
            .ok_or_else(|| Error::internal("the link is gone; WhatsApp delivers again"))?;
        if link.sink.has(&MessageId::from_wire(id)).await? {
            return Ok(false);
        }
        Ok(link.lost.note(id))
    }

    /// Ends the connection; the next one knows nothing of `rows`.
    pub(super) fn ask_again(&self, id: &str, rows: Vec<DeviceOp>) {
        let Some(link) = self.link.upgrade() else {
            return;
        };
        metrics::counter!("recado_engine_lost_messages_total").increment(1);
        tracing::warn!(instance.id = %link.spec.instance, message.id = id, "a message was counted as read and is not stored; its sender is asked to send it again");
        if link.forget(rows) {
            self.gate.trip(Trip::Lost);
        }
    }
}
