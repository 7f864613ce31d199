//! Two contacts that turn out to be one person: what was said to and by either stays, each message once.

use recado_model::{ChatId, ContactId, InstanceId};

use crate::{accounts::AccountStore, error::Result, sql::sql};

/// In all of them `$3` becomes `$4`, and `$5` becomes `$6`.
const TEXTS: [&str; 8] = [
    // Of rows that become the same, what was done to either counts: one that was deleted stays, else the one that
    // was edited last, else the one with the lowest key.
    "DELETE FROM message WHERE account_id = $1 AND instance_id = $2 AND (chat_id IN ($3, $4) OR sender_id IN ($5, $6)) \
     AND EXISTS (SELECT 1 FROM message m JOIN message_content c ON c.message_key = m.key \
     JOIN message_content o ON o.message_key = message.key \
     WHERE m.account_id = $1 AND m.instance_id = $2 AND m.id = message.id AND m.key <> message.key \
     AND CASE WHEN m.chat_id = $3 THEN $4 ELSE m.chat_id END = CASE WHEN message.chat_id = $3 THEN $4 ELSE message.chat_id END \
     AND CASE WHEN m.sender_id = $5 THEN $6 ELSE m.sender_id END = CASE WHEN message.sender_id = $5 THEN $6 ELSE message.sender_id END \
     AND CASE WHEN (c.deleted_at IS NULL) <> (o.deleted_at IS NULL) THEN o.deleted_at IS NULL \
     WHEN COALESCE(c.edited_at, 0) <> COALESCE(o.edited_at, 0) THEN COALESCE(c.edited_at, 0) > COALESCE(o.edited_at, 0) \
     ELSE m.key < message.key END)",
    "UPDATE message SET chat_id = CASE WHEN chat_id = $3 THEN $4 ELSE chat_id END, \
     sender_id = CASE WHEN sender_id = $5 THEN $6 ELSE sender_id END \
     WHERE account_id = $1 AND instance_id = $2 AND (chat_id = $3 OR sender_id = $5)",
    "INSERT INTO receipt (account_id, instance_id, chat_id, message_id, reader_id, state, at, unmatched) \
     SELECT account_id, instance_id, CASE WHEN chat_id = $3 THEN $4 ELSE chat_id END, message_id, \
     CASE WHEN reader_id = $5 THEN $6 ELSE reader_id END, state, at, unmatched FROM receipt \
     WHERE account_id = $1 AND instance_id = $2 AND (chat_id = $3 OR reader_id = $5) ON CONFLICT DO NOTHING",
    "DELETE FROM receipt WHERE account_id = $1 AND instance_id = $2 \
     AND (chat_id = $3 AND $3 <> $4 OR reader_id = $5 AND $5 <> $6)",
    // Of signs that become one person's on one message, the last one stays.
    "DELETE FROM reaction WHERE account_id = $1 AND instance_id = $2 AND (chat_id IN ($3, $4) OR sender_id IN ($5, $6)) \
     AND EXISTS (SELECT 1 FROM reaction r WHERE r.account_id = $1 AND r.instance_id = $2 AND r.message_id = reaction.message_id \
     AND CASE WHEN r.chat_id = $3 THEN $4 ELSE r.chat_id END = CASE WHEN reaction.chat_id = $3 THEN $4 ELSE reaction.chat_id END \
     AND CASE WHEN r.sender_id = $5 THEN $6 ELSE r.sender_id END = CASE WHEN reaction.sender_id = $5 THEN $6 ELSE reaction.sender_id END \
     AND (r.at > reaction.at OR r.at = reaction.at AND r.chat_id || r.sender_id > reaction.chat_id || reaction.sender_id))",
    "UPDATE reaction SET chat_id = CASE WHEN chat_id = $3 THEN $4 ELSE chat_id END, \
     sender_id = CASE WHEN sender_id = $5 THEN $6 ELSE sender_id END \
     WHERE account_id = $1 AND instance_id = $2 AND (chat_id = $3 OR sender_id = $5)",
    // Of votes that become one person's in one poll, the last one stays.
    "DELETE FROM poll_vote WHERE account_id = $1 AND instance_id = $2 \
     AND (chat_id IN ($3, $4) OR author_id IN ($5, $6) OR voter_id IN ($5, $6)) \
     AND EXISTS (SELECT 1 FROM poll_vote v WHERE v.account_id = $1 AND v.instance_id = $2 AND v.message_id = poll_vote.message_id \
     AND CASE WHEN v.chat_id = $3 THEN $4 ELSE v.chat_id END = CASE WHEN poll_vote.chat_id = $3 THEN $4 ELSE poll_vote.chat_id END \
     AND CASE WHEN v.author_id = $5 THEN $6 ELSE v.author_id END = CASE WHEN poll_vote.author_id = $5 THEN $6 ELSE poll_vote.author_id END \
     AND CASE WHEN v.voter_id = $5 THEN $6 ELSE v.voter_id END = CASE WHEN poll_vote.voter_id = $5 THEN $6 ELSE poll_vote.voter_id END \
     AND (v.at > poll_vote.at OR v.at = poll_vote.at \
     AND v.chat_id || v.author_id || v.voter_id > poll_vote.chat_id || poll_vote.author_id || poll_vote.voter_id))",
    "UPDATE poll_vote SET chat_id = CASE WHEN chat_id = $3 THEN $4 ELSE chat_id END, \
     author_id = CASE WHEN author_id = $5 THEN $6 ELSE author_id END, \
     voter_id = CASE WHEN voter_id = $5 THEN $6 ELSE voter_id END \
     WHERE account_id = $1 AND instance_id = $2 AND (chat_id = $3 OR author_id = $5 OR voter_id = $5)",
];

impl AccountStore<'_> {
    /// `gone` and `kept` are one person: what was said to and by either stays, each message once.
    pub(super) async fn merge_contacts(
        &mut self,
        instance: &InstanceId,
        gone: &ContactId,
        kept: &ContactId,
    ) -> Result<()> {
        let old_chat = self.chat_with(instance, gone).await?;
        let chat = self.chat_with(instance, kept).await?;
        match (&old_chat, &chat) {
            (Some(old), None) => {
                sql("UPDATE chat SET contact_id = $3 WHERE account_id = $1 AND id = $2")
                    .bind(&self.id)
                    .bind(old)
                    .bind(kept)
                    .execute(self.conn)
                    .await?;
                self.merge_rows(instance, (gone, kept), (old, old)).await?;
            }
            (Some(old), Some(new)) => {
                self.merge_rows(instance, (gone, kept), (old, new)).await?;
                self.merge_timers(old, new).await?;
                self.merge_chat_states(instance, old, new).await?;
                self.merge_unreadable(instance, old, new).await?;
                self.merge_labels(instance, old, new).await?;
                sql("DELETE FROM chat WHERE account_id = $1 AND id = $2")
                    .bind(&self.id)
                    .bind(old)
                    .execute(self.conn)
                    .await?;
            }
            // Somebody of a group alone.
            (None, _) => {
                let none = ChatId::from_text("");
                self.merge_rows(instance, (gone, kept), (&none, &none))
                    .await?;
            }
        }
        self.merge_names(gone, kept).await?;
        sql("UPDATE contact_alias SET contact_id = $4 WHERE account_id = $1 AND instance_id = $2 AND contact_id = $3")
            .bind(&self.id)
            .bind(instance)
            .bind(gone)
            .bind(kept)
            .execute(self.conn)
            .await?;
        sql("DELETE FROM contact WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(gone)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    async fn merge_rows(
        &mut self,
        instance: &InstanceId,
        (gone, kept): (&ContactId, &ContactId),
        (old, new): (&ChatId, &ChatId),
    ) -> Result<()> {
        for text in TEXTS {
            sql(text)
                .bind(&self.id)
                .bind(instance)
                .bind(old)
                .bind(new)
                .bind(gone)
                .bind(kept)
                .execute(self.conn)
                .await?;
        }
        sql("UPDATE job SET chat_id = $4 WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3")
            .bind(&self.id)
            .bind(instance)
            .bind(old)
            .bind(new)
            .execute(self.conn)
            .await?;
        Ok(())
    }
}
