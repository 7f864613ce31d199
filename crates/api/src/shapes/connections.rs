//! States of a connection: the exact ones, and the three of the contract.

use recado_model::ConnectionState;
use schemars::{Schema, SchemaGenerator};

use crate::describe::one_of;

/// The schema of a connection's state.
pub(crate) fn states(_: &mut SchemaGenerator) -> Schema {
    one_of(ConnectionState::ALL.map(ConnectionState::as_str))
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

/// The schema of the contract's three states.
pub(crate) fn contract_states(_: &mut SchemaGenerator) -> Schema {
    one_of(["connected", "qr_pending", "disconnected"])
}

/// Rounded up: a code that lives has at least a second.
pub(crate) fn whole_seconds(ms: i64) -> i64 {
    (ms.max(0) + 999) / 1000
}
