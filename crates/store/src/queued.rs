//! The line of an instance as its owner looks at it, and takes something out of it.

use recado_model::{Address, ContentKind, InstanceId, Lane, MessageId, MessageStatus, Timestamp};

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, sql},
};

/// A message in the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedRow {
    pub message: MessageId,
    pub to: Address,
    pub kind: ContentKind,
    pub status: MessageStatus,
    pub queue_id: Option<i64>,
    /// It may have been on the wire.
    pub tried: bool,
    /// 0 is at once.
    pub run_at: Timestamp,
    pub valid_until: Option<Timestamp>,
    /// Tries that ended without WhatsApp taking it.
    pub attempts: u32,
    pub created_at: Timestamp,
}

/// Of one lane: $3 is 1 for what is done to earlier messages.
macro_rules! from_line {
    ($what:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $what,
            " FROM job j JOIN message m ON m.instance_id = j.instance_id AND m.id = j.message_id AND m.direction = 'out' \
             JOIN message_content c ON c.message_key = m.key \
             WHERE j.account_id = $1 AND j.instance_id = $2 \
             AND $3 = CASE WHEN c.kind IN ('reaction', 'edit', 'revoke', 'vote') THEN 1 ELSE 0 END ",
            $rest
        )
    };
}

macro_rules! whole {
    ($rest:literal) => {
        from_line!(
            "j.message_id, j.address, j.tried, j.run_at, j.valid_until, j.attempts, j.silences, j.created_at, c.kind, m.status, m.queue_id",
            $rest
        )
    };
}

impl AccountStore<'_> {
    /// A page of a lane, in the order of the line.
    pub async fn queued(
        &mut self,
        instance: &InstanceId,
        lane: Lane,
        page: u32,
        size: u32,
    ) -> Result<Vec<QueuedRow>> {
        let rows = sql(whole!("ORDER BY j.first_due, j.seq LIMIT $4 OFFSET $5"))
            .bind(&self.id)
            .bind(instance)
            .bind(lane.is_operations())
            .bind(i64::from(size))
            .bind(i64::from(page.saturating_sub(1)) * i64::from(size))
            .fetch_all(self.conn)
            .await?;
        rows.iter().map(from_row).collect()
    }

    pub async fn queued_count(&mut self, instance: &InstanceId, lane: Lane) -> Result<i64> {
        sql(from_line!("COUNT(*) AS n", ""))
            .bind(&self.id)
            .bind(instance)
            .bind(lane.is_operations())
            .fetch_one(self.conn)
            .await?
            .i64("n")
    }

    pub async fn queued_message(
        &mut self,
        instance: &InstanceId,
        lane: Lane,
        message: &MessageId,
    ) -> Result<Option<QueuedRow>> {
        sql(whole!("AND j.message_id = $4"))
            .bind(&self.id)
            .bind(instance)
            .bind(lane.is_operations())
            .bind(message)
            .fetch_optional(self.conn)
            .await?
            .map(|row| from_row(&row))
            .transpose()
    }

    /// Messages of a lane that nobody has tried to send, the first of the line first.
    pub async fn untried(
        &mut self,
        instance: &InstanceId,
        lane: Lane,
        limit: u32,
    ) -> Result<Vec<MessageId>> {
        let rows = sql(from_line!(
            "j.message_id",
            "AND j.tried = 0 ORDER BY j.first_due, j.seq LIMIT $4"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(lane.is_operations())
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| row.text("message_id").map(MessageId::from_wire))
            .collect()
    }
}

fn from_row(row: &Row) -> Result<QueuedRow> {
    let tries = row.i64("attempts")? + row.i64("silences")?;
    Ok(QueuedRow {
        message: MessageId::from_wire(row.text("message_id")?),
        to: Address::from_wire(row.text("address")?),
        kind: row.parsed("kind", ContentKind::parse)?,
        status: row.parsed("status", MessageStatus::parse)?,
        queue_id: row.opt_i64("queue_id")?,
        tried: row.bool("tried")?,
        run_at: row.time("run_at")?,
        valid_until: row.opt_time("valid_until")?,
        attempts: u32::try_from(tries).unwrap_or(u32::MAX),
        created_at: row.time("created_at")?,
    })
}
