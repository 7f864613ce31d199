//! The rows of peppers, and the look-up hash of a credential under a newer one.

use std::sync::Arc;

use recado_model::{CredentialId, CredentialKind, PepperId, Rng, Timestamp, Token};
use zeroize::Zeroizing;

use crate::{
    accounts::AccountStore,
    db::Conn,
    error::Result,
    pepper::{Pepper, signing},
    seal::{Context, KeyRing},
    sql::sql,
};

/// Writes a new pepper that signs from `from` on; [`crate::Store::reload_keys`] after the commit
/// brings it into use.
pub(crate) async fn insert(
    conn: &mut Conn,
    id: &PepperId,
    system: &KeyRing,
    rng: &dyn Rng,
    from: Timestamp,
) -> Result<()> {
    let mut key = Zeroizing::new([0u8; 32]);
    rng.fill(key.as_mut_slice());
    let context = Context::new("pepper", "sealed", "", id.as_str());
    let sealed = system.seal(&context, key.as_slice(), rng)?;
    sql("INSERT INTO pepper (id, sealed, created_at) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(&sealed)
        .bind(from)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn load(conn: &mut Conn) -> Result<Arc<[Pepper]>> {
    let rows = sql("SELECT id, sealed, created_at FROM pepper ORDER BY created_at DESC, id DESC")
        .fetch_all(conn)
        .await?;
    // After the rows, so that the keys they were sealed under are there.
    let system = conn.system_ring().await?;
    let mut peppers = Vec::with_capacity(rows.len());
    for row in rows {
        let id = PepperId::from_text(row.text("id")?);
        let context = Context::new("pepper", "sealed", "", id.as_str());
        let key = Zeroizing::new(system.open(&context, &row.blob("sealed")?)?);
        let from = row.time("created_at")?;
        peppers.push(Pepper { id, from, key });
    }
    Ok(peppers.into())
}

impl AccountStore<'_> {
    /// Moves the look-up hash of a credential to the pepper that signs now, given its token. For what
    /// is not kept sealed and so cannot be moved without its owner: call it after a use that proved
    /// the token, when [`crate::Store::needs_rehash`] says so. `false` when there was nothing to do:
    /// moved already, ended, or not that credential's token.
    pub async fn rehash(
        &mut self,
        id: &CredentialId,
        token: &Token,
        now: Timestamp,
    ) -> Result<bool> {
        let row = sql("SELECT kind, pepper_id FROM credential WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(id)
            .fetch_optional(self.conn)
            .await?;
        let Some(row) = row else {
            return Ok(false);
        };
        let kind = row.parsed("kind", CredentialKind::parse)?;
        let named = row.text("pepper_id")?;
        let peppers = self.conn.store.peppers();
        let old = peppers.iter().find(|pepper| pepper.id.as_str() == named);
        let (Some(old), Some(new)) = (old, signing(&peppers, now)) else {
            return Ok(false);
        };
        if old.id == new.id {
            return Ok(false);
        }
        // The old hash in the WHERE is the proof that the token is this row's.
        let moved = sql("UPDATE credential SET lookup = $4, pepper_id = $5 \
             WHERE account_id = $1 AND id = $2 AND lookup = $3 AND pepper_id = $6")
        .bind(&self.id)
        .bind(id)
        .bind(old.hash(kind, token)?.as_slice())
        .bind(new.hash(kind, token)?.as_slice())
        .bind(&new.id)
        .bind(&old.id)
        .execute(self.conn)
        .await?;
        Ok(moved > 0)
    }
}
