//! What is done to a chat here is seen on the phone, and what is done on the phone is seen here.

use recado_sandbox::{ChatChange, ChatInfo};
use serde_json::{Value, json};

use super::{BIA, ask, chat, comes, get, of, on_phone, phone_shows, phones_in, written};
use crate::gateway::{Bed, CUSTOMER, Made, SHOP, until};

on_both! {
    what_is_done_here_is_seen_on_the_phone,
    a_mute_ends_by_itself,
    what_the_phone_does_is_seen_here,
    the_phone_has_groups_and_labels_too,
    a_cleared_chat_is_empty_on_both_sides,
    a_deleted_chat_begins_anew,
    the_line_of_a_timer_goes_with_its_chat,
    a_chat_that_is_read_tells_its_senders,
    a_timer_is_set,
    what_the_phone_did_meanwhile_comes_afterwards,
    two_who_write_at_once_lose_nothing,
}

async fn act(bed: &Bed, made: &Made, path: &str, body: Value) {
    let path = format!("/chats/{CUSTOMER}/{path}");
    let answer = ask(bed, made, ("POST", &path), body).await.ok();
    assert_eq!(answer, json!({"status": "ok"}), "{path}");
}

async fn what_is_done_here_is_seen_on_the_phone(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    type Fits = fn(&ChatInfo) -> bool;
    let cases: [(&str, Value, Fits, (&str, Value)); 9] = [
        (
            "archive",
            Value::Null,
            |c| c.shown.archived,
            ("archived", json!(true)),
        ),
        (
            "pin",
            json!({}),
            |c| c.shown.pinned,
            ("pinned", json!(true)),
        ),
        (
            "mute",
            json!({}),
            |c| c.shown.muted_until == -1,
            ("mute_end_time", json!(-1)),
        ),
        (
            "unmute",
            Value::Null,
            |c| c.shown.muted_until == 0,
            ("is_muted", json!(0)),
        ),
        (
            "mute",
            json!({"duration_seconds": 3_600}),
            |c| c.shown.muted_until > 0,
            ("is_muted", json!(1)),
        ),
        (
            "unread",
            Value::Null,
            |c| c.shown.marked_unread,
            ("marked_as_unread", json!(true)),
        ),
        (
            "read",
            Value::Null,
            |c| !c.shown.marked_unread && c.unread == 0,
            ("unread", json!("0")),
        ),
        (
            "unarchive",
            json!({}),
            |c| !c.shown.archived,
            ("archived", json!(false)),
        ),
        (
            "unpin",
            Value::Null,
            |c| !c.shown.pinned,
            ("pinned", json!(false)),
        ),
    ];
    for (path, body, fits, (field, value)) in cases {
        act(bed, &made, path, body).await;
        // Here at once: the answer says that it is done.
        assert_eq!(chat(bed, &made, CUSTOMER).await[field], value, "{path}");
        phone_shows(bed, CUSTOMER, path, fits).await;
        if path == "archive" {
            assert_eq!(phones_in(bed, &made, "archived=true").await, [CUSTOMER]);
            assert!(phones_in(bed, &made, "archived=false").await.is_empty());
        }
    }
}

async fn a_mute_ends_by_itself(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    act(bed, &made, "mute", json!({"duration_seconds": 3_600})).await;
    let until = chat(bed, &made, CUSTOMER).await["mute_end_time"].as_i64();
    assert!(until.is_some_and(|until| until > 0));
    bed.clock.jump_secs(3_700);
    bed.log_in().await;
    let later = chat(bed, &made, CUSTOMER).await;
    assert_eq!(
        (&later["is_muted"], &later["mute_end_time"]),
        (&json!(0), &json!(0))
    );
}

async fn what_the_phone_does_is_seen_here(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    for (change, field, value) in [
        (
            ChatChange {
                archived: Some(true),
                ..of(CUSTOMER)
            },
            "archived",
            json!(true),
        ),
        (
            ChatChange {
                pinned: Some(true),
                ..of(CUSTOMER)
            },
            "pinned",
            json!(true),
        ),
        (
            ChatChange {
                muted_until: Some(-1),
                ..of(CUSTOMER)
            },
            "mute_end_time",
            json!(-1),
        ),
        (
            ChatChange {
                muted_until: Some(0),
                ..of(CUSTOMER)
            },
            "is_muted",
            json!(0),
        ),
        (
            ChatChange {
                read: Some(false),
                ..of(CUSTOMER)
            },
            "marked_as_unread",
            json!(true),
        ),
        (
            ChatChange {
                read: Some(true),
                ..of(CUSTOMER)
            },
            "marked_as_unread",
            json!(false),
        ),
        (
            ChatChange {
                archived: Some(false),
                ..of(CUSTOMER)
            },
            "archived",
            json!(false),
        ),
        (
            ChatChange {
                pinned: Some(false),
                ..of(CUSTOMER)
            },
            "pinned",
            json!(false),
        ),
    ] {
        on_phone(bed, change);
        comes(bed, &made, CUSTOMER, |chat| chat[field] == value).await;
    }
    assert_eq!(chat(bed, &made, CUSTOMER).await["unread"], "0");
}

async fn the_phone_has_groups_and_labels_too(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    // A group that nobody wrote in yet, and a label, which is the phone's own business.
    let group = "120363000000000042@g.us";
    on_phone(
        bed,
        ChatChange {
            pinned: Some(true),
            ..of(group)
        },
    );
    let seen = comes_at_all(bed, &made, group).await;
    assert_eq!(
        (&seen["phone"], &seen["is_group"]),
        (&json!(group), &json!(true))
    );
    let label = recado_sandbox::Label {
        name: "New".to_owned(),
        color: 3,
    };
    let network = bed.sandbox.network();
    network.edit_label(SHOP, "7", &label).expect("a label");
    on_phone(
        bed,
        ChatChange {
            label: Some("7".to_owned()),
            ..of(CUSTOMER)
        },
    );
    phone_shows(bed, CUSTOMER, "a label", |chat| {
        chat.shown.labels.contains("7")
    })
    .await;
    on_phone(
        bed,
        ChatChange {
            pinned: Some(true),
            ..of(CUSTOMER)
        },
    );
    comes(bed, &made, CUSTOMER, |chat| chat["pinned"] == true).await;
}

async fn comes_at_all(bed: &Bed, made: &Made, who: &str) -> Value {
    until("the chat", async || {
        let path = format!("/chats/{who}");
        let answer = ask(bed, made, ("GET", &path), Value::Null).await;
        (answer.status == 200).then(|| answer.json().clone())
    })
    .await
}

async fn shown(bed: &Bed, made: &Made) -> Vec<String> {
    let page = get(bed, made, &format!("/chats/{CUSTOMER}/messages")).await;
    let messages = page["messages"].as_array().expect("a list");
    let texts = messages
        .iter()
        .map(|one| one["text"].as_str().expect("a text"));
    texts.map(str::to_owned).collect()
}

async fn a_cleared_chat_is_empty_on_both_sides(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "one").await;
    act(bed, &made, "clear", json!({"delete_media": true})).await;
    assert!(shown(bed, &made).await.is_empty());
    let empty = chat(bed, &made, CUSTOMER).await;
    assert_eq!(
        (&empty["unread"], &empty["last_message"]),
        (&json!("0"), &Value::Null)
    );
    phone_shows(bed, CUSTOMER, "nothing", |chat| chat.messages == 0).await;
    // What comes afterwards, be it in the same second, is there.
    written(bed, &made, CUSTOMER, "two").await;
    assert_eq!(shown(bed, &made).await, ["two"]);
    on_phone(
        bed,
        ChatChange {
            clear: true,
            ..of(CUSTOMER)
        },
    );
    comes(bed, &made, CUSTOMER, |chat| chat["last_message"].is_null()).await;
    assert!(shown(bed, &made).await.is_empty());
    written(bed, &made, CUSTOMER, "three").await;
    assert_eq!(shown(bed, &made).await, ["three"]);
}

/// The line that says so goes as well, though nobody wrote it and it has no name here.
async fn the_line_of_a_timer_goes_with_its_chat(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for (method, path) in [("POST", "/clear"), ("DELETE", "")] {
        written(bed, &made, CUSTOMER, "one").await;
        let timer = format!("/chats/{CUSTOMER}/expiration");
        let body = json!({"expiration": "24_HOURS"});
        ask(bed, &made, ("PUT", &timer), body).await.ok();
        phone_shows(bed, CUSTOMER, "its line", |chat| chat.messages == 2).await;
        let path = format!("/chats/{CUSTOMER}{path}");
        ask(bed, &made, (method, &path), json!({})).await.ok();
        phone_shows(bed, CUSTOMER, "nothing", |chat| chat.messages == 0).await;
    }
}

async fn a_deleted_chat_begins_anew(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "one").await;
    act(bed, &made, "pin", Value::Null).await;
    let path = format!("/chats/{CUSTOMER}");
    let gone = ask(bed, &made, ("DELETE", &path), json!({})).await.ok();
    assert_eq!(gone, json!({"status": "ok"}));
    let answer = ask(bed, &made, ("GET", &path), Value::Null).await;
    assert_eq!(answer.refused(404, "not_found")["field"], "phone");
    assert!(phones_in(bed, &made, "").await.is_empty());
    let is_gone = |chat: &ChatInfo| chat.messages == 0 && !chat.shown.pinned;
    phone_shows(bed, CUSTOMER, "nothing", is_gone).await;
    written(bed, &made, CUSTOMER, "two").await;
    assert_eq!(shown(bed, &made).await, ["two"]);
    assert_eq!(chat(bed, &made, CUSTOMER).await["pinned"], false);
    on_phone(
        bed,
        ChatChange {
            delete: true,
            ..of(CUSTOMER)
        },
    );
    until("the chat to be gone", async || {
        phones_in(bed, &made, "").await.is_empty().then_some(())
    })
    .await;
}

async fn a_chat_that_is_read_tells_its_senders(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for text in ["one", "two"] {
        written(bed, &made, CUSTOMER, text).await;
    }
    act(bed, &made, "read", Value::Null).await;
    assert_eq!(chat(bed, &made, CUSTOMER).await["unread"], "0");
    until("the ticks to be blue", async || {
        let messages = bed.sandbox.network().messages(CUSTOMER).expect("a phone");
        let all = messages.iter().all(|message| message.status == "read");
        (messages.len() == 2 && all).then_some(())
    })
    .await;
    phone_shows(bed, CUSTOMER, "nothing unread", |chat| chat.unread == 0).await;
}

async fn a_timer_is_set(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for (word, seconds) in [
        ("24_HOURS", json!(86_400)),
        ("off", Value::Null),
        ("90_DAYS", json!(7_776_000)),
    ] {
        let path = format!("/chats/{CUSTOMER}/expiration");
        let body = json!({"expiration": word});
        let answer = ask(bed, &made, ("PUT", &path), body).await.ok();
        assert_eq!(answer, json!({"status": "ok"}));
        let text = format!("after {word}");
        let id = format!("AFTER-{}", word.replace('_', "-"));
        let body = json!({"phone": CUSTOMER, "message": text, "id": id});
        bed.send(&bed.a, &made, body).await.ok();
        let message = bed.wait_shown(CUSTOMER, &text).await;
        assert_eq!(json!(message.detail.expiration), seconds, "{word}");
        assert_eq!(
            chat(bed, &made, CUSTOMER).await["expiration_seconds"],
            seconds
        );
    }
    // The other side sees that it was set.
    let messages = bed.sandbox.network().messages(CUSTOMER).expect("a phone");
    let set: Vec<_> = messages
        .iter()
        .filter(|message| message.kind == "timer")
        .collect();
    assert_eq!(set.len(), 3);
}

async fn what_the_phone_did_meanwhile_comes_afterwards(bed: &mut Bed) {
    bed.sandbox
        .network()
        .add_phone(BIA, "Bia")
        .expect("a phone");
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    bed.stop().await;
    // More than the server gives at once.
    for on in (0..25).map(|n| n % 2 == 0) {
        on_phone(
            bed,
            ChatChange {
                archived: Some(on),
                ..of(CUSTOMER)
            },
        );
        on_phone(
            bed,
            ChatChange {
                pinned: Some(!on),
                ..of(CUSTOMER)
            },
        );
    }
    on_phone(
        bed,
        ChatChange {
            muted_until: Some(-1),
            ..of(BIA)
        },
    );
    bed.restart().await;
    comes(bed, &made, CUSTOMER, |chat| {
        chat["archived"] == true && chat["pinned"] == false
    })
    .await;
    let bia = comes_at_all(bed, &made, BIA).await;
    assert_eq!(bia["is_muted"], 1);
    // And the phone reads what was written while it was off.
    let network = bed.sandbox.network();
    network.set_online(SHOP, false).expect("off");
    act(bed, &made, "unarchive", Value::Null).await;
    assert!(network.chat(SHOP, CUSTOMER).expect("a chat").shown.archived);
    network.set_online(SHOP, true).expect("on");
    phone_shows(bed, CUSTOMER, "it back", |chat| !chat.shown.archived).await;
}

/// Phone and gateway write into one collection at the same time: one of them is told of a conflict, and writes again.
async fn two_who_write_at_once_lose_nothing(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    for round in 0..6 {
        let pinned = round % 2 == 0;
        let path = if pinned { "archive" } else { "unarchive" };
        let gateway = act(bed, &made, path, Value::Null);
        let phone = async {
            for _ in 0..5 {
                on_phone(
                    bed,
                    ChatChange {
                        pinned: Some(pinned),
                        ..of(CUSTOMER)
                    },
                );
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(gateway, phone);
        let fits =
            move |chat: &ChatInfo| (chat.shown.archived, chat.shown.pinned) == (pinned, pinned);
        phone_shows(bed, CUSTOMER, "both", fits).await;
        comes(bed, &made, CUSTOMER, |chat| {
            chat["archived"] == pinned && chat["pinned"] == pinned
        })
        .await;
    }
}
