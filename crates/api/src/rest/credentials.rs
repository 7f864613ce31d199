//! The account's credentials, from birth to end.
//!
//! For the owner's JWT of a credential without restrictions. Ids resolve inside the account only, so a
//! foreign one is a missing one. Bodies are bare; a token is in the answer of the call that asks for
//! it, and nowhere else.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_identity::audit::Actor;
use recado_model::CredentialId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    auth::{AccountOwner, least::Admin},
    describe::{Answer, NoContent},
    error::Fail,
    extract::{Json, Params, Segment, WithNulls},
    shapes::credentials::{
        ChangeCredentialBody, CreateCredentialBody, CredentialBody, CredentialList,
        CredentialQuery, MadeCredential, RotateBody, ShownToken,
    },
};

/// Lists the credentials of the account, without their tokens.
///
/// Oldest first; those that have ended only with `state=all`.
#[operation]
pub async fn list(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(app): State<App>,
    Params(query): Params<CredentialQuery>,
) -> Result<Answer<CredentialList>, Fail> {
    let credentials = app.credentials();
    let found = credentials
        .list(Actor::from(&caller), &query.filter()?)
        .await?;
    Ok(Answer(found.into()))
}

/// Makes a credential and shows its token.
///
/// A client secret is shown in this answer only.
#[operation]
pub async fn create(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(app): State<App>,
    Json(body): Json<CreateCredentialBody>,
) -> Result<Answer<MadeCredential>, Fail> {
    let (makes, terms) = body.read()?;
    let credentials = app.credentials();
    let issued = credentials
        .create(Actor::from(&caller), makes, terms)
        .await?;
    Ok(Answer(issued.into()))
}

/// Shows one credential, without its token.
#[operation]
pub async fn get(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(app): State<App>,
    Segment(cid): Segment<CredentialId>,
) -> Result<Answer<CredentialBody>, Fail> {
    let credentials = app.credentials();
    let view = credentials.get(Actor::from(&caller), &cid).await?;
    Ok(Answer(view.into()))
}

/// Changes label, end and restrictions of a credential.
///
/// `null` clears a member; what is left out stays as it is.
#[operation]
pub async fn change(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(app): State<App>,
    Segment(cid): Segment<CredentialId>,
    WithNulls(body): WithNulls<ChangeCredentialBody>,
) -> Result<Answer<CredentialBody>, Fail> {
    let credentials = app.credentials();
    let view = credentials
        .change(Actor::from(&caller), &cid, body.into())
        .await?;
    Ok(Answer(view.into()))
}

/// Replaces a credential by a new one of the same kind.
///
/// The old one holds for `grace_seconds` more; by default it ends at once.
#[operation]
pub async fn rotate(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(app): State<App>,
    Segment(cid): Segment<CredentialId>,
    Json(body): Json<RotateBody>,
) -> Result<Answer<MadeCredential>, Fail> {
    let credentials = app.credentials();
    let rotated = credentials
        .rotate(Actor::from(&caller), &cid, body.grace_seconds)
        .await?;
    Ok(Answer(rotated.into()))
}

/// Ends a credential at once, and what was issued by it.
#[operation]
pub async fn revoke(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(app): State<App>,
    Segment(cid): Segment<CredentialId>,
) -> Result<NoContent, Fail> {
    let credentials = app.credentials();
    credentials.revoke(Actor::from(&caller), &cid).await?;
    Ok(NoContent)
}

/// Shows the token of a credential once more.
///
/// Client secrets are not kept, so they cannot be shown. The look is noted in the audit log.
#[operation]
pub async fn reveal(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(app): State<App>,
    Segment(cid): Segment<CredentialId>,
) -> Result<Answer<ShownToken>, Fail> {
    let credentials = app.credentials();
    let token = credentials.reveal(Actor::from(&caller), &cid).await?;
    Ok(Answer(token.into()))
}

#[derive(Serialize, JsonSchema)]
pub struct Done {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

/// Ends every JWT and every session of the account.
#[operation]
pub async fn sign_out(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(app): State<App>,
) -> Result<Answer<Done>, Fail> {
    let credentials = app.credentials();
    credentials.sign_out(Actor::from(&caller)).await?;
    Ok(Answer(Done { status: "ok" }))
}
