//! The context of a message of any kind: whom it mentions, and which message it answers.

use recado_model::message::{Draft, Quoted};
use whatsapp_rust::{
    wacore::proto_helpers::MessageExt as _,
    waproto::{
        buffa::{Message as _, MessageField},
        whatsapp as wa,
    },
};

use super::super::payload;

/// `None` when there is nothing to say: a plain text stays plain then.
pub(super) fn of(draft: &Draft) -> Option<wa::ContextInfo> {
    if draft.mentioned.is_empty() && draft.reply_to.is_none() {
        return None;
    }
    let mut context = wa::ContextInfo {
        mentioned_jid: draft.mentioned.iter().map(ToString::to_string).collect(),
        ..Default::default()
    };
    if let Some(quoted) = &draft.reply_to {
        context.stanza_id = Some(quoted.id.as_str().to_owned());
        context.participant = Some(quoted.sender.to_string());
        context.quoted_message = MessageField::some(original(quoted));
    }
    Some(context)
}

/// Without its secret, which is for those who answer to it themselves.
fn original(quoted: &Quoted) -> wa::Message {
    let kept = quoted.proto.as_deref();
    let kept = kept.and_then(|proto| wa::Message::decode_from_slice(proto).ok());
    match kept {
        Some(message) => {
            let mut message = *message.prepare_for_quote();
            message.message_context_info = MessageField::none();
            payload::without_keys(&mut message);
            message
        }
        None => wa::Message {
            conversation: Some(quoted.text.clone()),
            ..Default::default()
        },
    }
}

/// For a kind whose message has room for it.
pub(super) fn field(context: Option<wa::ContextInfo>) -> MessageField<wa::ContextInfo> {
    context.map_or_else(MessageField::none, MessageField::some)
}
