//! Probes for whatever runs the program. They say up or down, nothing about tenants.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{auth::Public, describe::Answer, error::Fail};

#[derive(Serialize, JsonSchema)]
pub struct Probe {
    #[schemars(extend("enum" = ["alive", "ready"]))]
    status: &'static str,
}

/// Tells that the process answers.
#[operation]
pub async fn live(_: Public) -> Answer<Probe> {
    Answer(Probe { status: "alive" })
}

/// Tells whether the database takes a write; 503 while it does not.
///
/// It is tried at most once a second.
#[operation]
pub async fn ready(_: Public, State(app): State<App>) -> Result<Answer<Probe>, Fail> {
    app.ready().await?;
    Ok(Answer(Probe { status: "ready" }))
}
