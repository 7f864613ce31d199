//! Accounts from outside, users, the epoch.

use recado_model::{AccountId, Instance, Role, Secret, Timestamp, UserId, account::AccountKind};

use super::{System, bump_epoch};
use crate::{claim::delete_credentials, error::Result, sql::sql};

/// An account for the operator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSummary {
    pub id: AccountId,
    pub name: String,
    pub kind: AccountKind,
    pub created_at: Timestamp,
    pub instances: i64,
    /// Of one of its owners; the first by alphabet.
    pub owner_email: Option<String>,
}

/// Whether a guest came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestDoor {
    Opened,
    /// There are enough of them; the first of those in the way ends at that time.
    Full(Timestamp),
    /// The same for those of the same network.
    NetworkFull(Timestamp),
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Adoption {
    Moved(Box<Instance>),
    /// The guest has ended, is ending, or was taken over.
    Gone,
    /// Another node has the instance's lease, so a link of it may run there.
    Held,
}

/// A user as signing in needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    pub id: UserId,
    pub email: String,
    /// PHC string of Argon2id.
    pub password_hash: Secret,
    pub operator: bool,
    pub created_at: Timestamp,
}

impl System<'_> {
    /// A new account with its own data key.
    pub async fn create_account(
        &mut self,
        id: &AccountId,
        name: &str,
        kind: AccountKind,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<()> {
        sql(
            "INSERT INTO account (id, name, kind, language, last_number, generation, expires_at, created_at) \
             VALUES ($1, $2, $3, 'en', 0, 0, $4, $5)",
        )
        .bind(id)
        .bind(name)
        .bind(kind.as_str())
        .bind(expires_at)
        .bind(now)
        .execute(self.conn)
        .await?;
        let master = self.conn.master_for_wrapping().await?;
        let inner = self.conn.store.inner.clone();
        let wrapped = master.new_data_key(id.as_str(), 1, inner.rng.as_ref())?;
        sql("INSERT INTO account_key (account_id, version, wrapped, created_at) VALUES ($1, 1, $2, $3)")
            .bind(id)
            .bind(&wrapped)
            .bind(now)
            .execute(self.conn)
            .await?;
        // A first try with the same id may have been undone after its key was cached.
        inner.account_keys.remove(id);
        Ok(())
    }

    pub async fn account_exists(&mut self, id: &AccountId) -> Result<bool> {
        let row = sql("SELECT id FROM account WHERE id = $1")
            .bind(id)
            .fetch_optional(self.conn)
            .await?;
        Ok(row.is_some())
    }

    /// For the operator: oldest first.
    pub async fn accounts(&mut self) -> Result<Vec<AccountSummary>> {
        let rows = sql("SELECT a.id, a.name, a.kind, a.created_at, \
             (SELECT COUNT(*) FROM instance i WHERE i.account_id = a.id) AS instances, \
             (SELECT MIN(u.email) FROM membership m JOIN app_user u ON u.id = m.user_id \
              WHERE m.account_id = a.id AND m.role = 'owner') AS owner_email \
             FROM account a ORDER BY a.created_at, a.id")
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(AccountSummary {
                    id: AccountId::from_text(row.text("id")?),
                    name: row.text("name")?,
                    kind: row.parsed("kind", AccountKind::parse)?,
                    created_at: row.time("created_at")?,
                    instances: row.i64("instances")?,
                    owner_email: row.opt_text("owner_email")?,
                })
            })
            .collect()
    }

    /// Removes an account with all it owns. Its users stay, perhaps without an account.
    pub async fn delete_account(&mut self, id: &AccountId) -> Result<bool> {
        let deleted = sql("DELETE FROM account WHERE id = $1")
            .bind(id)
            .execute(self.conn)
            .await?;
        self.conn.touch_all();
        bump_epoch(self.conn).await?;
        self.conn.store.inner.account_keys.remove(id);
        Ok(deleted > 0)
    }

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
        bump_epoch(self.conn).await?;
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
        bump_epoch(self.conn).await?;
        self.conn.store.inner.account_keys.remove(id);
        Ok(true)
    }

    /// A new user; the e-mail is unique, whatever its case. `operator` may run the whole gateway.
    pub async fn create_user(
        &mut self,
        id: &UserId,
        email: &str,
        password_hash: &str,
        operator: bool,
        now: Timestamp,
    ) -> Result<()> {
        sql(
            "INSERT INTO app_user (id, email, password_hash, operator, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(id)
        .bind(&normal_email(email))
        .bind(password_hash)
        .bind(operator)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// Makes a user a member of an account; a member gets the new role.
    pub async fn add_member(
        &mut self,
        account: &AccountId,
        user: &UserId,
        role: Role,
        now: Timestamp,
    ) -> Result<()> {
        sql(
            "INSERT INTO membership (account_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (account_id, user_id) DO UPDATE SET role = excluded.role",
        )
        .bind(account)
        .bind(user)
        .bind(role.as_str())
        .bind(now)
        .execute(self.conn)
        .await?;
        bump_epoch(self.conn).await
    }

    pub async fn user_by_email(&mut self, email: &str) -> Result<Option<UserRecord>> {
        let row = sql(
            "SELECT id, email, password_hash, operator, created_at FROM app_user WHERE email = $1",
        )
        .bind(&normal_email(email))
        .fetch_optional(self.conn)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(UserRecord {
            id: UserId::from_text(row.text("id")?),
            email: row.text("email")?,
            password_hash: Secret::new(row.text("password_hash")?),
            operator: row.bool("operator")?,
            created_at: row.time("created_at")?,
        }))
    }

    /// Rises with every change that makes a cache stale. Programs poll it.
    pub async fn epoch(&mut self) -> Result<i64> {
        sql("SELECT n FROM meta WHERE name = 'epoch'")
            .fetch_one(self.conn)
            .await?
            .i64("n")
    }

    pub async fn bump_epoch(&mut self) -> Result<()> {
        bump_epoch(self.conn).await
    }
}

fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}
