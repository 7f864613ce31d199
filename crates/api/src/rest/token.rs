//! `POST /token`: client token and secret for an owner JWT of an hour; `POST /introspect` (RFC 7662)
//! and `POST /revoke` (RFC 7009) for the same clients.

use http::StatusCode;
use recado_api_macros::operation;
use recado_identity::{Introspection, IssuedToken};
use recado_model::CredentialId;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    auth::{ClientCredentials, TokenRequest},
    describe::{Answer, Exposed},
    error::Fail,
};

/// An owner JWT.
#[derive(Serialize, JsonSchema)]
pub struct TokenBody {
    access_token: Exposed,
    /// RFC 6749, 5.1; the contract's clients ignore it.
    #[schemars(extend("const" = "Bearer"))]
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

impl From<IssuedToken> for TokenBody {
    fn from(issued: IssuedToken) -> Self {
        Self {
            access_token: Exposed(issued.access_token),
            token_type: "Bearer",
            expires_in: issued.expires_in,
        }
    }
}

/// Exchanges client token and client secret for an owner JWT.
///
/// It holds for an hour. The credentials come in the body, as JSON or as a form, or by HTTP Basic.
#[operation]
pub async fn issue(TokenRequest(caller): TokenRequest) -> Result<Answer<TokenBody>, Fail> {
    let ClientCredentials {
        client,
        fields,
        app,
    } = caller;
    fields.check_grant()?;
    let issued = app.access().issue(&client)?;
    Ok(Answer(issued.into()))
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Introspected {
    /// What is asked about is dead, unknown or another account's: no more is said (RFC 7662, 2.2).
    Inactive {
        #[schemars(extend("const" = false))]
        active: bool,
    },
    Active {
        #[schemars(extend("const" = true))]
        active: bool,
        scope: String,
        #[schemars(with = "String")]
        client_id: CredentialId,
        #[schemars(extend("const" = "Bearer"))]
        token_type: &'static str,
        exp: i64,
        iat: i64,
        nbf: i64,
        sub: String,
        aud: String,
        iss: String,
        jti: String,
    },
}

impl From<Option<Introspection>> for Introspected {
    fn from(found: Option<Introspection>) -> Self {
        match found {
            None => Self::Inactive { active: false },
            Some(found) => Self::Active {
                active: true,
                scope: found.scope,
                client_id: found.client_id,
                token_type: "Bearer",
                exp: found.exp,
                iat: found.iat,
                nbf: found.nbf,
                sub: found.sub,
                aud: found.aud,
                iss: found.iss,
                jti: found.jti,
            },
        }
    }
}

/// Tells whether a JWT of the account still holds, and what it says.
///
/// RFC 7662. What is dead, unknown or another account's is only `active: false`.
#[operation]
pub async fn introspect(caller: ClientCredentials) -> Result<Answer<Introspected>, Fail> {
    let ClientCredentials {
        client,
        fields,
        app,
    } = caller;
    let token = fields.token()?;
    let found = app.access().introspect(&client, token.expose()).await?;
    Ok(Answer(found.into()))
}

/// Ends an owner JWT of the account.
///
/// RFC 7009: 200 with nothing, whether there was something to revoke or not. Other tokens are ended at
/// /account/credentials.
#[operation]
pub async fn revoke(caller: ClientCredentials) -> Result<StatusCode, Fail> {
    let ClientCredentials {
        client,
        fields,
        app,
    } = caller;
    let token = fields.token()?;
    app.access().revoke_token(&client, token.expose()).await?;
    Ok(StatusCode::OK)
}
