//! Reactions; one without a sign takes an earlier one back.

use recado_model::{
    ContentKind, Timestamp,
    change::{Change, Changed},
    content::Reaction,
};
use whatsapp_rust::waproto::{buffa::MessageField, whatsapp as wa};

use super::{Read, key, some};

/// In bytes. Nobody's program makes a longer one, and each is kept.
const SIGN_MOST: usize = 128;

pub(super) fn make(reaction: &Reaction, at: Timestamp) -> wa::Message {
    wa::Message {
        reaction_message: MessageField::some(wa::message::ReactionMessage {
            key: key::of(&reaction.target),
            text: Some(reaction.sign.clone().unwrap_or_default()),
            sender_timestamp_ms: Some(at.as_millis()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let reaction = message.reaction_message.as_option()?;
    some(ContentKind::Reaction, reaction.text.clone())
}

pub(super) fn change(message: &wa::Message) -> Option<Change> {
    let reaction = message.reaction_message.as_option()?;
    let sign = reaction.text.clone().unwrap_or_default();
    if sign.len() > SIGN_MOST {
        return None;
    }
    Some(Change {
        target: key::id(&reaction.key)?,
        at: reaction.sender_timestamp_ms.map(Timestamp),
        what: Changed::Reaction(Some(sign).filter(|sign| !sign.is_empty())),
    })
}
