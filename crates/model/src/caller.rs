//! The caller, after the proof.

use std::{net::IpAddr, sync::Arc};

use crate::{
    account::Role,
    id::{AccountId, CredentialId, InstanceId, UserId, UserSessionId},
};

/// The result of a proof: the account, how it was proven, and so what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: AccountId,
    pub proof: Proof,
    /// Which of the account's instances it may use. Each resolution of an id asks it.
    pub scope: Scope,
    /// Where it calls from, for the audit log.
    pub from: Option<IpAddr>,
}

impl Caller {
    /// One that may use every instance of the account, from nowhere in particular.
    pub fn new(account: AccountId, proof: Proof) -> Self {
        Self {
            account,
            proof,
            scope: Scope::All,
            from: None,
        }
    }

    /// The credential that was proven, where there is one.
    pub fn credential(&self) -> Option<&CredentialId> {
        match &self.proof {
            Proof::ClientJwt { client } | Proof::InstancePair { client, .. } => Some(client),
            Proof::ApiToken { credential } | Proof::DirectKey { credential, .. } => {
                Some(credential)
            }
            Proof::UserJwt { .. }
            | Proof::UserSession { .. }
            | Proof::DirectName { .. }
            | Proof::Guest => None,
        }
    }

    /// The person behind it, where there is one.
    pub fn user(&self) -> Option<&UserId> {
        match &self.proof {
            Proof::UserJwt { user, .. } | Proof::UserSession { user, .. } => Some(user),
            _ => None,
        }
    }

    /// The role of a person; `None` for credentials, which are no person's.
    pub fn role(&self) -> Option<Role> {
        match &self.proof {
            Proof::UserJwt { role, .. } | Proof::UserSession { role, .. } => Some(*role),
            _ => None,
        }
    }
}

/// The instances that a credential opens: all of its account, or those its owner chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    #[default]
    All,
    Only(Arc<[InstanceId]>),
}

impl Scope {
    pub fn allows(&self, id: &InstanceId) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(id),
        }
    }

    pub fn is_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// The chosen instances; `None` for all.
    pub fn only(&self) -> Option<&[InstanceId]> {
        match self {
            Self::All => None,
            Self::Only(ids) => Some(ids),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// JWT from `POST /token`: the account itself.
    ClientJwt { client: CredentialId },
    /// JWT from `POST /login`: a person, as far as the role allows.
    UserJwt {
        user: UserId,
        session: UserSessionId,
        role: Role,
    },
    /// The dashboard's cookie: the same person.
    UserSession {
        user: UserId,
        session: UserSessionId,
        role: Role,
    },
    /// Client token with instance token: that instance alone.
    InstancePair {
        client: CredentialId,
        instance: InstanceId,
    },
    /// `wz_`: the MCP tools.
    ApiToken { credential: CredentialId },
    /// `sk_`: Direct API instances of the account (or only `instance`, if the owner says so).
    DirectKey {
        credential: CredentialId,
        instance: InstanceId,
    },
    /// The unguessable name of one Direct API instance: enough to see its QR, nothing else.
    DirectName { instance: InstanceId },
    /// Nobody known: a fresh guest.
    Guest,
}

impl Proof {
    /// For logs and audit: the kind of proof, never its value.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ClientJwt { .. } => "client_jwt",
            Self::UserJwt { .. } => "user_jwt",
            Self::UserSession { .. } => "user_session",
            Self::InstancePair { .. } => "instance_pair",
            Self::ApiToken { .. } => "api_token",
            Self::DirectKey { .. } => "session_key",
            Self::DirectName { .. } => "session_name",
            Self::Guest => "guest",
        }
    }
}
