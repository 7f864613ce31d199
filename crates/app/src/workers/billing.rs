//! Closes the connections of instances whose time is over, and brings back those that are paid for
//! again. The pairing stays, and what is sent meanwhile waits at WhatsApp.

use recado_model::{
    AccountId, ConnectionState, InstanceId, Monotonic, Result, StateReason, Timestamp,
};
use tokio_util::sync::CancellationToken;

use super::{Outcome, ran, tried};
use crate::{App, billing::ProviderKind};

/// How soon a change by another process (the command line) is seen.
const EPOCH_EVERY_MS: i64 = 1_000;
/// How late the end of a period may be noticed.
const LOOK_EVERY_MS: i64 = 15_000;

pub async fn run(app: App, stop: CancellationToken) {
    let mut known = None;
    let mut looked = None;
    while !stop.is_cancelled() {
        let outcome = tried(
            step(&app, &mut known, &mut looked)
                .await
                .map(|()| Outcome::Done),
            "could not look for instances whose time is over; trying again",
        );
        ran("billing", outcome, app.core.clock.now());
        if outcome == Outcome::Done && app.core.config.billing.provider == ProviderKind::Off {
            // Nothing ever ends here. The instances that an earlier choice of the operator had closed are back.
            return;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.core.clock.sleep_ms(EPOCH_EVERY_MS) => {}
        }
    }
}

async fn step(app: &App, known: &mut Option<i64>, looked: &mut Option<Monotonic>) -> Result<()> {
    let (now, here) = (app.core.clock.now(), app.core.clock.monotonic());
    let epoch = app.core.store.read().await?.system().epoch().await?;
    let fresh = looked.is_some_and(|at| here.since(at) < LOOK_EVERY_MS);
    if fresh && *known == Some(epoch) {
        return Ok(());
    }
    look(app, now).await?;
    *known = Some(epoch);
    *looked = Some(here);
    Ok(())
}

async fn look(app: &App, now: Timestamp) -> Result<()> {
    let mut conn = app.core.store.read().await?;
    let node = &app.core.config.node;
    let rows = conn.system().billing_looks(node, now).await?;
    drop(conn);
    let mut back = false;
    for row in rows {
        let works = app.core.billing.standing(&row.billing, now).status.works();
        match (works, row.closed) {
            (false, _) => app.supervisor.unpaid(&row.instance),
            (true, true) => back |= reopen(app, &row.account, &row.instance).await?,
            (true, false) => {}
        }
    }
    if back {
        // It starts them one after another, as after a start of the program.
        app.supervisor.look_now();
    }
    Ok(())
}

/// The row no longer says that it is closed; whether there is something to start.
async fn reopen(app: &App, account: &AccountId, id: &InstanceId) -> Result<bool> {
    let mut conn = app.core.store.write().await?;
    let mut store = conn.account(account);
    // Another node may have seen it first.
    let row = store.instance(id).await?;
    let Some(row) = row.filter(|row| row.reason == Some(StateReason::Unpaid)) else {
        return Ok(false);
    };
    let starts = row.paired && row.wanted;
    let (state, reason) = match starts {
        true => (ConnectionState::Connecting, Some(StateReason::Starting)),
        false => (ConnectionState::Disconnected, None),
    };
    let now = app.core.clock.now();
    store.set_state(id, state, reason, now).await?;
    conn.commit().await?;
    tracing::info!(instance.id = %id, "paid for again");
    Ok(starts)
}
