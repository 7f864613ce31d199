//! Messages that are passed on as they are, marked as such. Media stay where they lie at WhatsApp.

use recado_model::content::Forward;
use whatsapp_rust::{
    wacore::proto_helpers::MessageExt as _,
    waproto::{buffa::Message as _, whatsapp as wa},
};

use super::{super::payload, medium, timer};

/// The message made ready: without its quote, its mentions and its secret. `None` of one that is to be seen once.
pub(super) fn ready(proto: &[u8]) -> Option<Vec<u8>> {
    let message = wa::Message::decode_from_slice(proto).ok()?;
    if message.is_view_once() {
        return None;
    }
    let mut ready = *message.prepare_for_forward();
    payload::without_keys(&mut ready);
    // The chat that it goes to has a timer of its own, or none.
    timer::forget(medium::inner(&mut ready));
    Some(ready.encode_to_vec())
}

pub(super) fn make(forward: &Forward) -> wa::Message {
    // Encoded by `ready` a moment ago.
    wa::Message::decode_from_slice(&forward.proto).unwrap_or_default()
}
