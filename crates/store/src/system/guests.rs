//! Guest accounts: let in, looked through, ended. The acts of a guest's own account are in
//! [`crate::guests`].

use recado_model::{AccountId, Timestamp, account::AccountKind};

use super::System;
use crate::{error::Result, guests::delete_credentials, sql::sql};

/// Whether a guest came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestDoor {
    Opened,
    /// There are enough of them; the first of those in the way ends at that time.
    Full(Timestamp),
    /// The same for those of the same network.
    NetworkFull(Timestamp),
}

impl System<'_> {
    /// Guest accounts whose time is over, as far as they are `node`'s to end: not those with an
    /// instance that another node has the lease of. Only that node can log it out at WhatsApp.
    pub async fn expired_guests(&mut self, node: &str, now: Timestamp) -> Result<Vec<AccountId>> {
        let rows = sql(
            "SELECT id FROM account WHERE expires_at <= $1 AND kind = 'guest' \
             AND NOT EXISTS (SELECT 1 FROM instance i WHERE i.account_id = account.id \
             AND i.lease_owner IS NOT NULL AND i.lease_owner <> $2 AND i.lease_until > $1) \
             ORDER BY expires_at, id",
        )
        .bind(now)
        .bind(node)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| row.text("id").map(AccountId::from_text))
            .collect()
    }

    /// Whether there are `most` guest accounts already, or `most_of_origin` of the network that
    /// `origin` names, those whose time is over too; `None` when there is room. A look that costs no
    /// write: only [`System::open_guest`] knows for sure.
    pub async fn guests(
        &mut self,
        origin: &str,
        (most, most_of_origin): (i64, i64),
        now: Timestamp,
    ) -> Result<Option<GuestDoor>> {
        // Reads all: guests alone: SQLite names no partial index that it goes by whole.
        let row = sql("SELECT COUNT(*) AS n, MIN(expires_at) AS ends, \
             COUNT(CASE WHEN origin = $1 THEN 1 END) AS near, \
             MIN(CASE WHEN origin = $1 THEN expires_at END) AS near_ends \
             FROM account WHERE kind = 'guest'")
        .bind(origin)
        .fetch_one(self.conn)
        .await?;
        if row.i64("near")? >= most_of_origin {
            let ends = row.opt_time("near_ends")?;
            return Ok(Some(GuestDoor::NetworkFull(ends.unwrap_or(now))));
        }
        if row.i64("n")? >= most {
            let ends = row.opt_time("ends")?;
            return Ok(Some(GuestDoor::Full(ends.unwrap_or(now))));
        }
        Ok(None)
    }

    /// A new guest account until `until`, unless [`System::guests`] says that there are enough.
    /// Openings wait for each other, so the caps hold exactly.
    pub async fn open_guest(
        &mut self,
        id: &AccountId,
        origin: &str,
        caps: (i64, i64),
        until: Timestamp,
        now: Timestamp,
    ) -> Result<GuestDoor> {
        // Held until the transaction ends: whoever counts next counts this one, too.
        sql("INSERT INTO meta (name, n) VALUES ('guests', 1) ON CONFLICT (name) DO UPDATE SET n = meta.n + 1")
            .execute(self.conn)
            .await?;
        if let Some(full) = self.guests(origin, caps, now).await? {
            return Ok(full);
        }
        self.create_account(id, "Guest", AccountKind::Guest, Some(until), now)
            .await?;
        sql("UPDATE account SET origin = $2 WHERE id = $1")
            .bind(id)
            .bind(origin)
            .execute(self.conn)
            .await?;
        Ok(GuestDoor::Opened)
    }

    /// The end of a guest whose time is over begins: it gets no more time, nobody can claim it, and its
    /// credentials are dead. `false`, and nothing happens, when it was claimed or given more time
    /// since it was looked up; `true` each time until [`System::end_guest`].
    pub async fn close_guest(&mut self, id: &AccountId, now: Timestamp) -> Result<bool> {
        let closed = sql(
            "UPDATE account SET expires_at = 0 WHERE id = $1 AND kind = 'guest' AND expires_at <= $2",
        )
        .bind(id)
        .bind(now)
        .execute(self.conn)
        .await?;
        if closed == 0 {
            return Ok(false);
        }
        delete_credentials(self.conn, id).await?;
        self.conn.raise_epoch();
        Ok(true)
    }

    /// Removes a guest account, with all it owns, whose time is over. `false`, and nothing happens,
    /// when it was claimed or given more time since it was looked up.
    pub async fn end_guest(&mut self, id: &AccountId, now: Timestamp) -> Result<bool> {
        let deleted =
            sql("DELETE FROM account WHERE id = $1 AND kind = 'guest' AND expires_at <= $2")
                .bind(id)
                .bind(now)
                .execute(self.conn)
                .await?;
        if deleted == 0 {
            return Ok(false);
        }
        self.conn.touch_all();
        self.conn.raise_epoch();
        self.conn.store.inner.account_keys.remove(id);
        Ok(true)
    }
}
