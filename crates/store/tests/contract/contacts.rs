//! One person, one contact and one chat, whichever address came first.

use recado_model::{
    Address, ContentKind, InstanceId, MessageId,
    message::{Arrival, InboundMessage, InboundReceipt, Party, ReceiptState, Rendered},
};
use recado_store::AccountStore;

use crate::{
    bed::{Bed, NOW},
    jobs,
    messages::{party, put_message},
};

const NUMBER: &str = "2@s.whatsapp.net";
const LID: &str = "222@lid";
const NAME: &str = "@bia";

/// Known by both, met by `wire`.
fn both(wire: &str) -> Party {
    Party {
        shown: Address::from_wire(NUMBER),
        alt: Some(Address::from_wire(LID)),
        wire: Address::from_wire(wire),
    }
}

pub fn from(instance: &InstanceId, id: &str, who: Party) -> InboundMessage {
    InboundMessage {
        instance: instance.clone(),
        id: MessageId::from_wire(id),
        chat: who.clone(),
        sender: who,
        from_me: false,
        push_name: None,
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

async fn arrives(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    id: &str,
    who: Party,
) -> bool {
    let message = from(instance, id, who);
    let new = store.record_inbound(&message, NOW).await;
    new.expect("keeps").is_some()
}

/// Where a message is shown, and how it came.
async fn place(store: &mut AccountStore<'_>, instance: &InstanceId, id: &str) -> (String, String) {
    let row = store.message(instance, &MessageId::from_wire(id)).await;
    let row = row.expect("looks").expect("there");
    assert_eq!(row.chat, row.sender, "a chat of two");
    (row.chat.to_string(), row.wire_sender.to_string())
}

pub async fn an_id_that_learns_its_number_stays_one_person(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(arrives(&mut store, &id, "M1", party(LID)).await);
    assert_eq!(place(&mut store, &id, "M1").await.0, LID);
    // The same message again, by now with the number.
    assert!(!arrives(&mut store, &id, "M1", both(LID)).await);
    assert!(!arrives(&mut store, &id, "M1", both(NUMBER)).await);
    assert!(!arrives(&mut store, &id, "M1", party(NUMBER)).await);
    assert!(arrives(&mut store, &id, "M2", party(NUMBER)).await);
    for message in ["M1", "M2"] {
        assert_eq!(place(&mut store, &id, message).await.0, NUMBER);
    }
    assert_eq!(place(&mut store, &id, "M1").await.1, LID, "as it came");
    let chats = [NUMBER, LID].map(Address::from_wire);
    let by_number = store.known_chat(&id, &chats[0]).await.expect("looks");
    assert!(by_number.is_some());
    assert_eq!(
        store.known_chat(&id, &chats[1]).await.expect("looks"),
        by_number
    );
    assert!(store.knows_chat(&id, &chats[1]).await.expect("looks"));
    let nobody = Address::from_wire("9@s.whatsapp.net");
    assert_eq!(store.known_chat(&id, &nobody).await.expect("looks"), None);
}

pub async fn two_that_are_one_person_become_one(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    // As two: by number, by id and by name; one message came both ways.
    assert!(arrives(&mut store, &id, "M1", party(NUMBER)).await);
    assert!(arrives(&mut store, &id, "M2", party(LID)).await);
    assert!(arrives(&mut store, &id, "TWICE", party(NUMBER)).await);
    assert!(arrives(&mut store, &id, "TWICE", party(LID)).await);
    assert!(put_message(&mut store, &id, "OURS", LID, NOW).await);
    let job = jobs::put(&mut store, &id, LID, None, NOW).await;
    let read = |who: &str| InboundReceipt {
        chat: party(who),
        sender: party(who),
        from_me: false,
        ids: vec![MessageId::from_wire("OURS")],
        state: ReceiptState::Read,
        at: NOW,
    };
    for who in [NUMBER, LID] {
        let fresh = store.record_receipt(&id, &read(who), "Read", NOW).await;
        assert_eq!(fresh.expect("keeps").len(), 1, "{who}");
    }
    // Now WhatsApp says that they are one.
    assert!(arrives(&mut store, &id, "M3", both(LID)).await);
    for message in ["M1", "M2", "M3", "TWICE"] {
        assert_eq!(place(&mut store, &id, message).await.0, NUMBER, "{message}");
    }
    for who in [NUMBER, LID] {
        assert!(!arrives(&mut store, &id, "TWICE", party(who)).await, "once");
        let fresh = store.record_receipt(&id, &read(who), "Read", NOW).await;
        assert_eq!(fresh.expect("keeps"), [], "{who} has read it");
    }
    let due = jobs::due(&mut store, &id, NOW, &[]).await;
    assert_eq!(due[0].message, job);
    assert_eq!(due[0].to.as_str(), LID, "it goes where it was to go");
    assert_eq!(
        jobs::due(&mut store, &id, NOW, &[NUMBER]).await,
        [],
        "one chat"
    );
    let named = Party {
        alt: Some(Address::from_wire(LID)),
        ..party(NAME)
    };
    assert!(arrives(&mut store, &id, "M4", named).await);
    assert_eq!(place(&mut store, &id, "M4").await.0, NUMBER);
    let contact = store.contact(&id, &party(NAME), NOW).await.expect("known");
    let addresses = store.addresses_of(&id, &contact).await.expect("lists");
    assert_eq!(addresses, [LID, NUMBER, NAME].map(Address::from_wire));
    conn.commit().await.expect("commit");
}

pub async fn somebody_with_another_number_stays_one_person(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let new = "4@s.whatsapp.net";
    let now_at = Party {
        alt: Some(Address::from_wire(LID)),
        ..party(new)
    };
    // Of whom nothing is known nothing is kept.
    let moved = store.move_person(&id, &both(NUMBER), &now_at).await;
    moved.expect("nobody");
    let known = store.known_chat(&id, &Address::from_wire(new)).await;
    assert_eq!(known.expect("looks"), None);
    // Known by both numbers before WhatsApp says that they are one.
    assert!(arrives(&mut store, &id, "M1", both(NUMBER)).await);
    assert!(arrives(&mut store, &id, "M2", party(new)).await);
    let moved = store.move_person(&id, &both(NUMBER), &now_at).await;
    moved.expect("moves");
    for message in ["M1", "M2"] {
        assert_eq!(place(&mut store, &id, message).await.0, new, "{message}");
    }
    let again = store.move_person(&id, &both(NUMBER), &now_at).await;
    again.expect("told twice");
    assert!(arrives(&mut store, &id, "M3", party(NUMBER)).await);
    assert_eq!(place(&mut store, &id, "M3").await.0, new);
    // The old number is somebody else's by now.
    let stranger = Party {
        alt: Some(Address::from_wire("444@lid")),
        ..party(NUMBER)
    };
    assert!(arrives(&mut store, &id, "M4", stranger).await);
    assert_eq!(place(&mut store, &id, "M4").await.0, NUMBER);
    assert_eq!(place(&mut store, &id, "M1").await.0, new);
    conn.commit().await.expect("commit");
}

/// Receipts that become the same one, whichever of their chat and reader move.
pub async fn receipts_of_two_that_become_one_are_kept_once(bed: &Bed) {
    let a = bed.account("a").await;
    let mut conn = bed.store.write().await.expect("write");
    for (n, pairs) in [
        [(NUMBER, LID), (LID, NUMBER)],
        [(LID, LID), (LID, NUMBER)],
        [(NUMBER, NUMBER), (NUMBER, LID)],
    ]
    .into_iter()
    .enumerate()
    {
        let id = InstanceId::from_text(format!("RC{n:026}"));
        let mut store = conn.account(&a);
        let new = recado_model::instance::NewInstance::default();
        let origin = recado_model::instance::Origin::Api;
        let made = store.create_instance(&id, origin, &new, NOW).await;
        made.expect("creates");
        let mut receipts = Vec::new();
        for (chat, reader) in pairs {
            receipts.push(InboundReceipt {
                chat: party(chat),
                sender: party(reader),
                from_me: false,
                ids: vec![MessageId::from_wire("OURS")],
                state: ReceiptState::Read,
                at: NOW,
            });
        }
        for receipt in &receipts {
            let fresh = store.record_receipt(&id, receipt, "Read", NOW).await;
            assert_eq!(fresh.expect("keeps").len(), 1, "{n}");
        }
        store.contact(&id, &both(LID), NOW).await.expect("one");
        for receipt in &receipts {
            let fresh = store.record_receipt(&id, receipt, "Read", NOW).await;
            assert_eq!(fresh.expect("keeps"), [], "{n}: read already");
        }
    }
}

/// Whoever writes to us chooses the ids, and may choose one of somebody else's.
pub async fn a_message_is_found_in_its_own_chat(bed: &Bed) {
    let a = bed.account("a").await;
    let (one, two) = (
        bed.instance(&a, "one").await.id,
        bed.instance(&a, "two").await.id,
    );
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let stranger = "3@s.whatsapp.net";
    assert!(put_message(&mut store, &one, "M1", NUMBER, NOW).await);
    assert!(arrives(&mut store, &one, "M1", party(stranger)).await);
    let id = MessageId::from_wire("M1");
    for (chat, ours) in [(NUMBER, Some(true)), (stranger, Some(false)), (LID, None)] {
        let chat = Address::from_wire(chat);
        let row = store.message_of_chat(&one, &chat, &id).await;
        let out = recado_model::Direction::Out;
        let row = row.expect("looks").map(|row| row.direction == out);
        assert_eq!(row, ours, "{chat}");
    }
    for (instance, elsewhere) in [(&one, false), (&two, true)] {
        let found = store.is_sent_elsewhere(instance, &id).await;
        assert_eq!(found.expect("looks"), elsewhere);
    }
}

pub async fn a_number_may_pass_to_somebody_else(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(arrives(&mut store, &id, "M1", both(LID)).await);
    // Another id under the number of before: another person.
    let heir = Party {
        shown: Address::from_wire(NUMBER),
        alt: Some(Address::from_wire("333@lid")),
        wire: Address::from_wire("333@lid"),
    };
    assert!(arrives(&mut store, &id, "M2", heir).await);
    assert_eq!(place(&mut store, &id, "M1").await.0, LID);
    assert_eq!(place(&mut store, &id, "M2").await.0, NUMBER);
    // Who had it comes back with a new one, and the chat goes on.
    let new = Party {
        shown: Address::from_wire("4@s.whatsapp.net"),
        alt: Some(Address::from_wire(LID)),
        wire: Address::from_wire(LID),
    };
    assert!(arrives(&mut store, &id, "M3", new).await);
    for message in ["M1", "M3"] {
        let shown = place(&mut store, &id, message).await.0;
        assert_eq!(shown, "4@s.whatsapp.net", "{message}");
    }
    let first = store.message(&id, &MessageId::from_wire("M1")).await;
    let third = store.message(&id, &MessageId::from_wire("M3")).await;
    assert_eq!(
        first.expect("looks").map(|row| row.chat_id),
        third.expect("looks").map(|row| row.chat_id)
    );
}

pub async fn contacts_do_not_cross_accounts(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(arrives(&mut store, &id, "M1", both(LID)).await);
    let contact = store.contact(&id, &party(LID), NOW).await.expect("known");
    let row = store.message(&id, &MessageId::from_wire("M1")).await;
    let key = row.expect("looks").expect("there").key;
    assert_eq!(
        store.proto(&key).await.expect("opens").as_deref(),
        Some(b"hi".as_slice())
    );
    let mut other = conn.account(&b);
    assert_eq!(other.proto(&key).await.expect("looks"), None);
    let crossed = other.known_chat(&id, &Address::from_wire(LID)).await;
    assert_eq!(crossed.expect("looks"), None);
    let crossed = other.addresses_of(&id, &contact).await;
    assert_eq!(crossed.expect("looks"), []);
}

/// Of a message that came both ways what was done to either copy counts.
pub async fn what_was_done_to_a_copy_survives_the_merge(bed: &Bed) {
    let a = bed.account("a").await;
    let mut conn = bed.store.write().await.expect("write");
    for (n, changed) in [NUMBER, LID].into_iter().enumerate() {
        let id = InstanceId::from_text(format!("RC{n:026}"));
        let mut store = conn.account(&a);
        let new = recado_model::instance::NewInstance::default();
        let origin = recado_model::instance::Origin::Api;
        let made = store.create_instance(&id, origin, &new, NOW).await;
        made.expect("creates");
        for message in ["GONE", "EDITED", "SAME"] {
            for who in [NUMBER, LID] {
                assert!(arrives(&mut store, &id, message, party(who)).await);
            }
        }
        let chat = Address::from_wire(changed);
        let find = |id: &'static str| MessageId::from_wire(id);
        let gone = store.message_of_chat(&id, &chat, &find("GONE")).await;
        let gone = gone.expect("looks").expect("there");
        store.delete_content(&gone, NOW).await.expect("deletes");
        let edited = store.message_of_chat(&id, &chat, &find("EDITED")).await;
        let edited = edited.expect("looks").expect("there");
        let new = recado_model::change::Edited {
            text: Some("changed".into()),
            proto: b"changed".to_vec(),
        };
        assert!(
            store
                .edit_content(&edited.key, &new, NOW)
                .await
                .expect("edits")
        );
        store.contact(&id, &both(LID), NOW).await.expect("one");
        let mut left = Vec::new();
        for message in ["GONE", "EDITED", "SAME"] {
            let rows = store.messages_with_id(&id, None, &find(message)).await;
            let rows = rows.expect("lists");
            assert_eq!(rows.len(), 1, "{message} once");
            left.push((rows[0].text.clone(), rows[0].deleted_at.is_some()));
        }
        let text = |text: &str| Some(text.to_owned());
        let expected = [(None, true), (text("changed"), false), (text("hi"), false)];
        assert_eq!(left, expected, "{changed}");
        let kept = store.messages_with_id(&id, None, &find("EDITED")).await;
        let proto = store.proto(&kept.expect("lists")[0].key).await;
        assert_eq!(
            proto.expect("opens").as_deref(),
            Some(b"changed".as_slice())
        );
    }
}

/// Whoever writes to us can say that it has read what never was.
pub async fn receipts_of_nothing_are_bounded(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(put_message(&mut store, &id, "OURS", NUMBER, NOW).await);
    let read = |who: &str, ids: Vec<MessageId>, at| InboundReceipt {
        chat: party(who),
        sender: party(who),
        from_me: false,
        ids,
        state: ReceiptState::Read,
        at,
    };
    let most = usize::try_from(recado_store::UNMATCHED_MOST).expect("a number");
    let many = |from: usize| (from..from + most).map(|n| MessageId::from_wire(format!("N{n}")));
    let mut ids: Vec<_> = many(0).collect();
    ids.push(MessageId::from_wire("TOO-MANY"));
    ids.push(MessageId::from_wire("OURS"));
    let receipt = read(NUMBER, ids, NOW);
    let fresh = store.record_receipt(&id, &receipt, "Read", NOW).await;
    let fresh = fresh.expect("keeps");
    assert_eq!(fresh.len(), most + 1);
    assert_eq!(fresh[most].as_str(), "OURS", "what is there always counts");
    let more = read(NUMBER, many(most).take(3).collect(), NOW);
    let fresh = store.record_receipt(&id, &more, "Read", NOW).await;
    assert_eq!(fresh.expect("keeps"), []);
    let other = read("3@s.whatsapp.net", many(0).take(3).collect(), NOW);
    let fresh = store.record_receipt(&id, &other, "Read", NOW).await;
    assert_eq!(fresh.expect("keeps").len(), 3, "another chat");
    // One comes after all, and the rest goes by age.
    assert!(put_message(&mut store, &id, "N7", NUMBER, NOW).await);
    let mut gone = 0;
    loop {
        let n = conn.system().prune_receipts(NOW.plus_secs(1), 400).await;
        match n.expect("prunes") {
            0 => break,
            n => gone += n,
        }
    }
    assert_eq!(gone, recado_store::UNMATCHED_MOST as u64 - 1 + 3);
    let mut store = conn.account(&a);
    for id_of in ["OURS", "N7"] {
        let row = store.message(&id, &MessageId::from_wire(id_of)).await;
        let row = row.expect("looks").expect("there");
        assert_eq!(
            store.receipts(&row).await.expect("reads").len(),
            1,
            "{id_of}"
        );
    }
    assert_eq!(
        conn.system()
            .prune_receipts(NOW, 400)
            .await
            .expect("prunes"),
        0
    );
}
