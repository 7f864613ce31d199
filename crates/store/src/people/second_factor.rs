//! The second factor of a user: the seed of their time-based codes, sealed under the system's key, and
//! the codes for the day it is lost.

use recado_model::UserId;
use zeroize::Zeroizing;

use super::{
    People,
    users::{hold_user, raise_user_generation},
};
use crate::{
    db::Conn,
    error::{Result, StoreError},
    seal::Context,
    sql::{built, sql},
};

/// The seed that counts, and the one that was begun.
const ACTIVE: &str = "totp";
const PENDING: &str = "totp_pending";

impl People<'_> {
    /// Keeps a seed until it is confirmed; one begun before goes. Nothing changes for signing in.
    pub async fn begin_totp(&mut self, user: &UserId, seed: &[u8]) -> Result<()> {
        let sealed = seal(self.conn, PENDING, user, seed).await?;
        let changed = sql("UPDATE app_user SET totp_pending = $2 WHERE id = $1")
            .bind(user)
            .bind(&sealed)
            .execute(self.conn)
            .await?;
        match changed {
            0 => Err(StoreError::NoParent),
            _ => Ok(()),
        }
    }

    /// The seed that was begun and not confirmed yet.
    pub async fn pending_totp(&mut self, user: &UserId) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let row = sql("SELECT totp_pending FROM app_user WHERE id = $1")
            .bind(user)
            .fetch_optional(self.conn)
            .await?;
        match row.map(|row| row.opt_blob("totp_pending")).transpose()? {
            Some(Some(sealed)) => open(self.conn, PENDING, user, &sealed).await.map(Some),
            _ => Ok(None),
        }
    }

    /// From now on signing in needs codes of `seed`, which was begun, and of which the code of `step` was
    /// just shown. The recovery codes are replaced, all sessions and JWTs of the user end; the answer is
    /// the new generation. `None`, and nothing happens, when another seed was begun meanwhile, or this
    /// one confirmed: the person's device would have the wrong one.
    pub async fn confirm_totp(
        &mut self,
        user: &UserId,
        seed: &[u8],
        step: i64,
        recovery: &[[u8; 32]],
    ) -> Result<Option<i64>> {
        hold_user(self.conn, user).await?;
        match self.pending_totp(user).await? {
            Some(pending) if *pending == seed => {}
            _ => return Ok(None),
        }
        // Bound to its column, so what was sealed for the other one would not open here.
        let sealed = seal(self.conn, ACTIVE, user, seed).await?;
        sql("UPDATE app_user SET totp = $2, totp_pending = NULL, totp_step = $3 WHERE id = $1")
            .bind(user)
            .bind(&sealed)
            .bind(step)
            .execute(self.conn)
            .await?;
        replace_codes(self.conn, user, recovery).await?;
        raise_user_generation(self.conn, user).await.map(Some)
    }

    /// The seed, and the time step of the newest code that was used. `None`: no second factor.
    pub async fn totp(&mut self, user: &UserId) -> Result<Option<(Zeroizing<Vec<u8>>, i64)>> {
        let row = sql("SELECT totp, totp_step FROM app_user WHERE id = $1")
            .bind(user)
            .fetch_optional(self.conn)
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let Some(sealed) = row.opt_blob("totp")? else {
            return Ok(None);
        };
        let seed = open(self.conn, ACTIVE, user, &sealed).await?;
        Ok(Some((seed, row.i64("totp_step")?)))
    }

    /// Uses up the code of that time step, which was judged by `last` (see [`People::totp`]), with all
    /// older ones. `false` when another was used since: of two at once, one wins. It may go back, after
    /// the clock was wrong: whether it should is the caller's to say.
    pub async fn use_totp_step(&mut self, user: &UserId, step: i64, last: i64) -> Result<bool> {
        let changed = sql(
            "UPDATE app_user SET totp_step = $2 WHERE id = $1 AND totp_step = $3 AND totp_step <> $2 AND totp IS NOT NULL",
        )
        .bind(user)
        .bind(step)
        .bind(last)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// Signing in needs the password alone from now on. Recovery codes and what was begun go too; all
    /// sessions and JWTs of the user end. The new generation.
    pub async fn remove_totp(&mut self, user: &UserId) -> Result<i64> {
        hold_user(self.conn, user).await?;
        // The step stays: should the same seed come back, old codes stay used.
        sql("UPDATE app_user SET totp = NULL, totp_pending = NULL WHERE id = $1")
            .bind(user)
            .execute(self.conn)
            .await?;
        replace_codes(self.conn, user, &[]).await?;
        raise_user_generation(self.conn, user).await
    }

    /// Replaces the recovery codes, of which these are the hashes.
    pub async fn set_recovery_codes(&mut self, user: &UserId, codes: &[[u8; 32]]) -> Result<()> {
        hold_user(self.conn, user).await?;
        replace_codes(self.conn, user, codes).await
    }

    /// Uses up a recovery code. `false` when the user has no such code (any more).
    pub async fn use_recovery_code(&mut self, user: &UserId, code: &[u8; 32]) -> Result<bool> {
        let gone = sql("DELETE FROM recovery_code WHERE user_id = $1 AND lookup = $2")
            .bind(user)
            .bind(code.as_slice())
            .execute(self.conn)
            .await?;
        Ok(gone > 0)
    }

    pub async fn recovery_codes_left(&mut self, user: &UserId) -> Result<i64> {
        sql("SELECT COUNT(*) AS n FROM recovery_code WHERE user_id = $1")
            .bind(user)
            .fetch_one(self.conn)
            .await?
            .i64("n")
    }
}

/// The user's row is held, so that two sets never mix.
async fn replace_codes(conn: &mut Conn, user: &UserId, codes: &[[u8; 32]]) -> Result<()> {
    sql("DELETE FROM recovery_code WHERE user_id = $1")
        .bind(user)
        .execute(conn)
        .await?;
    if codes.is_empty() {
        return Ok(());
    }
    let values: Vec<_> = (2..codes.len() + 2)
        .map(|n| format!("($1, ${n})"))
        .collect();
    built(format!(
        "INSERT INTO recovery_code (user_id, lookup) VALUES {}",
        values.join(",")
    ))
    .bind(user)
    .bind_all(codes.iter().map(|code| code.as_slice()))
    .execute(conn)
    .await?;
    Ok(())
}

async fn seal(
    conn: &mut Conn,
    column: &'static str,
    user: &UserId,
    seed: &[u8],
) -> Result<Vec<u8>> {
    let ring = conn.system_ring().await?;
    let context = Context::new("app_user", column, "", user.as_str());
    ring.seal(&context, seed, conn.store.rng())
}

async fn open(
    conn: &mut Conn,
    column: &'static str,
    user: &UserId,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>> {
    let ring = conn.system_ring().await?;
    let context = Context::new("app_user", column, "", user.as_str());
    ring.open(&context, sealed).map(Zeroizing::new)
}
