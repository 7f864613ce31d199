//! Messages, in and out. A message is unique by instance, chat, sender and id; one of ours also by
//! instance and id alone.

use recado_model::{
    Direction, Failure, InstanceId, MessageId, MessageStatus, Timestamp, message::InboundMessage,
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
    /// Why it failed: a code, and its meaning for a person.
    pub failure: Option<Failure>,
    /// Of ours: unique in the account.
    pub queue_id: Option<i64>,
    /// Of ours: of what the caller asked for.
    pub digest: Option<String>,
    /// Of ours: it may have been on the wire, whatever became of it.
    pub tried: bool,
    /// When it was sent, by WhatsApp's clock for inbound ones.
    pub at: Timestamp,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A message of ours on its way into the store.
#[derive(Clone, Debug)]
pub struct NewMessage<'a> {
    pub instance: &'a InstanceId,
    pub id: &'a MessageId,
    pub chat: &'a str,
    pub sender: &'a str,
    pub is_group: bool,
    pub kind: &'a str,
    pub text: Option<&'a str>,
    pub digest: &'a str,
}

impl AccountStore<'_> {
    /// A message to send, `Queued`. `false`: this instance has sent (or queued) that id before.
    pub async fn insert_outgoing(
        &mut self,
        message: &NewMessage<'_>,
        now: Timestamp,
    ) -> Result<bool> {
        let inserted = sql(
            "INSERT INTO message (account_id, instance_id, id, chat, sender, direction, is_group, kind, text, digest, status, at, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, 'out', $6, $7, $8, $9, 'queued', $10, $10, $10) ON CONFLICT DO NOTHING",
        )
        .bind(&self.id)
        .bind(message.instance)
        .bind(message.id)
        .bind(message.chat)
        .bind(message.sender)
        .bind(message.is_group)
        .bind(message.kind)
        .bind(message.text)
        .bind(message.digest)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(inserted > 0)
    }

    /// Gives a message of ours the account's next queue number. Last in its transaction: whoever
    /// takes the next one waits for the commit.
    pub async fn number_message(&mut self, instance: &InstanceId, id: &MessageId) -> Result<i64> {
        let last = sql(
            "INSERT INTO queue_number (account_id, last) VALUES ($1, 1) \
             ON CONFLICT (account_id) DO UPDATE SET last = queue_number.last + 1 RETURNING last",
        )
        .bind(&self.id)
        .fetch_one(self.conn)
        .await?
        .i64("last")?;
        sql(
            "UPDATE message SET queue_id = $4 WHERE account_id = $1 AND instance_id = $2 AND id = $3 AND direction = 'out'",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .bind(last)
        .execute(self.conn)
        .await?;
        Ok(last)
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
            "SELECT instance_id, id, chat, sender, direction, is_group, push_name, kind, text, status, code, reason, queue_id, digest, tried, at, created_at, updated_at \
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
            "SELECT instance_id, id, chat, sender, direction, is_group, push_name, kind, text, status, code, reason, queue_id, digest, tried, at, created_at, updated_at \
             FROM message WHERE account_id = $1 AND id = $2 AND direction = 'out' ORDER BY created_at DESC, instance_id LIMIT 1",
        )
        .bind(&self.id)
        .bind(id)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// One of our own by its queue number.
    pub async fn message_in_queue(&mut self, queue_id: i64) -> Result<Option<MessageRow>> {
        sql(
            "SELECT instance_id, id, chat, sender, direction, is_group, push_name, kind, text, status, code, reason, queue_id, digest, tried, at, created_at, updated_at \
             FROM message WHERE account_id = $1 AND queue_id = $2",
        )
        .bind(&self.id)
        .bind(queue_id)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// Whether the instance has had to do with this chat before, and it worked.
    pub async fn knows_chat(&mut self, instance: &InstanceId, chat: &str) -> Result<bool> {
        let row = sql(
            "SELECT id FROM message WHERE account_id = $1 AND instance_id = $2 AND chat = $3 \
             AND status IN ('sent', 'delivered', 'read', 'received') LIMIT 1",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(chat)
        .fetch_optional(self.conn)
        .await?;
        Ok(row.is_some())
    }

    /// Moves one of our messages to `status`, with the failure that goes with it. `false` when it is
    /// not ours, or may not come there from where it is ([`MessageStatus::reached_from`]): a late
    /// answer changes nothing.
    pub async fn move_message(
        &mut self,
        instance: &InstanceId,
        id: &MessageId,
        status: MessageStatus,
        failure: Option<&Failure>,
        now: Timestamp,
    ) -> Result<bool> {
        // Filled up by repeating, so that one text serves all.
        let from = status.reached_from();
        let Some(first) = from.first() else {
            return Ok(false);
        };
        let slots = (0..6).map(|at| from.get(at).unwrap_or(first).as_str());
        let changed = sql(
            "UPDATE message SET status = $4, code = $5, reason = $6, updated_at = $7, \
             tried = CASE WHEN $14 = 1 THEN 1 ELSE tried END WHERE account_id = $1 AND instance_id = $2 \
             AND id = $3 AND direction = 'out' AND status IN ($8, $9, $10, $11, $12, $13)",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .bind(status.as_str())
        .bind(failure.map(|failure| failure.code.as_str()))
        .bind(failure.map(|failure| failure.reason.as_str()))
        .bind(now)
        .bind_all(slots)
        .bind(status == MessageStatus::Sending)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }
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
        failure: match (row.opt_text("code")?, row.opt_text("reason")?) {
            (Some(code), reason) => Some(Failure {
                code,
                reason: reason.unwrap_or_default(),
            }),
            (None, _) => None,
        },
        queue_id: row.opt_i64("queue_id")?,
        digest: row.opt_text("digest")?,
        tried: row.bool("tried")?,
        at: row.time("at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
