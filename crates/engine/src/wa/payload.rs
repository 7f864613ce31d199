//! The parts of a message's event that WhatsApp's types know: whatsmeow's `events.Message` as JSON, snake_case.

use recado_model::{
    Error, Result, Timestamp,
    message::{Arrival, Rendered},
};
use serde_json::{Map, Value, json};
use whatsapp_rust::{
    types::message::{EditAttribute, MessageInfo},
    wacore::{
        send::{media_type_from_message, stanza_type_from_message},
        types::message::AddressingMode,
    },
    waproto::{
        buffa::{Message as _, MessageField},
        whatsapp as wa,
    },
};

use super::json::to_json;

/// In bytes. Programs make ids of 20 to 32; the sender chooses them, and a database has no room in its
/// indexes for any.
pub(super) const LONGEST_ID: usize = 255;

/// Which wrappers a message came in; subscribers see the content, and these as flags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wrapping {
    pub ephemeral: bool,
    pub view_once: bool,
    pub view_once_v2: bool,
    pub view_once_v2_extension: bool,
    pub document_with_caption: bool,
    pub lottie_sticker: bool,
    pub bot_invoke: bool,
    pub edit: bool,
}

/// No real message nests deeper; a hostile one must not make us walk on.
const MAX_WRAPPERS: usize = 8;

/// The content inside every wrapper.
pub(super) fn unwrap(message: &wa::Message) -> (&wa::Message, Wrapping) {
    let mut wrapping = Wrapping::default();
    let mut content = message;
    for _ in 0..MAX_WRAPPERS {
        let sent = content
            .device_sent_message
            .as_option()
            .and_then(|sent| sent.message.as_option());
        if let Some(inner) = sent {
            content = inner;
            continue;
        }
        let wrappers = [
            (&content.ephemeral_message, &mut wrapping.ephemeral),
            (&content.view_once_message, &mut wrapping.view_once),
            (&content.view_once_message_v2, &mut wrapping.view_once_v2),
            (
                &content.view_once_message_v2_extension,
                &mut wrapping.view_once_v2_extension,
            ),
            (
                &content.document_with_caption_message,
                &mut wrapping.document_with_caption,
            ),
            (
                &content.lottie_sticker_message,
                &mut wrapping.lottie_sticker,
            ),
            (&content.bot_invoke_message, &mut wrapping.bot_invoke),
            (&content.edited_message, &mut wrapping.edit),
        ];
        let mut inner = None;
        for (wrapper, flag) in wrappers {
            if let Some(message) = wrapper
                .as_option()
                .and_then(|wrapper| wrapper.message.as_option())
            {
                *flag = true;
                inner = Some(message);
                break;
            }
        }
        match inner {
            Some(message) => content = message,
            None => break,
        }
    }
    (content, wrapping)
}

/// Takes out the key material of a group: whoever reads it could read the group.
pub(super) fn without_keys(message: &mut wa::Message) {
    message.sender_key_distribution_message = Default::default();
    message.fast_ratchet_key_sender_key_distribution_message = Default::default();
    message.group_root_key_share = Default::default();
    message.root_secret_distribute_message = Default::default();
}

/// The secret of a wrapped message may stand on its outermost wrapper: answers to it are encrypted under that.
pub(super) fn keep_secret(whole: &wa::Message, content: &mut wa::Message) {
    let of = |message: &wa::Message| {
        let context = message.message_context_info.as_option()?;
        context.message_secret.clone()
    };
    if of(content).is_none()
        && let Some(secret) = of(whole)
    {
        let mut context = content.message_context_info.take().unwrap_or_default();
        context.message_secret = Some(secret);
        content.message_context_info = MessageField::some(context);
    }
}

/// What answers to a message are encrypted under is for those who answer, not for those who are told of it.
const SECRETS: [&str; 2] = ["message_secret", "bot_message_secret"];

/// Takes secrets out, those of messages inside of it, too: quoted, edited, wrapped.
fn without_secrets(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                without_secrets(value);
                let empty = value.as_object().is_some_and(Map::is_empty);
                let bare = empty && name == "message_context_info";
                !bare && !SECRETS.contains(&name.as_str())
            });
        }
        Value::Array(items) => items.iter_mut().for_each(without_secrets),
        _ => {}
    }
}

/// A message without wrappers as subscribers see it.
pub(super) fn render(content: &wa::Message) -> Rendered {
    let mut message = match to_json(content) {
        Ok(Some(Value::Object(fields))) => fields,
        Ok(_) => Map::new(),
        Err(error) => {
            // Refusing it would have WhatsApp deliver it again for ever; the text is kept apart anyway.
            tracing::error!(%error, "a message has no JSON form; its event is without content");
            Map::new()
        }
    };
    // Key material of the group: whoever reads it could read the group.
    message.remove("sender_key_distribution_message");
    message.remove("fast_ratchet_key_sender_key_distribution_message");
    message.remove("group_root_key_share");
    message.remove("root_secret_distribute_message");
    let mut message = Value::Object(message);
    without_secrets(&mut message);
    Rendered {
        message,
        stanza_type: stanza_type_from_message(content).to_owned(),
        media_type: media_type_from_message(content)
            .unwrap_or_default()
            .to_owned(),
    }
}

/// The word of the stanza itself counts. (The library does not keep all of its attributes; senders derive
/// them from the content, and so do we.)
pub(super) fn stated(info: &MessageInfo, mut rendered: Rendered) -> Rendered {
    for (stated, field) in [
        (&info.r#type, &mut rendered.stanza_type),
        (&info.media_type, &mut rendered.media_type),
    ] {
        if !stated.is_empty() {
            field.clone_from(stated);
        }
    }
    rendered
}

/// The things that only WhatsApp tells.
pub(super) fn arrival(info: &MessageInfo, wrapping: Wrapping) -> Arrival {
    let flags = json!({
        "is_ephemeral": wrapping.ephemeral,
        "is_view_once": wrapping.view_once
            || wrapping.view_once_v2
            || wrapping.view_once_v2_extension,
        "is_view_once_v2": wrapping.view_once_v2,
        "is_view_once_v2_extension": wrapping.view_once_v2_extension,
        "is_document_with_caption": wrapping.document_with_caption,
        "is_lottie_sticker": wrapping.lottie_sticker,
        "is_bot_invoke": wrapping.bot_invoke,
        "is_edit": wrapping.edit || info.edit == EditAttribute::MessageEdit,
        "unavailable_request_id": info.unavailable_request_id.clone().unwrap_or_default(),
    });
    Arrival {
        info: fields(info_json(info)),
        flags: fields(flags),
    }
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

fn info_json(info: &MessageInfo) -> Value {
    let source = &info.source;
    let mode = match source.addressing_mode {
        Some(AddressingMode::Lid) => "lid",
        Some(AddressingMode::Pn) => "pn",
        None => "",
    };
    let meta = &info.meta_info;
    let text = |jid: &Option<whatsapp_rust::Jid>| {
        jid.as_ref()
            .map(whatsapp_rust::Jid::to_non_ad_string)
            .unwrap_or_default()
    };
    json!({
        "server_id": info.server_id,
        "addressing_mode": mode,
        "broadcast_list_owner": text(&source.broadcast_list_owner),
        "category": info.category.as_str(),
        "multicast": info.multicast,
        "edit": info.edit.as_str(),
        "msg_meta_info": {
            "target_id": meta.target_id.clone().unwrap_or_default(),
            "target_sender": text(&meta.target_sender),
            "target_chat": text(&meta.target_chat),
            "thread_message_id": meta.thread_message_id.clone().unwrap_or_default(),
            "thread_message_sender_jid": text(&meta.thread_message_sender_jid),
        },
        "verified_name": info
            .verified_name
            .as_ref()
            .and_then(|verified| verified.name.clone()),
        "device_sent_meta": info.device_sent_meta.as_ref().map(|sent| {
            json!({ "destination_jid": sent.destination_jid, "phash": sent.phash })
        }),
    })
}

pub(super) fn at(info: &MessageInfo) -> Timestamp {
    Timestamp(info.timestamp.timestamp_millis())
}

/// As subscribers see it. Its secret is for those who can vote or react: not theirs.
pub(super) fn render_kept(proto: &[u8]) -> Result<Rendered> {
    let message = wa::Message::decode_from_slice(proto).map_err(Error::internal)?;
    let mut content = unwrap(&message).0.clone();
    content.message_context_info = MessageField::none();
    Ok(render(&content))
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::waproto::buffa::MessageField;

    use super::*;

    fn wrapped(message: wa::Message) -> MessageField<wa::message::FutureProofMessage> {
        MessageField::some(wa::message::FutureProofMessage {
            message: MessageField::some(message),
        })
    }

    #[test]
    fn a_voice_note_inside_wrappers() {
        let voice = wa::Message {
            audio_message: MessageField::some(wa::message::AudioMessage {
                ptt: Some(true),
                mimetype: Some("audio/ogg".into()),
                media_key: Some(vec![0; 3]),
                ..Default::default()
            }),
            sender_key_distribution_message: MessageField::some(
                wa::message::SenderKeyDistributionMessage {
                    group_id: Some("120363@g.us".into()),
                    ..Default::default()
                },
            ),
            ..Default::default()
        };
        let message = wa::Message {
            ephemeral_message: wrapped(wa::Message {
                view_once_message_v2: wrapped(voice),
                ..Default::default()
            }),
            ..Default::default()
        };
        let (content, wrapping) = unwrap(&message);
        assert!(wrapping.ephemeral && wrapping.view_once_v2 && !wrapping.view_once);
        let info = MessageInfo {
            id: "3EB0AA".into(),
            ..Default::default()
        };
        let rendered = stated(&info, render(content));
        assert_eq!(rendered.stanza_type, "media");
        assert_eq!(rendered.media_type, "ptt");
        let message = rendered.message;
        assert_eq!(message["audio_message"]["media_key"], "AAAA");
        assert!(
            message.get("sender_key_distribution_message").is_none(),
            "key material is not told"
        );
        let flags = arrival(&info, wrapping).flags;
        assert_eq!(flags["is_ephemeral"], true);
        assert_eq!(flags["is_view_once"], true);
    }

    #[test]
    fn no_secret_is_rendered_and_none_is_lost() {
        let context = || {
            MessageField::some(wa::MessageContextInfo {
                message_secret: Some(vec![7; 32]),
                reporting_token_version: Some(2),
                ..Default::default()
            })
        };
        let quoted = wa::Message {
            conversation: Some("asked".into()),
            message_context_info: context(),
            ..Default::default()
        };
        let reply = wa::Message {
            extended_text_message: MessageField::some(wa::message::ExtendedTextMessage {
                context_info: MessageField::some(wa::ContextInfo {
                    quoted_message: MessageField::some(quoted),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let whole = wa::Message {
            message_context_info: context(),
            ephemeral_message: wrapped(reply),
            ..Default::default()
        };
        let (content, _) = unwrap(&whole);
        let mut content = content.clone();
        keep_secret(&whole, &mut content);
        let kept = content.message_context_info.as_option().expect("a context");
        assert_eq!(kept.message_secret.as_deref(), Some([7; 32].as_slice()));
        let message = render(&content).message;
        assert!(!message.to_string().contains("message_secret"), "{message}");
        assert!(message.get("message_context_info").is_none(), "{message}");
        let context = &message["extended_text_message"]["context_info"];
        let quoted = &context["quoted_message"];
        assert_eq!(quoted["conversation"], "asked");
        assert_eq!(quoted["message_context_info"]["reporting_token_version"], 2);
    }

    #[test]
    fn endless_wrapping_ends() {
        let mut message = wa::Message {
            conversation: Some("deep".into()),
            ..Default::default()
        };
        for _ in 0..100 {
            message = wa::Message {
                ephemeral_message: wrapped(message),
                ..Default::default()
            };
        }
        let (content, _) = unwrap(&message);
        assert!(content.conversation.is_none());
    }
}
