//! Receipts: who has received and read what. Each is kept once, however often WhatsApp tells it.

use recado_model::{InstanceId, MessageId, Timestamp, message::InboundReceipt};

use crate::{accounts::AccountStore, error::Result, sql::sql};

impl AccountStore<'_> {
    /// Keeps a receipt, and answers those of its messages for which it is news.
    pub async fn record_receipt(
        &mut self,
        instance: &InstanceId,
        receipt: &InboundReceipt,
        state: &str,
        now: Timestamp,
    ) -> Result<Vec<MessageId>> {
        self.lock_instance(instance).await?;
        self.contact(instance, &receipt.sender, now).await?;
        let chat = self.chat(instance, &receipt.chat, now).await?;
        let reader = self.contact(instance, &receipt.sender, now).await?;
        let mut fresh = Vec::with_capacity(receipt.ids.len());
        for id in &receipt.ids {
            let inserted = sql(
                "INSERT INTO receipt (account_id, instance_id, chat_id, message_id, reader_id, state, at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            )
            .bind(&self.id)
            .bind(instance)
            .bind(&chat)
            .bind(id)
            .bind(&reader)
            .bind(state)
            .bind(receipt.at)
            .execute(self.conn)
            .await?;
            if inserted > 0 {
                fresh.push(id.clone());
            }
        }
        Ok(fresh)
    }
}
