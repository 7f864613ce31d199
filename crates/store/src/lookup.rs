//! Peppers and the look-up hashes of tokens.
//!
//! A token is found by HMAC-SHA-256 under a *pepper*, a random key that is sealed in the database:
//! who reads only the table can neither guess nor verify tokens. The newest pepper signs, all live
//! ones look up, so one can be replaced while its tokens go on working.

use std::sync::{Arc, PoisonError};

use hmac::{Hmac, KeyInit, Mac};
use recado_model::{CredentialKind, PepperId, Rng, Timestamp, Token};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{
    db::{Conn, Inner, Store},
    error::{Result, StoreError},
    seal::{Context, KeyRing},
    sql::sql,
};

pub(crate) struct Pepper {
    pub id: PepperId,
    key: Zeroizing<Vec<u8>>,
}

impl Pepper {
    /// HMAC(pepper, kind || 0 || token): the kind keeps a token of one surface from matching a row
    /// of another.
    pub fn hash(&self, kind: CredentialKind, token: &Token) -> Result<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key)
            .map_err(|_| StoreError::Sealed("pepper.sealed".into()))?;
        mac.update(kind.as_str().as_bytes());
        mac.update(&[0]);
        mac.update(token.expose().as_bytes());
        Ok(mac.finalize().into_bytes().into())
    }
}

/// Writes a new pepper; [`Store::reload_peppers`] after the commit brings it into use.
pub(crate) async fn insert(
    conn: &mut Conn,
    id: &PepperId,
    system: &KeyRing,
    rng: &dyn Rng,
    now: Timestamp,
) -> Result<()> {
    let mut key = Zeroizing::new([0u8; 32]);
    rng.fill(key.as_mut_slice());
    let context = Context::new("pepper", "sealed", "", id.as_str());
    let sealed = system.seal(&context, key.as_slice(), rng)?;
    sql("INSERT INTO pepper (id, sealed, created_at) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(&sealed)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

pub(crate) async fn load(conn: &mut Conn, system: &KeyRing) -> Result<Arc<[Pepper]>> {
    let rows = sql("SELECT id, sealed FROM pepper ORDER BY created_at DESC, id DESC")
        .fetch_all(conn)
        .await?;
    let mut peppers = Vec::with_capacity(rows.len());
    for row in rows {
        let id = PepperId::from_text(row.text("id")?);
        let context = Context::new("pepper", "sealed", "", id.as_str());
        let key = Zeroizing::new(system.open(&context, &row.blob("sealed")?)?);
        peppers.push(Pepper { id, key });
    }
    Ok(peppers.into())
}

impl Inner {
    pub(crate) fn set_peppers(&self, peppers: Arc<[Pepper]>) {
        *self.peppers.write().unwrap_or_else(PoisonError::into_inner) = peppers;
    }
}

impl Store {
    /// Reads the peppers anew, after one was added here or by another process.
    pub async fn reload_peppers(&self) -> Result<()> {
        let mut conn = self.read().await?;
        let peppers = load(&mut conn, &self.inner.system).await?;
        self.inner.set_peppers(peppers);
        Ok(())
    }
}
