//! Keeps the leases of running instances, in time whatever else goes on.

use tokio_util::sync::CancellationToken;

use super::{Outcome, ran, tried};
use crate::supervisor::Supervisor;

pub async fn run(supervisor: Supervisor, stop: CancellationToken) {
    let core = supervisor.core.clone();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.clock.sleep_ms(core.config.lease_ms / 3) => {}
        }
        let outcome = tried(
            supervisor.renew_leases().await.map(|()| Outcome::Done),
            "could not renew instance leases",
        );
        ran("leases", outcome, core.clock.now());
    }
}
