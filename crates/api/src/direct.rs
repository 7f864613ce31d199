//! The Direct API: one session, one `sk_` key, few routes.

use axum::{Extension, extract::State, response::Response};
use http::StatusCode;
use recado_app::{NewSession, QrAnswer, SendText};
use recado_model::{Token, TokenKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Shared,
    auth::{Claim, MaybeMcpToken, NamedSession, Public, SessionAccess},
    edge::ClientIp,
    error::{Fail, json_response},
    extract::{Json, Params, Segment, text_or_number},
    qr::{self, Format},
    rest::session::{QrQuery, already_connected, contract_state, picture, whole_seconds},
};

fn ok<T: Serialize>(body: &T) -> Response {
    json_response(StatusCode::OK, body)
}

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    version: &'a str,
    /// `whatsapp`, or `sandbox` for the program that reaches loopback only.
    network: &'static str,
    /// The source of this very program, as its licence demands.
    source: &'a str,
}

/// `GET /health`: open, so it says what the program is, never how busy.
pub async fn health(_: Public, State(shared): State<Shared>) -> Response {
    ok(&Health {
        status: "ok",
        version: &shared.options.version,
        network: shared.app.network(),
        source: &shared.options.source_url,
    })
}

#[derive(Deserialize, JsonSchema)]
pub struct CreateBody {
    #[serde(default)]
    label: Option<String>,
    #[serde(default, alias = "webhook_url", alias = "webhookURL")]
    webhook: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    id: &'a str,
    key: &'a str,
    api_key: &'a str,
    status: &'static str,
    qr_url: String,
    /// Whether a shop owns it already; a guest's session ends at `expires_at`.
    claimed: bool,
    expires_at: Option<String>,
}

/// `POST /sessions`: for the shop of the `wz_`, or for a guest.
pub async fn create(
    MaybeMcpToken(caller): MaybeMcpToken,
    State(shared): State<Shared>,
    Extension(ClientIp(from)): Extension<ClientIp>,
    Json(body): Json<CreateBody>,
) -> Result<Response, Fail> {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let new = NewSession {
        label: given(body.label),
        webhook: given(body.webhook),
    };
    let direct = shared.app.direct();
    let created = direct.create(caller.as_ref(), from, new).await?;
    let key = created.name.expose();
    Ok(ok(&Created {
        id: created.instance.id.as_str(),
        key,
        api_key: created.api_key.expose(),
        status: contract_state(created.instance.state),
        qr_url: format!("{}/sessions/{key}/qr", shared.app.config().public_url),
        claimed: created.claimed,
        expires_at: created.expires_at.map(|at| at.to_rfc3339()),
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClaimedBody<'a> {
    id: &'a str,
    /// The session's new name; the old one leads nowhere any more.
    key: &'a str,
    /// The only key from now on.
    api_key: &'a str,
    status: &'static str,
    claimed: bool,
    label: &'a str,
    phone: Option<&'a str>,
}

/// `POST /sessions/{key}/claim`: a guest's session becomes the shop's. There is no body to read.
pub async fn claim(claim: Claim, State(shared): State<Shared>) -> Result<Response, Fail> {
    let Claim {
        shop,
        holder,
        instance,
    } = claim;
    let direct = shared.app.direct();
    let claimed = direct.claim(&shop, &holder, &instance.id).await?;
    let instance = &claimed.instance;
    Ok(ok(&ClaimedBody {
        id: instance.id.as_str(),
        key: claimed.name.expose(),
        api_key: claimed.api_key.expose(),
        status: contract_state(instance.state),
        claimed: true,
        label: &instance.name,
        phone: instance.phone.as_deref(),
    }))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Qr {
    status: &'static str,
    /// The text inside the QR.
    qr: Option<String>,
    /// The same as a PNG data URL.
    qr_image: Option<String>,
    /// Whole seconds.
    expires_in: i64,
}

/// `GET /sessions/{key}/qr`: open to whoever knows the name, and only while there is a code.
pub async fn qr(
    session: NamedSession,
    State(shared): State<Shared>,
    Params(query): Params<QrQuery>,
) -> Result<Response, Fail> {
    let format = query.format.as_deref().map(Format::parse).transpose()?;
    let instance = &session.instance;
    // Asking for the QR of a paired session connects it again; a name alone is not enough for that.
    let answer = match instance.paired && !session.proven {
        true => QrAnswer::Paired {
            phone: None,
            state: instance.state,
        },
        false => shared.app.sessions().qr(&session.caller, instance).await?,
    };
    match (answer, format) {
        (QrAnswer::Waiting { code, .. }, Some(format)) => Ok(picture(format, &code)?),
        (
            QrAnswer::Waiting {
                code,
                expires_in_ms,
            },
            None,
        ) => Ok(ok(&Qr {
            status: "qr_pending",
            qr_image: Some(qr::data_url(&code)?),
            qr: Some(code),
            expires_in: whole_seconds(expires_in_ms),
        })),
        (QrAnswer::Paired { .. }, Some(_)) => Err(already_connected().into()),
        (QrAnswer::Paired { state, .. }, None) => Ok(ok(&Qr {
            status: contract_state(state),
            qr: None,
            qr_image: None,
            expires_in: 0,
        })),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Session<'a> {
    id: &'a str,
    key: Option<&'a str>,
    /// One of the contract's three.
    status: &'static str,
    /// The precise one.
    state: &'static str,
    phone: Option<&'a str>,
    name: Option<&'a str>,
    label: &'a str,
    created_at: String,
}

/// `GET /sessions/{key}`.
pub async fn read(
    SessionAccess { caller, instance }: SessionAccess,
    State(shared): State<Shared>,
    Segment(key): Segment<String>,
) -> Result<Response, Fail> {
    // Who came by the name has it already; it is looked up for who came by the id.
    let name = match Token::parse(TokenKind::SessionName, &key) {
        Some(name) => Some(name.into_secret()),
        None => shared.app.direct().name(&caller, &instance).await?,
    };
    Ok(ok(&Session {
        id: instance.id.as_str(),
        key: name.as_ref().map(|name| name.expose()),
        status: contract_state(instance.state),
        state: instance.state.as_str(),
        phone: instance.phone.as_deref(),
        name: instance.push_name.as_deref(),
        label: &instance.name,
        created_at: instance.created_at.to_rfc3339(),
    }))
}

#[derive(Deserialize, JsonSchema)]
pub struct SendBody {
    #[serde(alias = "phone", deserialize_with = "text_or_number")]
    #[schemars(with = "String", extend("pattern" = r"^\+?[1-9][0-9]{6,14}$"))]
    to: String,
    #[serde(alias = "message")]
    text: String,
    /// The caller's own message id.
    #[serde(default)]
    id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    message_id: &'a str,
    status: &'static str,
}

/// `POST /sessions/{key}/messages`.
pub async fn send(
    SessionAccess { caller, instance }: SessionAccess,
    State(shared): State<Shared>,
    Json(body): Json<SendBody>,
) -> Result<Response, Fail> {
    shared.app.direct().may_send(&caller).await?;
    let text = SendText {
        phone: body.to,
        message: body.text,
        id: body.id.filter(|id| !id.is_empty()),
        delay_ms: None,
        mentioned_ids: Vec::new(),
        reply_to_message_id: None,
        once_in_account: false,
    };
    let id = shared
        .app
        .messages()
        .send_text(&caller, &instance, text)
        .await?;
    Ok(ok(&Sent {
        message_id: id.as_str(),
        status: "queued",
    }))
}
