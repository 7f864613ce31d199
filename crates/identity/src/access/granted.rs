//! The result of a proof, as one value: a caller of some kind, and the instance that this caller may use.
//!
//! Services take it whole. So no service can be called with an instance that was not proven for that
//! caller: there is one way to make the value, and it asks.

use std::sync::Arc;

use recado_model::{
    AccountId, Caller, CredentialId, Error, Instance, InstanceId, Proof, Result,
    credential::CredentialRef,
};

/// Somebody who calls: a [`Caller`], or one of whom the type says how the proof was given.
pub trait Calls: Send + Sync {
    fn caller(&self) -> &Caller;
}

impl Calls for Caller {
    fn caller(&self) -> &Caller {
        self
    }
}

/// An instance of the caller's account that is within the caller's scope.
///
/// `Granted` without more is by any kind of caller: a `&Granted<C>` passes as a `&Granted`. A service
/// that is for one kind of caller names that kind.
#[derive(Clone, Debug)]
pub struct Granted<C: Calls + ?Sized = dyn Calls> {
    instance: Arc<Instance>,
    by: C,
}

impl<C: Calls> Granted<C> {
    /// Forbidden for an instance of another account, or one that the caller's credential does not open.
    pub fn new(by: C, instance: impl Into<Arc<Instance>>) -> Result<Self> {
        let (caller, instance) = (by.caller(), instance.into());
        if instance.account != caller.account || !caller.scope.allows(&instance.id) {
            return Err(Error::forbidden());
        }
        Ok(Self { instance, by })
    }
}

impl<C: Calls + ?Sized> Granted<C> {
    pub fn by(&self) -> &C {
        &self.by
    }
    pub fn caller(&self) -> &Caller {
        self.by.caller()
    }
    /// The caller's account, and so the instance's.
    pub fn account(&self) -> &AccountId {
        &self.caller().account
    }
    pub fn instance(&self) -> &Instance {
        &self.instance
    }
    pub fn id(&self) -> &InstanceId {
        &self.instance.id
    }
}

/// A shop by its API token (`wz_`).
#[derive(Clone, Debug)]
pub struct ShopToken {
    caller: Caller,
    credential: CredentialId,
}

impl ShopToken {
    pub(super) fn new(of: &CredentialRef, from: Option<std::net::IpAddr>) -> Self {
        let credential = of.id.clone();
        let proof = Proof::ApiToken {
            credential: credential.clone(),
        };
        Self {
            caller: caller(of, proof, from),
            credential,
        }
    }

    /// The token that was shown.
    pub fn credential(&self) -> &CredentialId {
        &self.credential
    }
}

/// An account by the key of one of its Direct API instances (`sk_`).
#[derive(Clone, Debug)]
pub struct DirectKey(Caller);

impl DirectKey {
    /// `None` for a credential that came with no instance: that is no such key.
    pub(super) fn new(of: &CredentialRef, from: Option<std::net::IpAddr>) -> Option<Self> {
        let proof = Proof::DirectKey {
            credential: of.id.clone(),
            instance: of.instance.clone()?,
        };
        Some(Self(caller(of, proof, from)))
    }
}

/// Somebody who knows the unguessable name of one Direct API instance, and nothing more.
#[derive(Clone, Debug)]
pub struct DirectName(Caller);

impl DirectName {
    pub(super) fn new(of: &Instance) -> Self {
        let instance = of.id.clone();
        Self(Caller::new(
            of.account.clone(),
            Proof::DirectName { instance },
        ))
    }
}

fn caller(of: &CredentialRef, proof: Proof, from: Option<std::net::IpAddr>) -> Caller {
    Caller {
        account: of.account.clone(),
        proof,
        scope: of.scope.clone(),
        from,
    }
}

impl Calls for ShopToken {
    fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl Calls for DirectKey {
    fn caller(&self) -> &Caller {
        &self.0
    }
}

impl Calls for DirectName {
    fn caller(&self) -> &Caller {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use recado_model::{Billing, ConnectionState, ErrorCode, Scope, Timestamp, instance::Origin};

    use super::*;

    fn instance(id: &str, account: &str) -> Instance {
        let at = Timestamp::from_millis(0);
        Instance {
            id: InstanceId::from_text(id),
            account: AccountId::from_text(account),
            number: 1,
            name: id.to_owned(),
            origin: Origin::Api,
            labels: Default::default(),
            reject_calls: false,
            auto_read_messages: false,
            settings: Default::default(),
            state: ConnectionState::Disconnected,
            reason: None,
            paired: false,
            wanted: false,
            phone: None,
            jid: None,
            lid: None,
            push_name: None,
            business_name: None,
            connected_at: None,
            troubled: false,
            billing: Billing::default(),
            created_at: at,
            updated_at: at,
        }
    }

    fn caller(scope: Scope) -> Caller {
        let client = CredentialId::from_text("CRX");
        Caller {
            scope,
            ..Caller::new(AccountId::from_text("ACX"), Proof::ClientJwt { client })
        }
    }

    /// A service for any kind of caller.
    fn takes(granted: &Granted) -> &str {
        granted.id().as_str()
    }

    #[test]
    fn nothing_of_another_account_or_beyond_the_scope_is_granted() {
        let one = Scope::Only([InstanceId::from_text("RC1")].into());
        for (scope, of, granted) in [
            (Scope::All, instance("RC1", "ACX"), true),
            (Scope::All, instance("RC1", "ACY"), false),
            (one.clone(), instance("RC1", "ACX"), true),
            (one.clone(), instance("RC2", "ACX"), false),
            (one, instance("RC1", "ACY"), false),
        ] {
            match Granted::new(caller(scope), of) {
                Ok(held) => {
                    assert!(granted);
                    assert_eq!(held.account(), &held.instance().account);
                    assert_eq!(takes(&held), "RC1");
                }
                Err(error) => {
                    assert!(!granted);
                    assert_eq!(error.code, ErrorCode::Forbidden);
                }
            }
        }
    }
}
