//! What a token came from and dies with: its credential or session as they are now, and whether it was
//! revoked itself.

use std::{net::IpAddr, sync::Arc};

use recado_model::{Caller, CredentialId, Error, Proof, Result, Scope};

use super::{
    super::{
        cache::{CredentialCache, KnownCredential, digest},
        person::{Session, SessionCache},
    },
    Jwts,
    claims::{Claims, SCOPE, Subject, is_scope},
    verify::Shape,
};

const MAX_LEN: usize = 4096;

/// A token with what it came from.
pub struct KnownJwt {
    pub claims: Arc<Claims>,
    pub behind: Behind,
}

/// What a token came from, and dies with.
pub enum Behind {
    Client(Arc<KnownCredential>),
    Person(Arc<Session>),
}

/// A credential that tokens come from.
pub(super) struct JwtSource {
    known: Arc<KnownCredential>,
    /// Whether its account has revoked single tokens: only then is each of them looked up.
    revocations: bool,
}

impl Jwts {
    /// Who a token proves; 401 for whatever is wrong with it.
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

    /// What stands behind a token whose signature held.
    async fn behind(
        &self,
        sessions: &SessionCache,
        claims: &Arc<Claims>,
        seen: u64,
    ) -> Result<Option<Arc<KnownJwt>>> {
        let (behind, revocations) = match claims.subject() {
            Some(Subject::Client {
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
            Some(Subject::Person {
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
        Ok(Some(Arc::new(KnownJwt {
            claims: claims.clone(),
            behind,
        })))
    }

    async fn source(&self, credential: &CredentialId, seen: u64) -> Result<Option<Arc<JwtSource>>> {
        let key = (credential.clone(), seen);
        let load = async {
            let mut conn = self.store.read().await?;
            let found = conn.system().credential_of_jwts(credential).await?;
            Ok::<_, Error>(found.map(|(credential, revocations)| {
                Arc::new(JwtSource {
                    known: Arc::new(KnownCredential::new(credential)),
                    revocations,
                })
            }))
        };
        self.sources.get_or_insert_async(&key, load).await
    }
}
