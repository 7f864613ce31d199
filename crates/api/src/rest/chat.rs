//! What is sent into chats.

use axum::extract::State;
use recado_app::SendText;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Shared,
    auth::{InstanceAccess, least::Developer},
    describe::Answer,
    error::Fail,
    extract::{Json, Names, text_or_number},
};

use super::{Envelope, enveloped};

#[derive(Deserialize, JsonSchema)]
pub struct TextBody {
    #[serde(deserialize_with = "text_or_number")]
    #[schemars(with = "String", extend("pattern" = r"^\+?[1-9][0-9]{6,14}$"))]
    phone: String,
    #[schemars(length(min = 1))]
    message: String,
    /// The caller's own message id.
    #[serde(default)]
    id: Option<String>,
    /// Milliseconds.
    #[serde(default)]
    #[schemars(range(min = 0, max = 86_400_000))]
    delay: Option<i64>,
    #[serde(default, alias = "mentionedIds")]
    mentioned_ids: Option<Names>,
    #[serde(default, alias = "replyToMessageId")]
    reply_to_message_id: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Queued {
    message_id: String,
}

pub async fn send_text(
    InstanceAccess {
        caller, instance, ..
    }: InstanceAccess<Developer>,
    State(shared): State<Shared>,
    Json(body): Json<TextBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let text = SendText {
        phone: body.phone,
        message: body.message,
        id: given(body.id),
        delay_ms: body.delay,
        mentioned_ids: body.mentioned_ids.map(|Names(ids)| ids).unwrap_or_default(),
        reply_to_message_id: given(body.reply_to_message_id),
        once_in_account: false,
    };
    let id = shared
        .app
        .messages()
        .send_text(&caller, &instance, text)
        .await?;
    Ok(enveloped(Queued {
        message_id: id.as_str().to_owned(),
    }))
}
