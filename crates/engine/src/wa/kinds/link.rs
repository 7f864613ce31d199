//! Texts with a preview of what they link to.

use recado_model::content::Link;
use whatsapp_rust::waproto::{buffa::MessageField, whatsapp as wa};

use super::context;

pub(super) fn make(link: &Link, context: Option<wa::ContextInfo>) -> wa::Message {
    wa::Message {
        extended_text_message: MessageField::some(wa::message::ExtendedTextMessage {
            text: Some(link.text.as_str().to_owned()),
            matched_text: Some(link.url.clone()),
            title: link.title.clone(),
            description: link.description.clone(),
            jpeg_thumbnail: link.picture.clone(),
            context_info: context::field(context),
            ..Default::default()
        }),
        ..Default::default()
    }
}
