//! Messages, in and out. A message is unique by instance, chat, sender and id; one of ours also by
//! instance and id alone.

use recado_model::{
    Direction, InstanceId, MessageId, MessageStatus, Timestamp,
    message::{InboundMessage, OutgoingText},
};

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, sql},
};

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    pub instance: InstanceId,
    pub id: MessageId,
    pub chat: String,
    pub sender: String,
    pub direction: Direction,
    pub is_group: bool,
    pub push_name: Option<String>,
    /// `text`, `image`, …
    pub kind: String,
    pub text: Option<String>,
    pub status: MessageStatus,
    /// Why it failed, for a person.
    pub reason: Option<String>,
    /// When it was sent, by WhatsApp's clock for inbound ones.
    pub at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

impl AccountStore<'_> {
    /// A message to send, `Queued`. `false`: this instance has sent (or queued) that id before.
    pub async fn insert_outgoing(
        &mut self,
        instance: &InstanceId,
        message: &OutgoingText,
        own_jid: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let inserted = sql(
            "INSERT INTO message (account_id, instance_id, id, chat, sender, direction, is_group, kind, text, status, at, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, 'out', $6, 'text', $7, 'queued', $8, $8, $8) ON CONFLICT DO NOTHING",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(&message.id)
        .bind(&message.to)
        .bind(own_jid)
        .bind(message.to.ends_with("@g.us"))
        .bind(&message.text)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(inserted > 0)
    }

    /// A message that arrived, or one of our own sent from the phone. `false`: it is here already.
    pub async fn record_inbound(
        &mut self,
        message: &InboundMessage,
        now: Timestamp,
    ) -> Result<bool> {
        let (direction, status) = if message.from_me {
            (Direction::Out, MessageStatus::Sent)
        } else {
            (Direction::In, MessageStatus::Received)
        };
        let inserted = sql(
            "INSERT INTO message (account_id, instance_id, id, chat, sender, direction, is_group, push_name, kind, text, status, at, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) ON CONFLICT DO NOTHING",
        )
        .bind(&self.id)
        .bind(&message.instance)
        .bind(&message.id)
        .bind(&message.chat)
        .bind(&message.sender)
        .bind(direction.as_str())
        .bind(message.is_group)
        .bind(message.push_name.as_deref())
        .bind(&message.kind)
        .bind(message.text.as_deref())
        .bind(status.as_str())
        .bind(message.at)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(inserted > 0)
    }

    /// By id; ours before one of somebody else that happens to have the same id.
    pub async fn message(
        &mut self,
        instance: &InstanceId,
        id: &MessageId,
    ) -> Result<Option<MessageRow>> {
        sql(
            "SELECT instance_id, id, chat, sender, direction, is_group, push_name, kind, text, status, reason, at, created_at, updated_at \
             FROM message WHERE account_id = $1 AND instance_id = $2 AND id = $3 ORDER BY direction DESC, created_at LIMIT 1",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// One of our own by its id alone, whichever instance of the account it is of; the newest when
    /// two instances gave the same id.
    pub async fn find_message(&mut self, id: &MessageId) -> Result<Option<MessageRow>> {
        sql(
            "SELECT instance_id, id, chat, sender, direction, is_group, push_name, kind, text, status, reason, at, created_at, updated_at \
             FROM message WHERE account_id = $1 AND id = $2 AND direction = 'out' ORDER BY created_at DESC, instance_id LIMIT 1",
        )
        .bind(&self.id)
        .bind(id)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// Moves one of our messages up. `false` when it is not ours, or is as far already: a late
    /// receipt changes nothing. `Failed` ends only what has not been delivered.
    pub async fn raise_status(
        &mut self,
        instance: &InstanceId,
        id: &MessageId,
        status: MessageStatus,
        now: Timestamp,
    ) -> Result<bool> {
        self.move_status(instance, id, status, None, now).await
    }

    /// [`MessageStatus::Failed`] with a reason for a person.
    pub async fn mark_failed(
        &mut self,
        instance: &InstanceId,
        id: &MessageId,
        reason: &str,
        now: Timestamp,
    ) -> Result<bool> {
        self.move_status(instance, id, MessageStatus::Failed, Some(reason), now)
            .await
    }

    async fn move_status(
        &mut self,
        instance: &InstanceId,
        id: &MessageId,
        status: MessageStatus,
        reason: Option<&str>,
        now: Timestamp,
    ) -> Result<bool> {
        let Some(below) = statuses_below(status) else {
            return Ok(false);
        };
        let changed = sql(
            "UPDATE message SET status = $4, reason = $5, updated_at = $6 WHERE account_id = $1 AND instance_id = $2 \
             AND id = $3 AND direction = 'out' AND status IN ($7, $8, $9, $10)",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .bind(status.as_str())
        .bind(reason)
        .bind(now)
        .bind_all(below.map(MessageStatus::as_str))
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }
}

/// From which a message may move to `status`; filled up by repeating, so that one text serves all.
fn statuses_below(status: MessageStatus) -> Option<[MessageStatus; 4]> {
    use MessageStatus::{Delivered, Failed, Queued, Read, Received, Sending, Sent};
    Some(match status {
        Sending => [Queued; 4],
        Sent => [Queued, Sending, Sending, Sending],
        Delivered | Failed => [Queued, Sending, Sent, Sent],
        Read => [Queued, Sending, Sent, Delivered],
        Queued | Received => return None,
    })
}

fn from_row(row: &Row) -> Result<MessageRow> {
    Ok(MessageRow {
        instance: InstanceId::from_text(row.text("instance_id")?),
        id: MessageId::from_wire(row.text("id")?),
        chat: row.text("chat")?,
        sender: row.text("sender")?,
        direction: row.parsed("direction", |text| {
            [Direction::In, Direction::Out]
                .into_iter()
                .find(|direction| direction.as_str() == text)
        })?,
        is_group: row.bool("is_group")?,
        push_name: row.opt_text("push_name")?,
        kind: row.text("kind")?,
        text: row.opt_text("text")?,
        status: row.parsed("status", MessageStatus::parse)?,
        reason: row.opt_text("reason")?,
        at: row.time("at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
