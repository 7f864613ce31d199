//! An earlier message taken back for everybody.

use recado_model::{
    ContentKind,
    change::{Change, Changed},
    content::Revoke,
};
use whatsapp_rust::waproto::{
    buffa::MessageField,
    whatsapp::{self as wa, message::protocol_message::Type},
};

use super::{Read, key, some};

pub(super) fn make(revoke: &Revoke) -> wa::Message {
    wa::Message {
        protocol_message: MessageField::some(wa::message::ProtocolMessage {
            r#type: Some(Type::REVOKE),
            key: key::of(&revoke.target),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn revoked(message: &wa::Message) -> Option<&wa::message::ProtocolMessage> {
    let protocol = message.protocol_message.as_option()?;
    (protocol.r#type == Some(Type::REVOKE)).then_some(protocol)
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    revoked(message)?;
    some(ContentKind::Revoke, None)
}

pub(super) fn change(message: &wa::Message) -> Option<Change> {
    let revoke = revoked(message)?;
    Some(Change {
        target: key::id(&revoke.key)?,
        at: None,
        what: match key::other(&revoke.key) {
            Some(author) => Changed::DeletedByAdmin(author),
            None => Changed::Deleted,
        },
    })
}
