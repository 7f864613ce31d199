//! The credentials that an owner may ask for.

use recado_model::{CredentialKind, Error, InstanceId, Result};

/// A credential that an owner can have made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Makes {
    /// A client token with its secret.
    Client,
    /// Another `wz_`.
    ApiToken,
    /// Another token of an instance: the way back after its last one was revoked.
    InstanceToken(InstanceId),
    /// Another key of a Direct API instance.
    DirectKey(InstanceId),
}

impl Makes {
    /// `instance`: whose token or key it is, for the kinds that are an instance's.
    pub fn parse(kind: &str, instance: Option<&str>) -> Result<Self> {
        let instance = instance.map(str::trim).filter(|id| !id.is_empty());
        let of = |make: fn(InstanceId) -> Self| match instance {
            Some(id) => Ok(make(InstanceId::from_text(id))),
            None => Err(Error::field(
                "instance",
                "instance is required: the id of the instance whose token it is",
            )),
        };
        match (kind, instance) {
            ("client" | "api_token", Some(_)) => Err(Error::field(
                "instance",
                "instance goes with instance_token and session_key; instances restricts the others",
            )),
            ("client", None) => Ok(Self::Client),
            ("api_token", None) => Ok(Self::ApiToken),
            ("instance_token", _) => of(Self::InstanceToken),
            ("session_key", _) => of(Self::DirectKey),
            _ => Err(Error::field(
                "kind",
                "kind is client, api_token, instance_token or session_key",
            )),
        }
    }

    pub(super) fn kind(&self) -> CredentialKind {
        match self {
            Self::Client => CredentialKind::ClientToken,
            Self::ApiToken => CredentialKind::ApiToken,
            Self::InstanceToken(_) => CredentialKind::InstanceToken,
            Self::DirectKey(_) => CredentialKind::DirectKey,
        }
    }

    pub(super) fn instance(&self) -> Option<&InstanceId> {
        match self {
            Self::Client | Self::ApiToken => None,
            Self::InstanceToken(id) | Self::DirectKey(id) => Some(id),
        }
    }
}
