//! Ends guests that no shop has claimed in time: unpaired after ten minutes, paired after an hour.

use recado_identity::faults;
use recado_model::{AccountId, ConnectionState, Instance, Result, StateReason};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Outcome, ran, tried};
use crate::{App, instances};

const LOOK_EVERY_MS: i64 = 15_000;
const AT_ONCE: usize = 8;

pub async fn run(app: App, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.core.clock.sleep_ms(LOOK_EVERY_MS) => {}
        }
        let outcome = tried(
            sweep(&app).await,
            "could not end expired guests; trying again",
        );
        ran("guests", outcome, app.core.clock.now());
    }
}

/// Several at a time: each may wait for WhatsApp to confirm a log-out, and one that fails must not
/// hold up the rest.
async fn sweep(app: &App) -> Result<Outcome> {
    let mut conn = app.core.store.read().await?;
    let (node, now) = (&app.core.config.node, app.core.clock.now());
    let expired = conn.system().expired_guests(node, now).await?;
    drop(conn);
    let mut outcome = Outcome::Done;
    let mut ending = JoinSet::new();
    for account in expired {
        if ending.len() >= AT_ONCE {
            outcome = outcome.max(next_of(&mut ending).await.unwrap_or(outcome));
        }
        let app = app.clone();
        ending.spawn(async move {
            let error = match end(&app, &account).await {
                Ok(outcome) => return outcome,
                Err(error) => error,
            };
            if let Some(left_out) = faults::worth_a_line(&error) {
                tracing::warn!(
                    account.id = %account,
                    left_out,
                    error = &error as &dyn std::error::Error,
                    "could not end an expired guest; trying again"
                );
            }
            Outcome::Again
        });
    }
    while let Some(ended) = next_of(&mut ending).await {
        outcome = outcome.max(ended);
    }
    Ok(outcome)
}

/// How the next one of them went; one that panicked is there at the next look.
async fn next_of(ending: &mut JoinSet<Outcome>) -> Option<Outcome> {
    Some(ending.join_next().await?.unwrap_or(Outcome::Again))
}

/// Its tokens die, it is logged out at WhatsApp, and then wiped; unless a shop has claimed it, or it
/// got more time, since the list was made.
async fn end(app: &App, account: &AccountId) -> Result<Outcome> {
    let mut conn = app.core.store.write().await?;
    let now = app.core.clock.now();
    if !conn.system().close_guest(account, now).await? {
        return Ok(Outcome::Done);
    }
    let all = conn.account(account).all_instances().await?;
    app.access().commit(conn).await?;
    for instance in all {
        if app.supervisor.is_leaving(&instance.id) {
            // A claim that is too late has closed the link for a moment; the next look ends it.
            return Ok(Outcome::Again);
        }
        if may_come_online(&instance) {
            // WhatsApp hears of a log-out only over the link itself, which a restart may have closed.
            // When it does not come, the entry on the phone stays until the phone drops it.
            match app.supervisor.online(account, &instance.id).await {
                Ok(live) if live.leased => {}
                // Another node has it, and logs it out; or the program stops. The rest is the
                // next look's.
                Ok(_) => return Ok(Outcome::Again),
                Err(error) => {
                    tracing::debug!(instance.id = %instance.id, error = &error as &dyn std::error::Error, "no link to log out over yet");
                    return Ok(Outcome::Again);
                }
            }
        }
        instances::delete(app, account, &instance.id).await?;
    }
    let mut conn = app.core.store.write().await?;
    conn.system().end_guest(account, now).await?;
    app.access().commit(conn).await?;
    tracing::info!(account.id = %account, "guest session ended");
    Ok(Outcome::Done)
}

/// Not one that WhatsApp blocked or whose place another program took: logging in makes either worse.
fn may_come_online(instance: &Instance) -> bool {
    instance.paired
        && instance.wanted
        && instance.state != ConnectionState::Blocked
        && instance.reason != Some(StateReason::StreamReplaced)
}
