//! Plain texts.

use recado_model::{ContentKind, content::Text};
use whatsapp_rust::waproto::{buffa::MessageField, whatsapp as wa};

use super::{Read, context, some};

pub(super) fn make(text: &Text, context: Option<wa::ContextInfo>) -> wa::Message {
    let body = Some(text.as_str().to_owned());
    if context.is_none() {
        return wa::Message {
            conversation: body,
            ..Default::default()
        };
    }
    wa::Message {
        extended_text_message: MessageField::some(wa::message::ExtendedTextMessage {
            text: body,
            context_info: context::field(context),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let text = if let Some(text) = &message.conversation {
        Some(text.clone())
    } else if let Some(text) = message.extended_text_message.as_option() {
        text.text.clone()
    } else {
        return None;
    };
    some(ContentKind::Text, text)
}
