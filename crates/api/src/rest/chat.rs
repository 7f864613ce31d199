//! What is sent into chats.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{MessageView, SendText};
use recado_model::MessageId;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Shared,
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::{Answer, Rfc3339},
    error::Fail,
    extract::{Loose, Names, Segment, some_whole, text_or_number},
    shapes::message::{no_such_message, statuses},
};

use super::{Envelope, enveloped};

#[derive(Deserialize, JsonSchema)]
pub struct TextBody {
    #[serde(deserialize_with = "text_or_number")]
    #[schemars(with = "String", extend("pattern" = r"^\+?[1-9][0-9]{6,14}$"))]
    phone: String,
    #[schemars(length(min = 1, max = 65_536))]
    message: String,
    /// The caller's own message id.
    #[serde(default)]
    id: Option<String>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "some_whole")]
    #[schemars(range(min = 0, max = 86_400_000))]
    delay: Option<i64>,
    /// RFC 3339. A message whose first try has not begun by then is not sent any more: it has failed.
    #[serde(default, alias = "validUntil")]
    #[schemars(extend("format" = "date-time"))]
    valid_until: Option<String>,
    #[serde(default, alias = "mentionedIds")]
    mentioned_ids: Option<Names>,
    #[serde(default, alias = "replyToMessageId")]
    reply_to_message_id: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct Queued {
    message_id: String,
}

/// Queues a text message to a phone.
///
/// It is stored before this is answered, and then sent in order. `delay` holds it back, `valid_until`
/// gives it up.
#[operation]
pub async fn send_text(
    InstanceAccess {
        caller, instance, ..
    }: InstanceAccess<Developer>,
    State(shared): State<Shared>,
    Loose(body): Loose<TextBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let text = SendText {
        phone: body.phone,
        message: body.message,
        id: given(body.id),
        delay_ms: body.delay,
        valid_until: body.valid_until,
        mentioned_ids: body.mentioned_ids.map(|Names(ids)| ids).unwrap_or_default(),
        reply_to_message_id: given(body.reply_to_message_id),
        once_in_account: false,
    };
    let accepted = shared
        .app
        .messages()
        .send_text(&caller, &instance, text)
        .await?;
    Ok(enveloped(Queued {
        message_id: accepted.id.as_str().to_owned(),
    }))
}

#[derive(Serialize, JsonSchema)]
pub struct StatusBody {
    message_id: String,
    /// A person's or group's WhatsApp address.
    chat: String,
    /// `text`, `image`, …
    kind: String,
    /// Sent by this number.
    is_from_me: bool,
    /// `queued`, `sending`, `sent`, `delivered` and `read`; `unconfirmed` and `failed` are over.
    #[schemars(schema_with = "statuses")]
    status: &'static str,
    /// A failed one: WhatsApp's number, or a word of ours.
    code: Option<String>,
    /// A failed one: what the code means.
    meaning: Option<String>,
    /// A failed one: what helps.
    what_to_do: Option<&'static str>,
    /// Unique in the account; `null` of what was not sent over this gateway.
    queue_id: Option<i64>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
}

impl From<MessageView> for StatusBody {
    fn from(view: MessageView) -> Self {
        let (code, meaning, what_to_do) = view.why();
        Self {
            message_id: view.id.as_str().to_owned(),
            chat: view.chat,
            kind: view.kind,
            is_from_me: view.from_me,
            status: view.status.as_str(),
            code,
            meaning,
            what_to_do,
            queue_id: view.queue_id,
            created_at: Rfc3339(view.created_at),
            updated_at: Rfc3339(view.updated_at),
        }
    }
}

/// Tells how far a message got.
#[operation]
pub async fn read_message(
    InstanceAccess {
        caller, instance, ..
    }: InstanceAccess<Viewer>,
    State(shared): State<Shared>,
    Segment((_, id)): Segment<(String, String)>,
) -> Result<Answer<Envelope<StatusBody>>, Fail> {
    let id = MessageId::from_wire(id);
    let found = shared.app.messages().find(&caller, &instance, &id).await?;
    let view = found.ok_or_else(no_such_message)?;
    Ok(enveloped(view.into()))
}
