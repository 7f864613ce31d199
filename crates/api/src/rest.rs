//! The instance API: one file per noun, each handler guard → body → service → shape.
//!
//! Envelopes are *mixed*, as the contract has them: session, webhook and chat answers come in
//! `{code, success, data}`; token, account, instances and session/disconnect are bare.

pub mod account;
pub mod audit;
pub mod billing;
pub mod chat;
pub mod credentials;
pub mod instances;
pub mod session;
pub mod token;
pub mod webhook;

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::error::json_response;

#[derive(Serialize)]
struct Envelope<'a, T> {
    code: u16,
    success: bool,
    data: &'a T,
}

/// `{code: 200, success: true, data}`.
fn enveloped<T: Serialize>(data: &T) -> Response {
    json_response(
        StatusCode::OK,
        &Envelope {
            code: 200,
            success: true,
            data,
        },
    )
}

/// The object itself.
fn bare<T: Serialize>(body: &T) -> Response {
    json_response(StatusCode::OK, body)
}
