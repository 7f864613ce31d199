use recado_model::{
    Address, ChatId, Failure, InstanceId, JobId, JobKind, Lane, MessageId, MessageStatus,
    Timestamp, clock::OsRng, failure,
};
use recado_store::{AccountStore, Conn, Job, NewJob};

use crate::{
    bed::{Bed, NOW},
    messages::{party, put_message},
};

const BIA: &str = "2@s.whatsapp.net";
const CAI: &str = "3@s.whatsapp.net";

pub async fn put(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    chat: &str,
    run_at: Option<Timestamp>,
    now: Timestamp,
) -> MessageId {
    let message = MessageId::random(&OsRng);
    put_job(store, instance, (&message, chat), run_at, now).await;
    message
}

async fn put_job(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    (message, chat): (&MessageId, &str),
    run_at: Option<Timestamp>,
    now: Timestamp,
) {
    let to = Address::from_wire(chat);
    let chat = store.chat(instance, &party(chat), now).await;
    let job = NewJob {
        id: &JobId::random(&OsRng),
        instance,
        kind: JobKind::Send,
        message,
        chat: &chat.expect("a chat"),
        to: &to,
        asks: false,
        run_at,
        valid_until: None,
    };
    store.enqueue(&job, now).await.expect("enqueues");
}

pub async fn due(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    now: Timestamp,
    without: &[&str],
) -> Vec<Job> {
    let mut chats = Vec::new();
    for chat in without {
        let chat = store.known_chat(instance, &Address::from_wire(*chat)).await;
        chats.push(chat.expect("looks").expect("a chat"));
    }
    let chats: Vec<&ChatId> = chats.iter().collect();
    let due = store.due_jobs(instance, now, &chats, 64).await;
    due.expect("looks")
}

async fn line(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    now: Timestamp,
) -> Vec<MessageId> {
    let due = due(store, instance, now, &[]).await;
    due.into_iter().map(|job| job.message).collect()
}

pub async fn jobs_keep_their_order(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let mut messages = Vec::new();
    for chat in [BIA, CAI, BIA] {
        messages.push(put(&mut store, &id, chat, None, NOW).await);
    }
    assert_eq!(store.job_count(&id).await.expect("counts"), 3);
    assert_eq!(store.next_due(&id, NOW).await.expect("due"), None);
    let first = due(&mut store, &id, NOW, &[]).await.remove(0);
    assert_eq!((first.tried, first.attempts, first.silences), (false, 0, 0));
    assert!(store.try_job(&first.id).await.expect("tries"));
    assert!(
        store
            .retry_job(&first.id, Some("503"))
            .await
            .expect("retries")
    );
    assert!(store.silent_job(&first.id).await.expect("counts"));
    let again = store.job_of(&id, &messages[0]).await.expect("looks");
    let again = again.expect("keeps its place");
    assert_eq!((again.tried, again.attempts, again.silences), (true, 1, 1));
    assert_eq!(again.code.as_deref(), Some("503"));
    assert_eq!(
        store.tried_addresses(&id).await.expect("looks"),
        [Address::from_wire(BIA)]
    );
    // A busy chat holds up nobody else.
    let others = due(&mut store, &id, NOW, &[BIA]).await;
    let others: Vec<_> = others.into_iter().map(|job| job.message).collect();
    assert_eq!(others, [messages[1].clone()]);
    // The clock stepped back, or another process has one that is behind: due at once all the same, and
    // not before those that joined already.
    let back = NOW.plus_secs(-3600);
    messages.push(put(&mut store, &id, BIA, None, back).await);
    assert_eq!(line(&mut store, &id, back).await, messages);
    conn.commit().await.expect("commit");
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&b);
    assert!(!store.finish_job(&id, &messages[0]).await.expect("not B's"));
    assert!(!store.retry_job(&first.id, None).await.expect("not B's"));
    assert!(!store.try_job(&first.id).await.expect("not B's"));
    assert_eq!(store.job_count(&id).await.expect("counts"), 0);
    assert_eq!(store.job_of(&id, &messages[0]).await.expect("looks"), None);
    let mut store = conn.account(&a);
    assert_eq!(store.queued_messages(&id).await.expect("lists"), messages);
    for message in &messages {
        assert!(store.finish_job(&id, message).await.expect("finishes"));
        assert!(!store.finish_job(&id, message).await.expect("once"));
    }
    assert_eq!(line(&mut store, &id, NOW).await, []);
}

pub async fn delayed_jobs_join_when_they_are_due(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let at = |seconds| NOW.plus_secs(seconds);
    let delayed = put(&mut store, &id, BIA, Some(at(60)), NOW).await;
    assert_eq!(line(&mut store, &id, NOW).await, []);
    let next = store.next_due(&id, NOW).await.expect("due");
    assert_eq!(next, Some(at(60)));
    let sooner = put(&mut store, &id, BIA, Some(at(30)), NOW).await;
    let next = store.next_due(&id, NOW).await.expect("due");
    assert_eq!(next, Some(at(30)));
    let now = put(&mut store, &id, BIA, None, NOW).await;
    assert_eq!(
        line(&mut store, &id, NOW).await,
        std::slice::from_ref(&now),
        "what is for later holds up nothing, not even its own chat"
    );
    // Came after a delayed one was due, so it goes after it.
    let last = put(&mut store, &id, BIA, None, at(80)).await;
    assert_eq!(
        line(&mut store, &id, at(90)).await,
        [now, sooner, delayed, last]
    );
    assert_eq!(store.next_due(&id, at(90)).await.expect("due"), None);
}

pub async fn a_node_sees_which_of_its_queues_wait(bed: &Bed) {
    let a = bed.account("a").await;
    let (id, idle) = (
        bed.instance(&a, "one").await.id,
        bed.instance(&a, "two").await.id,
    );
    let mut conn = bed.store.write().await.expect("write");
    let until = NOW.plus_secs(30);
    for instance in [&id, &idle] {
        let leased = conn
            .system()
            .lease_instance(instance, "n1", until, NOW)
            .await;
        leased.expect("leases").expect("free");
    }
    let waiting = async |conn: &mut Conn, node: &str, secs: i64| {
        let found = conn
            .system()
            .waiting_queues(node, NOW.plus_secs(secs))
            .await;
        found.expect("looks")
    };
    assert_eq!(waiting(&mut conn, "n1", 0).await, []);
    let later = Some(NOW.plus_secs(5));
    put(&mut conn.account(&a), &id, BIA, later, NOW).await;
    assert_eq!(waiting(&mut conn, "n1", 4).await, []);
    assert_eq!(waiting(&mut conn, "n1", 5).await, std::slice::from_ref(&id));
    assert_eq!(waiting(&mut conn, "n2", 5).await, [], "another's");
    let job = due(&mut conn.account(&a), &id, NOW.plus_secs(5), &[])
        .await
        .remove(0);
    assert!(conn.account(&a).try_job(&job.id).await.expect("tries"));
    assert_eq!(waiting(&mut conn, "n1", 5).await, [], "under way");
}

pub async fn a_failed_message_says_why(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(put_message(&mut store, &id, "M1", BIA, NOW).await);
    let message = MessageId::from_wire("M1");
    let failure = Failure::of(failure::LOGGED_OUT);
    let later = NOW.plus_secs(9);
    let failed = MessageStatus::Failed;
    let moved = store.move_message(&id, &message, failed, Some(&failure), later);
    assert!(moved.await.expect("moves"));
    let found = store.message(&id, &message).await.expect("looks");
    let found = found.expect("there");
    assert_eq!((found.status, found.updated_at), (failed, later));
    assert_eq!(found.failure, Some(failure));
    // Asked for again: nothing of the failure stays.
    let queued = store.move_message(&id, &message, MessageStatus::Queued, None, later);
    assert!(queued.await.expect("moves"));
    let found = store.message(&id, &message).await.expect("looks");
    assert_eq!(found.expect("there").failure, None);
}

pub async fn queue_numbers_are_the_accounts(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let one = bed.instance(&a, "one").await.id;
    let two = bed.instance(&a, "two").await.id;
    let other = bed.instance(&b, "other").await.id;
    let mut conn = bed.store.write().await.expect("write");
    for (account, instance, id, number) in [
        (&a, &one, "M1", 1),
        (&a, &two, "M2", 2),
        (&b, &other, "M1", 1),
    ] {
        let mut store = conn.account(account);
        assert!(put_message(&mut store, instance, id, BIA, NOW).await);
        let message = MessageId::from_wire(id);
        let given = store.number_message(instance, &message).await;
        assert_eq!(given.expect("numbers"), number);
        let found = store.message_in_queue(number).await.expect("looks");
        assert_eq!(found.map(|row| row.id), Some(message));
    }
    let crossed = conn.account(&b).message_in_queue(2).await;
    assert_eq!(crossed.expect("looks"), None);
}

pub async fn what_goes_out_is_kept_sealed(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let message = MessageId::from_wire("M1");
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(put_message(&mut store, &id, "M1", BIA, NOW).await);
    let read = store.finished(&id, &message).await.expect("opens");
    assert_eq!(read.as_deref(), Some(b"finished".as_slice()));
    let crossed = conn.account(&b).finished(&id, &message).await;
    assert_eq!(crossed.expect("looks"), None);
}

/// A newer program on the same database: its kinds and forms are not ours to judge.
pub async fn what_a_newer_program_left_stands_aside(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let mut messages = Vec::new();
    for _ in 0..3 {
        messages.push(put(&mut store, &id, BIA, None, NOW).await);
    }
    conn.commit().await.expect("commit");
    let odd = "UPDATE job SET kind = 'dance' WHERE seq = (SELECT MIN(seq) FROM job)";
    bed.raw(odd).await;
    let newer = "UPDATE job SET version = 2 WHERE seq = (SELECT MAX(seq) FROM job)";
    bed.raw(newer).await;
    let mut conn = bed.store.read().await.expect("read");
    let mut store = conn.account(&a);
    assert_eq!(
        line(&mut store, &id, NOW).await,
        messages[1..2],
        "its chat goes on"
    );
    assert_eq!(store.unknown_jobs(&id).await.expect("counts"), 2);
    assert_eq!(
        store.job_count(&id).await.expect("counts"),
        3,
        "none is lost"
    );
    assert_eq!(store.job_of(&id, &messages[0]).await.expect("looks"), None);
    assert!(store.has_job(&id, &messages[0]).await.expect("looks"));
    bed.raw("UPDATE job SET kind = 'send', version = 1").await;
    assert_eq!(
        line(&mut store, &id, NOW).await,
        messages,
        "in its old place"
    );
}

/// The two lanes of the line, page by page; what was tried is told apart.
pub async fn a_line_is_looked_at_by_lane(bed: &Bed) {
    let a = bed.account("a").await;
    let b = bed.account("b").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let chat = "2@s.whatsapp.net";
    for (n, message) in ["M1", "M2", "M3"].into_iter().enumerate() {
        assert!(put_message(&mut store, &id, message, chat, NOW).await);
        let at = NOW.plus_secs(n as i64);
        let message = MessageId::from_wire(message);
        put_job(&mut store, &id, (&message, chat), None, at).await;
    }
    let ids = |rows: Vec<recado_store::QueuedRow>| -> Vec<String> {
        let ids = rows.iter().map(|row| row.message.as_str().to_owned());
        ids.collect()
    };
    let page = store
        .queued(&id, Lane::Messages, 1, 2)
        .await
        .expect("lists");
    assert_eq!(ids(page), ["M1", "M2"]);
    let page = store
        .queued(&id, Lane::Messages, 2, 2)
        .await
        .expect("lists");
    assert_eq!(ids(page), ["M3"]);
    let none = store.queued(&id, Lane::Operations, 1, 9).await;
    assert_eq!(ids(none.expect("lists")), [""; 0]);
    let count = store.queued_count(&id, Lane::Messages).await;
    assert_eq!(count.expect("counts"), 3);
    let wanted = MessageId::from_wire("M1");
    let job = store.job_of(&id, &wanted).await.expect("looks");
    assert!(store.try_job(&job.expect("there").id).await.expect("tries"));
    let found = store.queued_message(&id, Lane::Messages, &wanted).await;
    assert!(found.expect("looks").expect("there").tried);
    let other = store.queued_message(&id, Lane::Operations, &wanted).await;
    assert_eq!(other.expect("looks"), None);
    let untried = store.untried(&id, Lane::Messages, 9).await.expect("lists");
    let untried: Vec<&str> = untried.iter().map(MessageId::as_str).collect();
    assert_eq!(untried, ["M2", "M3"]);
    let crossed = conn.account(&b).queued(&id, Lane::Messages, 1, 9).await;
    assert_eq!(ids(crossed.expect("lists")), [""; 0]);
}
