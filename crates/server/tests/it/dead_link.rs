//! A link whose network or store is dead: the state says so, the owner hears of it, and nothing that
//! people write meanwhile is lost.

use std::time::Duration;

use serde_json::json;

use crate::gateway::{Bed, CUSTOMER, Made, SHOP, until};

/// Impatient: 20 s, 15 s and 180 s are what a gateway waits by itself.
const QUICK: &str = "engine.silence_ms = 1500\nengine.probe_ms = 1000\nengine.stale_ms = 10000\n";
const NEWCOMER: &str = "5511999990077";

on_both! {
    with = super::QUICK;
    silence_is_told_and_mended,
    a_scan_is_never_waiting_and_connected,
    who_writes_while_the_device_rows_are_away_is_heard,
}

async fn silence_is_told_and_mended(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!("All")).await;
    let network = bed.sandbox.network();
    network
        .trouble(&json!({"kind": "swallow"}))
        .expect("a trouble");
    bed.wait_state(&bed.a, &made, "connecting").await;
    let told = bed.delivered("the silence", |delivery| {
        delivery.body["type"] == "Disconnected"
    });
    let event = told.await.body["event"].clone();
    assert!(
        !event["reason"].as_str().expect("a reason").is_empty(),
        "{event}"
    );
    // Taken meanwhile, and sent once the network answers again.
    let body = json!({"phone": CUSTOMER, "message": "into the silence"});
    bed.send(&bed.a, &made, body).await.ok();
    network.clear_troubles();
    bed.wait_state(&bed.a, &made, "connected").await;
    bed.wait_shown(CUSTOMER, "into the silence").await;
}

async fn a_scan_is_never_waiting_and_connected(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Till 1"})).await;
    let qr = bed.qr_text(&bed.a, &made).await;
    let looks = async {
        until("the link", async || {
            let seen = bed
                .get(&made.path("/session/qr"))
                .bearer(&bed.a.jwt)
                .send()
                .await;
            let said = seen.text().to_owned();
            assert!(
                !(said.contains("qr_pending") && said.contains(r#""connected":true"#)),
                "{said}"
            );
            let state = bed.look(&bed.a, &made).await["status"].clone();
            (state == "connected").then_some(())
        })
        .await;
    };
    let scan = async {
        bed.sandbox
            .network()
            .scan(SHOP, &qr)
            .await
            .expect("scanned")
    };
    tokio::join!(looks, scan);
}

async fn who_writes_while_the_device_rows_are_away_is_heard(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!("All")).await;
    let network = bed.sandbox.network();
    network
        .add_phone(NEWCOMER, "Somebody new")
        .expect("a phone");
    bed.raw(
        "ALTER TABLE device RENAME TO device_away",
        "ALTER TABLE device RENAME TO device_away",
    )
    .await;
    // The keys of a first message cannot be read now.
    let written = network
        .send_text(NEWCOMER, SHOP, "are you there?")
        .expect("written");
    left_connected(bed, &made).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    bed.raw(
        "ALTER TABLE device_away RENAME TO device",
        "ALTER TABLE device_away RENAME TO device",
    )
    .await;
    let heard = bed.delivered("what was written", |delivery| {
        delivery.body["type"] == "Message" && delivery.body["event"]["info"]["id"] == written.id
    });
    heard.await;
    bed.wait_state(&bed.a, &made, "connected").await;
    let body = json!({"phone": NEWCOMER, "message": "I am"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_shown(NEWCOMER, "I am").await;
}

async fn left_connected(bed: &Bed, made: &Made) {
    until("the connection's end", async || {
        let state = bed.look(&bed.a, made).await["status"].clone();
        (state != "connected").then_some(())
    })
    .await;
}
