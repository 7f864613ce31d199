//! The Direct API: a session of a shop, and what a guest may do.

use serde_json::{Value, json};

use crate::gateway::{Bed, CUSTOMER, PATIENCE, SHOP, SHOP_TOO, until};

on_both! { a_shops_session_pairs_and_sends, a_guest_pairs_and_no_more }

async fn a_shops_session_pairs_and_sends(bed: &mut Bed) {
    let health = bed.get("/health").send().await.ok();
    assert_eq!(
        (&health["status"], &health["network"]),
        (&json!("ok"), &json!("sandbox"))
    );
    let create = bed.post("/sessions").bearer(&bed.a.api_token);
    let created = create.json(json!({"label": "Direct"})).send().await.ok();
    assert_eq!(
        (&created["claimed"], &created["expiresAt"]),
        (&json!(true), &Value::Null)
    );
    let (key, api_key) = (
        created["key"].as_str().expect("a name"),
        created["apiKey"].as_str().expect("a key"),
    );
    assert!(key.starts_with("qr_") && api_key.starts_with("sk_"));
    let qr = bed.get(&format!("/sessions/{key}/qr")).send().await.ok();
    assert_eq!(qr["status"], "qr_pending");
    let scanned = bed
        .sandbox
        .network()
        .scan(SHOP_TOO, qr["qr"].as_str().expect("text"))
        .await;
    scanned.expect("the phone links it");
    let session = until("the session to be connected", async || {
        let seen = bed
            .get(&format!("/sessions/{key}"))
            .header("x-api-key", api_key)
            .send()
            .await
            .ok();
        (seen["status"] == "connected").then_some(seen)
    })
    .await;
    assert_eq!(
        (&session["phone"], &session["label"]),
        (&json!(SHOP_TOO), &json!("Direct"))
    );
    let send = bed
        .post(&format!("/sessions/{key}/messages"))
        .header("x-api-key", api_key);
    let sent = send
        .json(json!({"to": CUSTOMER, "text": "direct"}))
        .send()
        .await
        .ok();
    assert!(
        sent["messageId"].is_string() && sent["status"] == "queued",
        "{sent}"
    );
    bed.wait_shown(CUSTOMER, "direct").await;
    // A name alone does not show the paired session's phone.
    let qr = bed.get(&format!("/sessions/{key}/qr")).send().await.ok();
    assert_eq!(
        qr,
        json!({"status": "connected", "qr": null, "qrImage": null, "expiresIn": 0})
    );
}

async fn a_guest_pairs_and_no_more(bed: &mut Bed) {
    let created = bed.post("/sessions").json(json!({})).send().await.ok();
    assert_eq!(created["claimed"], false);
    assert!(created["expiresAt"].is_string());
    let (key, api_key) = (
        created["key"].as_str().expect("a name"),
        created["apiKey"].as_str().expect("a key"),
    );
    let hooked = bed
        .post("/sessions")
        .json(json!({"webhook": bed.sandbox.receiver_url()}))
        .send()
        .await;
    assert_eq!(hooked.status, 403, "{hooked:?}");
    let qr = bed.get(&format!("/sessions/{key}/qr")).send().await.ok();
    let scanned = bed
        .sandbox
        .network()
        .scan(SHOP, qr["qr"].as_str().expect("text"))
        .await;
    scanned.expect("the phone links it");
    let look = || {
        bed.get(&format!("/sessions/{key}"))
            .header("x-api-key", api_key)
    };
    until("the guest to be connected", async || {
        (look().send().await.ok()["status"] == "connected").then_some(())
    })
    .await;
    let send = bed
        .post(&format!("/sessions/{key}/messages"))
        .header("x-api-key", api_key);
    let refused = send
        .json(json!({"to": CUSTOMER, "text": "spam"}))
        .send()
        .await
        .expect(403);
    assert!(
        refused.json()["error"]
            .as_str()
            .expect("text")
            .contains("guest"),
        "{refused:?}"
    );
    // Nothing that is said to a guest is kept.
    bed.sandbox
        .network()
        .send_text(CUSTOMER, SHOP, "private")
        .expect("sent");
    // Paired and unclaimed it ends after an hour: logged out at the phone, its key dead.
    bed.clock.jump_secs(61 * 60);
    let lost = bed.sandbox.network().wait_for(PATIENCE, |network| {
        network
            .phone(SHOP)
            .ok()?
            .companions
            .is_empty()
            .then_some(())
    });
    lost.await.expect("the phone loses the link");
    until("the key to die", async || {
        (look().send().await.status == 401).then_some(())
    })
    .await;
    assert_eq!(bed.shown(CUSTOMER, "spam"), 0);
}
