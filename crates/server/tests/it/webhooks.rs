//! Deliveries: tried again, signed anew, guarded, subscribed to, one transaction with their event.

use recado_model::{
    Event, EventId, EventKind, Timestamp,
    clock::{Clock as _, OsRng},
};
use recado_store::deliveries::DeliveryRow;
use serde_json::{Value, json};

use crate::{
    gateway::{Bed, CUSTOMER, Left, Made, SHOP, Shop, until, verify},
    hook::{Hook, header},
};

on_both! {
    five_hundred_then_success,
    the_receiver_says_when,
    gone_means_gone,
    it_gives_up_in_the_end,
    only_what_was_subscribed,
    event_and_deliveries_are_one_transaction,
    a_restart_loses_nothing,
    changing_the_address_keeps_the_secret,
}

mod steps;

mod guarded {
    on_both!(with = "egress.allow = []\n"; private_addresses_are_refused);

    use super::*;

    async fn private_addresses_are_refused(bed: &mut Bed) {
        bed.leaves(Left::Deliveries);
        super::private_addresses_are_refused(bed).await;
    }
}

/// An event of the instance with its deliveries, committed as the program does.
async fn happen(bed: &Bed, shop: &Shop, made: &Made, kind: EventKind) -> EventId {
    let event = event(bed, shop, made, kind);
    let mut conn = bed.write().await;
    conn.account(&shop.id)
        .append(&event)
        .await
        .expect("appended");
    conn.commit().await.expect("commit");
    // Nobody rang the worker's bell: over its nap.
    bed.clock.jump_ms(5_001);
    event.id
}

fn event(bed: &Bed, shop: &Shop, made: &Made, kind: EventKind) -> Event {
    Event {
        id: EventId::random(&OsRng),
        account: shop.id.clone(),
        instance: made.instance(),
        kind,
        payload: json!({"type": kind.as_str(), "instance_id": made.id, "event": {"n": 1}}),
        created_at: bed.clock.now(),
    }
}

async fn rows(bed: &Bed, shop: &Shop, made: &Made) -> Vec<DeliveryRow> {
    let mut conn = bed.read().await;
    let page = conn
        .account(&shop.id)
        .deliveries(&made.instance(), None, 1, 100)
        .await;
    page.expect("deliveries").items
}

/// The only delivery, once its outcome of attempt `attempts` is stored.
async fn after(bed: &Bed, made: &Made, attempts: u32) -> DeliveryRow {
    until(&format!("attempt {attempts}"), async || {
        let row = rows(bed, &bed.a, made).await.into_iter().next()?;
        assert!(row.attempts <= attempts, "tried too often: {row:?}");
        (row.attempts == attempts).then_some(row)
    })
    .await
}

async fn five_hundred_then_success(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    let receiver = bed.sandbox.receiver();
    receiver.set_mode(recado_sandbox::Mode {
        status: 500,
        delay_ms: 0,
    });
    let secret = bed.subscribe(&bed.a, &made, json!("All")).await;
    let id = happen(bed, &bed.a, &made, EventKind::Message).await;
    // The schedule of Standard Webhooks, with up to a fifth of jitter.
    for (attempt, wait) in [(1, 5), (2, 300), (3, 1_800)] {
        let started = bed.clock.now();
        let row = after(bed, &made, attempt).await;
        assert_eq!(
            (row.state.as_str(), row.last_status),
            ("pending", Some(500))
        );
        let pause = row.next_at.since(started);
        assert!(
            (wait * 1_000..=wait * 1_200 + 30_000).contains(&pause),
            "{attempt}: {pause} ms"
        );
        assert_eq!(
            receiver.deliveries().len(),
            attempt as usize,
            "not before its time"
        );
        if attempt == 3 {
            receiver.set_mode(recado_sandbox::Mode::default());
        }
        bed.clock.jump_ms(row.next_at.since(bed.clock.now()) + 1);
    }
    let row = after(bed, &made, 4).await;
    assert_eq!(
        (row.state.as_str(), row.last_status),
        ("delivered", Some(200))
    );
    let all = receiver.deliveries();
    assert_eq!(all.len(), 4);
    let mut stamps = Vec::new();
    for delivery in &all {
        assert_eq!(
            delivery.headers["webhook-id"],
            id.as_str(),
            "the same on each attempt"
        );
        assert_eq!(delivery.headers["content-type"], "application/json");
        assert_eq!(delivery.raw, all[0].raw);
        crate::gateway::verify_delivery(&secret, delivery);
        stamps.push(
            delivery.headers["webhook-timestamp"]
                .parse::<i64>()
                .expect("seconds"),
        );
    }
    assert!(
        stamps.is_sorted() && stamps[3] - stamps[0] >= 2_105,
        "signed at its time: {stamps:?}"
    );
}

async fn the_receiver_says_when(bed: &mut Bed) {
    let (hook, url) =
        Hook::start(&[(503, Some("120")), (429, Some("1")), (503, Some("soon"))]).await;
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    let secret = bed.subscribe_at(&bed.a, &made, &url, json!("All")).await;
    happen(bed, &bed.a, &made, EventKind::Message).await;
    // A longer wish than ours is honoured; a shorter or an unreadable one changes nothing.
    for (attempt, least) in [(1, 120), (2, 300), (3, 1_800)] {
        let row = after(bed, &made, attempt).await;
        let pause = row.next_at.since(bed.clock.now());
        assert!(
            (least * 1_000 - 30_000..=least * 1_200).contains(&pause),
            "{attempt}: {pause} ms"
        );
        bed.clock.jump_ms(pause + 1);
    }
    assert_eq!(after(bed, &made, 4).await.state.as_str(), "delivered");
    let got = hook.got();
    assert_eq!(got.len(), 4);
    for one in &got {
        assert_eq!(header(one, "webhook-id"), header(&got[0], "webhook-id"));
        assert_eq!(header(one, "x-instance-id"), made.id);
        verify(&secret, |name| header(one, name), &one.1);
    }
}

async fn gone_means_gone(bed: &mut Bed) {
    let (hook, url) = Hook::start(&[(410, None)]).await;
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    bed.subscribe_at(&bed.a, &made, &url, json!("All")).await;
    happen(bed, &bed.a, &made, EventKind::Message).await;
    let row = after(bed, &made, 1).await;
    assert_eq!((row.state.as_str(), row.last_status), ("failed", Some(410)));
    bed.clock.jump_secs(4 * 86_400);
    // A later event shows that the worker has looked again.
    happen(bed, &bed.a, &made, EventKind::Connected).await;
    until("the later event", async || {
        (hook.got().len() == 2).then_some(())
    })
    .await;
    assert!(hook.got()[1].1.contains("Connected"));
    assert_eq!(
        hook.got()
            .iter()
            .filter(|one| one.1.contains("Message"))
            .count(),
        1
    );
}

async fn it_gives_up_in_the_end(bed: &mut Bed) {
    // A redirect is a failure, and nobody is asked where it leads.
    let (hook, url) = Hook::start(&[(302, None); 20]).await;
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    bed.subscribe_at(&bed.a, &made, &url, json!("All")).await;
    let started = bed.clock.now();
    happen(bed, &bed.a, &made, EventKind::Message).await;
    for attempt in 1..10 {
        let row = after(bed, &made, attempt).await;
        assert_eq!(row.state.as_str(), "pending");
        bed.clock.jump_ms(row.next_at.since(bed.clock.now()) + 1);
    }
    let row = after(bed, &made, 10).await;
    assert_eq!((row.state.as_str(), row.last_status), ("failed", Some(302)));
    let days = bed.clock.now().since(started) as f64 / 86_400_000.0;
    assert!((3.0..4.2).contains(&days), "about three days: {days}");
    assert_eq!(hook.got().len(), 10);
}

async fn only_what_was_subscribed(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let other = bed.create(&bed.b, json!({"name": "Other"})).await;
    bed.subscribe(&bed.a, &made, json!(["ReadReceipt"])).await;
    bed.subscribe(&bed.b, &other, json!("All")).await;
    bed.send(
        &bed.a,
        &made,
        json!({"phone": CUSTOMER, "message": "quiet"}),
    )
    .await
    .expect(200);
    bed.wait_shown(CUSTOMER, "quiet").await;
    bed.sandbox
        .network()
        .read(CUSTOMER, SHOP)
        .expect("it reads");
    bed.delivered("the read receipt", |d| d.body["state"] == "Read")
        .await;
    let kinds: Vec<_> = bed
        .sandbox
        .receiver()
        .deliveries()
        .iter()
        .map(|d| d.body["type"].clone())
        .collect();
    assert!(kinds.iter().all(|kind| kind == "ReadReceipt"), "{kinds:?}");
    assert!(
        rows(bed, &bed.b, &other).await.is_empty(),
        "another shop hears nothing"
    );
    // A string is a list; empty or left out, it stays.
    let set = |body: Value| {
        bed.post(&made.path("/webhook"))
            .bearer(&bed.a.jwt)
            .json(body)
    };
    let url = bed.sandbox.receiver_url();
    let changed = set(json!({"webhook_url": url, "events": "Message,Connected"}))
        .send()
        .await
        .ok();
    assert_eq!(changed["data"]["events"], "Message,Connected");
    let changed = set(json!({"webhook_url": url})).send().await.ok();
    assert_eq!(changed["data"]["events"], "Message,Connected");
    let changed = set(json!({"events": ["Disconnected"]})).send().await.ok();
    assert_eq!(
        (&changed["data"]["events"], &changed["data"]["webhook"]),
        (&json!("Disconnected"), &json!(url))
    );
}

async fn event_and_deliveries_are_one_transaction(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    let receiver = bed.sandbox.receiver();
    bed.subscribe(&bed.a, &made, json!("All")).await;
    // Rolled back: neither is there, and nothing goes out.
    let lost = event(bed, &bed.a, &made, EventKind::Message);
    let mut conn = bed.write().await;
    assert_eq!(
        conn.account(&bed.a.id)
            .append(&lost)
            .await
            .expect("appended"),
        1
    );
    drop(conn);
    assert!(rows(bed, &bed.a, &made).await.is_empty());
    let kept = happen(bed, &bed.a, &made, EventKind::Message).await;
    bed.delivered("the kept event", |d| {
        d.headers["webhook-id"] == kept.as_str()
    })
    .await;
    let mut conn = bed.read().await;
    let events = conn
        .account(&bed.a.id)
        .events(&made.instance(), None, 10)
        .await
        .expect("events");
    drop(conn);
    assert_eq!(events.iter().map(|e| &e.id).collect::<Vec<_>>(), [&kept]);
    assert_eq!(rows(bed, &bed.a, &made).await.len(), 1);
    assert!(
        receiver
            .deliveries()
            .iter()
            .all(|d| d.headers["webhook-id"] != lost.id.as_str())
    );
    // And through the real way in: as many deliveries as events, one each.
    bed.scan(&bed.a, &made, SHOP).await;
    for n in 0..20 {
        bed.sandbox
            .network()
            .send_text(CUSTOMER, SHOP, &format!("n {n}"))
            .expect("sent");
    }
    until("twenty messages and their deliveries", async || {
        let mut conn = bed.read().await;
        let mut account = conn.account(&bed.a.id);
        let events = account
            .events(&made.instance(), None, 1000)
            .await
            .expect("events");
        let page = account
            .deliveries(&made.instance(), None, 1, 1000)
            .await
            .expect("deliveries");
        drop(conn);
        let told = events
            .iter()
            .filter(|e| e.payload["event"]["message"]["conversation"].is_string())
            .count();
        assert!(told <= 20);
        let mut owed: Vec<_> = page.items.iter().map(|row| row.event.clone()).collect();
        let mut ids: Vec<_> = events.into_iter().map(|event| event.id).collect();
        owed.sort_by(|x, y| x.as_str().cmp(y.as_str()));
        ids.sort_by(|x, y| x.as_str().cmp(y.as_str()));
        // Two reads: something may come between them, but never an event without its delivery.
        assert!(
            ids.iter().all(|id| owed.contains(id)),
            "an event without its delivery"
        );
        (told == 20 && owed == ids).then_some(())
    })
    .await;
}

async fn a_restart_loses_nothing(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    let (hook, url) = Hook::start(&[(500, None)]).await;
    let secret = bed.subscribe_at(&bed.a, &made, &url, json!("All")).await;
    let id = happen(bed, &bed.a, &made, EventKind::Message).await;
    let row = after(bed, &made, 1).await;
    bed.stop().await;
    bed.clock.jump_ms(row.next_at.since(bed.clock.now()) + 1);
    bed.restart().await;
    assert_eq!(after(bed, &made, 2).await.state.as_str(), "delivered");
    let got = hook.got();
    assert_eq!(header(&got[1], "webhook-id"), id.as_str());
    verify(&secret, |name| header(&got[1], name), &got[1].1);
}

async fn changing_the_address_keeps_the_secret(bed: &mut Bed) {
    let made = bed
        .create(
            &bed.a,
            json!({"name": "Hooks", "webhook": bed.sandbox.receiver_url()}),
        )
        .await;
    let first = bed.subscribe(&bed.a, &made, json!("All")).await;
    let (hook, url) = Hook::start(&[]).await;
    let second = bed.subscribe_at(&bed.a, &made, &url, json!("All")).await;
    assert_eq!(first, second);
    happen(bed, &bed.a, &made, EventKind::Message).await;
    until("the delivery at its new address", async || {
        (hook.got().len() == 1).then_some(())
    })
    .await;
    verify(
        &first,
        |name| header(&hook.got()[0], name),
        &hook.got()[0].1,
    );
    assert!(bed.sandbox.receiver().deliveries().is_empty());
    let other = bed.create(&bed.a, json!({"name": "Other"})).await;
    assert_ne!(
        bed.subscribe(&bed.a, &other, json!("All")).await,
        first,
        "each webhook its own"
    );
}

async fn private_addresses_are_refused(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    let receiver = bed.sandbox.receiver_url();
    let port = receiver
        .rsplit(':')
        .next()
        .expect("a port")
        .trim_end_matches("/webhook");
    for host in [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "0x7f.1",
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
    ] {
        let url = format!("http://{host}:{port}/webhook");
        let set = bed
            .post(&made.path("/webhook"))
            .bearer(&bed.a.jwt)
            .json(json!({"webhookURL": url}));
        let refused = set.send().await.refused(400, "invalid_url");
        assert_eq!(refused["field"], "webhookURL");
        let create = bed
            .call("PUT", "/instances/create")
            .bearer(&bed.a.jwt)
            .json(json!({"name": "Hooks", "webhook": url}));
        let refused = create.send().await.refused(400, "invalid_url");
        assert_eq!(refused["field"], "webhook");
        let direct = bed
            .post("/sessions")
            .bearer(&bed.a.api_token)
            .json(json!({"webhook": url}));
        direct.send().await.expect(400);
    }
    // Stored while it was allowed, or by a name that leads home: refused again at delivery.
    let secret = recado_model::webhook::SigningSecret::random(&OsRng, |bytes| {
        base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes)
    });
    let mut conn = bed.write().await;
    let id = recado_model::WebhookId::random(&OsRng);
    let set = conn
        .account(&bed.a.id)
        .set_webhook(
            &id,
            &made.instance(),
            &receiver,
            None,
            &secret,
            Timestamp(1),
        )
        .await;
    set.expect("stored");
    conn.commit().await.expect("commit");
    happen(bed, &bed.a, &made, EventKind::Message).await;
    let row = after(bed, &made, 1).await;
    assert_eq!((row.state.as_str(), row.last_status), ("pending", None));
    let error = row.last_error.expect("a reason");
    assert!(
        error.contains("private network") && !error.contains("127.0.0.1"),
        "{error}"
    );
    assert!(
        bed.sandbox.receiver().deliveries().is_empty(),
        "it was never called"
    );
}
