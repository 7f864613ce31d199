use recado_model::{
    Address, ContentKind, Direction, EventKind, Failure, InstanceId, MessageId, MessageStatus,
    Timestamp,
    clock::OsRng,
    failure,
    message::{Arrival, InboundMessage, InboundReceipt, Party, ReceiptState, Rendered},
    webhook::DeliveryState,
};
use recado_store::{AccountStore, NewMessage};

use crate::bed::{Bed, NOW, event};

pub const OWN: &str = "1@s.whatsapp.net";
const BIA: &str = "2@s.whatsapp.net";

/// `false`: it is there already.
pub async fn put_message(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    id: &str,
    chat: &str,
    now: Timestamp,
) -> bool {
    put_about(store, instance, id, (chat, None), now).await
}

/// The same, of one that holds the words of `about`.
pub async fn put_about(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    id: &str,
    (chat, about): (&str, Option<&str>),
    now: Timestamp,
) -> bool {
    let about = about.map(MessageId::from_wire);
    let message = NewMessage {
        instance,
        id: &MessageId::from_wire(id),
        chat: &Address::from_wire(chat),
        sender: &Address::from_wire(OWN),
        push_name: None,
        kind: ContentKind::Text,
        text: Some("hello"),
        proto: b"finished",
        options: &[],
        about: about.as_ref(),
        digest: "digest",
    };
    let chat = store.insert_outgoing(&message, now).await;
    chat.expect("inserts").is_some()
}

pub fn party(address: &str) -> Party {
    Party::only(Address::from_wire(address))
}

pub fn inbound(instance: &InstanceId, id: &str, sender: &str) -> InboundMessage {
    InboundMessage {
        instance: instance.clone(),
        id: MessageId::from_wire(id),
        chat: party("group@g.us"),
        sender: party(sender),
        from_me: false,
        push_name: Some("Ana".into()),
        kind: ContentKind::Text,
        text: Some("hi".into()),
        tap: None,
        timer: None,
        about: None,
        at: NOW,
        proto: b"hi".to_vec(),
        rendered: Rendered::default(),
        arrival: Arrival::default(),
    }
}

pub async fn ids_are_unique_where_they_must_be(bed: &Bed) {
    let a = bed.account("a").await;
    let (one, two) = (
        bed.instance(&a, "one").await.id,
        bed.instance(&a, "two").await.id,
    );
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(put_message(&mut store, &one, "M1", BIA, NOW).await);
    let elsewhere = "3@s.whatsapp.net";
    assert!(!put_message(&mut store, &one, "M1", elsewhere, NOW).await);
    assert!(put_message(&mut store, &two, "M1", BIA, NOW).await);
    assert!(
        store
            .record_inbound(&inbound(&one, "I1", "x"), NOW)
            .await
            .expect("new")
            .is_some()
    );
    assert!(
        store
            .record_inbound(&inbound(&one, "I1", "x"), NOW)
            .await
            .expect("again")
            .is_none()
    );
    assert!(
        store
            .record_inbound(&inbound(&one, "I1", "y"), NOW)
            .await
            .expect("sender")
            .is_some()
    );
    assert!(
        store
            .record_inbound(&inbound(&two, "I1", "x"), NOW)
            .await
            .expect("instance")
            .is_some()
    );
    // Somebody may pick an id of ours; ours is still found.
    assert!(
        store
            .record_inbound(&inbound(&one, "M1", "x"), NOW)
            .await
            .expect("new")
            .is_some()
    );
    let found = store
        .message(&one, &MessageId::from_wire("M1"))
        .await
        .expect("get");
    let found = found.expect("there");
    assert_eq!(
        (found.direction, found.status),
        (Direction::Out, MessageStatus::Queued)
    );
    assert_eq!((found.sender.as_str(), found.chat.as_str()), (OWN, BIA));
    let mut own = inbound(&one, "P1", OWN);
    own.from_me = true;
    assert!(
        store
            .record_inbound(&own, NOW)
            .await
            .expect("from the phone")
            .is_some()
    );
    let found = store
        .message(&one, &own.id)
        .await
        .expect("get")
        .expect("there");
    assert_eq!(
        (found.direction, found.status),
        (Direction::Out, MessageStatus::Sent)
    );
    let found = store
        .message(&one, &MessageId::from_wire("I1"))
        .await
        .expect("get");
    assert_eq!(found.expect("there").push_name.as_deref(), Some("Ana"));
    conn.commit().await.expect("commit");
}

pub async fn own_messages_are_found_by_id_alone(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let one = bed.instance(&a, "one").await.id;
    let two = bed.instance(&a, "two").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    for (instance, id, at) in [(&one, "M1", 0), (&two, "M2", 0), (&two, "M1", 1)] {
        let now = NOW.plus_secs(at);
        assert!(put_message(&mut store, instance, id, BIA, now).await);
    }
    store
        .record_inbound(&inbound(&one, "I1", "x"), NOW)
        .await
        .expect("new");
    for (id, of) in [("M1", Some(&two)), ("M2", Some(&two)), ("I1", None)] {
        let found = store.find_message(&MessageId::from_wire(id)).await;
        let found = found.expect("looks").map(|message| message.instance);
        assert_eq!(found.as_ref(), of, "{id}");
    }
    let id = MessageId::from_wire("M2");
    let by_instance = store.message(&two, &id).await.expect("looks");
    assert_eq!(store.find_message(&id).await.expect("looks"), by_instance);
    let crossed = conn.account(&b).find_message(&id).await;
    assert_eq!(crossed.expect("looks"), None);
}

pub async fn status_only_rises(bed: &Bed) {
    use MessageStatus::{Delivered, Failed, Queued, Read, Received, Sending, Sent, Unconfirmed};
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let other = bed.account("b").await;
    let mut conn = bed.store.write().await.expect("write");
    let message = MessageId::from_wire("M1");
    let mut store = conn.account(&a);
    assert!(put_message(&mut store, &id, "M1", BIA, NOW).await);
    let mut crossed = conn.account(&other);
    let crossed = crossed.move_message(&id, &message, Sent, None, NOW).await;
    assert!(!crossed.expect("no"));
    let mut store = conn.account(&a);
    for (to, moves) in [
        (Queued, false),
        (Received, false),
        (Sending, true),
        (Sending, false),
        (Unconfirmed, true),
        (Sending, false),
        (Queued, true),
        (Unconfirmed, true),
        (Sent, true),
        (Unconfirmed, false),
        (Delivered, true),
        (Sent, false),
        (Failed, false),
        (Read, true),
        (Delivered, false),
    ] {
        let moved = store.move_message(&id, &message, to, None, NOW).await;
        assert_eq!(moved.expect("moves"), moves, "{to:?}");
    }
    assert!(put_message(&mut store, &id, "M2", BIA, NOW).await);
    let second = MessageId::from_wire("M2");
    let failure = Failure::of(failure::NOT_ON_WHATSAPP);
    for (to, moves) in [(Failed, true), (Sent, false), (Failed, false)] {
        let moved = store.move_message(&id, &second, to, Some(&failure), NOW);
        assert_eq!(moved.await.expect("moves"), moves, "{to:?}");
    }
    let found = store.message(&id, &second).await.expect("get");
    assert_eq!(found.expect("there").failure, Some(failure));
    // A receipt proves that it arrived, whatever was said before.
    let moved = store.move_message(&id, &second, Delivered, None, NOW);
    assert!(moved.await.expect("moves"));
    let found = store.message(&id, &second).await.expect("get");
    assert_eq!(found.expect("there").failure, None);
}

pub async fn a_receipt_is_news_once(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let ids = |ids: &[&str]| -> Vec<MessageId> {
        ids.iter().map(|id| MessageId::from_wire(*id)).collect()
    };
    let receipt = |of: &[&str]| InboundReceipt {
        chat: party("group@g.us"),
        sender: party(BIA),
        from_me: false,
        ids: ids(of),
        state: ReceiptState::Read,
        at: NOW,
    };
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let mut fresh = store
        .record_receipt(&id, &receipt(&["M1"]), "Read", NOW)
        .await;
    assert_eq!(fresh.expect("keeps"), ids(&["M1"]));
    fresh = store
        .record_receipt(&id, &receipt(&["M1", "M2"]), "Read", NOW)
        .await;
    assert_eq!(fresh.expect("keeps"), ids(&["M2"]));
    fresh = store
        .record_receipt(&id, &receipt(&["M1"]), "Delivered", NOW)
        .await;
    assert_eq!(fresh.expect("keeps"), ids(&["M1"]), "another state");
    let mut other = receipt(&["M1"]);
    other.sender = party("3@s.whatsapp.net");
    fresh = store.record_receipt(&id, &other, "Read", NOW).await;
    assert_eq!(fresh.expect("keeps"), ids(&["M1"]), "another reader");
}

pub async fn events_and_deliveries_are_one_transaction(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    assert_eq!(
        bed.event(&a, &id, EventKind::Connected).await,
        0,
        "no webhook yet"
    );
    bed.webhook(&a, &id).await;
    assert_eq!(bed.event(&a, &id, EventKind::Message).await, 1);
    let mut conn = bed.store.write().await.expect("write");
    let undone = event(&a, &id, EventKind::Message);
    assert_eq!(conn.account(&a).append(&undone).await.expect("appends"), 1);
    drop(conn);
    let kept = event(&a, &id, EventKind::ReadReceipt);
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    store.append(&kept).await.expect("appends");
    let kinds = [EventKind::Message];
    store
        .set_webhook(
            &recado_model::WebhookId::random(&OsRng),
            &id,
            "https://x",
            Some(&kinds),
            &crate::bed::secret(),
            NOW,
        )
        .await
        .expect("subscribes");
    let unwanted = store.append(&event(&a, &id, EventKind::Presence)).await;
    assert_eq!(unwanted.expect("appends"), 0);
    conn.commit().await.expect("commit");
    let mut conn = bed.store.read().await.expect("read");
    let mut store = conn.account(&a);
    let all = store.events(&id, None, 10).await.expect("events");
    let kinds: Vec<_> = all.iter().map(|event| event.kind).collect();
    let expected = [
        EventKind::Connected,
        EventKind::Message,
        EventKind::ReadReceipt,
        EventKind::Presence,
    ];
    assert_eq!(kinds, expected);
    assert_eq!(all[2], kept);
    let rest = store
        .events(&id, Some(&all[1].id), 1)
        .await
        .expect("events");
    assert_eq!(rest, [kept]);
    assert_eq!(
        store
            .event_count(&id, EventKind::Message)
            .await
            .expect("counts"),
        1
    );
    let log = store
        .deliveries(&id, Some(DeliveryState::Pending), 1, 10)
        .await
        .expect("log");
    assert_eq!(log.total, 2);
    assert_eq!(
        log.items[0].event_kind,
        EventKind::ReadReceipt,
        "newest first"
    );
}

/// A row's word and the code's are the same, of every kind and state.
pub async fn words_in_rows_are_those_of_the_code(bed: &Bed) {
    let schema = include_str!("../../../../migrations/0001_first.sql");
    // Words that statements and partial indexes of the schema are about.
    for word in [Direction::Out.as_str(), DeliveryState::Pending.as_str()] {
        assert!(schema.contains(&format!("'{word}'")), "{word}");
    }
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    for (at, status) in MessageStatus::ALL.into_iter().enumerate() {
        let mut conn = bed.store.write().await.expect("write");
        let mut store = conn.account(&a);
        let message = format!("M{at}");
        assert!(put_message(&mut store, &id, &message, BIA, NOW).await);
        let message = MessageId::from_wire(message);
        store
            .move_message(&id, &message, status, None, NOW)
            .await
            .expect("moves or not");
        conn.commit().await.expect("commit");
        let mut conn = bed.store.read().await.expect("read");
        let row = conn.account(&a).message(&id, &message).await;
        let reached = status.reached_from().contains(&MessageStatus::Queued);
        let expected = if reached {
            status
        } else {
            MessageStatus::Queued
        };
        assert_eq!(row.expect("reads").expect("there").status, expected);
    }
    for kind in ContentKind::ALL {
        let mut conn = bed.store.write().await.expect("write");
        let mut store = conn.account(&a);
        let mut message = inbound(&id, &format!("K{}", kind.as_str()), "x");
        message.kind = kind;
        assert!(
            store
                .record_inbound(&message, NOW)
                .await
                .expect("new")
                .is_some()
        );
        let row = store.message(&id, &message.id).await;
        assert_eq!(row.expect("reads").expect("there").kind, kind);
        conn.commit().await.expect("commit");
    }
    // A word that is none is an error, not a guess.
    bed.raw("UPDATE message SET status = 'lost' WHERE id = 'M0'")
        .await;
    let mut conn = bed.store.read().await.expect("read");
    let odd = conn
        .account(&a)
        .message(&id, &MessageId::from_wire("M0"))
        .await;
    assert!(
        matches!(odd, Err(recado_store::StoreError::Column("status"))),
        "{odd:?}"
    );
}
