//! What is kept of chats: by whoever writes a message, and by what their owner does to them.

use recado_model::{
    ChatId, InstanceId, MessageId, MessageKey, Timestamp,
    chat::{ChatAct, MessageRange, Mute},
};

use crate::{accounts::AccountStore, error::Result, sql::sql};

impl AccountStore<'_> {
    /// A message that a chat shows has come to it. It is the last one, unless another is later.
    pub(crate) async fn note_in_chat(
        &mut self,
        chat: &ChatId,
        key: &MessageKey,
        at: Timestamp,
        unread: bool,
    ) -> Result<()> {
        // Theirs have whole seconds, ours do not: of one second the one that came later is the last.
        let noted = sql(
            "UPDATE chat SET unread = unread + $5, listed = 1, \
             last_key = CASE WHEN last_key IS NULL OR last_at / 1000 <= $4 / 1000 THEN $3 ELSE last_key END, \
             last_at = CASE WHEN last_at < $4 THEN $4 ELSE last_at END \
             WHERE account_id = $1 AND id = $2 AND cleared_until <= $4",
        )
        .bind(&self.id)
        .bind(chat)
        .bind(key)
        .bind(at)
        .bind(unread)
        .execute(self.conn)
        .await?;
        if noted == 0 && unread {
            // It was cleared before it came.
            sql("UPDATE message SET unread = 0 WHERE account_id = $1 AND key = $2")
                .bind(&self.id)
                .bind(key)
                .execute(self.conn)
                .await?;
        }
        Ok(())
    }

    /// Does to a chat what a device of its owner did. The caller holds the instance.
    pub async fn apply_to_chat(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        act: ChatAct,
        range: &MessageRange,
    ) -> Result<()> {
        match act {
            ChatAct::Archive(on) => self.mark_archived(chat, on).await,
            ChatAct::Pin(on) => self.mark_pinned(chat, on).await,
            ChatAct::Mute(mute) => self.mark_muted(chat, mute).await,
            ChatAct::Read(false) => self.mark_unread(chat).await,
            ChatAct::Read(true) => {
                self.settle(instance, chat, range, false).await?;
                sql("UPDATE chat SET marked_unread = 0, read_until = CASE WHEN read_until < $3 THEN $3 ELSE read_until END \
                     WHERE account_id = $1 AND id = $2")
                    .bind(&self.id)
                    .bind(chat)
                    .bind(range.second())
                    .execute(self.conn)
                    .await?;
                self.count_unread(instance, chat).await
            }
            ChatAct::Clear { .. } => self.clear(instance, chat, range).await.map(drop),
            ChatAct::Delete { .. } => {
                if self.clear(instance, chat, range).await? {
                    return Ok(());
                }
                sql("UPDATE chat SET listed = 0, archived = 0, pinned = 0, muted_until = 0, marked_unread = 0 \
                     WHERE account_id = $1 AND id = $2")
                    .bind(&self.id)
                    .bind(chat)
                    .execute(self.conn)
                    .await?;
                Ok(())
            }
        }
    }

    async fn mark_archived(&mut self, chat: &ChatId, on: bool) -> Result<()> {
        sql("UPDATE chat SET archived = $3, listed = CASE WHEN $3 = 1 THEN 1 ELSE listed END WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(chat)
            .bind(on)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    async fn mark_pinned(&mut self, chat: &ChatId, on: bool) -> Result<()> {
        sql("UPDATE chat SET pinned = $3, listed = CASE WHEN $3 = 1 THEN 1 ELSE listed END WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(chat)
            .bind(on)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    async fn mark_muted(&mut self, chat: &ChatId, mute: Mute) -> Result<()> {
        sql("UPDATE chat SET muted_until = $3, listed = CASE WHEN $3 <> 0 THEN 1 ELSE listed END WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(chat)
            .bind(mute.code())
            .execute(self.conn)
            .await?;
        Ok(())
    }

    async fn mark_unread(&mut self, chat: &ChatId) -> Result<()> {
        sql("UPDATE chat SET marked_unread = 1, listed = 1 WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(chat)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// These messages of others were read, on whichever device.
    pub async fn read_messages(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        ids: &[MessageId],
    ) -> Result<()> {
        let mut any = 0;
        for id in ids {
            any += sql(
                "UPDATE message SET unread = 0 WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 AND id = $4 AND unread = 1",
            )
            .bind(&self.id)
            .bind(instance)
            .bind(chat)
            .bind(id)
            .execute(self.conn)
            .await?;
        }
        match any {
            0 => Ok(()),
            _ => self.count_unread(instance, chat).await,
        }
    }

    /// What is in it goes. Whether anything is left, which came after that.
    async fn clear(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        range: &MessageRange,
    ) -> Result<bool> {
        self.settle(instance, chat, range, true).await?;
        sql("UPDATE chat SET cleared_until = CASE WHEN cleared_until < $3 THEN $3 ELSE cleared_until END WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(chat)
            .bind(range.second())
            .execute(self.conn)
            .await?;
        self.count_unread(instance, chat).await?;
        self.find_last(instance, chat).await
    }

    /// The messages of a range are read, or gone.
    async fn settle(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        range: &MessageRange,
        hide: bool,
    ) -> Result<()> {
        let second = range.second();
        sql("UPDATE message SET unread = 0 WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 AND unread = 1 AND at < $4")
            .bind(&self.id)
            .bind(instance)
            .bind(chat)
            .bind(second)
            .execute(self.conn)
            .await?;
        if range.ids.is_empty() {
            sql("UPDATE message SET unread = 0, hidden = CASE WHEN $6 = 1 THEN 1 ELSE hidden END \
                 WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 AND at >= $4 AND at < $5")
                .bind(&self.id)
                .bind(instance)
                .bind(chat)
                .bind(second)
                .bind(second.plus_millis(1_000))
                .bind(hide)
                .execute(self.conn)
                .await?;
        }
        for id in &range.ids {
            sql(
                "UPDATE message SET unread = 0, hidden = CASE WHEN $5 = 1 THEN 1 ELSE hidden END \
                 WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 AND id = $4",
            )
            .bind(&self.id)
            .bind(instance)
            .bind(chat)
            .bind(id)
            .bind(hide)
            .execute(self.conn)
            .await?;
        }
        Ok(())
    }

    pub(crate) async fn count_unread(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
    ) -> Result<()> {
        sql("UPDATE chat SET unread = (SELECT COUNT(*) FROM message m WHERE m.account_id = $1 AND m.instance_id = $2 \
             AND m.chat_id = $3 AND m.unread = 1) WHERE account_id = $1 AND id = $3")
            .bind(&self.id)
            .bind(instance)
            .bind(chat)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Looks for the last message anew; whether there is one.
    pub(crate) async fn find_last(&mut self, instance: &InstanceId, chat: &ChatId) -> Result<bool> {
        let newest = self.messages_of_chat(instance, chat, None, 1).await?;
        let newest = newest.first();
        sql("UPDATE chat SET last_key = $3, last_at = CASE WHEN last_at < $4 THEN $4 ELSE last_at END WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(chat)
            .bind(newest.map(|row| row.key.as_str()))
            .bind(newest.map_or(Timestamp(0), |row| row.at))
            .execute(self.conn)
            .await?;
        Ok(newest.is_some())
    }

    /// Of two chats that are one, what is kept of either stays.
    pub(crate) async fn merge_chat_states(
        &mut self,
        instance: &InstanceId,
        gone: &ChatId,
        kept: &ChatId,
    ) -> Result<()> {
        let row = sql(
            "SELECT listed, archived, pinned, muted_until, marked_unread, read_until, cleared_until, last_at FROM chat \
             WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(gone)
        .fetch_one(self.conn)
        .await?;
        sql("UPDATE chat SET listed = CASE WHEN $3 = 1 THEN 1 ELSE listed END, archived = CASE WHEN $4 = 1 THEN 1 ELSE archived END, \
             pinned = CASE WHEN $5 = 1 THEN 1 ELSE pinned END, muted_until = CASE WHEN muted_until = 0 THEN $6 ELSE muted_until END, \
             marked_unread = CASE WHEN $7 = 1 THEN 1 ELSE marked_unread END, \
             read_until = CASE WHEN read_until < $8 THEN $8 ELSE read_until END, \
             cleared_until = CASE WHEN cleared_until < $9 THEN $9 ELSE cleared_until END, \
             last_at = CASE WHEN last_at < $10 THEN $10 ELSE last_at END WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(kept)
            .bind(row.i64("listed")?)
            .bind(row.i64("archived")?)
            .bind(row.i64("pinned")?)
            .bind(row.i64("muted_until")?)
            .bind(row.i64("marked_unread")?)
            .bind(row.i64("read_until")?)
            .bind(row.i64("cleared_until")?)
            .bind(row.i64("last_at")?)
            .execute(self.conn)
            .await?;
        self.count_unread(instance, kept).await?;
        self.find_last(instance, kept).await?;
        Ok(())
    }
}
