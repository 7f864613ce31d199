//! Votes in polls: one a person, the last one, with its poll.

use recado_model::{Address, ContentKind, InstanceId, MessageId, message::Party};
use recado_store::{AccountStore, MessageRow};

use crate::{
    bed::{Bed, NOW},
    contacts::from,
    messages::{party, put_message},
};

const NUMBER: &str = "2@s.whatsapp.net";
const LID: &str = "222@lid";

async fn row(store: &mut AccountStore<'_>, instance: &InstanceId, id: &str) -> MessageRow {
    let row = store.message(instance, &MessageId::from_wire(id)).await;
    row.expect("looks").expect("there")
}

/// `who` votes in the poll.
async fn put(
    store: &mut AccountStore<'_>,
    poll: &MessageRow,
    who: &str,
    (option, secs): (&str, i64),
) -> bool {
    let voter = store.contact(&poll.instance, &party(who), NOW).await;
    let (voter, options) = (voter.expect("a contact"), [option.to_owned()]);
    let counted = store.put_vote(poll, &voter, &options, NOW.plus_secs(secs));
    counted.await.expect("puts")
}

async fn counted(store: &mut AccountStore<'_>, poll: &MessageRow) -> Vec<String> {
    let mut all = store.votes(poll).await.expect("reads").concat();
    all.sort_unstable();
    all
}

pub async fn a_later_vote_counts(bed: &Bed) {
    let a = bed.account("a").await;
    let other = bed.account("b").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    for message in ["P1", "P2"] {
        assert!(put_message(&mut store, &id, message, NUMBER, NOW).await);
    }
    let poll = row(&mut store, &id, "P1").await;
    assert!(put(&mut store, &poll, NUMBER, ("a", 2)).await);
    assert!(!put(&mut store, &poll, NUMBER, ("b", 1)).await, "older");
    assert!(put(&mut store, &poll, NUMBER, ("c", 2)).await);
    assert!(put(&mut store, &poll, "3@s.whatsapp.net", ("c", 1)).await);
    assert_eq!(counted(&mut store, &poll).await, ["c", "c"]);
    let another = row(&mut store, &id, "P2").await;
    assert_eq!(counted(&mut store, &another).await, Vec::<String>::new());
    let mut foreign = conn.account(&other);
    assert_eq!(counted(&mut foreign, &poll).await, Vec::<String>::new());
    let mut store = conn.account(&a);
    store.delete_content(&poll, NOW).await.expect("deletes");
    assert_eq!(counted(&mut store, &poll).await, Vec::<String>::new());
}

pub async fn votes_of_one_person_become_one(bed: &Bed) {
    let a = bed.account("a").await;
    let mut conn = bed.store.write().await.expect("write");
    for (n, late) in [NUMBER, LID].into_iter().enumerate() {
        let id = InstanceId::from_text(format!("RC{n:026}"));
        let mut store = conn.account(&a);
        let new = recado_model::instance::NewInstance::default();
        let origin = recado_model::instance::Origin::Api;
        let made = store.create_instance(&id, origin, &new, NOW).await;
        made.expect("creates");
        assert!(put_message(&mut store, &id, "P1", NUMBER, NOW).await);
        let poll = row(&mut store, &id, "P1").await;
        for who in [NUMBER, LID] {
            let vote = (who, if who == late { 9 } else { 1 });
            assert!(put(&mut store, &poll, who, vote).await);
        }
        assert_eq!(counted(&mut store, &poll).await.len(), 2);
        let one = Party {
            alt: Some(Address::from_wire(LID)),
            ..party(NUMBER)
        };
        store.contact(&id, &one, NOW).await.expect("one");
        let poll = row(&mut store, &id, "P1").await;
        assert_eq!(counted(&mut store, &poll).await, [late], "{n}");
    }
}

pub async fn a_vote_that_came_first_is_found(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    for (vote, who) in [("V1", NUMBER), ("V2", NUMBER), ("V3", "3@s.whatsapp.net")] {
        let mut message = from(&id, vote, party(who));
        message.kind = ContentKind::Vote;
        message.about = Some(MessageId::from_wire("P1"));
        let kept = store.record_inbound(&message, NOW).await;
        assert!(kept.expect("keeps").is_some());
    }
    assert!(
        store
            .record_inbound(&from(&id, "P1", party(NUMBER)), NOW)
            .await
            .expect("keeps")
            .is_some()
    );
    let poll = row(&mut store, &id, "P1").await;
    let found = store.votes_about(&id, &poll.chat_id, &poll.id).await;
    let found: Vec<_> = found
        .expect("looks")
        .into_iter()
        .map(|row| row.id)
        .collect();
    assert_eq!(found.len(), 2, "of this chat alone: {found:?}");
    let vote = row(&mut store, &id, "V1").await;
    store.note_choice(&vote, "a, b").await.expect("notes");
    assert_eq!(
        row(&mut store, &id, "V1").await.text.as_deref(),
        Some("a, b")
    );
    store.delete_content(&poll, NOW).await.expect("deletes");
    assert_eq!(
        row(&mut store, &id, "V1").await.text,
        None,
        "goes with its poll"
    );
    assert!(row(&mut store, &id, "V3").await.text.is_some());
}
