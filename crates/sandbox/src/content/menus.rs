//! Things to choose from in WhatsApp's own form, and the taps on them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use waproto::whatsapp::message::interactive_message::{
    InteractiveMessage as Form, native_flow_message::NativeFlowButton,
};
use waproto::whatsapp::message::interactive_response_message::{
    Body, InteractiveResponseMessage as Answered, NativeFlowResponseMessage,
};
use waproto::whatsapp::message::{InteractiveMessage, InteractiveResponseMessage};
use waproto::whatsapp::{ContextInfo, Message};

use super::{Detail, Shown};

/// Buttons or a list, as a chat shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Above its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Below its text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    /// Of a list: what opens it. Buttons have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub button: Option<String>,
    /// What can be tapped.
    pub options: Vec<Tappable>,
}

/// A button, or a row of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tappable {
    /// What an answer names.
    pub id: String,
    /// What is read on it.
    pub text: String,
    /// Of a row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The part of the list that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
}

/// A tap on one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tap {
    /// Of the message with the options.
    pub message_id: String,
    /// Of the option.
    pub option_id: String,
    /// What is read on it, as the phone shows it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// An option that the phone does not show, as a program of one's own may say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forged: bool,
}

impl Offer {
    /// The tap with its words; `None` where there is no such option.
    pub(crate) fn tapped(&self, tap: &Tap) -> Option<Tap> {
        let option = self.options.iter().find(|one| one.id == tap.option_id)?;
        Some(Tap {
            text: option.text.clone(),
            ..tap.clone()
        })
    }

    /// `None` where a phone shows nothing of it.
    fn of(message: &InteractiveMessage) -> Option<Self> {
        let Some(Form::NativeFlowMessage(flow)) = &message.interactive_message else {
            return None;
        };
        let header = message.header.as_option();
        let footer = message.footer.as_option();
        let mut offer = Self {
            title: header.and_then(|header| header.title.clone()),
            footer: footer.and_then(|footer| footer.text.clone()),
            ..Self::default()
        };
        for button in &flow.buttons {
            offer.add(button)?;
        }
        Some(offer)
    }

    fn add(&mut self, button: &NativeFlowButton) -> Option<()> {
        let params: Value = serde_json::from_str(button.button_params_json.as_deref()?).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match button.name.as_deref()? {
            "quick_reply" => self.options.push(Tappable {
                id: text(&params["id"])?,
                text: text(&params["display_text"])?,
                ..Tappable::default()
            }),
            "single_select" => {
                self.button = Some(text(&params["title"])?);
                for section in params["sections"].as_array()? {
                    for row in section["rows"].as_array()? {
                        self.options.push(Tappable {
                            id: text(&row["id"])?,
                            text: text(&row["title"])?,
                            description: text(&row["description"]).filter(|text| !text.is_empty()),
                            section: text(&section["title"]).filter(|text| !text.is_empty()),
                        });
                    }
                }
            }
            // Links, calls and what else there is open something; they answer nothing.
            _ => {}
        }
        Some(())
    }
}

/// The message as apps encode it.
pub(super) fn tap(tap: &Tap) -> Message {
    let params = json!({"id": tap.option_id}).to_string();
    let flow = NativeFlowResponseMessage {
        name: Some("quick_reply".to_owned()),
        params_json: Some(params),
        version: Some(3),
    };
    let body = Body {
        text: Some(tap.text.clone()),
        ..Default::default()
    };
    let context = ContextInfo {
        stanza_id: Some(tap.message_id.clone()),
        ..Default::default()
    };
    Message {
        interactive_response_message: buffa::MessageField::some(InteractiveResponseMessage {
            body: buffa::MessageField::some(body),
            context_info: buffa::MessageField::some(context),
            interactive_response_message: Some(Answered::NativeFlowResponseMessage(Box::new(flow))),
        }),
        ..Default::default()
    }
}

/// Of a message without its wrappers.
pub(super) fn describe(content: &Message) -> Option<Shown> {
    if let Some(answer) = content.interactive_response_message.as_option() {
        return of_tap(answer);
    }
    let message = content.interactive_message.as_option()?;
    let body = message.body.as_option().and_then(|body| body.text.clone());
    Some(Shown {
        kind: "menu",
        text: body.unwrap_or_default(),
        detail: Detail {
            menu: Some(Offer::of(message)?),
            ..Detail::default()
        },
    })
}

fn of_tap(answer: &InteractiveResponseMessage) -> Option<Shown> {
    let Answered::NativeFlowResponseMessage(flow) = answer.interactive_response_message.as_ref()?;
    let params: Value = serde_json::from_str(flow.params_json.as_deref()?).ok()?;
    let text = answer.body.as_option().and_then(|body| body.text.clone());
    let tap = Tap {
        message_id: answer.context_info.as_option()?.stanza_id.clone()?,
        option_id: params["id"].as_str()?.to_owned(),
        text: text.unwrap_or_default(),
        forged: false,
    };
    Some(Shown {
        kind: "tap",
        text: tap.text.clone(),
        detail: Detail {
            tap: Some(tap),
            ..Detail::default()
        },
    })
}
