//! What happened to an account's credentials and settings; rows that its owner can read.

use recado_model::{Timestamp, id::random_base32};

use crate::{accounts::AccountStore, error::Result, sql::sql};

/// One audit row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
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

    /// The newest `limit`, newest first.
    pub async fn audit_entries(&mut self, limit: u32) -> Result<Vec<AuditEntry>> {
        let rows = sql(
            "SELECT kind, detail, at FROM audit WHERE account_id = $1 ORDER BY at DESC, id DESC LIMIT $2",
        )
        .bind(&self.id)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AuditEntry {
                    kind: row.text("kind")?,
                    detail: row.text("detail")?,
                    at: row.time("at")?,
                })
            })
            .collect()
    }
}
