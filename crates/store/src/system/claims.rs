//! Deliveries for the workers of all processes.
//!
//! A delivery that waits has no lease; one under way has an owner and an end. The two partial
//! indexes of `delivery` are these two kinds, so what follows never reads what is settled.

use recado_model::{
    AccountId, DeliveryId, EventId, EventKind, InstanceId, Timestamp, webhook::DueDelivery,
};

use super::System;
use crate::{
    error::{Result, StoreError},
    sql::{Row, built, placeholders, sql},
};

/// How many deliveries of one webhook may be under way at once, in all processes together. An
/// endpoint that is slow, with a long line behind it, would otherwise hold every worker.
pub const UNDER_WAY_PER_WEBHOOK: i64 = 4;

/// `line(webhook_id)`: every webhook for which something waits, and a last row of NULL. It hops from
/// one webhook to the next through the index, so that a line of a million costs what a line of one
/// does; DISTINCT would read all of them.
const LINE: &str = "WITH RECURSIVE line (webhook_id) AS ( \
     SELECT MIN(webhook_id) FROM delivery WHERE state = 'pending' AND lease_until IS NULL \
     UNION ALL \
     SELECT (SELECT MIN(n.webhook_id) FROM delivery n WHERE n.state = 'pending' AND n.lease_until IS NULL \
     AND n.webhook_id > line.webhook_id) FROM line WHERE line.webhook_id IS NOT NULL)";

impl System<'_> {
    /// Takes up to `limit` due deliveries for `worker` until `lease_until`; a worker that dies loses
    /// them then. No two workers get the same one: the UPDATE checks the lease again on the row as it
    /// is after waiting for whoever was faster. May answer fewer than are due (or
    /// [`StoreError::Serialization`]) when many claim at once; ask again.
    ///
    /// Of one webhook no more than [`UNDER_WAY_PER_WEBHOOK`] are under way at once, and webhooks with
    /// fewer under way go first. A delivery that can never be posted (its secret does not open, its
    /// kind is unknown) has failed for good, with a `last_error`, and holds up no other.
    pub async fn claim_deliveries(
        &mut self,
        worker: &str,
        now: Timestamp,
        lease_until: Timestamp,
        limit: u32,
    ) -> Result<Vec<DueDelivery>> {
        // From here on a row is either leased or waits; which leases are over is asked only once.
        sql(
            "UPDATE delivery SET lease_owner = NULL, lease_until = NULL \
             WHERE state = 'pending' AND lease_until IS NOT NULL AND lease_until <= $1",
        )
        .bind(now)
        .execute(self.conn)
        .await?;
        // `place` is the place within the webhook, those under way included. The list of those due ends at the
        // last row that could have a place, or now when fewer are due: one bound, which both
        // databases look up in the index, so that the rest of a long line is never read.
        // Reads all: the lines of the subquery alone, which are bounded.
        let claimed = built(format!(
            "UPDATE delivery SET lease_owner = $1, lease_until = $2 WHERE id IN ( \
             {LINE} SELECT id FROM ( \
             SELECT d.id, d.next_at, COALESCE(b.busy, 0) + ROW_NUMBER() OVER (PARTITION BY d.webhook_id ORDER BY d.next_at, d.id) AS place \
             FROM line JOIN delivery d ON d.webhook_id = line.webhook_id \
             LEFT JOIN (SELECT webhook_id, COUNT(*) AS busy FROM delivery \
             WHERE state = 'pending' AND lease_until IS NOT NULL GROUP BY webhook_id) b ON b.webhook_id = line.webhook_id \
             WHERE d.state = 'pending' AND d.lease_until IS NULL AND COALESCE(b.busy, 0) < $5 \
             AND d.next_at <= COALESCE((SELECT l.next_at FROM delivery l WHERE l.webhook_id = line.webhook_id \
             AND l.state = 'pending' AND l.lease_until IS NULL AND l.next_at <= $3 ORDER BY l.next_at LIMIT 1 OFFSET {last}), $3) \
             ) ranked WHERE place <= $5 ORDER BY place, next_at, id LIMIT $4) \
             AND state = 'pending' AND lease_until IS NULL AND next_at <= $3 RETURNING id",
            last = UNDER_WAY_PER_WEBHOOK - 1,
        ))
        .bind(worker)
        .bind(lease_until)
        .bind(now)
        .bind(i64::from(limit))
        .bind(UNDER_WAY_PER_WEBHOOK)
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
                 LEFT JOIN webhook w ON w.account_id = d.account_id AND w.id = d.webhook_id \
                 WHERE d.id IN ({}) ORDER BY d.next_at, d.instance_id, e.seq",
                placeholders(1, part.len())
            ))
            .bind_all(part)
            .fetch_all(self.conn)
            .await?;
            for row in rows {
                match self.due(&row).await {
                    Ok(delivery) => due.push(delivery),
                    // Of this row alone. Whatever else went wrong concerns them all.
                    Err(error @ (StoreError::Sealed(_) | StoreError::Column(_))) => {
                        self.give_up(&row.text("id")?, &error, now).await?;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(due)
    }

    /// The wall clock of `worker` was set by `step_ms`, to `now`: its leases end as long from now as they
    /// would have, and what waits, when the clock went back, is due as soon as it would have been. What
    /// was never tried is due at once, whatever its time says: with a step of 0, for a worker that
    /// starts and does not know what was done to the clock. Whose clock was wrong nobody knows: of
    /// other nodes' deliveries some are tried early, none late.
    pub async fn deliveries_after_step(
        &mut self,
        worker: &str,
        now: Timestamp,
        step_ms: i64,
    ) -> Result<()> {
        if step_ms != 0 {
            sql("UPDATE delivery SET lease_until = lease_until + $2 \
                 WHERE state = 'pending' AND lease_until > 0 AND lease_owner = $1")
            .bind(worker)
            .bind(step_ms)
            .execute(self.conn)
            .await?;
        }
        // Reads all: a wall clock that was set is rare.
        sql(
            "UPDATE delivery SET next_at = CASE WHEN attempts = 0 THEN $1 ELSE next_at + $2 END \
             WHERE state = 'pending' AND lease_until IS NULL AND next_at > $1 AND (attempts = 0 OR $2 < 0)",
        )
        .bind(now)
        .bind(step_ms)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// A row of the claim, as a worker needs it.
    async fn due(&mut self, row: &Row) -> Result<DueDelivery> {
        let account = AccountId::from_text(row.text("account_id")?);
        let webhook = row
            .opt_text("webhook_id")?
            .ok_or(StoreError::Column("webhook_id"))?;
        let sealed = row.blob("sealed_secret")?;
        let secret = self
            .conn
            .unseal_for(&account, "webhook", "sealed_secret", &webhook, &sealed)
            .await?;
        Ok(DueDelivery {
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
        })
    }

    async fn give_up(&mut self, id: &str, why: &StoreError, now: Timestamp) -> Result<()> {
        // The owner of the webhook reads this.
        let text = format!("not posted: {why}");
        sql(
            "UPDATE delivery SET state = 'failed', lease_owner = NULL, lease_until = NULL, last_error = $2, updated_at = $3 WHERE id = $1",
        )
        .bind(id)
        .bind(&text)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// When the next delivery can be claimed: due, and no worker's. `None` when none waits. A time in
    /// the past means now.
    ///
    /// A delivery that waits for a webhook with all its places taken does not count, however long it has been
    /// due: the next it can have is the end of a lease, and those ends count for all webhooks alike.
    /// An attempt that ends earlier frees a place too; whoever ends it looks again.
    pub async fn next_delivery_due(&mut self) -> Result<Option<Timestamp>> {
        // Reads all: the lines of the subquery alone, one a webhook.
        let row = built(format!(
            "SELECT MIN(at) AS due FROM ( \
             SELECT MIN(lease_until) AS at FROM delivery WHERE state = 'pending' AND lease_until IS NOT NULL \
             UNION ALL \
             SELECT at FROM ({LINE} SELECT (SELECT d.next_at FROM delivery d WHERE d.webhook_id = line.webhook_id \
             AND d.state = 'pending' AND d.lease_until IS NULL ORDER BY d.next_at LIMIT 1) AS at \
             FROM line WHERE line.webhook_id IS NOT NULL AND line.webhook_id NOT IN ( \
             SELECT webhook_id FROM delivery WHERE state = 'pending' AND lease_until IS NOT NULL \
             GROUP BY webhook_id HAVING COUNT(*) >= $1)) waiting) both_kinds",
        ))
        .bind(UNDER_WAY_PER_WEBHOOK)
        .fetch_one(self.conn)
        .await?;
        row.opt_time("due")
    }
}
