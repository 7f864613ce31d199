//! What is done to earlier messages, both ways: reactions, edits, deletions.

use recado_sandbox::{
    ChatMessage,
    content::{Gone, Sign, Wording, Written},
};
use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP, until},
};

mod faults;
mod limits;
mod polls;
mod votes;

on_both! {
    a_sign_is_put_and_taken_back,
    a_sign_comes_in,
    a_text_is_edited,
    an_edit_comes_in,
    a_message_is_deleted,
    a_deletion_comes_in,
    who_has_read_it,
}

async fn act(bed: &Bed, made: &Made, method: &str, path: &str, body: Value) -> Answer {
    let path = made.path(&format!("/chat/{path}"));
    let call = bed.call(method, &path).bearer(&bed.a.jwt);
    call.json(body).send().await
}

async fn react(bed: &Bed, made: &Made, body: Value) -> Answer {
    act(bed, made, "POST", "react", body).await
}

/// The id of a text to the customer that has arrived.
async fn sent(bed: &Bed, made: &Made, text: &str) -> String {
    let body = json!({"phone": CUSTOMER, "message": text});
    let sent = bed.send(&bed.a, made, body).await.ok();
    let id = sent["data"]["message_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    bed.wait_shown(CUSTOMER, text).await;
    bed.wait_status(made, &id, &["sent", "delivered", "read"])
        .await;
    id
}

/// The id of a text from the customer that is here.
async fn received(bed: &Bed, made: &Made, text: &str) -> String {
    let id = writes(bed, &Written::Text(text.to_owned()));
    here(bed, made, &id).await;
    id
}

fn writes(bed: &Bed, written: &Written) -> String {
    let network = bed.sandbox.network();
    network.send(CUSTOMER, SHOP, written).expect("it writes").id
}

async fn here(bed: &Bed, made: &Made, id: &str) {
    let path = made.path(&format!("/chat/messages/{id}"));
    until("the message", async || {
        let answer = bed.get(&path).bearer(&bed.a.jwt).send().await;
        (answer.status == 200).then_some(())
    })
    .await;
}

/// Waits until a phone shows a message as `pick` wants it.
async fn shown(
    bed: &Bed,
    number: &str,
    id: &str,
    pick: impl Fn(&ChatMessage) -> bool,
) -> ChatMessage {
    let network = bed.sandbox.network();
    let found = network.wait_for(PATIENCE, |network| {
        let messages = network.messages(number).ok()?;
        messages.into_iter().find(|m| m.id == id && pick(m))
    });
    found.await.expect("the phone shows it so")
}

/// The event of a message, as the receiver got it.
async fn told(bed: &Bed, id: &str) -> Value {
    let delivery = bed.delivered(id, |d| d.body["event"]["info"]["id"] == id);
    delivery.await.body["event"].clone()
}

/// Waits until what is told of a message is as `pick` wants it.
async fn reads(bed: &Bed, made: &Made, id: &str, pick: impl Fn(&Value) -> bool) -> Value {
    until(&format!("{id} to read so"), async || {
        let told = bed.told(made, id).await;
        pick(&told).then_some(told)
    })
    .await
}

fn own() -> String {
    format!("{SHOP}@s.whatsapp.net")
}

fn customer() -> String {
    format!("{CUSTOMER}@s.whatsapp.net")
}

async fn a_sign_is_put_and_taken_back(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = received(bed, &made, "Thank you!").await;
    let body = json!({"phone": format!("+{CUSTOMER}"), "message_id": id, "reaction": "❤️"});
    let answer = react(bed, &made, body).await.ok();
    let data = &answer["data"];
    assert!(
        data["details"].is_string() && data["timestamp"].is_string(),
        "{answer}"
    );
    let first = data["id"].as_str().expect("an id").to_owned();
    let seen = shown(bed, CUSTOMER, &id, |m| !m.reactions.is_empty()).await;
    assert_eq!(seen.reactions[SHOP], "❤️");
    // Its own phone shows it, too.
    shown(bed, SHOP, &id, |m| m.reactions.contains_key(SHOP)).await;
    let event = told(bed, &first).await;
    assert_eq!(event["info"]["type"], "reaction");
    assert_eq!(event["info"]["is_from_me"], true);
    let reaction = &event["message"]["reaction_message"];
    assert_eq!(reaction["text"], "❤️");
    assert_eq!(reaction["key"]["id"], id.as_str());
    assert_eq!(reaction["key"]["from_me"], false);
    let read = reads(bed, &made, &id, |told| told["reactions"][0].is_object()).await;
    assert_eq!(read["reactions"][0]["sender"], own());
    assert_eq!(read["reactions"][0]["reaction"], "❤️");
    let read = bed.told(&made, &first).await;
    assert_eq!(
        (&read["kind"], &read["text"]),
        (&json!("reaction"), &json!("❤️"))
    );

    // Another takes its place; the way of careless clients: without the phone, and in words.
    let body = json!({"messageId": id, "reaction": "+1"});
    react(bed, &made, body).await.expect(200);
    shown(bed, CUSTOMER, &id, |m| {
        m.reactions.get(SHOP).is_some_and(|sign| sign == "👍")
    })
    .await;
    let read = reads(bed, &made, &id, |told| {
        told["reactions"][0]["reaction"] == "👍"
    })
    .await;
    assert_eq!(read["reactions"].as_array().expect("a list").len(), 1);
    // Taken back, in both ways.
    let gone = |told: &Value| told["reactions"] == json!([]);
    act(bed, &made, "DELETE", "react", json!({"message_id": id}))
        .await
        .expect(200);
    shown(bed, CUSTOMER, &id, |m| m.reactions.is_empty()).await;
    reads(bed, &made, &id, gone).await;
    react(bed, &made, json!({"message_id": id, "reaction": "👍"}))
        .await
        .expect(200);
    shown(bed, CUSTOMER, &id, |m| !m.reactions.is_empty()).await;
    react(bed, &made, json!({"message_id": id, "reaction": ""}))
        .await
        .expect(200);
    shown(bed, CUSTOMER, &id, |m| m.reactions.is_empty()).await;
    reads(bed, &made, &id, gone).await;
    // One of our own.
    let id = sent(bed, &made, "Praise").await;
    let body = json!({"message_id": format!("me:{id}"), "reaction": "🎉"});
    react(bed, &made, body).await.expect(200);
    shown(bed, CUSTOMER, &id, |m| !m.reactions.is_empty()).await;
}

async fn a_sign_comes_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let ours = sent(bed, &made, "Ready").await;
    let theirs = received(bed, &made, "When?").await;
    for id in [&ours, &theirs] {
        let sign = |emoji: &str| {
            Written::Reaction(Sign {
                message_id: id.clone(),
                emoji: emoji.to_owned(),
            })
        };
        let act = writes(bed, &sign("🙏"));
        let event = told(bed, &act).await;
        assert_eq!(event["info"]["type"], "reaction");
        assert_eq!(
            event["message"]["reaction_message"]["key"]["id"],
            id.as_str()
        );
        let read = reads(bed, &made, id, |told| told["reactions"][0].is_object()).await;
        assert_eq!(read["reactions"][0]["sender"], customer());
        // Over a restart as well, and beside our own.
        react(bed, &made, json!({"message_id": id, "reaction": "😀"}))
            .await
            .expect(200);
        let both = |told: &Value| {
            told["reactions"]
                .as_array()
                .is_some_and(|all| all.len() == 2)
        };
        reads(bed, &made, id, both).await;
        let act = writes(bed, &sign(""));
        told(bed, &act).await;
        let read = bed.told(&made, id).await;
        assert_eq!(read["reactions"][0]["sender"], own(), "{read}");
    }
    // What nobody wrote has no signs, and harms nothing.
    let nothing = Written::Reaction(Sign {
        message_id: "3EB0NOTHING".into(),
        emoji: "👻".into(),
    });
    told(bed, &writes(bed, &nothing)).await;
}

async fn a_text_is_edited(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = sent(bed, &made, "It costs 10").await;
    let path = format!("messages/{id}");
    let answer = act(
        bed,
        &made,
        "PATCH",
        &path,
        json!({"message": "It costs 12"}),
    )
    .await
    .ok();
    let data = &answer["data"];
    assert_eq!(data["message_id"], id.as_str());
    let act_id = data["id"].as_str().expect("an id").to_owned();
    assert_ne!(act_id, id);
    let seen = shown(bed, CUSTOMER, &id, |m| m.edited).await;
    assert_eq!(seen.text, "It costs 12");
    let event = told(bed, &act_id).await;
    let protocol = &event["message"]["protocol_message"];
    assert_eq!(protocol["key"]["id"], id.as_str());
    assert_eq!(protocol["edited_message"]["conversation"], "It costs 12");
    let read = reads(bed, &made, &id, |told| told["edited_at"].is_string()).await;
    assert_eq!(read["text"], "It costs 12");
    assert_eq!(read["kind"], "text");
    // Whoever quotes it quotes what it says now.
    let body = json!({"phone": CUSTOMER, "message": "as I said", "reply_to_message_id": id});
    let reply = bed.send(&bed.a, &made, body).await.ok();
    let event = told(bed, reply["data"]["message_id"].as_str().expect("an id")).await;
    let context = &event["message"]["extended_text_message"]["context_info"];
    assert_eq!(context["quoted_message"]["conversation"], "It costs 12");
    // A reply stays one after its edit.
    let reply = reply["data"]["message_id"].as_str().expect("an id");
    bed.wait_status(&made, reply, &["sent", "delivered", "read"])
        .await;
    let path = format!("messages/me%3A{reply}");
    act(bed, &made, "PATCH", &path, json!({"message": "as I wrote"}))
        .await
        .expect(200);
    reads(bed, &made, reply, |told| told["text"] == "as I wrote").await;
}

async fn an_edit_comes_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = received(bed, &made, "at nine").await;
    let act = writes(
        bed,
        &Written::Edit(Wording {
            message_id: id.clone(),
            text: "at ten".into(),
            forged: false,
        }),
    );
    let event = told(bed, &act).await;
    assert_eq!(event["info"]["edit"], "1", "{event}");
    assert_eq!(event["is_edit"], true);
    assert_eq!(
        event["message"]["protocol_message"]["key"]["id"],
        id.as_str()
    );
    let read = reads(bed, &made, &id, |told| told["edited_at"].is_string()).await;
    assert_eq!(read["text"], "at ten");
    let body = json!({"phone": CUSTOMER, "message": "fine", "reply_to_message_id": id});
    let reply = bed.send(&bed.a, &made, body).await.ok();
    let event = told(bed, reply["data"]["message_id"].as_str().expect("an id")).await;
    let context = &event["message"]["extended_text_message"]["context_info"];
    assert_eq!(context["quoted_message"]["conversation"], "at ten");
}

async fn a_message_is_deleted(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = sent(bed, &made, "a secret").await;
    react(bed, &made, json!({"message_id": id, "reaction": "👍"}))
        .await
        .expect(200);
    shown(bed, CUSTOMER, &id, |m| !m.reactions.is_empty()).await;
    let path = format!("messages/{id}");
    // No body at all, as most clients have it.
    let call = bed.call("DELETE", &made.path(&format!("/chat/{path}")));
    let answer = call.bearer(&bed.a.jwt).send().await.ok();
    assert_eq!(answer["data"]["message_id"], id.as_str());
    let seen = shown(bed, CUSTOMER, &id, |m| m.deleted).await;
    assert!(seen.text.is_empty() && seen.reactions.is_empty());
    let event = told(bed, answer["data"]["id"].as_str().expect("an id")).await;
    assert_eq!(
        event["message"]["protocol_message"]["key"]["id"],
        id.as_str()
    );
    let read = reads(bed, &made, &id, |told| told["deleted_at"].is_string()).await;
    assert_eq!(
        (&read["text"], &read["reactions"]),
        (&Value::Null, &json!([]))
    );
    let mut conn = bed.read().await;
    let mut store = conn.account(&bed.a.id);
    let message = recado_model::MessageId::from_wire(&id);
    let finished = store.finished(&made.instance(), &message).await;
    assert_eq!(finished.expect("looks"), None, "nothing of it is kept");
    drop(conn);
    // It is over for whatever else could be done to it.
    for (method, path, body) in [
        ("DELETE", path.as_str(), json!({})),
        ("PATCH", path.as_str(), json!({"message": "too late"})),
        ("POST", "react", json!({"message_id": id, "reaction": "👍"})),
    ] {
        let answer = act(bed, &made, method, path, body).await;
        assert_eq!(answer.refused(409, "conflict")["field"], "message_id");
    }
    let body = json!({"phone": CUSTOMER, "message": "?", "reply_to_message_id": id});
    let answer = bed.send(&bed.a, &made, body).await;
    assert_eq!(
        answer.refused(400, "invalid_field")["field"],
        "reply_to_message_id"
    );
}

async fn a_deletion_comes_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = received(bed, &made, "never mind").await;
    let gone = Written::Delete(Gone {
        message_id: id.clone(),
        forged: false,
    });
    let event = told(bed, &writes(bed, &gone)).await;
    assert_eq!(event["info"]["edit"], "7", "{event}");
    let read = reads(bed, &made, &id, |told| told["deleted_at"].is_string()).await;
    assert_eq!(read["text"], Value::Null);
}

async fn who_has_read_it(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let id = sent(bed, &made, "news").await;
    bed.sandbox
        .network()
        .read(CUSTOMER, SHOP)
        .expect("it reads");
    let read = reads(bed, &made, &id, |told| {
        told["receipts"]
            .as_array()
            .is_some_and(|all| all.len() == 2)
    })
    .await;
    let states: Vec<_> = (0..2).map(|at| &read["receipts"][at]["state"]).collect();
    assert_eq!(states, [&json!("delivered"), &json!("read")]);
    assert_eq!(read["receipts"][0]["reader"], customer());
    assert!(read["receipts"][1]["at"].is_string());
}
