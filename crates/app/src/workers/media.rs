//! Media that are to be fetched, from callers' addresses and from WhatsApp.

use std::sync::Arc;

use recado_model::Result;
use recado_store::MediumOf;
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Outcome, ran, tried};
use crate::{App, Core, media::pruning, messages::fetching};

/// Fetches at once.
const AT_ONCE: usize = 6;
/// The longest nap: another node may have left something.
const LOOK_EVERY_MS: i64 = 5_000;
const PRUNE_EVERY_MS: i64 = 3600 * 1000;
/// The first look comes soon, for programs that never run an hour.
const PRUNE_FIRST_MS: i64 = 60_000;

pub async fn run(app: App, stop: CancellationToken) {
    let core = app.core.clone();
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let fetches = TaskTracker::new();
    let begun = tried(
        release(&core).await.map(|()| Outcome::Done),
        "could not look for media that an earlier process held",
    );
    ran("media", begun, core.clock.now());
    while !stop.is_cancelled() {
        let claimed = claim(&core, room.available_permits()).await;
        let outcome = match claimed {
            Ok(_) => Outcome::Done,
            Err(_) => Outcome::Again,
        };
        ran("media", outcome, core.clock.now());
        for medium in claimed.unwrap_or_default() {
            let Ok(permit) = room.clone().acquire_owned().await else {
                return;
            };
            let (app, stop) = (app.clone(), stop.clone());
            fetches.spawn(async move {
                tokio::select! {
                    // Its hold is given back, for the next start.
                    () = stop.cancelled() => let_go(&app.core, &medium).await,
                    () = fetching::fetch(&app, &medium.account, &medium.id) => {}
                }
                drop(permit);
                app.core.media.bell.notify_one();
            });
        }
        let wait = wait_ms(&core, room.available_permits()).await;
        tokio::select! {
            () = stop.cancelled() => break,
            () = core.media.bell.notified() => {}
            () = core.clock.sleep_ms(wait) => {}
        }
    }
    fetches.close();
    fetches.wait().await;
}

/// What this process held when it ended, if it did not let go.
async fn release(core: &Core) -> Result<()> {
    let mut conn = core.store.write_relaxed().await?;
    conn.system().release_media(core.clock.now()).await?;
    Ok(conn.commit().await?)
}

async fn wait_ms(core: &Core, room: usize) -> i64 {
    if room == 0 {
        return LOOK_EVERY_MS;
    }
    let next = match core.store.read().await {
        Ok(mut conn) => conn.system().next_medium_due().await.ok().flatten(),
        Err(_) => None,
    };
    let now = core.clock.now();
    next.map_or(LOOK_EVERY_MS, |at| at.since(now).clamp(50, LOOK_EVERY_MS))
}

async fn claim(core: &Core, room: usize) -> Result<Vec<MediumOf>> {
    if room == 0 {
        return Ok(Vec::new());
    }
    let now = core.clock.now();
    // The common case costs a read, not a write transaction.
    let next = core.store.read().await?.system().next_medium_due().await?;
    if next.is_none_or(|at| at > now) {
        return Ok(Vec::new());
    }
    let until = now.plus_millis(fetching::HOLD_MS);
    let mut conn = core.store.write_relaxed().await?;
    let limit = u32::try_from(room).unwrap_or(u32::MAX);
    let claimed = conn.system().claim_media(now, until, limit).await?;
    conn.commit().await?;
    Ok(claimed)
}

async fn let_go(core: &Core, medium: &MediumOf) {
    let now = core.clock.now();
    let done = async {
        let mut conn = core.store.write_relaxed().await?;
        conn.account(&medium.account)
            .hold_medium(&medium.id, now)
            .await?;
        conn.commit().await
    };
    if let Err(error) = done.await {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "a medium stays held for a while"
        );
    }
}

/// Once an hour, what is over its time or its account's share goes.
pub async fn prune(core: Arc<Core>, stop: CancellationToken) {
    let mut next = core.clock.monotonic().plus_millis(PRUNE_FIRST_MS);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.clock.sleep_until_monotonic(next) => {}
        }
        next = core.clock.monotonic().plus_millis(PRUNE_EVERY_MS);
        let pruned = pruning::prune(&core, &stop).await;
        let outcome = tried(
            pruned.map(|()| Outcome::Done),
            "could not remove media that are over their time; trying again",
        );
        ran("media_pruning", outcome, core.clock.now());
    }
}
