//! Verifying the text of a token: its form, its signature, and how long it may live.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use recado_model::Result;
use serde::Deserialize;

use super::{
    super::cache::{Digest32, not_now},
    Jwts, TYP,
    claims::{Claims, Subject},
    keys::Keys,
};

/// A text that has the form of a token of ours; its signature is not looked at yet.
pub(super) struct Shape<'a> {
    text: &'a str,
    kid: String,
}

impl<'a> Shape<'a> {
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let alphabet = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if !text.bytes().all(alphabet) {
            return None;
        }
        let (head, rest) = text.split_once('.')?;
        if rest.split('.').count() != 2 {
            return None;
        }
        // The library ignores `crit`, other `typ`s and members it does not know; we do not.
        let header: StrictHeader =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
        (header.alg == "HS256" && header.typ == TYP).then_some(Self {
            text,
            kid: header.kid,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

impl Jwts {
    /// Signature and form.
    pub(super) async fn verify(
        &self,
        token: &Shape<'_>,
        digest: Digest32,
    ) -> Result<Option<Arc<Claims>>> {
        if let Some(claims) = self.verified.get(&digest) {
            return Ok(Some(claims));
        }
        let mut keys = self.keys();
        if !keys.verifying.contains_key(&token.kid) {
            if self.may_reload() {
                self.reload().await?;
                keys = self.keys();
            }
            if !self.store.keys_are_current() {
                return Err(not_now());
            }
        }
        let Some(claims) = self.decode(token, &keys) else {
            return Ok(None);
        };
        let claims = Arc::new(claims);
        self.verified.insert(digest, claims.clone());
        Ok(Some(claims))
    }

    fn decode(&self, token: &Shape<'_>, keys: &Keys) -> Option<Claims> {
        let key = keys.verifying.get(&token.kid)?;
        let claims = jsonwebtoken::decode::<Claims>(token.text, key, &self.validation)
            .ok()?
            .claims;
        let longest = match claims.subject()? {
            Subject::Client { .. } => self.ttl_secs,
            Subject::Person { .. } => self.person_ttl_secs(),
        };
        let lifetime = claims.exp.checked_sub(claims.iat)?;
        ((1..=longest).contains(&lifetime) && claims.nbf >= claims.iat).then_some(claims)
    }
}
