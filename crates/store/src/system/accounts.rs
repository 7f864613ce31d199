//! Accounts from outside, the epoch.

use recado_model::{AccountId, Timestamp, account::AccountKind};

use super::System;
use crate::{error::Result, sql::sql};

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
        // Reads all: the operator asks for every account.
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
        self.conn.raise_epoch();
        self.conn.store.inner.account_keys.remove(id);
        Ok(deleted > 0)
    }

    /// Rises with every change that makes a cache stale. Programs poll it.
    pub async fn epoch(&mut self) -> Result<i64> {
        let row = sql("SELECT n FROM meta WHERE name = 'epoch'")
            .fetch_one(self.conn)
            .await?;
        Ok(row.i64("n")? + self.conn.raises_epoch)
    }

    pub async fn bump_epoch(&mut self) -> Result<()> {
        self.conn.raise_epoch();
        Ok(())
    }
}
