//! Owner JWTs: HS256 under a 256-bit key per `kid`, `typ: at+jwt`.
//!
//! The library checks the signature; everything else is checked here, strictly and against our own
//! clock: header members, claim types, issuer, audience, lifetime. A token lives no longer than the
//! credential it came from.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use quick_cache::sync::Cache;
use recado_model::{
    AccountId, Caller, Clock, CredentialId, Error, Proof, Result, Rng, Role, Scope, Secret,
    Timestamp, UserSessionId, credential::CredentialRef, id::random_base32,
};
use recado_store::{JwtKey, Store};
use serde::{Deserialize, Serialize};

use super::{
    IssuedToken,
    cache::{Credentials, Digest32, Known, digest, not_now},
    person::{Session, Sessions},
};
use crate::Config;

const TYP: &str = "at+jwt";
const AUDIENCE: &str = "recado:instance-api";
/// What a client's token may do: all of the instance API.
const SCOPE: &str = "instance-api";
const MAX_LEN: usize = 4096;
/// A person's live no longer than this, whatever is configured for those of clients: a browser gets
/// them.
const PERSON_TTL_SECS: i64 = 3600;
/// Tokens from the future by less than this are ours, from a node whose clock is a little ahead.
const SKEW_SECS: i64 = 5;

/// Tokens that are remembered.
const TOKENS: usize = 20_000;
/// A `kid` nobody knows makes the keys be read again, at most this often: another node may just have
/// made one, and junk must not become a query each.
const RELOAD_EVERY_MS: i64 = 1_000;

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
    /// counter, as in [`Credentials`].
    standing: Cache<(Digest32, u64), Option<Arc<Standing>>>,
    /// The credentials that tokens name, so that the first use of a token needs no look-up either.
    sources: Cache<(CredentialId, u64), Option<Arc<Source>>>,
}

/// A credential that tokens come from.
struct Source {
    known: Arc<Known>,
    /// Whether its account has revoked single tokens: only then is each of them looked up.
    revocations: bool,
}

/// The keys in use. The newest that is active signs; all verify.
struct Keys {
    signing: Vec<(Timestamp, String, EncodingKey)>,
    verifying: HashMap<String, DecodingKey>,
}

/// A token with what it came from.
pub struct Standing {
    pub claims: Arc<Claims>,
    pub behind: Behind,
}

/// What a token came from, and dies with.
pub enum Behind {
    Client(Arc<Known>),
    Person(Arc<Session>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// `account:` + id, or `user:` + id: neither can be taken for the other.
    pub sub: String,
    pub exp: i64,
    pub nbf: i64,
    pub iat: i64,
    pub jti: String,
    pub scope: String,
    /// Of a client's token: the credential it came from, and its version then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<CredentialId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cv: Option<i64>,
    /// Of a person's: the session it came from, the account it acts in, the person's generation then,
    /// and how often the session had moved to another account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<UserSessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acc: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ug: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sw: Option<i64>,
    /// The account's generation then.
    generation: i64,
}

/// The two shapes of claims; a mixture is neither.
enum From<'a> {
    Client {
        account: &'a str,
        credential: &'a CredentialId,
        version: i64,
    },
    Person {
        user: &'a str,
        session: &'a UserSessionId,
        account: &'a AccountId,
        generation: i64,
        switches: i64,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

impl Keys {
    fn of(keys: &[JwtKey]) -> Self {
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
    fn signer(&self, now: Timestamp) -> Option<(&str, &EncodingKey)> {
        let active = self.signing.iter().find(|(from, ..)| *from <= now);
        let (_, kid, key) = active.or(self.signing.last())?;
        Some((kid, key))
    }
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
        // Against our own clock, below.
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
            standing: Cache::new(TOKENS),
            sources: Cache::new(TOKENS),
        };
        jwts.reload().await?;
        if jwts.keys().signing.is_empty() {
            return Err(Error::internal("no JWT key although one was just made"));
        }
        Ok(jwts)
    }

    /// Reads the keys anew: one was made or retired, here or by another process.
    pub async fn reload(&self) -> Result<()> {
        let mut conn = self.store.read().await?;
        let keys = Arc::new(Keys::of(&conn.system().jwt_keys().await?));
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    fn keys(&self) -> Arc<Keys> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A token for whoever proved `credential`.
    pub fn issue(&self, credential: &CredentialRef) -> Result<IssuedToken> {
        self.sign(Claims {
            cid: Some(credential.id.clone()),
            cv: Some(credential.version),
            ..self.claims(
                format!("account:{}", credential.account),
                SCOPE.into(),
                credential.generation,
                self.ttl_secs,
            )
        })
    }

    /// A token for the person of a session, in that session's account.
    pub fn issue_to(&self, session: &Session) -> Result<IssuedToken> {
        let record = &session.record;
        self.sign(Claims {
            sid: Some(record.id.clone()),
            acc: Some(record.account.clone()),
            ug: Some(record.user_generation),
            sw: Some(record.switches),
            ..self.claims(
                format!("user:{}", record.user),
                scope_of(record.role),
                record.account_generation,
                self.person_ttl_secs(),
            )
        })
    }

    fn person_ttl_secs(&self) -> i64 {
        self.ttl_secs.min(PERSON_TTL_SECS)
    }

    /// What every token says; who it is for comes on top.
    fn claims(&self, sub: String, scope: String, generation: i64, ttl_secs: i64) -> Claims {
        let now = self.clock.now().as_secs();
        Claims {
            iss: self.issuer.clone(),
            aud: AUDIENCE.into(),
            sub,
            exp: now + ttl_secs,
            nbf: now,
            iat: now,
            jti: random_base32(&*self.rng),
            scope,
            cid: None,
            cv: None,
            sid: None,
            acc: None,
            ug: None,
            sw: None,
            generation,
        }
    }

    fn sign(&self, claims: Claims) -> Result<IssuedToken> {
        let keys = self.keys();
        let (kid, key) = keys
            .signer(Timestamp::from_millis(claims.iat.saturating_mul(1000)))
            .ok_or_else(|| Error::internal("no JWT key"))?;
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYP.into());
        header.kid = Some(kid.to_owned());
        let text = jsonwebtoken::encode(&header, &claims, key).map_err(Error::internal)?;
        Ok(IssuedToken {
            access_token: Secret::new(text),
            expires_in: claims.exp - claims.iat,
        })
    }

    /// Who a token proves; 401 for whatever is wrong with it.
    pub async fn caller(
        &self,
        credentials: &Credentials,
        sessions: &Sessions,
        text: &str,
        from: Option<IpAddr>,
    ) -> Result<(Caller, Arc<Standing>)> {
        let standing = self.standing(credentials, sessions, text).await?;
        let standing = standing.ok_or_else(Error::unauthorized)?;
        let caller = match &standing.behind {
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
        Ok((caller, standing))
    }

    /// The token with what it came from, when signature, form, times, version and generations hold and
    /// it was not revoked. Whether that lives is the caller's next look.
    pub async fn standing(
        &self,
        credentials: &Credentials,
        sessions: &Sessions,
        text: &str,
    ) -> Result<Option<Arc<Standing>>> {
        if text.len() > MAX_LEN {
            return Ok(None);
        }
        let digest = digest(text);
        let key = (digest, credentials.seen());
        let known = match self.standing.get(&key) {
            Some(known) => known,
            None => {
                let Some(token) = Shape::of(text) else {
                    return Ok(None);
                };
                let Some(claims) = self.verify(&token, digest).await? else {
                    return Ok(None);
                };
                let load = self.behind(sessions, &claims, key.1);
                self.standing.get_or_insert_async(&key, load).await?
            }
        };
        let now = self.clock.now();
        Ok(known.filter(|standing| standing.claims.holds_at(now)))
    }

    /// What stands behind a token whose signature held.
    async fn behind(
        &self,
        sessions: &Sessions,
        claims: &Arc<Claims>,
        seen: u64,
    ) -> Result<Option<Arc<Standing>>> {
        let (behind, revocations) = match claims.from() {
            Some(From::Client {
                account,
                credential,
                version,
            }) => {
                let Some(source) = self.source(credential, seen).await? else {
                    return Ok(None);
                };
                let credential = &source.known.credential;
                let same = account == credential.account.as_str()
                    && version == credential.version
                    && claims.generation == credential.generation
                    && claims.scope == SCOPE;
                if !same {
                    return Ok(None);
                }
                (Behind::Client(source.known.clone()), source.revocations)
            }
            Some(From::Person {
                user,
                session,
                account,
                generation,
                switches,
            }) => {
                let Some(session) = sessions.by_id(session, seen).await? else {
                    return Ok(None);
                };
                let record = &session.record;
                // One who has moved on to another account has left this token behind, also when they
                // are back.
                let same = user == record.user.as_str()
                    && *account == record.account
                    && switches == record.switches
                    && generation == record.user_generation
                    && claims.generation == record.account_generation
                    && is_scope(&claims.scope);
                if !same {
                    return Ok(None);
                }
                // Signing out ends these; no list is kept of single ones.
                (Behind::Person(session), false)
            }
            None => return Ok(None),
        };
        if revocations {
            let mut conn = self.store.read().await?;
            if conn.system().is_jwt_revoked(&claims.jti).await? {
                return Ok(None);
            }
        }
        Ok(Some(Arc::new(Standing {
            claims: claims.clone(),
            behind,
        })))
    }

    async fn source(&self, credential: &CredentialId, seen: u64) -> Result<Option<Arc<Source>>> {
        let key = (credential.clone(), seen);
        let load = async {
            let mut conn = self.store.read().await?;
            let found = conn.system().credential_of_jwts(credential).await?;
            Ok::<_, Error>(found.map(|(credential, revocations)| {
                Arc::new(Source {
                    known: Arc::new(Known::new(credential)),
                    revocations,
                })
            }))
        };
        self.sources.get_or_insert_async(&key, load).await
    }

    /// Signature and form.
    async fn verify(&self, token: &Shape<'_>, digest: Digest32) -> Result<Option<Arc<Claims>>> {
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

    fn may_reload(&self) -> bool {
        let now = self.clock.monotonic().as_millis();
        let last = self.reloaded_at.load(Ordering::Relaxed);
        now.saturating_sub(last) >= RELOAD_EVERY_MS
            && self
                .reloaded_at
                .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    fn decode(&self, token: &Shape<'_>, keys: &Keys) -> Option<Claims> {
        let key = keys.verifying.get(&token.kid)?;
        let claims = jsonwebtoken::decode::<Claims>(token.text, key, &self.validation)
            .ok()?
            .claims;
        let longest = match claims.from()? {
            From::Client { .. } => self.ttl_secs,
            From::Person { .. } => self.person_ttl_secs(),
        };
        let lifetime = claims.exp.checked_sub(claims.iat)?;
        ((1..=longest).contains(&lifetime) && claims.nbf >= claims.iat).then_some(claims)
    }
}

/// A text that has the form of a token of ours; its signature is not looked at yet.
struct Shape<'a> {
    text: &'a str,
    kid: String,
}

impl<'a> Shape<'a> {
    fn of(text: &'a str) -> Option<Self> {
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

impl Claims {
    fn holds_at(&self, now: Timestamp) -> bool {
        let now = now.as_secs();
        self.nbf <= now + SKEW_SECS && self.iat <= now + SKEW_SECS && now < self.exp
    }

    /// Where they come from; `None` for what we never sign.
    fn from(&self) -> Option<From<'_>> {
        match self {
            Self {
                cid: Some(credential),
                cv: Some(version),
                sid: None,
                acc: None,
                ug: None,
                sw: None,
                ..
            } => Some(From::Client {
                account: self.sub.strip_prefix("account:")?,
                credential,
                version: *version,
            }),
            Self {
                cid: None,
                cv: None,
                sid: Some(session),
                acc: Some(account),
                ug: Some(generation),
                sw: Some(switches),
                ..
            } => Some(From::Person {
                user: self.sub.strip_prefix("user:")?,
                session,
                account,
                generation: *generation,
                switches: *switches,
            }),
            _ => None,
        }
    }
}

/// What a person's token may do is what the role allows; the role is read anew at each use.
fn scope_of(role: Role) -> String {
    format!("role:{}", role.as_str())
}

fn is_scope(text: &str) -> bool {
    text.strip_prefix("role:").and_then(Role::parse).is_some()
}
