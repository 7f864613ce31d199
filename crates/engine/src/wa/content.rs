//! What a message is: its kind, and the text a person would read.

use whatsapp_rust::waproto::whatsapp::{self as wa, message::protocol_message::Type};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// `text`, `image`, `video`, `audio`, `document`, `sticker`, `location`, `contact`, `poll`,
    /// `reaction`, `edit`, `revoke` or `other`.
    pub kind: &'static str,
    pub text: Option<String>,
}

/// `None` for what only devices say to each other (keys, sync, receipts in message form): no person
/// ever sees it, so neither do subscribers. Takes the message without its wrappers.
pub(super) fn of(message: &wa::Message) -> Option<Content> {
    let content = |kind: &'static str, text: Option<String>| {
        Some(Content {
            kind,
            text: text.filter(|text| !text.is_empty()),
        })
    };
    if let Some(text) = &message.conversation {
        return content("text", Some(text.clone()));
    }
    if let Some(text) = message.extended_text_message.as_option() {
        return content("text", text.text.clone());
    }
    if let Some(image) = message.image_message.as_option() {
        return content("image", image.caption.clone());
    }
    for video in [&message.video_message, &message.ptv_message] {
        if let Some(video) = video.as_option() {
            return content("video", video.caption.clone());
        }
    }
    if message.audio_message.is_set() {
        return content("audio", None);
    }
    if let Some(document) = message.document_message.as_option() {
        let caption = document.caption.clone();
        return content("document", caption.or_else(|| document.file_name.clone()));
    }
    if message.sticker_message.is_set() {
        return content("sticker", None);
    }
    if let Some(location) = message.location_message.as_option() {
        let name = location.name.clone();
        return content("location", name.or_else(|| location.address.clone()));
    }
    if let Some(location) = message.live_location_message.as_option() {
        return content("location", location.caption.clone());
    }
    if let Some(contact) = message.contact_message.as_option() {
        return content("contact", contact.display_name.clone());
    }
    if let Some(contacts) = message.contacts_array_message.as_option() {
        return content("contact", contacts.display_name.clone());
    }
    for poll in [
        &message.poll_creation_message,
        &message.poll_creation_message_v2,
        &message.poll_creation_message_v3,
        &message.poll_creation_message_v5,
        &message.poll_creation_message_v6,
    ] {
        if let Some(poll) = poll.as_option() {
            return content("poll", poll.name.clone());
        }
    }
    if let Some(reaction) = message.reaction_message.as_option() {
        return content("reaction", reaction.text.clone());
    }
    if let Some(protocol) = message.protocol_message.as_option() {
        return of_protocol(protocol);
    }
    of_answer(message).or_else(|| {
        is_anything(message).then_some(Content {
            kind: "other",
            text: None,
        })
    })
}

fn of_protocol(protocol: &wa::message::ProtocolMessage) -> Option<Content> {
    match protocol.r#type {
        Some(Type::REVOKE) => Some(Content {
            kind: "revoke",
            text: None,
        }),
        Some(Type::MESSAGE_EDIT) => Some(Content {
            kind: "edit",
            text: protocol
                .edited_message
                .as_option()
                .and_then(of)
                .and_then(|content| content.text),
        }),
        Some(Type::EPHEMERAL_SETTING | Type::SHARE_PHONE_NUMBER | Type::LIMIT_SHARING) => {
            Some(Content {
                kind: "other",
                text: None,
            })
        }
        _ => None,
    }
}

/// A tap on a button or list of a business message.
fn of_answer(message: &wa::Message) -> Option<Content> {
    let text = if let Some(answer) = message.list_response_message.as_option() {
        answer.title.clone()
    } else if let Some(answer) = message.template_button_reply_message.as_option() {
        answer.selected_display_text.clone()
    } else if let Some(answer) = message.buttons_response_message.as_option() {
        answer.selected_button_id.clone()
    } else {
        return None;
    };
    Some(Content { kind: "text", text })
}

/// Whether anything is left beside the key material that rides along with messages.
fn is_anything(message: &wa::Message) -> bool {
    let mut rest = message.clone();
    rest.sender_key_distribution_message = Default::default();
    rest.fast_ratchet_key_sender_key_distribution_message = Default::default();
    rest.group_root_key_share = Default::default();
    rest.root_secret_distribute_message = Default::default();
    rest.message_context_info = Default::default();
    rest != wa::Message::default()
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::waproto::buffa::MessageField;

    use super::*;

    #[test]
    fn kinds_and_texts() {
        let text = wa::Message {
            conversation: Some("hello".into()),
            ..Default::default()
        };
        let image = wa::Message {
            image_message: MessageField::some(wa::message::ImageMessage {
                caption: Some("look".into()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let revoke = wa::Message {
            protocol_message: MessageField::some(wa::message::ProtocolMessage {
                r#type: Some(Type::REVOKE),
                ..Default::default()
            }),
            ..Default::default()
        };
        let edit = wa::Message {
            protocol_message: MessageField::some(wa::message::ProtocolMessage {
                r#type: Some(Type::MESSAGE_EDIT),
                edited_message: MessageField::some(text.clone()),
                ..Default::default()
            }),
            ..Default::default()
        };
        for (message, kind, read) in [
            (&text, "text", Some("hello")),
            (&image, "image", Some("look")),
            (&revoke, "revoke", None),
            (&edit, "edit", Some("hello")),
        ] {
            let content = of(message).expect("content");
            assert_eq!((content.kind, content.text.as_deref()), (kind, read));
        }
    }

    #[test]
    fn what_devices_say_to_each_other_is_no_message() {
        let keys = wa::Message {
            sender_key_distribution_message: MessageField::some(
                wa::message::SenderKeyDistributionMessage {
                    group_id: Some("120363@g.us".into()),
                    ..Default::default()
                },
            ),
            ..Default::default()
        };
        assert_eq!(of(&keys), None);
        let sync = wa::Message {
            protocol_message: MessageField::some(wa::message::ProtocolMessage {
                r#type: Some(Type::APP_STATE_SYNC_KEY_SHARE),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(of(&sync), None);
        assert_eq!(of(&wa::Message::default()), None);
    }
}
