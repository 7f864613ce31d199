//! Owner JWTs: HS256 under a 256-bit key per `kid`, `typ: at+jwt`.
//!
//! The library checks the signature; everything else is checked here, strictly and against our own
//! clock: header members, claim types, issuer, audience, lifetime. A token lives no longer than the
//! credential it came from.
//!
//! - [`issue`]: making a token. [`verify`]: its text. [`behind`]: what it came from, and revocation.
//! - [`keys`]: what signs and verifies. [`claims`]: what a token says.

mod behind;
mod claims;
mod issue;
mod keys;
mod verify;

use std::sync::{Arc, RwLock, atomic::AtomicI64};

use jsonwebtoken::{Algorithm, Validation};
use quick_cache::sync::Cache;
use recado_model::{Clock, CredentialId, Error, Result, Rng};
use recado_store::Store;

use self::{behind::JwtSource, keys::Keys};
use super::cache::Digest32;
use crate::Config;

pub use behind::{Behind, KnownJwt};
pub use claims::Claims;

const TYP: &str = "at+jwt";
const AUDIENCE: &str = "recado:instance-api";
/// Tokens that are remembered.
const TOKENS: usize = 20_000;

pub struct Jwts {
    store: Store,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    issuer: String,
    ttl_secs: i64,
    keys: RwLock<Arc<Keys>>,
    reloaded_at: AtomicI64,
    validation: Validation,
    /// Tokens whose signature and form held. Times and the credential are checked again on each use,
    /// so an entry never makes a dead token live.
    verified: Cache<Digest32, Arc<Claims>>,
    /// The credential behind a token, unless the token itself was revoked; by digest and the change
    /// counter, as in [`super::cache::CredentialCache`].
    known: Cache<(Digest32, u64), Option<Arc<KnownJwt>>>,
    /// The credentials that tokens name, so that the first use of a token needs no look-up either.
    sources: Cache<(CredentialId, u64), Option<Arc<JwtSource>>>,
}

impl Jwts {
    pub async fn load(
        store: &Store,
        clock: &Arc<dyn Clock>,
        rng: &Arc<dyn Rng>,
        config: &Config,
    ) -> Result<Self> {
        let mut conn = store.write().await?;
        conn.system().ensure_jwt_key(clock.now()).await?;
        conn.commit().await?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        // Times are checked against our own clock, by the claims.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_issuer(&[&config.public_url]);
        validation.set_audience(&[AUDIENCE]);
        let jwts = Self {
            store: store.clone(),
            clock: clock.clone(),
            rng: rng.clone(),
            issuer: config.public_url.clone(),
            ttl_secs: config.jwt_ttl_secs,
            keys: RwLock::new(Arc::new(Keys::of(&[]))),
            reloaded_at: AtomicI64::new(i64::MIN),
            validation,
            verified: Cache::new(TOKENS),
            known: Cache::new(TOKENS),
            sources: Cache::new(TOKENS),
        };
        jwts.reload().await?;
        if jwts.keys().signing.is_empty() {
            return Err(Error::internal("no JWT key although one was just made"));
        }
        Ok(jwts)
    }
}
