//! Votes in polls. Each person has one in each poll; taking it back leaves the row, so that an older vote, which
//! comes late, does not count again. A vote that comes before its poll is kept as the message that it is.

use recado_model::{ChatId, ContactId, ContentKind, InstanceId, MessageId, Timestamp};

use crate::{
    accounts::AccountStore,
    error::{Result, StoreError},
    messages::{MessageRow, from_row},
    sql::sql,
};

/// Of the votes that came before their poll so many are counted; nobody's chat has more.
const WAITING_MOST: i64 = 4_096;

impl AccountStore<'_> {
    /// The vote of `voter` in a poll is this from now on. `false`: a later one is known.
    pub async fn put_vote(
        &mut self,
        poll: &MessageRow,
        voter: &ContactId,
        options: &[String],
        at: Timestamp,
    ) -> Result<bool> {
        let options = serde_json::to_string(options).map_err(|_| StoreError::Column("options"))?;
        let changed = sql(
            "INSERT INTO poll_vote (account_id, instance_id, chat_id, message_id, author_id, voter_id, options, at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (instance_id, message_id, chat_id, author_id, voter_id) \
             DO UPDATE SET options = excluded.options, at = excluded.at \
             WHERE poll_vote.account_id = excluded.account_id AND poll_vote.at <= excluded.at",
        )
        .bind(&self.id)
        .bind(&poll.instance)
        .bind(&poll.chat_id)
        .bind(&poll.id)
        .bind(&poll.sender_id)
        .bind(voter)
        .bind(&options)
        .bind(at)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// What each person has chosen of a poll.
    pub async fn votes(&mut self, poll: &MessageRow) -> Result<Vec<Vec<String>>> {
        let rows = sql(
            "SELECT options FROM poll_vote WHERE account_id = $1 AND instance_id = $2 AND message_id = $3 \
             AND chat_id = $4 AND author_id = $5",
        )
        .bind(&self.id)
        .bind(&poll.instance)
        .bind(&poll.id)
        .bind(&poll.chat_id)
        .bind(&poll.sender_id)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                serde_json::from_str(&row.text("options")?)
                    .map_err(|_| StoreError::Column("options"))
            })
            .collect()
    }

    /// The votes of this chat that name this message, whoever's they are, in the order of their coming.
    pub async fn votes_about(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        poll: &MessageId,
    ) -> Result<Vec<MessageRow>> {
        let rows = sql(crate::messages::select!(
            "WHERE m.account_id = $1 AND m.instance_id = $2 AND m.chat_id = $3 AND c.instance_id = $2 AND c.about = $4 \
             AND c.kind = $5 AND m.status IN ('received', 'sent', 'delivered', 'read') ORDER BY m.created_at, m.key LIMIT $6"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(chat)
        .bind(poll)
        .bind(ContentKind::Vote.as_str())
        .bind(WAITING_MOST)
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// What a vote chose, as a person reads it: known once its poll is.
    pub async fn note_choice(&mut self, vote: &MessageRow, text: &str) -> Result<()> {
        sql("UPDATE message_content SET text = $3 WHERE account_id = $1 AND message_key = $2 AND deleted_at IS NULL")
            .bind(&self.id)
            .bind(&vote.key)
            .bind(text)
            .execute(self.conn)
            .await?;
        Ok(())
    }
}
