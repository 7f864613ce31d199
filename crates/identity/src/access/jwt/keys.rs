//! The keys that sign and verify, and reading them again when another process made or retired one.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, atomic::Ordering},
};

use jsonwebtoken::{DecodingKey, EncodingKey};
use recado_model::{Result, Timestamp};
use recado_store::JwtKey;

use super::Jwts;

/// A `kid` nobody knows makes the keys be read again, at most this often: another node may just have
/// made one, and junk must not become a query each.
const RELOAD_EVERY_MS: i64 = 1_000;

/// The keys in use. The newest that is active signs; all verify.
pub(super) struct Keys {
    pub(super) signing: Vec<(Timestamp, String, EncodingKey)>,
    pub(super) verifying: HashMap<String, DecodingKey>,
}

impl Keys {
    pub(super) fn of(keys: &[JwtKey]) -> Self {
        let mut signing: Vec<_> = keys
            .iter()
            .map(|key| {
                let signs = EncodingKey::from_secret(&key.secret);
                (key.created_at, key.kid.clone(), signs)
            })
            .collect();
        signing.sort_by(|a, b| (b.0, &b.1).cmp(&(a.0, &a.1)));
        Self {
            signing,
            verifying: keys
                .iter()
                .map(|key| (key.kid.clone(), DecodingKey::from_secret(&key.secret)))
                .collect(),
        }
    }

    /// The newest whose time has come: a new key is made with a time a little ahead, so that every
    /// node can verify by it before any signs.
    pub(super) fn signer(&self, now: Timestamp) -> Option<(&str, &EncodingKey)> {
        let active = self.signing.iter().find(|(from, ..)| *from <= now);
        let (_, kid, key) = active.or(self.signing.last())?;
        Some((kid, key))
    }
}

impl Jwts {
    /// Reads the keys anew: one was made or retired, here or by another process.
    pub async fn reload(&self) -> Result<()> {
        let mut conn = self.store.read().await?;
        let keys = Arc::new(Keys::of(&conn.system().jwt_keys().await?));
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    pub(super) fn keys(&self) -> Arc<Keys> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn may_reload(&self) -> bool {
        let now = self.clock.monotonic().as_millis();
        let last = self.reloaded_at.load(Ordering::Relaxed);
        now.saturating_sub(last) >= RELOAD_EVERY_MS
            && self
                .reloaded_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}
