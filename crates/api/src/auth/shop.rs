//! Guards of a shop by its `wz_`: the MCP endpoint, and the Direct API where a shop may come.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use recado_model::{Caller, Error, ErrorCode};

use crate::{Shared, again::Again, error::Fail};

use super::{Accepts, Access, CredentialHeaders, Rule};

/// A shop by its `wz_`, proven by headers alone.
pub struct McpToken(pub Caller);

/// A shop by its `wz_`, or nobody.
pub struct MaybeMcpToken(pub Option<Caller>);

impl Access for McpToken {
    const RULE: Rule = Rule::Mcp;
}

impl Access for MaybeMcpToken {
    const RULE: Rule = Rule::OptionalMcp;
}

impl FromRequestParts<Shared> for McpToken {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::MCP)?;
        let caller = shown.judge(shared.app.access().mcp(&shown.presented()).await)?;
        Again::note::<Self>(parts, shared);
        Ok(Self(caller))
    }
}

impl OptionalFromRequestParts<Shared> for McpToken {
    type Rejection = Fail;
    /// `None` only when nothing is presented: what is presented must hold.
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Option<Self>, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::MCP)?;
        if !shown.any() {
            return Ok(None);
        }
        let caller = shown.judge(shared.app.access().mcp(&shown.presented()).await)?;
        Ok(Some(Self(caller)))
    }
}

impl FromRequestParts<Shared> for MaybeMcpToken {
    type Rejection = Fail;
    /// A key that is shown without need must hold all the same, and name the same account.
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::DIRECT_CREATE)?;
        let access = shared.app.access();
        let by_token = match shown.bearer_only() {
            Some(bearer) => Some(shown.judge(access.mcp(&bearer).await)?),
            None => None,
        };
        let by_key = match shown.api_key_only() {
            Some(key) => Some(shown.judge(access.session_key(&key).await)?),
            None => None,
        };
        if let (Some(token), Some(key)) = (&by_token, &by_key)
            && token.account != key.account
        {
            let error = Error::new(ErrorCode::SessionNotYours, "The key is another account's.");
            return Err(Fail::of_proof(error, true));
        }
        Again::note::<Self>(parts, shared);
        Ok(Self(by_token))
    }
}
