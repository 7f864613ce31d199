//! Frames of history that wait in this node's spool, stored one at a time of each instance; and what is missing, told once
//! nothing has come for a while.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use recado_model::{InstanceId, Result};
use recado_store::FrameOf;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Outcome, ran, tried};
use crate::{Core, history};

/// Instances whose frames are stored at once.
const AT_ONCE: usize = 4;
/// Frames that are looked at, to find those of others behind those of one that has many.
const LOOKED_AT: u32 = 200;
const LOOK_EVERY_MS: i64 = 5_000;
/// After so long without news nothing more comes: frames are tried to be fetched for five minutes, from several hosts.
const QUIET_MS: i64 = 15 * 60 * 1000;
const SETTLED_AT_ONCE: u32 = 50;

type Busy = Arc<Mutex<HashSet<InstanceId>>>;

pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let (busy, storing) = (Busy::default(), TaskTracker::new());
    while !stop.is_cancelled() {
        let outcome = tried(
            round(&core, &busy, &storing, &stop).await,
            "frames of history could not be looked for; trying again",
        );
        ran("history", outcome, core.clock.now());
        tokio::select! {
            () = stop.cancelled() => break,
            () = core.frames.notified() => {}
            () = core.clock.sleep_ms(LOOK_EVERY_MS) => {}
        }
    }
    storing.close();
    storing.wait().await;
}

async fn round(
    core: &Arc<Core>,
    busy: &Busy,
    storing: &TaskTracker,
    stop: &CancellationToken,
) -> Result<Outcome> {
    let mut conn = core.store.read().await?;
    let node = &core.config.node;
    let waiting = conn.system().waiting_frames(node, LOOKED_AT).await?;
    let quiet = core.clock.now().plus_millis(-QUIET_MS);
    let mut system = conn.system();
    let settled = system.history_to_settle(quiet, SETTLED_AT_ONCE).await?;
    drop(conn);
    for frame in waiting {
        let mut at_work = busy.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = at_work.len() < AT_ONCE && at_work.insert(frame.instance.clone());
        drop(at_work);
        if is_free {
            let work = store(core.clone(), busy.clone(), frame, stop.clone());
            storing.spawn(work);
        }
    }
    for (account, instance) in settled {
        history::settle(core, &account, &instance).await?;
    }
    Ok(Outcome::Done)
}

/// One frame; then the next look finds the one behind it.
async fn store(core: Arc<Core>, busy: Busy, frame: FrameOf, stop: CancellationToken) {
    let stored = tokio::select! {
        // What is stored of it is; the rest is read again at the next start.
        () = stop.cancelled() => Ok(Outcome::Again),
        stored = history::store(&core, &frame) => stored.map(|()| Outcome::Done),
    };
    let failed = stored.is_err();
    tried(
        stored,
        "a frame of history could not be stored; trying again",
    );
    if failed {
        tokio::select! {
            () = stop.cancelled() => {}
            () = core.clock.sleep_ms(LOOK_EVERY_MS) => {}
        }
    }
    let mut at_work = busy.lock().unwrap_or_else(PoisonError::into_inner);
    at_work.remove(&frame.instance);
    drop(at_work);
    core.frames.notify_one();
}
