//! The conditions for a change of a credential, and how many an account may have.

use recado_model::{CredentialId, CredentialKind, Error, ErrorCode, InstanceId, Result, Timestamp};
use recado_store::{AccountStore, CredentialInfo};

use crate::audit::Actor;

use super::{
    terms::Terms,
    view::{self, CredentialFilter, CredentialState},
};

/// Client and API tokens that an account may have at once.
pub const MAX_LIVE: i64 = 100;
/// Live tokens that an instance may have, of one kind.
pub const MAX_OF_INSTANCE: usize = 10;
/// Rotated credentials of one line that may be in their grace at once.
pub const MAX_IN_GRACE: i64 = 10;
/// Changes that an account may make in an hour, each of which leaves rows for months. Revoking and
/// signing out are always possible.
pub const MAX_CHANGES: i64 = 1000;
const COUNTED: [&str; 5] = [
    "credential.created",
    "credential.changed",
    "credential.rotated",
    "credential.shown",
    "credential.signed_out",
];
/// The longest grace of a rotation: 30 days.
pub const MAX_GRACE_SECS: i64 = 30 * 24 * 3600;

/// The credential and its parent. Foreign and missing look alike; so does the name of a Direct API instance.
pub(super) async fn find(
    account: &mut AccountStore<'_>,
    id: &CredentialId,
) -> Result<(CredentialInfo, Option<CredentialInfo>)> {
    let found = account.credential(id).await?;
    let found = found.filter(|info| info.kind != CredentialKind::DirectName);
    let info = found.ok_or_else(|| {
        Error::new(
            ErrorCode::NotFound,
            "No such credential. GET /account/credentials lists them.",
        )
    })?;
    let parent = match &info.parent {
        Some(parent) => account.credential(parent).await?,
        None => None,
    };
    Ok((info, parent))
}

/// Whether the account may make another change. So many in an hour are a program gone wild, or
/// somebody who fills the disk; the operator is neither.
pub(super) async fn is_calm(
    account: &mut AccountStore<'_>,
    actor: Actor<'_>,
    now: Timestamp,
) -> Result<bool> {
    const HOUR_MS: i64 = 3_600_000;
    if matches!(actor, Actor::Operator(_)) {
        return Ok(true);
    }
    let since = now.plus_millis(-HOUR_MS);
    Ok(account.count_audit(&COUNTED, since).await? < MAX_CHANGES)
}

pub(super) async fn require_calm(
    account: &mut AccountStore<'_>,
    actor: Actor<'_>,
    now: Timestamp,
) -> Result<()> {
    if is_calm(account, actor, now).await? {
        return Ok(());
    }
    let text = format!(
        "The account has changed its credentials {MAX_CHANGES} times in the last hour, which is the most. Try again later; DELETE /account/credentials/{{id}} and POST /account/sign-out are always possible."
    );
    Err(Error::new(ErrorCode::RateLimited, text).with_retry_after(600))
}

/// The instance is the account's, it takes that kind, and there are not too many already.
pub(super) async fn require_place(
    account: &mut AccountStore<'_>,
    kind: CredentialKind,
    id: &InstanceId,
    terms: &Terms,
    now: Timestamp,
) -> Result<()> {
    let name = CredentialKind::DirectName;
    let fits = match kind {
        CredentialKind::DirectKey => account.reveal(name, Some(id), now).await?.is_some(),
        _ => account.instance(id).await?.is_some(),
    };
    if !fits {
        let text = "instance names none of this account, or (for a session key) none that is a session of the Direct API";
        return Err(Error::field("instance", text));
    }
    if kind == CredentialKind::InstanceToken && !terms.scope.is_all() {
        let text = "an instance token opens its own instance only";
        return Err(Error::field("instances", text));
    }
    let filter = CredentialFilter {
        kind: Some(kind),
        instance: Some(id.clone()),
        all: false,
    };
    if view::select(&account.credentials().await?, &filter, now).len() < MAX_OF_INSTANCE {
        return Ok(());
    }
    let text = format!(
        "The instance has {MAX_OF_INSTANCE} live ones of this kind, which is the most. Revoke those that nobody uses first, or rotate one."
    );
    Err(Error::new(ErrorCode::Conflict, text))
}

/// Those of instances, and of Direct API instances, are not counted: there is a line of them for each.
pub(super) async fn require_room(account: &mut AccountStore<'_>, now: Timestamp) -> Result<()> {
    if account.count_live_credentials(now).await? < MAX_LIVE {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::Conflict,
        format!(
            "The account has {MAX_LIVE} live client and API tokens, which is the most. Revoke those that nobody uses first, or rotate one with grace_seconds 0."
        ),
    ))
}

pub(super) fn require_live(
    info: &CredentialInfo,
    parent: Option<&CredentialInfo>,
    now: Timestamp,
) -> Result<()> {
    match view::state_of(info, parent, now) {
        CredentialState::Live | CredentialState::Grace => Ok(()),
        CredentialState::Expired | CredentialState::Revoked => {
            let text = match info.kind {
                CredentialKind::ClientSecret => {
                    "This client secret has ended, and stays so. Create a new client pair."
                }
                _ => "This credential has ended, and stays so. Create a new one of its kind.",
            };
            Err(Error::new(ErrorCode::Conflict, text))
        }
    }
}
