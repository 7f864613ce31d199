//! Clients at the token endpoints: client token with client secret, in one query whatever they hold;
//! the tokens they get, ask about (RFC 7662) and revoke (RFC 7009).

use std::{net::IpAddr, sync::Arc};

use recado_model::{
    AccountId, CredentialId, Error, ErrorCode, Result, Timestamp, Token, TokenKind,
    credential::CredentialRef,
};

use super::{
    Access, IssuedToken,
    cache::KnownCredential,
    jwt::{Behind, Claims},
};
use crate::faults;

/// A client that has shown its token and its secret.
pub struct ProvenClient {
    token: CredentialRef,
    secret: CredentialRef,
    from: Option<IpAddr>,
}

impl ProvenClient {
    pub fn account(&self) -> &AccountId {
        &self.token.account
    }
}

/// The members that RFC 7662 has for a token that is active.
#[derive(Debug)]
pub struct Introspection {
    pub scope: String,
    /// Id of the client token that it came from. The client token itself is a secret.
    pub client_id: CredentialId,
    pub sub: String,
    pub aud: String,
    pub iss: String,
    pub jti: String,
    pub exp: i64,
    pub nbf: i64,
    pub iat: i64,
}

impl Access {
    /// Proves a client. One query whatever is shown, so that what is wrong of the two costs the same;
    /// what little is left of a difference, the endpoint covers.
    pub async fn client(
        &self,
        client_token: &str,
        client_secret: &str,
        from: Option<IpAddr>,
    ) -> Result<ProvenClient> {
        let mut conn = self.store.read().await?;
        let mut system = conn.system();
        let (token, secret) = system.client_pair(client_token, client_secret).await?;
        drop(conn);
        let refused = || {
            Error::new(
                ErrorCode::InvalidClient,
                "Unknown client_token or wrong client_secret. Both are managed under Security in the dashboard, and at /account/credentials.",
            )
        };
        let Some(token) = token else {
            return Err(refused());
        };
        let Some(secret) = secret.filter(|secret| secret.parent.as_ref() == Some(&token.id)) else {
            let reason = "wrong_secret";
            self.usage
                .refused(&token.account, Some(&token.id), reason, from);
            return Err(refused());
        };
        let secret = KnownCredential::new(secret);
        if !token.is_live(self.clock.now()) || !self.credentials.holds(&secret, from) {
            return Err(refused());
        }
        let secret = secret.credential;
        self.renew_hash(&secret, client_secret).await;
        Ok(ProvenClient {
            token,
            secret,
            from,
        })
    }

    /// A client secret is kept nowhere, so it comes under a new pepper when it is shown.
    async fn renew_hash(&self, secret: &CredentialRef, text: &str) {
        let now = self.clock.now();
        let Some(token) = Token::parse(TokenKind::ClientSecret, text) else {
            return;
        };
        if !self.store.needs_rehash(&secret.pepper, now) {
            return;
        }
        let renewed = async {
            let mut conn = self.store.write().await?;
            let mut account = conn.account(&secret.account);
            account.rehash(&secret.id, &token, now).await?;
            conn.commit().await
        };
        if let Err(error) = renewed.await {
            // The old pepper stays until it is renewed at another use.
            faults::warn(&error, "could not renew the hash of a client secret");
        }
    }

    /// `POST /token`: an owner JWT for a client.
    pub fn issue(&self, client: &ProvenClient) -> Result<IssuedToken> {
        self.jwts.issue(&client.secret)
    }

    /// `POST /introspect`: what a token says, if it is live and the client's account's.
    pub async fn introspect(
        &self,
        client: &ProvenClient,
        token: &str,
    ) -> Result<Option<Introspection>> {
        let Some((claims, known)) = self.own(client, token).await? else {
            return Ok(None);
        };
        let credential = &known.credential;
        if !credential.is_live(self.clock.now()) {
            return Ok(None);
        }
        Ok(Some(Introspection {
            scope: claims.scope.clone(),
            client_id: credential
                .parent
                .clone()
                .unwrap_or_else(|| credential.id.clone()),
            sub: claims.sub.clone(),
            aud: claims.aud.clone(),
            iss: claims.iss.clone(),
            jti: claims.jti.clone(),
            exp: claims.exp,
            nbf: claims.nbf,
            iat: claims.iat,
        }))
    }

    /// `POST /revoke`: the token is dead when this answers. One that is unknown or another's is left
    /// as it is, and the caller cannot tell. An opaque token is managed elsewhere: that is said.
    pub async fn revoke_token(&self, client: &ProvenClient, token: &str) -> Result<()> {
        let opaque = TokenKind::ALL
            .into_iter()
            .any(|kind| Token::parse(kind, token).is_some());
        if opaque {
            return Err(Error::new(
                ErrorCode::UnsupportedTokenType,
                "Only tokens from POST /token are revoked here; for the others use DELETE /account/credentials/{id}.",
            ));
        }
        let Some((claims, _)) = self.own(client, token).await? else {
            return Ok(());
        };
        let now = self.clock.now();
        let detail = serde_json::json!({
            "jti": claims.jti,
            "credential": claims.cid,
            "by": { "proof": "client", "credential": client.token.id },
            "from": client.from,
        });
        let mut conn = self.store.write().await?;
        let mut account = conn.account(client.account());
        let until = Timestamp::from_millis(claims.exp.saturating_mul(1000));
        account.revoke_jwt(&claims.jti, until).await?;
        account
            .audit("token.revoked", &detail.to_string(), now)
            .await?;
        self.commit(conn).await
    }

    /// The token, if it is one of the account's clients'; a client that is restricted to some instances
    /// knows only the tokens it got itself. A person's is no client's business.
    async fn own(
        &self,
        client: &ProvenClient,
        token: &str,
    ) -> Result<Option<(Arc<Claims>, Arc<KnownCredential>)>> {
        let jwt = self.jwts.find(&self.credentials, &self.sessions, token);
        let Some(jwt) = jwt.await? else {
            return Ok(None);
        };
        let Behind::Client(known) = &jwt.behind else {
            return Ok(None);
        };
        let from = &known.credential;
        let own = from.account == *client.account()
            && (client.token.scope.is_all() || from.parent.as_ref() == Some(&client.token.id));
        Ok(own.then(|| (jwt.claims.clone(), known.clone())))
    }
}
