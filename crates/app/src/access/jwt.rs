//! Owner JWTs: HS256 under a 256-bit key per `kid`, `typ: at+jwt`.
//!
//! The library checks the signature; everything else is checked here, strictly and against our own
//! clock: header members, claim types, issuer, audience, lifetime. A token lives no longer than the
//! credential it came from.

use std::{collections::HashMap, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use recado_model::{
    AccountId, Caller, Clock, CredentialId, Error, Proof, Result, Rng, Secret, Timestamp,
    credential::CredentialRef, id::random_base32,
};
use recado_store::Store;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::IssuedToken;
use crate::Config;

const TYP: &str = "at+jwt";
const AUDIENCE: &str = "recado:instance-api";
/// What a client's token may do: all of the instance API.
const SCOPE: &str = "instance-api";
const MAX_LEN: usize = 4096;
/// Tokens from the future by less than this are ours, from a node whose clock is a little ahead.
const SKEW_SECS: i64 = 5;

pub struct Jwts {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    issuer: String,
    ttl_secs: i64,
    signing: (String, EncodingKey),
    verifying: HashMap<String, DecodingKey>,
    validation: Validation,
    /// Tokens whose signature and form held, by digest. Times and the credential are checked again on
    /// each use, so an entry never makes a dead token live.
    verified: Cache<[u8; 32], Arc<Claims>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    iss: String,
    aud: String,
    /// `account:` + id. Never in the form of a user's subject.
    sub: String,
    exp: i64,
    nbf: i64,
    iat: i64,
    jti: String,
    scope: String,
    /// The credential it came from, its version then, and the account's generation then.
    pub cid: CredentialId,
    cv: i64,
    generation: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

impl Jwts {
    pub async fn load(
        store: &Store,
        clock: &Arc<dyn Clock>,
        rng: &Arc<dyn Rng>,
        config: &Config,
    ) -> Result<Self> {
        let mut keys = store.read().await?.system().jwt_keys().await?;
        if keys.is_empty() {
            let mut conn = store.write().await?;
            // Another process may have been first; the write lock decides.
            keys = conn.system().jwt_keys().await?;
            if keys.is_empty() {
                conn.system()
                    .insert_jwt_key(&random_base32(&**rng), clock.now())
                    .await?;
                keys = conn.system().jwt_keys().await?;
            }
            conn.commit().await?;
        }
        let newest = keys
            .iter()
            .max_by_key(|key| key.created_at)
            .ok_or_else(|| Error::internal("no JWT key although one was just made"))?;
        let signing = (newest.kid.clone(), EncodingKey::from_secret(&newest.secret));
        let verifying = keys
            .iter()
            .map(|key| (key.kid.clone(), DecodingKey::from_secret(&key.secret)))
            .collect();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        // Against our own clock, below.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_issuer(&[&config.public_url]);
        validation.set_audience(&[AUDIENCE]);
        Ok(Self {
            clock: clock.clone(),
            rng: rng.clone(),
            issuer: config.public_url.clone(),
            ttl_secs: config.jwt_ttl_secs,
            signing,
            verifying,
            validation,
            verified: Cache::new(20_000),
        })
    }

    /// A token for whoever proved `credential`.
    pub fn issue(&self, credential: &CredentialRef) -> Result<IssuedToken> {
        let now = self.clock.now().as_secs();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.into(),
            sub: format!("account:{}", credential.account),
            exp: now + self.ttl_secs,
            nbf: now,
            iat: now,
            jti: random_base32(&*self.rng),
            scope: SCOPE.into(),
            cid: credential.id.clone(),
            cv: credential.version,
            generation: credential.generation,
        };
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYP.into());
        header.kid = Some(self.signing.0.clone());
        let text =
            jsonwebtoken::encode(&header, &claims, &self.signing.1).map_err(Error::internal)?;
        Ok(IssuedToken {
            access_token: Secret::new(text),
            expires_in: self.ttl_secs,
        })
    }

    /// Signature, form and times. Whether the credential behind it lives is the caller's next look.
    pub fn verify(&self, text: &str) -> Result<Arc<Claims>> {
        if text.len() > MAX_LEN
            || !text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        {
            return Err(Error::unauthorized());
        }
        let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        let claims = match self.verified.get(&digest) {
            Some(known) => known,
            None => {
                let claims = Arc::new(self.decode(text).ok_or_else(Error::unauthorized)?);
                self.verified.insert(digest, claims.clone());
                claims
            }
        };
        let now = self.clock.now();
        (claims.holds_at(now))
            .then_some(claims)
            .ok_or_else(Error::unauthorized)
    }

    /// The caller behind the claims, given the credential they came from as it is now.
    pub fn caller(&self, claims: &Claims, credential: &CredentialRef) -> Result<Caller> {
        let account = claims
            .sub
            .strip_prefix("account:")
            .map(AccountId::from_text);
        let holds = account.as_ref() == Some(&credential.account)
            && claims.cv == credential.version
            && claims.generation == credential.generation
            && claims.scope == SCOPE;
        if !holds {
            return Err(Error::unauthorized());
        }
        Ok(Caller {
            account: credential.account.clone(),
            proof: Proof::ClientJwt {
                client: credential.id.clone(),
            },
        })
    }

    fn decode(&self, text: &str) -> Option<Claims> {
        let (head, rest) = text.split_once('.')?;
        if rest.split('.').count() != 2 {
            return None;
        }
        // The library ignores `crit`, other `typ`s and members it does not know; we do not.
        let header: StrictHeader =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
        if header.alg != "HS256" || header.typ != TYP {
            return None;
        }
        let key = self.verifying.get(&header.kid)?;
        let claims = jsonwebtoken::decode::<Claims>(text, key, &self.validation)
            .ok()?
            .claims;
        let lifetime = claims.exp.checked_sub(claims.iat)?;
        ((1..=self.ttl_secs).contains(&lifetime) && claims.nbf >= claims.iat).then_some(claims)
    }
}

impl Claims {
    fn holds_at(&self, now: Timestamp) -> bool {
        let now = now.as_secs();
        self.nbf <= now + SKEW_SECS && self.iat <= now + SKEW_SECS && now < self.exp
    }
}
