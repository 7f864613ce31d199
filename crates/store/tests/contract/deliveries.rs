use std::collections::HashSet;

use recado_model::{
    AccountId, EventKind, InstanceId, Timestamp, WebhookId,
    clock::OsRng,
    webhook::{AttemptOutcome, DeliveryState, DueDelivery, NextStep},
};
use recado_store::{Store, StoreError, system::claims::UNDER_WAY_PER_WEBHOOK};

use crate::bed::{Bed, NOW, event, secret};

fn outcome(next: NextStep) -> AttemptOutcome {
    AttemptOutcome {
        at: NOW,
        duration_ms: 12,
        status: Some(503),
        error: Some("the receiver answered 503".into()),
        next,
    }
}

impl Bed {
    /// So many messages, in one transaction.
    async fn events(&self, account: &AccountId, instance: &InstanceId, count: i64) {
        let mut conn = self.store.write().await.expect("write");
        for _ in 0..count {
            let event = event(account, instance, EventKind::Message);
            conn.account(account).append(&event).await.expect("event");
        }
        conn.commit().await.expect("commit");
    }

    async fn next_due(&self) -> Option<Timestamp> {
        let mut conn = self.store.read().await.expect("read");
        conn.system().next_delivery_due().await.expect("due")
    }

    async fn finish(&self, delivery: &DueDelivery, next: NextStep) {
        let mut conn = self.store.write().await.expect("write");
        let mut store = conn.account(&delivery.account);
        let noted = store.finish_attempt(&delivery.id, &outcome(next)).await;
        assert!(noted.expect("notes"));
        conn.commit().await.expect("commit");
    }
}

async fn claim(store: &Store, worker: &str, at: i64, limit: u32) -> Vec<DueDelivery> {
    let now = NOW.plus_secs(at);
    let mut conn = store.write().await.expect("write");
    let due = conn
        .system()
        .claim_deliveries(worker, now, now.plus_secs(30), limit)
        .await
        .expect("claims");
    conn.commit().await.expect("commit");
    due
}

pub async fn webhooks_keep_their_secret(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let kept = bed.webhook(&a, &id).await;
    let kinds = [EventKind::Message, EventKind::Connected];
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let first = store.webhook(&id).await.expect("get").expect("there");
    assert_eq!(first.events, [EventKind::All]);
    for events in [Some(&kinds[..]), None] {
        let (webhook, same) = store
            .set_webhook(
                &WebhookId::random(&OsRng),
                &id,
                "https://new",
                events,
                &secret(),
                NOW,
            )
            .await
            .expect("sets");
        assert_eq!(same, kept);
        assert_eq!(
            (webhook.id, webhook.url.as_str()),
            (first.id.clone(), "https://new")
        );
        assert_eq!(webhook.events, kinds, "{events:?}");
    }
    let ids = [id.clone()];
    assert_eq!(
        store.webhooks(&ids).await.expect("list")[&id].url,
        "https://new"
    );
}

pub async fn attempts_are_kept(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let kept = bed.webhook(&a, &id).await;
    bed.event(&a, &id, EventKind::Message).await;
    let due = claim(&bed.store, "w1", 0, 9).await;
    assert_eq!(due.len(), 1);
    let delivery = &due[0];
    assert_eq!((&delivery.account, &delivery.instance), (&a, &id));
    assert_eq!(delivery.secret, kept.0);
    assert_eq!(
        (delivery.attempts, delivery.event_kind),
        (0, EventKind::Message)
    );
    assert!(
        delivery.body.contains(r#""type":"Message""#),
        "{}",
        delivery.body
    );
    assert!(claim(&bed.store, "w2", 1, 9).await.is_empty(), "leased");
    let mut conn = bed.store.read().await.expect("read");
    let next = conn.system().next_delivery_due().await.expect("due");
    assert_eq!(next, Some(NOW.plus_secs(30)), "the end of the lease");
    drop(conn);
    assert_eq!(
        claim(&bed.store, "w2", 30, 9).await.len(),
        1,
        "the first worker died"
    );
    let retry = NOW.plus_secs(300);
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let retried = store
        .finish_attempt(&delivery.id, &outcome(NextStep::RetryAt(retry)))
        .await;
    assert!(retried.expect("notes"));
    let log = store.deliveries(&id, None, 1, 9).await.expect("log");
    let row = &log.items[0];
    assert_eq!(
        (row.state.as_str(), row.attempts, row.next_at),
        ("pending", 1, retry)
    );
    assert_eq!(
        (row.last_status, row.last_error.is_some()),
        (Some(503), true)
    );
    assert_eq!(
        conn.system().next_delivery_due().await.expect("due"),
        Some(retry)
    );
    conn.commit().await.expect("commit");
    assert!(claim(&bed.store, "w1", 299, 9).await.is_empty());
    assert_eq!(claim(&bed.store, "w1", 300, 9).await[0].attempts, 1);
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let done = store
        .finish_attempt(&delivery.id, &outcome(NextStep::Done))
        .await;
    assert!(done.expect("notes"));
    let late = store
        .finish_attempt(&delivery.id, &outcome(NextStep::GiveUp))
        .await;
    assert!(!late.expect("settled"), "a late worker changes nothing");
    let log = store
        .deliveries(&id, Some(DeliveryState::Delivered), 1, 9)
        .await
        .expect("log");
    assert_eq!((log.total, log.items[0].attempts), (1, 2));
    assert_eq!(conn.system().next_delivery_due().await.expect("due"), None);
}

pub async fn no_delivery_is_claimed_twice(bed: &Bed) {
    const WEBHOOKS: usize = 40;
    const COUNT: usize = WEBHOOKS * UNDER_WAY_PER_WEBHOOK as usize;
    let a = bed.account("a").await;
    for _ in 0..WEBHOOKS {
        let id = bed.instance(&a, "one").await.id;
        bed.webhook(&a, &id).await;
        bed.events(&a, &id, UNDER_WAY_PER_WEBHOOK).await;
    }
    let workers: Vec<_> = (0..8)
        .map(|n| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                let worker = format!("w{n}");
                let mut mine = Vec::new();
                loop {
                    let mut conn = store.write().await.expect("write");
                    let until = NOW.plus_secs(30);
                    match conn.system().claim_deliveries(&worker, NOW, until, 7).await {
                        Ok(due) => {
                            conn.commit().await.expect("commit");
                            mine.extend(due.into_iter().map(|delivery| delivery.id));
                        }
                        Err(StoreError::Serialization) => continue,
                        Err(error) => panic!("{error}"),
                    }
                    let mut conn = store.read().await.expect("read");
                    if conn.system().next_delivery_due().await.expect("due") == Some(until) {
                        return mine;
                    }
                }
            })
        })
        .collect();
    let mut claimed = Vec::new();
    for worker in workers {
        claimed.extend(worker.await.expect("worker"));
    }
    let distinct: HashSet<_> = claimed.iter().collect();
    assert_eq!((claimed.len(), distinct.len()), (COUNT, COUNT));
}

pub async fn no_delivery_crosses_accounts(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    bed.webhook(&a, &id).await;
    bed.event(&a, &id, EventKind::Message).await;
    let delivery = claim(&bed.store, "w", 0, 1).await.remove(0);
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&b);
    assert_eq!(store.webhook(&id).await.expect("get"), None);
    assert!(
        store
            .webhooks(std::slice::from_ref(&id))
            .await
            .expect("list")
            .is_empty()
    );
    assert_eq!(
        store.deliveries(&id, None, 1, 9).await.expect("log").total,
        0
    );
    let crossed = store
        .finish_attempt(&delivery.id, &outcome(NextStep::Done))
        .await;
    assert!(!crossed.expect("no"));
    conn.commit().await.expect("commit");
    let mut conn = bed.store.read().await.expect("read");
    let log = conn
        .account(&a)
        .deliveries(&id, Some(DeliveryState::Pending), 1, 9)
        .await;
    assert_eq!(log.expect("log").total, 1);
}

/// One webhook with a long line, another with one delivery behind it.
pub async fn a_long_line_holds_no_other_up(bed: &Bed) {
    const CAP: usize = UNDER_WAY_PER_WEBHOOK as usize;
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let slow = bed.instance(&a, "slow").await.id;
    let quick = bed.instance(&b, "quick").await.id;
    bed.webhook(&a, &slow).await;
    bed.webhook(&b, &quick).await;
    assert_eq!(bed.next_due().await, None);
    bed.events(&a, &slow, 20).await;
    assert_eq!(bed.next_due().await, Some(NOW));
    let first = claim(&bed.store, "w1", 0, 9).await;
    assert_eq!(first.len(), CAP, "no more than its places");
    assert_eq!(
        bed.next_due().await,
        Some(NOW.plus_secs(30)),
        "16 more are due, but none can be had before a lease ends"
    );
    assert!(claim(&bed.store, "w2", 1, 9).await.is_empty());
    bed.events(&b, &quick, 2).await;
    assert_eq!(bed.next_due().await, Some(NOW));
    let others = claim(&bed.store, "w2", 1, 9).await;
    assert!(others.iter().all(|delivery| delivery.instance == quick));
    assert_eq!(others.len(), 2);
    // An attempt that ended frees one place, whatever came of it.
    bed.finish(&first[0], NextStep::Done).await;
    assert_eq!(bed.next_due().await, Some(NOW));
    assert_eq!(claim(&bed.store, "w1", 2, 9).await.len(), 1);
    bed.finish(&first[1], NextStep::RetryAt(NOW.plus_secs(900)))
        .await;
    assert_eq!(claim(&bed.store, "w1", 3, 9).await.len(), 1);
    bed.finish(&others[0], NextStep::Done).await;
    bed.finish(&others[1], NextStep::Done).await;
    // The workers died: what they held can be had again, and counts for no place.
    assert_eq!(bed.next_due().await, Some(NOW.plus_secs(30)));
    assert_eq!(claim(&bed.store, "w3", 40, 9).await.len(), CAP);
    // Those with fewer under way go first, even when they came last.
    bed.events(&b, &quick, 3).await;
    let third = bed.instance(&b, "third").await.id;
    bed.webhook(&b, &third).await;
    bed.events(&b, &third, 3).await;
    let next = claim(&bed.store, "w3", 41, 2).await;
    let of: HashSet<_> = next.iter().map(|delivery| &delivery.instance).collect();
    assert_eq!(of, HashSet::from([&quick, &third]), "one each");
}

pub async fn what_cannot_be_posted_has_failed(bed: &Bed) {
    let a = bed.account("a").await;
    let good = bed.instance(&a, "good").await.id;
    let bad = bed.instance(&a, "bad").await.id;
    let gone = bed.instance(&a, "gone").await.id;
    for id in [&good, &bad, &gone] {
        bed.webhook(&a, id).await;
        bed.event(&a, id, EventKind::Message).await;
    }
    bed.event(&a, &good, EventKind::Connected).await;
    bed.raw(
        "UPDATE event SET kind = 'OfANewerProgram' WHERE kind = 'Connected'; \
         UPDATE webhook SET sealed_secret = (SELECT w.sealed_secret FROM webhook w JOIN instance i \
         ON i.id = w.instance_id WHERE i.number = 1) \
         WHERE instance_id = (SELECT id FROM instance WHERE number = 2); \
         DELETE FROM webhook WHERE instance_id = (SELECT id FROM instance WHERE number = 3)",
    )
    .await;
    let due = claim(&bed.store, "w", 0, 9).await;
    assert_eq!(due.len(), 1);
    assert_eq!(
        (&due[0].instance, due[0].event_kind),
        (&good, EventKind::Message)
    );
    let mut conn = bed.store.read().await.expect("read");
    let mut store = conn.account(&a);
    for id in [&bad, &gone] {
        let log = store
            .deliveries(id, Some(DeliveryState::Failed), 1, 9)
            .await;
        let log = log.expect("log");
        assert_eq!((log.total, log.items[0].attempts), (1, 0));
        let why = log.items[0].last_error.as_deref().expect("says why");
        assert!(why.starts_with("not posted: "), "{why}");
    }
    drop(conn);
    bed.finish(&due[0], NextStep::Done).await;
    assert_eq!(bed.next_due().await, None, "all are settled");
}

/// Whether a commit has rung since the last look.
fn has_rung(store: &Store) -> bool {
    let waker = std::task::Waker::noop();
    let mut rung = std::pin::pin!(store.deliveries_rung());
    let polled = rung
        .as_mut()
        .poll(&mut std::task::Context::from_waker(waker));
    polled.is_ready()
}

pub async fn commits_ring_for_deliveries(bed: &Bed) {
    let a = bed.account("a").await;
    let quiet = bed.instance(&a, "without a webhook").await.id;
    let id = bed.instance(&a, "one").await.id;
    bed.webhook(&a, &id).await;
    bed.events(&a, &quiet, 1).await;
    assert!(!has_rung(&bed.store), "nothing to deliver");
    let mut conn = bed.store.write().await.expect("write");
    let told = event(&a, &id, EventKind::Message);
    conn.account(&a).append(&told).await.expect("event");
    assert!(!has_rung(&bed.store), "not committed yet");
    drop(conn);
    assert!(!has_rung(&bed.store), "taken back");
    bed.events(&a, &id, 1).await;
    assert!(has_rung(&bed.store));
    assert!(!has_rung(&bed.store), "once");
    let due = claim(&bed.store, "w1", 0, 9).await;
    assert!(!has_rung(&bed.store), "a claim leaves nothing more to do");
    bed.finish(&due[0], NextStep::Done).await;
    assert!(has_rung(&bed.store), "a place is free");
}

/// The leases of the worker whose clock went back end as late from now as before, and nothing is tried late.
pub async fn a_step_of_the_clock_makes_nothing_late(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    bed.webhook(&a, &id).await;
    bed.events(&a, &id, 3).await;
    let due = claim(&bed.store, "w1", 0, 2).await;
    assert_eq!(due.len(), 2);
    let again = NextStep::RetryAt(NOW.plus_secs(100));
    bed.finish(&due[0], again).await;
    let back = NOW.plus_secs(-50);
    let mut conn = bed.store.write().await.expect("write");
    let mut system = conn.system();
    let stepped = system.deliveries_after_step("w1", back, -50_000);
    stepped.await.expect("steps");
    conn.commit().await.expect("commit");
    let soon: Vec<_> = claim(&bed.store, "w2", -50, 9).await;
    assert_eq!(soon.len(), 1, "the one that was never tried");
    // The lease of the other was for 30 s, and the retry for 100 s. A receiver that failed gets one at a time.
    let free: Vec<_> = claim(&bed.store, "w3", -19, 9).await;
    assert_eq!(free.len(), 1, "a lease is over");
    assert_eq!(free[0].attempts, 0);
    let late: Vec<_> = claim(&bed.store, "w4", 50, 9).await;
    assert!(late.iter().any(|delivery| delivery.attempts == 1));
}
