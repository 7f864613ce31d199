//! The timer of a chat: every message in it says after how many seconds it disappears.

use recado_model::{Timestamp, message::Timer};
use whatsapp_rust::{
    wacore::proto_helpers::MessageExt as _,
    waproto::whatsapp::{self as wa, ContextInfo, message::protocol_message::Type},
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
    if let Some(protocol) = message.protocol_message.as_option()
        && protocol.r#type == Some(Type::EPHEMERAL_SETTING)
    {
        return Some(Timer {
            seconds: protocol.ephemeral_expiration.unwrap_or_default(),
            since: at,
        });
    }
    let seconds = message.get_ephemeral_expiration()?;
    Some(Timer { seconds, since: at })
}

/// Of every kind that is passed on.
macro_rules! contexts {
    ($message:ident: $($field:ident),*) => {
        [$($message.$field.as_option_mut().and_then(|kind| kind.context_info.as_option_mut())),*]
    };
}

/// Takes out the timer of the chat that a message comes from.
pub(super) fn forget(message: &mut wa::Message) {
    let contexts: [Option<&mut ContextInfo>; 20] = contexts!(message:
        extended_text_message, image_message, video_message, ptv_message, audio_message, document_message,
        sticker_message, location_message, live_location_message, contact_message, contacts_array_message,
        buttons_message, list_message, template_message, interactive_message, poll_creation_message,
        poll_creation_message_v2, poll_creation_message_v3, group_invite_message, event_message
    );
    for context in contexts.into_iter().flatten() {
        context.expiration = None;
        context.ephemeral_setting_timestamp = None;
    }
}
