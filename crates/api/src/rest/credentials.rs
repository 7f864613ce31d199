//! The account's credentials, from birth to end.
//!
//! For the owner's JWT of a credential without restrictions. Ids resolve inside the account only, so a
//! foreign one is a missing one. Bodies are bare; a token is in the answer of the call that asks for
//! it, and nowhere else.

use axum::extract::State;
use recado_app::audit::Actor;
use recado_model::CredentialId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Shared,
    auth::{AccountOwner, least::Admin},
    describe::{Answer, NoContent},
    error::Fail,
    extract::{Json, Params, Segment, WithNulls},
    shapes::credentials::{
        ChangeBody, CreateBody, CredentialBody, CredentialList, ListQuery, Made, RotateBody,
        ShownToken,
    },
};

pub async fn list(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(shared): State<Shared>,
    Params(query): Params<ListQuery>,
) -> Result<Answer<CredentialList>, Fail> {
    let credentials = shared.app.credentials();
    let found = credentials.list(&caller.account, &query.filter()?).await?;
    Ok(Answer(found.into()))
}

pub async fn create(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(shared): State<Shared>,
    Json(body): Json<CreateBody>,
) -> Result<Answer<Made>, Fail> {
    let (makes, terms) = body.read()?;
    let credentials = shared.app.credentials();
    let issued = credentials
        .create(Actor::from(&caller), makes, terms)
        .await?;
    Ok(Answer(issued.into()))
}

pub async fn get(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
) -> Result<Answer<CredentialBody>, Fail> {
    let credentials = shared.app.credentials();
    let view = credentials.get(&caller.account, &cid).await?;
    Ok(Answer(view.into()))
}

pub async fn change(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
    WithNulls(body): WithNulls<ChangeBody>,
) -> Result<Answer<CredentialBody>, Fail> {
    let credentials = shared.app.credentials();
    let view = credentials
        .change(Actor::from(&caller), &cid, body.into())
        .await?;
    Ok(Answer(view.into()))
}

pub async fn rotate(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
    Json(body): Json<RotateBody>,
) -> Result<Answer<Made>, Fail> {
    let credentials = shared.app.credentials();
    let rotated = credentials
        .rotate(Actor::from(&caller), &cid, body.grace_seconds)
        .await?;
    Ok(Answer(rotated.into()))
}

pub async fn revoke(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
) -> Result<NoContent, Fail> {
    let credentials = shared.app.credentials();
    credentials.revoke(Actor::from(&caller), &cid).await?;
    Ok(NoContent)
}

pub async fn reveal(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
) -> Result<Answer<ShownToken>, Fail> {
    let credentials = shared.app.credentials();
    let token = credentials.reveal(Actor::from(&caller), &cid).await?;
    Ok(Answer(token.into()))
}

#[derive(Serialize, JsonSchema)]
pub struct Done {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

pub async fn sign_out(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(shared): State<Shared>,
) -> Result<Answer<Done>, Fail> {
    let credentials = shared.app.credentials();
    credentials.sign_out(Actor::from(&caller)).await?;
    Ok(Answer(Done { status: "ok" }))
}
