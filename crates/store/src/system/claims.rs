//! Deliveries for the workers of all processes.

use recado_model::{
    AccountId, DeliveryId, EventId, EventKind, InstanceId, Timestamp, webhook::DueDelivery,
};

use super::System;
use crate::{
    error::Result,
    sql::{built, placeholders, sql},
};

impl System<'_> {
    /// Takes up to `limit` due deliveries for `worker` until `lease_until`; a worker that dies loses
    /// them then. No two workers get the same one: the UPDATE checks the lease again on the row as it
    /// is after waiting for whoever was faster. May answer fewer than are due (or
    /// [`crate::StoreError::Serialization`]) when many claim at once; ask again.
    pub async fn claim_deliveries(
        &mut self,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueDelivery>> {
        let claimed = sql(
            "UPDATE delivery SET lease_owner = $1, lease_until = $2 WHERE id IN ( \
             SELECT d.id FROM delivery d JOIN webhook w ON w.id = d.webhook_id \
             WHERE d.state = 'pending' AND d.next_at <= $3 AND (d.lease_until IS NULL OR d.lease_until <= $3) \
             ORDER BY d.next_at, d.id LIMIT $4) \
             AND state = 'pending' AND next_at <= $3 AND (lease_until IS NULL OR lease_until <= $3) RETURNING id",
        )
        .bind(worker)
        .bind(lease_until)
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        let ids = claimed
            .iter()
            .map(|row| row.text("id"))
            .collect::<Result<Vec<_>>>()?;
        let mut due = Vec::with_capacity(ids.len());
        for part in ids.chunks(200) {
            let rows = built(format!(
                "SELECT d.id, d.account_id, d.instance_id, d.event_id, d.attempts, e.kind, e.created_at, e.payload, \
                 w.id AS webhook_id, w.url, w.sealed_secret \
                 FROM delivery d JOIN event e ON e.account_id = d.account_id AND e.id = d.event_id \
                 JOIN webhook w ON w.account_id = d.account_id AND w.id = d.webhook_id \
                 WHERE d.id IN ({}) ORDER BY d.next_at, d.instance_id, e.seq",
                placeholders(1, part.len())
            ))
            .bind_all(part)
            .fetch_all(self.conn)
            .await?;
            for row in rows {
                let account = AccountId::from_text(row.text("account_id")?);
                let secret = self
                    .conn
                    .unseal_for(
                        &account,
                        "webhook",
                        "sealed_secret",
                        &row.text("webhook_id")?,
                        &row.blob("sealed_secret")?,
                    )
                    .await?;
                due.push(DueDelivery {
                    id: DeliveryId::from_text(row.text("id")?),
                    account,
                    instance: InstanceId::from_text(row.text("instance_id")?),
                    event: EventId::from_text(row.text("event_id")?),
                    event_kind: row.parsed("kind", EventKind::parse)?,
                    created_at: row.time("created_at")?,
                    body: row.text("payload")?,
                    url: row.text("url")?,
                    secret,
                    attempts: u32::try_from(row.i64("attempts")?).unwrap_or(u32::MAX),
                });
            }
        }
        Ok(due)
    }

    /// When the next delivery can be claimed: due, and no worker's. `None` when none waits.
    pub async fn next_delivery_due(&mut self) -> Result<Option<Timestamp>> {
        // MAX of two is spelled out: the databases name that function differently.
        let row = sql(
            "SELECT MIN(CASE WHEN d.lease_until IS NOT NULL AND d.lease_until > d.next_at THEN d.lease_until ELSE d.next_at END) AS due \
             FROM delivery d JOIN webhook w ON w.id = d.webhook_id WHERE d.state = 'pending'",
        )
        .fetch_one(self.conn)
        .await?;
        row.opt_time("due")
    }
}
