//! Guests that come to belong to a shop: more time while they wait, and the move itself.
//!
//! The move keeps the instance and everything below it: foreign keys carry the new account down. What
//! is sealed is bound to its account, so it is opened under the guest's key and sealed under the
//! shop's. To keep something more that is sealed below an instance: seal it anew here, too.

use recado_model::{AccountId, Instance, InstanceId, Timestamp};
use zeroize::Zeroizing;

use crate::{
    accounts::AccountStore,
    db::Conn,
    device,
    error::{Result, StoreError},
    seal::Context,
    sql::{built, placeholders, sql},
};

/// Rows per statement; SQLite allows 32766 values in one.
const BATCH: usize = 500;

/// The outcome of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Adoption {
    Moved(Box<Instance>),
    /// The guest has ended, is ending, or was taken over.
    Gone,
    /// Another node has the instance's lease, so a link of it may run there.
    Held,
}

impl AccountStore<'_> {
    /// More time for a guest whose time is not over. `false`, and nothing happens, for one that is
    /// ending, and for an account that is no guest's.
    pub async fn extend_guest(&mut self, until: Timestamp, now: Timestamp) -> Result<bool> {
        let changed = sql(
            "UPDATE account SET expires_at = $2 WHERE id = $1 AND kind = 'guest' AND expires_at > $3",
        )
        .bind(&self.id)
        .bind(until)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// Takes over a guest's instance, with this account's next number, and removes the guest. The
    /// instance's old credentials are gone: issue new ones in the same transaction. Its trial ends at
    /// `trial_until`, and nothing is paid. Nobody holds its lease afterwards, so no link of it may run
    /// on `node`, the caller's.
    ///
    /// On [`Adoption::Gone`] nothing has happened; on [`Adoption::Held`] and on an error the
    /// transaction must be given up.
    pub async fn adopt(
        &mut self,
        guest: &AccountId,
        instance: &InstanceId,
        node: &str,
        trial_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Adoption> {
        // Writing holds the guest's row: its end and another claim wait, and then find it gone.
        let waits = sql(
            "UPDATE account SET expires_at = expires_at WHERE id = $1 AND kind = 'guest' AND expires_at > $2",
        )
        .bind(guest)
        .bind(now)
        .execute(self.conn)
        .await?;
        if waits == 0 {
            return Ok(Adoption::Gone);
        }
        delete_credentials(self.conn, guest).await?;
        let number = sql(
            "UPDATE account SET last_number = last_number + 1 WHERE id = $1 RETURNING last_number",
        )
        .bind(&self.id)
        .fetch_optional(self.conn)
        .await?
        .ok_or(StoreError::NoParent)?
        .i64("last_number")?;
        // Numbers of the guest's queue mean nothing in the shop, and may be the shop's own.
        sql("UPDATE message SET queue_id = NULL WHERE account_id = $1 AND instance_id = $2")
            .bind(guest)
            .bind(instance)
            .execute(self.conn)
            .await?;
        let moved = sql(
            "UPDATE instance SET account_id = $1, number = $2, lease_owner = NULL, lease_until = NULL, \
             subscription_id = NULL, trial_until = $3, paid_until = NULL, cancel_at = NULL, updated_at = $4 \
             WHERE account_id = $5 AND id = $6 \
             AND (lease_owner IS NULL OR lease_owner = $7 OR lease_until IS NULL OR lease_until <= $4)",
        )
        .bind(&self.id)
        .bind(number)
        .bind(trial_until)
        .bind(now)
        .bind(guest)
        .bind(instance)
        .bind(node)
        .execute(self.conn)
        .await?;
        if moved == 0 {
            let there = sql("SELECT id FROM instance WHERE account_id = $1 AND id = $2")
                .bind(guest)
                .bind(instance)
                .fetch_optional(self.conn)
                .await?;
            return match there {
                // Moving it from under a running link would leave two of them on one device.
                Some(_) => Ok(Adoption::Held),
                None => Err(StoreError::NoParent),
            };
        }
        self.reseal_device(guest, instance).await?;
        self.reseal_webhook(guest, instance).await?;
        self.reseal_contents(guest, instance).await?;
        self.reseal_media(guest, instance).await?;
        sql("DELETE FROM account WHERE id = $1 AND kind = 'guest' \
             AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.account_id = $1)")
        .bind(guest)
        .execute(self.conn)
        .await?;
        self.conn.touch(instance);
        self.conn.raise_epoch();
        self.conn.store.inner.account_keys.remove(guest);
        let moved = self.instance(instance).await?;
        Ok(Adoption::Moved(Box::new(
            moved.ok_or(StoreError::NoParent)?,
        )))
    }

    async fn reseal_device(&mut self, guest: &AccountId, instance: &InstanceId) -> Result<()> {
        let rows = sql(
            "SELECT space, key, n, value FROM device WHERE account_id = $1 AND instance_id = $2",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_all(self.conn)
        .await?;
        let values = rows.iter().map(|row| row.blob("value"));
        let values = values.collect::<Result<Vec<_>>>()?;
        let old = self.conn.ring_opening(guest, &values).await?;
        let new = self.conn.account_ring(&self.id).await?;
        let mut sealed = Vec::with_capacity(rows.len());
        for (row, value) in rows.iter().zip(&values) {
            let (space, key) = (row.text("space")?, row.blob("key")?);
            let text = std::str::from_utf8(&key).map_err(|_| StoreError::Column("key"))?;
            let name = device::row_name(instance, &space, text);
            let context = |account| Context::new("device", "value", account, &name);
            let plain = Zeroizing::new(old.open(&context(guest.as_str()), value)?);
            let rng = self.conn.store.rng();
            let value = new.seal(&context(self.id.as_str()), &plain, rng)?;
            sealed.push((space, key, row.i64("n")?, value));
        }
        for part in sealed.chunks(BATCH) {
            let values: Vec<String> = (0..part.len())
                .map(|at| format!("($1,$2,{})", placeholders(3 + at * 4, 4)))
                .collect();
            let mut query = built(format!(
                "INSERT INTO device (account_id, instance_id, space, key, n, value) VALUES {} \
                 ON CONFLICT (instance_id, space, key) DO UPDATE SET value = excluded.value \
                 WHERE device.account_id = excluded.account_id",
                values.join(",")
            ))
            .uncached()
            .bind(&self.id)
            .bind(instance);
            for (space, key, n, value) in part {
                query = query.bind(space).bind(key).bind(*n).bind(value);
            }
            if query.execute(self.conn).await? != part.len() as u64 {
                return Err(StoreError::NoParent);
            }
        }
        Ok(())
    }

    async fn reseal_webhook(&mut self, guest: &AccountId, instance: &InstanceId) -> Result<()> {
        let rows =
            sql("SELECT id, sealed_secret FROM webhook WHERE account_id = $1 AND instance_id = $2")
                .bind(&self.id)
                .bind(instance)
                .fetch_all(self.conn)
                .await?;
        for row in rows {
            let (id, sealed) = (row.text("id")?, row.blob("sealed_secret")?);
            let (table, column) = ("webhook", "sealed_secret");
            let opening = self.conn.unseal_for(guest, table, column, &id, &sealed);
            let plain = opening.await?;
            let plain = plain.expose().as_bytes();
            let sealed = self
                .conn
                .seal_for(&self.id, table, column, &id, plain)
                .await?;
            sql("UPDATE webhook SET sealed_secret = $3 WHERE account_id = $1 AND id = $2")
                .bind(&self.id)
                .bind(&id)
                .bind(&sealed)
                .execute(self.conn)
                .await?;
        }
        Ok(())
    }
}

/// All that a guest has. In the order in which their use is written down: two that lock the same rows
/// in two orders wait for each other for ever.
pub(crate) async fn delete_credentials(conn: &mut Conn, guest: &AccountId) -> Result<()> {
    let rows = sql("SELECT id FROM credential WHERE account_id = $1")
        .bind(guest)
        .fetch_all(conn)
        .await?;
    let ids = rows.iter().map(|row| row.text("id"));
    let mut ids = ids.collect::<Result<Vec<_>>>()?;
    // Not by the database: it may order texts by a language.
    ids.sort_unstable();
    for id in &ids {
        sql("DELETE FROM credential WHERE account_id = $1 AND id = $2")
            .bind(guest)
            .bind(id)
            .execute(conn)
            .await?;
    }
    Ok(())
}
