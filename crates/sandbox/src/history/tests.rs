//! What a phone's history keeps and counts.

use super::*;

fn message(id: &str, sha256: &str) -> ChatMessage {
    ChatMessage {
        id: id.to_owned(),
        from: "1".to_owned(),
        to: "2".to_owned(),
        text: "x".to_owned(),
        kind: "text".to_owned(),
        detail: Detail::default(),
        reactions: BTreeMap::new(),
        votes: BTreeMap::new(),
        receipts: BTreeMap::new(),
        edited: false,
        deleted: false,
        status: "received".to_owned(),
        timestamp: 0,
        shown_at: 0,
        arrivals: 1,
        sha256: Some(sha256.to_owned()),
        same: true,
        device: 0,
        hidden: false,
        cleared: false,
    }
}

#[test]
fn repeats_are_counted_and_compared_and_read_once() {
    let mut history = History::of("2");
    assert!(history.arrive(message("a", "1")));
    assert!(!history.arrive(message("a", "1")));
    assert!(history.arrive(message("b", "1")));
    assert!(!history.arrive(message("b", "2")));
    let seen: Vec<_> = history.shown().map(|m| (m.arrivals, m.same)).collect();
    assert_eq!(seen, [(2, true), (2, false)]);
    assert_eq!(history.unread()["1"], 2);
    assert_eq!(history.read_chat("1")["1"], ["a", "b"]);
    // A repeat of what was read stays read.
    history.arrive(message("a", "1"));
    assert!(history.unread().is_empty());
}

#[test]
fn a_message_is_shown_since_it_first_could_be_read() {
    let mut history = History::of("2");
    let came = |at: i64, hidden| ChatMessage {
        shown_at: at,
        hidden,
        ..message("a", "1")
    };
    history.arrive(came(10, true));
    history.arrive(came(20, false));
    history.arrive(came(30, false));
    let shown: Vec<_> = history.shown().map(|m| (m.shown_at, m.arrivals)).collect();
    assert_eq!(shown, [(20, 3)]);
}

#[test]
fn lines_restore_the_last_state() {
    let mut history = History::of("2");
    history.arrive(message("a", "1"));
    let mut lines = history.take_changes().expect("lines");
    history.arrive(message("a", "1"));
    history.read_chat("1");
    lines.extend(history.take_changes().expect("lines"));
    assert!(!history.is_changed());
    let mut again = History::of("2");
    for line in lines.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        again.restore(serde_json::from_slice(line).expect("JSON"));
    }
    assert_eq!(
        again.shown().collect::<Vec<_>>(),
        history.shown().collect::<Vec<_>>()
    );
    assert!(again.unread().is_empty());
}
