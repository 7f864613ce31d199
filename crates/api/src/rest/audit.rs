//! The account's audit log.

use axum::extract::State;
use recado_identity::audit::{self, DEFAULT_PAGE};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Shared,
    auth::{AccountOwner, least::Admin},
    describe::{Answer, Rfc3339},
    error::Fail,
    extract::Params,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    #[schemars(range(min = 1, max = 500))]
    pub(crate) limit: Option<u32>,
    pub(crate) before: Option<String>,
    pub(crate) kind: Option<String>,
}

/// A page of the log, newest first.
#[derive(Serialize, JsonSchema)]
pub struct AuditPage {
    entries: Vec<AuditEntry>,
    /// What to pass as `before` for the page after this one.
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct AuditEntry {
    id: String,
    kind: String,
    at: Rfc3339,
    /// What is told differs by kind.
    #[schemars(with = "Map<String, Value>")]
    detail: Value,
}

impl From<audit::Page> for AuditPage {
    fn from(page: audit::Page) -> Self {
        let entry = |entry: audit::Entry| AuditEntry {
            id: entry.id,
            kind: entry.kind,
            at: Rfc3339(entry.at),
            detail: entry.detail,
        };
        Self {
            entries: page.entries.into_iter().map(entry).collect(),
            next: page.next,
        }
    }
}

pub async fn read(
    AccountOwner { caller, .. }: AccountOwner<Admin>,
    State(shared): State<Shared>,
    Params(query): Params<AuditQuery>,
) -> Result<Answer<AuditPage>, Fail> {
    let limit = query.limit.unwrap_or(DEFAULT_PAGE);
    let (before, kind) = (query.before.as_deref(), query.kind.as_deref());
    let page = shared.app.audit_log(&caller, limit, before, kind).await?;
    Ok(Answer(page.into()))
}
