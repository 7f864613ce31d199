//! People who sign in, whichever accounts they are members of. Their second factor is in
//! [`super::second_factor`], where they are signed in in [`super::user_sessions`], the members of one
//! account in [`crate::members`].
//!
//! A user's generation stands in each of their sessions and JWTs: whatever raises it ends them all.
//! That row is held before those below it (membership, sessions, codes), by everything here, so that
//! no two changes wait for one another.

use recado_model::{AccountId, Language, Role, Secret, Timestamp, UserId};

use super::People;
use crate::{
    db::Conn,
    error::{Result, StoreError},
    sql::{Row, sql},
};

/// A user as signing in needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRecord {
    pub id: UserId,
    pub email: String,
    /// PHC string of Argon2id.
    pub password_hash: Secret,
    /// Runs the whole gateway.
    pub operator: bool,
    pub language: Language,
    /// Sessions and JWTs of another generation have ended.
    pub generation: i64,
    pub has_second_factor: bool,
    pub created_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
}

/// Somebody new. No `Debug`, so that no log has the hash.
#[derive(Clone, Copy)]
pub struct NewUser<'a> {
    pub id: &'a UserId,
    /// Kept trimmed and in lower case.
    pub email: &'a str,
    /// PHC string of Argon2id.
    pub password_hash: &'a str,
    /// Runs the whole gateway.
    pub operator: bool,
    pub language: Language,
}

/// A user for the operator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSummary {
    pub id: UserId,
    pub email: String,
    pub operator: bool,
    pub second_factor: bool,
    pub created_at: Timestamp,
    pub last_login_at: Option<Timestamp>,
    /// How many they are members of.
    pub accounts: i64,
}

/// An account that a user is a member of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub account: AccountId,
    pub account_name: String,
    /// The account's.
    pub language: Language,
    pub role: Role,
}

/// The columns of a [`UserRecord`].
macro_rules! select {
    () => {
        "SELECT id, email, password_hash, operator, language, generation, \
         CAST(CASE WHEN totp IS NULL THEN 0 ELSE 1 END AS BIGINT) AS second_factor, \
         created_at, last_login_at FROM app_user"
    };
}

impl People<'_> {
    /// A new user, of generation 0. [`StoreError::Unique`] when the e-mail, whatever its case, is taken.
    pub async fn create_user(&mut self, new: &NewUser<'_>, now: Timestamp) -> Result<()> {
        sql(
            "INSERT INTO app_user (id, email, password_hash, operator, language, generation, totp_step, created_at) \
             VALUES ($1, $2, $3, $4, $5, 0, 0, $6)",
        )
        .bind(new.id)
        .bind(&normal_email(new.email))
        .bind(new.password_hash)
        .bind(new.operator)
        .bind(new.language.as_str())
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// Makes a user a member of an account. `false`, and nothing happens, for one who is a member
    /// already: an invitation must not lower anybody. [`crate::AccountStore::set_role`] changes a role.
    pub async fn add_member(
        &mut self,
        account: &AccountId,
        user: &UserId,
        role: Role,
        now: Timestamp,
    ) -> Result<bool> {
        let added = sql(
            "INSERT INTO membership (account_id, user_id, role, created_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (account_id, user_id) DO NOTHING",
        )
        .bind(account)
        .bind(user)
        .bind(role.as_str())
        .bind(now)
        .execute(self.conn)
        .await?;
        self.conn.raise_epoch();
        Ok(added > 0)
    }

    /// By e-mail, whatever its case.
    pub async fn user_by_email(&mut self, email: &str) -> Result<Option<UserRecord>> {
        let row = sql(concat!(select!(), " WHERE email = $1"))
            .bind(&normal_email(email))
            .fetch_optional(self.conn)
            .await?;
        row.as_ref().map(record).transpose()
    }

    pub async fn user(&mut self, id: &UserId) -> Result<Option<UserRecord>> {
        let row = sql(concat!(select!(), " WHERE id = $1"))
            .bind(id)
            .fetch_optional(self.conn)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// `false` for a gateway that nobody has set up yet.
    pub async fn any_user(&mut self) -> Result<bool> {
        // Reads all: it ends at the first row.
        let row = sql("SELECT id FROM app_user LIMIT 1")
            .fetch_optional(self.conn)
            .await?;
        Ok(row.is_some())
    }

    /// Of all who ask this one goes on, and the next when that one's transaction ends: for what is counted
    /// and then done. Take it before anything else is held.
    pub async fn take_turn(&mut self) -> Result<()> {
        sql("UPDATE meta SET n = n WHERE name = 'turn'")
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// For the operator: by e-mail.
    pub async fn users(&mut self) -> Result<Vec<UserSummary>> {
        // Reads all: the operator asks for everybody.
        let rows = sql("SELECT u.id, u.email, u.operator, \
             CAST(CASE WHEN u.totp IS NULL THEN 0 ELSE 1 END AS BIGINT) AS second_factor, \
             u.created_at, u.last_login_at, \
             (SELECT COUNT(*) FROM membership m WHERE m.user_id = u.id) AS accounts \
             FROM app_user u ORDER BY u.email")
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(UserSummary {
                    id: UserId::from_text(row.text("id")?),
                    email: row.text("email")?,
                    operator: row.bool("operator")?,
                    second_factor: row.bool("second_factor")?,
                    created_at: row.time("created_at")?,
                    last_login_at: row.opt_time("last_login_at")?,
                    accounts: row.i64("accounts")?,
                })
            })
            .collect()
    }

    /// The accounts of a user, by name.
    pub async fn memberships_of(&mut self, user: &UserId) -> Result<Vec<Membership>> {
        let rows = sql("SELECT a.id, a.name, a.language, m.role \
             FROM membership m JOIN account a ON a.id = m.account_id \
             WHERE m.user_id = $1 ORDER BY a.name, a.id")
        .bind(user)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Membership {
                    account: AccountId::from_text(row.text("id")?),
                    account_name: row.text("name")?,
                    language: row.parsed("language", Language::parse)?,
                    role: row.parsed("role", Role::parse)?,
                })
            })
            .collect()
    }

    /// Another password. All sessions and JWTs of the user end; the answer is the new generation.
    pub async fn set_password(&mut self, id: &UserId, hash: &str) -> Result<i64> {
        sql("UPDATE app_user SET password_hash = $2 WHERE id = $1")
            .bind(id)
            .bind(hash)
            .execute(self.conn)
            .await?;
        self.raise_user_generation(id).await
    }

    /// The same password hashed better; nothing ends. `false` when the hash is not `old` any more.
    pub async fn upgrade_password_hash(
        &mut self,
        id: &UserId,
        old: &str,
        new: &str,
    ) -> Result<bool> {
        let changed =
            sql("UPDATE app_user SET password_hash = $3 WHERE id = $1 AND password_hash = $2")
                .bind(id)
                .bind(old)
                .bind(new)
                .execute(self.conn)
                .await?;
        Ok(changed > 0)
    }

    /// Another e-mail. All sessions and JWTs of the user end. `false`, and nothing happens, when
    /// somebody else has it. [`StoreError::Unique`] when somebody else takes it in this very moment:
    /// the transaction must be given up.
    pub async fn set_email(&mut self, id: &UserId, email: &str) -> Result<bool> {
        hold_user(self.conn, id).await?;
        let changed = sql("UPDATE app_user SET email = $2 WHERE id = $1 \
             AND NOT EXISTS (SELECT 1 FROM app_user o WHERE o.email = $2 AND o.id <> $1)")
        .bind(id)
        .bind(&normal_email(email))
        .execute(self.conn)
        .await?;
        if changed == 0 {
            return Ok(false);
        }
        self.raise_user_generation(id).await?;
        Ok(true)
    }

    /// `false` for nobody. The epoch stays: nothing that is kept in memory includes it.
    pub async fn set_user_language(&mut self, id: &UserId, language: Language) -> Result<bool> {
        let changed = sql("UPDATE app_user SET language = $2 WHERE id = $1")
            .bind(id)
            .bind(language.as_str())
            .execute(self.conn)
            .await?;
        Ok(changed > 0)
    }

    /// Makes a user one who runs the whole gateway, or no longer. `false` for nobody.
    pub async fn set_operator(&mut self, id: &UserId, operator: bool) -> Result<bool> {
        let changed = sql("UPDATE app_user SET operator = $2 WHERE id = $1")
            .bind(id)
            .bind(operator)
            .execute(self.conn)
            .await?;
        self.conn.raise_epoch();
        Ok(changed > 0)
    }

    /// Ends all sessions and JWTs of a user. The new generation.
    pub async fn raise_user_generation(&mut self, id: &UserId) -> Result<i64> {
        raise_user_generation(self.conn, id).await
    }
}

/// Ends all sessions and JWTs of a user. The new generation; [`StoreError::NoParent`] for nobody.
pub(crate) async fn raise_user_generation(conn: &mut Conn, id: &UserId) -> Result<i64> {
    let generation =
        sql("UPDATE app_user SET generation = generation + 1 WHERE id = $1 RETURNING generation")
            .bind(id)
            .fetch_optional(conn)
            .await?
            .ok_or(StoreError::NoParent)?
            .i64("generation")?;
    conn.raise_epoch();
    Ok(generation)
}

/// Waits for the turn to change what belongs to a user, and holds it until the transaction ends.
/// [`StoreError::NoParent`] for nobody.
pub(super) async fn hold_user(conn: &mut Conn, id: &UserId) -> Result<()> {
    let held = sql("UPDATE app_user SET generation = generation WHERE id = $1")
        .bind(id)
        .execute(conn)
        .await?;
    match held {
        0 => Err(StoreError::NoParent),
        _ => Ok(()),
    }
}

fn record(row: &Row) -> Result<UserRecord> {
    Ok(UserRecord {
        id: UserId::from_text(row.text("id")?),
        email: row.text("email")?,
        password_hash: Secret::new(row.text("password_hash")?),
        operator: row.bool("operator")?,
        language: row.parsed("language", Language::parse)?,
        generation: row.i64("generation")?,
        has_second_factor: row.bool("second_factor")?,
        created_at: row.time("created_at")?,
        last_login_at: row.opt_time("last_login_at")?,
    })
}

/// As e-mails are kept and looked up.
pub(super) fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}
