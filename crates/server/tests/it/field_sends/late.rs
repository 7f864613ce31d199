//! `valid_until`: what is too late to be sent is not begun to be sent.

use recado_model::Clock as _;
use serde_json::{Value, json};

use super::{Direct, refused_everywhere, tool};
use crate::{
    gateway::{Bed, CUSTOMER, Made, SHOP, SHOP_TOO, until},
    story::inner,
};

/// Each instance sends one message in ten minutes.
const SLOW: &str = "send.min_interval_ms = 600000\n";
const QUICK: &str = "send.ack_timeout_ms = 600\nsend.renew_interval_ms = 0\n";

mod slow {
    use super::*;

    on_both! {
        with = super::super::SLOW;
        what_waits_too_long_is_not_sent,
        another_time_is_the_same_message,
    }
}

mod quick {
    use super::*;

    on_both! {
        with = super::super::QUICK;
        what_was_on_the_wire_is_never_too_late,
        what_may_have_arrived_is_sent_again_whatever_the_time,
    }
}

on_both! { a_time_that_is_none_is_refused_by_name }

fn in_secs(bed: &Bed, secs: i64) -> String {
    bed.clock.now().plus_secs(secs).to_rfc3339()
}

async fn send(bed: &Bed, made: &Made, id: &str, until: Option<String>) {
    let body = json!({"phone": CUSTOMER, "message": id, "id": id, "valid_until": until});
    let answer = bed.send(&bed.a, made, body).await.ok();
    assert_eq!(answer["data"]["message_id"], id);
}

async fn a_time_that_is_none_is_refused_by_name(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Late"})).await;
    let direct = Direct::new(bed).await;
    for bad in [
        "soon",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "1767225600",
        "2026-13-01T00:00:00Z",
    ] {
        let body = json!({"phone": CUSTOMER, "message": "x", "valid_until": bad});
        refused_everywhere(bed, &made, &direct, body, "RFC 3339").await;
    }
    // Empty is what some clients send for what is not set; nothing is linked, and that comes next.
    for good in ["", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.5-03:00"] {
        let body = json!({"phone": CUSTOMER, "message": "x", "valid_until": good});
        let answer = bed.send(&bed.a, &made, body).await;
        answer.refused(409, "instance_not_connected");
    }
}

async fn what_waits_too_long_is_not_sent(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["MessageFailed"])).await;
    let direct = Direct::paired(bed, SHOP_TOO).await;
    // The first of each takes the place of ten minutes.
    send(bed, &made, "first-rest", None).await;
    let first = json!({"to": CUSTOMER, "text": "first direct"});
    direct.send(bed, first).await.expect(200);
    bed.wait_shown(CUSTOMER, "first-rest").await;
    bed.wait_shown(CUSTOMER, "first direct").await;
    send(bed, &made, "late-rest", Some(in_secs(bed, 60))).await;
    let body = json!({
        "to": CUSTOMER, "text": "late direct", "id": "late-direct", "validUntil": in_secs(bed, 60),
    });
    direct.send(bed, body).await.expect(200);
    let arguments = json!({
        "phone": CUSTOMER, "message": "late mcp", "idempotency_key": "late", "valid_until": in_secs(bed, 60),
    });
    let queued = tool(bed, &made, arguments).await;
    assert_eq!(inner(&queued)["status"], "queued", "{queued}");
    send(bed, &made, "good-rest", Some(in_secs(bed, 7_200))).await;
    bed.clock.jump_secs(900);
    // What is too late takes nobody's place: the good one goes at once.
    bed.wait_shown(CUSTOMER, "good-rest").await;
    let failed = bed.wait_status(&made, "late-rest", &["failed"]).await;
    assert_eq!(failed["code"], "too_late");
    assert!(
        failed["meaning"].to_string().contains("valid_until"),
        "{failed}"
    );
    assert!(
        failed["what_to_do"]
            .to_string()
            .contains("Nothing of it was sent"),
        "{failed}"
    );
    let event = bed.delivered("the failure", |delivery| {
        delivery.body["event"]["message_id"] == "late-rest"
    });
    assert_eq!(event.await.body["event"]["code"], "too_late");
    let path = format!("/sessions/{}/messages/late-direct", direct.key);
    let seen = until("the failure at the Direct API", async || {
        let call = bed.get(&path).header("x-api-key", &direct.api_key);
        let seen = call.send().await.ok();
        (seen["status"] == "failed").then_some(seen)
    });
    assert_eq!(seen.await["code"], "too_late");
    let key = json!({"idempotency_key": "late"});
    let seen = bed.tool(&bed.a, "get_whatsapp_outbound_delivery_status", key);
    let seen = inner(&seen.await);
    assert_eq!(
        (&seen["status"], &seen["code"]),
        (&json!("failed"), &json!("too_late"))
    );
    for text in ["late-rest", "late direct", "late mcp"] {
        assert_eq!(bed.shown(CUSTOMER, text), 0, "{text}");
    }
}

async fn another_time_is_the_same_message(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    send(bed, &made, "first-rest", None).await;
    bed.wait_shown(CUSTOMER, "first-rest").await;
    let first = in_secs(bed, 60);
    send(bed, &made, "again-rest", Some(first)).await;
    // While it waits, the time of the call that queued it counts.
    send(bed, &made, "again-rest", Some(in_secs(bed, 7_200))).await;
    send(bed, &made, "again-rest", None).await;
    bed.clock.jump_secs(900);
    bed.wait_status(&made, "again-rest", &["failed"]).await;
    // It never left, so it may be queued anew, with a new time.
    send(bed, &made, "again-rest", Some(in_secs(bed, 7_200))).await;
    bed.clock.jump_secs(900);
    bed.wait_shown(CUSTOMER, "again-rest").await;
    assert_eq!(bed.shown(CUSTOMER, "again-rest"), 1);
}

async fn what_was_on_the_wire_is_never_too_late(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let network = bed.sandbox.network();
    // A number that was never written to would be looked up first.
    send(bed, &made, "before-it", None).await;
    bed.wait_status(&made, "before-it", &["sent", "delivered", "read"])
        .await;
    network
        .trouble(&json!({"kind": "freeze"}))
        .expect("a trouble");
    send(bed, &made, "on-the-wire", Some(in_secs(bed, 30))).await;
    bed.wait_status(&made, "on-the-wire", &["sending"]).await;
    bed.clock.jump_secs(600);
    network.clear_troubles();
    bed.wait_shown(CUSTOMER, "on-the-wire").await;
    let told = bed
        .wait_status(&made, "on-the-wire", &["sent", "delivered", "read"])
        .await;
    assert_eq!(told["code"], Value::Null);
}

async fn what_may_have_arrived_is_sent_again_whatever_the_time(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let network = bed.sandbox.network();
    network.set_online(CUSTOMER, false).expect("offline");
    network
        .trouble(&json!({"kind": "drop_acks"}))
        .expect("a trouble");
    send(bed, &made, "may-be-there", Some(in_secs(bed, 3_600))).await;
    bed.wait_status(&made, "may-be-there", &["unconfirmed"])
        .await;
    network.clear_troubles();
    send(bed, &made, "may-be-there", Some(in_secs(bed, -60))).await;
    bed.wait_status(&made, "may-be-there", &["sent"]).await;
    network.set_online(CUSTOMER, true).expect("online");
    bed.wait_shown(CUSTOMER, "may-be-there").await;
    assert_eq!(bed.shown(CUSTOMER, "may-be-there"), 1);
}
