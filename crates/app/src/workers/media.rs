//! Media that are to be fetched, from callers' addresses and from WhatsApp: each by workers of its own, and none of
//! an account that has its share of them already.

use std::sync::Arc;

use futures_util::future::join_all;
use recado_model::{Result, media::MediaOrigin};
use recado_store::{FULL_MOST, MediumOf};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Outcome, ran, tried};

use crate::{
    App, Core,
    media::{
        pruning,
        shares::{Place, Shares},
    },
    messages::fetching,
};

/// Fetches of one account at once, and those of all: so many accounts can have their share.
const EACH: usize = 4;
const AT_ONCE: usize = EACH * FULL_MOST;
/// The longest nap: another node may have left something.
const LOOK_EVERY_MS: i64 = 5_000;
const PRUNE_EVERY_MS: i64 = 3600 * 1000;
/// The first look comes soon, for programs that never run an hour.
const PRUNE_FIRST_MS: i64 = 60_000;

pub async fn run(app: App, stop: CancellationToken) {
    let begun = tried(
        release(&app.core).await.map(|()| Outcome::Done),
        "could not look for media that an earlier process held",
    );
    ran("media", begun, app.core.clock.now());
    join_all(MediaOrigin::ALL.map(|origin| fetch_all(&app, origin, &stop))).await;
}

async fn fetch_all(app: &App, origin: MediaOrigin, stop: &CancellationToken) {
    let core = &app.core;
    let places = Shares::new(AT_ONCE, EACH);
    let fetches = TaskTracker::new();
    while !stop.is_cancelled() {
        let claimed = claim(core, origin, &places).await;
        let outcome = match claimed {
            Ok(_) => Outcome::Done,
            Err(_) => Outcome::Again,
        };
        ran("media", outcome, core.clock.now());
        for (medium, place) in claimed.unwrap_or_default() {
            let (app, stop) = (app.clone(), stop.clone());
            fetches.spawn(async move {
                tokio::select! {
                    // Its hold is given back, for the next start.
                    () = stop.cancelled() => let_go(&app.core, &medium).await,
                    () = fetching::fetch(&app, &medium.account, &medium.id) => {}
                }
                drop(place);
                app.core.media.bell(origin).notify_one();
            });
        }
        let wait = wait_ms(core, origin, &places).await;
        tokio::select! {
            () = stop.cancelled() => break,
            () = core.media.bell(origin).notified() => {}
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

async fn wait_ms(core: &Core, origin: MediaOrigin, places: &Shares) -> i64 {
    if places.is_full() {
        return LOOK_EVERY_MS;
    }
    let next = match core.store.read().await {
        Ok(mut conn) => {
            let next = conn.system().next_medium_due(origin, &places.full()).await;
            next.ok().flatten()
        }
        Err(_) => None,
    };
    let now = core.clock.now();
    next.map_or(LOOK_EVERY_MS, |at| at.since(now).clamp(50, LOOK_EVERY_MS))
}

/// As many as there is room for, each with its place.
async fn claim(
    core: &Core,
    origin: MediaOrigin,
    places: &Shares,
) -> Result<Vec<(MediumOf, Place)>> {
    let mut claimed = Vec::new();
    if places.is_full() {
        return Ok(claimed);
    }
    let now = core.clock.now();
    // The common case costs a read, not a write transaction.
    let mut conn = core.store.read().await?;
    let next = conn
        .system()
        .next_medium_due(origin, &places.full())
        .await?;
    drop(conn);
    if next.is_none_or(|at| at > now) {
        return Ok(claimed);
    }
    let until = now.plus_millis(fetching::HOLD_MS);
    let mut conn = core.store.write_relaxed().await?;
    while !places.is_full() {
        let full = places.full();
        let next = conn
            .system()
            .claim_medium(origin, &full, now, until)
            .await?;
        let Some(medium) = next else { break };
        // One of an account that is not full has its place: nobody else takes them.
        let Some(place) = places.try_take(&medium.account) else {
            break;
        };
        claimed.push((medium, place));
    }
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
