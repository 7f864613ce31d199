//! What is done to messages after they were written: another text, their end, signs put on them.
//!
//! A sign is kept by chat, message id and who put it there, as receipts are: it may come before its message
//! does. Taking it back leaves the row, so that an older sign, which comes late, does not stand again.

use recado_model::{
    Address, ChatId, ContactId, InstanceId, MessageId, MessageKey, Timestamp, change::Edited,
};

use crate::{
    accounts::AccountStore,
    error::Result,
    messages::{MessageRow, from_row},
    sql::sql,
};

/// Of one message, for whoever looks at it.
const SHOWN_MOST: i64 = 2_048;

/// A sign that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionRow {
    pub sender: Address,
    pub sign: String,
    pub at: Timestamp,
}

/// Somebody has received or read a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptRow {
    pub reader: Address,
    /// As its event has it.
    pub state: String,
    pub at: Timestamp,
}

impl AccountStore<'_> {
    /// Every message with this id, whoever wrote it, in this chat or in all of them.
    pub async fn messages_with_id(
        &mut self,
        instance: &InstanceId,
        chat: Option<&ChatId>,
        id: &MessageId,
    ) -> Result<Vec<MessageRow>> {
        let rows = sql(crate::messages::select!(
            "WHERE m.account_id = $1 AND m.instance_id = $2 AND m.id = $3 AND (m.chat_id = $4 OR $4 = '') \
             ORDER BY m.direction DESC, m.created_at, m.key LIMIT 16"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .bind(chat.map(ChatId::as_str).unwrap_or_default())
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// The message of this chat with this id that this person wrote.
    pub async fn message_by(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        sender: &ContactId,
        id: &MessageId,
    ) -> Result<Option<MessageRow>> {
        sql(crate::messages::select!(
            "WHERE m.account_id = $1 AND m.instance_id = $2 AND m.chat_id = $3 AND m.sender_id = $4 AND m.id = $5"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(chat)
        .bind(sender)
        .bind(id)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// Puts `sender`'s sign on a message, or takes it back. An older one than what is known changes nothing.
    pub async fn put_reaction(
        &mut self,
        instance: &InstanceId,
        (chat, message): (&ChatId, &MessageId),
        sender: &ContactId,
        sign: Option<&str>,
        at: Timestamp,
    ) -> Result<()> {
        sql(
            "INSERT INTO reaction (account_id, instance_id, chat_id, message_id, sender_id, sign, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (instance_id, message_id, chat_id, sender_id) \
             DO UPDATE SET sign = excluded.sign, at = excluded.at \
             WHERE reaction.account_id = excluded.account_id AND reaction.at <= excluded.at",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(chat)
        .bind(message)
        .bind(sender)
        .bind(sign)
        .bind(at)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// The message holds something else from now on, unless it is gone, or was changed later than `at`.
    pub async fn edit_content(
        &mut self,
        key: &MessageKey,
        new: &Edited,
        at: Timestamp,
    ) -> Result<bool> {
        let sealed = self.seal_proto(key, &new.proto).await?;
        let changed = sql(
            "UPDATE message_content SET text = $3, proto = $4, options = NULL, edited_at = $5 WHERE account_id = $1 AND message_key = $2 \
             AND deleted_at IS NULL AND (edited_at IS NULL OR edited_at <= $5)",
        )
        .bind(&self.id)
        .bind(key)
        .bind(new.text.as_deref())
        .bind(&sealed)
        .bind(at)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// What the message held is gone, and what its author's edits of it did, and the votes of anybody in it.
    pub async fn delete_content(&mut self, message: &MessageRow, at: Timestamp) -> Result<()> {
        // One statement each, by its own index: this is within the commit of what comes in.
        sql(
            "UPDATE message_content SET text = NULL, proto = NULL, options = NULL, deleted_at = $3 \
             WHERE account_id = $1 AND message_key = $2 AND deleted_at IS NULL",
        )
        .bind(&self.id)
        .bind(&message.key)
        .bind(at)
        .execute(self.conn)
        .await?;
        sql(
            "UPDATE message_content SET text = NULL, proto = NULL, options = NULL, deleted_at = $3 \
             WHERE account_id = $1 AND instance_id = $2 AND about = $4 AND deleted_at IS NULL AND EXISTS \
             (SELECT 1 FROM message m WHERE m.key = message_key AND m.chat_id = $5 AND (m.sender_id = $6 OR message_content.kind = 'vote'))",
        )
        .bind(&self.id)
        .bind(&message.instance)
        .bind(at)
        .bind(&message.id)
        .bind(&message.chat_id)
        .bind(&message.sender_id)
        .execute(self.conn)
        .await?;
        sql(
            "DELETE FROM poll_vote WHERE account_id = $1 AND instance_id = $2 AND message_id = $3 AND chat_id = $4 AND author_id = $5",
        )
        .bind(&self.id)
        .bind(&message.instance)
        .bind(&message.id)
        .bind(&message.chat_id)
        .bind(&message.sender_id)
        .execute(self.conn)
        .await?;
        // The file goes with the next look for those that no row names.
        sql("DELETE FROM medium WHERE account_id = $1 AND message_key = $2")
            .bind(&self.id)
            .bind(&message.key)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Acts of ours that hold the words of this message and have not been sent.
    pub async fn waiting_about(&mut self, message: &MessageRow) -> Result<Vec<MessageRow>> {
        let rows = sql(crate::messages::select!(
            "WHERE m.account_id = $1 AND m.instance_id = $2 AND c.instance_id = $2 AND c.about = $3 AND m.chat_id = $4 \
             AND m.direction = 'out' AND m.status IN ('queued', 'sending') ORDER BY m.created_at, m.key"
        ))
        .bind(&self.id)
        .bind(&message.instance)
        .bind(&message.id)
        .bind(&message.chat_id)
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// The signs that stand on a message, the oldest first.
    pub async fn reactions(&mut self, message: &MessageRow) -> Result<Vec<ReactionRow>> {
        let rows = sql(
            "SELECT c.address, r.sign, r.at FROM reaction r JOIN contact c ON c.id = r.sender_id \
             WHERE r.account_id = $1 AND r.instance_id = $2 AND r.chat_id = $3 AND r.message_id = $4 \
             AND r.sign IS NOT NULL ORDER BY r.at, r.sender_id LIMIT $5",
        )
        .bind(&self.id)
        .bind(&message.instance)
        .bind(&message.chat_id)
        .bind(&message.id)
        .bind(SHOWN_MOST)
        .fetch_all(self.conn)
        .await?;
        let read = rows.iter().map(|row| {
            Ok(ReactionRow {
                sender: Address::from_wire(row.text("address")?),
                sign: row.text("sign")?,
                at: row.time("at")?,
            })
        });
        read.collect()
    }

    /// Who has received and read a message, the earliest first.
    pub async fn receipts(&mut self, message: &MessageRow) -> Result<Vec<ReceiptRow>> {
        let rows = sql(
            "SELECT c.address, r.state, r.at FROM receipt r JOIN contact c ON c.id = r.reader_id \
             WHERE r.account_id = $1 AND r.instance_id = $2 AND r.chat_id = $3 AND r.message_id = $4 \
             ORDER BY r.at, r.state, r.reader_id LIMIT $5",
        )
        .bind(&self.id)
        .bind(&message.instance)
        .bind(&message.chat_id)
        .bind(&message.id)
        .bind(SHOWN_MOST)
        .fetch_all(self.conn)
        .await?;
        let read = rows.iter().map(|row| {
            Ok(ReceiptRow {
                reader: Address::from_wire(row.text("address")?),
                state: row.text("state")?,
                at: row.time("at")?,
            })
        });
        read.collect()
    }
}
