//! An earlier message taken back for everybody.

use recado_model::ContentKind;
use whatsapp_rust::waproto::whatsapp::{self as wa, message::protocol_message::Type};

use super::{Read, some};

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let protocol = message.protocol_message.as_option()?;
    match protocol.r#type {
        Some(Type::REVOKE) => some(ContentKind::Revoke, None),
        _ => None,
    }
}
