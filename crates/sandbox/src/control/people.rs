//! What a person shows of themselves, whom they block, whom they call.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post, put};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::{Body, Told, answer};
use crate::network::Network;
use crate::profile::Business;
use crate::refusal::Refusal;
use crate::state::NamedBy;

pub(super) fn routes() -> Router<Network> {
    Router::new()
        .route("/phones/{number}/profile", get(profile).patch(change))
        .route(
            "/phones/{number}/picture",
            put(set_picture).delete(remove_picture),
        )
        .route(
            "/phones/{number}/business",
            put(set_business).delete(remove_business),
        )
        .route(
            "/phones/{number}/blocked/{other}",
            put(block).delete(unblock),
        )
        .route("/phones/{number}/presence", post(presence))
        .route("/phones/{number}/reinstall", post(reinstall))
        .route("/phones/{number}/number", post(change_number))
        .route("/phones/{number}/garble", post(garble))
        .route("/phones/{number}/named-by", post(name_by))
        .route("/phones/{number}/calls", get(calls).post(call))
        .route("/phones/{number}/calls/{id}", delete(hang_up))
}

async fn profile(State(network): State<Network>, Path(number): Path<String>) -> Told {
    answer(network.profile(&number)?)
}

#[derive(Deserialize)]
struct Change {
    about: Option<String>,
    hidden: Option<bool>,
}

async fn change(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Change>,
) -> Told {
    if let Some(about) = body.about {
        network.set_about(&number, &about)?;
    }
    if let Some(hidden) = body.hidden {
        network.hide(&number, hidden)?;
    }
    answer(network.profile(&number)?)
}

#[derive(Deserialize)]
struct NewPicture {
    data: String,
    preview: Option<String>,
}

async fn set_picture(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<NewPicture>,
) -> Told {
    let bytes = |field: &str, text: &str| {
        let bytes = BASE64_STANDARD.decode(text);
        bytes.map_err(|_| Refusal::Bad(format!("`{field}` is not base64")))
    };
    let picture = bytes("data", &body.data)?;
    let preview = match &body.preview {
        Some(preview) => bytes("preview", preview)?,
        None => picture.clone(),
    };
    answer(network.set_picture(&number, Some((&picture, &preview)))?)
}

async fn remove_picture(State(network): State<Network>, Path(number): Path<String>) -> Told {
    answer(network.set_picture(&number, None)?)
}

async fn set_business(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Business>,
) -> Told {
    answer(network.set_business(&number, Some(body))?)
}

async fn remove_business(State(network): State<Network>, Path(number): Path<String>) -> Told {
    answer(network.set_business(&number, None)?)
}

async fn block(
    State(network): State<Network>,
    Path((number, other)): Path<(String, String)>,
) -> Told {
    answer(network.block(&number, &other, true)?)
}

async fn unblock(
    State(network): State<Network>,
    Path((number, other)): Path<(String, String)>,
) -> Told {
    answer(network.block(&number, &other, false)?)
}

#[derive(Deserialize)]
struct Presence {
    available: bool,
}

async fn presence(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Presence>,
) -> Told {
    network.look_at_app(&number, body.available)?;
    answer(json!({ "available": network.is_there(&number)? }))
}

async fn reinstall(State(network): State<Network>, Path(number): Path<String>) -> Told {
    network.reinstall(&number)?;
    answer(network.phone(&number)?)
}

#[derive(Deserialize)]
struct NewNumber {
    number: String,
}

async fn change_number(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<NewNumber>,
) -> Told {
    network.change_number(&number, &body.number)?;
    answer(network.phone(&body.number)?)
}

#[derive(Deserialize)]
struct Naming {
    named_by: NamedBy,
}

async fn name_by(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Naming>,
) -> Told {
    network.name_by(&number, body.named_by)?;
    answer(json!({ "named_by": body.named_by }))
}

#[derive(Deserialize)]
struct Garbled {
    copies: u32,
}

async fn garble(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Garbled>,
) -> Told {
    network.garble(&number, body.copies)?;
    answer(json!({ "copies": body.copies }))
}

#[derive(Deserialize)]
struct NewCall {
    to: String,
    #[serde(default)]
    video: bool,
}

async fn call(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<NewCall>,
) -> Told {
    answer(network.call(&number, &body.to, body.video)?)
}

async fn calls(State(network): State<Network>, Path(number): Path<String>) -> Told {
    answer(json!({ "calls": network.calls(&number)? }))
}

async fn hang_up(
    State(network): State<Network>,
    Path((number, id)): Path<(String, String)>,
) -> Told {
    answer(network.hang_up(&number, &id)?)
}
