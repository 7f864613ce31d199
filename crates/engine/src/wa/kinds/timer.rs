//! The timer of a chat: every message in it says after how many seconds it disappears.

use recado_model::{Timestamp, message::Timer};
use whatsapp_rust::{
    wacore::proto_helpers::MessageExt as _,
    waproto::whatsapp::{self as wa, message::protocol_message::Type},
};

use super::medium;

/// Whatever has room for it: what is done to an earlier message goes with that.
pub(super) fn set(message: &mut wa::Message, seconds: Option<u32>) {
    if let Some(seconds) = seconds {
        medium::inner(message).set_ephemeral_expiration(seconds);
    }
}

/// What somebody changed it to, or the one that a message goes by. That a message has none says nothing: programs
/// leave it out. Takes the message without its wrappers.
pub(super) fn told(message: &wa::Message, at: Timestamp) -> Option<Timer> {
    let seconds = match message.protocol_message.as_option() {
        Some(protocol) if protocol.r#type == Some(Type::EPHEMERAL_SETTING) => {
            protocol.ephemeral_expiration.unwrap_or_default()
        }
        _ => message.get_ephemeral_expiration()?,
    };
    Timer::told(seconds, at)
}
