use recado_model::{
    InstanceId, JobId, MessageId, MessageStatus, Timestamp, clock::OsRng, message::InboundMessage,
};
use recado_store::AccountStore;

use crate::{
    bed::{Bed, NOW},
    messages::{OWN, outgoing},
};

async fn put(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    run_at: Timestamp,
    now: Timestamp,
) -> JobId {
    let id = JobId::random(&OsRng);
    store
        .enqueue(&id, instance, "send", "{}", run_at, now)
        .await
        .expect("enqueues");
    id
}

async fn head(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    now: Timestamp,
) -> Option<JobId> {
    let next = store.next_job(instance, now).await.expect("next");
    next.map(|job| job.id)
}

pub async fn jobs_keep_their_order(bed: Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let mut jobs = Vec::new();
    for _ in 0..3 {
        jobs.push(put(&mut store, &id, NOW, NOW).await);
    }
    assert_eq!(store.job_count(&id).await.expect("counts"), 3);
    assert_eq!(store.next_due(&id).await.expect("due"), Some(NOW));
    let first = store.next_job(&id, NOW).await.expect("next").expect("due");
    assert_eq!(
        (&first.id, first.attempts, first.kind.as_str()),
        (&jobs[0], 0, "send")
    );
    let later = NOW.plus_secs(60);
    assert!(store.retry_job(&first.id, later).await.expect("retries"));
    assert_eq!(
        head(&mut store, &id, NOW).await,
        None,
        "keeps its place and blocks those behind it"
    );
    assert_eq!(store.next_due(&id).await.expect("due"), Some(later));
    let again = store.next_job(&id, later).await.expect("next");
    assert_eq!(
        again.map(|job| (job.id, job.attempts)),
        Some((jobs[0].clone(), 1))
    );
    // The clock stepped back, or another process has one that is behind.
    jobs.push(put(&mut store, &id, NOW.plus_secs(-9), NOW.plus_secs(-9)).await);
    conn.commit().await.expect("commit");
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&b);
    assert!(!store.finish_job(&jobs[0]).await.expect("not B's"));
    assert!(!store.retry_job(&jobs[0], NOW).await.expect("not B's"));
    assert_eq!(store.job_count(&id).await.expect("counts"), 0);
    let dropped = store.drop_queue(&id, "not B's", NOW).await;
    assert_eq!(dropped.expect("none"), 0);
    let mut store = conn.account(&a);
    for job in &jobs {
        assert_eq!(head(&mut store, &id, later).await.as_ref(), Some(job));
        assert!(store.finish_job(job).await.expect("finishes"));
        assert!(!store.finish_job(job).await.expect("once"));
    }
    assert_eq!(store.next_due(&id).await.expect("due"), None);
}

pub async fn delayed_jobs_join_when_they_are_due(bed: Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let at = |seconds| NOW.plus_secs(seconds);
    let delayed = put(&mut store, &id, at(60), NOW).await;
    assert_eq!(head(&mut store, &id, NOW).await, None);
    assert_eq!(store.next_due(&id).await.expect("due"), Some(at(60)));
    let sooner = put(&mut store, &id, at(30), NOW).await;
    assert_eq!(store.next_due(&id).await.expect("due"), Some(at(30)));
    let now = put(&mut store, &id, NOW, NOW).await;
    assert_eq!(store.next_due(&id).await.expect("due"), Some(NOW));
    assert_eq!(
        head(&mut store, &id, NOW).await.as_ref(),
        Some(&now),
        "what is for later holds up nothing"
    );
    // A retry beyond the time of a delayed one: that one has joined behind it.
    store.retry_job(&now, at(90)).await.expect("retries");
    assert_eq!(head(&mut store, &id, at(70)).await, None);
    assert_eq!(store.next_due(&id).await.expect("due"), Some(at(90)));
    // Came after the delayed one was due, so it goes after it.
    let last = put(&mut store, &id, at(80), at(80)).await;
    // And a delayed one that is tried again blocks as any other does.
    assert_eq!(head(&mut store, &id, at(90)).await.as_ref(), Some(&now));
    store.finish_job(&now).await.expect("finishes");
    store.retry_job(&sooner, at(95)).await.expect("retries");
    assert_eq!(head(&mut store, &id, at(90)).await, None);
    for job in [&sooner, &delayed, &last] {
        assert_eq!(head(&mut store, &id, at(95)).await.as_ref(), Some(job));
        store.finish_job(job).await.expect("finishes");
    }
    assert_eq!(store.next_due(&id).await.expect("due"), None);
}

pub async fn a_dropped_queue_fails_its_messages(bed: Bed) {
    let a = bed.account("a").await;
    let one = bed.instance(&a, "one").await.id;
    let two = bed.instance(&a, "two").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let statuses = [
        MessageStatus::Queued,
        MessageStatus::Sending,
        MessageStatus::Sent,
    ];
    for instance in [&one, &two] {
        for status in statuses {
            let message = outgoing(status.as_str());
            let made = store.insert_outgoing(instance, &message, OWN, NOW).await;
            assert!(made.expect("new"));
            let moved = store.raise_status(instance, &message.id, status, NOW).await;
            moved.expect("moves");
        }
        put(&mut store, instance, NOW, NOW).await;
        put(&mut store, instance, NOW.plus_secs(60), NOW).await;
    }
    let arrived = InboundMessage {
        instance: one.clone(),
        id: MessageId::from_wire("I1"),
        chat: "2@s.whatsapp.net".into(),
        sender: "2@s.whatsapp.net".into(),
        from_me: false,
        is_group: false,
        push_name: None,
        kind: "text".into(),
        text: None,
        at: NOW,
        body: serde_json::Value::Null,
    };
    store.record_inbound(&arrived, NOW).await.expect("new");
    let later = NOW.plus_secs(9);
    let why = "the phone ended the link";
    let dropped = store.drop_queue(&one, why, later).await;
    assert_eq!(dropped.expect("drops"), 2);
    assert_eq!(store.job_count(&one).await.expect("counts"), 0);
    assert_eq!(store.job_count(&two).await.expect("counts"), 2);
    for status in statuses {
        let id = MessageId::from_wire(status.as_str());
        let found = store.message(&one, &id).await.expect("get").expect("there");
        let expected = match status {
            MessageStatus::Sent => (MessageStatus::Sent, None, NOW),
            _ => (MessageStatus::Failed, Some(why), later),
        };
        assert_eq!(
            (found.status, found.reason.as_deref(), found.updated_at),
            expected
        );
        let found = store.message(&two, &id).await.expect("get").expect("there");
        assert_eq!((found.status, found.reason), (status, None));
    }
    let found = store.message(&one, &arrived.id).await.expect("get");
    assert_eq!(found.expect("there").status, MessageStatus::Received);
    let again = store.drop_queue(&one, why, later).await;
    assert_eq!(again.expect("empty"), 0);
}
