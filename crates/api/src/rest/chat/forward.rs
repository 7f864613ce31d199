//! Passing messages on.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, Named, SendOptions};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Queued, given};
use crate::{
    auth::{InstanceAccess, least::Developer},
    describe::Answer,
    error::Fail,
    extract::{Loose, Segment, some_whole, text_or_number},
    rest::{Envelope, enveloped},
};

#[derive(Deserialize, JsonSchema)]
pub struct ForwardBody {
    /// Who is to have it.
    #[serde(deserialize_with = "text_or_number")]
    #[schemars(with = "String", extend("pattern" = r"^\+?[1-9][0-9]{6,14}$"))]
    phone: String,
    /// The chat that the message is in. Need not be given: it is known by its id.
    #[serde(default)]
    chat: Option<String>,
    /// The caller's own id for the new message.
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
}

/// Passes a message on to another chat.
///
/// It goes as it is by now, whoever wrote it, without its quote and mentions. As in WhatsApp's own programs it is
/// marked as forwarded if somebody else wrote it, or it was marked already. Media are not uploaded anew: of old
/// ones WhatsApp may have nothing any more.
#[operation]
pub async fn forward(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, message_id)): Segment<(String, String)>,
    Loose(body): Loose<ForwardBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    let named = Named {
        message_id,
        chat: given(body.chat),
        ..Named::default()
    };
    let how = SendOptions {
        id: given(body.id),
        delay_ms: body.delay,
        valid_until: body.valid_until,
        ..Default::default()
    };
    let messages = app.messages();
    let accepted = messages.forward(&access.granted, &named, body.phone, how);
    Ok(enveloped(accepted.await?.into()))
}
