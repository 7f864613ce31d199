//! Messages whose number is looked up before their first try.

use recado_model::{Address, InstanceId, JobId, JobKind, MessageId, clock::OsRng};
use recado_store::{AccountStore, Job, NewJob};

use crate::{
    bed::{Bed, NOW},
    messages::{party, put_message},
};

const GIVEN: &str = "5511987654321@s.whatsapp.net";
const HAS: &str = "551187654321@s.whatsapp.net";

async fn queue(store: &mut AccountStore<'_>, instance: &InstanceId, id: &str, to: &str) {
    assert!(put_message(store, instance, id, to, NOW).await);
    let chat = store.chat(instance, &party(to), NOW).await.expect("a chat");
    let job = NewJob {
        id: &JobId::random(&OsRng),
        instance,
        kind: JobKind::Send,
        message: &MessageId::from_wire(id),
        chat: &chat,
        to: &Address::from_wire(to),
        asks: true,
        run_at: None,
        valid_until: None,
    };
    store.enqueue(&job, NOW).await.expect("enqueues");
}

async fn job(store: &mut AccountStore<'_>, instance: &InstanceId, id: &str) -> Job {
    let job = store.job_of(instance, &MessageId::from_wire(id)).await;
    job.expect("looks").expect("a job")
}

async fn unasked(store: &mut AccountStore<'_>, instance: &InstanceId) -> Vec<String> {
    let unasked = store.unasked(instance, NOW, 10).await.expect("looks");
    unasked.iter().map(ToString::to_string).collect()
}

pub async fn a_number_is_corrected_for_all_that_wait(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    // A chat under the right form is there already.
    assert!(put_message(&mut store, &id, "BEFORE", HAS, NOW).await);
    for message in ["M1", "M2", "TRIED"] {
        queue(&mut store, &id, message, GIVEN).await;
    }
    queue(&mut store, &id, "OTHER", "2@s.whatsapp.net").await;
    assert_eq!(unasked(&mut store, &id).await, ["2@s.whatsapp.net", GIVEN]);
    let tried = job(&mut store, &id, "TRIED").await;
    assert!(store.try_job(&tried.id).await.expect("tries"));
    let first = job(&mut store, &id, "M1").await;
    assert!(first.asks);
    let given = Address::from_wire(GIVEN);
    let untried = store.unsent_to(&id, &given).await.expect("looks");
    assert_eq!(untried.len(), 2);
    let new = b"other bytes";
    assert!(
        store
            .replace_proto(&untried[0], new)
            .await
            .expect("replaces")
    );
    assert_eq!(
        store.proto(&untried[0]).await.expect("opens").as_deref(),
        Some(&new[..])
    );
    let has = Address::from_wire(HAS);
    store.found(&first, &has, NOW).await.expect("corrects");
    assert_eq!(unasked(&mut store, &id).await, ["2@s.whatsapp.net"]);
    let chat = store.known_chat(&id, &has).await.expect("looks");
    assert_eq!(
        store.known_chat(&id, &given).await.expect("looks"),
        chat,
        "one person"
    );
    for (message, to) in [("M1", HAS), ("M2", HAS), ("TRIED", GIVEN)] {
        let job = job(&mut store, &id, message).await;
        assert_eq!(job.to, Address::from_wire(to), "{message}");
        assert_eq!(Some(job.chat), chat);
        let row = store.message(&id, &MessageId::from_wire(message)).await;
        let row = row.expect("looks").expect("there");
        assert_eq!(row.chat, has, "{message}");
    }
    assert!(!job(&mut store, &id, "M2").await.asks);
    // The older form is not what works: it is looked up again.
    let sent = recado_model::MessageStatus::Sent;
    let first = MessageId::from_wire("M1");
    let moved = store.move_message(&id, &first, sent, None, NOW);
    assert!(moved.await.expect("moves"));
    assert!(store.knows_chat(&id, &has).await.expect("looks"));
    assert!(!store.knows_chat(&id, &given).await.expect("looks"));
    // Found as it was given.
    let other = job(&mut store, &id, "OTHER").await;
    store.found(&other, &other.to, NOW).await.expect("settles");
    assert_eq!(unasked(&mut store, &id).await, [""; 0]);
    conn.commit().await.expect("commit");
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&b);
    assert_eq!(unasked(&mut store, &id).await, [""; 0], "not B's");
    assert_eq!(store.unsent_to(&id, &has).await.expect("looks"), []);
    let replaced = store.replace_proto(&untried[0], b"").await;
    assert!(!replaced.expect("not B's"));
}
