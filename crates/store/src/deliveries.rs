//! Deliveries of events to webhooks, and their attempts. Claiming them is in `system`.

use recado_model::{
    DeliveryId, EventId, EventKind, InstanceId, Timestamp,
    webhook::{AttemptOutcome, DeliveryState, NextStep},
};

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, sql},
};

/// A delivery for the webhook log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryRow {
    pub id: DeliveryId,
    pub event: EventId,
    pub event_kind: EventKind,
    pub state: DeliveryState,
    pub attempts: u32,
    /// When the next attempt is due; says something only of a pending one.
    pub next_at: Timestamp,
    /// HTTP status of the last attempt that got an answer.
    pub last_status: Option<u16>,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryPage {
    /// Newest first.
    pub items: Vec<DeliveryRow>,
    pub total: i64,
}

impl AccountStore<'_> {
    /// Notes an attempt and what follows from it, and gives the lease back. `false` when the
    /// delivery is gone or was settled meanwhile: then nothing is written.
    pub async fn finish_attempt(
        &mut self,
        id: &DeliveryId,
        outcome: &AttemptOutcome,
    ) -> Result<bool> {
        let (state, next_at) = match outcome.next {
            NextStep::Done => (DeliveryState::Delivered, None),
            NextStep::RetryAt(at) => (DeliveryState::Pending, Some(at)),
            NextStep::GiveUp => (DeliveryState::Failed, None),
        };
        let status = outcome.status.map(i64::from);
        let row = sql(
            "UPDATE delivery SET state = $3, attempts = attempts + 1, next_at = COALESCE($4, next_at), lease_owner = NULL, \
             lease_until = NULL, last_status = $5, last_error = $6, updated_at = $7 \
             WHERE account_id = $1 AND id = $2 AND state = 'pending' RETURNING attempts",
        )
        .bind(&self.id)
        .bind(id)
        .bind(state.as_str())
        .bind(next_at)
        .bind(status)
        .bind(outcome.error.as_deref())
        .bind(outcome.at)
        .fetch_optional(self.conn)
        .await?;
        let Some(row) = row else {
            return Ok(false);
        };
        sql(
            "INSERT INTO delivery_attempt (account_id, delivery_id, number, at, duration_ms, status, error) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(&self.id)
        .bind(id)
        .bind(row.i64("attempts")?)
        .bind(outcome.at)
        .bind(outcome.duration_ms)
        .bind(status)
        .bind(outcome.error.as_deref())
        .execute(self.conn)
        .await?;
        // A webhook has only so many places: the next in its line can have this one.
        self.conn.ring();
        Ok(true)
    }

    /// A page (1-based) of an instance's deliveries, newest first; in one state, `None` for all.
    pub async fn deliveries(
        &mut self,
        instance: &InstanceId,
        state: Option<DeliveryState>,
        page: u32,
        size: u32,
    ) -> Result<DeliveryPage> {
        let state = state.map(DeliveryState::as_str);
        let offset = i64::from(page.saturating_sub(1)).saturating_mul(i64::from(size));
        let rows = sql(
            "SELECT d.id, d.event_id, e.kind, d.state, d.attempts, d.next_at, d.last_status, d.last_error, d.created_at, d.updated_at \
             FROM delivery d JOIN event e ON e.account_id = d.account_id AND e.id = d.event_id \
             WHERE d.account_id = $1 AND d.instance_id = $2 AND ($3 IS NULL OR d.state = $3) \
             ORDER BY d.created_at DESC, e.seq DESC LIMIT $4 OFFSET $5",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(state)
        .bind(i64::from(size))
        .bind(offset)
        .fetch_all(self.conn)
        .await?;
        let total = sql(
            "SELECT COUNT(*) AS n FROM delivery WHERE account_id = $1 AND instance_id = $2 AND ($3 IS NULL OR state = $3)",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(state)
        .fetch_one(self.conn)
        .await?
        .i64("n")?;
        Ok(DeliveryPage {
            items: rows.iter().map(from_row).collect::<Result<_>>()?,
            total,
        })
    }
}

fn from_row(row: &Row) -> Result<DeliveryRow> {
    Ok(DeliveryRow {
        id: DeliveryId::from_text(row.text("id")?),
        event: EventId::from_text(row.text("event_id")?),
        event_kind: row.parsed("kind", EventKind::parse)?,
        state: row.parsed("state", DeliveryState::parse)?,
        attempts: u32::try_from(row.i64("attempts")?).unwrap_or(u32::MAX),
        next_at: row.time("next_at")?,
        last_status: row
            .opt_i64("last_status")?
            .and_then(|status| u16::try_from(status).ok()),
        last_error: row.opt_text("last_error")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
