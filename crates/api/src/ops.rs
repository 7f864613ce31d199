//! Probes for whatever runs the program. They say up or down, nothing about tenants.

use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{Shared, auth::Public, describe::Answer, error::Fail};

#[derive(Serialize, JsonSchema)]
pub struct Probe {
    #[schemars(extend("enum" = ["alive", "ready"]))]
    status: &'static str,
}

/// `GET /livez`: the process answers.
pub async fn live(_: Public) -> Answer<Probe> {
    Answer(Probe { status: "alive" })
}

/// `GET /readyz`: the database takes a write, tried at most once a second; 503 while it does not.
pub async fn ready(_: Public, State(shared): State<Shared>) -> Result<Answer<Probe>, Fail> {
    shared.app.ready().await?;
    Ok(Answer(Probe { status: "ready" }))
}
