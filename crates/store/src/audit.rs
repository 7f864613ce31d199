//! The history of an account's credentials and settings; rows that its owner can read.

use recado_model::{Timestamp, id::random_base32};

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, built, placeholders, sql},
};

/// One audit row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// `AU` + 26 characters; with `at` its place in the log.
    pub id: String,
    /// `credential.created`, `credential.revoked`, …
    pub kind: String,
    /// JSON; never holds a secret.
    pub detail: String,
    pub at: Timestamp,
}

impl AccountStore<'_> {
    /// `detail` is JSON and must hold no secret.
    pub async fn audit(&mut self, kind: &str, detail: &str, now: Timestamp) -> Result<()> {
        let id = format!("AU{}", random_base32(self.conn.store.rng()));
        sql("INSERT INTO audit (id, account_id, kind, detail, at) VALUES ($1, $2, $3, $4, $5)")
            .bind(&id)
            .bind(&self.id)
            .bind(kind)
            .bind(detail)
            .bind(now)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// How many of these kinds there are from `since` on.
    pub async fn count_audit(&mut self, kinds: &[&str], since: Timestamp) -> Result<i64> {
        built(format!(
            "SELECT COUNT(*) AS n FROM audit WHERE account_id = $1 AND at >= $2 AND kind IN ({})",
            placeholders(3, kinds.len())
        ))
        .bind(&self.id)
        .bind(since)
        .bind_all(kinds.iter().copied())
        .fetch_one(self.conn)
        .await?
        .i64("n")
    }

    /// The newest `limit`, newest first.
    pub async fn audit_entries(&mut self, limit: u32) -> Result<Vec<AuditEntry>> {
        self.audit_page(limit, None, None).await
    }

    /// The newest `limit` that come before `before` (time and id of an entry), of one kind or all.
    pub async fn audit_page(
        &mut self,
        limit: u32,
        before: Option<(Timestamp, &str)>,
        kind: Option<&str>,
    ) -> Result<Vec<AuditEntry>> {
        let mut text = String::from("SELECT id, kind, detail, at FROM audit WHERE account_id = $1");
        if before.is_some() {
            text.push_str(" AND (at < $3 OR (at = $3 AND id < $4))");
        }
        if kind.is_some() {
            text.push_str(if before.is_some() {
                " AND kind = $5"
            } else {
                " AND kind = $3"
            });
        }
        text.push_str(" ORDER BY at DESC, id DESC LIMIT $2");
        let mut query = built(text).bind(&self.id).bind(i64::from(limit));
        if let Some((at, id)) = before {
            query = query.bind(at).bind(id);
        }
        if let Some(kind) = kind {
            query = query.bind(kind);
        }
        let rows = query.fetch_all(self.conn).await?;
        rows.iter().map(entry).collect()
    }
}

fn entry(row: &Row) -> Result<AuditEntry> {
    Ok(AuditEntry {
        id: row.text("id")?,
        kind: row.text("kind")?,
        detail: row.text("detail")?,
        at: row.time("at")?,
    })
}
