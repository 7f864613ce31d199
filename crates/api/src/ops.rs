//! Probes for whatever runs the program. They say up or down, nothing about tenants.

use axum::{extract::State, response::Response};
use http::StatusCode;
use serde_json::json;

use crate::{
    Shared,
    auth::Public,
    error::{Fail, json_response},
};

/// `GET /livez`: the process answers.
pub async fn live(_: Public) -> Response {
    json_response(StatusCode::OK, &json!({ "status": "alive" }))
}

/// `GET /readyz`: the database answers too; 503 while it does not.
pub async fn ready(_: Public, State(shared): State<Shared>) -> Result<Response, Fail> {
    shared.app.ready().await?;
    Ok(json_response(StatusCode::OK, &json!({ "status": "ready" })))
}
