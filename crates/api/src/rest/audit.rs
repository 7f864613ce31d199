//! The account's audit log.

use axum::{extract::State, response::Response};
use recado_app::audit::DEFAULT_PAGE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Shared, auth::AccountOwner, error::Fail, extract::Params};

use super::bare;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
    before: Option<String>,
    kind: Option<String>,
}

#[derive(Serialize)]
struct Log<'a> {
    entries: Vec<LogEntry<'a>>,
    /// What to pass as `before` for the page after this one.
    next: Option<String>,
}

#[derive(Serialize)]
struct LogEntry<'a> {
    id: &'a str,
    kind: &'a str,
    at: String,
    detail: &'a Value,
}

pub async fn read(
    AccountOwner(caller): AccountOwner,
    State(shared): State<Shared>,
    Params(query): Params<AuditQuery>,
) -> Result<Response, Fail> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    let (before, kind) = (query.before.as_deref(), query.kind.as_deref());
    let page = shared.app.audit_log(&caller, limit, before, kind).await?;
    Ok(bare(&Log {
        entries: page
            .entries
            .iter()
            .map(|entry| LogEntry {
                id: &entry.id,
                kind: &entry.kind,
                at: entry.at.to_rfc3339(),
                detail: &entry.detail,
            })
            .collect(),
        next: page.next,
    }))
}
