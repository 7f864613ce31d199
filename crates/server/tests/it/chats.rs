//! Chats: listed and read, what is done to them here and on the phone, and the address book.

mod acts;
mod broken;
mod contacts;
mod labels;
mod people;
mod persons;
mod refused;

use recado_sandbox::{ChatChange, ChatInfo};
use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP, until},
};

on_both! {
    chats_are_listed,
    a_chats_messages_come_in_pages,
    unread_counts_agree_with_the_phone,
    a_person_is_one_chat_by_whatever_address,
}

const BIA: &str = "5511999990008";

async fn ask(bed: &Bed, made: &Made, (method, path): (&str, &str), body: Value) -> Answer {
    let path = made.path(path);
    let call = bed.call(method, &path).bearer(&bed.a.jwt);
    match body {
        Value::Null => call.send().await,
        body => call.json(body).send().await,
    }
}

async fn get(bed: &Bed, made: &Made, path: &str) -> Value {
    ask(bed, made, ("GET", path), Value::Null).await.ok()
}

async fn chat(bed: &Bed, made: &Made, who: &str) -> Value {
    get(bed, made, &format!("/chats/{who}")).await
}

async fn phones_in(bed: &Bed, made: &Made, query: &str) -> Vec<String> {
    let page = get(bed, made, &format!("/chats?{query}")).await;
    let content = page["content"].as_array().expect("a list");
    let phones = content.iter().map(|chat| chat["phone"].as_str());
    phones
        .map(|phone| phone.expect("a phone").to_owned())
        .collect()
}

/// A message that somebody writes to the shop, here by now.
async fn written(bed: &Bed, made: &Made, from: &str, text: &str) -> String {
    let network = bed.sandbox.network();
    let fetched = network.wait_for(PATIENCE, |network| {
        network.settings_are_fetched(SHOP).ok()?.then_some(())
    });
    fetched.await.expect("the settings are fetched");
    let id = network.send_text(from, SHOP, text).expect("it writes").id;
    until("the message", async || {
        let path = made.path(&format!("/chat/messages/{id}"));
        let answer = bed.get(&path).bearer(&bed.a.jwt).send().await;
        (answer.status == 200).then_some(())
    })
    .await;
    id
}

/// Waits until the gateway shows a chat as it should be.
async fn comes(bed: &Bed, made: &Made, who: &str, fits: impl Fn(&Value) -> bool) -> Value {
    until("the chat to be as its phone has it", async || {
        let chat = chat(bed, made, who).await;
        fits(&chat).then_some(chat)
    })
    .await
}

/// Waits until the shop's phone shows its chat with somebody as it should be.
async fn phone_shows(bed: &Bed, who: &str, what: &str, fits: impl Fn(&ChatInfo) -> bool) {
    let network = bed.sandbox.network();
    let shown = network.wait_for(PATIENCE, |network| {
        let chat = network.chat(SHOP, who).ok()?;
        fits(&chat).then_some(())
    });
    shown
        .await
        .unwrap_or_else(|_| panic!("the phone shows {what}: {:?}", network.chat(SHOP, who)));
    assert_eq!(network.faults(SHOP).expect("a phone"), [""; 0]);
}

fn on_phone(bed: &Bed, change: ChatChange) {
    let network = bed.sandbox.network();
    network
        .change_chat(SHOP, &change)
        .expect("the phone does it");
}

fn of(who: &str) -> ChatChange {
    ChatChange {
        chat: who.to_owned(),
        ..ChatChange::default()
    }
}

async fn chats_are_listed(bed: &mut Bed) {
    bed.sandbox
        .network()
        .add_phone(BIA, "Bia")
        .expect("a phone");
    let made = bed.paired(&bed.a, SHOP).await;
    let none = get(bed, &made, "/chats").await;
    assert_eq!(none["content"], json!([]));
    assert_eq!((&none["page"], &none["next"]), (&json!(1), &Value::Null));
    let first = written(bed, &made, CUSTOMER, "first").await;
    written(bed, &made, CUSTOMER, "second").await;
    let sent = json!({"phone": BIA, "message": "to Bia", "id": "TO-BIA-01"});
    bed.send(&bed.a, &made, sent).await.ok();
    bed.wait_status(&made, "TO-BIA-01", &["delivered", "read"])
        .await;
    assert_eq!(phones_in(bed, &made, "").await, [BIA, CUSTOMER]);

    let ana = chat(bed, &made, CUSTOMER).await;
    for (field, value) in [
        ("phone", json!(CUSTOMER)),
        ("jid", json!(format!("{CUSTOMER}@s.whatsapp.net"))),
        ("name", json!("Ana")),
        ("is_group", json!(false)),
        ("archived", json!(false)),
        ("pinned", json!(false)),
        ("is_muted", json!(0)),
        ("mute_end_time", json!(0)),
        ("unread", json!("2")),
        ("messages_unread", json!(2)),
        ("marked_as_unread", json!(false)),
        ("expiration_seconds", Value::Null),
        ("last_message_user_name", json!("Ana")),
        ("last_message_user_phone", json!(CUSTOMER)),
    ] {
        assert_eq!(ana[field], value, "{field}: {ana}");
    }
    assert_eq!(ana["last_message"]["text"], "second");
    assert_eq!(ana["last_message"]["kind"], "text");
    assert!(
        ana["last_message_timestamp_ms"]
            .as_i64()
            .is_some_and(|at| at > 0)
    );
    assert!(ana["lid"].as_str().is_some_and(|lid| lid.ends_with("@lid")));
    // What is done to a message is no message.
    let react =
        json!({"phone": CUSTOMER, "message_id": first, "reaction": "👍", "id": "REACT-001"});
    ask(bed, &made, ("POST", "/chat/react"), react).await.ok();
    bed.wait_status(&made, "REACT-001", &["sent", "delivered", "read"])
        .await;
    assert_eq!(
        chat(bed, &made, CUSTOMER).await["last_message"]["text"],
        "second"
    );

    for (query, expected) in [
        ("page=1&page_size=1", vec![BIA]),
        ("page=2&page_size=1", vec![CUSTOMER]),
        ("page=3&page_size=1", vec![]),
        ("page=0&page_size=0", vec![BIA, CUSTOMER]),
        ("search=aN", vec![CUSTOMER]),
        ("search=90009", vec![CUSTOMER]),
        ("search=nobody", vec![]),
        ("unread=True", vec![CUSTOMER]),
        ("unread=0", vec![BIA]),
        ("groups=true", vec![]),
        ("groups=false&archived=false", vec![BIA, CUSTOMER]),
        ("archived=1", vec![]),
    ] {
        assert_eq!(phones_in(bed, &made, query).await, expected, "{query}");
    }
    let page = get(bed, &made, "/chats?page_size=1").await;
    let next = page["next"].as_str().expect("more");
    let rest = phones_in(bed, &made, &format!("before={next}")).await;
    assert_eq!(rest, [CUSTOMER]);
}

async fn a_chats_messages_come_in_pages(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for n in 0..3 {
        written(bed, &made, CUSTOMER, &format!("question {n}")).await;
        let body = json!({"phone": CUSTOMER, "message": format!("answer {n}"), "id": format!("ANSWER-0{n}")});
        bed.send(&bed.a, &made, body).await.ok();
        bed.wait_status(&made, &format!("ANSWER-0{n}"), &["delivered", "read"])
            .await;
    }
    let path = format!("/chats/{CUSTOMER}/messages");
    let all = get(bed, &made, &path).await;
    let texts = |page: &Value| -> Vec<String> {
        let messages = page["messages"].as_array().expect("a list");
        let texts = messages
            .iter()
            .map(|one| one["text"].as_str().expect("a text"));
        texts.map(str::to_owned).collect()
    };
    assert_eq!(texts(&all).len(), 6);
    assert_eq!(all["next"], Value::Null);
    let (mut seen, mut query) = (Vec::new(), "limit=4".to_owned());
    loop {
        let page = get(bed, &made, &format!("{path}?{query}")).await;
        seen.extend(texts(&page));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        query = format!("limit=4&before={next}");
    }
    assert_eq!(seen, texts(&all), "each once, in one order");
    let newest = &all["messages"][0];
    assert_eq!(newest["chat"], format!("{CUSTOMER}@s.whatsapp.net"));
    assert!(newest["at"].is_string() && newest["status"].is_string());
    // What was deleted is there, and says so.
    let path = made.path("/chat/messages/ANSWER-01");
    bed.call("DELETE", &path)
        .bearer(&bed.a.jwt)
        .send()
        .await
        .ok();
    until("its deletion", async || {
        let page = get(bed, &made, &format!("/chats/{CUSTOMER}/messages")).await;
        let messages = page["messages"].as_array().expect("a list").clone();
        let one = messages
            .into_iter()
            .find(|one| one["message_id"] == "ANSWER-01");
        one.filter(|one| one["deleted_at"].is_string() && one["text"].is_null())
    })
    .await;
}

async fn unread_counts_agree_with_the_phone(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let network = bed.sandbox.network();
    let first = written(bed, &made, CUSTOMER, "one").await;
    written(bed, &made, CUSTOMER, "two").await;
    assert_eq!(chat(bed, &made, CUSTOMER).await["unread"], "2");
    assert_eq!(network.chat(SHOP, CUSTOMER).expect("a chat").unread, 2);
    // One by its id, here.
    let body = json!({"id": [first], "chat": CUSTOMER});
    ask(bed, &made, ("POST", "/chat/markread"), body).await.ok();
    assert_eq!(chat(bed, &made, CUSTOMER).await["unread"], "1");
    phone_shows(bed, CUSTOMER, "one unread", |chat| chat.unread == 1).await;
    // All, on the phone.
    network.read(SHOP, CUSTOMER).expect("it reads");
    comes(bed, &made, CUSTOMER, |chat| chat["unread"] == "0").await;
    // While the gateway is away: the message first, then that it was read.
    bed.stop().await;
    let network = bed.sandbox.network();
    network
        .send_text(CUSTOMER, SHOP, "three")
        .expect("it writes");
    network.read(SHOP, CUSTOMER).expect("it reads");
    network
        .send_text(CUSTOMER, SHOP, "four")
        .expect("it writes");
    bed.restart().await;
    let seen = comes(bed, &made, CUSTOMER, |chat| {
        chat["last_message"]["text"] == "four" && chat["unread"] == "1"
    });
    seen.await;
    // The person answers on the phone, and has read it so.
    bed.sandbox
        .network()
        .send_text(SHOP, CUSTOMER, "here I am")
        .expect("it writes");
    let seen = comes(bed, &made, CUSTOMER, |chat| {
        chat["unread"] == "0" && chat["last_message"]["text"] == "here I am"
    });
    assert_eq!(seen.await["last_message"]["is_from_me"], true);
}

async fn a_person_is_one_chat_by_whatever_address(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    let ana = chat(bed, &made, CUSTOMER).await;
    let lid = ana["lid"].as_str().expect("an id").to_owned();
    for who in [
        lid,
        format!("{CUSTOMER}@s.whatsapp.net"),
        format!("+{CUSTOMER}"),
    ] {
        let same = chat(bed, &made, &who.replace('+', "%2B")).await;
        assert_eq!(same, ana, "{who}");
        let messages = get(
            bed,
            &made,
            &format!("/chats/{}/messages", who.replace('+', "%2B")),
        )
        .await;
        assert_eq!(messages["messages"][0]["text"], "hello");
    }
}
