//! What phones send of their past: frames, what was announced, and messages that were written long ago.

use recado_model::{
    ConnectionState, InstanceId, MessageStatus, StateReason, Timestamp,
    history::{Frame, FrameKind, PastMessage},
    message::InboundMessage,
};
use recado_store::{FrameState, MessagePlace};

use crate::{
    bed::{Bed, NOW},
    messages::{inbound, party},
};

const ANA: &str = "5511999990009@s.whatsapp.net";
const BIA: &str = "5511999990008@s.whatsapp.net";
const NODE: &str = "here";

fn frame(name: &str, order: Option<i64>) -> Frame {
    Frame {
        name: name.to_owned(),
        kind: FrameKind::Recent,
        chunk_order: order,
        progress: order.map(|order| order * 10),
        request: Some("R1".to_owned()),
        digest: format!("digest of {name}"),
    }
}

fn past(instance: &InstanceId, id: &str, at: Timestamp, place: i64) -> PastMessage {
    PastMessage {
        message: InboundMessage {
            chat: party(ANA),
            at,
            ..inbound(instance, id, ANA)
        },
        status: MessageStatus::Read,
        unread: false,
        place,
    }
}

pub async fn frames_are_kept_once_until_their_link_is_over(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let none = store.history(&id).await.expect("reads");
    assert_eq!((none.last_at, none.frames.len()), (None, 0));
    for notice in ["N1", "N2", "N2"] {
        let noted = store.note_history_announced(&id, notice, NOW).await;
        noted.expect("notes");
    }
    let (one, two) = (frame("one", Some(1)), frame("two", None));
    assert!(store.keep_frame(&id, NODE, &one, NOW).await.expect("keeps"));
    let again = Frame {
        name: "again".to_owned(),
        ..one.clone()
    };
    let kept = store.keep_frame(&id, NODE, &again, NOW).await;
    assert!(!kept.expect("keeps"), "it came before");
    // The journal gives the same again after a crash.
    assert!(store.keep_frame(&id, NODE, &one, NOW).await.expect("keeps"));
    let later = NOW.plus_secs(1);
    assert!(
        store
            .keep_frame(&id, NODE, &two, later)
            .await
            .expect("keeps")
    );
    let row = store.history(&id).await.expect("reads");
    assert_eq!(
        (row.announced, row.last_at, row.settled),
        (2, Some(later), false)
    );
    let seen: Vec<_> = row
        .frames
        .iter()
        .map(|one| (&one.frame, one.times))
        .collect();
    assert_eq!(seen, [(&one, 2), (&two, 1)]);
    assert_eq!(row.frames[0].state, FrameState::Waiting);
    conn.commit().await.expect("commit");

    let mut conn = bed.store.write().await.expect("write");
    let waiting = conn.system().waiting_frames(NODE, 10).await.expect("lists");
    let waiting: Vec<_> = waiting.iter().map(|of| (&of.account, &of.frame)).collect();
    assert_eq!(waiting, [(&a, &one), (&a, &two)]);
    let elsewhere = conn.system().waiting_frames("there", 10).await;
    assert_eq!(elsewhere.expect("lists"), []);
    let mut store = conn.account(&a);
    let ended = store.end_frame(&id, &one.digest, FrameState::Stored).await;
    assert!(ended.expect("ends"));
    let ended = store.end_frame(&id, &one.digest, FrameState::Gone).await;
    assert!(!ended.expect("ends"), "it is over");
    let mut other = conn.account(&b);
    let ended = other.end_frame(&id, &two.digest, FrameState::Gone).await;
    assert!(!ended.expect("ends"), "not B's");
    assert_eq!(other.history(&id).await.expect("reads").frames, []);
    let waiting = conn.system().waiting_frames(NODE, 10).await.expect("lists");
    assert_eq!(waiting.len(), 1);

    let mut store = conn.account(&a);
    let (state, reason) = (ConnectionState::LoggedOut, StateReason::LoggedOutByOwner);
    let unpaired = store.set_unpaired(&id, state, reason, NOW).await;
    assert!(unpaired.expect("unpairs"));
    let row = store.history(&id).await.expect("reads");
    assert_eq!((row.announced, row.last_at, row.frames.len()), (0, None, 0));
}

pub async fn what_is_missing_is_looked_at_once_nothing_comes(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    store
        .note_history_announced(&id, "N1", NOW)
        .await
        .expect("notes");
    let before = NOW.plus_millis(-1);
    let early = conn.system().history_to_settle(before, 10).await;
    assert_eq!(early.expect("lists"), []);
    let due = conn.system().history_to_settle(NOW, 10).await;
    assert_eq!(due.expect("lists"), [(a.clone(), id.clone())]);
    let mut store = conn.account(&a);
    let settled = store.settle_history(&id, before, "1 missing").await;
    assert!(!settled.expect("settles"), "something has come since");
    let settled = store.settle_history(&id, NOW, "1 missing").await;
    assert!(settled.expect("settles"));
    let row = store.history(&id).await.expect("reads");
    assert_eq!((row.settled, row.told.as_str()), (true, "1 missing"));
    let due = conn.system().history_to_settle(NOW, 10).await;
    assert_eq!(due.expect("lists"), []);
    // Something comes after all.
    let mut store = conn.account(&a);
    let kept = store.keep_frame(&id, NODE, &frame("one", None), NOW).await;
    assert!(kept.expect("keeps"));
    let row = store.history(&id).await.expect("reads");
    assert_eq!((row.settled, row.told.as_str()), (false, "1 missing"));
}

pub async fn messages_of_the_past_keep_their_time_and_come_once(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let long_ago = Timestamp(1_500_000_000_000);
    // What came in first stays as it is.
    let live = InboundMessage {
        chat: party(ANA),
        at: long_ago.plus_secs(60),
        ..inbound(&id, "LIVE", ANA)
    };
    let put = store.record_inbound(&live, NOW).await.expect("writes");
    assert!(put.is_some());
    let mut mine = past(&id, "MINE", long_ago.plus_secs(50), 0);
    mine.message.from_me = true;
    mine.message.sender = party(BIA);
    let mut unread = past(&id, "UNREAD", long_ago.plus_secs(55), 0);
    unread.unread = true;
    unread.message.push_name = Some("Ana of old".to_owned());
    let all = [
        past(&id, "B", long_ago, 1),
        past(&id, "A", long_ago, 0),
        past(&id, "LIVE", long_ago.plus_secs(60), 0),
        mine,
        unread,
    ];
    let mut fresh = Vec::new();
    for past in &all {
        let put = store.record_past(past, NOW).await.expect("writes");
        fresh.push(put.is_some());
    }
    assert_eq!(fresh, [true, true, false, true, true]);
    for past in &all {
        let put = store.record_past(past, NOW).await.expect("writes");
        assert!(put.is_none(), "{} came before", past.message.id);
    }
    let chat = store.chat(&id, &party(ANA), NOW).await.expect("a chat");
    let rows = store.messages_of_chat(&id, &chat, None, 50).await;
    let rows = rows.expect("reads");
    let seen: Vec<_> = rows.iter().map(|row| (row.id.as_str(), row.at)).collect();
    let expected = [
        ("LIVE", long_ago.plus_secs(60)),
        ("UNREAD", long_ago.plus_secs(55)),
        ("MINE", long_ago.plus_secs(50)),
        ("B", long_ago),
        ("A", long_ago),
    ];
    assert_eq!(seen, expected, "of one second by their place");
    assert_eq!(rows[2].status, MessageStatus::Read);
    let place = MessagePlace {
        at: rows[3].at,
        created_at: rows[3].created_at,
        key: rows[3].key.clone(),
    };
    let page = store.messages_of_chat(&id, &chat, Some(&place), 50).await;
    let page = page.expect("reads");
    assert_eq!(
        page.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
        ["A"]
    );
    let listed = store.listed_chat(&id, &chat).await.expect("reads");
    let listed = listed.expect("listed");
    assert_eq!(
        listed.unread, 2,
        "the one that came in, and the one that the phone has so"
    );
    assert_eq!(listed.last.expect("a last one").id.as_str(), "LIVE");
    assert_eq!(listed.names.push.as_deref(), Some("Ana"), "the newer name");
    let oldest = store.oldest_message(&id, &chat).await.expect("reads");
    assert_eq!(oldest.expect("there").id.as_str(), "A");
    let bia = party(BIA);
    let named = store.note_past_name(&id, &bia, "Bia", NOW).await;
    named.expect("names");
    let named = store.note_past_name(&id, &bia, "Beatriz", NOW).await;
    named.expect("names");
    let contact = store.contact_at(&id, &bia.shown).await.expect("reads");
    assert_eq!(contact.expect("there").names.push.as_deref(), Some("Bia"));
}

pub async fn a_message_that_comes_after_its_past_is_told(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let past = past(&id, "M1", NOW, 0);
    let first = store.record_past(&past, NOW).await.expect("writes");
    let first = first.expect("new");
    let live = store.record_inbound(&past.message, NOW).await;
    assert_eq!(live.expect("writes"), Some(first), "the same row, told now");
    let again = store.record_inbound(&past.message, NOW).await;
    assert_eq!(again.expect("writes"), None);
    let chat = store.chat(&id, &party(ANA), NOW).await.expect("a chat");
    let rows = store.messages_of_chat(&id, &chat, None, 50).await;
    assert_eq!(rows.expect("reads").len(), 1);
}

pub async fn frame_states_are_the_codes(bed: &Bed) {
    let schema = include_str!("../../../../migrations/0010_history.sql");
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    for (at, state) in FrameState::ALL.into_iter().enumerate() {
        assert!(schema.contains(&format!("'{}'", state.as_str())));
        let mut conn = bed.store.write().await.expect("write");
        let mut store = conn.account(&a);
        let kind = FrameKind::ALL[at];
        let frame = Frame {
            kind,
            ..frame(&format!("F{at}"), None)
        };
        store
            .keep_frame(&id, NODE, &frame, NOW.plus_secs(at as i64))
            .await
            .expect("keeps");
        let ended = store.end_frame(&id, &frame.digest, state).await;
        assert!(ended.expect("ends"));
        let row = store.history(&id).await.expect("reads");
        let last = row.frames.last().expect("there");
        assert_eq!((last.state, last.frame.kind), (state, kind));
        conn.commit().await.expect("commit");
    }
}
