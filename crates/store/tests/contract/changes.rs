//! What is done to messages later: other texts, their end, signs.

use recado_model::{
    Address, ContentKind, InstanceId, MessageId, MessageStatus, Timestamp,
    change::Edited,
    content::MenuOption,
    message::{Arrival, InboundMessage, InboundReceipt, Party, ReceiptState, Rendered},
};
use recado_store::{AccountStore, MessageRow, NewMessage};

use crate::{
    bed::{Bed, NOW},
    messages::{inbound, party, put_about, put_message},
};

const NUMBER: &str = "2@s.whatsapp.net";
const LID: &str = "222@lid";

async fn row(store: &mut AccountStore<'_>, instance: &InstanceId, id: &str) -> MessageRow {
    let row = store.message(instance, &MessageId::from_wire(id)).await;
    row.expect("looks").expect("there")
}

fn edited(text: &str) -> Edited {
    Edited {
        text: Some(text.to_owned()),
        proto: text.as_bytes().to_vec(),
    }
}

pub async fn a_later_edit_counts_and_a_deletion_ends_it(bed: &Bed) {
    let a = bed.account("a").await;
    let other = bed.account("b").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(put_message(&mut store, &id, "M1", NUMBER, NOW).await);
    let about = (NUMBER, Some("M1"));
    assert!(put_about(&mut store, &id, "E1", about, NOW).await);
    assert!(put_message(&mut store, &id, "M2", NUMBER, NOW).await);
    let message = row(&mut store, &id, "M1").await;
    let key = message.key.clone();
    let mut foreign = conn.account(&other);
    let crossed = foreign.edit_content(&key, &edited("theirs"), NOW).await;
    assert!(!crossed.expect("no"));
    let crossed = foreign.delete_content(&message, NOW).await;
    crossed.expect("changes nothing");
    let mut store = conn.account(&a);
    let edit = row(&mut store, &id, "E1").await.key;
    for (text, secs, taken) in [("two", 2, true), ("one", 1, false), ("three", 3, true)] {
        let at = NOW.plus_secs(secs);
        let done = store.edit_content(&key, &edited(text), at).await;
        assert_eq!(done.expect("edits"), taken, "{text}");
    }
    let seen = row(&mut store, &id, "M1").await;
    assert_eq!(seen.text.as_deref(), Some("three"));
    assert_eq!(seen.edited_at, Some(NOW.plus_secs(3)));
    let kept = store.proto(&key).await.expect("opens");
    assert_eq!(kept.as_deref(), Some(b"three".as_slice()));
    for at in [NOW, NOW.plus_secs(1)] {
        let gone = store.delete_content(&message, at).await;
        gone.expect("deletes");
    }
    let late = NOW.plus_secs(9);
    let done = store.edit_content(&key, &edited("late"), late).await;
    assert!(!done.expect("no"));
    let seen = row(&mut store, &id, "M1").await;
    assert_eq!((seen.text, seen.deleted_at), (None, Some(NOW)));
    assert_eq!(store.proto(&key).await.expect("looks"), None);
    assert_eq!(
        store.proto(&edit).await.expect("looks"),
        None,
        "an edit of it"
    );
    let other = row(&mut store, &id, "M2").await;
    assert!(other.text.is_some() && other.deleted_at.is_none());
}

/// What stands on `M1` of this chat.
async fn signs(store: &mut AccountStore<'_>, instance: &InstanceId) -> Vec<(String, String)> {
    let row = row(store, instance, "M1").await;
    let all = store.reactions(&row).await.expect("reads");
    let all = all.into_iter();
    all.map(|one| (one.sender.to_string(), one.sign)).collect()
}

async fn puts(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    who: &Party,
    sign: Option<&str>,
    secs: i64,
) {
    let chat = store.chat(instance, who, NOW).await.expect("a chat");
    let sender = store.contact(instance, who, NOW).await.expect("a contact");
    let on = (&chat, &MessageId::from_wire("M1"));
    let at: Timestamp = NOW.plus_secs(secs);
    store
        .put_reaction(instance, on, &sender, sign, at)
        .await
        .expect("puts");
}

pub async fn a_later_sign_counts(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(put_message(&mut store, &id, "M1", NUMBER, NOW).await);
    let bia = party(NUMBER);
    for (sign, secs, stands) in [
        (Some("a"), 1, Some("a")),
        (Some("b"), 2, Some("b")),
        (Some("late"), 1, Some("b")),
        (None, 3, None),
        (Some("late"), 2, None),
        (Some("c"), 3, Some("c")),
    ] {
        puts(&mut store, &id, &bia, sign, secs).await;
        let stands = stands.map(|sign| (NUMBER.to_owned(), sign.to_owned()));
        let stands: Vec<_> = stands.into_iter().collect();
        assert_eq!(signs(&mut store, &id).await, stands, "{sign:?} {secs}");
    }
}

/// A person known by number and by id has one chat and one sign, whichever was put last.
pub async fn signs_of_one_person_become_one(bed: &Bed) {
    let a = bed.account("a").await;
    for (name, by_number, by_lid, stands) in [
        ("one", (Some("old"), 1), (Some("new"), 2), vec!["new"]),
        ("two", (Some("new"), 2), (Some("old"), 1), vec!["new"]),
        ("three", (Some("old"), 1), (None, 2), vec![]),
    ] {
        let id = bed.instance(&a, name).await.id;
        let mut conn = bed.store.write().await.expect("write");
        let mut store = conn.account(&a);
        assert!(put_message(&mut store, &id, "M1", NUMBER, NOW).await);
        puts(&mut store, &id, &party(NUMBER), by_number.0, by_number.1).await;
        puts(&mut store, &id, &party(LID), by_lid.0, by_lid.1).await;
        let both = Party {
            shown: Address::from_wire(NUMBER),
            alt: Some(Address::from_wire(LID)),
            wire: Address::from_wire(LID),
        };
        let message = InboundMessage {
            instance: id.clone(),
            id: MessageId::from_wire("I1"),
            chat: both.clone(),
            sender: both,
            from_me: false,
            push_name: None,
            kind: ContentKind::Text,
            text: None,
            tap: None,
            timer: None,
            about: None,
            at: NOW,
            proto: b"hi".to_vec(),
            rendered: Rendered::default(),
            arrival: Arrival::default(),
        };
        assert!(
            store
                .record_inbound(&message, NOW)
                .await
                .expect("keeps")
                .is_some()
        );
        let expected = stands.into_iter();
        let expected: Vec<_> = expected
            .map(|sign| (NUMBER.to_owned(), sign.to_owned()))
            .collect();
        assert_eq!(signs(&mut store, &id).await, expected, "{name}");
        let (number, lid) = (Address::from_wire(NUMBER), Address::from_wire(LID));
        let one = store.is_one_person(&id, &number, &lid).await;
        assert!(one.expect("looks"));
        conn.commit().await.expect("commit");
    }
}

/// An id is its sender's own choice: the same may be in other chats, and somebody else's in this one.
pub async fn a_copied_id_is_told_apart(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(put_message(&mut store, &id, "M1", NUMBER, NOW).await);
    let copied = inbound(&id, "M1", "3@s.whatsapp.net");
    let copied = store.record_inbound(&copied, NOW).await;
    assert!(copied.expect("records").is_some());
    let wanted = MessageId::from_wire("M1");
    let all = store.messages_with_id(&id, None, &wanted).await;
    let all = all.expect("lists");
    assert_eq!(all.len(), 2);
    for message in &all {
        let here = store
            .messages_with_id(&id, Some(&message.chat_id), &wanted)
            .await;
        assert_eq!(here.expect("lists").len(), 1);
        let by = store
            .message_by(&id, &message.chat_id, &message.sender_id, &wanted)
            .await;
        let by = by.expect("looks").expect("there");
        assert_eq!(by.key, message.key);
    }
    let crossed = store
        .message_by(&id, &all[0].chat_id, &all[1].sender_id, &wanted)
        .await;
    assert!(crossed.expect("looks").is_none());
}

pub async fn readers_are_listed(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(put_message(&mut store, &id, "M1", NUMBER, NOW).await);
    for (state, secs) in [("Read", 2), ("Delivered", 1)] {
        let receipt = InboundReceipt {
            chat: party(NUMBER),
            sender: party(NUMBER),
            from_me: false,
            ids: vec![MessageId::from_wire("M1")],
            state: ReceiptState::Delivered,
            at: NOW.plus_secs(secs),
        };
        let told = store.record_receipt(&id, &receipt, state, NOW.plus_secs(secs));
        told.await.expect("records");
    }
    let message = row(&mut store, &id, "M1").await;
    let receipts = store.receipts(&message).await.expect("lists");
    let states: Vec<&str> = receipts.iter().map(|one| one.state.as_str()).collect();
    assert_eq!(states, ["Delivered", "Read"]);
    assert_eq!(receipts[0].reader.as_str(), NUMBER);
}

/// Of the message that is quoted; without a quote, of the last of ours in the chat.
pub async fn an_answer_finds_its_menu(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let options = [MenuOption {
        id: "tea".to_owned(),
        text: "Tea".to_owned(),
    }];
    let menu = NewMessage {
        instance: &id,
        id: &MessageId::from_wire("M1"),
        chat: &Address::from_wire(NUMBER),
        sender: &Address::from_wire("1@s.whatsapp.net"),
        push_name: None,
        kind: ContentKind::Text,
        text: Some("1. Tea"),
        proto: b"menu",
        options: &options,
        about: None,
        digest: "digest",
    };
    let chat = store.insert_outgoing(&menu, NOW).await.expect("inserts");
    let chat = chat.expect("new").chat;
    let wanted = MessageId::from_wire("M1");
    let early = store.menu_of(&id, &chat, Some(&wanted)).await;
    assert_eq!(early.expect("looks"), None, "nobody has it yet");
    let sent = MessageStatus::Sent;
    let moved = store.move_message(&id, &wanted, sent, None, NOW).await;
    moved.expect("moves");
    for quoted in [Some(&wanted), None] {
        let found = store.menu_of(&id, &chat, quoted).await.expect("looks");
        assert_eq!(found, Some((wanted.clone(), options.to_vec())));
    }
    assert!(put_message(&mut store, &id, "M2", NUMBER, NOW.plus_secs(1)).await);
    let later = MessageId::from_wire("M2");
    let moved = store.move_message(&id, &later, sent, None, NOW).await;
    moved.expect("moves");
    let found = store.menu_of(&id, &chat, None).await.expect("looks");
    assert_eq!(found, None, "the last one has nothing to choose");
}

/// Acts that wait and hold the words of a message; not those that were sent, nor those of other messages.
pub async fn what_waits_about_a_message_is_found(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(put_message(&mut store, &id, "M1", NUMBER, NOW).await);
    for act in ["E1", "E2"] {
        assert!(put_about(&mut store, &id, act, (NUMBER, Some("M1")), NOW).await);
    }
    assert!(put_about(&mut store, &id, "E3", (NUMBER, Some("M9")), NOW).await);
    let sent = MessageId::from_wire("E2");
    let moved = store.move_message(&id, &sent, MessageStatus::Sent, None, NOW);
    assert!(moved.await.expect("moves"));
    let message = row(&mut store, &id, "M1").await;
    let waiting = store.waiting_about(&message).await.expect("looks");
    let waiting: Vec<&str> = waiting.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(waiting, ["E1"]);
}
