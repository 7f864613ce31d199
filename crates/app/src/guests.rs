//! What becomes of guest accounts: a shop claims the session, or it ends, unpaired after ten minutes,
//! paired after an hour.

use recado_identity::{Calls, DirectClaim, audit::Detail, faults};
use recado_model::{
    AccountId, ConnectionState, CredentialId, Error, ErrorCode, Instance, InstanceId, Result,
    Secret, StateReason, Token, TokenKind, credential::CredentialKind,
};
use recado_store::{credentials::NewCredential, system::guests::Adoption};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{App, Direct, direct, instances, supervisor::Live};

pub(crate) const UNPAIRED_MS: i64 = 10 * 60 * 1000;
pub(crate) const PAIRED_MS: i64 = 60 * 60 * 1000;
const LOOK_EVERY_MS: i64 = 15_000;
const AT_ONCE: usize = 8;
/// How long a link may take to be online: for the answer to a claim, and for a log-out.
const ONLINE_WAIT_MS: i64 = 5_000;
/// How long an actor may take that was started for an account that has the instance no more.
const STRAY_WAIT_MS: i64 = 500;

/// A session that was a guest's and is the shop's now.
#[derive(Debug)]
pub struct ClaimedSession {
    pub instance: Instance,
    pub name: Secret,
    pub api_key: Secret,
}

impl Direct<'_> {
    /// Moves a guest's session, proven by its key, to the shop: pairing and all, with new credentials
    /// that replace the old ones at once.
    ///
    /// 409 when it is the shop's already, 401 in the words for a foreign one when the guest's time is
    /// over, 503 when another node holds its link: only that one can close it.
    pub async fn claim(&self, claim: DirectClaim) -> Result<ClaimedSession> {
        let shop = claim.shop().caller();
        if !shop.scope.is_all() {
            return Err(Error::new(
                ErrorCode::Forbidden,
                "This token is restricted to some of the shop's sessions. DirectClaim with one that is not.",
            ));
        }
        if *claim.held().account() == shop.account {
            return Err(Error::new(
                ErrorCode::Conflict,
                "The session is your shop's already; its X-API-Key is all you need.",
            ));
        }
        // On its own: a caller that hangs up must not leave a session without its link.
        let app = self.app.clone();
        tokio::spawn(async move { hand_over(&app, &claim).await })
            .await
            .map_err(Error::internal)?
    }
}

/// The link is the guest's until it is closed, and the shop's once the rows are. A crash in between
/// leaves one or the other whole, and the supervisor brings the link back for whoever has it.
async fn hand_over(app: &App, claim: &DirectClaim) -> Result<ClaimedSession> {
    let (shop, held) = (claim.shop().caller(), claim.held());
    let (guest, id) = (held.account(), held.id());
    let Some(leaving) = app.supervisor.leave_alone(id) else {
        let mut conn = app.core.store.read().await?;
        let ends = conn.account(guest).expires_at().await?;
        return Err(match ends.is_some_and(|at| at > app.core.clock.now()) {
            true => Error::new(
                ErrorCode::Conflict,
                "The session is being claimed by another call. Look at it again in a moment.",
            ),
            // It ends, or the other call was the faster one.
            false => not_yours(),
        });
    };
    let moved = match app.supervisor.pause(id).await {
        Ok(paused) => move_rows(app, claim, paused.unwrap_or(0))
            .await
            .map_err(|error| (paused.is_some(), error)),
        Err(error) => Err((true, error)),
    };
    drop(leaving);
    let mut claimed = match moved {
        Ok(Some(claimed)) => claimed,
        Ok(None) => return Err(not_yours()),
        Err((ran, error)) => {
            // Nothing has moved, so the guest goes on. If the commit was lost on its way back, the
            // actor finds no row, and the supervisor starts the shop's.
            if ran && let Err(error) = app.supervisor.ensure(guest, id) {
                tracing::warn!(instance.id = %id, error = &error as &dyn std::error::Error, "the link of an unclaimed session did not come back");
            }
            return Err(error);
        }
    };
    tracing::info!(account.id = %shop.account, instance.id = %id, "guest session claimed");
    if claimed.instance.paired && claimed.instance.wanted {
        // The session is the shop's whatever becomes of the link, so that is no error.
        let mut back = online(app, &shop.account, id).await;
        if back.is_err() {
            // Started for the guest, by a list from before the move: that finds no row and ends.
            app.core.clock.sleep_ms(STRAY_WAIT_MS).await;
            back = online(app, &shop.account, id).await;
        }
        match back {
            Ok(live) => claimed.instance.state = live.state,
            Err(error) => {
                tracing::warn!(instance.id = %id, error = &error as &dyn std::error::Error, "the link of a claimed session is not back yet");
            }
        }
        if claimed.instance.state != ConnectionState::Connected {
            app.supervisor.look_now();
        }
    }
    Ok(claimed)
}

/// One transaction: the session with all below it, its new credentials, the shop's audit row. `None`
/// when there is no such guest any more.
async fn move_rows(
    app: &App,
    claim: &DirectClaim,
    not_kept: u64,
) -> Result<Option<ClaimedSession>> {
    let (shop, held) = (claim.shop().caller(), claim.held());
    let (guest, id) = (held.account(), held.id());
    let (rng, now) = (&*app.core.rng, app.core.clock.now());
    let mut conn = app.core.store.write().await?;
    let mut account = conn.account(&shop.account);
    let trial = app.billing().trial(now);
    let node = &app.core.config.node;
    let instance = match account.adopt(guest, id, node, trial, now).await? {
        Adoption::Moved(instance) => *instance,
        Adoption::Gone => return Ok(None),
        Adoption::Held => {
            return Err(Error::new(
                ErrorCode::Unavailable,
                "Another node holds this session's connection. Try again in a moment.",
            )
            .with_retry_after(5));
        }
    };
    let token = Token::random(TokenKind::Instance, rng);
    let kind = CredentialKind::InstanceToken;
    let credential = NewCredential {
        instance: Some(id),
        ..NewCredential::new(CredentialId::random(rng), &token, kind)
    };
    account.issue(credential, now).await?;
    Detail::of(shop)
        .with("instance", id.as_str())
        .with("name", instance.name.as_str())
        .with("messages_not_kept", not_kept)
        .write(&mut account, "session.claimed", now)
        .await?;
    let (api_key, name) = direct::issue(app, &mut conn, &shop.account, id).await?;
    // The old key is dead from here on.
    app.access().commit(conn).await?;
    Ok(Some(ClaimedSession {
        instance,
        name,
        api_key,
    }))
}

/// Starts the link and waits a while for it.
async fn online(app: &App, account: &AccountId, id: &InstanceId) -> Result<Live> {
    let mut live = app.supervisor.ensure(account, id)?;
    let there =
        live.wait_for(|live| live.state == ConnectionState::Connected || live.over.is_some());
    tokio::select! {
        there = there => drop(there),
        () = app.core.clock.sleep_ms(ONLINE_WAIT_MS) => {}
    }
    Ok(live.borrow().clone())
}

/// The same words as for another shop's session: whether there ever was one is nobody's business.
fn not_yours() -> Error {
    Error::new(
        ErrorCode::InstanceNotYours,
        "Session does not belong to your shop",
    )
}

pub(crate) async fn run(app: App, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.core.clock.sleep_ms(LOOK_EVERY_MS) => {}
        }
        if let Err(error) = sweep(&app).await {
            faults::warn(&error, "could not end expired guests; trying again");
        }
    }
}

/// Several at a time: each may wait for WhatsApp to confirm a log-out, and one that fails must not
/// hold up the rest.
async fn sweep(app: &App) -> Result<()> {
    let mut conn = app.core.store.read().await?;
    let (node, now) = (&app.core.config.node, app.core.clock.now());
    let expired = conn.system().expired_guests(node, now).await?;
    drop(conn);
    let mut ending = JoinSet::new();
    for account in expired {
        if ending.len() >= AT_ONCE {
            ending.join_next().await;
        }
        let app = app.clone();
        ending.spawn(async move {
            if let Err(error) = end(&app, &account).await
                && let Some(left_out) = faults::worth_a_line(&error)
            {
                tracing::warn!(
                    account.id = %account,
                    left_out,
                    error = &error as &dyn std::error::Error,
                    "could not end an expired guest; trying again"
                );
            }
        });
    }
    while ending.join_next().await.is_some() {}
    Ok(())
}

/// Its tokens die, it is logged out at WhatsApp, and then wiped; unless a shop has claimed it, or it
/// got more time, since the list was made.
async fn end(app: &App, account: &AccountId) -> Result<()> {
    let mut conn = app.core.store.write().await?;
    let now = app.core.clock.now();
    if !conn.system().close_guest(account, now).await? {
        return Ok(());
    }
    let all = conn.account(account).all_instances().await?;
    app.access().commit(conn).await?;
    for instance in all {
        if app.supervisor.is_leaving(&instance.id) {
            // A claim that is too late has closed the link for a moment; the next look ends it.
            return Ok(());
        }
        if may_come_online(&instance) {
            // WhatsApp hears of a log-out only over the link itself, which a restart may have closed.
            // When it does not come, the entry on the phone stays until the phone drops it.
            match online(app, account, &instance.id).await {
                Ok(live) if live.leased => {}
                // Another node has it, and logs it out; or the program stops. What is left is the
                // next look's.
                Ok(_) => return Ok(()),
                Err(error) => {
                    tracing::debug!(instance.id = %instance.id, error = &error as &dyn std::error::Error, "no link to log out over yet");
                    return Ok(());
                }
            }
        }
        instances::delete(app, account, &instance.id).await?;
    }
    let mut conn = app.core.store.write().await?;
    conn.system().end_guest(account, now).await?;
    app.access().commit(conn).await?;
    tracing::info!(account.id = %account, "guest session ended");
    Ok(())
}

/// Not one that WhatsApp blocked or whose place another program took: logging in makes either worse.
fn may_come_online(instance: &Instance) -> bool {
    instance.paired
        && instance.wanted
        && instance.state != ConnectionState::Blocked
        && instance.reason != Some(StateReason::StreamReplaced)
}
