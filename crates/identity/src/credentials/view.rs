//! Credentials as their owner sees them: all but the secret.

use std::collections::HashMap;

use ipnet::IpNet;
use recado_model::{CredentialId, CredentialKind, InstanceId, Scope, Timestamp};
use recado_store::CredentialInfo;

/// Where a credential is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialState {
    Live,
    /// Rotated: holds a while longer.
    Grace,
    Expired,
    /// Revoked, or rotated and its grace is over.
    Revoked,
}

impl CredentialState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Grace => "grace",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// The terms of a list.
#[derive(Clone, Debug, Default)]
pub struct CredentialFilter {
    pub kind: Option<CredentialKind>,
    pub instance: Option<InstanceId>,
    /// Ended ones too.
    pub all: bool,
}

#[derive(Clone, Debug)]
pub struct CredentialView {
    pub id: CredentialId,
    pub kind: CredentialKind,
    pub label: Option<String>,
    /// Prefix and last four characters.
    pub hint: String,
    pub instance: Option<InstanceId>,
    pub parent: Option<CredentialId>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// The earlier of its own end and its parent's.
    pub expires_at: Option<Timestamp>,
    pub grace_until: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub state: CredentialState,
    pub age_days: i64,
    networks: Vec<IpNet>,
    scope: Scope,
}

impl CredentialView {
    pub(super) fn of(
        info: CredentialInfo,
        parent: Option<&CredentialInfo>,
        now: Timestamp,
    ) -> Self {
        let state = state_of(&info, parent, now);
        // As a look-up reads them: the parent's count where it has any.
        let networks = match parent {
            Some(parent) if !parent.networks.is_empty() => parent.networks.clone(),
            _ => info.networks,
        };
        let scope = match parent {
            Some(parent) if !parent.scope.is_all() => parent.scope.clone(),
            _ => info.scope,
        };
        let ends = [info.not_after, parent.and_then(|parent| parent.not_after)];
        Self {
            id: info.id,
            kind: info.kind,
            label: info.label,
            hint: info.hint,
            instance: info.instance,
            parent: info.parent,
            created_at: info.created_at,
            last_used_at: info.last_used_at,
            expires_at: ends.into_iter().flatten().min(),
            grace_until: info.grace_until,
            revoked_at: info.revoked_at,
            state,
            age_days: now.since(info.created_at).max(0) / (24 * 3600 * 1000),
            networks,
            scope,
        }
    }

    /// Where it may be used from; `None` is anywhere.
    pub fn networks(&self) -> Option<Vec<String>> {
        let all: Vec<_> = self.networks.iter().map(IpNet::to_string).collect();
        Some(all).filter(|all| !all.is_empty())
    }

    /// The uses that it is for; `None` is all of the account.
    pub fn instances(&self) -> Option<Vec<String>> {
        let ids = self.scope.only()?.iter();
        Some(ids.map(ToString::to_string).collect())
    }
}

pub(super) fn state_of(
    info: &CredentialInfo,
    parent: Option<&CredentialInfo>,
    now: Timestamp,
) -> CredentialState {
    let family = || [Some(info), parent].into_iter().flatten();
    let over = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    if family().any(|one| one.revoked_at.is_some() || over(one.grace_until)) {
        CredentialState::Revoked
    } else if family().any(|one| over(one.not_after)) {
        CredentialState::Expired
    } else if family().any(|one| one.grace_until.is_some()) {
        CredentialState::Grace
    } else {
        CredentialState::Live
    }
}

/// Those that fit, in their order.
pub(super) fn select(
    all: &[CredentialInfo],
    filter: &CredentialFilter,
    now: Timestamp,
) -> Vec<CredentialView> {
    let by_id: HashMap<_, _> = all.iter().map(|info| (&info.id, info)).collect();
    all.iter()
        .filter(|info| info.kind != CredentialKind::DirectName)
        .filter(|info| filter.kind.is_none_or(|kind| kind == info.kind))
        .filter(|info| filter.instance.is_none() || filter.instance == info.instance)
        .map(|info| {
            let parent = info.parent.as_ref().and_then(|id| by_id.get(id)).copied();
            CredentialView::of(info.clone(), parent, now)
        })
        .filter(|view| {
            filter.all || matches!(view.state, CredentialState::Live | CredentialState::Grace)
        })
        .collect()
}
