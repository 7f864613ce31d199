//! The labels of an account, and which chats have them.

use recado_model::{
    Address, ConnectionState, StateReason,
    chat::Label,
    message::{InboundMessage, Party},
};
use recado_store::ChatQuery;

use crate::{
    bed::{Bed, NOW},
    messages::{inbound, party},
};

const ANA: &str = "5511999990009@s.whatsapp.net";
const ANA_LID: &str = "222@lid";

fn label(id: &str, name: &str, color: i32) -> Label {
    Label {
        id: id.to_owned(),
        name: name.to_owned(),
        color,
    }
}

pub async fn labels_are_kept_as_devices_tell_of_them(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    store.lock_instance(&id).await.expect("holds");
    for (n, name, color) in [("1", "New", 0), ("20", "Paid", 4), ("odd", "Odd", 1)] {
        let put = store.put_label(&id, n, Some((name, color))).await;
        put.expect("keeps");
    }
    let reserved = store.reserve_label(&id).await.expect("an id");
    assert_eq!(reserved, "21");
    assert_eq!(store.reserve_label(&id).await.expect("an id"), "22");
    let renamed = store.put_label(&id, "1", Some(("Fresh", 2))).await;
    renamed.expect("renames");
    let all = store.labels(&id).await.expect("lists");
    let expected = [
        label("odd", "Odd", 1),
        label("1", "Fresh", 2),
        label("20", "Paid", 4),
    ];
    assert_eq!(all, expected, "none that is reserved");
    assert_eq!(store.label(&id, "21").await.expect("looks"), None);
    store.put_label(&id, "20", None).await.expect("deletes");
    assert_eq!(store.label(&id, "20").await.expect("looks"), None);
    assert_eq!(store.reserve_label(&id).await.expect("an id"), "23");
    let mut theirs = conn.account(&b);
    assert_eq!(theirs.labels(&id).await.expect("lists"), []);
    let mut store = conn.account(&a);
    let (state, reason) = (ConnectionState::LoggedOut, StateReason::LoggedOutByOwner);
    let unpaired = store.set_unpaired(&id, state, reason, NOW).await;
    assert!(unpaired.expect("unpairs"));
    assert_eq!(store.labels(&id).await.expect("lists"), []);
}

pub async fn chats_have_labels(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let message = InboundMessage {
        chat: party(ANA),
        ..inbound(&id, "M1", ANA)
    };
    store.record_inbound(&message, NOW).await.expect("writes");
    let by_number = store.chat(&id, &party(ANA), NOW).await.expect("a chat");
    let by_lid = store.chat(&id, &party(ANA_LID), NOW).await.expect("a chat");
    for (n, name) in [("1", "New"), ("2", "Paid")] {
        store
            .put_label(&id, n, Some((name, 0)))
            .await
            .expect("keeps");
    }
    for (chat, n) in [
        (&by_number, "1"),
        (&by_lid, "1"),
        (&by_lid, "2"),
        (&by_lid, "2"),
    ] {
        let put = store.label_chat(&id, (chat, n), true).await;
        put.expect("labels");
    }
    let both = Party {
        alt: Some(Address::from_wire(ANA_LID)),
        ..party(ANA)
    };
    store.contact(&id, &both, NOW).await.expect("one");
    let chat = store.chat(&id, &both, NOW).await.expect("a chat");
    let found = store.labels_of(&id, std::slice::from_ref(&chat)).await;
    let found = found.expect("lists");
    assert_eq!(found[&chat], [label("1", "New", 0), label("2", "Paid", 0)]);
    assert!(store.labels_of(&id, &[]).await.expect("lists").is_empty());
    for (wanted, n) in [("2", 1), ("3", 0)] {
        let query = ChatQuery {
            label: Some(wanted.to_owned()),
            limit: 5,
            ..ChatQuery::default()
        };
        let rows = store.chats(&id, &query).await.expect("lists");
        assert_eq!(rows.len(), n, "{wanted}");
    }
    let off = store.label_chat(&id, (&chat, "1"), false).await;
    off.expect("takes it off");
    store.put_label(&id, "2", None).await.expect("deletes");
    let found = store.labels_of(&id, std::slice::from_ref(&chat)).await;
    assert!(found.expect("lists").is_empty());
}
