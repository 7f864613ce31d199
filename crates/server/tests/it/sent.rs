//! Sent means sent: a message lives until WhatsApp has it, and whoever asks hears the truth.

use recado_model::EventKind;
use serde_json::{Value, json};

use crate::{
    gateway::{Bed, CUSTOMER, Made, SHOP, SHOP_TOO, Shop, until},
    story::inner,
};

const QUICK: &str = "send.ack_timeout_ms = 600\nsend.renew_interval_ms = 0\n";

mod quick {
    use super::*;

    on_both! {
        with = crate::sent::QUICK;
        what_the_network_swallows_is_not_sent,
        a_receipt_is_an_acknowledgement,
        two_silences_are_unconfirmed_and_a_late_answer_counts,
        a_repeat_is_the_same_message,
    }
}

on_both! {
    a_refusal_has_a_voice_and_the_same_id_sends_anew,
    trouble_of_the_server_is_no_failure,
    a_stale_session_is_tried_once_more_only,
    a_delay_holds_up_nothing,
    a_made_up_receipt_takes_nothing_out_of_the_queue,
    a_clock_that_is_set_back_stops_no_queue,
    a_number_that_is_not_there_is_refused_by_name,
    a_number_in_its_older_form_is_corrected,
    every_surface_tells_the_same,
    a_phone_asks_again_after_a_restart,
    an_error_that_is_an_ack_ends_no_link,
    a_stream_that_ends_with_an_error_comes_again,
}

fn trouble(bed: &Bed, body: Value) {
    bed.sandbox.network().trouble(&body).expect("a trouble");
}

async fn accepted(bed: &Bed, made: &Made, id: &str, body: Value) {
    let mut body = body;
    body["id"] = json!(id);
    let answer = bed.send(&bed.a, made, body).await.ok();
    assert_eq!(answer["data"]["message_id"], id);
}

fn arrivals(bed: &Bed, number: &str, id: &str) -> Option<(u64, bool)> {
    let messages = bed.sandbox.network().messages(number).expect("a phone");
    let found = messages.into_iter().find(|message| message.id == id);
    found.map(|message| (message.arrivals, message.same))
}

async fn sent_events(bed: &Bed, shop: &Shop, made: &Made) -> i64 {
    events(bed, shop, made, EventKind::Message).await
}

async fn events(bed: &Bed, shop: &Shop, made: &Made, kind: EventKind) -> i64 {
    let mut conn = bed.read().await;
    let mut store = conn.account(&shop.id);
    let count = store.event_count(&made.instance(), kind).await;
    count.expect("a count")
}

async fn what_the_network_swallows_is_not_sent(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    trouble(bed, json!({"kind": "freeze"}));
    for n in 0..10 {
        let body = json!({"phone": CUSTOMER, "message": format!("frozen {n}")});
        accepted(bed, &made, &format!("frozen-{n}"), body).await;
    }
    let first = bed.told(&made, "frozen-0").await;
    assert!(
        ["queued", "sending"].contains(&first["status"].as_str().expect("a status")),
        "{first}"
    );
    assert_eq!(sent_events(bed, &bed.a, &made).await, 0);
    bed.sandbox.network().clear_troubles();
    for n in 0..10 {
        bed.wait_shown(CUSTOMER, &format!("frozen {n}")).await;
        let id = format!("frozen-{n}");
        bed.wait_status(&made, &id, &["sent", "delivered", "read"])
            .await;
        assert_eq!(bed.shown(CUSTOMER, &format!("frozen {n}")), 1);
    }
    assert_eq!(sent_events(bed, &bed.a, &made).await, 10, "one each");
    let messages = bed.sandbox.network().messages(CUSTOMER).expect("a phone");
    let order: Vec<_> = messages.iter().map(|message| message.id.clone()).collect();
    let expected: Vec<_> = (0..10).map(|n| format!("frozen-{n}")).collect();
    assert_eq!(order, expected, "in the order of the chat");
}

async fn a_receipt_is_an_acknowledgement(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    trouble(bed, json!({"kind": "drop_acks"}));
    let body = json!({"phone": CUSTOMER, "message": "no ack"});
    accepted(bed, &made, "no-ack-1", body).await;
    bed.wait_status(&made, "no-ack-1", &["delivered"]).await;
    assert_eq!(sent_events(bed, &bed.a, &made).await, 1);
    assert_eq!(arrivals(bed, CUSTOMER, "no-ack-1"), Some((1, true)));
}

async fn two_silences_are_unconfirmed_and_a_late_answer_counts(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let network = bed.sandbox.network();
    // No acknowledgement, and nobody who could send a receipt.
    network.set_online(CUSTOMER, false).expect("offline");
    trouble(bed, json!({"kind": "drop_acks"}));
    let body = json!({"phone": CUSTOMER, "message": "silence"});
    accepted(bed, &made, "silence-1", body.clone()).await;
    bed.wait_status(&made, "silence-1", &["unconfirmed"]).await;
    assert_eq!(sent_events(bed, &bed.a, &made).await, 0);
    bed.sandbox.network().clear_troubles();
    // The chat goes on, and a late receipt still raises it.
    bed.sandbox
        .network()
        .set_online(CUSTOMER, true)
        .expect("online");
    bed.wait_status(&made, "silence-1", &["delivered"]).await;
    assert_eq!(bed.shown(CUSTOMER, "silence"), 1);
    assert_eq!(sent_events(bed, &bed.a, &made).await, 1);
    // It has arrived: the same id is the same message.
    accepted(bed, &made, "silence-1", body).await;
    bed.wait_status(&made, "silence-1", &["delivered"]).await;
}

async fn a_repeat_is_the_same_message(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let network = bed.sandbox.network();
    network.set_online(CUSTOMER, false).expect("offline");
    trouble(bed, json!({"kind": "drop_acks", "count": 1}));
    let body = json!({"phone": CUSTOMER, "message": "again"});
    accepted(bed, &made, "repeat-1", body).await;
    bed.wait_status(&made, "repeat-1", &["sent"]).await;
    bed.sandbox
        .network()
        .set_online(CUSTOMER, true)
        .expect("online");
    bed.wait_shown(CUSTOMER, "again").await;
    let seen = until("both arrivals", async || {
        arrivals(bed, CUSTOMER, "repeat-1").filter(|(arrivals, _)| *arrivals == 2)
    });
    assert_eq!(seen.await, (2, true), "byte for byte");
    assert_eq!(bed.shown(CUSTOMER, "again"), 1);
}

async fn a_refusal_has_a_voice_and_the_same_id_sends_anew(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!("All")).await;
    trouble(bed, json!({"kind": "refuse", "code": 463, "count": 1}));
    let body = json!({"phone": CUSTOMER, "message": "hello stranger"});
    accepted(bed, &made, "refused-1", body.clone()).await;
    let failed = bed.wait_status(&made, "refused-1", &["failed"]).await;
    assert_eq!(failed["code"], "463");
    for field in ["meaning", "what_to_do"] {
        assert!(!failed[field].as_str().expect(field).is_empty());
    }
    let event = bed.delivered("the failure", |delivery| {
        delivery.body["type"] == "MessageFailed"
    });
    let event = event.await.body["event"].clone();
    assert_eq!(event["code"], "463", "{event}");
    assert_eq!(event["message_id"], "refused-1");
    // Asked for again under its own id, it goes out; with another content it is another message.
    let other = json!({"phone": CUSTOMER, "message": "other", "id": "refused-1"});
    bed.send(&bed.a, &made, other)
        .await
        .refused(409, "conflict");
    accepted(bed, &made, "refused-1", body).await;
    bed.wait_shown(CUSTOMER, "hello stranger").await;
    let sent = bed
        .wait_status(&made, "refused-1", &["sent", "delivered", "read"])
        .await;
    assert_eq!(sent["code"], Value::Null);
}

async fn trouble_of_the_server_is_no_failure(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for code in [500, 503, 429] {
        trouble(bed, json!({"kind": "refuse", "code": code, "count": 1}));
        let (id, text) = (format!("again-{code}"), format!("after {code}"));
        let body = json!({"phone": CUSTOMER, "message": text});
        accepted(bed, &made, &id, body).await;
        until("the refusal", async || {
            bed.sandbox.network().troubles().is_empty().then_some(())
        })
        .await;
        until("the pause", async || {
            bed.clock.jump_secs(1);
            (bed.shown(CUSTOMER, &text) == 1).then_some(())
        })
        .await;
        bed.wait_status(&made, &id, &["sent", "delivered", "read"])
            .await;
    }
}

async fn a_stale_session_is_tried_once_more_only(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    trouble(bed, json!({"kind": "refuse", "code": 479, "count": 1}));
    let body = json!({"phone": CUSTOMER, "message": "anew"});
    accepted(bed, &made, "stale-0001", body).await;
    bed.wait_shown(CUSTOMER, "anew").await;
    trouble(bed, json!({"kind": "refuse", "code": 479, "count": 2}));
    let body = json!({"phone": CUSTOMER, "message": "never"});
    accepted(bed, &made, "stale-0002", body).await;
    let failed = bed.wait_status(&made, "stale-0002", &["failed"]).await;
    assert_eq!(failed["code"], "479");
    assert_eq!(bed.shown(CUSTOMER, "never"), 0);
}

async fn a_delay_holds_up_nothing(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let send = async |id: &str, phone: &str, text: &str, delay: i64| {
        let body = json!({"phone": phone, "message": text, "delay": delay});
        accepted(bed, &made, id, body).await;
    };
    send("delayed-1", CUSTOMER, "later", 15_000).await;
    send("plain-001", CUSTOMER, "now", 0).await;
    send("plain-002", SHOP_TOO, "now too", 0).await;
    bed.wait_shown(CUSTOMER, "now").await;
    bed.wait_shown(SHOP_TOO, "now too").await;
    assert_eq!(bed.shown(CUSTOMER, "later"), 0);
    bed.clock.jump_secs(15);
    bed.wait_shown(CUSTOMER, "later").await;
}

async fn a_clock_that_is_set_back_stops_no_queue(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let body = json!({"phone": CUSTOMER, "message": "before"});
    accepted(bed, &made, "before-01", body).await;
    bed.wait_shown(CUSTOMER, "before").await;
    bed.clock.step_wall_ms(-3_600_000);
    // A JWT of an hour later is none yet; the pair of tokens knows no time.
    let answer = bed
        .post(&made.path("/chat/send/text"))
        .header("x-client-token", &bed.a.client_token)
        .header("x-instance-token", &made.token)
        .json(json!({"phone": CUSTOMER, "message": "after"}))
        .send()
        .await;
    answer.expect(200);
    bed.wait_shown(CUSTOMER, "after").await;
}

async fn a_number_that_is_not_there_is_refused_by_name(bed: &mut Bed) {
    const NOBODY: &str = "+34699999999";
    let made = bed.paired(&bed.a, SHOP).await;
    let body = json!({"phone": NOBODY, "message": "hello?", "id": "nobody-01"});
    for _ in 0..2 {
        let refused = bed.send(&bed.a, &made, body.clone()).await;
        let refused = refused.refused(400, "not_on_whatsapp");
        assert_eq!(refused["field"], "phone");
    }
    let path = made.path("/chat/messages/nobody-01");
    let nothing = bed.get(&path).bearer(&bed.a.jwt).send().await;
    nothing.refused(404, "not_found");
    let tool = bed
        .tool(
            &bed.a,
            "send_whatsapp_message",
            json!({"phone": NOBODY, "message": "hello?", "confirm": true}),
        )
        .await;
    assert!(tool.to_string().contains("not on WhatsApp"), "{tool}");
}

async fn a_number_in_its_older_form_is_corrected(bed: &mut Bed) {
    const HAS: &str = "551187654321";
    const GIVEN: &str = "+55 11 98765-4321";
    let network = bed.sandbox.network();
    network.add_phone(HAS, "Ana").expect("a phone");
    let made = bed.paired(&bed.a, SHOP).await;
    for (kind, id, content) in [
        ("text", "OLDER-0001", json!({"message": "olá"})),
        (
            "location",
            "OLDER-0002",
            json!({"latitude": 1, "longitude": 2, "name": "here"}),
        ),
        (
            "buttons",
            "OLDER-0003",
            json!({"message": "Tea?", "buttons": [{"text": "Yes"}]}),
        ),
    ] {
        let mut body = content;
        body["phone"] = json!(GIVEN);
        body["id"] = json!(id);
        // The same again is the same, under the same number.
        for _ in 0..2 {
            let path = made.path(&format!("/chat/send/{kind}"));
            let call = bed.post(&path).bearer(&bed.a.jwt).json(body.clone());
            let sent = call.send().await.ok();
            assert_eq!(sent["data"]["phone"], HAS, "{sent}");
            assert_eq!(sent["data"]["chat"], format!("{HAS}@s.whatsapp.net"));
        }
        bed.wait_status(&made, id, &["delivered", "read"]).await;
    }
    let shown = bed.wait_shown(HAS, "olá").await;
    assert_eq!(shown.arrivals, 1);
    let right = json!({"phone": "5511987654321", "message": "tudo bem?"});
    let sent = bed.send(&bed.a, &made, right).await.ok();
    assert_eq!(sent["data"]["phone"], HAS);
    // A number of any other country is what it says.
    let sent = json!({"phone": CUSTOMER, "message": "hello"});
    let sent = bed.send(&bed.a, &made, sent).await.ok();
    assert_eq!(sent["data"]["phone"], CUSTOMER.trim_start_matches('+'));
}

async fn every_surface_tells_the_same(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let arguments = json!({
        "phone": CUSTOMER, "message": "by a tool", "idempotency_key": "key-1", "confirm": true,
    });
    let sent = bed.tool(&bed.a, "send_whatsapp_message", arguments).await;
    let sent = inner(&sent);
    assert_eq!(sent["status"], "sent", "{sent}");
    let id = sent["message_id"].as_str().expect("an id").to_owned();
    let queue_id = sent["queue_id"].as_i64().expect("a number");
    bed.wait_status(&made, &id, &["delivered"]).await;
    for (tool, arguments) in [
        (
            "get_whatsapp_outbound_delivery_status",
            json!({"idempotency_key": "key-1"}),
        ),
        (
            "get_whatsapp_outbound_queue_status",
            json!({"queue_id": queue_id}),
        ),
    ] {
        let told = bed.tool(&bed.a, tool, arguments.clone()).await;
        let told = inner(&told);
        assert_eq!(
            (&told["status"], &told["message_id"], &told["delivery"]),
            (&json!("sent"), &json!(id), &json!("delivered")),
            "{tool}: {told}"
        );
        // Another shop knows nothing of it.
        let other = bed.tool(&bed.b, tool, arguments).await;
        assert_eq!(other["isError"], true, "{tool}: {other}");
    }
    let foreign = bed
        .get(&made.path(&format!("/chat/messages/{id}")))
        .bearer(&bed.b.jwt)
        .send()
        .await;
    foreign.refused(403, "forbidden");
}

async fn a_phone_asks_again_after_a_restart(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let body = json!({"phone": CUSTOMER, "message": "read me twice"});
    accepted(bed, &made, "retry-001", body).await;
    bed.wait_shown(CUSTOMER, "read me twice").await;
    bed.wait_status(&made, "retry-001", &["delivered", "read"])
        .await;
    bed.restart().await;
    bed.log_in().await;
    bed.wait_state(&bed.a, &made, "connected").await;
    let network = bed.sandbox.network();
    network.ask_again(CUSTOMER, "retry-001", 1).expect("asks");
    let seen = until("the resend", async || {
        arrivals(bed, CUSTOMER, "retry-001").filter(|(arrivals, _)| *arrivals == 2)
    });
    assert_eq!(seen.await, (2, true), "byte for byte");
}

async fn an_error_that_is_an_ack_ends_no_link(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    trouble(
        bed,
        json!({"kind": "stream_error", "code": 0, "number": SHOP}),
    );
    accepted(
        bed,
        &made,
        "ack-shaped",
        json!({"phone": CUSTOMER, "message": "still here"}),
    )
    .await;
    bed.wait_shown(CUSTOMER, "still here").await;
    bed.wait_status(&made, "ack-shaped", &["delivered", "read"])
        .await;
    assert_eq!(events(bed, &bed.a, &made, EventKind::Disconnected).await, 0);
}

async fn a_stream_that_ends_with_an_error_comes_again(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for code in [503, 515, 500] {
        trouble(
            bed,
            json!({"kind": "stream_error", "code": code, "number": SHOP}),
        );
        let text = format!("after {code}");
        let id = format!("stream-{code}");
        accepted(bed, &made, &id, json!({"phone": CUSTOMER, "message": text})).await;
        bed.wait_shown(CUSTOMER, &text).await;
        bed.wait_status(&made, &id, &["delivered", "read"]).await;
        bed.wait_state(&bed.a, &made, "connected").await;
    }
}

/// Callers choose ids, and whoever knows one can say that it was read.
async fn a_made_up_receipt_takes_nothing_out_of_the_queue(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message", "ReadReceipt"]))
        .await;
    let later = json!({"phone": CUSTOMER, "message": "later", "delay": 4_000});
    accepted(bed, &made, "order-1002", later).await;
    let ids = ["order-1002".to_owned()];
    let network = bed.sandbox.network();
    network.claim_read(CUSTOMER, SHOP, &ids).expect("says so");
    // What comes behind the receipt shows that it was taken.
    bed.delivered("the receipt", |d| {
        d.body["type"] == "ReadReceipt" && d.body["event"]["message_ids"][0] == "order-1002"
    })
    .await;
    assert_eq!(bed.told(&made, "order-1002").await["status"], "queued");
    bed.wait_shown(CUSTOMER, "later").await;
    bed.wait_status(&made, "order-1002", &["sent", "delivered"])
        .await;
}
