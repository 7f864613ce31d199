//! The Direct API: one instance, one `sk_` key, few routes. Its contract calls the instance a session.

use std::sync::Arc;

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, NewDirectInstance, QrAnswer, SendMessage, SendOptions};
use recado_model::{
    Content, Error, ErrorCode, InstanceId, MessageId, Token, TokenKind, content::Text,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    About,
    auth::{DirectByName, DirectClaimant, DirectInstance, DirectOpener, Public},
    describe::{Answer, Exposed, Rfc3339},
    error::Fail,
    extract::{Json, Params, Segment, text_or_number},
    qr::data_url,
    shapes::{
        connections::{contract_state, contract_states, states, whole_seconds},
        message::{no_such_message, statuses},
        qr::{QrAnswered, QrQuery},
    },
};

#[derive(Serialize, JsonSchema)]
pub struct Health {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
    version: String,
    /// `whatsapp`, or `sandbox` for the program that reaches loopback only.
    #[schemars(extend("enum" = ["whatsapp", "sandbox"]))]
    network: &'static str,
    /// The source of this very program, as its licence demands.
    source: String,
}

/// Tells what the program is: version, network, source.
// Open, so it never says how busy it is.
#[operation]
pub async fn health(
    _: Public,
    State(app): State<App>,
    State(about): State<Arc<About>>,
) -> Answer<Health> {
    Answer(Health {
        status: "ok",
        version: about.version.clone(),
        network: app.network(),
        source: about.source_url.clone(),
    })
}

#[derive(Deserialize, JsonSchema)]
pub struct CreateDirectBody {
    #[serde(default)]
    label: Option<String>,
    #[serde(
        default,
        alias = "webhook_url",
        alias = "webhookURL",
        alias = "webhookUrl",
        alias = "webhook_u_r_l"
    )]
    webhook: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    #[schemars(with = "String")]
    id: InstanceId,
    /// The session's name in the path of the other calls.
    key: Exposed,
    api_key: Exposed,
    #[schemars(schema_with = "contract_states")]
    status: &'static str,
    qr_url: String,
    /// Whether a shop owns it already; a guest's session ends at `expiresAt`.
    claimed: bool,
    expires_at: Option<Rfc3339>,
}

/// Creates a session with a key of its own.
///
/// With the bearer of a shop it is the shop's; without one a guest's, which ends at `expiresAt` unless
/// a shop claims it.
#[operation]
pub async fn create(
    DirectOpener(whose): DirectOpener,
    State(app): State<App>,
    Json(body): Json<CreateDirectBody>,
) -> Result<Answer<Created>, Fail> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let new = NewDirectInstance {
        label: given(body.label),
        webhook: given(body.webhook),
    };
    let created = app.direct().create(whose, new).await?;
    let (public_url, key) = (&app.config().public_url, created.name.expose());
    Ok(Answer(Created {
        qr_url: format!("{public_url}/sessions/{key}/qr"),
        id: created.instance.id,
        key: Exposed(created.name),
        api_key: Exposed(created.api_key),
        status: contract_state(created.instance.state),
        claimed: created.claimed,
        expires_at: created.expires_at.map(Rfc3339),
    }))
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClaimedBody {
    #[schemars(with = "String")]
    id: InstanceId,
    /// The session's new name; the old one leads nowhere any more.
    key: Exposed,
    /// The only key from now on.
    api_key: Exposed,
    #[schemars(schema_with = "contract_states")]
    status: &'static str,
    #[schemars(extend("const" = true))]
    claimed: bool,
    label: String,
    phone: Option<String>,
    /// What the phone sent of its past while the session was a guest's is not kept, and does not come again.
    #[schemars(extend("const" = "not_kept"))]
    history: &'static str,
}

/// Makes a guest's session the shop's.
///
/// Name and key are replaced in the same step. There is no body to read.
#[operation]
pub async fn claim(
    DirectClaimant(claim): DirectClaimant,
    State(app): State<App>,
) -> Result<Answer<ClaimedBody>, Fail> {
    let claimed = app.direct().claim(claim).await?;
    let instance = claimed.instance;
    Ok(Answer(ClaimedBody {
        id: instance.id,
        key: Exposed(claimed.name),
        api_key: Exposed(claimed.api_key),
        status: contract_state(instance.state),
        claimed: true,
        label: instance.name,
        phone: instance.phone,
        history: "not_kept",
    }))
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DirectQr {
    #[schemars(schema_with = "contract_states")]
    status: &'static str,
    /// The text inside the QR; `null` once a phone has paired.
    qr: Option<String>,
    /// The same as a PNG data URL.
    qr_image: Option<String>,
    /// Whole seconds.
    expires_in: i64,
}

/// Answers the QR to pair a phone with, to whoever knows the session's name.
///
/// With `format` the answer is the QR itself. A paired session is connected again only for its key.
#[operation]
pub async fn qr(
    DirectByName(named): DirectByName,
    State(app): State<App>,
    Params(query): Params<QrQuery>,
) -> Result<QrAnswered<DirectQr>, Fail> {
    let format = query.format()?;
    let answer = app.direct().qr(&named).await?;
    QrAnswered::of(answer, format, |answer| Ok(Answer(DirectQr::of(answer)?)))
}

impl DirectQr {
    fn of(answer: QrAnswer) -> Result<Self, Fail> {
        Ok(match answer {
            QrAnswer::Waiting {
                code,
                expires_in_ms,
            } => Self {
                status: "qr_pending",
                qr_image: Some(data_url(&code)?),
                qr: Some(code),
                expires_in: whole_seconds(expires_in_ms),
            },
            QrAnswer::Paired { state, .. } => Self {
                status: contract_state(state),
                qr: None,
                qr_image: None,
                expires_in: 0,
            },
        })
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DirectBody {
    #[schemars(with = "String")]
    id: InstanceId,
    key: Option<Exposed>,
    /// One of the contract's three.
    #[schemars(schema_with = "contract_states")]
    status: &'static str,
    /// The precise one.
    #[schemars(schema_with = "states")]
    state: &'static str,
    phone: Option<String>,
    name: Option<String>,
    label: String,
    created_at: Rfc3339,
}

/// Shows the session.
#[operation]
pub async fn read(
    DirectInstance(granted): DirectInstance,
    State(app): State<App>,
    Segment(key): Segment<String>,
) -> Result<Answer<DirectBody>, Fail> {
    // Who came by the name has it already; it is looked up for who came by the id.
    let name = match Token::parse(TokenKind::DirectName, &key) {
        Some(name) => Some(name.into_secret()),
        None => app.direct().name(&granted).await?,
    };
    let instance = granted.instance();
    Ok(Answer(DirectBody {
        id: instance.id.clone(),
        key: name.map(Exposed),
        status: contract_state(instance.state),
        state: instance.state.as_str(),
        phone: instance.phone.clone(),
        name: instance.push_name.clone(),
        label: instance.name.clone(),
        created_at: Rfc3339(instance.created_at),
    }))
}

#[derive(Deserialize, JsonSchema)]
pub struct SendBody {
    #[serde(alias = "phone", deserialize_with = "text_or_number")]
    #[schemars(with = "String", extend("pattern" = r"^\+?[1-9][0-9]{6,14}$"))]
    to: String,
    #[serde(alias = "message")]
    #[schemars(length(min = 1, max = 65_536))]
    text: String,
    /// The caller's own message id.
    #[serde(default)]
    id: Option<String>,
    /// RFC 3339. A message whose first try has not begun by then is not sent any more: it has failed.
    #[serde(default, alias = "validUntil")]
    #[schemars(extend("format" = "date-time"))]
    valid_until: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    message_id: String,
    #[schemars(extend("const" = "queued"))]
    status: &'static str,
}

/// Queues a text message to a phone.
#[operation]
pub async fn send(
    DirectInstance(granted): DirectInstance,
    State(app): State<App>,
    Json(body): Json<SendBody>,
) -> Result<Answer<Sent>, Fail> {
    app.direct().may_send(&granted).await?;
    let send = SendMessage {
        to: body.to,
        content: Content::Text(Text::new(body.text).map_err(by_own_names)?),
        how: SendOptions {
            id: body.id.filter(|id| !id.is_empty()),
            valid_until: body.valid_until,
            ..SendOptions::default()
        },
    };
    let accepted = app
        .messages()
        .send(&granted, send)
        .await
        .map_err(by_own_names)?;
    Ok(Answer(Sent {
        message_id: accepted.id.as_str().to_owned(),
        status: "queued",
    }))
}

/// Fields have other names here: an error speaks of the caller's own.
fn by_own_names(error: Error) -> Error {
    match (error.code, error.field) {
        (ErrorCode::InvalidPhone, _) | (_, Some("phone")) => error.renamed("phone", "to"),
        (_, Some("message")) => error.renamed("message", "text"),
        _ => error,
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageBody {
    message_id: String,
    /// `queued`, `sending`, `sent`, `delivered` and `read`; `unconfirmed` and `failed` are over.
    #[schemars(schema_with = "statuses")]
    status: &'static str,
    /// A failed one: WhatsApp's number, or a word of ours.
    code: Option<String>,
    /// A failed one: what the code means.
    meaning: Option<String>,
    /// A failed one: what helps.
    what_to_do: Option<&'static str>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
}

/// Tells how far a message got.
#[operation]
pub async fn read_message(
    DirectInstance(granted): DirectInstance,
    State(app): State<App>,
    Segment((_, id)): Segment<(String, String)>,
) -> Result<Answer<MessageBody>, Fail> {
    let id = MessageId::from_wire(id);
    let found = app.messages().find(&granted, &id).await?;
    let view = found.ok_or_else(no_such_message)?;
    let (code, meaning, what_to_do) = view.why();
    Ok(Answer(MessageBody {
        message_id: view.id.as_str().to_owned(),
        status: view.status.as_str(),
        code,
        meaning,
        what_to_do,
        created_at: Rfc3339(view.created_at),
        updated_at: Rfc3339(view.updated_at),
    }))
}
