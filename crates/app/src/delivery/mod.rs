//! Webhooks going out: due deliveries are claimed with a lease, posted, and their outcome stored.
//!
//! At least once: a crash between the post and its outcome posts again, with the same `webhook-id`.

pub mod http;
pub mod sign;

use std::sync::Arc;

use recado_model::{
    Result,
    webhook::{AttemptOutcome, DueDelivery, NextStep, next_attempt},
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::Core;

/// Longer than one attempt can take, so that a lease never runs out under a worker.
const LEASE_SLACK_MS: i64 = 15_000;
/// The longest nap: another node may have left something.
const LOOK_EVERY_MS: i64 = 5_000;

pub(crate) async fn run(core: Arc<Core>, stop: CancellationToken) {
    let permits = Arc::new(Semaphore::new(core.config.webhooks.concurrency.max(1)));
    let attempts = TaskTracker::new();
    while !stop.is_cancelled() {
        // Made before the look, so that a ring during it is not missed.
        let rung = core.deliveries.notified();
        let due = match claim(&core, permits.available_permits()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "could not claim deliveries"
                );
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
            let latest = now.plus_millis(LOOK_EVERY_MS);
            // A delivery under lease is due but not ours: do not spin on it.
            let at = next
                .filter(|at| *at > now)
                .map_or(latest, |at| at.min(latest));
            tokio::select! {
                () = stop.cancelled() => break,
                () = rung => {}
                () = core.clock.sleep_until(at) => {}
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
    // What is under way is finished, within the attempt's own time limit.
    attempts.close();
    attempts.wait().await;
}

async fn claim(core: &Core, limit: usize) -> Result<Vec<DueDelivery>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let now = core.clock.now();
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
    let started = core.clock.now();
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
        duration_ms: now.since(started),
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
    if let Err(error) = finish(core, &delivery, &outcome).await {
        // The lease runs out and it is posted again: at least once holds.
        tracing::warn!(delivery.id = %delivery.id, error = &error as &dyn std::error::Error, "could not store the outcome of a delivery");
    }
    // A webhook has only so many places: the next in its line can have this one.
    core.deliveries.notify_one();
}

async fn finish(core: &Core, delivery: &DueDelivery, outcome: &AttemptOutcome) -> Result<()> {
    let mut conn = core.store.write_relaxed().await?;
    conn.account(&delivery.account)
        .finish_attempt(&delivery.id, outcome)
        .await?;
    Ok(conn.commit().await?)
}
