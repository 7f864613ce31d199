//! `POST /token`: client token and secret for an owner JWT of an hour; `POST /introspect` (RFC 7662)
//! and `POST /revoke` (RFC 7009) for the same clients.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::{auth::ClientCredentials, error::Fail};

use super::bare;

#[derive(Serialize)]
struct Issued<'a> {
    access_token: &'a str,
    /// RFC 6749, 5.1; the contract's clients ignore it.
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

pub async fn issue(caller: ClientCredentials) -> Result<Response, Fail> {
    let ClientCredentials {
        client,
        fields,
        shared,
    } = caller;
    fields.check_grant()?;
    let issued = shared.app.access().issue(&client)?;
    Ok(bare(&Issued {
        access_token: issued.access_token.expose(),
        token_type: "Bearer",
        expires_in: issued.expires_in,
    }))
}

/// What is asked about is dead, unknown or another account's: no more is said (RFC 7662, 2.2).
#[derive(Serialize)]
struct Inactive {
    active: bool,
}

#[derive(Serialize)]
struct Active<'a> {
    active: bool,
    scope: &'a str,
    client_id: &'a str,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    nbf: i64,
    sub: &'a str,
    aud: &'a str,
    iss: &'a str,
    jti: &'a str,
}

pub async fn introspect(caller: ClientCredentials) -> Result<Response, Fail> {
    let ClientCredentials {
        client,
        fields,
        shared,
    } = caller;
    let token = fields.token()?;
    let found = shared
        .app
        .access()
        .introspect(&client, token.expose())
        .await?;
    Ok(match &found {
        None => bare(&Inactive { active: false }),
        Some(found) => bare(&Active {
            active: true,
            scope: &found.scope,
            client_id: found.client_id.as_str(),
            token_type: "Bearer",
            exp: found.exp,
            iat: found.iat,
            nbf: found.nbf,
            sub: &found.sub,
            aud: &found.aud,
            iss: &found.iss,
            jti: &found.jti,
        }),
    })
}

/// 200 with nothing, whether there was something to revoke or not (RFC 7009, 2.2).
pub async fn revoke(caller: ClientCredentials) -> Result<Response, Fail> {
    let ClientCredentials {
        client,
        fields,
        shared,
    } = caller;
    let token = fields.token()?;
    shared
        .app
        .access()
        .revoke_token(&client, token.expose())
        .await?;
    Ok(StatusCode::OK.into_response())
}
