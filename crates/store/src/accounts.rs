//! One account: the door to everything it owns.

use recado_model::{Account, AccountId, Timestamp, account::AccountKind};

use crate::{
    db::Conn,
    error::{Result, StoreError},
    sql::{Row, sql},
};

/// The things of one account. Every statement behind it names the account in its WHERE.
#[derive(Debug)]
pub struct AccountStore<'a> {
    pub(crate) conn: &'a mut Conn,
    pub(crate) id: AccountId,
}

impl<'a> AccountStore<'a> {
    pub(crate) fn new(conn: &'a mut Conn, id: AccountId) -> Self {
        Self { conn, id }
    }

    /// The account itself; `None` when it was deleted.
    pub async fn account(&mut self) -> Result<Option<Account>> {
        sql("SELECT id, name, kind, language, created_at FROM account WHERE id = $1")
            .bind(&self.id)
            .fetch_optional(self.conn)
            .await?
            .map(|row| from_row(&row))
            .transpose()
    }

    /// When a guest account ends; `None` for one that stays.
    pub async fn expires_at(&mut self) -> Result<Option<Timestamp>> {
        let row = sql("SELECT expires_at FROM account WHERE id = $1")
            .bind(&self.id)
            .fetch_optional(self.conn)
            .await?;
        Ok(row
            .map(|row| row.opt_time("expires_at"))
            .transpose()?
            .flatten())
    }

    /// Moves the end of a guest account; `None` = never.
    pub async fn set_expires_at(&mut self, at: Option<Timestamp>) -> Result<bool> {
        let changed = sql("UPDATE account SET expires_at = $2 WHERE id = $1")
            .bind(&self.id)
            .bind(at)
            .execute(self.conn)
            .await?;
        Ok(changed > 0)
    }

    /// "Sign out everywhere": every JWT that the account has out dies, and every session of a person in
    /// it.
    pub async fn raise_generation(&mut self) -> Result<()> {
        sql("UPDATE account SET generation = generation + 1 WHERE id = $1")
            .bind(&self.id)
            .execute(self.conn)
            .await?;
        self.conn.raise_epoch();
        Ok(())
    }

    /// Revokes one JWT by its id, until it would have expired anyway.
    pub async fn revoke_jwt(&mut self, jti: &str, expires_at: Timestamp) -> Result<()> {
        sql("INSERT INTO jwt_revoked (jti, account_id, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(jti)
            .bind(&self.id)
            .bind(expires_at)
            .execute(self.conn)
            .await?;
        self.conn.raise_epoch();
        Ok(())
    }

    /// Waits for its turn to change what the account's row stands guard over, and holds it until the
    /// transaction ends.
    pub async fn hold(&mut self) -> Result<()> {
        let held = sql("UPDATE account SET generation = generation WHERE id = $1")
            .bind(&self.id)
            .execute(self.conn)
            .await?;
        match held {
            0 => Err(StoreError::NoParent),
            _ => Ok(()),
        }
    }

    /// The next number for ordering what happens on an instance. Holds the instance's row until the
    /// transaction ends, so numbers become visible in their order.
    pub(crate) async fn next_seq(&mut self, instance: &recado_model::InstanceId) -> Result<i64> {
        sql(
            "UPDATE instance SET last_seq = last_seq + 1 WHERE account_id = $1 AND id = $2 RETURNING last_seq",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_optional(self.conn)
        .await?
        .ok_or(StoreError::NoParent)?
        .i64("last_seq")
    }
}

pub(crate) fn from_row(row: &Row) -> Result<Account> {
    Ok(Account {
        id: AccountId::from_text(row.text("id")?),
        name: row.text("name")?,
        kind: row.parsed("kind", AccountKind::parse)?,
        language: row.text("language")?,
        created_at: row.time("created_at")?,
    })
}
