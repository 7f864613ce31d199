//! Receipts: who has received and read what. Each is kept once, however often WhatsApp tells it.

use recado_model::{ChatId, InstanceId, MessageId, Timestamp, message::InboundReceipt};

use crate::{accounts::AccountStore, error::Result, sql::sql};

/// In each chat; real ones are of messages that the phone has sent and this device has not got yet.
pub const UNMATCHED_MOST: i64 = 1_000;

impl AccountStore<'_> {
    /// The chat that a receipt is about, by any address of whoever it is with.
    pub async fn receipt_chat(
        &mut self,
        instance: &InstanceId,
        receipt: &InboundReceipt,
        now: Timestamp,
    ) -> Result<ChatId> {
        self.lock_instance(instance).await?;
        // The reader first: what is learned of them may merge the chat that is looked up next.
        self.contact(instance, &receipt.sender, now).await?;
        self.chat(instance, &receipt.chat, now).await
    }

    /// Keeps a receipt, and answers those of its messages for which it is news. Of messages that are not here only
    /// so many are kept in each chat: whoever writes to us can name any.
    pub async fn record_receipt(
        &mut self,
        instance: &InstanceId,
        receipt: &InboundReceipt,
        state: &str,
        now: Timestamp,
    ) -> Result<Vec<MessageId>> {
        let chat = self.receipt_chat(instance, receipt, now).await?;
        let reader = self.contact(instance, &receipt.sender, now).await?;
        let mut fresh = Vec::with_capacity(receipt.ids.len());
        let mut room = UNMATCHED_MOST - self.unmatched_receipts(instance, &chat).await?;
        for id in &receipt.ids {
            let inserted = sql(
                "INSERT INTO receipt (account_id, instance_id, chat_id, message_id, reader_id, state, at, unmatched) \
                 SELECT $1, $2, $3, $4, $5, $6, $7, CASE WHEN EXISTS (SELECT 1 FROM message m WHERE m.account_id = $1 \
                 AND m.instance_id = $2 AND m.id = $4 AND m.chat_id = $3) THEN 0 ELSE 1 END \
                 WHERE $8 > 0 OR EXISTS (SELECT 1 FROM message m WHERE m.account_id = $1 AND m.instance_id = $2 \
                 AND m.id = $4 AND m.chat_id = $3) ON CONFLICT DO NOTHING",
            )
            .bind(&self.id)
            .bind(instance)
            .bind(&chat)
            .bind(id)
            .bind(&reader)
            .bind(state)
            .bind(receipt.at)
            .bind(room)
            .execute(self.conn)
            .await?;
            if inserted > 0 {
                room -= 1;
                fresh.push(id.clone());
            }
        }
        Ok(fresh)
    }

    /// How many receipts of this chat are of messages that were not here.
    async fn unmatched_receipts(&mut self, instance: &InstanceId, chat: &ChatId) -> Result<i64> {
        sql("SELECT COUNT(*) AS n FROM receipt WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 AND unmatched = 1")
            .bind(&self.id)
            .bind(instance)
            .bind(chat)
            .fetch_one(self.conn)
            .await?
            .i64("n")
    }
}
