//! Owner JWTs: HS256 under a 256-bit key per `kid`, `typ: at+jwt`.
//!
//! The library checks the signature; everything else is checked here, strictly and against our own
//! clock: header members, claim types, issuer, audience, lifetime. A token lives no longer than the
//! credential it came from.
//!
//! Here is what the use of a known token passes; all else is asked once a token.
//!
//! - [`issue`]: making a token. [`verify`]: its text. [`behind`]: what it came from, and revocation.
//! - [`keys`]: what signs and verifies. [`claims`]: what a token says.

mod behind;
mod claims;
mod issue;
mod keys;
mod verify;

use std::{
    net::IpAddr,
    sync::{Arc, RwLock, atomic::AtomicI64},
};

use jsonwebtoken::{Algorithm, Validation};
use quick_cache::sync::Cache;
use recado_model::{Caller, Clock, CredentialId, Error, Proof, Result, Rng, Scope, Timestamp};
use recado_store::Store;

use self::{behind::JwtSource, keys::Keys, verify::Shape};
use super::{
    cache::{CredentialCache, Digest32, KnownCredential, digest},
    person::{Session, SessionCache},
};
use crate::Config;

pub use claims::Claims;

const TYP: &str = "at+jwt";
const AUDIENCE: &str = "recado:instance-api";
/// Tokens that are remembered.
const TOKENS: usize = 20_000;
const MAX_LEN: usize = 4096;
/// Tokens from the future by less than this are ours, from a node whose clock is a little ahead.
const SKEW_SECS: i64 = 5;

/// A token with what it came from.
pub struct KnownJwt {
    pub claims: Arc<Claims>,
    pub behind: Behind,
}

/// The origin of a token: it dies with that.
pub enum Behind {
    Client(Arc<KnownCredential>),
    Person(Arc<Session>),
}

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

    /// The caller that a token proves; 401 for whatever is wrong with it.
    pub async fn caller(
        &self,
        credentials: &CredentialCache,
        sessions: &SessionCache,
        text: &str,
        from: Option<IpAddr>,
    ) -> Result<(Caller, Arc<KnownJwt>)> {
        let jwt = self.find(credentials, sessions, text).await?;
        let jwt = jwt.ok_or_else(Error::unauthorized)?;
        let caller = match &jwt.behind {
            Behind::Client(known) => {
                if !credentials.holds(known, from) {
                    return Err(Error::unauthorized());
                }
                let credential = &known.credential;
                Caller {
                    account: credential.account.clone(),
                    proof: Proof::ClientJwt {
                        client: credential.id.clone(),
                    },
                    scope: credential.scope.clone(),
                    from,
                }
            }
            Behind::Person(session) => {
                if !sessions.is_open(session) {
                    return Err(Error::unauthorized());
                }
                let record = &session.record;
                Caller {
                    account: record.account.clone(),
                    // The role as it is now, whatever it was when the token was made.
                    proof: Proof::UserJwt {
                        user: record.user.clone(),
                        session: record.id.clone(),
                        role: record.role,
                    },
                    scope: Scope::All,
                    from,
                }
            }
        };
        Ok((caller, jwt))
    }

    /// The token with what it came from, when signature, form, times, version and generations hold and
    /// it was not revoked. Whether that lives is the caller's next look.
    pub async fn find(
        &self,
        credentials: &CredentialCache,
        sessions: &SessionCache,
        text: &str,
    ) -> Result<Option<Arc<KnownJwt>>> {
        if text.len() > MAX_LEN {
            return Ok(None);
        }
        let digest = digest(text);
        let key = (digest, credentials.seen());
        let known = match self.known.get(&key) {
            Some(known) => known,
            None => {
                let Some(token) = Shape::of(text) else {
                    return Ok(None);
                };
                let Some(claims) = self.verify(&token, digest).await? else {
                    return Ok(None);
                };
                let load = self.behind(sessions, &claims, key.1);
                self.known.get_or_insert_async(&key, load).await?
            }
        };
        let now = self.clock.now();
        Ok(known.filter(|jwt| jwt.claims.holds_at(now)))
    }
}

impl Claims {
    fn holds_at(&self, now: Timestamp) -> bool {
        let now = now.as_secs();
        self.nbf <= now + SKEW_SECS && self.iat <= now + SKEW_SECS && now < self.exp
    }
}
