//! One id, one message: on the phone, in the database, and at the caller.

use recado_model::{EventKind, MessageId, MessageStatus};
use serde_json::{Value, json};

use crate::{
    gateway::{Bed, CUSTOMER, SHOP, SHOP_TOO, until},
    story::inner,
};

on_both! {
    the_callers_id_sends_once,
    a_key_of_a_tool_sends_once,
    a_key_belongs_to_the_shop_not_to_a_number,
    many_at_once_are_one,
    what_waits_at_a_log_out_never_leaves,
}

fn message_id(answer: Value) -> String {
    answer["data"]["message_id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

async fn the_callers_id_sends_once(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let body = json!({"phone": CUSTOMER, "message": "once", "id": "order-4711"});
    for _ in 0..3 {
        assert_eq!(
            message_id(bed.send(&bed.a, &made, body.clone()).await.ok()),
            "order-4711"
        );
    }
    // Said another way, it is the same message.
    let spelled =
        json!({"phone": format!("+{CUSTOMER}"), "message": "once", "id": "order-4711", "delay": 0});
    bed.send(&bed.a, &made, spelled).await.expect(200);
    for (what, body) in [
        (
            "text",
            json!({"phone": CUSTOMER, "message": "other", "id": "order-4711"}),
        ),
        (
            "receiver",
            json!({"phone": "5511999990002", "message": "once", "id": "order-4711"}),
        ),
    ] {
        let answer = bed.send(&bed.a, &made, body).await;
        assert_eq!(answer.status, 409, "another {what}: {answer:?}");
        answer.refused(409, "conflict");
    }
    bed.wait_shown(CUSTOMER, "once").await;
    // After it went out, too; the marker behind it shows that the queue is empty.
    bed.send(&bed.a, &made, body).await.expect(200);
    bed.send(
        &bed.a,
        &made,
        json!({"phone": CUSTOMER, "message": "marker"}),
    )
    .await
    .expect(200);
    bed.wait_shown(CUSTOMER, "marker").await;
    assert_eq!(
        (bed.shown(CUSTOMER, "once"), bed.shown(CUSTOMER, "other")),
        (1, 0)
    );
    let messages = bed.sandbox.network().messages(CUSTOMER).expect("a phone");
    assert!(
        messages.iter().any(|m| m.id == "order-4711"),
        "the id is the one on the wire"
    );
    until("both to be told", async || {
        let mut conn = bed.read().await;
        let mut account = conn.account(&bed.a.id);
        let told = account
            .event_count(&made.instance(), EventKind::Message)
            .await
            .expect("a count");
        assert!(told <= 2, "one event each");
        (told == 2).then_some(())
    })
    .await;
    for id in ["short", "with space", "ümläute!", &"x".repeat(65)] {
        let body = json!({"phone": CUSTOMER, "message": "x", "id": id});
        let refused = bed
            .send(&bed.a, &made, body)
            .await
            .refused(400, "invalid_field");
        assert_eq!(refused["field"], "id");
    }
}

async fn a_key_of_a_tool_sends_once(bed: &mut Bed) {
    bed.paired(&bed.a, SHOP).await;
    let arguments = |text: &str| json!({"phone": format!("+{CUSTOMER}"), "message": text, "idempotency_key": "key 1", "confirm": true});
    let first = inner(
        &bed.tool(&bed.a, "send_whatsapp_message", arguments("by tool"))
            .await,
    );
    let second = inner(
        &bed.tool(&bed.a, "send_whatsapp_message", arguments("by tool"))
            .await,
    );
    assert_eq!(
        (&first["status"], &first["success"]),
        (&json!("sent"), &json!(true)),
        "{first}"
    );
    assert_eq!(first["message_id"], second["message_id"]);
    let other = bed
        .tool(&bed.a, "send_whatsapp_message", arguments("something else"))
        .await;
    assert_eq!(other["isError"], true, "{other}");
    bed.wait_shown(CUSTOMER, "by tool").await;
    assert_eq!(
        (
            bed.shown(CUSTOMER, "by tool"),
            bed.shown(CUSTOMER, "something else")
        ),
        (1, 0)
    );
}

async fn a_key_belongs_to_the_shop_not_to_a_number(bed: &mut Bed) {
    let first = bed.paired(&bed.a, SHOP).await;
    let second = bed.paired(&bed.a, SHOP_TOO).await;
    let arguments = |text: &str| json!({"phone": CUSTOMER, "message": text, "idempotency_key": "order 4711", "confirm": true});
    let send = async |arguments: Value| bed.tool(&bed.a, "send_whatsapp_message", arguments).await;
    let mut from_first = arguments("only once");
    from_first["session_id"] = json!(first.number);
    let sent = inner(&send(from_first).await);
    assert_eq!(
        (&sent["status"], &sent["data"]["session_id"]),
        (&json!("sent"), &json!(first.number)),
        "{sent}"
    );
    bed.wait_shown(CUSTOMER, "only once").await;
    // The number that sent it goes away: by default another one would be chosen now.
    bed.post(&first.path("/session/disconnect"))
        .bearer(&bed.a.jwt)
        .json(json!({}))
        .send()
        .await
        .expect(200);
    bed.wait_state(&bed.a, &first, "disconnected").await;
    let mut from_second = arguments("only once");
    from_second["session_id"] = json!(second.number);
    for repeated in [arguments("only once"), from_second] {
        let again = inner(&send(repeated).await);
        assert_eq!(
            (&again["message_id"], &again["data"]["session_id"]),
            (&sent["message_id"], &json!(first.number)),
            "{again}"
        );
    }
    // The same key for another text or phone is a mistake, and says so.
    let mut elsewhere = arguments("only once");
    elsewhere["phone"] = json!("5511999990002");
    for other in [arguments("something else"), elsewhere] {
        let refused = send(other).await;
        assert_eq!(refused["isError"], true, "{refused}");
        assert!(
            refused["content"][0]["text"]
                .as_str()
                .expect("text")
                .contains("idempotency_key was used for another message"),
            "{refused}"
        );
    }
    // What goes out next shows that nothing was waiting before it.
    let marker = json!({"phone": CUSTOMER, "message": "marker", "confirm": true});
    assert_eq!(
        inner(&send(marker).await)["data"]["session_id"],
        json!(second.number)
    );
    bed.wait_shown(CUSTOMER, "marker").await;
    assert_eq!(
        (
            bed.shown(CUSTOMER, "only once"),
            bed.shown(CUSTOMER, "something else")
        ),
        (1, 0)
    );
}

async fn many_at_once_are_one(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let body = json!({"phone": CUSTOMER, "message": "stampede", "id": "stampede-1"});
    let answers = {
        let send = || bed.send(&bed.a, &made, body.clone());
        tokio::join!(
            send(),
            send(),
            send(),
            send(),
            send(),
            send(),
            send(),
            send()
        )
    };
    for answer in <[_; 8]>::from(answers) {
        assert_eq!(message_id(answer.ok()), "stampede-1");
    }
    bed.wait_shown(CUSTOMER, "stampede").await;
    let id = MessageId::from_wire("stampede-1");
    until("the receipt", async || {
        let mut conn = bed.read().await;
        let row = conn
            .account(&bed.a.id)
            .message(&made.instance(), &id)
            .await
            .expect("a look");
        matches!(
            row.expect("a row").status,
            MessageStatus::Delivered | MessageStatus::Read
        )
        .then_some(())
    })
    .await;
    let mut conn = bed.read().await;
    assert_eq!(
        conn.account(&bed.a.id)
            .job_count(&made.instance())
            .await
            .expect("a count"),
        0
    );
    assert_eq!(bed.shown(CUSTOMER, "stampede"), 1);
}

/// It was meant to leave from that number, not from the next one that pairs.
async fn what_waits_at_a_log_out_never_leaves(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let waiting =
        json!({"phone": CUSTOMER, "message": "too late", "id": "order-4712", "delay": 3_600_000});
    bed.send(&bed.a, &made, waiting.clone()).await.expect(200);
    bed.sandbox.network().logout(SHOP).expect("a phone");
    bed.wait_state(&bed.a, &made, "logged_out").await;
    let mut conn = bed.read().await;
    let mut account = conn.account(&bed.a.id);
    let left = account.job_count(&made.instance()).await.expect("a count");
    let row = account
        .message(&made.instance(), &MessageId::from_wire("order-4712"))
        .await
        .expect("a look")
        .expect("a row");
    assert_eq!((left, row.status), (0, MessageStatus::Failed));
    drop(conn);
    let refused = bed
        .send(&bed.a, &made, json!({"phone": CUSTOMER, "message": "new"}))
        .await;
    refused.refused(409, "instance_not_connected");
    bed.scan(&bed.a, &made, SHOP_TOO).await;
    bed.wait_state(&bed.a, &made, "connected").await;
    bed.send(
        &bed.a,
        &made,
        json!({"phone": CUSTOMER, "message": "marker"}),
    )
    .await
    .expect(200);
    bed.wait_shown(CUSTOMER, "marker").await;
    assert_eq!(bed.shown(CUSTOMER, "too late"), 0);
}
