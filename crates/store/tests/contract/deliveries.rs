use std::collections::HashSet;

use recado_model::{
    EventKind, WebhookId,
    clock::OsRng,
    webhook::{AttemptOutcome, DueDelivery, NextStep},
};
use recado_store::{Store, StoreError};

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

pub async fn webhooks_keep_their_secret(bed: Bed) {
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
    store
        .append(&event(&a, &id, EventKind::Message))
        .await
        .expect("event");
    assert!(store.clear_webhook(&id, NOW).await.expect("clears"));
    assert!(!store.clear_webhook(&id, NOW).await.expect("once"));
    assert_eq!(store.webhook(&id).await.expect("get"), None);
    let log = store
        .deliveries(&id, Some("cancelled"), 1, 5)
        .await
        .expect("log");
    assert_eq!(log.total, 1, "the log stays");
    assert_eq!(conn.system().next_delivery_due().await.expect("due"), None);
    conn.commit().await.expect("commit");
    assert_ne!(
        bed.webhook(&a, &id).await,
        kept,
        "a new one has a new secret"
    );
    assert!(claim(&bed.store, "w", 0, 9).await.is_empty());
}

pub async fn attempts_are_kept(bed: Bed) {
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
        .deliveries(&id, Some("delivered"), 1, 9)
        .await
        .expect("log");
    assert_eq!((log.total, log.items[0].attempts), (1, 2));
    assert_eq!(conn.system().next_delivery_due().await.expect("due"), None);
}

pub async fn no_delivery_is_claimed_twice(bed: Bed) {
    const COUNT: usize = 200;
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    bed.webhook(&a, &id).await;
    let mut conn = bed.store.write().await.expect("write");
    for _ in 0..COUNT {
        let mut store = conn.account(&a);
        store
            .append(&event(&a, &id, EventKind::Message))
            .await
            .expect("event");
    }
    conn.commit().await.expect("commit");
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

pub async fn no_delivery_crosses_accounts(bed: Bed) {
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
    assert!(!store.clear_webhook(&id, NOW).await.expect("no"));
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
        .deliveries(&id, Some("pending"), 1, 9)
        .await;
    assert_eq!(log.expect("log").total, 1);
}
