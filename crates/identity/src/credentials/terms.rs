//! The terms of a credential: its name, its end, its networks and its uses.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};
use recado_model::{
    Caller, CredentialId, CredentialKind, Error, ErrorCode, InstanceId, Result, Scope, Timestamp,
    is_unseen,
};
use recado_store::{AccountStore, CredentialInfo};

const MAX_LABEL: usize = 100;
const MAX_NETWORKS: usize = 50;
const MAX_INSTANCES: usize = 200;

/// As a caller gives them. Absent is unrestricted.
#[derive(Clone, Debug, Default)]
pub struct NewTerms {
    pub label: Option<String>,
    /// RFC 3339, in the future.
    pub expires_at: Option<String>,
    /// Networks (`10.0.0.0/8`) or single addresses.
    pub networks: Option<Vec<String>>,
    /// Ids of instances of the account.
    pub instances: Option<Vec<String>>,
}

/// `None` keeps, `Some(None)` clears.
#[derive(Clone, Debug, Default)]
pub struct ChangeTerms {
    pub label: Option<Option<String>>,
    pub expires_at: Option<Option<String>>,
    pub networks: Option<Option<Vec<String>>>,
    pub instances: Option<Option<Vec<String>>>,
    /// Of a Direct API key: only the instance it came with, or all of the account.
    pub only_own_instance: Option<bool>,
}

/// The same, checked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Terms {
    pub label: Option<String>,
    pub not_after: Option<Timestamp>,
    pub networks: Vec<IpNet>,
    pub scope: Scope,
}

impl Terms {
    pub fn unrestricted(label: Option<String>) -> Self {
        Self {
            label,
            not_after: None,
            networks: Vec::new(),
            scope: Scope::All,
        }
    }

    /// Those of a credential, for its successor.
    pub fn of(info: &CredentialInfo) -> Self {
        Self {
            label: info.label.clone(),
            not_after: info.not_after,
            networks: info.networks.clone(),
            scope: info.scope.clone(),
        }
    }

    /// Refuses what would shut out the very caller who sets it on what it called with: `own` is that
    /// credential and the one it hangs on.
    pub fn keep_in(
        &self,
        caller: &Caller,
        own: &[CredentialId],
        changed: &CredentialInfo,
    ) -> Result<()> {
        let within = |from: IpAddr| self.networks.iter().any(|net| net.contains(&from));
        if !own.contains(&changed.id) {
            return Ok(());
        }
        if !self.scope.is_all() || self.not_after.is_some() {
            return Err(Error::new(
                ErrorCode::Conflict,
                "You are calling with this credential, and could not manage the account with it any more. Make the change with another credential.",
            ));
        }
        if self.networks.is_empty() || caller.from.is_some_and(within) {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::Conflict,
            "You are calling with this credential from a network that is not among these, and would lock yourself out. Add your own network, or make the change with another credential.",
        ))
    }
}

impl NewTerms {
    pub(super) async fn check(
        &self,
        account: &mut AccountStore<'_>,
        now: Timestamp,
    ) -> Result<Terms> {
        Ok(Terms {
            label: label(self.label.as_deref())?,
            not_after: end(self.expires_at.as_deref(), now)?,
            networks: networks(self.networks.as_deref())?,
            scope: match &self.instances {
                Some(ids) => instances(account, ids).await?,
                None => Scope::All,
            },
        })
    }
}

impl ChangeTerms {
    pub(super) async fn check(
        &self,
        account: &mut AccountStore<'_>,
        info: &CredentialInfo,
        now: Timestamp,
    ) -> Result<Terms> {
        let mut terms = Terms::of(info);
        if let Some(text) = &self.label {
            terms.label = label(text.as_deref())?;
        }
        let secret = info.kind == CredentialKind::ClientSecret;
        if let Some(text) = &self.expires_at {
            if secret {
                return Err(of_the_client_token("expires_at"));
            }
            terms.not_after = end(text.as_deref(), now)?;
        }
        if let Some(list) = &self.networks {
            if secret {
                return Err(of_the_client_token("networks"));
            }
            terms.networks = networks(list.as_deref())?;
        }
        if let Some(ids) = &self.instances {
            match info.kind {
                CredentialKind::ClientSecret => return Err(of_the_client_token("instances")),
                CredentialKind::InstanceToken => {
                    return Err(Error::field(
                        "instances",
                        "an instance token opens its own instance only",
                    ));
                }
                _ => {}
            }
            terms.scope = match ids {
                Some(ids) => instances(account, ids).await?,
                None => Scope::All,
            };
        }
        if let Some(own) = self.only_own_instance {
            let field = "only_own_session";
            if self.instances.is_some() {
                let text = "send only_own_session or instances, not both";
                return Err(Error::field(field, text));
            }
            let own_instance = info
                .instance
                .clone()
                .filter(|_| info.kind == CredentialKind::DirectKey)
                .ok_or_else(|| Error::field(field, "only_own_session is of session keys"))?;
            terms.scope = match own {
                true => Scope::Only([own_instance].into()),
                false => Scope::All,
            };
        }
        Ok(terms)
    }
}

fn of_the_client_token(field: &'static str) -> Error {
    Error::field(
        field,
        "a client secret has the restrictions of its client token (parent_id): change that one",
    )
}

/// Trimmed; empty is none.
fn label(text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if text.chars().count() > MAX_LABEL || text.contains(is_unseen) {
        return Err(Error::field(
            "label",
            "label has at most 100 characters, all of them to be seen: no line breaks, no control characters",
        ));
    }
    Ok(Some(text.to_owned()))
}

fn end(text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let at = Timestamp::parse_rfc3339(text).filter(|at| *at > now);
    let refused = || {
        Error::field(
            "expires_at",
            "expires_at is a time in the future such as 2030-01-31T12:00:00Z",
        )
    };
    at.map(Some).ok_or_else(refused)
}

/// Networks in their plain form, each once. An empty list is refused: it would read as "nowhere" to
/// one and as "anywhere" to another.
fn networks(list: Option<&[String]>) -> Result<Vec<IpNet>> {
    let Some(list) = list else {
        return Ok(Vec::new());
    };
    let refused = |text| Err(Error::field("networks", text));
    if list.is_empty() {
        return refused("networks is empty: name at least one, or send null for anywhere");
    }
    if list.len() > MAX_NETWORKS {
        return refused("networks has at most 50 entries");
    }
    let mut found = Vec::with_capacity(list.len());
    for text in list {
        let Some(net) = network(text.trim()) else {
            return refused(
                "networks holds networks such as 203.0.113.0/24 or 2001:db8::/32, or single addresses",
            );
        };
        if !found.contains(&net) {
            found.push(net);
        }
    }
    Ok(found)
}

/// Callers that arrive as IPv4-mapped IPv6 count as IPv4, so networks do too.
fn network(text: &str) -> Option<IpNet> {
    let net = match text.parse::<IpNet>() {
        Ok(net) => net,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    let net = match net {
        IpNet::V6(net) if net.prefix_len() >= 96 => match net.addr().to_ipv4_mapped() {
            Some(addr) => Ipv4Net::new(addr, net.prefix_len() - 96).ok()?.into(),
            None => IpNet::V6(net),
        },
        net => net,
    };
    Some(net.trunc())
}

/// Instances of the account; foreign and missing ones are refused alike.
async fn instances(account: &mut AccountStore<'_>, ids: &[String]) -> Result<Scope> {
    let refused = |text| Err(Error::field("instances", text));
    if ids.is_empty() {
        return refused("instances is empty: name at least one, or send null for all");
    }
    if ids.len() > MAX_INSTANCES {
        return refused("instances has at most 200 entries");
    }
    let mut found: Vec<InstanceId> = Vec::with_capacity(ids.len());
    for id in ids {
        let id = InstanceId::from_text(id.trim());
        if account.instance(&id).await?.is_none() {
            return refused("instances names one that this account does not have");
        }
        if !found.contains(&id) {
            found.push(id);
        }
    }
    Ok(Scope::Only(found.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_kept_in_their_plain_form() {
        for (given, kept) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("2001:DB8:0::1/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            let net = network(given).unwrap_or_else(|| panic!("{given}"));
            assert_eq!(net.to_string(), kept);
        }
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0",
            "example.org",
            "10.0.0.0/8,",
            "1.2.3.4/",
        ] {
            assert_eq!(network(bad), None, "{bad}");
        }
    }

    #[test]
    fn lists_and_ends_are_bounded() {
        let list = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|text| (*text).to_owned()).collect();
            networks(Some(&texts))
        };
        assert_eq!(
            list(&["10.0.0.0/8", "10.9.0.0/8"]).map(|n| n.len()).ok(),
            Some(1)
        );
        assert!(list(&[]).is_err() && list(&["x"]).is_err());
        assert!(list(&["10.0.0.0/8"; 51]).is_err());
        let now = Timestamp(1_767_225_600_000);
        assert!(end(Some("2026-01-01T00:00:00Z"), now).is_err(), "not now");
        assert!(end(Some("2020-01-01T00:00:00Z"), now).is_err());
        assert!(end(Some("tomorrow"), now).is_err());
        assert!(end(Some("2026-01-01T00:00:00.001Z"), now).is_ok());
        assert!(label(Some("a\nb")).is_err() && label(Some(&"x".repeat(101))).is_err());
        assert_eq!(label(Some("  ")).ok(), Some(None));
    }
}
