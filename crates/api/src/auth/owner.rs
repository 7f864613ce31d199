//! Guards of the instance API: the account by an owner JWT, or one instance also by its two tokens.

use std::{marker::PhantomData, sync::Arc};

use axum::extract::FromRequestParts;
use http::request::Parts;
use recado_model::{Caller, Error, ErrorCode, Instance, InstanceId, Role};

use crate::{Shared, again::Again, error::Fail};

use super::{Accepts, Access, CredentialHeaders, Least, Rule, path_param};

/// The account itself: creating, listing, paying. By a client's JWT, or by that of a person who has at
/// least the role `L` in it; so too the guards below that have an `L`.
pub struct Owner<L> {
    pub caller: Caller,
    least: PhantomData<L>,
}

/// The account itself, by a credential that opens all of it: managing credentials, reading the audit
/// log.
pub struct AccountOwner<L> {
    pub caller: Caller,
    least: PhantomData<L>,
}

/// The account itself, and one of its instances.
pub struct OwnerInstance<L> {
    pub caller: Caller,
    pub instance: Arc<Instance>,
    least: PhantomData<L>,
}

/// Whoever may use one instance: its owner, or the holder of both of its tokens. 402 when it is not
/// paid for, which only they learn.
pub struct InstanceAccess<L> {
    pub caller: Caller,
    pub instance: Arc<Instance>,
    least: PhantomData<L>,
}

macro_rules! rules {
    ($($guard:ident => $rule:ident),* $(,)?) => {$(
        impl<L: Least> Access for $guard<L> {
            const RULE: Rule = Rule::$rule;
            const LEAST: Option<Role> = Some(L::ROLE);
        }
    )*};
}

rules! {
    Owner => Owner,
    AccountOwner => AccountOwner,
    OwnerInstance => OwnerInstance,
    InstanceAccess => Instance,
}

impl<L: Least> FromRequestParts<Shared> for Owner<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::INSTANCE)?;
        let access = shared.app.access();
        let proof = access.owner(&shown.presented(), L::ROLE).await;
        let caller = shown.judge(proof.map_err(owner_words))?;
        Again::note::<Self>(parts, shared);
        Ok(Self {
            caller,
            least: PhantomData,
        })
    }
}

impl<L: Least> FromRequestParts<Shared> for AccountOwner<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::INSTANCE)?;
        let access = shared.app.access();
        let proof = access.account_owner(&shown.presented(), L::ROLE).await;
        let caller = shown.judge(proof.map_err(owner_words))?;
        Again::note::<Self>(parts, shared);
        Ok(Self {
            caller,
            least: PhantomData,
        })
    }
}

impl<L: Least> FromRequestParts<Shared> for OwnerInstance<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::INSTANCE)?;
        let id = InstanceId::from_text(path_param(parts, shared, "id").await);
        let proof = shared
            .app
            .access()
            .owner_instance(&shown.presented(), &id, L::ROLE)
            .await;
        let (caller, instance) = shown.judge(proof.map_err(owner_words))?;
        Again::note::<Self>(parts, shared);
        Ok(Self {
            caller,
            instance,
            least: PhantomData,
        })
    }
}

impl<L: Least> FromRequestParts<Shared> for InstanceAccess<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::INSTANCE)?;
        let id = InstanceId::from_text(path_param(parts, shared, "id").await);
        let access = shared.app.access();
        let proof = access.instance(&shown.presented(), &id, L::ROLE).await;
        let (caller, instance) = shown.judge(proof)?;
        shared.app.billing().require(&instance)?;
        Again::note::<Self>(parts, shared);
        Ok(Self {
            caller,
            instance,
            least: PhantomData,
        })
    }
}

/// The general text also names the pair of tokens, which does not open these routes.
fn owner_words(mut error: Error) -> Error {
    if error.code == ErrorCode::Unauthorized {
        error.message =
            "Unauthorized: send a valid owner JWT from POST /token or POST /login.".into();
    }
    error
}
