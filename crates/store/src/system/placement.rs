//! Which process runs which instance: a lease with owner, end and fencing number.

use recado_model::{AccountId, InstanceId, JobKind, Timestamp};

use super::System;
use crate::{error::Result, sql::sql};

impl System<'_> {
    /// Paired instances that `node` should connect now, by account and number: nobody else holds
    /// them. Not those that WhatsApp blocked, nor those whose place another program took: logging
    /// in again and again would make either worse, so a person has to ask for it. Nor those that were
    /// closed because nobody paid for them.
    pub async fn instances_to_start(
        &mut self,
        node: &str,
        now: Timestamp,
    ) -> Result<Vec<(AccountId, InstanceId)>> {
        // Reads all: at a start and after a node went, and instances are thousands at most.
        let rows = sql(
            "SELECT account_id, id FROM instance WHERE paired = 1 AND wanted = 1 \
             AND state <> 'blocked' AND (reason IS NULL OR reason NOT IN ('stream_replaced', 'unpaid')) \
             AND (lease_owner IS NULL OR lease_owner = $1 OR lease_until IS NULL OR lease_until <= $2) \
             ORDER BY account_id, number",
        )
        .bind(node)
        .bind(now)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok((
                    AccountId::from_text(row.text("account_id")?),
                    InstanceId::from_text(row.text("id")?),
                ))
            })
            .collect()
    }

    /// The instances whose lease is `node`'s, even when it is over and nobody took it yet. An actor
    /// of `node` whose instance is not among them has lost it to another process and must stop.
    pub async fn held(&mut self, node: &str) -> Result<Vec<InstanceId>> {
        let rows = sql("SELECT id FROM instance WHERE lease_owner = $1 ORDER BY id")
            .bind(node)
            .fetch_all(self.conn)
            .await?;
        rows.iter()
            .map(|row| row.text("id").map(InstanceId::from_text))
            .collect()
    }

    /// Whose the lease of an instance is, when it is not over.
    pub async fn leader(
        &mut self,
        instance: &InstanceId,
        now: Timestamp,
    ) -> Result<Option<String>> {
        sql("SELECT lease_owner FROM instance WHERE id = $1 AND lease_owner IS NOT NULL AND lease_until > $2")
            .bind(instance)
            .bind(now)
            .fetch_optional(self.conn)
            .await?
            .map(|row| row.text("lease_owner"))
            .transpose()
    }

    /// How many instances other nodes lead.
    pub async fn led_elsewhere(&mut self, node: &str, now: Timestamp) -> Result<i64> {
        // Reads all: once a look, and instances are thousands at most.
        sql("SELECT COUNT(*) AS n FROM instance WHERE lease_owner <> $1 AND lease_until > $2")
            .bind(node)
            .bind(now)
            .fetch_one(self.conn)
            .await?
            .i64("n")
    }

    /// The instances whose lease is `node`'s and that have a message to send that was not tried yet.
    pub async fn waiting_queues(&mut self, node: &str, now: Timestamp) -> Result<Vec<InstanceId>> {
        let rows = sql(
            "SELECT i.id FROM instance i WHERE i.lease_owner = $1 AND EXISTS (SELECT 1 FROM job j \
             WHERE j.account_id = i.account_id AND j.instance_id = i.id AND j.tried = 0 AND j.run_at <= $2 \
             AND j.kind = $3 AND j.version <= $4) \
             ORDER BY i.id",
        )
        .bind(node)
        .bind(now)
        .bind(JobKind::Send.as_str())
        .bind(JobKind::Send.version())
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| row.text("id").map(InstanceId::from_text))
            .collect()
    }

    /// Takes the lease when it is free, over, or `owner`'s own, and answers the fencing number: it
    /// rises whenever the lease is taken anew, and stays while its owner only extends it. `None`
    /// while another owner holds it, or when there is no such instance.
    pub async fn lease_instance(
        &mut self,
        instance: &InstanceId,
        owner: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Option<i64>> {
        sql(
            "UPDATE instance SET lease_fence = CASE WHEN lease_owner = $2 AND lease_until > $4 THEN lease_fence ELSE lease_fence + 1 END, \
             lease_owner = $2, lease_until = $3 \
             WHERE id = $1 AND (lease_owner IS NULL OR lease_owner = $2 OR lease_until IS NULL OR lease_until <= $4) \
             RETURNING lease_fence",
        )
        .bind(instance)
        .bind(owner)
        .bind(until)
        .bind(now)
        .fetch_optional(self.conn)
        .await?
        .map(|row| row.i64("lease_fence"))
        .transpose()
    }

    /// Extends all leases that `owner` still has. The number of them: fewer than expected means that
    /// another process took some.
    pub async fn renew_leases(&mut self, owner: &str, until: Timestamp) -> Result<u64> {
        sql("UPDATE instance SET lease_until = $2 WHERE lease_owner = $1")
            .bind(owner)
            .bind(until)
            .execute(self.conn)
            .await
    }

    /// Gives a lease back. `false` when `owner` does not have it.
    pub async fn release_lease(&mut self, instance: &InstanceId, owner: &str) -> Result<bool> {
        let changed = sql(
            "UPDATE instance SET lease_owner = NULL, lease_until = NULL WHERE id = $1 AND lease_owner = $2",
        )
        .bind(instance)
        .bind(owner)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// After a start: what `owner` held when it last ended, however it ended, is free again, and no
    /// state says more than is true. Deliveries it had claimed are due again. What keeps an instance
    /// from being started (blocked, replaced) outlives the restart.
    pub async fn reset_node(&mut self, owner: &str, now: Timestamp) -> Result<()> {
        sql(
            "UPDATE instance SET lease_owner = NULL, lease_until = NULL, updated_at = $2, \
             state = CASE WHEN state IN ('connecting', 'connected', 'qr_pending') \
                 THEN CASE WHEN paired = 1 AND wanted = 1 AND (reason IS NULL OR reason <> 'stream_replaced') THEN 'connecting' ELSE 'disconnected' END \
                 ELSE state END \
             WHERE lease_owner = $1",
        )
        .bind(owner)
        .bind(now)
        .execute(self.conn)
        .await?;
        self.conn.touch_all();
        sql(
            "UPDATE delivery SET lease_owner = NULL, lease_until = NULL \
             WHERE state = 'pending' AND lease_until > 0 AND lease_owner = $1",
        )
        .bind(owner)
        .execute(self.conn)
        .await?;
        Ok(())
    }
}
