//! Guards of the instance API: the account by an owner JWT, or one instance also by its two tokens.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;
use recado_identity::Granted;
use recado_model::{Caller, Error, ErrorCode, InstanceId, Role};

use crate::{
    ApiState,
    again::{Again, Whose},
    error::Fail,
};

use super::{Accepts, CredentialHeaders, Guard, Least, Rule, presented::path_param};

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
    pub granted: Granted<Caller>,
    least: PhantomData<L>,
}

/// A caller who may use one instance: its owner, or the holder of both of its tokens. 402 when it is not
/// paid for, which only they learn.
pub struct InstanceAccess<L> {
    pub granted: Granted<Caller>,
    least: PhantomData<L>,
}

macro_rules! rules {
    ($($guard:ident => $rule:ident),* $(,)?) => {$(
        impl<L: Least> Guard for $guard<L> {
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

impl<L: Least> FromRequestParts<ApiState> for Owner<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::INSTANCE)?;
        let access = state.app.access();
        let proof = access.owner(&shown.presented(), L::ROLE).await;
        let caller = shown.judge(proof.map_err(owner_words))?;
        Again::note::<Self>(parts, state);
        Ok(Self {
            caller,
            least: PhantomData,
        })
    }
}

impl<L: Least> FromRequestParts<ApiState> for AccountOwner<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::INSTANCE)?;
        let access = state.app.access();
        let proof = access.account_owner(&shown.presented(), L::ROLE).await;
        let caller = shown.judge(proof.map_err(owner_words))?;
        Again::note::<Self>(parts, state);
        Ok(Self {
            caller,
            least: PhantomData,
        })
    }
}

impl<L: Least> FromRequestParts<ApiState> for OwnerInstance<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::INSTANCE)?;
        let id = InstanceId::from_text(path_param(parts, state, "id").await);
        let proof = state
            .app
            .access()
            .owner_instance(&shown.presented(), &id, L::ROLE)
            .await;
        let granted = shown.judge(proof.map_err(owner_words))?;
        Again::note::<Self>(parts, state);
        Ok(Self {
            granted,
            least: PhantomData,
        })
    }
}

impl<L: Least> FromRequestParts<ApiState> for InstanceAccess<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let shown = CredentialHeaders::collect(parts, Accepts::INSTANCE)?;
        let id = InstanceId::from_text(path_param(parts, state, "id").await);
        let access = state.app.access();
        let proof = access.instance(&shown.presented(), &id, L::ROLE).await;
        let granted = shown.judge(proof)?;
        state.app.billing().require(granted.instance())?;
        Again::note::<Self>(parts, state);
        parts.extensions.insert(Whose(granted.account().clone()));
        Ok(Self {
            granted,
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
