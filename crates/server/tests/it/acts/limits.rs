//! What acts may not do, and when: whose message, which id, how late, without a connection.

use recado_model::EventKind;
use recado_sandbox::content::{Gone, Wording, Written};
use serde_json::{Value, json};

use super::{act, here, react, reads, received, sent, shown, told, writes};
use crate::gateway::{Bed, CUSTOMER, Left, SHOP};

on_both! {
    nobody_changes_what_another_wrote,
    an_act_is_one_by_its_id,
    acts_that_do_not_fit,
    acts_on_what_is_not_there,
    an_act_waits_for_the_connection,
}

/// A program of somebody's own may say anything of any message.
async fn nobody_changes_what_another_wrote(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let ours = sent(bed, &made, "10 euros").await;
    let other = "5511999990077";
    let network = bed.sandbox.network();
    network.add_phone(other, "Other").expect("a phone");
    let elsewhere = network
        .send_text(other, SHOP, "in another chat")
        .expect("it writes")
        .id;
    here(bed, &made, &elsewhere).await;
    for message_id in [ours, elsewhere, "3EB0NOTHING".to_owned()] {
        let edit = Written::Edit(Wording {
            message_id: message_id.clone(),
            text: "1 euro".into(),
            forged: true,
        });
        let gone = Written::Delete(Gone {
            message_id: message_id.clone(),
            forged: true,
        });
        for written in [edit, gone] {
            told(bed, &writes(bed, &written)).await;
        }
        if message_id == "3EB0NOTHING" {
            continue;
        }
        let read = bed.told(&made, &message_id).await;
        assert_eq!(
            (&read["edited_at"], &read["deleted_at"]),
            (&Value::Null, &Value::Null)
        );
        assert!(read["text"].is_string(), "{read}");
    }
}

async fn an_act_is_one_by_its_id(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let id = sent(bed, &made, "once").await;
    let path = format!("messages/{id}");
    let edit = json!({"message": "twice", "id": "EDIT-0001"});
    for _ in 0..2 {
        let answer = act(bed, &made, "PATCH", &path, edit.clone()).await.ok();
        assert_eq!(answer["data"]["id"], "EDIT-0001");
        bed.wait_status(&made, "EDIT-0001", &["sent", "delivered", "read"])
            .await;
    }
    let other = json!({"message": "thrice", "id": "EDIT-0001"});
    act(bed, &made, "PATCH", &path, other)
        .await
        .refused(409, "conflict");
    let sign = json!({"message_id": id, "reaction": "👍", "id": "EDIT-0001"});
    react(bed, &made, sign).await.refused(409, "conflict");
    // A deletion that is asked for again has done its work.
    for _ in 0..2 {
        let gone = json!({"id": "GONE-0001"});
        let answer = act(bed, &made, "DELETE", &path, gone).await.ok();
        assert_eq!(answer["data"]["id"], "GONE-0001");
        reads(bed, &made, &id, |told| told["deleted_at"].is_string()).await;
    }
    let edit = bed.told(&made, "EDIT-0001").await;
    assert_eq!(
        edit["text"],
        Value::Null,
        "what it said by an edit is gone, too"
    );
    let seen = shown(bed, CUSTOMER, "EDIT-0001", |_| true).await;
    assert_eq!(seen.arrivals, 1);
}

async fn acts_that_do_not_fit(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let theirs = received(bed, &made, "theirs").await;
    let ours = sent(bed, &made, "ours").await;
    let place = json!({"phone": CUSTOMER, "latitude": 1, "longitude": 2, "id": "PLACE-0001"});
    act(bed, &made, "POST", "send/location", place)
        .await
        .expect(200);
    bed.wait_status(&made, "PLACE-0001", &["sent", "delivered", "read"])
        .await;
    let sign = json!({"message_id": ours, "reaction": "👍", "id": "SIGN-0001"});
    react(bed, &made, sign).await.expect(200);
    bed.wait_status(&made, "SIGN-0001", &["sent", "delivered", "read"])
        .await;
    let theirs = format!("messages/{theirs}");
    let path = format!("messages/{ours}");
    let long = "x".repeat(65_537);
    for (method, path, body, field) in [
        ("POST", "react", json!({"reaction": "👍"}), "message_id"),
        ("POST", "react", json!({"message_id": "A"}), "reaction"),
        (
            "POST",
            "react",
            json!({"message_id": "", "reaction": "👍"}),
            "message_id",
        ),
        (
            "POST",
            "react",
            json!({"message_id": "me:", "reaction": "👍"}),
            "message_id",
        ),
        (
            "POST",
            "react",
            json!({"message_id": ours, "reaction": "  "}),
            "reaction",
        ),
        (
            "POST",
            "react",
            json!({"message_id": ours, "reaction": "a b"}),
            "reaction",
        ),
        (
            "POST",
            "react",
            json!({"message_id": ours, "reaction": "x".repeat(33)}),
            "reaction",
        ),
        (
            "POST",
            "react",
            json!({"message_id": ours, "reaction": 1}),
            "reaction",
        ),
        (
            "POST",
            "react",
            json!({"message_id": ours, "reaction": "👍", "phone": "12"}),
            "phone",
        ),
        (
            "POST",
            "react",
            json!({"message_id": "SIGN-0001", "reaction": "👍"}),
            "message_id",
        ),
        ("DELETE", "react", json!({}), "message_id"),
        ("PATCH", path.as_str(), json!({}), "message"),
        ("PATCH", path.as_str(), json!({"message": ""}), "message"),
        (
            "PATCH",
            path.as_str(),
            json!({"message": "\u{200b}"}),
            "message",
        ),
        ("PATCH", path.as_str(), json!({"message": long}), "message"),
        (
            "PATCH",
            path.as_str(),
            json!({"message": "x", "id": "short"}),
            "id",
        ),
        (
            "PATCH",
            path.as_str(),
            json!({"message": "x", "delay": -1}),
            "delay",
        ),
        // Phones would pass it over by then.
        (
            "PATCH",
            path.as_str(),
            json!({"message": "x", "delay": 1_201_000}),
            "delay",
        ),
        (
            "PATCH",
            theirs.as_str(),
            json!({"message": "x"}),
            "message_id",
        ),
        (
            "PATCH",
            "messages/PLACE-0001",
            json!({"message": "x"}),
            "message_id",
        ),
        ("DELETE", theirs.as_str(), json!({}), "message_id"),
        ("DELETE", "messages/SIGN-0001", json!({}), "message_id"),
    ] {
        let answer = act(bed, &made, method, path, body.clone())
            .await
            .expect(400);
        assert_eq!(
            answer.json()["field"],
            field,
            "{method} {path} {body}: {answer:?}"
        );
    }
    // Too late for WhatsApp.
    bed.clock.jump_secs(20 * 60 + 1);
    let answer = act(bed, &made, "PATCH", &path, json!({"message": "x"})).await;
    assert_eq!(answer.refused(409, "conflict")["field"], "message_id");
    act(bed, &made, "DELETE", &path, json!({}))
        .await
        .expect(200);
    shown(bed, CUSTOMER, &ours, |m| m.deleted).await;
}

async fn acts_on_what_is_not_there(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let id = received(bed, &made, "here").await;
    let other = "5511999990077";
    bed.sandbox
        .network()
        .add_phone(other, "Other")
        .expect("a phone");
    for (method, path, body) in [
        (
            "POST",
            "react",
            json!({"message_id": "3EB0NOTHING", "reaction": "👍"}),
        ),
        (
            "POST",
            "react",
            json!({"message_id": id, "reaction": "👍", "phone": other}),
        ),
        (
            "POST",
            "react",
            json!({"message_id": format!("me:{id}"), "reaction": "👍"}),
        ),
        ("DELETE", "react", json!({"message_id": "3EB0NOTHING"})),
        ("PATCH", "messages/3EB0NOTHING", json!({"message": "x"})),
        ("DELETE", "messages/3EB0NOTHING", json!({})),
    ] {
        let answer = act(bed, &made, method, path, body.clone()).await;
        assert_eq!(answer.status, 404, "{method} {path} {body}: {answer:?}");
        assert_eq!(answer.refused(404, "not_found")["field"], "message_id");
    }
    // Another instance of the same shop has none of it, and one without a phone has nothing at all.
    let fresh = bed.create(&bed.a, json!({"name": "Not linked"})).await;
    let sign = json!({"message_id": id, "reaction": "👍"});
    let answer = react(bed, &fresh, sign.clone()).await;
    answer.refused(409, "instance_not_connected");
    let call = bed.post(&made.path("/chat/react")).bearer(&bed.b.jwt);
    call.json(sign).send().await.refused(403, "forbidden");
    // What waits for its time was not sent: there is nothing to change yet.
    let later = json!({"phone": CUSTOMER, "message": "later", "delay": 60_000, "id": "LATER-0001"});
    bed.send(&bed.a, &made, later).await.expect(200);
    let answer = act(bed, &made, "DELETE", "messages/LATER-0001", json!({})).await;
    assert_eq!(answer.refused(409, "conflict")["field"], "message_id");
    bed.leaves(Left::Jobs);
}

async fn an_act_waits_for_the_connection(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let id = sent(bed, &made, "before").await;
    let network = bed.sandbox.network();
    network
        .trouble(&json!({"kind": "freeze"}))
        .expect("a trouble");
    let path = format!("messages/{id}");
    let edit = json!({"message": "after", "id": "EDIT-0001"});
    act(bed, &made, "PATCH", &path, edit).await.expect(200);
    let read = bed.told(&made, &id).await;
    assert_eq!(read["text"], "before", "not before WhatsApp has it");
    network.clear_troubles();
    shown(bed, CUSTOMER, &id, |m| m.edited).await;
    reads(bed, &made, &id, |told| told["text"] == "after").await;
    let mut conn = bed.read().await;
    let mut store = conn.account(&bed.a.id);
    let events = store
        .event_count(&made.instance(), EventKind::Message)
        .await;
    assert_eq!(events.expect("a count"), 2, "one each");
}
