//! Calls: told to who wants to hear of them, declined where the owner wants that.

use recado_sandbox::profile::Call;
use serde_json::{Value, json};

use crate::gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP};

on_both! {
    a_call_is_declined_with_a_word,
    a_call_rings_where_nobody_declines_it,
    what_does_not_fit,
}

const EVENTS: [&str; 4] = ["CallOffer", "CallTerminate", "MissedCall", "Message"];

async fn change(bed: &Bed, made: &Made, body: Value) -> Value {
    let call = bed.call("PATCH", &made.path("")).bearer(&bed.a.jwt);
    call.json(body).send().await.ok()
}

async fn event(bed: &Bed, kind: &str, call: &Call) -> Value {
    let told = bed.delivered(kind, |delivery| {
        delivery.body["type"] == kind && delivery.body["event"]["call_id"] == call.id
    });
    told.await.body["event"].clone()
}

/// Waits until the caller's phone shows it.
async fn becomes(bed: &Bed, call: &Call, state: &str) {
    let network = bed.sandbox.network();
    let seen = network.wait_for(PATIENCE, |network| {
        let calls = network.calls(CUSTOMER).ok()?;
        calls
            .iter()
            .find(|one| one.id == call.id && one.state == state)
            .map(drop)
    });
    seen.await.expect(state);
}

async fn a_call_is_declined_with_a_word(bed: &mut Bed) {
    let network = bed.sandbox.network();
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(EVENTS)).await;
    let text = "Please write, we cannot take calls.";
    let changed = change(
        bed,
        &made,
        json!({"reject_calls": true, "rejectCallsMessage": text}),
    )
    .await;
    assert_eq!(changed["reject_calls_message"], text);
    let call = network.call(CUSTOMER, SHOP, true).expect("it calls");
    becomes(bed, &call, "rejected").await;
    let told = event(bed, "CallOffer", &call).await;
    let customer = format!("{CUSTOMER}@s.whatsapp.net");
    assert_eq!(
        (&told["from"], &told["phone"]),
        (&json!(customer), &json!(CUSTOMER)),
        "{told}"
    );
    assert_eq!(
        (&told["is_video"], &told["rejected"]),
        (&json!(true), &json!(true))
    );
    assert!(told["timestamp"].is_string() && told["call_creator"].is_string());
    let shown = bed.wait_shown(CUSTOMER, text).await;
    assert_eq!(shown.from, SHOP);
    // Declined again, and not written to again.
    let again = network.call(CUSTOMER, SHOP, false).expect("it calls");
    becomes(bed, &again, "rejected").await;
    event(bed, "CallOffer", &again).await;
    let body = json!({"phone": CUSTOMER, "message": "marker"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_shown(CUSTOMER, "marker").await;
    assert_eq!(bed.shown(CUSTOMER, text), 1);
    let changed = change(bed, &made, json!({"reject_calls_message": ""})).await;
    assert_eq!(changed["reject_calls_message"], Value::Null);
}

async fn a_call_rings_where_nobody_declines_it(bed: &mut Bed) {
    let network = bed.sandbox.network();
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(EVENTS)).await;
    let call = network.call(CUSTOMER, SHOP, false).expect("it calls");
    let told = event(bed, "CallOffer", &call).await;
    assert_eq!(
        (&told["is_video"], &told["rejected"]),
        (&json!(false), &json!(false)),
        "{told}"
    );
    becomes(bed, &call, "ringing").await;
    network.hang_up(CUSTOMER, &call.id).expect("hangs up");
    // WhatsApp names who hangs up by id alone: who it was is known of the call.
    let ended = event(bed, "CallTerminate", &call).await;
    assert_eq!(
        (&ended["phone"], &ended["reason"]),
        (&json!(CUSTOMER), &json!("")),
        "{ended}"
    );
    assert_eq!(ended["lid"], told["lid"]);
    assert!(told["lid"].is_string(), "{told}");
    let missed = event(bed, "MissedCall", &call).await;
    assert_eq!(
        (&missed["phone"], &missed["is_video"]),
        (&json!(CUSTOMER), &json!(false)),
        "{missed}"
    );
}

async fn what_does_not_fit(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Here"})).await;
    for (body, field) in [
        (json!({"reject_calls": "yes"}), "reject_calls"),
        (
            json!({"reject_calls_message": "x".repeat(1_001)}),
            "reject_calls_message",
        ),
        (json!({"reject_calls_message": 5}), "reject_calls_message"),
    ] {
        let call = bed.call("PATCH", &made.path("")).bearer(&bed.a.jwt);
        let refused = call.json(body).send().await.expect(400);
        assert_eq!(refused.json()["field"], field);
    }
}
