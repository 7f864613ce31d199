//! A page of the audit log.

use recado_identity::audit;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::describe::Rfc3339;

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
