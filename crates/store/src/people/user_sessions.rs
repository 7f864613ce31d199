//! People who are signed in: one row each time, acting in one account at a time.
//!
//! A session has ended when its row is gone, or when the user's or the account's generation is no longer
//! the one in the row. Whether it is too old or was idle too long is the caller's to say.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use recado_model::{AccountId, Role, Timestamp, UserId, UserSessionId};

use super::{People, users::hold_user};
use crate::{
    error::{Result, StoreError},
    sql::{Row, sql},
};

/// Clocks of nodes differ by less.
const SKEW_MS: i64 = 5 * 60 * 1000;

/// A user has at most so many; the oldest go.
pub const SESSIONS_PER_USER: i64 = 50;

#[derive(Clone, Debug)]
pub struct NewUserSession {
    pub id: UserSessionId,
    pub user: UserId,
    /// The user's generation when the person was proven: who changed it meanwhile ended this, too.
    pub user_generation: i64,
    pub account: AccountId,
    /// SHA-256 of the cookie.
    pub lookup: [u8; 32],
    pub address: Option<String>,
    /// The name that the browser gives itself.
    pub agent: Option<String>,
}

/// A session as each request needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    pub id: UserSessionId,
    pub user: UserId,
    pub account: AccountId,
    /// In that account, now.
    pub role: Role,
    pub email: String,
    pub operator: bool,
    pub has_second_factor: bool,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    /// When the password was last asked for inside the session.
    pub proven_at: Option<Timestamp>,
    /// How often it moved to another account. A JWT of before has ended, also when it is back.
    pub switches: i64,
    /// The user's and the account's, now. A JWT that was made under others has ended, although its
    /// session may have been renewed since.
    pub user_generation: i64,
    pub account_generation: i64,
    /// `false`: it has ended.
    pub generations_hold: bool,
}

/// A session for the list of its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    pub id: UserSessionId,
    pub account: AccountId,
    pub account_name: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    pub address: Option<String>,
    pub agent: Option<String>,
    /// Whether the generations hold. How old it may be is the caller's to say.
    pub alive: bool,
}

/// The columns of a [`SessionRecord`], and the hash.
macro_rules! select {
    () => {
        "SELECT s.id, s.user_id, s.account_id, s.lookup, s.created_at, s.seen_at, s.proven_at, s.switches, \
         s.user_generation, s.account_generation, u.generation AS user_now, a.generation AS account_now, \
         m.role, u.email, u.operator, \
         CAST(CASE WHEN u.totp IS NULL THEN 0 ELSE 1 END AS BIGINT) AS second_factor \
         FROM user_session s JOIN app_user u ON u.id = s.user_id JOIN account a ON a.id = s.account_id \
         JOIN membership m ON m.account_id = s.account_id AND m.user_id = s.user_id"
    };
}

impl People<'_> {
    /// Signs somebody in. `None`, and nothing happens, for who is no member of the account (any more),
    /// and when the user's generation is another than the one that was proven. Beyond
    /// [`SESSIONS_PER_USER`] the oldest end: how many did is the answer.
    pub async fn open_user_session(
        &mut self,
        new: &NewUserSession,
        now: Timestamp,
    ) -> Result<Option<u64>> {
        // One at a time, so that the cap holds, and not while what ends them all is under way.
        match hold_user(self.conn, &new.user).await {
            Err(StoreError::NoParent) => return Ok(None),
            held => held?,
        }
        let opened = sql(
            "INSERT INTO user_session (id, user_id, account_id, lookup, user_generation, account_generation, \
             created_at, seen_at, switches, address, agent) \
             SELECT $1, m.user_id, m.account_id, $4, u.generation, a.generation, $6, $6, 0, $7, $8 \
             FROM membership m JOIN app_user u ON u.id = m.user_id JOIN account a ON a.id = m.account_id \
             WHERE m.account_id = $3 AND m.user_id = $2 AND u.generation = $5",
        )
        .bind(&new.id)
        .bind(&new.user)
        .bind(&new.account)
        .bind(new.lookup.as_slice())
        .bind(new.user_generation)
        .bind(now)
        .bind(new.address.as_deref())
        .bind(new.agent.as_deref())
        .execute(self.conn)
        .await?;
        if opened == 0 {
            return Ok(None);
        }
        // Not this one, should the clock have been set back.
        let ended = sql("DELETE FROM user_session WHERE user_id = $1 AND id IN ( \
             SELECT id FROM user_session WHERE user_id = $1 AND id <> $2 \
             ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET $3)")
        .bind(&new.user)
        .bind(&new.id)
        .bind(SESSIONS_PER_USER - 1)
        .execute(self.conn)
        .await?;
        if ended > 0 {
            self.conn.raise_epoch();
        }
        Ok(Some(ended))
    }

    /// The session of a cookie, by the cookie's SHA-256; ended ones too. One query.
    pub async fn user_session_by_lookup(
        &mut self,
        lookup: &[u8; 32],
    ) -> Result<Option<SessionRecord>> {
        let row = sql(concat!(select!(), " WHERE s.lookup = $1"))
            .bind(lookup.as_slice())
            .fetch_optional(self.conn)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        // The index is no comparison in constant time.
        if verify_slices_are_equal(lookup, &row.blob("lookup")?).is_err() {
            return Ok(None);
        }
        record(&row).map(Some)
    }

    /// The same by id, for a JWT that came from it. It may act in another account than the JWT by now.
    pub async fn user_session(&mut self, id: &UserSessionId) -> Result<Option<SessionRecord>> {
        let row = sql(concat!(select!(), " WHERE s.id = $1"))
            .bind(id)
            .fetch_optional(self.conn)
            .await?;
        row.as_ref().map(record).transpose()
    }

    /// Notes that a session is in use; goes back only from a time that lies so far ahead that the clock
    /// was wrong. The epoch stays: ask for this once in some minutes, not at each request.
    pub async fn touch_user_session(
        &mut self,
        id: &UserSessionId,
        seen_at: Timestamp,
    ) -> Result<()> {
        sql(
            "UPDATE user_session SET seen_at = $2 WHERE id = $1 AND (seen_at < $2 OR seen_at > $3)",
        )
        .bind(id)
        .bind(seen_at)
        .bind(seen_at.plus_millis(SKEW_MS))
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// The person was proven anew at that time; `None` takes it back. `false` when it is gone.
    pub async fn prove_user_session(
        &mut self,
        id: &UserSessionId,
        at: Option<Timestamp>,
    ) -> Result<bool> {
        let changed = sql("UPDATE user_session SET proven_at = $2 WHERE id = $1")
            .bind(id)
            .bind(at)
            .execute(self.conn)
            .await?;
        self.conn.raise_epoch();
        Ok(changed > 0)
    }

    /// From now on the session acts in another account, under another cookie; JWTs that came from it
    /// have ended for good. `false`, and nothing happens, when it has ended or its user is no member
    /// there.
    pub async fn switch_user_session(
        &mut self,
        id: &UserSessionId,
        account: &AccountId,
        lookup: &[u8; 32],
    ) -> Result<bool> {
        let changed = sql("UPDATE user_session SET account_id = $2, lookup = $3, switches = switches + 1, \
             account_generation = (SELECT a.generation FROM account a WHERE a.id = $2) \
             WHERE id = $1 \
             AND user_generation = (SELECT u.generation FROM app_user u WHERE u.id = user_session.user_id) \
             AND account_generation = (SELECT a.generation FROM account a WHERE a.id = user_session.account_id) \
             AND EXISTS (SELECT 1 FROM membership m WHERE m.account_id = $2 AND m.user_id = user_session.user_id)")
        .bind(id)
        .bind(account)
        .bind(lookup.as_slice())
        .execute(self.conn)
        .await?;
        self.conn.raise_epoch();
        Ok(changed > 0)
    }

    /// The session in which somebody has just changed something of their own goes on, under another
    /// cookie: the one change of this transaction does not end it. `false` when something else had
    /// ended it before; give up the transaction then.
    pub async fn renew_user_session(
        &mut self,
        id: &UserSessionId,
        lookup: &[u8; 32],
    ) -> Result<bool> {
        let changed = sql("UPDATE user_session SET lookup = $2, \
             user_generation = (SELECT u.generation FROM app_user u WHERE u.id = user_session.user_id) \
             WHERE id = $1 \
             AND user_generation >= (SELECT u.generation FROM app_user u WHERE u.id = user_session.user_id) - 1 \
             AND account_generation = (SELECT a.generation FROM account a WHERE a.id = user_session.account_id)")
        .bind(id)
        .bind(lookup.as_slice())
        .execute(self.conn)
        .await?;
        self.conn.raise_epoch();
        Ok(changed > 0)
    }

    /// Signs one session of the user out. `false` when the user has no such session.
    pub async fn end_user_session(&mut self, user: &UserId, id: &UserSessionId) -> Result<bool> {
        let gone = sql("DELETE FROM user_session WHERE user_id = $1 AND id = $2")
            .bind(user)
            .bind(id)
            .execute(self.conn)
            .await?;
        if gone > 0 {
            self.conn.raise_epoch();
        }
        Ok(gone > 0)
    }

    /// Signs the user out in all sessions but one. The number that ended.
    pub async fn end_other_user_sessions(
        &mut self,
        user: &UserId,
        keep: &UserSessionId,
    ) -> Result<u64> {
        let gone = sql("DELETE FROM user_session WHERE user_id = $1 AND id <> $2")
            .bind(user)
            .bind(keep)
            .execute(self.conn)
            .await?;
        if gone > 0 {
            self.conn.raise_epoch();
        }
        Ok(gone)
    }

    /// Signs the user out everywhere. The number of sessions that ended.
    pub async fn end_user_sessions(&mut self, user: &UserId) -> Result<u64> {
        let gone = sql("DELETE FROM user_session WHERE user_id = $1")
            .bind(user)
            .execute(self.conn)
            .await?;
        self.conn.raise_epoch();
        Ok(gone)
    }

    /// Those of one user in all accounts, ended ones too, newest first.
    pub async fn user_sessions(&mut self, user: &UserId) -> Result<Vec<SessionRow>> {
        let rows = sql(
            "SELECT s.id, s.account_id, a.name, s.created_at, s.seen_at, s.address, s.agent, \
             s.user_generation, s.account_generation, u.generation AS user_now, a.generation AS account_now \
             FROM user_session s JOIN app_user u ON u.id = s.user_id JOIN account a ON a.id = s.account_id \
             WHERE s.user_id = $1 ORDER BY s.created_at DESC, s.id DESC",
        )
        .bind(user)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(SessionRow {
                    id: UserSessionId::from_text(row.text("id")?),
                    account: AccountId::from_text(row.text("account_id")?),
                    account_name: row.text("name")?,
                    created_at: row.time("created_at")?,
                    seen_at: row.time("seen_at")?,
                    address: row.opt_text("address")?,
                    agent: row.opt_text("agent")?,
                    alive: generations_hold(row)?,
                })
            })
            .collect()
    }

    /// Removes sessions that were opened before one time, or last seen before the second or after the
    /// third (by a clock that was wrong), the oldest first, at most `limit`. The number removed. The
    /// epoch stays: nobody could use them any more.
    pub async fn prune_user_sessions(
        &mut self,
        created_before: Timestamp,
        seen_before: Timestamp,
        seen_after: Timestamp,
        limit: u32,
    ) -> Result<u64> {
        // Reads all: once a day, a batch at a time.
        sql(
            "DELETE FROM user_session WHERE id IN (SELECT id FROM user_session \
             WHERE created_at < $1 OR seen_at < $2 OR seen_at > $3 ORDER BY created_at, id LIMIT $4)",
        )
        .bind(created_before)
        .bind(seen_before)
        .bind(seen_after)
        .bind(i64::from(limit))
        .execute(self.conn)
        .await
    }
}

fn generations_hold(row: &Row) -> Result<bool> {
    Ok(row.i64("user_generation")? == row.i64("user_now")?
        && row.i64("account_generation")? == row.i64("account_now")?)
}

fn record(row: &Row) -> Result<SessionRecord> {
    Ok(SessionRecord {
        id: UserSessionId::from_text(row.text("id")?),
        user: UserId::from_text(row.text("user_id")?),
        account: AccountId::from_text(row.text("account_id")?),
        role: row.parsed("role", Role::parse)?,
        email: row.text("email")?,
        operator: row.bool("operator")?,
        has_second_factor: row.bool("second_factor")?,
        created_at: row.time("created_at")?,
        seen_at: row.time("seen_at")?,
        proven_at: row.opt_time("proven_at")?,
        switches: row.i64("switches")?,
        user_generation: row.i64("user_now")?,
        account_generation: row.i64("account_now")?,
        generations_hold: generations_hold(row)?,
    })
}
