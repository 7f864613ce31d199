//! Plain texts, and taps on buttons and lists of a business message, which say a text.

use recado_model::{ContentKind, content::Text};
use whatsapp_rust::waproto::{
    buffa::MessageField,
    whatsapp::{self as wa, message::buttons_response_message::Response},
};

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
    } else if let Some(answer) = message.list_response_message.as_option() {
        answer.title.clone()
    } else if let Some(answer) = message.template_button_reply_message.as_option() {
        answer.selected_display_text.clone()
    } else if let Some(answer) = message.buttons_response_message.as_option() {
        // What the button said; its id is for programs.
        let shown = answer.response.clone();
        let shown = shown.map(|Response::SelectedDisplayText(text)| text);
        shown.or_else(|| answer.selected_button_id.clone())
    } else if let Some(answer) = message.interactive_response_message.as_option() {
        answer.body.as_option().and_then(|body| body.text.clone())
    } else {
        return None;
    };
    some(ContentKind::Text, text)
}

#[cfg(test)]
mod tests {
    use wa::message;

    use super::*;

    #[test]
    fn a_tap_is_what_the_button_or_the_row_said() {
        let button = |shown: Option<&str>| wa::Message {
            buttons_response_message: MessageField::some(message::ButtonsResponseMessage {
                selected_button_id: Some("buy".into()),
                response: shown.map(|text| Response::SelectedDisplayText(text.into())),
                ..Default::default()
            }),
            ..Default::default()
        };
        let row = wa::Message {
            list_response_message: MessageField::some(message::ListResponseMessage {
                title: Some("Soup".into()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let body = message::interactive_response_message::Body {
            text: Some("Yes".into()),
            ..Default::default()
        };
        let flow = wa::Message {
            interactive_response_message: MessageField::some(message::InteractiveResponseMessage {
                body: MessageField::some(body),
                ..Default::default()
            }),
            ..Default::default()
        };
        for (message, expected) in [
            (button(Some("Buy it")), "Buy it"),
            (button(None), "buy"),
            (row, "Soup"),
            (flow, "Yes"),
        ] {
            let read = read(&message).expect("a text");
            assert_eq!(read.kind, ContentKind::Text);
            assert_eq!(read.text.as_deref(), Some(expected));
        }
    }
}
