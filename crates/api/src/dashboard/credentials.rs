//! The account's credentials, in the shapes of the instance API.

use axum::extract::State;
use recado_app::audit::Actor;
use recado_model::CredentialId;

use crate::{
    Shared,
    auth::{Confirmed, Member, least::Admin},
    describe::{Answer, NoContent},
    error::Fail,
    extract::{Params, Segment, Strict, StrictWithNulls},
    shapes::credentials::{
        ChangeBody, CreateBody, CredentialBody, CredentialList, ListQuery, Made, RotateBody,
        ShownToken,
    },
};

use super::Nothing;

pub async fn list(
    Member { person, .. }: Member<Admin>,
    State(shared): State<Shared>,
    Params(query): Params<ListQuery>,
) -> Result<Answer<CredentialList>, Fail> {
    let (account, filter) = (&person.caller.account, query.filter()?);
    let found = shared.app.credentials().list(account, &filter).await?;
    Ok(Answer(found.into()))
}

pub async fn create(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(shared): State<Shared>,
    Strict(body): Strict<CreateBody>,
) -> Result<Answer<Made>, Fail> {
    let (makes, terms) = body.read()?;
    let actor = Actor::from(&person.caller);
    let issued = shared.app.credentials().create(actor, makes, terms).await?;
    Ok(Answer(issued.into()))
}

pub async fn change(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
    StrictWithNulls(body): StrictWithNulls<ChangeBody>,
) -> Result<Answer<CredentialBody>, Fail> {
    let (actor, change) = (Actor::from(&person.caller), body.into());
    let view = shared.app.credentials().change(actor, &cid, change).await?;
    Ok(Answer(view.into()))
}

pub async fn rotate(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
    Strict(body): Strict<RotateBody>,
) -> Result<Answer<Made>, Fail> {
    let (actor, grace) = (Actor::from(&person.caller), body.grace_seconds);
    let rotated = shared.app.credentials().rotate(actor, &cid, grace).await?;
    Ok(Answer(rotated.into()))
}

pub async fn reveal(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
    Strict(Nothing {}): Strict<Nothing>,
) -> Result<Answer<ShownToken>, Fail> {
    let actor = Actor::from(&person.caller);
    let token = shared.app.credentials().reveal(actor, &cid).await?;
    Ok(Answer(token.into()))
}

pub async fn revoke(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
) -> Result<NoContent, Fail> {
    let actor = Actor::from(&person.caller);
    shared.app.credentials().revoke(actor, &cid).await?;
    Ok(NoContent)
}
