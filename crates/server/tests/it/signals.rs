//! What a chat is told beside messages: that somebody writes, and that a message was read.

use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP, until},
};

on_both! {
    a_chat_shows_who_writes,
    a_state_that_is_none,
    a_message_is_read,
    what_cannot_be_read,
    without_a_connection_nothing_is_told,
}

async fn post(bed: &Bed, made: &Made, path: &str, body: Value) -> Answer {
    let path = made.path(&format!("/chat/{path}"));
    let call = bed.post(&path).bearer(&bed.a.jwt);
    call.json(body).send().await
}

/// Waits until the customer's phone shows the shop in this state.
async fn shows(bed: &Bed, state: &str) {
    let network = bed.sandbox.network();
    let shown = network.wait_for(PATIENCE, |network| {
        let phone = network.phone(CUSTOMER).ok()?;
        (phone.typing.get(SHOP).map(String::as_str) == Some(state)).then_some(())
    });
    shown.await.expect(state);
}

async fn a_chat_shows_who_writes(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for (body, state) in [
        (json!({"state": "composing"}), "composing"),
        (json!({"state": "composing", "media": "audio"}), "recording"),
        (json!({"state": "paused", "media": ""}), "paused"),
        (json!({"state": "Recording", "media": null}), "recording"),
        (json!({"state": "typing"}), "composing"),
    ] {
        let mut body = body;
        body["phone"] = json!(format!("+{CUSTOMER}"));
        let told = post(bed, &made, "presence", body).await.ok();
        assert!(told["data"]["details"].is_string(), "{told}");
        shows(bed, state).await;
    }
}

async fn a_state_that_is_none(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for (field, value) in [
        ("state", json!("")),
        ("state", json!("sleeping")),
        ("state", json!(1)),
        ("media", json!("video")),
        ("phone", json!("12")),
        ("phone", Value::Null),
        ("phone", json!("+34699999999")),
    ] {
        let mut body = json!({"phone": CUSTOMER, "state": "composing"});
        body[field] = value.clone();
        let answer = post(bed, &made, "presence", body).await.expect(400);
        assert_eq!(answer.json()["field"], field, "{value}: {answer:?}");
    }
}

/// A message from the customer, here by now.
async fn received(bed: &Bed, made: &Made, text: &str) -> String {
    let network = bed.sandbox.network();
    let written = network.send_text(CUSTOMER, SHOP, text);
    let id = written.expect("it writes").id;
    let path = made.path(&format!("/chat/messages/{id}"));
    until("the message", async || {
        let answer = bed.get(&path).bearer(&bed.a.jwt).send().await;
        (answer.status == 200).then_some(())
    })
    .await;
    id
}

fn status(bed: &Bed, id: &str) -> String {
    let messages = bed.sandbox.network().messages(CUSTOMER).expect("a phone");
    let found = messages.into_iter().find(|message| message.id == id);
    found.expect("the message").status
}

async fn a_message_is_read(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let chat = format!("{CUSTOMER}@s.whatsapp.net");
    for (ids, body) in [
        (1, json!({"chat": CUSTOMER})),
        (2, json!({"chat": chat, "sender": chat})),
        (1, json!({"chat": chat, "sender": ""})),
    ] {
        let mut read = Vec::new();
        for n in 0..ids {
            read.push(received(bed, &made, &format!("question {n}")).await);
        }
        let mut body = body;
        body["id"] = json!(read);
        let told = post(bed, &made, "markread", body).await.ok();
        assert!(told["data"]["details"].is_string(), "{told}");
        for id in read {
            until("the tick to be blue", async || {
                (status(bed, &id) == "read").then_some(())
            })
            .await;
        }
    }
}

async fn what_cannot_be_read(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let id = received(bed, &made, "a question").await;
    let ours = json!({"phone": CUSTOMER, "message": "an answer", "id": "ANSWER-01"});
    bed.send(&bed.a, &made, ours).await.expect(200);
    bed.wait_shown(CUSTOMER, "an answer").await;
    let other = "5511999990077";
    bed.sandbox
        .network()
        .add_phone(other, "Other")
        .expect("a phone");
    let good = json!({"id": [id], "chat": CUSTOMER});
    for (field, value, status) in [
        ("id", json!([]), 400),
        ("id", Value::Null, 400),
        ("id", json!(vec!["3EB0"; 1_001]), 400),
        ("id", json!([1]), 400),
        ("id", json!([id, "3EB0NOTHING"]), 404),
        ("id", json!(["ANSWER-01"]), 400),
        ("chat", json!(""), 400),
        ("chat", json!("nobody"), 400),
        ("sender", json!("12"), 400),
        ("sender", json!(other), 400),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = post(bed, &made, "markread", body).await.expect(status);
        assert!(
            answer.json()["field"]
                .as_str()
                .is_some_and(|named| named.starts_with(field)),
            "{field} {value}: {answer:?}"
        );
    }
    // Of another chat.
    let body = json!({"id": [id], "chat": other});
    let answer = post(bed, &made, "markread", body).await;
    assert_eq!(answer.refused(404, "not_found")["field"], "id");
    assert_ne!(status(bed, &id), "read");
    // Another shop's instance knows nothing of it.
    let call = bed.post(&made.path("/chat/markread")).bearer(&bed.b.jwt);
    let answer = call.json(good).send().await;
    answer.refused(403, "forbidden");
}

async fn without_a_connection_nothing_is_told(bed: &mut Bed) {
    let fresh = bed.create(&bed.a, json!({"name": "Not linked"})).await;
    let typing = json!({"phone": CUSTOMER, "state": "composing"});
    let answer = post(bed, &fresh, "presence", typing.clone()).await;
    answer.refused(409, "instance_not_connected");
    let read = json!({"id": ["3EB0AA"], "chat": CUSTOMER});
    let answer = post(bed, &fresh, "markread", read).await;
    answer.refused(409, "instance_not_connected");
    // Linked, and closed by its owner.
    let made = bed.paired(&bed.a, SHOP).await;
    let id = received(bed, &made, "a question").await;
    let close = made.path("/session/disconnect");
    bed.post(&close).bearer(&bed.a.jwt).send().await.expect(200);
    for (path, body) in [
        ("presence", typing),
        ("markread", json!({"id": [id], "chat": CUSTOMER})),
    ] {
        let answer = post(bed, &made, path, body).await;
        answer.refused(409, "instance_not_connected");
    }
}
