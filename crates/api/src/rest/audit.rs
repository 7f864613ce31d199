//! The account's audit log.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_identity::audit::DEFAULT_PAGE;

use crate::{
    auth::{AccountOwner, least::Admin},
    describe::Answer,
    error::Fail,
    extract::Params,
    shapes::audit::{AuditPage, AuditQuery},
};

/// Lists the account's audit log, newest first.
///
/// `next` of a page is what to pass as `before` for the one after it.
#[operation]
pub async fn read(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(app): State<App>,
    Params(query): Params<AuditQuery>,
) -> Result<Answer<AuditPage>, Fail> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    let (before, kind) = (query.before.as_deref(), query.kind.as_deref());
    let page = app.audit_log(&caller, limit, before, kind).await?;
    Ok(Answer(page.into()))
}
