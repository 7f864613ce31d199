//! Guards of the Direct API: an instance by its key or by its name, the shop that takes it over, and
//! whoever opens one.

use axum::extract::FromRequestParts;
use http::request::Parts;
use recado_identity::{Calls, DirectClaim, DirectKey, DirectNamed, Granted, ShopOrGuest};
use recado_model::{Error, ErrorCode};

use crate::{ApiState, again::Again, edge::ClientIp, error::Fail};

use super::{
    Accepts, CredentialHeaders, Guard, Rule,
    presented::{note, path_param},
};

/// A Direct API instance, by a key of its account.
pub struct DirectInstance(pub Granted<DirectKey>);

/// A Direct API instance, and the shop that takes it over: proven by the shop's token and the
/// instance's key.
pub struct DirectClaimant(pub DirectClaim);

/// A Direct API instance found by its name, which is enough to show its QR; or by its key as well.
pub struct DirectByName(pub DirectNamed);

/// The opener of a Direct API instance: a shop by its `wz_`, or a guest.
pub struct DirectOpener(pub ShopOrGuest);

impl Guard for DirectInstance {
    const RULE: Rule = Rule::DirectKey;
}

impl Guard for DirectClaimant {
    const RULE: Rule = Rule::DirectClaim;
}

impl Guard for DirectByName {
    const RULE: Rule = Rule::DirectName;
}

impl Guard for DirectOpener {
    const RULE: Rule = Rule::OptionalMcp;
}

impl FromRequestParts<ApiState> for DirectInstance {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::DIRECT)?;
        let key = path_param(parts, state, "key").await;
        let access = state.app.access();
        let granted = shown.judge(access.direct_instance(&shown.presented(), &key).await)?;
        state.app.billing().require(granted.instance())?;
        Again::note::<Self>(parts, state);
        Ok(Self(granted))
    }
}

impl FromRequestParts<ApiState> for DirectClaimant {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::DIRECT_CREATE)?;
        let key = path_param(parts, state, "key").await;
        let proof = state.app.access().claim(&shown.presented(), &key).await;
        Again::note::<Self>(parts, state);
        Ok(Self(shown.judge(proof)?))
    }
}

impl FromRequestParts<ApiState> for DirectByName {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::DIRECT)?;
        let name = path_param(parts, state, "key").await;
        let access = state.app.access();
        let named = match shown.api_key_only() {
            Some(key) => {
                DirectNamed::ByKey(shown.judge(access.direct_instance(&key, &name).await)?)
            }
            None => {
                let granted = access.direct_name(&name).await?;
                note(granted.caller(), Some(granted.instance()));
                DirectNamed::ByName(granted)
            }
        };
        state.app.billing().require(named.instance())?;
        Ok(Self(named))
    }
}

impl FromRequestParts<ApiState> for DirectOpener {
    type Rejection = Fail;
    /// A key that is shown without need must hold all the same, and name the same account.
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::DIRECT_CREATE)?;
        let access = state.app.access();
        let by_token = match shown.bearer_only() {
            Some(bearer) => Some(shown.judge(access.mcp(&bearer).await)?),
            None => None,
        };
        let by_key = match shown.api_key_only() {
            Some(key) => Some(shown.judge(access.direct_key(&key).await)?),
            None => None,
        };
        if let (Some(token), Some(key)) = (&by_token, &by_key)
            && token.caller().account != key.caller().account
        {
            let error = Error::new(ErrorCode::InstanceNotYours, "The key is another account's.");
            return Err(Fail::of_proof(error, true));
        }
        Again::note::<Self>(parts, state);
        Ok(Self(match by_token {
            Some(shop) => ShopOrGuest::Shop(shop),
            None => ShopOrGuest::Guest {
                from: ClientIp::of(&parts.extensions).0,
            },
        }))
    }
}
