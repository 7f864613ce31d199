//! What a phone remembers from before.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;

use super::{Body, Told, answer};
use crate::network::{Network, PastText};

pub(super) fn routes() -> Router<Network> {
    Router::new().route("/phones/{number}/history", post(remember))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    /// Messages of a frame.
    chunk: Option<usize>,
    #[serde(default)]
    messages: Vec<PastText>,
}

async fn remember(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Remembered>,
) -> Told {
    if let Some(chunk) = body.chunk {
        network.set_history_chunk(&number, chunk)?;
    }
    let messages = network.remember(&number, &body.messages)?;
    answer(json!({ "messages": messages }))
}
