//! Polls, in every form that WhatsApp gave them.

use recado_model::ContentKind;
use whatsapp_rust::waproto::whatsapp as wa;

use super::{Read, some};

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let fields = [
        &message.poll_creation_message,
        &message.poll_creation_message_v2,
        &message.poll_creation_message_v3,
        &message.poll_creation_message_v5,
        &message.poll_creation_message_v6,
    ];
    let poll = fields.into_iter().find_map(|field| field.as_option())?;
    some(ContentKind::Poll, poll.name.clone())
}
