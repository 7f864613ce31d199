//! Who is calling, after the proof.

use crate::{
    account::Role,
    id::{AccountId, CredentialId, InstanceId, UserId},
};

/// The result of a proof: the account, how it was proven, and so what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub account: AccountId,
    pub proof: Proof,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// JWT from `POST /token`: the account itself.
    ClientJwt { client: CredentialId },
    /// JWT from `POST /login`: a person, as far as the role allows.
    UserJwt { user: UserId, role: Role },
    /// Client token with instance token: that instance alone.
    InstancePair {
        client: CredentialId,
        instance: InstanceId,
    },
    /// `wz_`: the MCP tools.
    ApiToken { credential: CredentialId },
    /// `sk_`: Direct API sessions of the account (or only `instance`, if the owner says so).
    SessionKey {
        credential: CredentialId,
        instance: InstanceId,
    },
    /// The unguessable name of one Direct API session: enough to see its QR, nothing else.
    SessionName { instance: InstanceId },
    /// Nobody known: a fresh guest session.
    Guest,
}

impl Proof {
    /// For logs and audit: the kind of proof, never its value.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ClientJwt { .. } => "client_jwt",
            Self::UserJwt { .. } => "user_jwt",
            Self::InstancePair { .. } => "instance_pair",
            Self::ApiToken { .. } => "api_token",
            Self::SessionKey { .. } => "session_key",
            Self::SessionName { .. } => "session_name",
            Self::Guest => "guest",
        }
    }
}
