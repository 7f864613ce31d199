//! The origin of a token that is new here: its credential or session as they are now, and whether it
//! was revoked itself.

use std::sync::Arc;

use recado_model::{CredentialId, Error, Result};

use super::{
    super::{cache::KnownCredential, person::SessionCache},
    Behind, Jwts, KnownJwt,
    claims::{Claims, SCOPE, Subject, is_scope},
};

/// A credential that tokens come from.
pub(super) struct JwtSource {
    known: Arc<KnownCredential>,
    /// Whether its account has revoked single tokens: only then is each of them looked up.
    revocations: bool,
}

impl Jwts {
    /// The origin of a token whose signature held.
    pub(super) async fn behind(
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
