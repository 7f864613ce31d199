//! What a message has beside its content: whom it mentions, what it answers.

use serde::{Deserialize, Serialize};
use waproto::whatsapp::{ContextInfo, Message};

/// Whom a message that a person writes mentions, and what it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beside {
    /// Numbers.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// The id of an earlier message of the chat.
    #[serde(default)]
    pub quoted: Option<String>,
}

/// An earlier message, as one that answers it shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// Its id.
    pub message_id: String,
    /// Its author: an address as the message names it, or a number where this phone knows it.
    pub from: String,
}

fn context(content: &Message) -> Option<&ContextInfo> {
    let text = content.extended_text_message.as_option();
    let image = content.image_message.as_option();
    let video = content.video_message.as_option();
    let document = content.document_message.as_option();
    let audio = content.audio_message.as_option();
    let location = content.location_message.as_option();
    let contact = content.contact_message.as_option();
    text.and_then(|it| it.context_info.as_option())
        .or_else(|| image.and_then(|it| it.context_info.as_option()))
        .or_else(|| video.and_then(|it| it.context_info.as_option()))
        .or_else(|| document.and_then(|it| it.context_info.as_option()))
        .or_else(|| audio.and_then(|it| it.context_info.as_option()))
        .or_else(|| location.and_then(|it| it.context_info.as_option()))
        .or_else(|| contact.and_then(|it| it.context_info.as_option()))
}

/// Addresses as the message names them.
pub(super) fn mentions(content: &Message) -> Vec<String> {
    let context = context(content);
    context
        .map(|context| context.mentioned_jid.clone())
        .unwrap_or_default()
}

pub(super) fn quote(content: &Message) -> Option<Quote> {
    let context = context(content)?;
    Some(Quote {
        message_id: context.stanza_id.clone()?,
        from: context.participant.clone().unwrap_or_default(),
    })
}
