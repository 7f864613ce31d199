//! Things to choose from in WhatsApp's own form, in every form that businesses use, and the taps on them.

use recado_model::{
    ContentKind, MessageId,
    content::{Menu, MenuOption, NativeList, NativeMenu, Section, Tap},
};
use serde_json::{Value, json};
use whatsapp_rust::waproto::{
    buffa::MessageField,
    whatsapp::{
        self as wa, ContextInfo,
        message::{
            InteractiveMessage, InteractiveResponseMessage, TemplateMessage,
            buttons_response_message::Response,
            interactive_message::{
                Body, Footer, Header, InteractiveMessage as Form, NativeFlowMessage,
                native_flow_message::NativeFlowButton,
            },
            interactive_response_message::InteractiveResponseMessage as Answered,
            template_message::Format,
        },
    },
};

use super::{Read, context, some, text};

/// A numbered text, or a native flow: the older forms are refused by the server, or seen by nobody.
pub(super) fn make(menu: &Menu, context: Option<ContextInfo>) -> wa::Message {
    let Some(native) = &menu.native else {
        return text::make(&menu.text, context);
    };
    let header = native.title.clone().map(|title| Header {
        title: Some(title),
        has_media_attachment: Some(false),
        ..Default::default()
    });
    let footer = native.footer.clone().map(|text| Footer {
        text: Some(text),
        ..Default::default()
    });
    let flow = NativeFlowMessage {
        buttons: buttons(native, &menu.options),
        message_version: Some(1),
        ..Default::default()
    };
    wa::Message {
        interactive_message: MessageField::some(InteractiveMessage {
            header: header.map_or_else(MessageField::none, MessageField::some),
            body: MessageField::some(Body {
                text: Some(native.body.clone()),
            }),
            footer: footer.map_or_else(MessageField::none, MessageField::some),
            context_info: context::field(context),
            interactive_message: Some(Form::NativeFlowMessage(Box::new(flow))),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn buttons(native: &NativeMenu, options: &[MenuOption]) -> Vec<NativeFlowButton> {
    let button = |name: &str, what: &Value| NativeFlowButton {
        name: Some(name.to_owned()),
        button_params_json: Some(what.to_string()),
    };
    let reply = |option: &MenuOption| {
        let what = json!({"display_text": option.text, "id": option.id});
        button("quick_reply", &what)
    };
    match &native.list {
        None => options.iter().map(reply).collect(),
        Some(list) => vec![button("single_select", &select(list))],
    }
}

fn select(list: &NativeList) -> Value {
    let rows = |section: &Section| -> Vec<Value> {
        let rows = section.rows.iter();
        rows.map(|row| {
            let description = row.description.as_deref().unwrap_or_default();
            json!({"header": "", "title": row.title, "description": description, "id": row.id})
        })
        .collect()
    };
    let sections = list.sections.iter();
    let sections: Vec<Value> = sections
        .map(|section| {
            let title = section.title.as_deref().unwrap_or_default();
            json!({"title": title, "rows": rows(section)})
        })
        .collect();
    json!({"title": list.button_text, "sections": sections})
}

/// A tap says a text, and so does what is to be chosen from.
pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let text = offered(message).or_else(|| tapped(message))?;
    some(ContentKind::Text, text)
}

/// `None` where nothing is to be chosen, `Some(None)` where nothing is to be read of it.
fn offered(message: &wa::Message) -> Option<Option<String>> {
    if let Some(flow) = message.interactive_message.as_option() {
        return Some(body(flow));
    }
    if let Some(buttons) = message.buttons_message.as_option() {
        return Some(buttons.content_text.clone());
    }
    if let Some(list) = message.list_message.as_option() {
        return Some(list.description.clone().or_else(|| list.title.clone()));
    }
    let template = message.template_message.as_option()?;
    Some(of_template(template))
}

fn body(flow: &InteractiveMessage) -> Option<String> {
    let body = flow.body.as_option().and_then(|body| body.text.clone());
    body.or_else(|| flow.header.as_option()?.title.clone())
}

fn of_template(template: &TemplateMessage) -> Option<String> {
    let hydrated = template.hydrated_template.as_option();
    if let Some(hydrated) = hydrated {
        return hydrated.hydrated_content_text.clone();
    }
    match template.format.as_ref()? {
        Format::HydratedFourRowTemplate(four) => four.hydrated_content_text.clone(),
        Format::InteractiveMessageTemplate(flow) => body(flow),
        Format::FourRowTemplate(_) => None,
    }
}

fn tapped(message: &wa::Message) -> Option<Option<String>> {
    if let Some(answer) = message.interactive_response_message.as_option() {
        let body = answer.body.as_option();
        return Some(body.and_then(|body| body.text.clone()));
    }
    if let Some(answer) = message.list_response_message.as_option() {
        return Some(answer.title.clone());
    }
    if let Some(answer) = message.template_button_reply_message.as_option() {
        return Some(answer.selected_display_text.clone());
    }
    let answer = message.buttons_response_message.as_option()?;
    let words = answer.response.as_ref();
    let words = words.map(|Response::SelectedDisplayText(words)| words.clone());
    Some(words.or_else(|| answer.selected_button_id.clone()))
}

/// The option of a menu that was tapped, in whichever form; of a message without wrappers.
pub(super) fn tap(message: &wa::Message) -> Option<Tap> {
    let (context, id) = if let Some(answer) = message.interactive_response_message.as_option() {
        (&answer.context_info, flow_id(answer))
    } else if let Some(answer) = message.list_response_message.as_option() {
        let reply = answer.single_select_reply.as_option();
        let id = reply.and_then(|reply| reply.selected_row_id.clone());
        (&answer.context_info, id)
    } else if let Some(answer) = message.template_button_reply_message.as_option() {
        (&answer.context_info, answer.selected_id.clone())
    } else {
        let answer = message.buttons_response_message.as_option()?;
        (&answer.context_info, answer.selected_button_id.clone())
    };
    let menu = context.as_option()?.stanza_id.clone()?;
    Some(Tap {
        menu: MessageId::from_wire(menu),
        option_id: id?,
    })
}

fn flow_id(answer: &InteractiveResponseMessage) -> Option<String> {
    let Answered::NativeFlowResponseMessage(flow) = answer.interactive_response_message.as_ref()?;
    let params: Value = serde_json::from_str(flow.params_json.as_deref()?).ok()?;
    params["id"].as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use recado_model::{
        Timestamp,
        content::{Content, Heading, Row},
        message::Draft,
    };
    use whatsapp_rust::waproto::{
        buffa::Message as _,
        whatsapp::message::{
            ButtonsResponseMessage, ListResponseMessage, TemplateButtonReplyMessage,
            interactive_response_message::{Body as AnswerBody, NativeFlowResponseMessage},
            list_response_message::SingleSelectReply,
        },
    };

    use super::*;

    fn made(menu: Menu) -> wa::Message {
        let draft = Draft {
            content: Content::Menu(menu),
            mentioned: Vec::new(),
            reply_to: None,
            expires: None,
            at: Timestamp(1),
        };
        let bytes = super::super::compose(&draft, &[1; 32]);
        wa::Message::decode_from_slice(&bytes).expect("decodes")
    }

    fn flow(message: &wa::Message) -> Vec<(String, Value)> {
        let flow = message.interactive_message.as_option().expect("a flow");
        let Some(Form::NativeFlowMessage(flow)) = &flow.interactive_message else {
            panic!("no native flow: {flow:?}");
        };
        let buttons = flow.buttons.iter().map(|button| {
            let params = button.button_params_json.as_deref().expect("parameters");
            let name = button.name.clone().expect("a name");
            (name, serde_json::from_str(params).expect("JSON"))
        });
        buttons.collect()
    }

    #[test]
    fn a_native_menu_has_its_parts_and_a_text_has_none() {
        let buttons = vec![("yes".into(), "Yes".into()), (String::new(), "No".into())];
        let menu = Menu::of_buttons("Tea?", buttons, Some("Tea house")).expect("a menu");
        let native = made(menu.clone());
        let read = super::super::read(&native).expect("a content");
        assert_eq!(read.text.as_deref(), Some("Tea?"));
        let reply = |text: &str, id: &str| {
            let params = json!({"display_text": text, "id": id});
            ("quick_reply".to_owned(), params)
        };
        assert_eq!(flow(&native), [reply("Yes", "yes"), reply("No", "2")]);
        let text = made(menu.as_text());
        assert!(!text.interactive_message.is_set());
        assert!(text.conversation.is_some());
    }

    #[test]
    fn a_native_list_names_its_rows() {
        let heading = Heading {
            title: "Menu".into(),
            description: "What?".into(),
            button_text: "Choose".into(),
            footer: None,
        };
        let row = Row {
            id: "tea".into(),
            title: "Tea".into(),
            description: Some("green".into()),
        };
        let section = Section {
            title: Some("Hot".into()),
            rows: vec![row],
        };
        let list = made(Menu::of_list(&heading, vec![section]).expect("a menu"));
        let row = json!({"header": "", "title": "Tea", "description": "green", "id": "tea"});
        let params = json!({"title": "Choose", "sections": [{"title": "Hot", "rows": [row]}]});
        assert_eq!(flow(&list), [("single_select".to_owned(), params)]);
    }

    #[test]
    fn a_tap_is_read_in_every_form() {
        let context = || {
            MessageField::some(ContextInfo {
                stanza_id: Some("MENU".into()),
                ..Default::default()
            })
        };
        let params = NativeFlowResponseMessage {
            params_json: Some(r#"{"id":"yes"}"#.into()),
            ..Default::default()
        };
        let flow = wa::Message {
            interactive_response_message: MessageField::some(InteractiveResponseMessage {
                context_info: context(),
                interactive_response_message: Some(Answered::NativeFlowResponseMessage(Box::new(
                    params,
                ))),
                ..Default::default()
            }),
            ..Default::default()
        };
        let list = wa::Message {
            list_response_message: MessageField::some(ListResponseMessage {
                context_info: context(),
                single_select_reply: MessageField::some(SingleSelectReply {
                    selected_row_id: Some("yes".into()),
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let template = wa::Message {
            template_button_reply_message: MessageField::some(TemplateButtonReplyMessage {
                context_info: context(),
                selected_id: Some("yes".into()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let button = ButtonsResponseMessage {
            context_info: context(),
            selected_button_id: Some("yes".into()),
            response: Some(Response::SelectedDisplayText("Yes".into())),
            ..Default::default()
        };
        let button = wa::Message {
            buttons_response_message: MessageField::some(button),
            ..Default::default()
        };
        let expected = Tap {
            menu: MessageId::from_wire("MENU"),
            option_id: "yes".into(),
        };
        for message in [flow, list, template, button.clone()] {
            assert_eq!(tap(&message), Some(expected.clone()), "{message:?}");
            assert!(super::super::read(&message).is_some());
        }
        let read = super::super::read(&button).and_then(|read| read.text);
        assert_eq!(read.as_deref(), Some("Yes"), "the words, and not the id");
    }

    #[test]
    fn a_tap_is_what_the_button_or_the_row_said() {
        let button = |shown: Option<&str>| wa::Message {
            buttons_response_message: MessageField::some(ButtonsResponseMessage {
                selected_button_id: Some("buy".into()),
                response: shown.map(|text| Response::SelectedDisplayText(text.into())),
                ..Default::default()
            }),
            ..Default::default()
        };
        let row = wa::Message {
            list_response_message: MessageField::some(ListResponseMessage {
                title: Some("Soup".into()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let body = AnswerBody {
            text: Some("Yes".into()),
            ..Default::default()
        };
        let flow = wa::Message {
            interactive_response_message: MessageField::some(InteractiveResponseMessage {
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
