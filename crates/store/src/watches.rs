//! Whose coming and going an instance hears of.

use recado_model::{Address, InstanceId, Timestamp};

use crate::{accounts::AccountStore, error::Result, sql::sql};

impl AccountStore<'_> {
    /// `false`: it does already.
    pub async fn watch(
        &mut self,
        instance: &InstanceId,
        who: &Address,
        now: Timestamp,
    ) -> Result<bool> {
        let inserted = sql(
            "INSERT INTO presence_watch (account_id, instance_id, address, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(who)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(inserted > 0)
    }

    /// `false`: it did not.
    pub async fn unwatch(&mut self, instance: &InstanceId, who: &Address) -> Result<bool> {
        let deleted = sql(
            "DELETE FROM presence_watch WHERE account_id = $1 AND instance_id = $2 AND address = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(who)
        .execute(self.conn)
        .await?;
        Ok(deleted > 0)
    }

    /// It hears of nobody any more: another phone may pair with it.
    pub async fn unwatch_all(&mut self, instance: &InstanceId) -> Result<()> {
        sql("DELETE FROM presence_watch WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// The oldest first.
    pub async fn watched(&mut self, instance: &InstanceId, limit: u32) -> Result<Vec<Address>> {
        let rows = sql(
            "SELECT address FROM presence_watch WHERE account_id = $1 AND instance_id = $2 ORDER BY created_at, address LIMIT $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| row.text("address").map(Address::from_wire))
            .collect()
    }
}
