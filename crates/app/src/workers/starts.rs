//! Brings back what was connected, staggered, and then looks for instances without an actor.

use tokio_util::sync::CancellationToken;

use super::{Outcome, ran, tried};
use crate::supervisor::Supervisor;

/// How often they are looked for (another node died, an actor panicked).
const LOOK_EVERY_MS: i64 = 10_000;

pub async fn run(supervisor: Supervisor, stop: CancellationToken) {
    let core = supervisor.core.clone();
    supervisor.tell_place().await;
    while !stop.is_cancelled() {
        let outcome = tried(
            supervisor.start_wanted(&stop).await.map(|()| Outcome::Done),
            "could not look for instances to start",
        );
        ran("starts", outcome, core.clock.now());
        tokio::select! {
            () = stop.cancelled() => return,
            () = supervisor.asked_to_look() => {}
            () = core.clock.sleep_ms(LOOK_EVERY_MS) => {}
        }
    }
}
