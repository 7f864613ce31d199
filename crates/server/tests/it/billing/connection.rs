//! What happens to a connection that nobody pays for, and that it comes back whole.

use serde_json::{Value, json};

use super::{DAY, ask, end, grant};
use crate::gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP};

on_both! {
    with = "billing.provider = \"manual\"\nbilling.trial_days = 7\n";
    a_connection_that_nobody_pays_for,
    time_alone_ends_it,
}

fn companion_online(bed: &Bed) -> Option<bool> {
    let phone = bed.sandbox.network().phone(SHOP).ok()?;
    assert_eq!(phone.companions.len(), 1, "the pairing is kept");
    Some(phone.companions[0].connected)
}

async fn wait_unpaid(bed: &Bed, made: &Made) -> Value {
    let seen = bed.wait_state(&bed.a, made, "disconnected").await;
    assert_eq!(
        (&seen["connected"], &seen["status_reason"]),
        (&json!(true), &json!("unpaid")),
        "{seen}"
    );
    let hint = seen["status_hint"].as_str().expect("a hint");
    assert!(hint.contains("/subscribe"), "{hint}");
    let closed = bed.sandbox.network().wait_for(PATIENCE, |_| {
        (companion_online(bed) == Some(false)).then_some(())
    });
    closed.await.expect("the socket is closed");
    seen
}

async fn a_connection_that_nobody_pays_for(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!("All")).await;
    let later = json!({"phone": CUSTOMER, "message": "queued", "delay": 3_600_000});
    bed.send(&bed.a, &made, later).await.expect(200);
    let jid = bed.look(&bed.a, &made).await["whatsapp_jid"].clone();

    end(bed, &made).await.expect("ended");
    wait_unpaid(bed, &made).await;
    bed.delivered("the end, with its reason", |d| {
        d.body["type"] == "Disconnected" && d.body["event"]["reason"] == "unpaid"
    })
    .await;
    let refused = bed
        .send(&bed.a, &made, json!({"phone": CUSTOMER, "message": "x"}))
        .await;
    refused.refused(402, "payment_required");
    ask(bed, "GET", &made, "/session/qr")
        .await
        .refused(402, "payment_required");

    // What arrives meanwhile waits at the network, what is queued here, over a restart too.
    let network = bed.sandbox.network();
    network
        .send_text(CUSTOMER, SHOP, "while unpaid")
        .expect("sent");
    bed.clock.jump_secs(2 * 3600);
    bed.restart().await;
    bed.clock.jump_secs(60);
    wait_unpaid(bed, &made).await;
    let mut conn = bed.read().await;
    let waiting = conn.account(&bed.a.id).job_count(&made.instance()).await;
    assert_eq!(waiting.expect("counts"), 1);
    drop(conn);
    assert_eq!(bed.shown(CUSTOMER, "queued"), 0);

    // It comes back by itself, without a new scan, and nothing is lost or doubled.
    grant(bed, &made, 30).await.expect("granted");
    let seen = bed.wait_state(&bed.a, &made, "connected").await;
    assert_eq!(
        (&seen["whatsapp_jid"], &seen["billing_status"]),
        (&jid, &json!("ACTIVE"))
    );
    bed.wait_shown(CUSTOMER, "queued").await;
    let waited =
        |d: &recado_sandbox::Delivery| d.body["event"]["message"]["conversation"] == "while unpaid";
    bed.delivered("what waited", waited).await;
    // A later message goes through, so what came before it has been dealt with.
    let network = bed.sandbox.network();
    network
        .send_text(CUSTOMER, SHOP, "afterwards")
        .expect("sent");
    bed.delivered("what came later", |d| {
        d.body["event"]["message"]["conversation"] == "afterwards"
    })
    .await;
    let deliveries = bed.sandbox.receiver().deliveries();
    assert_eq!(deliveries.iter().filter(|d| waited(d)).count(), 1);
    assert_eq!(bed.shown(CUSTOMER, "queued"), 1);
}

async fn time_alone_ends_it(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let free = bed.create(&bed.a, json!({"name": "Never paired"})).await;
    bed.clock.jump_secs(7 * DAY - 600);
    bed.log_in().await;
    assert_eq!(companion_online(bed), Some(true), "not before its time");
    bed.clock.jump_secs(600);
    wait_unpaid(bed, &made).await;
    // One that has no connection has nothing to close.
    let seen = bed.look(&bed.a, &free).await;
    assert_eq!(
        (&seen["billing_status"], &seen["status_reason"]),
        (&json!("UNPAID"), &Value::Null)
    );
    grant(bed, &made, 1).await.expect("granted");
    bed.wait_state(&bed.a, &made, "connected").await;
}
