//! Old rows go, once a day: audit rows, ended credentials and sessions, links, networks,
//! receipts of what never came, revoked tokens. It looks after all tables at once, whosever they are, so it is no service of one noun.

use std::sync::Arc;

use recado_identity::{
    access::person::{AHEAD_MS, IDLE_MS, LONGEST_MS},
    users::login::KNOWN_MS,
};
use recado_model::Result;
use tokio_util::sync::CancellationToken;

use super::{Outcome, ran};
use crate::Core;

const DAY_MS: i64 = 24 * 3600 * 1000;
/// So long ended credentials stay in their owner's list.
const ENDED_KEEP_MS: i64 = 90 * DAY_MS;
/// Links that are over are told from those that never were for so long.
const LINKS_KEEP_MS: i64 = 7 * DAY_MS;
/// Receipts of messages that never came.
const RECEIPTS_KEEP_MS: i64 = 30 * DAY_MS;
/// The first look comes soon, for programs that never run a day.
const FIRST_LOOK_MS: i64 = 60_000;
const BATCH: u32 = 500;

/// Once a day, old rows go: audit rows, ended credentials and sessions, links, revoked tokens
/// that would have expired anyway.
pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut next = core.clock.monotonic().plus_millis(FIRST_LOOK_MS);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.clock.sleep_until_monotonic(next) => {}
        }
        // Counted from the beginning of this look, however long it takes.
        next = core.clock.monotonic().plus_millis(DAY_MS);
        let outcome = match prune(&core, &stop).await {
            Ok(()) => Outcome::Done,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "could not remove what is over its time; trying again tomorrow"
                );
                Outcome::GaveUp
            }
        };
        ran("retention", outcome, core.clock.now());
    }
}

async fn prune(core: &Core, stop: &CancellationToken) -> Result<()> {
    let now = core.clock.now();
    let days = core.config.audit_retention_days;
    let oldest = now.plus_millis(-days.saturating_mul(DAY_MS));
    let ended = now.plus_millis(-ENDED_KEEP_MS);
    let (opened, seen) = (now.plus_millis(-LONGEST_MS), now.plus_millis(-IDLE_MS));
    let ahead = now.plus_millis(AHEAD_MS);
    let links = now.plus_millis(-LINKS_KEEP_MS);
    let networks = now.plus_millis(-KNOWN_MS);
    let receipts_from = now.plus_millis(-RECEIPTS_KEEP_MS);
    let (mut audit, mut credentials, mut people, mut receipts) = (true, true, true, true);
    // One transaction a batch: whoever else writes gets in between.
    while (audit || credentials || people || receipts) && !stop.is_cancelled() {
        let mut conn = core.store.write_relaxed().await?;
        let mut system = conn.system();
        if audit {
            audit = system.prune_audit(oldest, BATCH).await? >= u64::from(BATCH);
        }
        if credentials {
            credentials = system.prune_credentials(ended, BATCH).await? >= u64::from(BATCH);
        }
        if receipts {
            receipts = system.prune_receipts(receipts_from, BATCH).await? >= u64::from(BATCH);
        }
        if people {
            let mut of_people = conn.people();
            let sessions = of_people
                .prune_user_sessions(opened, seen, ahead, BATCH)
                .await?;
            let links = of_people.prune_links(links, BATCH).await?;
            let networks = of_people.prune_user_networks(networks, BATCH).await?;
            people = sessions.max(links).max(networks) >= u64::from(BATCH);
        }
        conn.commit().await?;
    }
    let mut conn = core.store.write_relaxed().await?;
    conn.system().prune_revoked_jwts(now).await?;
    conn.commit().await?;
    Ok(())
}
