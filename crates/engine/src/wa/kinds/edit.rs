//! A message that takes the place of an earlier one.

use recado_model::{
    ContentKind, Timestamp,
    change::{Change, Changed, Edited},
    content::Edit,
};
use whatsapp_rust::waproto::{
    buffa::{Message as _, MessageField},
    whatsapp::{self as wa, message::protocol_message::Type},
};

use super::{super::payload, Read, key, medium, some, text};

pub(super) fn make(edit: &Edit, context: Option<wa::ContextInfo>, at: Timestamp) -> wa::Message {
    wa::Message {
        protocol_message: MessageField::some(wa::message::ProtocolMessage {
            r#type: Some(Type::MESSAGE_EDIT),
            key: key::of(&edit.target),
            edited_message: MessageField::some(text::make(&edit.text, context)),
            timestamp_ms: Some(at.as_millis()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn edit(message: &wa::Message) -> Option<&wa::message::ProtocolMessage> {
    let protocol = message.protocol_message.as_option()?;
    (protocol.r#type == Some(Type::MESSAGE_EDIT)).then_some(protocol)
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let edited = edit(message)?.edited_message.as_option();
    let read = edited.and_then(super::read);
    some(ContentKind::Edit, read.and_then(|read| read.text))
}

pub(super) fn change(message: &wa::Message) -> Option<Change> {
    let edit = edit(message)?;
    Some(Change {
        target: key::id(&edit.key)?,
        at: edit.timestamp_ms.map(Timestamp),
        what: Changed::Edited,
    })
}

/// What `original` is after an edit. Its own secret stays, for what answers to it is encrypted under that, and
/// so do its media, of which only the caption changes. `None` where the edit does not fit it.
pub(super) fn applied(mut original: wa::Message, message: &wa::Message) -> Option<Edited> {
    let new = edit(message)?.edited_message.as_option()?;
    match (is_text(&original), is_text(new)) {
        (true, true) => {
            let before = context_of(&original);
            original.conversation.clone_from(&new.conversation);
            original.extended_text_message = new.extended_text_message.clone();
            keep_quote(&mut original, before);
        }
        (false, false) => *caption_of(&mut original)? = caption_in(new),
        _ => return None,
    }
    Some(Edited {
        text: super::read(payload::unwrap(&original).0)?.text,
        proto: original.encode_to_vec(),
    })
}

fn is_text(message: &wa::Message) -> bool {
    message.conversation.is_some() || message.extended_text_message.is_set()
}

fn context_of(message: &wa::Message) -> Option<wa::ContextInfo> {
    let text = message.extended_text_message.as_option()?;
    text.context_info.as_option().cloned()
}

/// What was a reply still is one: programs leave the quote out of the edit.
fn keep_quote(message: &mut wa::Message, before: Option<wa::ContextInfo>) {
    let Some(before) = before.filter(|context| context.stanza_id.is_some()) else {
        return;
    };
    if let Some(body) = message.conversation.take() {
        message.extended_text_message = MessageField::some(wa::message::ExtendedTextMessage {
            text: Some(body),
            ..Default::default()
        });
    }
    let Some(text) = message.extended_text_message.as_option_mut() else {
        return;
    };
    match text.context_info.as_option_mut() {
        Some(now) if now.stanza_id.is_some() => {}
        Some(now) => {
            now.stanza_id = before.stanza_id;
            now.participant = before.participant;
            now.quoted_message = before.quoted_message;
        }
        None => {
            text.context_info = MessageField::some(wa::ContextInfo {
                mentioned_jid: Vec::new(),
                ..before
            });
        }
    }
}

fn caption_of(message: &mut wa::Message) -> Option<&mut Option<String>> {
    let message = medium::inner(message);
    if let Some(image) = message.image_message.as_option_mut() {
        return Some(&mut image.caption);
    }
    if let Some(video) = message.video_message.as_option_mut() {
        return Some(&mut video.caption);
    }
    let document = message.document_message.as_option_mut()?;
    Some(&mut document.caption)
}

fn caption_in(message: &wa::Message) -> Option<String> {
    let mut message = message.clone();
    caption_of(&mut message).and_then(Option::take)
}
