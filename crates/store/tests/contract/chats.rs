//! Chats as lists show them, and what phones keep of them.

use recado_model::{
    Address, ChatId, InstanceId, MessageId, Timestamp,
    chat::{ChatAct, ContactUpdate, MessageRange, Mute},
    message::{InboundMessage, InboundReceipt, Party, ReceiptState},
};
use recado_store::{AccountStore, ChatQuery, ChatRow, MessagePlace, UNREADABLE_MOST};

use crate::{
    bed::{Bed, NOW},
    messages::{inbound, party, put_message},
};

const ANA: &str = "5511999990009@s.whatsapp.net";
const ANA_LID: &str = "222@lid";
const BIA: &str = "5511999990008@s.whatsapp.net";
const GROUP: &str = "120363@g.us";

fn from(instance: &InstanceId, id: &str, who: &str, at: Timestamp) -> InboundMessage {
    InboundMessage {
        chat: party(who),
        at,
        ..inbound(instance, id, who)
    }
}

async fn put(store: &mut AccountStore<'_>, message: &InboundMessage) {
    let put = store.record_inbound(message, NOW).await.expect("writes");
    assert!(put.is_some(), "it is new");
}

async fn chat_of(store: &mut AccountStore<'_>, instance: &InstanceId, who: &str) -> ChatId {
    let chat = store.chat(instance, &party(who), NOW).await;
    chat.expect("a chat")
}

async fn list(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    query: ChatQuery,
) -> Vec<ChatRow> {
    let query = ChatQuery { limit: 50, ..query };
    store.chats(instance, &query).await.expect("reads")
}

fn addresses(rows: &[ChatRow]) -> Vec<&str> {
    rows.iter().map(|row| row.address.as_str()).collect()
}

async fn one(store: &mut AccountStore<'_>, instance: &InstanceId, who: &str) -> Option<ChatRow> {
    let chat = chat_of(store, instance, who).await;
    store.listed_chat(instance, &chat).await.expect("reads")
}

async fn shown(store: &mut AccountStore<'_>, instance: &InstanceId, who: &str) -> Vec<String> {
    let chat = chat_of(store, instance, who).await;
    let rows = store.messages_of_chat(instance, &chat, None, 50).await;
    let rows = rows.expect("reads");
    rows.iter().map(|row| row.id.as_str().to_owned()).collect()
}

fn range(until: Timestamp, ids: &[&str]) -> MessageRange {
    MessageRange {
        until,
        ids: ids.iter().copied().map(MessageId::from_wire).collect(),
    }
}

async fn apply(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    who: &str,
    (act, range): (ChatAct, &MessageRange),
) {
    let chat = chat_of(store, instance, who).await;
    let applied = store.apply_to_chat(instance, &chat, act, range).await;
    applied.expect("applies");
}

fn later(seconds: i64) -> Timestamp {
    NOW.plus_millis(seconds * 1_000)
}

pub async fn lists_go_by_the_last_message(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    put(&mut store, &from(&id, "A1", ANA, later(10))).await;
    put(&mut store, &from(&id, "B1", BIA, later(20))).await;
    put(&mut store, &from(&id, "G1", GROUP, later(5))).await;
    assert!(
        put_message(
            &mut store,
            &id,
            "OUT",
            "5511999990007@s.whatsapp.net",
            later(15)
        )
        .await
    );
    // A chat without a message is none.
    chat_of(&mut store, &id, "5511999990006@s.whatsapp.net").await;
    let all = list(&mut store, &id, ChatQuery::default()).await;
    let expected = [BIA, "5511999990007@s.whatsapp.net", ANA, GROUP];
    assert_eq!(addresses(&all), expected);
    assert_eq!(
        all.iter().map(|row| row.unread).collect::<Vec<_>>(),
        [1, 0, 1, 1]
    );
    let last = all[2].last.as_ref().expect("a last message");
    assert_eq!((last.id.as_str(), last.text.as_deref()), ("A1", Some("hi")));
    assert_eq!(all[2].names.push.as_deref(), Some("Ana"));
    // An older one that comes late is not the last.
    put(&mut store, &from(&id, "A0", ANA, later(1))).await;
    let ana = one(&mut store, &id, ANA).await.expect("listed");
    assert_eq!(ana.last.expect("a last one").id.as_str(), "A1");
    assert_eq!(ana.unread, 2);

    // By pages, either way.
    let page = ChatQuery {
        limit: 2,
        skip: 2,
        ..ChatQuery::default()
    };
    let page = store.chats(&id, &page).await.expect("reads");
    assert_eq!(addresses(&page), expected[2..]);
    let after = Some((all[1].last_at, all[1].id.clone()));
    let rest = list(
        &mut store,
        &id,
        ChatQuery {
            after,
            ..ChatQuery::default()
        },
    )
    .await;
    assert_eq!(addresses(&rest), expected[2..]);
}

pub async fn lists_are_narrowed(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let other = bed.instance(&a, "two").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    put(&mut store, &from(&id, "A1", ANA, later(10))).await;
    put(&mut store, &from(&id, "B1", BIA, later(20))).await;
    put(&mut store, &from(&id, "G1", GROUP, later(5))).await;
    assert!(
        put_message(
            &mut store,
            &id,
            "OUT",
            "5511999990007@s.whatsapp.net",
            later(15)
        )
        .await
    );
    apply(
        &mut store,
        &id,
        ANA,
        (ChatAct::Archive(true), &range(NOW, &[])),
    )
    .await;
    apply(
        &mut store,
        &id,
        BIA,
        (ChatAct::Read(true), &range(later(30), &[])),
    )
    .await;
    for (query, expected) in [
        (
            ChatQuery {
                archived: Some(true),
                ..ChatQuery::default()
            },
            vec![ANA],
        ),
        (
            ChatQuery {
                archived: Some(false),
                ..ChatQuery::default()
            },
            vec![BIA, "5511999990007@s.whatsapp.net", GROUP],
        ),
        (
            ChatQuery {
                unread: Some(true),
                ..ChatQuery::default()
            },
            vec![ANA, GROUP],
        ),
        (
            ChatQuery {
                unread: Some(false),
                ..ChatQuery::default()
            },
            vec![BIA, "5511999990007@s.whatsapp.net"],
        ),
        (
            ChatQuery {
                groups: Some(true),
                ..ChatQuery::default()
            },
            vec![GROUP],
        ),
        (
            ChatQuery {
                groups: Some(false),
                archived: Some(true),
                ..ChatQuery::default()
            },
            vec![ANA],
        ),
        (
            ChatQuery {
                search: Some("aN".into()),
                groups: Some(false),
                ..ChatQuery::default()
            },
            vec![BIA, ANA],
        ),
        (
            ChatQuery {
                search: Some("0009".into()),
                ..ChatQuery::default()
            },
            vec![ANA],
        ),
        (
            ChatQuery {
                search: Some("120363".into()),
                ..ChatQuery::default()
            },
            vec![GROUP],
        ),
        (
            ChatQuery {
                search: Some("%".into()),
                ..ChatQuery::default()
            },
            vec![],
        ),
    ] {
        let found = list(&mut store, &id, query.clone()).await;
        assert_eq!(addresses(&found), expected, "{query:?}");
    }
    assert!(
        list(&mut store, &other, ChatQuery::default())
            .await
            .is_empty()
    );
}

pub async fn a_chats_messages_come_in_pages(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    for n in 0..7 {
        // Two of each second.
        put(&mut store, &from(&id, &format!("A{n}"), ANA, later(n / 2))).await;
    }
    let reaction = InboundMessage {
        kind: recado_model::ContentKind::Reaction,
        ..from(&id, "R1", ANA, later(9))
    };
    put(&mut store, &reaction).await;
    let chat = chat_of(&mut store, &id, ANA).await;
    let (mut seen, mut before) = (Vec::new(), None);
    loop {
        let page = store.messages_of_chat(&id, &chat, before.as_ref(), 3).await;
        let page = page.expect("reads");
        let Some(last) = page.last() else { break };
        before = Some(MessagePlace {
            at: last.at,
            created_at: last.created_at,
            key: last.key.clone(),
        });
        seen.extend(page.iter().map(|row| row.id.as_str().to_owned()));
    }
    assert_eq!(seen.len(), 7, "each once, and no act: {seen:?}");
    assert_eq!(seen[0], "A6");
    assert_eq!(seen, shown(&mut store, &id, ANA).await);
    let newest = store.last_messages(&id, &chat, 2).await.expect("reads");
    assert_eq!(newest[0].id.as_str(), "R1");
    assert!(!newest[0].from_me && newest[0].sender.is_none());
}

pub async fn what_is_read_counts_no_more(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    for n in 0..4 {
        put(&mut store, &from(&id, &format!("A{n}"), ANA, later(n))).await;
    }
    let chat = chat_of(&mut store, &id, ANA).await;
    let ids = ["A0", "A2", "NONE"].map(MessageId::from_wire);
    store.read_messages(&id, &chat, &ids).await.expect("reads");
    assert_eq!(one(&mut store, &id, ANA).await.expect("listed").unread, 2);
    let left = store.unread_messages(&id, &chat, 10).await.expect("reads");
    let left: Vec<_> = left.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(left, ["A1", "A3"]);
    // Up to a second, and in it what was there.
    put(&mut store, &from(&id, "A3b", ANA, later(3))).await;
    apply(
        &mut store,
        &id,
        ANA,
        (ChatAct::Read(true), &range(later(3), &["A3"])),
    )
    .await;
    assert_eq!(one(&mut store, &id, ANA).await.expect("listed").unread, 1);
    apply(
        &mut store,
        &id,
        ANA,
        (ChatAct::Read(true), &range(later(3), &[])),
    )
    .await;
    assert_eq!(one(&mut store, &id, ANA).await.expect("listed").unread, 0);
    // What comes late was read, too.
    put(&mut store, &from(&id, "A-1", ANA, later(2))).await;
    assert_eq!(one(&mut store, &id, ANA).await.expect("listed").unread, 0);
    // And what a receipt of ours names before it is here.
    let receipt = InboundReceipt {
        chat: party(ANA),
        sender: party(crate::messages::OWN),
        from_me: true,
        ids: vec![MessageId::from_wire("A9")],
        state: ReceiptState::ReadSelf,
        at: NOW,
    };
    store
        .record_receipt(&id, &receipt, "ReadSelf", NOW)
        .await
        .expect("writes");
    put(&mut store, &from(&id, "A9", ANA, later(9))).await;
    assert_eq!(one(&mut store, &id, ANA).await.expect("listed").unread, 0);
    put(&mut store, &from(&id, "A10", ANA, later(10))).await;
    apply(
        &mut store,
        &id,
        ANA,
        (ChatAct::Read(false), &range(NOW, &[])),
    )
    .await;
    let ana = one(&mut store, &id, ANA).await.expect("listed");
    assert_eq!((ana.unread, ana.marked_unread), (1, true));
}

pub async fn what_is_cleared_shows_no_more(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    for n in 0..3 {
        put(&mut store, &from(&id, &format!("A{n}"), ANA, later(n))).await;
    }
    put(&mut store, &from(&id, "A2b", ANA, later(2))).await;
    let clear = ChatAct::Clear { media: true };
    apply(&mut store, &id, ANA, (clear, &range(later(2), &["A2"]))).await;
    assert_eq!(shown(&mut store, &id, ANA).await, ["A2b"]);
    let ana = one(&mut store, &id, ANA).await.expect("listed");
    assert_eq!(ana.unread, 1);
    apply(&mut store, &id, ANA, (clear, &range(later(2), &[]))).await;
    assert!(shown(&mut store, &id, ANA).await.is_empty());
    let ana = one(&mut store, &id, ANA).await.expect("it stays");
    assert_eq!((ana.unread, ana.last, ana.last_at), (0, None, later(2)));
    // What is older and comes late went with it.
    put(&mut store, &from(&id, "A-1", ANA, later(1))).await;
    assert!(shown(&mut store, &id, ANA).await.is_empty());
    assert_eq!(one(&mut store, &id, ANA).await.expect("listed").unread, 0);

    put(&mut store, &from(&id, "A5", ANA, later(5))).await;
    for act in [ChatAct::Pin(true), ChatAct::Mute(Mute::Forever)] {
        apply(&mut store, &id, ANA, (act, &range(NOW, &[]))).await;
    }
    let delete = ChatAct::Delete { media: false };
    // An old word of it ends no chat that has begun anew.
    apply(&mut store, &id, ANA, (delete, &range(later(4), &[]))).await;
    let ana = one(&mut store, &id, ANA).await.expect("listed");
    assert!(ana.pinned && ana.mute == Mute::Forever);
    apply(&mut store, &id, ANA, (delete, &range(later(5), &["A5"]))).await;
    assert_eq!(one(&mut store, &id, ANA).await, None);
    put(&mut store, &from(&id, "A6", ANA, later(6))).await;
    let ana = one(&mut store, &id, ANA).await.expect("it begins anew");
    assert!(!ana.pinned && ana.mute == Mute::Off);
    assert_eq!(shown(&mut store, &id, ANA).await, ["A6"]);
}

pub async fn two_chats_that_are_one_keep_their_state(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    put(&mut store, &from(&id, "A1", ANA, later(1))).await;
    put(&mut store, &from(&id, "L1", ANA_LID, later(2))).await;
    apply(&mut store, &id, ANA, (ChatAct::Pin(true), &range(NOW, &[]))).await;
    apply(
        &mut store,
        &id,
        ANA_LID,
        (ChatAct::Archive(true), &range(NOW, &[])),
    )
    .await;
    let saved = ContactUpdate {
        who: party(ANA),
        full_name: Some("Ana Maria".into()),
        first_name: Some("Ana".into()),
    };
    store.save_names(&id, &saved, NOW).await.expect("saves");
    let both = Party {
        shown: Address::from_wire(ANA),
        alt: Some(Address::from_wire(ANA_LID)),
        wire: Address::from_wire(ANA_LID),
    };
    store.chat(&id, &both, NOW).await.expect("merges");
    let all = list(&mut store, &id, ChatQuery::default()).await;
    assert_eq!(addresses(&all), [ANA], "one person, one chat");
    let ana = &all[0];
    assert_eq!(ana.lid.as_ref().map(Address::as_str), Some(ANA_LID));
    assert!(ana.pinned && ana.archived);
    assert_eq!((ana.unread, ana.last_at), (2, later(2)));
    assert_eq!(ana.last.as_ref().expect("a last one").id.as_str(), "L1");
    assert_eq!(ana.names.full.as_deref(), Some("Ana Maria"));
    assert_eq!(ana.names.push.as_deref(), Some("Ana"));
    assert_eq!(shown(&mut store, &id, ANA_LID).await, ["L1", "A1"]);
}

pub async fn people_are_listed_by_name(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    put(&mut store, &from(&id, "A1", ANA, NOW)).await;
    // Nobody knows what they are called.
    chat_of(&mut store, &id, "5511999990005@s.whatsapp.net").await;
    let saved = ContactUpdate {
        who: party(BIA),
        full_name: Some("Beatriz Ávila".into()),
        first_name: None,
    };
    store.save_names(&id, &saved, NOW).await.expect("saves");
    for ((search, only_saved), expected) in [
        ((None, false), vec![BIA, ANA]),
        ((None, true), vec![BIA]),
        ((Some("ávila"), false), vec![BIA]),
        ((Some("0009"), false), vec![ANA]),
        ((Some("nobody"), false), vec![]),
    ] {
        let found = store.contacts(&id, (search, only_saved), None, 10).await;
        let found = found.expect("reads");
        let mut found: Vec<_> = found.iter().map(|row| row.address.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{search:?}");
    }
    let first = store
        .contacts(&id, (None, false), None, 1)
        .await
        .expect("reads");
    let after = Some(&first[0].id);
    let rest = store
        .contacts(&id, (None, false), after, 10)
        .await
        .expect("reads");
    assert_eq!(rest.len(), 1);
    assert_ne!(rest[0].address, first[0].address);
    let bia = store.contact_at(&id, &Address::from_wire(BIA)).await;
    let bia = bia.expect("reads").expect("she is known");
    assert_eq!(bia.names.full.as_deref(), Some("Beatriz Ávila"));
    // A new name of their own.
    let renamed = InboundMessage {
        push_name: Some("Ana Lima".into()),
        ..from(&id, "A2", ANA, NOW)
    };
    put(&mut store, &renamed).await;
    let ana = one(&mut store, &id, ANA).await.expect("listed");
    assert_eq!(ana.names.push.as_deref(), Some("Ana Lima"));
}

pub async fn what_cannot_be_read_is_counted(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    put(&mut store, &from(&id, "A1", ANA, later(1))).await;
    let (chat, by_lid) = (
        chat_of(&mut store, &id, ANA).await,
        chat_of(&mut store, &id, ANA_LID).await,
    );
    let most = UNREADABLE_MOST;
    for n in 0..most + 5 {
        let message = MessageId::from_wire(format!("LOST{n}"));
        let noted = store.note_unreadable(&id, &chat, (&message, later(n)));
        noted.await.expect("notes");
    }
    let ana = one(&mut store, &id, ANA).await.expect("listed");
    assert_eq!(ana.unreadable, most, "the newest");
    // What comes again counts no more.
    let came = format!("LOST{}", most + 1);
    put(&mut store, &from(&id, &came, ANA, later(9))).await;
    let ana = one(&mut store, &id, ANA).await.expect("listed");
    assert_eq!(ana.unreadable, most - 1);
    // Of two that are one, each once.
    let last = MessageId::from_wire(format!("LOST{}", most + 4));
    for message in [last, MessageId::from_wire("OTHER")] {
        let noted = store.note_unreadable(&id, &by_lid, (&message, later(200)));
        noted.await.expect("notes");
    }
    let both = Party {
        alt: Some(Address::from_wire(ANA_LID)),
        ..party(ANA)
    };
    let contact = store.contact(&id, &both, NOW).await.expect("one");
    let ana = one(&mut store, &id, ANA).await.expect("listed");
    assert_eq!(ana.unreadable, most);
    assert_eq!(ana.identity_changed_at, None);
    for (at, before) in [(later(1), None), (later(2), Some(later(1)))] {
        let changed = store.identity_changed(&contact, at).await;
        assert_eq!(changed.expect("notes"), before);
    }
    let ana = one(&mut store, &id, ANA).await.expect("listed");
    assert_eq!(ana.identity_changed_at, Some(later(2)));
}
