//! The connection's life: QR, pair code, status, disconnect. Asking for the QR starts it.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use recado_app::QrAnswer;
use recado_model::{ConnectionState, Error, ErrorCode, InstanceId, PhoneNumber};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::{
    Shared,
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::{Answer, Answers, Described, one_of},
    error::Fail,
    extract::{Params, Segment},
    qr::{self, Format},
};

use super::{Envelope, enveloped};

#[derive(Deserialize, JsonSchema)]
pub struct QrQuery {
    /// `png`, `svg`, `text` or `terminal`: the thing itself in place of JSON.
    #[serde(default)]
    pub format: Option<String>,
}

/// JSON, or the QR itself where the query asks for a format.
pub enum QrAnswered<T> {
    Json(Answer<T>),
    Picture(Response),
}

impl<T: JsonSchema> Answers for QrAnswered<T> {
    fn describe(into: &mut Described) {
        <Answer<T> as Answers>::describe(into);
        into.pictures = [Format::Png, Format::Svg, Format::Text]
            .map(Format::content_type)
            .to_vec();
    }
}

impl<T: Serialize> IntoResponse for QrAnswered<T> {
    fn into_response(self) -> Response {
        match self {
            Self::Json(answer) => answer.into_response(),
            Self::Picture(response) => response,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum QrBody {
    /// There is a code to scan.
    Waiting {
        /// PNG data URL.
        qr_code: String,
        /// The older spelling of the same.
        #[serde(rename = "QRCode")]
        qr_code_old: String,
        /// Whole seconds until the next code replaces this one.
        expires_in: i64,
        #[schemars(extend("const" = "waiting"))]
        pairing_status: &'static str,
        #[schemars(extend("const" = "qr_pending"))]
        status: &'static str,
    },
    /// A phone has paired already.
    Paired {
        #[schemars(schema_with = "states")]
        status: &'static str,
        phone: Option<String>,
        #[schemars(extend("const" = "connected"))]
        pairing_status: &'static str,
    },
}

/// The schema of a connection's state.
pub(crate) fn states(_: &mut SchemaGenerator) -> Schema {
    one_of(ConnectionState::ALL.map(ConnectionState::as_str))
}

pub async fn qr(
    InstanceAccess {
        caller, instance, ..
    }: InstanceAccess<Developer>,
    State(shared): State<Shared>,
    Params(query): Params<QrQuery>,
) -> Result<QrAnswered<Envelope<QrBody>>, Fail> {
    let format = query.format.as_deref().map(Format::parse).transpose()?;
    match (shared.app.sessions().qr(&caller, &instance).await?, format) {
        (QrAnswer::Waiting { code, .. }, Some(format)) => {
            Ok(QrAnswered::Picture(picture(format, &code)?))
        }
        (
            QrAnswer::Waiting {
                code,
                expires_in_ms,
            },
            None,
        ) => {
            let url = qr::data_url(&code)?;
            Ok(QrAnswered::Json(enveloped(QrBody::Waiting {
                qr_code: url.clone(),
                qr_code_old: url,
                expires_in: whole_seconds(expires_in_ms),
                pairing_status: "waiting",
                status: "qr_pending",
            })))
        }
        (QrAnswer::Paired { .. }, Some(_)) => Err(already_connected().into()),
        (QrAnswer::Paired { phone, state }, None) => {
            Ok(QrAnswered::Json(enveloped(QrBody::Paired {
                status: state.as_str(),
                phone,
                pairing_status: "connected",
            })))
        }
    }
}

/// The QR in the form that was asked for.
pub(crate) fn picture(format: Format, code: &str) -> Result<Response, Error> {
    let bytes = format.draw(code)?;
    Ok(([(header::CONTENT_TYPE, format.content_type())], bytes).into_response())
}

pub(crate) fn already_connected() -> Error {
    Error::new(
        ErrorCode::AlreadyConnected,
        "This instance is paired already, so there is no QR to show. Ask without format for its state.",
    )
}

/// The three states that MCP's and the Direct API's contract know; they show the finer one beside it.
pub(crate) fn contract_state(state: ConnectionState) -> &'static str {
    match state {
        ConnectionState::Connected => "connected",
        ConnectionState::QrPending => "qr_pending",
        ConnectionState::Disconnected
        | ConnectionState::Connecting
        | ConnectionState::LoggedOut
        | ConnectionState::Blocked => "disconnected",
    }
}

/// Rounded up: a code that lives has at least a second.
pub(crate) fn whole_seconds(ms: i64) -> i64 {
    (ms.max(0) + 999) / 1000
}

#[derive(Serialize, JsonSchema)]
pub struct LinkingCode {
    linking_code: String,
    /// The older spelling of the same.
    #[serde(rename = "LinkingCode")]
    linking_code_old: String,
    /// Whole seconds in which the phone takes it. Asking again within them answers the same code.
    expires_in: i64,
}

pub async fn pair_code(
    InstanceAccess {
        caller, instance, ..
    }: InstanceAccess<Developer>,
    State(shared): State<Shared>,
    Segment((_, phone)): Segment<(String, String)>,
) -> Result<Answer<Envelope<LinkingCode>>, Fail> {
    let phone = PhoneNumber::parse(&phone)?;
    let given = shared
        .app
        .sessions()
        .pair_code(&caller, &instance, &phone)
        .await?;
    Ok(enveloped(LinkingCode {
        linking_code: given.code.clone(),
        linking_code_old: given.code,
        expires_in: whole_seconds(given.valid_ms),
    }))
}

/// The contract's order; what is unknown is left out.
#[derive(Serialize, JsonSchema)]
pub struct StatusBody {
    connected: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    whatsapp_jid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    push_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_url: Option<String>,
}

pub async fn status(
    InstanceAccess {
        caller, instance, ..
    }: InstanceAccess<Viewer>,
    State(shared): State<Shared>,
) -> Result<Answer<Envelope<StatusBody>>, Fail> {
    let status = shared.app.sessions().status(&caller, &instance).await?;
    // Not paired is exactly `{"connected": false}`, whatever is still remembered.
    let shown = |text: Option<String>| text.filter(|text| status.connected && !text.is_empty());
    let phone = shown(status.phone);
    Ok(enveloped(StatusBody {
        connected: status.connected,
        profile_url: phone.as_ref().map(|phone| format!("https://wa.me/{phone}")),
        phone,
        whatsapp_jid: shown(status.jid.map(String::from)),
        push_name: shown(status.push_name),
        business_name: shown(status.business_name),
    }))
}

#[derive(Serialize, JsonSchema)]
pub struct ActionDone {
    #[schemars(with = "String")]
    instance_id: InstanceId,
    #[schemars(extend("const" = "disconnected"))]
    status: &'static str,
    details: &'static str,
}

pub async fn disconnect(
    InstanceAccess {
        caller, instance, ..
    }: InstanceAccess<Developer>,
    State(shared): State<Shared>,
) -> Result<Answer<ActionDone>, Fail> {
    let paired = shared.app.sessions().disconnect(&caller, &instance).await?;
    Ok(Answer(ActionDone {
        instance_id: instance.id.clone(),
        status: "disconnected",
        details: match paired {
            true => {
                "The connection is closed and the pairing is kept. Ask for session/qr to connect again."
            }
            false => {
                "There is no pairing: no phone is linked to this instance. Ask for session/qr or a link code to link one."
            }
        },
    }))
}
