//! What an instance does not hear any more of what its account's devices tell each other.

use recado_model::{
    InstanceId, Timestamp,
    chat::{SyncTrouble, TroubleCause},
};

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, sql},
};

impl AccountStore<'_> {
    /// A collection does not follow; since when is known of the first time.
    pub async fn put_sync_trouble(
        &mut self,
        instance: &InstanceId,
        trouble: &SyncTrouble,
        now: Timestamp,
    ) -> Result<()> {
        sql(
            "INSERT INTO sync_trouble (account_id, instance_id, collection, cause, tries, since) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT (instance_id, collection) DO UPDATE SET cause = excluded.cause, tries = excluded.tries \
             WHERE sync_trouble.account_id = excluded.account_id",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(trouble.collection.as_str())
        .bind(trouble.cause.as_str())
        .bind(i64::from(trouble.tries))
        .bind(now)
        .execute(self.conn)
        .await?;
        self.note_troubles(instance).await
    }

    /// It follows again. `false`: it was not known that it did not.
    pub async fn drop_sync_trouble(
        &mut self,
        instance: &InstanceId,
        collection: &str,
    ) -> Result<bool> {
        let dropped = sql(
            "DELETE FROM sync_trouble WHERE account_id = $1 AND instance_id = $2 AND collection = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(collection)
        .execute(self.conn)
        .await?;
        self.note_troubles(instance).await?;
        Ok(dropped > 0)
    }

    /// There is nothing to follow any more: another phone may pair with it.
    pub async fn drop_sync_troubles(&mut self, instance: &InstanceId) -> Result<()> {
        sql("DELETE FROM sync_trouble WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        self.note_troubles(instance).await
    }

    /// The instance itself says whether there are any.
    async fn note_troubles(&mut self, instance: &InstanceId) -> Result<()> {
        let changed = sql(
            "UPDATE instance SET troubled = CASE WHEN EXISTS (SELECT 1 FROM sync_trouble t WHERE t.account_id = $1 AND t.instance_id = $2) \
             THEN 1 ELSE 0 END WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(instance)
        .execute(self.conn)
        .await?;
        if changed > 0 {
            self.conn.touch(instance);
        }
        Ok(())
    }

    /// With the time since when, in the order of their names.
    pub async fn sync_troubles(
        &mut self,
        instance: &InstanceId,
    ) -> Result<Vec<(SyncTrouble, Timestamp)>> {
        let rows = sql(
            "SELECT collection, cause, tries, since FROM sync_trouble WHERE account_id = $1 AND instance_id = $2 ORDER BY collection",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(trouble).collect()
    }
}

fn trouble(row: &Row) -> Result<(SyncTrouble, Timestamp)> {
    let trouble = SyncTrouble {
        collection: row.text("collection")?,
        cause: row.parsed("cause", TroubleCause::parse)?,
        tries: u32::try_from(row.i64("tries")?).unwrap_or(u32::MAX),
    };
    Ok((trouble, row.time("since")?))
}
