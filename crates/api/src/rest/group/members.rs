//! Who is in a group: added, removed, let in; and how this number itself comes in and leaves. All of it ours: the
//! contract has no words for it.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_model::{Result, group::Act};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ChangeBody, Details, GroupQuery, ResultsBody, act,
    bodies::{GroupHead, RequestBody},
    details,
};
use crate::{
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::Answer,
    error::Fail,
    extract::{Loose, Params},
    rest::{Envelope, enveloped},
};

/// Adds people to a group.
///
/// Who allows nobody to add them is `needs_invitation`, and not in the group.
#[operation]
pub async fn add(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<ResultsBody>>, Fail> {
    let words = (
        "They are in the group.",
        "Not all of them are in the group: see results.",
    );
    act((&access, &app), &body, Act::Add, words).await
}

/// Removes people from a group.
#[operation]
pub async fn remove(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<ResultsBody>>, Fail> {
    let words = (
        "They are out of the group.",
        "Some of them are in the group still: see results.",
    );
    act((&access, &app), &body, Act::Remove, words).await
}

#[derive(Serialize, JsonSchema)]
pub struct RequestsBody {
    requests: Vec<RequestBody>,
}

/// Lists who wants to join a group.
#[operation]
pub async fn requests(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Params(query): Params<GroupQuery>,
) -> Result<Answer<Envelope<RequestsBody>>, Fail> {
    let requests = app.groups().requests(&granted, &query.group_id).await?;
    Ok(enveloped(RequestsBody {
        requests: requests.iter().map(Into::into).collect(),
    }))
}

/// Lets people in who want to join.
#[operation]
pub async fn approve(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<ResultsBody>>, Fail> {
    let words = (
        "They are in the group.",
        "Not all of them are in the group: see results.",
    );
    act((&access, &app), &body, Act::Approve, words).await
}

/// Turns people away who want to join.
#[operation]
pub async fn reject(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<ResultsBody>>, Fail> {
    let words = (
        "They are turned away.",
        "Not all of them had asked: see results.",
    );
    act((&access, &app), &body, Act::Reject, words).await
}

/// A link to a group.
#[derive(Deserialize, JsonSchema)]
pub struct InviteQuery {
    /// `https://chat.whatsapp.com/…`, or the code at its end.
    #[serde(default, alias = "code", alias = "invite_link", alias = "inviteLink")]
    link: String,
}

/// Shows the group that a link leads to, without joining it.
#[operation]
pub async fn preview(
    InstanceAccess { granted, .. }: InstanceAccess<Viewer>,
    State(app): State<App>,
    Params(query): Params<InviteQuery>,
) -> Result<Answer<Envelope<GroupHead>>, Fail> {
    let group = app.groups().preview(&granted, &query.link).await?;
    Ok(enveloped((&group).into()))
}

#[derive(Serialize, JsonSchema)]
pub struct JoinedBody {
    details: &'static str,
    group_id: String,
    /// An admin has to let this number in.
    pending_approval: bool,
}

/// Joins a group by its link.
///
/// Where the group wants it, an admin has to let this number in: `pending_approval`.
#[operation]
pub async fn join(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<InviteQuery>,
) -> Result<Answer<Envelope<JoinedBody>>, Fail> {
    let joined = app.groups().join(&granted, &body.link).await?;
    Ok(enveloped(JoinedBody {
        details: match joined.pending {
            true => "An admin has to let this number in.",
            false => "This number is in the group.",
        },
        group_id: joined.group.to_string(),
        pending_approval: joined.pending,
    }))
}

/// Leaves a group.
#[operation]
pub async fn leave(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<Details>>, Fail> {
    app.groups().leave(&granted, &body.group_id).await?;
    Ok(details("This number has left the group."))
}
