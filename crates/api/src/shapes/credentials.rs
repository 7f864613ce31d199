//! What is asked and answered about credentials, by the instance API and by the dashboard alike.

use recado_identity::credentials::{
    ChangeTerms, CredentialFilter, CredentialState, CredentialView, Issued, Makes, NewTerms,
    Rotated,
};
use recado_model::{CredentialId, CredentialKind, Error, InstanceId, Secret};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize};

use crate::{
    describe::{Exposed, Rfc3339, one_of},
    extract::{Names, whole},
};

/// Where people get a credential, they read what to do with it.
const NOTE: &str = "Store it now, in a secret store or an environment variable. Never put it into version control or into code that runs in a browser.";
const NOTE_ONCE: &str = "Store both now: the client secret is not shown again. Keep them in a secret store or in environment variables, one pair per environment; never in version control or in code that runs in a browser.";

/// A credential without its token.
#[derive(Serialize, JsonSchema)]
pub struct CredentialBody {
    #[schemars(with = "String")]
    id: CredentialId,
    #[schemars(schema_with = "kinds")]
    kind: &'static str,
    label: Option<String>,
    /// Prefix and last four characters.
    hint: String,
    #[schemars(with = "Option<String>")]
    instance_id: Option<InstanceId>,
    /// The client token of a client secret.
    #[schemars(with = "Option<String>")]
    parent_id: Option<CredentialId>,
    created_at: Rfc3339,
    age_days: i64,
    last_used_at: Option<Rfc3339>,
    expires_at: Option<Rfc3339>,
    /// Until when it holds after a rotation.
    grace_until: Option<Rfc3339>,
    revoked_at: Option<Rfc3339>,
    #[schemars(schema_with = "states")]
    state: &'static str,
    /// Where it may be used from; `null` is anywhere.
    networks: Option<Vec<String>>,
    /// What it may be used for; `null` is all of the account.
    instances: Option<Vec<String>>,
}

fn kinds(_: &mut SchemaGenerator) -> Schema {
    let shown = |kind: &CredentialKind| *kind != CredentialKind::DirectName;
    let kinds = CredentialKind::ALL.into_iter().filter(shown);
    one_of(kinds.map(CredentialKind::as_str))
}

fn states(_: &mut SchemaGenerator) -> Schema {
    one_of(
        [
            CredentialState::Live,
            CredentialState::Grace,
            CredentialState::Expired,
            CredentialState::Revoked,
        ]
        .map(CredentialState::as_str),
    )
}

impl From<CredentialView> for CredentialBody {
    fn from(view: CredentialView) -> Self {
        Self {
            networks: view.networks(),
            instances: view.instances(),
            id: view.id,
            kind: view.kind.as_str(),
            label: view.label,
            hint: view.hint,
            instance_id: view.instance,
            parent_id: view.parent,
            created_at: Rfc3339(view.created_at),
            age_days: view.age_days,
            last_used_at: view.last_used_at.map(Rfc3339),
            expires_at: view.expires_at.map(Rfc3339),
            grace_until: view.grace_until.map(Rfc3339),
            revoked_at: view.revoked_at.map(Rfc3339),
            state: view.state.as_str(),
        }
    }
}

/// Oldest first.
#[derive(Serialize, JsonSchema)]
pub struct CredentialList {
    credentials: Vec<CredentialBody>,
}

impl From<Vec<CredentialView>> for CredentialList {
    fn from(found: Vec<CredentialView>) -> Self {
        Self {
            credentials: found.into_iter().map(CredentialBody::from).collect(),
        }
    }
}

/// A new credential: its row, its token under the name that its callers use, and what to do with it.
#[derive(Serialize, JsonSchema)]
pub struct MadeCredential {
    #[serde(flatten)]
    row: CredentialBody,
    /// Of all kinds but a client's.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Exposed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<Exposed>,
    /// Shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<Exposed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    client_secret_id: Option<CredentialId>,
    /// After a rotation: the predecessor.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<Replaced>,
    note: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub struct Replaced {
    #[schemars(with = "String")]
    id: CredentialId,
    /// Until when it holds; `null`: it has ended.
    grace_until: Option<Rfc3339>,
}

impl From<Issued> for MadeCredential {
    fn from(issued: Issued) -> Self {
        let Issued {
            view,
            token,
            secret,
        } = issued;
        let once = view.kind == CredentialKind::ClientSecret || secret.is_some();
        let (mut plain, mut client_token, mut client_secret) = (None, None, None);
        match view.kind {
            CredentialKind::ClientToken => client_token = Some(token),
            CredentialKind::ClientSecret => client_secret = Some(token),
            _ => plain = Some(token),
        }
        let mut client_secret_id = None;
        if let Some((id, secret)) = secret {
            (client_secret_id, client_secret) = (Some(id), Some(secret));
        }
        Self {
            row: view.into(),
            token: plain.map(Exposed),
            client_token: client_token.map(Exposed),
            client_secret: client_secret.map(Exposed),
            client_secret_id,
            replaces: None,
            note: if once { NOTE_ONCE } else { NOTE },
        }
    }
}

impl From<Rotated> for MadeCredential {
    fn from(rotated: Rotated) -> Self {
        Self {
            replaces: Some(Replaced {
                id: rotated.old,
                grace_until: rotated.grace_until.map(Rfc3339),
            }),
            ..rotated.issued.into()
        }
    }
}

/// A token that is shown again.
#[derive(Serialize, JsonSchema)]
pub struct ShownToken {
    token: Exposed,
    note: &'static str,
}

impl From<Secret> for ShownToken {
    fn from(token: Secret) -> Self {
        Self {
            token: Exposed(token),
            note: NOTE,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CredentialQuery {
    #[schemars(extend("enum" = ["client_token", "client_secret", "instance_token", "api_token", "session_key"]))]
    kind: Option<String>,
    instance: Option<String>,
    #[schemars(extend("enum" = ["live", "all"]))]
    state: Option<String>,
}

impl CredentialQuery {
    pub(crate) fn filter(self) -> Result<CredentialFilter, Error> {
        Ok(CredentialFilter {
            kind: self.kind.as_deref().map(parse_kind).transpose()?,
            instance: self.instance.map(InstanceId::from_text),
            all: match self.state.as_deref() {
                None | Some("live") => false,
                Some("all") => true,
                Some(_) => return Err(Error::field("state", "state is live or all")),
            },
        })
    }
}

fn parse_kind(text: &str) -> Result<CredentialKind, Error> {
    CredentialKind::parse(text)
        .filter(|kind| *kind != CredentialKind::DirectName)
        .ok_or_else(|| {
            Error::field(
                "kind",
                "kind is client_token, client_secret, instance_token, api_token or session_key",
            )
        })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateCredentialBody {
    #[schemars(extend("enum" = ["client", "api_token", "instance_token", "session_key"]))]
    kind: String,
    /// Whose token it is: of instance tokens and session keys.
    #[serde(default)]
    instance: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 100))]
    label: Option<String>,
    /// RFC 3339, in the future.
    #[serde(default)]
    #[schemars(extend("format" = "date-time"))]
    expires_at: Option<String>,
    #[serde(default)]
    networks: Option<Names>,
    #[serde(default)]
    instances: Option<Names>,
}

impl CreateCredentialBody {
    pub(crate) fn read(self) -> Result<(Makes, NewTerms), Error> {
        let makes = Makes::parse(&self.kind, self.instance.as_deref())?;
        let terms = NewTerms {
            label: self.label,
            expires_at: self.expires_at,
            networks: self.networks.map(|Names(names)| names),
            instances: self.instances.map(|Names(names)| names),
        };
        Ok((makes, terms))
    }
}

/// `null` clears, absent keeps.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeCredentialBody {
    #[serde(default, deserialize_with = "present")]
    label: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    networks: Option<Option<Names>>,
    #[serde(default, deserialize_with = "present")]
    instances: Option<Option<Names>>,
    #[serde(default)]
    only_own_session: Option<bool>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl From<ChangeCredentialBody> for ChangeTerms {
    fn from(body: ChangeCredentialBody) -> Self {
        let names = |list: Option<Option<Names>>| list.map(|list| list.map(|Names(names)| names));
        Self {
            label: body.label,
            expires_at: body.expires_at,
            networks: names(body.networks),
            instances: names(body.instances),
            only_own_instance: body.only_own_session,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateBody {
    #[serde(default, deserialize_with = "whole")]
    #[schemars(range(min = 0, max = 2_592_000))]
    pub(crate) grace_seconds: i64,
}
