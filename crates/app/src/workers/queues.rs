//! Looks at the queues for what another node accepted.

use tokio_util::sync::CancellationToken;

use super::{Outcome, ran, tried};
use crate::supervisor::Supervisor;

/// Among several nodes.
const EVERY_MS: i64 = 1_000;
/// One process alone tells its actors; this is for a word that was lost.
const EVERY_ALONE_MS: i64 = 10_000;

pub async fn run(supervisor: Supervisor, stop: CancellationToken) {
    let core = supervisor.core.clone();
    let every = match core.store.is_shared() {
        true => EVERY_MS,
        false => EVERY_ALONE_MS,
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.clock.sleep_ms(every) => {}
        }
        let outcome = tried(
            supervisor.wake_waiting().await.map(|()| Outcome::Done),
            "could not look at the queues; trying again",
        );
        ran("queues", outcome, core.clock.now());
    }
}
