//! Issuing tokens: to whoever proved a credential, and to the person of a session.

use jsonwebtoken::{Algorithm, Header};
use recado_model::{
    Error, Result, Secret, Timestamp, credential::CredentialRef, id::random_base32,
};

use super::{
    super::{IssuedToken, person::Session},
    AUDIENCE, Jwts, TYP,
    claims::{Claims, SCOPE, scope_of},
};

/// A person's live no longer than this, whatever is configured for those of clients: a browser gets
/// them.
const PERSON_TTL_SECS: i64 = 3600;

impl Jwts {
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

    pub(super) fn person_ttl_secs(&self) -> i64 {
        self.ttl_secs.min(PERSON_TTL_SECS)
    }

    /// The claims of every token; its subject comes on top.
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
}
