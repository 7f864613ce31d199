//! What becomes of the people behind chats: another number, another phone, messages that cannot be read.

use serde_json::{Value, json};

use super::{ask, chat, comes, get, phones_in, written};
use crate::gateway::{Bed, CUSTOMER, Made, SHOP};

on_both! {
    a_number_changes_and_the_chat_stays,
    another_security_code_is_told,
    what_cannot_be_read_is_counted,
    another_picture_is_told,
}

const NEW: &str = "5511999990010";

async fn event(bed: &Bed, kind: &str) -> Value {
    let told = bed.delivered(kind, |delivery| delivery.body["type"] == kind);
    told.await.body["event"].clone()
}

async fn texts(bed: &Bed, made: &Made, who: &str) -> Vec<String> {
    let page = get(bed, made, &format!("/chats/{who}/messages")).await;
    let messages = page["messages"].as_array().expect("a list").iter();
    messages
        .map(|one| one["text"].as_str().unwrap_or_default().to_owned())
        .collect()
}

async fn a_number_changes_and_the_chat_stays(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let events = json!(["ContactNumberChanged"]);
    bed.subscribe(&bed.a, &made, events).await;
    written(bed, &made, CUSTOMER, "hello").await;
    let lid = chat(bed, &made, CUSTOMER).await["lid"].clone();
    let network = bed.sandbox.network();
    network.change_number(CUSTOMER, NEW).expect("it changes");
    let told = event(bed, "ContactNumberChanged").await;
    assert_eq!(
        (&told["phone"], &told["old_phone"], &told["lid"]),
        (&json!(NEW), &json!(CUSTOMER), &lid),
        "{told}"
    );
    let moved = comes(bed, &made, NEW, |chat| chat["phone"] == NEW).await;
    assert_eq!(moved["lid"], lid);
    assert_eq!(
        chat(bed, &made, CUSTOMER).await,
        moved,
        "by the old one too"
    );
    // Both ways, in the one chat.
    written(bed, &made, NEW, "still me").await;
    let body = json!({"phone": NEW, "message": "so I see", "id": "TO-NEW-01"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_shown(NEW, "so I see").await;
    bed.wait_status(&made, "TO-NEW-01", &["delivered", "read"])
        .await;
    assert_eq!(phones_in(bed, &made, "").await, [NEW]);
    let all = texts(bed, &made, CUSTOMER).await;
    assert_eq!(all, ["so I see", "still me", "hello"]);
    let body = json!({"phone": NEW, "full_name": "Ana Maria"});
    ask(bed, &made, ("POST", "/contact/add"), body).await.ok();
    assert_eq!(chat(bed, &made, NEW).await["name"], "Ana Maria");
}

async fn another_security_code_is_told(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let events = json!(["IdentityChange"]);
    bed.subscribe(&bed.a, &made, events).await;
    written(bed, &made, CUSTOMER, "hello").await;
    let before = chat(bed, &made, CUSTOMER).await;
    assert_eq!(before["identity_changed_at"], Value::Null);
    let network = bed.sandbox.network();
    network.reinstall(CUSTOMER).expect("another phone");
    let told = event(bed, "IdentityChange").await;
    assert_eq!(
        (&told["phone"], &told["lid"]),
        (&json!(CUSTOMER), &before["lid"]),
        "{told}"
    );
    comes(bed, &made, CUSTOMER, |chat| {
        chat["identity_changed_at"].is_string()
    })
    .await;
    written(bed, &made, CUSTOMER, "on my new phone").await;
    let body = json!({"phone": CUSTOMER, "message": "well"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_shown(CUSTOMER, "well").await;
}

async fn what_cannot_be_read_is_counted(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let events = json!(["UndecryptableMessage"]);
    bed.subscribe(&bed.a, &made, events).await;
    written(bed, &made, CUSTOMER, "hello").await;
    let network = bed.sandbox.network();
    // However often it is asked for.
    network.garble(CUSTOMER, 100).expect("a phone");
    let lost = network
        .send_text(CUSTOMER, SHOP, "lost")
        .expect("it writes");
    comes(bed, &made, CUSTOMER, |chat| {
        chat["messages_unreadable"] == 1
    })
    .await;
    let told = event(bed, "UndecryptableMessage").await;
    assert_eq!(told["info"]["id"], lost.id);
}

async fn another_picture_is_told(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let events = json!(["PictureUpdate"]);
    bed.subscribe(&bed.a, &made, events).await;
    written(bed, &made, CUSTOMER, "hello").await;
    let network = bed.sandbox.network();
    let bytes: &[u8] = &[0xff, 0xd8, 0xff];
    let set = network.set_picture(CUSTOMER, Some((bytes, bytes)));
    let id = set.expect("a picture").picture.expect("a picture").id;
    let told = event(bed, "PictureUpdate").await;
    for (field, value) in [
        ("phone", json!(CUSTOMER)),
        ("picture_id", json!(id)),
        ("removed", json!(false)),
        ("is_group", json!(false)),
    ] {
        assert_eq!(told[field], value, "{field}: {told}");
    }
    network.set_picture(CUSTOMER, None).expect("none");
    bed.delivered("its end", |delivery| {
        delivery.body["event"]["removed"] == true
    })
    .await;
}
