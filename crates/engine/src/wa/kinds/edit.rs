//! A message that takes the place of an earlier one.

use recado_model::ContentKind;
use whatsapp_rust::waproto::whatsapp::{self as wa, message::protocol_message::Type};

use super::{Read, some};

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let protocol = message.protocol_message.as_option()?;
    if protocol.r#type != Some(Type::MESSAGE_EDIT) {
        return None;
    }
    let edited = protocol.edited_message.as_option().and_then(super::read);
    some(ContentKind::Edit, edited.and_then(|read| read.text))
}
