//! Peppers: the keys of the look-up hashes of tokens.
//!
//! A token is found by HMAC-SHA-256 under a *pepper*, a random key that is sealed in the database:
//! who reads only the table can neither guess nor verify tokens. The newest pepper whose time has come
//! signs, all of them look up, so one can be replaced while its tokens go on working.

use hmac::{Hmac, KeyInit, Mac};
use recado_model::{CredentialKind, PepperId, Timestamp, Token};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::{Result, StoreError};

pub(crate) struct Pepper {
    pub id: PepperId,
    /// When it begins to sign.
    pub from: Timestamp,
    pub key: Zeroizing<Vec<u8>>,
}

impl Pepper {
    /// HMAC(pepper, kind || 0 || token): the kind keeps a token of one surface from matching a row
    /// of another.
    pub fn hash(&self, kind: CredentialKind, token: &Token) -> Result<[u8; 32]> {
        self.hash_text(kind, token.expose())
    }

    /// The same for a text that need not be a token.
    pub fn hash_text(&self, kind: CredentialKind, text: &str) -> Result<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key)
            .map_err(|_| StoreError::Sealed("pepper.sealed".into()))?;
        mac.update(kind.as_str().as_bytes());
        mac.update(&[0]);
        mac.update(text.as_bytes());
        Ok(mac.finalize().into_bytes().into())
    }
}

/// The one that signs: the newest whose time has come. None has when the clock was set back, and then
/// the oldest signs, which every process knows.
pub(crate) fn signing(peppers: &[Pepper], now: Timestamp) -> Option<&Pepper> {
    let come = peppers.iter().find(|pepper| pepper.from <= now);
    come.or(peppers.last())
}
