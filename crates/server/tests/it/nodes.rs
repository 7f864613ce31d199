//! Two nodes on one PostgreSQL: each instance is led by one of them, and whoever lost it writes nothing of it.

use recado::lifecycle::Gateway;
use recado_model::{ConnectionState, Instance};
use serde_json::json;

use crate::gateway::{Bed, CUSTOMER, Left, Made, SHOP, until};

async fn bed() -> Bed {
    Bed::postgres("").await
}

async fn row(bed: &Bed, made: &Made) -> Instance {
    let store = bed.gateway().store.clone();
    instance(&store, bed, made).await
}

async fn instance(store: &recado_store::Store, bed: &Bed, made: &Made) -> Instance {
    let mut conn = store.read().await.expect("a connection");
    let found = conn.account(&bed.a.id).instance(&made.instance()).await;
    found.expect("a look").expect("an instance")
}

async fn led_by(store: &recado_store::Store, node: &str, made: &Made) -> bool {
    let mut conn = store.read().await.expect("a connection");
    let held = conn.system().held(node).await.expect("a look");
    held.contains(&made.instance())
}

/// Another node that leads the instance: for it the lease is over, as it is when the first one was suspended.
async fn taken_over(bed: &Bed, made: &Made) -> Gateway {
    let (other, clock) = bed.another_node("it-2").await;
    clock.jump_secs(600);
    until("the other node to take over", async || {
        let row = row(bed, made).await;
        let led = led_by(&other.store, "it-2", made).await;
        (led && row.state == ConnectionState::Connected).then_some(())
    })
    .await;
    other
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_ends_hands_over() {
    let mut bed = bed().await;
    // Both nodes may have ended before the acknowledgement came.
    bed.leaves(Left::Jobs);
    let made = bed.paired(&bed.a, SHOP).await;
    let (other, _clock) = bed.another_node("it-2").await;
    assert!(led_by(&other.store, "it", &made).await);
    // What is accepted and not sent goes with it.
    let later = json!({"phone": CUSTOMER, "message": "for the other", "delay": 1500});
    bed.send(&bed.a, &made, later).await.expect(200);
    bed.stop().await;
    until("the other node to lead", async || {
        let row = instance(&other.store, &bed, &made).await;
        let led = led_by(&other.store, "it-2", &made).await;
        (led && row.state == ConnectionState::Connected).then_some(())
    })
    .await;
    bed.wait_shown(CUSTOMER, "for the other").await;
    assert_eq!(bed.shown(CUSTOMER, "for the other"), 1);
    other.stop().await.expect("stops");
    bed.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_lost_its_lease_writes_nothing_over_the_winner() {
    let bed = bed().await;
    let made = bed.paired(&bed.a, SHOP).await;
    let other = taken_over(&bed, &made).await;
    // WhatsApp has ended the first one's socket by now; what this one makes of it stays with it.
    let text = json!({"phone": CUSTOMER, "message": "by the winner"});
    bed.send(&bed.a, &made, text).await.expect(200);
    bed.wait_shown(CUSTOMER, "by the winner").await;
    let row = row(&bed, &made).await;
    assert_eq!((row.state, row.reason), (ConnectionState::Connected, None));
    assert!(led_by(&other.store, "it-2", &made).await);
    assert_eq!(bed.shown(CUSTOMER, "by the winner"), 1);
    other.stop().await.expect("stops");
    bed.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_any_node_accepts_the_leading_one_sends() {
    let bed = bed().await;
    let made = bed.paired(&bed.a, SHOP).await;
    let other = taken_over(&bed, &made).await;
    // All calls reach the first node. Nothing but the message itself tells the leading one of it: what
    // it looked for when it came online is over once the first one is sent.
    for text in ["one", "two", "three"] {
        let body = json!({"phone": CUSTOMER, "message": text});
        let sent = bed.send(&bed.a, &made, body).await.ok();
        let id = sent["data"]["message_id"]
            .as_str()
            .expect("an id")
            .to_owned();
        bed.wait_shown(CUSTOMER, text).await;
        bed.wait_status(&made, &id, &["sent", "delivered", "read"])
            .await;
    }
    other.stop().await.expect("stops");
    bed.close().await;
}

/// What needs the link of an instance is refused by a node that does not have it, with what to do, and
/// nothing of the instance changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_needs_the_link_of_another_node_is_refused() {
    let bed = bed().await;
    let made = bed.paired(&bed.a, SHOP).await;
    let fresh = bed.create(&bed.a, json!({"name": "Not linked"})).await;
    let other = taken_over(&bed, &made).await;
    // The new one is being linked at the other node.
    let for_ever = recado_model::Timestamp(i64::MAX);
    let mut conn = bed.write().await;
    let mut system = conn.system();
    let id = fresh.instance();
    let led = system.lease_instance(&id, "it-2", for_ever, recado_model::Timestamp(1));
    assert!(led.await.expect("a lease").is_some());
    conn.commit().await.expect("a commit");
    let code = format!("/session/paircode/{CUSTOMER}");
    for (method, made, path) in [
        ("POST", &made, "/session/disconnect"),
        ("POST", &made, "/chat/presence"),
        ("DELETE", &made, ""),
        ("GET", &fresh, "/session/qr"),
        ("GET", &fresh, code.as_str()),
        ("DELETE", &fresh, ""),
    ] {
        let call = bed.call(method, &made.path(path)).bearer(&bed.a.jwt);
        // What one of them asks for; the others do not look at it.
        let typing = json!({"phone": CUSTOMER, "state": "composing"});
        let answer = call.json(typing).send().await;
        assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
        let body = answer.refused(503, "unavailable");
        let text = body["error"].as_str().expect("a text");
        assert!(
            text.contains("another node") || text.contains("Another node"),
            "{text}"
        );
    }
    let kept = row(&bed, &made).await;
    assert!(kept.paired && kept.wanted);
    // The clock of the other one has jumped, which may cost it a connection for a moment.
    until("the other node's link", async || {
        let row = row(&bed, &made).await;
        (row.state == ConnectionState::Connected).then_some(())
    })
    .await;
    // Whoever only looks, or sends, is served by any node.
    let qr = bed.get(&made.path("/session/status")).bearer(&bed.a.jwt);
    assert_eq!(qr.send().await.ok()["data"]["connected"], true);
    let text = json!({"phone": CUSTOMER, "message": "by the winner"});
    bed.send(&bed.a, &made, text).await.expect(200);
    bed.wait_shown(CUSTOMER, "by the winner").await;
    other.stop().await.expect("stops");
    bed.close().await;
}
