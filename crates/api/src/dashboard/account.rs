//! The account: what it is called, its log, signing everybody out.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_identity::audit::{Actor, DEFAULT_PAGE};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{
    auth::{Confirmed, Member, cookie::clear_cookie, least::Admin},
    describe::{Answer, NoContent, WithCookie},
    error::Fail,
    extract::{Params, Strict},
    shapes::audit::{AuditPage, AuditQuery},
};

use super::{Nothing, language, me};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeAccountBody {
    #[serde(default)]
    #[schemars(length(min = 1, max = 255))]
    name: Option<String>,
    /// Of the assistant's answers.
    #[serde(default)]
    #[schemars(extend("enum" = ["en", "pt-BR", "es"]))]
    language: Option<String>,
}

/// Changes name and language of the account.
#[operation]
pub async fn change(
    Member { person, .. }: Member<Admin>,
    State(app): State<App>,
    Strict(body): Strict<ChangeAccountBody>,
) -> Result<Answer<me::MeBody>, Fail> {
    let language = language(body.language)?;
    let members = app.members();
    members
        .change_account(&person, body.name.as_deref(), language)
        .await?;
    Ok(Answer(me::me_of(&app, &person).await?))
}

/// Ends every JWT and every session of the account, one's own too.
#[operation]
pub async fn sign_out(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(app): State<App>,
    Strict(Nothing {}): Strict<Nothing>,
) -> Result<WithCookie<NoContent>, Fail> {
    let credentials = app.credentials();
    credentials.sign_out(Actor::from(&person)).await?;
    Ok(WithCookie {
        cookie: Some(clear_cookie()),
        answer: NoContent,
    })
}

/// Lists the account's audit log, newest first.
///
/// `next` of a page is what to pass as `before` for the one after it.
#[operation]
pub async fn audit(
    Member { person, .. }: Member<Admin>,
    State(app): State<App>,
    Params(query): Params<AuditQuery>,
) -> Result<Answer<AuditPage>, Fail> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    let (before, kind) = (query.before.as_deref(), query.kind.as_deref());
    let page = app.audit_log(&person, limit, before, kind).await?;
    Ok(Answer(page.into()))
}
