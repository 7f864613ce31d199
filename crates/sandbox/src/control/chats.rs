//! Chats, people and labels of a phone.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{delete, get, post};
use serde::Deserialize;
use serde_json::json;

use super::{Body, Told, answer};
use crate::network::Network;
use crate::shown::{ChatChange, Label, SavedContact};

pub(super) fn routes() -> Router<Network> {
    Router::new()
        .route("/phones/{number}/chats", get(chats).post(change_chat))
        .route("/phones/{number}/contacts", get(contacts).post(save))
        .route("/phones/{number}/labels", get(labels).post(edit_label))
        .route("/phones/{number}/labels/{id}", delete(delete_label))
        .route("/phones/{number}/settings/spoil", post(spoil))
}

async fn chats(State(network): State<Network>, Path(number): Path<String>) -> Told {
    let (chats, faults) = (network.chats(&number)?, network.faults(&number)?);
    answer(json!({ "chats": chats, "faults": faults }))
}

async fn change_chat(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(change): Body<ChatChange>,
) -> Told {
    answer(network.change_chat(&number, &change)?)
}

async fn contacts(State(network): State<Network>, Path(number): Path<String>) -> Told {
    answer(json!({ "contacts": network.contacts(&number)? }))
}

#[derive(Deserialize)]
struct NewContact {
    number: String,
    #[serde(flatten)]
    saved: SavedContact,
}

async fn save(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<NewContact>,
) -> Told {
    network.save_contact(&number, &body.number, &body.saved)?;
    contacts(State(network), Path(number)).await
}

async fn labels(State(network): State<Network>, Path(number): Path<String>) -> Told {
    answer(json!({ "labels": network.labels(&number)? }))
}

#[derive(Deserialize)]
struct NewLabel {
    id: String,
    name: String,
    #[serde(default)]
    color: i32,
}

async fn edit_label(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<NewLabel>,
) -> Told {
    let label = Label {
        name: body.name,
        color: body.color,
    };
    network.edit_label(&number, &body.id, &label)?;
    labels(State(network), Path(number)).await
}

async fn delete_label(
    State(network): State<Network>,
    Path((number, id)): Path<(String, String)>,
) -> Told {
    network.delete_label(&number, &id)?;
    labels(State(network), Path(number)).await
}

#[derive(Deserialize)]
struct Spoilt {
    collection: String,
    /// Whoever begins anew reads nothing either.
    #[serde(default)]
    snapshot: bool,
}

async fn spoil(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Spoilt>,
) -> Told {
    network.spoil_settings(&number, &body.collection, body.snapshot)?;
    answer(json!({ "collection": body.collection }))
}
