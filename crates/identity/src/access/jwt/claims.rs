//! The claims of a token, and which of them we ever sign.

use recado_model::{AccountId, CredentialId, Role, UserSessionId};
use serde::{Deserialize, Serialize};

/// The scope of a client's token: all of the instance API.
pub(super) const SCOPE: &str = "instance-api";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    /// `account:` + id, or `user:` + id: neither can be taken for the other.
    pub sub: String,
    pub exp: i64,
    pub nbf: i64,
    pub iat: i64,
    pub jti: String,
    pub scope: String,
    /// Of a client's token: the credential it came from, and its version then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<CredentialId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cv: Option<i64>,
    /// Of a person's: the session it came from, the account it acts in, the person's generation then,
    /// and how often the session had moved to another account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<UserSessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) acc: Option<AccountId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ug: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sw: Option<i64>,
    /// The account's generation then.
    pub(super) generation: i64,
}

/// The two shapes of claims; a mixture is neither.
pub(super) enum Subject<'a> {
    Client {
        account: &'a str,
        credential: &'a CredentialId,
        version: i64,
    },
    Person {
        user: &'a str,
        session: &'a UserSessionId,
        account: &'a AccountId,
        generation: i64,
        switches: i64,
    },
}

impl Claims {
    /// Where they come from; `None` for what we never sign.
    pub(super) fn subject(&self) -> Option<Subject<'_>> {
        match self {
            Self {
                cid: Some(credential),
                cv: Some(version),
                sid: None,
                acc: None,
                ug: None,
                sw: None,
                ..
            } => Some(Subject::Client {
                account: self.sub.strip_prefix("account:")?,
                credential,
                version: *version,
            }),
            Self {
                cid: None,
                cv: None,
                sid: Some(session),
                acc: Some(account),
                ug: Some(generation),
                sw: Some(switches),
                ..
            } => Some(Subject::Person {
                user: self.sub.strip_prefix("user:")?,
                session,
                account,
                generation: *generation,
                switches: *switches,
            }),
            _ => None,
        }
    }
}

/// A person's token may do what the role allows; the role is read anew at each use.
pub(super) fn scope_of(role: Role) -> String {
    format!("role:{}", role.as_str())
}

pub(super) fn is_scope(text: &str) -> bool {
    text.strip_prefix("role:").and_then(Role::parse).is_some()
}
