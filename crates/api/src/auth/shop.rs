//! The guard of a shop by its `wz_`: the MCP endpoint.

use axum::extract::FromRequestParts;
use http::request::Parts;
use recado_identity::ShopToken;

use crate::{ApiState, again::Again, error::Fail};

use super::{Accepts, CredentialHeaders, Guard, Rule};

/// A shop by its `wz_`, proven by headers alone.
pub struct McpToken(pub ShopToken);

impl Guard for McpToken {
    const RULE: Rule = Rule::Mcp;
}

impl FromRequestParts<ApiState> for McpToken {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::MCP)?;
        let shop = shown.judge(state.app.access().mcp(&shown.presented()).await)?;
        Again::note::<Self>(parts, state);
        Ok(Self(shop))
    }
}
