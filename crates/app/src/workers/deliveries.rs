//! Webhooks going out: due deliveries are claimed with a lease, posted, and their outcome stored.
//!
//! At least once: a crash between the post and its outcome posts again, with the same `webhook-id`.

mod sign;

use std::sync::Arc;

use recado_identity::{clock::Steps, faults};
use recado_model::{
    Result, Timestamp,
    webhook::{AttemptOutcome, DueDelivery, NextStep, next_attempt},
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Outcome, ran};
use crate::Core;

/// Longer than one attempt can take, so that a lease never runs out under a worker.
const LEASE_SLACK_MS: i64 = 15_000;
/// The longest nap: another node may have left something.
const LOOK_EVERY_MS: i64 = 5_000;

pub async fn run(core: Arc<Core>, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(core.config.webhooks.concurrency.max(1)));
    let attempts = TaskTracker::new();
    let mut steps = Steps::new(&*core.clock);
    let mut started = false;
    while !stop.is_cancelled() {
        // Made before the look, so that a ring during it is not missed.
        let rung = core.store.deliveries_rung();
        let due = async {
            let now = put_right(&core, &mut steps, &mut started).await?;
            claim(&core, now, permits.available_permits()).await
        };
        let due = due.await;
        let outcome = match due {
            Ok(_) => Outcome::Done,
            Err(_) => Outcome::Again,
        };
        ran("deliveries", outcome, core.clock.now());
        let due = match due {
            Ok(due) => due,
            Err(error) => {
                faults::warn(&error, "could not claim deliveries");
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = core.clock.sleep_ms(1_000) => {}
                }
                continue;
            }
        };
        if due.is_empty() {
            let now = core.clock.now();
            let next = match core.store.read().await {
                Ok(mut conn) => conn.system().next_delivery_due().await.ok().flatten(),
                Err(_) => None,
            };
            // A delivery under lease is due but not ours: do not spin on it.
            let wait = next
                .filter(|at| *at > now)
                .map_or(LOOK_EVERY_MS, |at| at.since(now).min(LOOK_EVERY_MS));
            tokio::select! {
                () = stop.cancelled() => break,
                () = rung => {}
                () = core.clock.sleep_ms(wait) => {}
            }
            continue;
        }
        for delivery in due {
            let Ok(permit) = permits.clone().acquire_owned().await else {
                return;
            };
            let core = core.clone();
            attempts.spawn(async move {
                attempt(&core, delivery).await;
                drop(permit);
            });
        }
        // All permits taken: wait for one instead of claiming nothing in a loop.
        if permits.available_permits() == 0 {
            drop(permits.acquire().await);
        }
    }
    // Attempts under way are finished, within the attempt's own time limit.
    attempts.close();
    attempts.wait().await;
}

/// When deliveries are due and leases end are times of the wall, for all nodes and the next start. When
/// somebody sets the clock they are put right before anything is claimed by them. The time now.
async fn put_right(core: &Core, steps: &mut Steps, started: &mut bool) -> Result<Timestamp> {
    let (now, step_ms) = steps.look(&*core.clock);
    if step_ms == 0 && *started {
        return Ok(now);
    }
    if step_ms != 0 {
        tracing::warn!(step_ms, "the clock of this machine was set");
    }
    let mut conn = core.store.write_relaxed().await?;
    conn.system()
        .deliveries_after_step(&core.config.node, now, step_ms)
        .await?;
    conn.commit().await?;
    steps.settled();
    *started = true;
    Ok(now)
}

async fn claim(core: &Core, now: Timestamp, limit: usize) -> Result<Vec<DueDelivery>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    // The common case costs a read, not a write transaction.
    let next = core
        .store
        .read()
        .await?
        .system()
        .next_delivery_due()
        .await?;
    if next.is_none_or(|at| at > now) {
        return Ok(Vec::new());
    }
    let lease = now.plus_millis(core.config.webhooks.timeout_ms as i64 + LEASE_SLACK_MS);
    let mut conn = core.store.write_relaxed().await?;
    let due = conn
        .system()
        .claim_deliveries(
            &core.config.node,
            now,
            lease,
            u32::try_from(limit).unwrap_or(u32::MAX),
        )
        .await?;
    conn.commit().await?;
    Ok(due)
}

async fn attempt(core: &Core, delivery: DueDelivery) {
    let (started, begun) = (core.clock.now(), core.clock.monotonic());
    let timestamp = started.as_secs();
    let signature = sign::signature(
        &delivery.secret,
        delivery.event.as_str(),
        timestamp,
        &delivery.body,
    );
    let answer = match signature {
        Ok(signature) => {
            let headers = [
                ("webhook-id", delivery.event.to_string()),
                ("webhook-timestamp", timestamp.to_string()),
                ("webhook-signature", signature),
                ("x-instance-id", delivery.instance.to_string()),
            ];
            core.egress
                .post_json(&delivery.url, &headers, delivery.body.clone())
                .await
        }
        Err(error) => Err(error.to_string()),
    };
    let now = core.clock.now();
    let attempts = delivery.attempts + 1;
    let (status, error, retry_after) = match &answer {
        Ok(answer) => {
            let ok = (200..300).contains(&answer.status);
            (
                Some(answer.status),
                (!ok).then(|| format!("the receiver answered {}", answer.status)),
                answer.retry_after_secs,
            )
        }
        Err(error) => (None, Some(error.clone()), None),
    };
    let next = match (&error, status) {
        (None, _) => NextStep::Done,
        // Gone: the receiver asks for no more of this.
        (_, Some(410)) => NextStep::GiveUp,
        _ => next_attempt(attempts, now, retry_after, &*core.rng)
            .map_or(NextStep::GiveUp, NextStep::RetryAt),
    };
    let outcome = AttemptOutcome {
        at: started,
        duration_ms: core.clock.monotonic().since(begun),
        status,
        error,
        next,
    };
    let label = match next {
        NextStep::Done => "delivered",
        NextStep::RetryAt(_) => "retry",
        NextStep::GiveUp => "failed",
    };
    metrics::counter!("recado_deliveries_total", "outcome" => label).increment(1);
    if let Some(error) = &outcome.error {
        tracing::debug!(delivery.id = %delivery.id, instance.id = %delivery.instance, error, "a delivery was not taken");
    }
    if let Err(error) = finish(core, &delivery, &outcome).await {
        // The lease runs out and it is posted again: at least once holds.
        if let Some(left_out) = faults::worth_a_line(&error) {
            tracing::warn!(delivery.id = %delivery.id, left_out, error = &error as &dyn std::error::Error, "could not store the outcome of a delivery");
        }
    }
}

async fn finish(core: &Core, delivery: &DueDelivery, outcome: &AttemptOutcome) -> Result<()> {
    let mut conn = core.store.write_relaxed().await?;
    conn.account(&delivery.account)
        .finish_attempt(&delivery.id, outcome)
        .await?;
    Ok(conn.commit().await?)
}
