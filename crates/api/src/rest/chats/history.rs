//! Older messages of a chat, which the phone has and the gateway does not.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, AskedHistory};
use recado_model::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    auth::{InstanceAccess, least::Developer},
    describe::{Rfc3339, Taken},
    error::Fail,
    extract::{Loose, Segment, some_whole},
};

const DEFAULT_COUNT: i64 = 50;
const MOST: i64 = 500;

#[derive(Deserialize, JsonSchema)]
pub struct OlderBody {
    /// How many messages, 1 to 500; left out, or 0: 50.
    #[serde(default, deserialize_with = "some_whole")]
    #[schemars(range(min = 0, max = 500))]
    count: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
pub struct AskedBody {
    #[schemars(extend("const" = "requested"))]
    status: &'static str,
    /// In the `HistorySync` event of the answer it is `request_id`.
    request_id: String,
    /// The oldest message here: older ones were asked for.
    before_message_id: String,
    before: Rfc3339,
}

impl From<AskedHistory> for AskedBody {
    fn from(asked: AskedHistory) -> Self {
        Self {
            status: "requested",
            request_id: asked.request,
            before_message_id: asked.before.id.as_str().to_owned(),
            before: Rfc3339(asked.before.at),
        }
    }
}

/// Asks the phone for older messages of a chat.
///
/// The answer is that it was asked. What it sends comes later, with a `HistorySync` event, and is then in the chat's
/// messages; the phone must be online, and may never answer. It is not queued: an instance that is offline answers 409,
/// and so do one whose setting `history` is `off` and a chat without any message.
#[operation]
pub async fn ask_for_older(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, phone)): Segment<(String, String)>,
    Loose(body): Loose<OlderBody>,
) -> Result<Taken<AskedBody>, Fail> {
    let count = match body.count.unwrap_or(0) {
        0 => DEFAULT_COUNT,
        count @ 1..=MOST => count,
        _ => return Err(Error::field("count", "count is 1 to 500, or 0 for 50").into()),
    };
    let chats = app.chats();
    let asked = chats.ask_for_older(&access.granted, &phone, count as u32);
    Ok(Taken(asked.await?.into()))
}
