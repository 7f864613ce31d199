//! Whom this number has blocked.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_model::Address;
use schemars::JsonSchema;
use serde::Serialize;

use super::PersonBody;
use crate::{
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::Answer,
    error::Fail,
    extract::Loose,
    rest::{Envelope, enveloped},
};

#[derive(Serialize, JsonSchema)]
pub struct BlockedList {
    users: Vec<BlockedUser>,
}

#[derive(Serialize, JsonSchema)]
struct BlockedUser {
    #[schemars(with = "String")]
    jid: Address,
    phone: Option<String>,
    #[schemars(with = "Option<String>")]
    lid: Option<Address>,
}

/// Lists whom this number has blocked, here or on its phone.
#[operation]
pub async fn list(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
) -> Result<Answer<Envelope<BlockedList>>, Fail> {
    let blocked = app.people().blocked(&access.granted).await?;
    let users = blocked.into_iter().map(|one| BlockedUser {
        phone: one
            .number
            .as_ref()
            .and_then(|number| number.number().map(str::to_owned)),
        lid: one.address.is_lid().then(|| one.address.clone()),
        jid: one.number.unwrap_or(one.address),
    });
    Ok(enveloped(BlockedList {
        users: users.collect(),
    }))
}

#[derive(Serialize, JsonSchema)]
pub struct BlockDone {
    #[schemars(with = "String")]
    jid: Address,
    details: &'static str,
}

/// Blocks a person: what they write does not come any more.
#[operation]
pub async fn block(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<PersonBody>,
) -> Result<Answer<Envelope<BlockDone>>, Fail> {
    let jid = app
        .people()
        .block(&access.granted, body.phone()?, true)
        .await?;
    let details = "The person is blocked.";
    Ok(enveloped(BlockDone { jid, details }))
}

/// Takes a block back.
#[operation]
pub async fn unblock(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<PersonBody>,
) -> Result<Answer<Envelope<BlockDone>>, Fail> {
    let jid = app
        .people()
        .block(&access.granted, body.phone()?, false)
        .await?;
    let details = "The person is not blocked.";
    Ok(enveloped(BlockDone { jid, details }))
}
