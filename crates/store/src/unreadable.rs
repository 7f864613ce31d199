//! Messages that came and could not be read. Those that came again are not counted: nothing is written of that, for
//! every message would have to look.

use recado_model::{ChatId, InstanceId, MessageId, Timestamp};

use crate::{accounts::AccountStore, error::Result, sql::sql};

/// Of one chat; anybody can send what cannot be read.
pub const UNREADABLE_MOST: i64 = 100;

impl AccountStore<'_> {
    /// One more, at most so many of a chat: the newest.
    pub async fn note_unreadable(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        (id, at): (&MessageId, Timestamp),
    ) -> Result<()> {
        sql("INSERT INTO unreadable (account_id, instance_id, chat_id, message_id, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
            .bind(&self.id)
            .bind(instance)
            .bind(chat)
            .bind(id)
            .bind(at)
            .execute(self.conn)
            .await?;
        sql(
            "DELETE FROM unreadable WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 AND message_id IN \
             (SELECT u.message_id FROM unreadable u WHERE u.account_id = $1 AND u.instance_id = $2 AND u.chat_id = $3 \
             ORDER BY u.at DESC, u.message_id DESC LIMIT $4 OFFSET $5)",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(chat)
        .bind(UNREADABLE_MOST)
        .bind(UNREADABLE_MOST)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// Of two chats that are one.
    pub(crate) async fn merge_unreadable(
        &mut self,
        instance: &InstanceId,
        gone: &ChatId,
        kept: &ChatId,
    ) -> Result<()> {
        sql(
            "INSERT INTO unreadable (account_id, instance_id, chat_id, message_id, at) \
             SELECT account_id, instance_id, $4, message_id, at FROM unreadable \
             WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 ON CONFLICT DO NOTHING",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(gone)
        .bind(kept)
        .execute(self.conn)
        .await?;
        sql("DELETE FROM unreadable WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3")
            .bind(&self.id)
            .bind(instance)
            .bind(gone)
            .execute(self.conn)
            .await?;
        Ok(())
    }
}
