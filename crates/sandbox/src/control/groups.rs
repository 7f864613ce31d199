//! Groups, as people see and change them on their phones.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde_json::json;

use super::{Body, MEDIUM, Told, answer};
use crate::groups::{GroupSettings, NewGroup};
use crate::network::Network;
use crate::refusal::Refusal;

pub(super) fn routes() -> Router<Network> {
    Router::new()
        .route("/groups", get(list))
        .route("/groups/{group}", get(show))
        .route("/phones/{number}/groups", get(list_of).post(create))
        .route("/phones/{number}/groups/{group}/members", post(members))
        .route("/phones/{number}/groups/{group}/subject", post(subject))
        .route(
            "/phones/{number}/groups/{group}/description",
            post(description),
        )
        .route("/phones/{number}/groups/{group}/settings", post(settings))
        .route(
            "/phones/{number}/groups/{group}/picture",
            post(picture).layer(DefaultBodyLimit::max(MEDIUM)),
        )
        .route("/phones/{number}/groups/{group}/link", post(link))
        .route("/phones/{number}/groups/{group}/accept", post(accept))
        .route("/phones/{number}/groups/{group}/cancel", post(cancel))
        .route("/phones/{number}/groups/{group}/leave", post(leave))
        .route("/phones/{number}/join", post(join))
        .route("/phones/{number}/privacy", post(privacy))
}

type InGroup = Path<(String, String)>;

async fn list(State(network): State<Network>) -> Told {
    answer(json!({ "groups": network.groups() }))
}

async fn show(State(network): State<Network>, Path(group): Path<String>) -> Told {
    answer(network.group(&group)?)
}

async fn list_of(State(network): State<Network>, Path(number): Path<String>) -> Told {
    answer(json!({ "groups": network.groups_of(&number)? }))
}

async fn create(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(new): Body<NewGroup>,
) -> Told {
    let (group, results) = network.create_group(&number, &new)?;
    answer(json!({ "group": group, "results": results }))
}

#[derive(Deserialize)]
struct Members {
    /// `add`, `remove`, `promote`, `demote`, `approve` or `reject`.
    act: String,
    participants: Vec<String>,
}

async fn members(
    State(network): State<Network>,
    Path((number, group)): InGroup,
    Body(body): Body<Members>,
) -> Told {
    let results = network.change_members(&number, &group, &body.act, &body.participants)?;
    answer(json!({ "results": results }))
}

/// A name, or a description.
#[derive(Deserialize)]
struct Text {
    text: String,
}

async fn subject(
    State(network): State<Network>,
    Path((number, group)): InGroup,
    Body(body): Body<Text>,
) -> Told {
    network.rename_group(&number, &group, &body.text)?;
    answer(network.group(&group)?)
}

async fn description(
    State(network): State<Network>,
    Path((number, group)): InGroup,
    Body(body): Body<Text>,
) -> Told {
    network.describe_group(&number, &group, &body.text)?;
    answer(network.group(&group)?)
}

async fn settings(
    State(network): State<Network>,
    Path((number, group)): InGroup,
    Body(settings): Body<GroupSettings>,
) -> Told {
    network.set_group(&number, &group, &settings)?;
    answer(network.group(&group)?)
}

#[derive(Deserialize)]
struct Jpeg {
    /// In base64; nothing takes the picture away.
    #[serde(default)]
    data: String,
}

async fn picture(
    State(network): State<Network>,
    Path((number, group)): InGroup,
    Body(body): Body<Jpeg>,
) -> Told {
    let jpeg = BASE64_STANDARD
        .decode(&body.data)
        .map_err(|_| Refusal::Bad("`data` is base64".to_owned()))?;
    let jpeg = Some(jpeg).filter(|jpeg| !jpeg.is_empty());
    network.set_group_picture(&number, &group, jpeg.as_deref())?;
    answer(network.group(&group)?)
}

#[derive(Deserialize)]
struct Link {
    #[serde(default)]
    reset: bool,
}

async fn link(
    State(network): State<Network>,
    Path((number, group)): InGroup,
    Body(body): Body<Link>,
) -> Told {
    let code = network.invite_code(&number, &group, body.reset)?;
    let link = format!("https://chat.whatsapp.com/{code}");
    answer(json!({ "code": code, "link": link }))
}

/// The end of a link, or the link; or the code of an invitation.
#[derive(Deserialize)]
struct Code {
    code: String,
}

async fn accept(
    State(network): State<Network>,
    Path((number, group)): InGroup,
    Body(body): Body<Code>,
) -> Told {
    answer(network.accept_invitation(&number, &group, &body.code)?)
}

async fn cancel(State(network): State<Network>, Path((number, group)): InGroup) -> Told {
    network.cancel_request(&number, &group)?;
    answer(json!({ "group": group }))
}

async fn leave(State(network): State<Network>, Path((number, group)): InGroup) -> Told {
    network.leave_group(&number, &group)?;
    answer(json!({ "group": group }))
}

async fn join(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Code>,
) -> Told {
    answer(network.join(&number, &body.code)?)
}

#[derive(Deserialize)]
struct Privacy {
    /// `all`: anybody adds this person to groups; `none`: they have to be invited.
    group_add: String,
}

async fn privacy(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Privacy>,
) -> Told {
    let refuses = match body.group_add.as_str() {
        "all" => false,
        "none" => true,
        _ => return Err(Refusal::Bad("`group_add` is all or none".to_owned())),
    };
    network.refuse_groups(&number, refuses)?;
    answer(network.phone(&number)?)
}
