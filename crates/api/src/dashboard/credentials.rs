//! The account's credentials, in the shapes of the instance API.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_identity::audit::Actor;
use recado_model::CredentialId;

use crate::{
    auth::{Confirmed, Member, least::Admin},
    describe::{Answer, NoContent},
    error::Fail,
    extract::{Params, Segment, Strict, StrictWithNulls},
    shapes::credentials::{
        ChangeCredentialBody, CreateCredentialBody, CredentialBody, CredentialList,
        CredentialQuery, MadeCredential, RotateBody, ShownToken,
    },
};

use super::Nothing;

/// Lists the credentials of the account, without their tokens.
///
/// Oldest first; those that have ended only with `state=all`.
#[operation]
pub async fn list(
    Member { person, .. }: Member<Admin>,
    State(app): State<App>,
    Params(query): Params<CredentialQuery>,
) -> Result<Answer<CredentialList>, Fail> {
    let (actor, filter) = (Actor::from(&person), query.filter()?);
    let found = app.credentials().list(actor, &filter).await?;
    Ok(Answer(found.into()))
}

/// Makes a credential and shows its token.
///
/// A client secret is shown in this answer only.
#[operation]
pub async fn create(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(app): State<App>,
    Strict(body): Strict<CreateCredentialBody>,
) -> Result<Answer<MadeCredential>, Fail> {
    let (makes, terms) = body.read()?;
    let actor = Actor::from(&person);
    let issued = app.credentials().create(actor, makes, terms).await?;
    Ok(Answer(issued.into()))
}

/// Changes label, end and restrictions of a credential.
///
/// `null` clears a member; what is left out stays as it is.
#[operation]
pub async fn change(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(app): State<App>,
    Segment(cid): Segment<CredentialId>,
    StrictWithNulls(body): StrictWithNulls<ChangeCredentialBody>,
) -> Result<Answer<CredentialBody>, Fail> {
    let (actor, change) = (Actor::from(&person), body.into());
    let view = app.credentials().change(actor, &cid, change).await?;
    Ok(Answer(view.into()))
}

/// Replaces a credential by a new one of the same kind.
///
/// The old one holds for `grace_seconds` more; by default it ends at once.
#[operation]
pub async fn rotate(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(app): State<App>,
    Segment(cid): Segment<CredentialId>,
    Strict(body): Strict<RotateBody>,
) -> Result<Answer<MadeCredential>, Fail> {
    let (actor, grace) = (Actor::from(&person), body.grace_seconds);
    let rotated = app.credentials().rotate(actor, &cid, grace).await?;
    Ok(Answer(rotated.into()))
}

/// Shows the token of a credential once more.
///
/// Client secrets are not kept, so they cannot be shown. The look is noted in the audit log.
#[operation]
pub async fn reveal(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(app): State<App>,
    Segment(cid): Segment<CredentialId>,
    Strict(Nothing {}): Strict<Nothing>,
) -> Result<Answer<ShownToken>, Fail> {
    let actor = Actor::from(&person);
    let token = app.credentials().reveal(actor, &cid).await?;
    Ok(Answer(token.into()))
}

/// Ends a credential at once, and what was issued by it.
#[operation]
pub async fn revoke(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(app): State<App>,
    Segment(cid): Segment<CredentialId>,
) -> Result<NoContent, Fail> {
    let actor = Actor::from(&person);
    app.credentials().revoke(actor, &cid).await?;
    Ok(NoContent)
}
