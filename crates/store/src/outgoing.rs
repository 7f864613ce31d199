//! Messages of ours as WhatsApp is to get them: sealed, kept from the acceptance on, and repeated byte
//! for byte on each try.

use recado_model::{AccountId, InstanceId, MessageId};
use zeroize::Zeroizing;

use crate::{accounts::AccountStore, error::Result, seal::Context, sql::sql};

const TABLE: &str = "outgoing";
const COLUMN: &str = "value";

fn row_name(instance: &InstanceId, message: &MessageId) -> String {
    format!("{instance}/{message}")
}

impl AccountStore<'_> {
    /// Keeps the finished message beside its row; `value` is the caller's form.
    pub async fn keep_outgoing(
        &mut self,
        instance: &InstanceId,
        message: &MessageId,
        value: &[u8],
    ) -> Result<()> {
        let name = row_name(instance, message);
        let sealing = self.conn.seal_for(&self.id, TABLE, COLUMN, &name, value);
        let sealed = sealing.await?;
        sql(
            "INSERT INTO outgoing (account_id, instance_id, message_id, value) VALUES ($1, $2, $3, $4)",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(message)
        .bind(&sealed)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// The finished message, as it was kept.
    pub async fn outgoing(
        &mut self,
        instance: &InstanceId,
        message: &MessageId,
    ) -> Result<Option<Vec<u8>>> {
        let row = sql(
            "SELECT value FROM outgoing WHERE account_id = $1 AND instance_id = $2 AND message_id = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(message)
        .fetch_optional(self.conn)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let sealed = row.blob("value")?;
        let ring = self.conn.ring_opening(&self.id, [&sealed]).await?;
        let name = row_name(instance, message);
        let context = Context::new(TABLE, COLUMN, self.id.as_str(), &name);
        ring.open(&context, &sealed).map(Some)
    }

    /// Seals an instance's messages for this account: they were another's until now.
    pub(crate) async fn reseal_outgoing(
        &mut self,
        from: &AccountId,
        instance: &InstanceId,
    ) -> Result<()> {
        let rows = sql(
            "SELECT message_id, value FROM outgoing WHERE account_id = $1 AND instance_id = $2",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_all(self.conn)
        .await?;
        for row in rows {
            let message = MessageId::from_wire(row.text("message_id")?);
            let sealed = row.blob("value")?;
            let name = row_name(instance, &message);
            let old = self.conn.ring_opening(from, [&sealed]).await?;
            let context = Context::new(TABLE, COLUMN, from.as_str(), &name);
            let plain = Zeroizing::new(old.open(&context, &sealed)?);
            let sealing = self.conn.seal_for(&self.id, TABLE, COLUMN, &name, &plain);
            let sealed = sealing.await?;
            sql("UPDATE outgoing SET value = $4 WHERE account_id = $1 AND instance_id = $2 AND message_id = $3")
                .bind(&self.id)
                .bind(instance)
                .bind(&message)
                .bind(&sealed)
                .execute(self.conn)
                .await?;
        }
        Ok(())
    }
}
