//! WhatsApp numbers: their state, their QR, linking a new one.

use recado_app::QrAnswer;
use recado_identity::{Granted, ShopToken};
use recado_model::{ConnectionState, Error, ErrorCode, Instance, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    extract::some_number,
    qr,
    shapes::connections::{contract_state, whole_seconds},
};

use super::{Effect, ToolAnswer, ToolCall, ToolEntry, tool};

pub(super) fn tools() -> Vec<ToolEntry> {
    vec![
        tool(
            "get_whatsapp_status",
            "Estado de WhatsApp",
            "State of every WhatsApp session of the shop; each has a numeric id and a status (connected, disconnected, qr_pending).",
            Effect::Query,
            status,
        ),
        tool(
            "get_whatsapp_qr",
            "QR de WhatsApp",
            "QR image of a session that waits to be scanned. Without such a session use connect_whatsapp; when it is connected already, says so.",
            Effect::Query,
            show_qr,
        ),
        tool(
            "connect_whatsapp",
            "Conectar WhatsApp",
            "Start linking a WhatsApp number; returns the QR to scan with the phone (WhatsApp, Linked devices). Reuses a disconnected, unpaired session unless force_new.",
            Effect::Mutation,
            connect,
        )
        .without(&[("routing_roles", "")]),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct StatusArgs {
    /// Only this session
    #[serde(default, deserialize_with = "some_number")]
    session_id: Option<i64>,
}

#[derive(Serialize)]
struct NumberStates<'a> {
    success: bool,
    total: usize,
    sessions: Vec<NumberState<'a>>,
}

#[derive(Serialize)]
struct NumberState<'a> {
    id: i64,
    session_id: i64,
    status: &'static str,
    label: &'a str,
    phone: Option<&'a str>,
    name: Option<&'a str>,
    state: &'static str,
    reason: Option<&'static str>,
    what_to_do: Option<&'static str>,
}

impl<'a> NumberState<'a> {
    fn of(instance: &'a Instance) -> Self {
        Self {
            id: instance.number,
            session_id: instance.number,
            status: contract_state(instance.state),
            label: &instance.name,
            phone: instance.phone.as_deref(),
            name: instance.push_name.as_deref(),
            state: instance.state.as_str(),
            reason: instance.reason.map(|reason| reason.as_str()),
            what_to_do: instance.reason.map(|reason| reason.what_to_do()),
        }
    }
}

async fn status(call: ToolCall, args: StatusArgs) -> Result<ToolAnswer> {
    let granted = match args.session_id {
        Some(number) => vec![call.instance(number).await?],
        None => call.app.instances().all(&call.shop).await?,
    };
    let sessions: Vec<_> = granted
        .iter()
        .map(|granted| NumberState::of(granted.instance()))
        .collect();
    ToolAnswer::json(&NumberStates {
        success: true,
        total: sessions.len(),
        sessions,
    })
}

#[derive(Deserialize, JsonSchema)]
struct QrArgs {
    /// Only this session; by default the one that waits for a scan
    #[serde(default, deserialize_with = "some_number")]
    session_id: Option<i64>,
}

async fn show_qr(call: ToolCall, args: QrArgs) -> Result<ToolAnswer> {
    let granted = match args.session_id {
        Some(number) => call.instance(number).await?,
        None => waiting(&call).await?,
    };
    answer_qr(&call, &granted).await
}

/// The instance whose QR a caller means who names none: one that waits for its scan, else one whose
/// scan never came, else a linked one, of which the answer says so. One that nobody pays for comes last.
async fn waiting(call: &ToolCall) -> Result<Granted<ShopToken>> {
    let mut all = call.app.instances().all(&call.shop).await?;
    all.sort_by_key(|granted| {
        let instance = granted.instance();
        let rank = match (instance.state, instance.paired) {
            (ConnectionState::QrPending, _) => 0,
            (_, false) => 1,
            (_, true) => 2,
        };
        let unpaid = call.app.billing().require(instance).is_err();
        (unpaid, rank, std::cmp::Reverse(instance.number))
    });
    let none = || {
        Error::new(
            ErrorCode::NotFound,
            "no session waits for a QR; use connect_whatsapp",
        )
    };
    all.into_iter().next().ok_or_else(none)
}

#[derive(Serialize)]
struct QrState<'a> {
    success: bool,
    session_id: i64,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<i64>,
    message: &'static str,
}

/// The picture goes out as image content; the text inside the QR does not, it would pair.
async fn answer_qr(call: &ToolCall, granted: &Granted<ShopToken>) -> Result<ToolAnswer> {
    let instance = granted.instance();
    let session_id = instance.number;
    call.app.billing().require(instance)?;
    // Asking for the QR of a linked number connects it again. Its owner may have disconnected it, and
    // a tool that only reads does not undo that.
    if instance.paired {
        return linked(session_id, instance.phone.as_deref(), instance.state);
    }
    match call.app.connections().qr(granted).await? {
        QrAnswer::Waiting {
            code,
            expires_in_ms,
        } => {
            let answer = ToolAnswer::json(&QrState {
                success: true,
                session_id,
                status: "qr_pending",
                phone: None,
                expires_in: Some(whole_seconds(expires_in_ms)),
                message: "Scan with the phone: WhatsApp, Linked devices, Link a device. Ask get_whatsapp_qr again when it has expired.",
            })?;
            Ok(answer.with_png(qr::png_base64(&code)?))
        }
        QrAnswer::Paired { phone, state } => linked(session_id, phone.as_deref(), state),
    }
}

fn linked(session_id: i64, phone: Option<&str>, state: ConnectionState) -> Result<ToolAnswer> {
    ToolAnswer::json(&QrState {
        success: true,
        session_id,
        status: contract_state(state),
        phone,
        expires_in: None,
        message: "This session is linked already; there is no QR to scan.",
    })
}

#[derive(Deserialize, JsonSchema)]
struct ConnectArgs {
    /// Name of the number in lists, at most 50 characters
    #[serde(default)]
    label: Option<String>,
    /// Make a new session even when a disconnected one could be used
    #[serde(default)]
    force_new: Option<bool>,
}

async fn connect(call: ToolCall, args: ConnectArgs) -> Result<ToolAnswer> {
    let label = args
        .label
        .map(|label| label.trim().to_owned())
        .filter(|label| !label.is_empty());
    let force_new = args.force_new.unwrap_or(false);
    let granted = call
        .app
        .connections()
        .connect_new(&call.shop, label, force_new)
        .await?;
    answer_qr(&call, &granted).await
}
