//! The connection's life: QR, pair code, status, disconnect. Asking for the QR starts it.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::header;
use recado_app::QrAnswer;
use recado_model::{ConnectionState, Error, ErrorCode, PhoneNumber};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Shared,
    auth::InstanceAccess,
    error::Fail,
    extract::{Params, Segment},
    qr::{self, Format},
};

use super::{bare, enveloped};

#[derive(Deserialize, JsonSchema)]
pub struct QrQuery {
    /// `png`, `svg`, `text` or `terminal`: the thing itself in place of JSON.
    #[serde(default)]
    pub format: Option<String>,
}

#[derive(Serialize)]
struct Waiting<'a> {
    qr_code: &'a str,
    /// The older spelling of the same.
    #[serde(rename = "QRCode")]
    qr_code_old: &'a str,
    /// Whole seconds until the next code replaces this one.
    expires_in: i64,
    pairing_status: &'static str,
    status: &'static str,
}

#[derive(Serialize)]
struct Paired {
    status: &'static str,
    phone: Option<String>,
    pairing_status: &'static str,
}

pub async fn qr(
    InstanceAccess { caller, instance }: InstanceAccess,
    State(shared): State<Shared>,
    Params(query): Params<QrQuery>,
) -> Result<Response, Fail> {
    let format = query.format.as_deref().map(Format::parse).transpose()?;
    match (shared.app.sessions().qr(&caller, &instance).await?, format) {
        (QrAnswer::Waiting { code, .. }, Some(format)) => Ok(picture(format, &code)?),
        (
            QrAnswer::Waiting {
                code,
                expires_in_ms,
            },
            None,
        ) => {
            let url = qr::data_url(&code)?;
            Ok(enveloped(&Waiting {
                qr_code: &url,
                qr_code_old: &url,
                expires_in: whole_seconds(expires_in_ms),
                pairing_status: "waiting",
                status: "qr_pending",
            }))
        }
        (QrAnswer::Paired { .. }, Some(_)) => Err(already_connected().into()),
        (QrAnswer::Paired { phone, state }, None) => Ok(enveloped(&Paired {
            status: state.as_str(),
            phone,
            pairing_status: "connected",
        })),
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

#[derive(Serialize)]
struct LinkingCode<'a> {
    linking_code: &'a str,
    #[serde(rename = "LinkingCode")]
    linking_code_old: &'a str,
}

pub async fn pair_code(
    InstanceAccess { caller, instance }: InstanceAccess,
    State(shared): State<Shared>,
    Segment((_, phone)): Segment<(String, String)>,
) -> Result<Response, Fail> {
    let phone = PhoneNumber::parse(&phone)?;
    let code = shared
        .app
        .sessions()
        .pair_code(&caller, &instance, &phone)
        .await?;
    Ok(enveloped(&LinkingCode {
        linking_code: &code,
        linking_code_old: &code,
    }))
}

/// The contract's order; what is unknown is left out.
#[derive(Serialize)]
struct StatusBody {
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
    InstanceAccess { caller, instance }: InstanceAccess,
    State(shared): State<Shared>,
) -> Result<Response, Fail> {
    let status = shared.app.sessions().status(&caller, &instance).await?;
    // Not paired is exactly `{"connected": false}`, whatever is still remembered.
    let shown = |text: Option<String>| text.filter(|text| status.connected && !text.is_empty());
    let phone = shown(status.phone);
    Ok(enveloped(&StatusBody {
        connected: status.connected,
        profile_url: phone.as_ref().map(|phone| format!("https://wa.me/{phone}")),
        phone,
        whatsapp_jid: shown(status.jid),
        push_name: shown(status.push_name),
        business_name: shown(status.business_name),
    }))
}

#[derive(Serialize)]
struct ActionDone<'a> {
    instance_id: &'a str,
    status: &'static str,
    details: &'static str,
}

pub async fn disconnect(
    InstanceAccess { caller, instance }: InstanceAccess,
    State(shared): State<Shared>,
) -> Result<Response, Fail> {
    shared.app.sessions().disconnect(&caller, &instance).await?;
    Ok(bare(&ActionDone {
        instance_id: instance.id.as_str(),
        status: "disconnected",
        details: "The connection is closed and the pairing is kept. Ask for session/qr to connect again.",
    }))
}
