//! Events and, in the same transaction, their deliveries.

use recado_model::{
    AccountId, DeliveryId, Event, EventId, EventKind, InstanceId, webhook::DeliveryState,
};

use crate::{
    accounts::AccountStore,
    error::{Result, StoreError},
    sql::{Row, sql},
};

impl AccountStore<'_> {
    /// Keeps the event, with the instance's next sequence number, and a delivery for each webhook
    /// that wants its kind. The number of deliveries. `account` of the event must be this one.
    pub async fn append(&mut self, event: &Event) -> Result<usize> {
        if event.account != self.id {
            return Err(StoreError::Misuse("an event of another account"));
        }
        let seq = self.next_seq(&event.instance).await?;
        let payload =
            serde_json::to_string(&event.payload).map_err(|_| StoreError::Column("payload"))?;
        sql(
            "INSERT INTO event (id, account_id, instance_id, seq, kind, payload, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&event.id)
        .bind(&self.id)
        .bind(&event.instance)
        .bind(seq)
        .bind(event.kind.as_str())
        .bind(&payload)
        .bind(event.created_at)
        .execute(self.conn)
        .await?;
        let webhooks = self.subscribed(&event.instance, event.kind).await?;
        for webhook in &webhooks {
            let id = DeliveryId::random(self.conn.store.rng());
            sql(
                "INSERT INTO delivery (id, account_id, instance_id, event_id, webhook_id, state, attempts, next_at, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $7, 0, $6, $6, $6)",
            )
            .bind(&id)
            .bind(&self.id)
            .bind(&event.instance)
            .bind(&event.id)
            .bind(webhook)
            .bind(event.created_at)
            .bind(DeliveryState::Pending.as_str())
            .execute(self.conn)
            .await?;
            self.conn.ring();
        }
        Ok(webhooks.len())
    }

    /// In the order they happened, after `after` (from the first with `None`, or when `after` is
    /// unknown), at most `limit`.
    pub async fn events(
        &mut self,
        instance: &InstanceId,
        after: Option<&EventId>,
        limit: u32,
    ) -> Result<Vec<Event>> {
        let rows = sql(
            "SELECT id, account_id, instance_id, kind, payload, created_at FROM event \
             WHERE account_id = $1 AND instance_id = $2 AND seq > COALESCE( \
             (SELECT seq FROM event WHERE account_id = $1 AND instance_id = $2 AND id = $3), 0) \
             ORDER BY seq LIMIT $4",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(from_row).collect()
    }

    pub async fn event_count(&mut self, instance: &InstanceId, kind: EventKind) -> Result<i64> {
        sql("SELECT COUNT(*) AS n FROM event WHERE account_id = $1 AND instance_id = $2 AND kind = $3")
            .bind(&self.id)
            .bind(instance)
            .bind(kind.as_str())
            .fetch_one(self.conn)
            .await?
            .i64("n")
    }
}

fn from_row(row: &Row) -> Result<Event> {
    Ok(Event {
        id: EventId::from_text(row.text("id")?),
        account: AccountId::from_text(row.text("account_id")?),
        instance: InstanceId::from_text(row.text("instance_id")?),
        kind: row.parsed("kind", EventKind::parse)?,
        payload: row.parsed("payload", |text| serde_json::from_str(text).ok())?,
        created_at: row.time("created_at")?,
    })
}
