//! `POST /token`: client token and secret for an owner JWT of an hour.

use axum::response::Response;
use serde::Serialize;

use crate::auth::ClientCredentials;

use super::bare;

#[derive(Serialize)]
struct Issued<'a> {
    access_token: &'a str,
    /// RFC 6749, 5.1; the contract's clients ignore it.
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

pub async fn issue(ClientCredentials { issued }: ClientCredentials) -> Response {
    bare(&Issued {
        access_token: issued.access_token.expose(),
        token_type: "Bearer",
        expires_in: issued.expires_in,
    })
}
