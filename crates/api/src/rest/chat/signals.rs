//! What a chat is told beside messages: that somebody writes, and that something was read.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_model::{Error, Result, message::TypingState};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::given;
use crate::{
    auth::{InstanceAccess, least::Developer},
    describe::Answer,
    error::Fail,
    extract::{Loose, Names, text_or_number},
    rest::{Envelope, enveloped},
};

/// What was done, in words.
#[derive(Serialize, JsonSchema)]
pub struct Done {
    details: &'static str,
}

#[derive(Deserialize, JsonSchema)]
pub struct PresenceBody {
    #[serde(deserialize_with = "text_or_number")]
    #[schemars(with = "String", extend("pattern" = r"^\+?[1-9][0-9]{6,14}$"))]
    phone: String,
    /// `composing`, `recording` or `paused`.
    #[serde(default)]
    #[schemars(extend("enum" = ["composing", "recording", "paused"]))]
    state: String,
    /// `audio` with `composing` is `recording`.
    #[serde(default)]
    #[schemars(extend("enum" = ["audio", ""]))]
    media: Option<String>,
}

impl PresenceBody {
    /// In whatever case; and the words that people use for the same.
    fn shown(&self) -> Result<TypingState> {
        let media = given(self.media.clone()).map(|media| media.to_lowercase());
        let records = match media.as_deref() {
            None | Some("text") => false,
            Some("audio") => true,
            Some(_) => {
                let text = "media is audio, or left out";
                return Err(Error::field("media", text));
            }
        };
        match self.state.trim().to_lowercase().as_str() {
            "composing" | "typing" if records => Ok(TypingState::Recording),
            "composing" | "typing" => Ok(TypingState::Composing),
            "recording" => Ok(TypingState::Recording),
            "paused" | "stopped" => Ok(TypingState::Paused),
            "" => Err(Error::field(
                "state",
                "state is required: composing, recording or paused",
            )),
            _ => Err(Error::field(
                "state",
                "state is one of composing, recording and paused",
            )),
        }
    }
}

/// Shows a chat that this number writes or records.
///
/// Phones show it for some seconds, or until it is `paused`. It is not queued: an instance that is offline
/// answers 409.
#[operation]
pub async fn presence(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<PresenceBody>,
) -> Result<Answer<Envelope<Done>>, Fail> {
    let state = body.shown()?;
    let messages = app.messages();
    messages
        .show_typing(&access.granted, &body.phone, state)
        .await?;
    let details = match state {
        TypingState::Composing => "The chat shows that you are writing.",
        TypingState::Recording => "The chat shows that you are recording.",
        TypingState::Paused => "The chat shows that you have stopped.",
    };
    Ok(enveloped(Done { details }))
}

#[derive(Deserialize, JsonSchema)]
pub struct ReadBody {
    /// The ids of the messages that were read, 1 to 1000.
    #[serde(default = "none")]
    id: Names,
    /// Where they were written: a number, or the address of a person or group.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schemars(with = "String", length(min = 1))]
    chat: String,
    /// Who wrote them. Need not be given: the messages are known.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schemars(with = "Option<String>")]
    sender: String,
}

fn none() -> Names {
    Names(Vec::new())
}

/// Tells senders that you have read their messages.
///
/// It is not queued: an instance that is offline answers 409.
#[operation]
pub async fn mark_read(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ReadBody>,
) -> Result<Answer<Envelope<Done>>, Fail> {
    if body.chat.is_empty() {
        let text = "chat is required: where the messages were written";
        return Err(Error::field("chat", text).into());
    }
    let (sender, Names(ids)) = (given(Some(body.sender)), body.id);
    let messages = app.messages();
    messages
        .mark_read(&access.granted, &body.chat, sender.as_deref(), &ids)
        .await?;
    let details = "The messages are marked as read.";
    Ok(enveloped(Done { details }))
}
