//! Messages in the line whose number nobody has looked up yet, and what becomes of them once somebody has.

use recado_model::{Address, InstanceId, MessageKey, Timestamp, message::Party};

use crate::{accounts::AccountStore, error::Result, jobs::Job, sql::sql};

impl AccountStore<'_> {
    /// Numbers that are to be looked up for messages that are due, at most `limit`.
    pub async fn unasked(
        &mut self,
        instance: &InstanceId,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<Address>> {
        let rows = sql(
            "SELECT DISTINCT address FROM job WHERE account_id = $1 AND instance_id = $2 AND asks = 1 AND tried = 0 AND run_at <= $3 \
             ORDER BY address LIMIT $4",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(now)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| row.text("address").map(Address::from_wire))
            .collect()
    }

    /// The number of a message is where `to` says, and so are those of the others for that number. The two forms
    /// of a number are one person's, who is shown by the one that WhatsApp knows; what may have been on the wire
    /// keeps its address.
    pub async fn found(&mut self, job: &Job, to: &Address, now: Timestamp) -> Result<()> {
        let mut chat = job.chat.clone();
        if *to != job.to {
            let party = Party {
                shown: to.clone(),
                alt: Some(job.to.clone()),
                wire: to.clone(),
            };
            self.lock_instance(&job.instance).await?;
            chat = self.chat(&job.instance, &party, now).await?;
            sql(
                "UPDATE message SET wire_chat = $5, chat_id = $6, updated_at = $7 WHERE account_id = $1 AND instance_id = $2 \
                 AND chat_id IN ($3, $6) AND direction = 'out' AND tried = 0 AND wire_chat = $4",
            )
            .bind(&self.id)
            .bind(&job.instance)
            .bind(&job.chat)
            .bind(&job.to)
            .bind(to)
            .bind(&chat)
            .bind(now)
            .execute(self.conn)
            .await?;
        }
        sql(
            "UPDATE job SET asks = 0, address = $4, chat_id = $5 WHERE account_id = $1 AND instance_id = $2 AND address = $3 AND tried = 0",
        )
        .bind(&self.id)
        .bind(&job.instance)
        .bind(&job.to)
        .bind(to)
        .bind(&chat)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// Untried messages in the line for this address, by their keys: their bytes may still be changed.
    pub async fn unsent_to(
        &mut self,
        instance: &InstanceId,
        to: &Address,
    ) -> Result<Vec<MessageKey>> {
        let rows = sql(
            "SELECT m.key FROM job j JOIN message m ON m.instance_id = j.instance_id AND m.id = j.message_id AND m.direction = 'out' \
             WHERE j.account_id = $1 AND j.instance_id = $2 AND j.address = $3 AND j.tried = 0 AND j.asks = 1",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(to)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| row.text("key").map(MessageKey::from_text))
            .collect()
    }
}
