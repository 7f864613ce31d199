//! Who is there: others, as this number hears of them, and this number, as others see it.

use recado_sandbox::Delivery;
use serde_json::{Value, json};

use super::{jid, told};
use crate::gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP};

on_both! {
    who_is_watched_comes_and_goes,
    a_number_shows_itself_as_its_owner_wants,
}

async fn change(bed: &Bed, made: &Made, body: Value) {
    let call = bed.call("PATCH", &made.path("")).bearer(&bed.a.jwt);
    call.json(body).send().await.ok();
}

/// Waits until others see the shop so.
async fn is_there(bed: &Bed, there: bool) {
    let network = bed.sandbox.network();
    let seen = network.wait_for(PATIENCE, |network| {
        (network.is_there(SHOP).ok()? == there).then_some(())
    });
    seen.await.expect("the shop's presence");
}

fn is_presence(state: &'static str) -> impl Fn(&Delivery) -> bool {
    move |delivery| delivery.body["type"] == "Presence" && delivery.body["state"] == state
}

async fn who_is_watched_comes_and_goes(bed: &mut Bed) {
    let network = bed.sandbox.network().clone();
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Presence"])).await;
    let data = told(bed, &made, "presence", json!({ "phone": CUSTOMER })).await;
    assert_eq!(
        (&data["jid"], &data["subscribed"]),
        (&json!(jid(CUSTOMER)), &json!(true))
    );
    assert!(data["details"].to_string().contains("available"), "{data}");
    // Whoever does not show himself hears of nobody; the wish is kept.
    change(bed, &made, json!({"presence": "available"})).await;
    let came = bed
        .delivered("that she is there", is_presence("online"))
        .await;
    let event = &came.body["event"];
    assert_eq!(event["from"], jid(CUSTOMER), "{event}");
    assert_eq!(
        (&event["phone"], &event["unavailable"]),
        (&json!(CUSTOMER), &json!(false))
    );
    network.look_at_app(CUSTOMER, false).expect("away");
    let went = bed.delivered("that she went", is_presence("offline")).await;
    let event = &went.body["event"];
    assert_eq!(event["unavailable"], true, "{event}");
    assert!(event["last_seen"].is_string(), "{event}");
    // Over a restart of the gateway, which WhatsApp forgets.
    bed.restart().await;
    bed.log_in().await;
    bed.wait_state(&bed.a, &made, "connected").await;
    bed.sandbox.receiver().clear();
    network.look_at_app(CUSTOMER, true).expect("back");
    bed.delivered("that she is back", is_presence("online"))
        .await;
    let data = told(
        bed,
        &made,
        "presence",
        json!({"phone": CUSTOMER, "subscribe": false}),
    )
    .await;
    assert_eq!(data["subscribed"], false);
    bed.sandbox.receiver().clear();
    network.look_at_app(CUSTOMER, false).expect("away");
    // A marker that comes after it.
    bed.subscribe(&bed.a, &made, json!("All")).await;
    network
        .send_text(CUSTOMER, SHOP, "marker")
        .expect("it writes");
    bed.delivered("the marker", |delivery| delivery.body["type"] == "Message")
        .await;
    let deliveries = bed.sandbox.receiver().deliveries();
    assert!(
        !deliveries.iter().any(is_presence("offline")),
        "{deliveries:?}"
    );
}

async fn a_number_shows_itself_as_its_owner_wants(bed: &mut Bed) {
    let network = bed.sandbox.network();
    network.look_at_app(SHOP, false).expect("the phone is away");
    let made = bed.paired(&bed.a, SHOP).await;
    is_there(bed, false).await;
    change(bed, &made, json!({"presence": "available"})).await;
    is_there(bed, true).await;
    let seen = bed.look(&bed.a, &made).await;
    assert_eq!(seen["presence"], "available");
    // Over a connection that is lost.
    network
        .trouble(&json!({"kind": "stream_error", "code": 503, "number": SHOP}))
        .expect("a trouble");
    is_there(bed, false).await;
    is_there(bed, true).await;
    change(bed, &made, json!({"presence": "unavailable"})).await;
    is_there(bed, false).await;
    let call = bed.call("PATCH", &made.path("")).bearer(&bed.a.jwt);
    let refused = call.json(json!({"presence": "busy"})).send().await;
    assert_eq!(refused.refused(400, "invalid_field")["field"], "presence");
}
