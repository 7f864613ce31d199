//! Guards of a Direct API session: by its key, by its name, and by the shop that takes it over.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use recado_identity::Claimed;
use recado_model::{Caller, Instance};

use crate::{Shared, again::Again, error::Fail};

use super::{
    Accepts, Access, CredentialHeaders, Rule, path_param,
    presented::{named_caller, note},
};

/// A Direct API session of the caller's account.
pub struct SessionAccess {
    pub caller: Caller,
    pub instance: Arc<Instance>,
}

/// A session, and the shop that takes it over: proven by the shop's token and the session's key.
pub struct Claim {
    pub shop: Caller,
    /// The guest whose session it is, or the shop itself already.
    pub holder: Caller,
    pub instance: Arc<Instance>,
}

/// A Direct API session found by its name: enough to show its QR, nothing else.
pub struct NamedSession {
    pub caller: Caller,
    pub instance: Arc<Instance>,
    /// The key was shown too, so more than looking is allowed.
    pub proven: bool,
}

impl Access for SessionAccess {
    const RULE: Rule = Rule::Session;
}

impl Access for Claim {
    const RULE: Rule = Rule::Claim;
}

impl Access for NamedSession {
    const RULE: Rule = Rule::SessionName;
}

impl FromRequestParts<Shared> for SessionAccess {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::DIRECT)?;
        let key = path_param(parts, shared, "key").await;
        let proof = shared.app.access().session(&shown.presented(), &key).await;
        let (caller, instance) = shown.judge(proof)?;
        shared.app.billing().require(&instance)?;
        Again::note::<Self>(parts, shared);
        Ok(Self { caller, instance })
    }
}

impl FromRequestParts<Shared> for Claim {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::DIRECT_CREATE)?;
        let key = path_param(parts, shared, "key").await;
        let proof = shared.app.access().claim(&shown.presented(), &key).await;
        Again::note::<Self>(parts, shared);
        let Claimed {
            shop,
            holder,
            instance,
        } = shown.judge(proof)?;
        Ok(Self {
            shop,
            holder,
            instance,
        })
    }
}

impl FromRequestParts<Shared> for NamedSession {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::DIRECT)?;
        let name = path_param(parts, shared, "key").await;
        let access = shared.app.access();
        let key = shown.api_key_only();
        let proven = key.is_some();
        let (caller, instance) = match key {
            Some(key) => shown.judge(access.session(&key, &name).await)?,
            None => {
                let instance = access.session_by_name(&name).await?;
                (named_caller(&instance), instance)
            }
        };
        note(&caller, Some(&instance));
        shared.app.billing().require(&instance)?;
        Ok(Self {
            caller,
            instance,
            proven,
        })
    }
}
