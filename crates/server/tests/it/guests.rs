//! Sessions that belong to no shop: what they may do, how a shop claims one, how they end.

use recado_model::EventKind;
use serde_json::{Value, json};

use crate::gateway::{DirectSession, rows_naming};
use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, SHOP, SHOP_TOO, until, verify_delivery},
};

on_both! {
    a_guest_is_claimed_and_sends, left_alone_it_is_wiped, a_restart_loses_neither,
    a_claim_that_fails_leaves_the_guest_whole, of_a_claim_and_the_end_one_wins,
    one_of_many_claims_wins, an_unpaired_session_is_claimed_too,
    what_another_node_holds_is_left_to_it,
}

mod off {
    use super::no_guest_without_a_shop;
    on_both! { with = "direct.guests = \"off\"\n"; no_guest_without_a_shop }
}

mod full {
    use super::a_guest_of_a_private_network_does_all;
    on_both! { with = "direct.guests = \"full\"\n"; a_guest_of_a_private_network_does_all }
}

mod caps {
    use super::{all_networks_together_are_capped, each_network_is_capped};
    on_both! {
        with = "trusted_proxies = [\"127.0.0.0/8\"]\ndirect.max_guests = 8\n";
        each_network_is_capped, all_networks_together_are_capped
    }
}

const FOREIGN: &str = r#"{"error":"Session does not belong to your shop"}"#;
const MINUTE: i64 = 60;

/// The life that the design promises, in one story.
async fn a_guest_is_claimed_and_sends(bed: &mut Bed) {
    let guest = bed.guest().await;
    // The code is for whoever asked, and for no cache.
    for format in ["", "?format=png", "?format=svg", "?format=text"] {
        let qr = bed.get(&guest.path(&format!("/qr{format}"))).send().await;
        assert_eq!(qr.clone().expect(200).header("cache-control"), "no-store");
    }
    bed.link(&guest, SHOP).await;
    let shown = bed.get(&guest.path("/qr")).send().await.ok();
    assert_eq!(
        (&shown["qr"], &shown["status"]),
        (&Value::Null, &json!("connected"))
    );
    let own = bed.session(&guest).await.ok();
    assert_eq!(
        (&own["phone"], &own["label"]),
        (&json!(SHOP), &json!("Guest"))
    );

    let refused = bed.direct_send(&guest, "spam").await.expect(403);
    let words = refused.json()["error"].as_str().expect("words").to_owned();
    assert!(
        words.contains("guest") && words.contains("/claim"),
        "{words}"
    );
    the_key_opens_nothing_else(bed, &guest).await;

    // What is said to a guest is not kept, in whatever form.
    bed.says(SHOP, "said before the claim").await;
    let [account] = &bed.guest_accounts().await[..] else {
        panic!("one guest");
    };
    assert!(!bed.holds("said before the claim").await);
    let mut conn = bed.read().await;
    let mut store = conn.account(account);
    let kept = store.event_count(&guest.id, EventKind::Message);
    assert_eq!(kept.await.expect("counts"), 0);
    drop(conn);
    let device = bed.gateway().store.device(account, &guest.id);
    assert!(
        device.count("session").await.expect("counts") > 0,
        "it was decrypted"
    );
    assert_eq!(device.count("pending").await.expect("counts"), 0);

    // Both credentials are needed, and they must hold.
    let path = guest.path("/claim");
    let alone = bed.post(&path).bearer(&bed.a.api_token).send().await;
    assert_eq!(alone.status, 401, "{alone:?}");
    let alone = bed.as_session("POST", &guest, "/claim").send().await;
    assert_eq!(alone.status, 401, "{alone:?}");
    let jwt = bed.as_session("POST", &guest, "/claim").bearer(&bed.a.jwt);
    assert_eq!(jwt.send().await.status, 401);

    let answer = bed.claim(&bed.a, &guest).send().await.ok();
    let shops = DirectSession::of(&answer);
    assert_eq!(
        answer,
        json!({
            "id": guest.id, "key": shops.key, "apiKey": shops.api_key, "status": "connected",
            "claimed": true, "label": "Guest", "phone": SHOP, "history": "not_kept",
        })
    );
    assert!(shops.key.starts_with("qr_") && shops.key != guest.key);
    assert!(shops.api_key.starts_with("sk_") && shops.api_key != guest.api_key);
    // The old ones are dead on the very next request.
    let old = bed.session(&guest).await.expect(401);
    assert_eq!(old.text(), r#"{"error":"API key invalida"}"#);
    bed.get(&guest.path("/qr")).send().await.expect(404);
    let crossed = bed.get(&guest.path("")).header("x-api-key", &shops.api_key);
    assert_eq!(crossed.send().await.expect(401).text(), FOREIGN);

    bed.connected(&shops).await;
    let sent = bed.direct_send(&shops, "from the shop now").await.ok();
    assert_eq!(sent["status"], "queued");
    bed.wait_shown(CUSTOMER, "from the shop now").await;
    assert_eq!(bed.shown(CUSTOMER, "spam"), 0);
    let linked = bed
        .sandbox
        .network()
        .phone(SHOP)
        .expect("a phone")
        .companions;
    assert_eq!(linked.len(), 1, "the same link");
    // What comes now is kept: the search finds what there is.
    bed.says(SHOP, "said after the claim").await;
    assert!(bed.holds("said after the claim").await);
    assert!(!bed.holds("said before the claim").await);

    // It is one of the shop's instances like any other, and nobody else's.
    let seen = bed.get(&format!("/instances/{}", guest.id));
    let seen = seen.bearer(&bed.a.jwt).send().await.ok();
    assert!(
        seen["token"]
            .as_str()
            .expect("a token")
            .starts_with("inst_")
    );
    let foreign = bed.get(&format!("/instances/{}", guest.id));
    foreign.bearer(&bed.b.jwt).send().await.expect(403);
    assert!(bed.guest_accounts().await.is_empty());
    let mut conn = bed.read().await;
    let mut store = conn.account(&bed.a.id);
    let rows = store.audit_page(50, None, Some("session.claimed"));
    let rows = rows.await.expect("lists");
    let detail: Value = serde_json::from_str(&rows[0].detail).expect("JSON");
    assert_eq!(
        (
            rows.len(),
            &detail["instance"],
            &detail["messages_not_kept"]
        ),
        (1, &json!(guest.id), &json!(1))
    );
    drop(conn);

    // Its own session a shop need not claim; another's it cannot.
    let again = bed.claim(&bed.a, &shops).send().await.expect(409);
    assert!(again.text().contains("already"), "{again:?}");
    let theirs = bed.claim(&bed.b, &shops).send().await.expect(401);
    assert_eq!(theirs.text(), FOREIGN);
    // An hour later it is still there.
    bed.clock.jump_secs(61 * MINUTE);
    bed.direct_send(&shops, "an hour later").await.ok();
    bed.wait_shown(CUSTOMER, "an hour later").await;
}

/// A guest's key is worth nothing but a look at its own session.
async fn the_key_opens_nothing_else(bed: &Bed, guest: &DirectSession) {
    let key = &guest.api_key;
    let own = format!("/instances/{}", guest.id);
    for (method, path) in [
        ("POST", "/instances/list".to_owned()),
        ("PUT", "/instances/create".to_owned()),
        ("GET", own.clone()),
        ("DELETE", own.clone()),
        ("GET", format!("{own}/session/qr")),
        ("POST", format!("{own}/chat/send/text")),
        ("POST", format!("{own}/webhook")),
    ] {
        let as_key = bed.call(method, &path).header("x-api-key", key);
        assert_eq!(
            as_key.json(json!({})).send().await.status,
            400,
            "{method} {path}"
        );
        let as_bearer = bed.call(method, &path).bearer(key);
        assert_eq!(
            as_bearer.json(json!({})).send().await.status,
            401,
            "{method} {path}"
        );
        let pair = [("x-client-token", key.as_str()), ("x-instance-token", key)];
        let as_pair = bed.call(method, &path).headers(pair);
        assert_eq!(
            as_pair.json(json!({})).send().await.status,
            401,
            "{method} {path}"
        );
    }
    let list = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let mcp = bed.post("/api/mcp/").bearer(key).json(list).send().await;
    assert_eq!(mcp.status, 401, "{mcp:?}");
    let token = json!({"client_token": key, "client_secret": key});
    let token = bed.post("/token").json(token).send().await;
    assert_eq!(token.status, 401, "{token:?}");
    // Another session's name leads a guest nowhere: the same bytes whether it exists or not.
    let create = bed.post("/sessions").bearer(&bed.b.api_token);
    let theirs = DirectSession::of(&create.json(json!({})).send().await.ok());
    for name in [&theirs.key, theirs.id.as_str(), "qr_nothing", "RCNOTHING"] {
        for (method, below) in [("GET", ""), ("POST", "/messages"), ("POST", "/claim")] {
            let mut call = bed.call(method, &format!("/sessions/{name}{below}"));
            call = call.header("x-api-key", key);
            if below == "/claim" {
                call = call.bearer(&bed.a.api_token);
            }
            let refused = call.json(json!({})).send().await.expect(401);
            assert_eq!(refused.text(), FOREIGN, "{method} {name}{below}");
        }
    }
}

async fn left_alone_it_is_wiped(bed: &mut Bed) {
    // The paired one outlives the unpaired one.
    let paired = bed.paired_guest(SHOP).await;
    let unpaired = bed.guest().await;
    let accounts = bed.guest_accounts().await;
    assert_eq!(accounts.len(), 2);
    bed.get(&unpaired.path("/qr")).send().await.expect(200);
    bed.clock.jump_secs(9 * MINUTE);
    bed.session(&unpaired).await.ok();
    bed.clock.jump_secs(2 * MINUTE);
    until("the unpaired one to be gone", async || {
        (bed.guest_accounts().await.len() == 1).then_some(())
    })
    .await;
    bed.session(&unpaired).await.expect(401);
    bed.get(&unpaired.path("/qr")).send().await.expect(404);
    assert!(!bed.holds(unpaired.id.as_str()).await || bed.database().is_sqlite());
    bed.session(&paired).await.ok();
    assert_eq!(
        bed.sandbox
            .network()
            .phone(SHOP)
            .expect("a phone")
            .companions
            .len(),
        1
    );

    bed.clock.jump_secs(50 * MINUTE);
    bed.no_longer_linked(SHOP).await;
    bed.wait_for_no_guest().await;
    for session in [&paired, &unpaired] {
        let dead = bed.session(session).await.expect(401);
        assert_eq!(dead.text(), r#"{"error":"API key invalida"}"#);
        bed.get(&session.path("/qr")).send().await.expect(404);
        let late = bed.claim(&bed.a, session).send().await;
        assert_eq!(late.status, 401, "{late:?}");
        // Pages of SQLite keep what was deleted until they are used again; its rows are what counts.
        let left = rows_naming(bed, session, &accounts).await;
        assert!(left.is_empty(), "these still name an ended guest: {left:?}");
    }
}

async fn a_restart_loses_neither(bed: &mut Bed) {
    let (first, second) = (
        bed.paired_guest(SHOP).await,
        bed.paired_guest(SHOP_TOO).await,
    );
    bed.restart().await;
    bed.connected(&first).await;
    // Also of one that has come back nothing is kept.
    bed.says(SHOP, "said to a guest again").await;
    assert!(!bed.holds("said to a guest again").await);
    let shops = bed.claimed(&bed.a, &first).await;
    bed.restart().await;
    bed.connected(&shops).await;
    bed.session(&first).await.expect(401);
    bed.direct_send(&shops, "after two restarts").await.ok();
    bed.wait_shown(CUSTOMER, "after two restarts").await;
    // The other one's time ends while nobody is there to see it.
    bed.stop().await;
    bed.clock.jump_secs(2 * 60 * MINUTE);
    bed.restart().await;
    // The first look at who has ended comes before all links are back.
    bed.clock.jump_secs(16);
    bed.no_longer_linked(SHOP_TOO).await;
    bed.wait_for_no_guest().await;
    bed.session(&second).await.expect(401);
    bed.connected(&shops).await;
}

async fn a_claim_that_fails_leaves_the_guest_whole(bed: &mut Bed) {
    let guest = bed.paired_guest(SHOP).await;
    bed.raw(
        "CREATE TRIGGER no_claim BEFORE INSERT ON audit WHEN NEW.kind = 'session.claimed' BEGIN SELECT RAISE(ABORT, 'no'); END",
        "ALTER TABLE audit ADD CONSTRAINT no_claim CHECK (kind <> 'session.claimed')",
    )
    .await;
    let failed = bed.claim(&bed.a, &guest).send().await;
    assert_eq!(failed.status, 500, "{failed:?}");
    // The guest's it is, link and all.
    bed.connected(&guest).await;
    bed.says(SHOP, "to whom?").await;
    assert!(!bed.holds("to whom?").await);
    assert_eq!(bed.guest_accounts().await.len(), 1);
    let list = bed.post("/instances/list").bearer(&bed.a.jwt);
    let list = list.json(json!({})).send().await.ok();
    assert!(!list.to_string().contains(guest.id.as_str()), "{list}");

    bed.raw(
        "DROP TRIGGER no_claim",
        "ALTER TABLE audit DROP CONSTRAINT no_claim",
    )
    .await;
    let shops = bed.claimed(&bed.a, &guest).await;
    bed.connected(&shops).await;
    bed.direct_send(&shops, "at the second try").await.ok();
    bed.wait_shown(CUSTOMER, "at the second try").await;
}

async fn of_a_claim_and_the_end_one_wins(bed: &mut Bed) {
    for round in 0..6 {
        let guest = bed.guest().await;
        bed.clock.jump_secs(9 * MINUTE);
        let claim = bed.claim(&bed.a, &guest).send();
        let end = async {
            // Sometimes the one is a little ahead, sometimes the other.
            tokio::time::sleep(std::time::Duration::from_millis(round * 2)).await;
            bed.clock.jump_secs(MINUTE + 1);
        };
        let (answer, ()) = tokio::join!(claim, end);
        until("the guest to be gone, one way or the other", async || {
            // A look that came too early is followed by another.
            bed.clock.jump_secs(16);
            bed.guest_accounts().await.is_empty().then_some(())
        })
        .await;
        bed.session(&guest).await.expect(401);
        match answer.status {
            200 => drop(bed.session(&DirectSession::of(&answer.json())).await.ok()),
            _ => {
                // Too late in time, or its key was dead already.
                let words = [FOREIGN, r#"{"error":"API key invalida"}"#];
                assert!(words.contains(&answer.expect(401).text().as_str()));
                assert!(rows_naming(bed, &guest, &[]).await.is_empty());
            }
        }
    }
}

async fn one_of_many_claims_wins(bed: &mut Bed) {
    let guest = bed.paired_guest(SHOP).await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..6 {
        let shop = if n % 2 == 0 { &bed.a } else { &bed.b };
        calls.spawn(bed.claim(shop, &guest).send());
    }
    let mut winners = Vec::new();
    while let Some(answer) = calls.join_next().await {
        let answer = answer.expect("an answer");
        match answer.status {
            200 => winners.push(DirectSession::of(&answer.json())),
            401 | 409 => {}
            _ => panic!("{answer:?}"),
        }
    }
    let [winner] = &winners[..] else {
        panic!("{} claims won", winners.len());
    };
    bed.connected(winner).await;
    bed.direct_send(winner, "one shop's").await.ok();
    bed.wait_shown(CUSTOMER, "one shop's").await;
}

async fn an_unpaired_session_is_claimed_too(bed: &mut Bed) {
    let guest = bed.guest().await;
    bed.get(&guest.path("/qr")).send().await.expect(200);
    let answer = bed.claim(&bed.a, &guest).send().await.ok();
    assert_eq!(
        (&answer["status"], &answer["phone"]),
        (&json!("disconnected"), &Value::Null)
    );
    let shops = DirectSession::of(&answer);
    bed.link(&shops, SHOP).await;
    bed.direct_send(&shops, "linked by the shop").await.ok();
    bed.wait_shown(CUSTOMER, "linked by the shop").await;
}

/// Only the node with the link can close it, or log it out at WhatsApp.
async fn what_another_node_holds_is_left_to_it(bed: &mut Bed) {
    const HELD: &str = "UPDATE instance SET lease_owner = 'elsewhere', lease_until = 9999999999999 WHERE name = 'Guest'";
    const FREE: &str = "UPDATE instance SET lease_until = 1 WHERE lease_owner = 'elsewhere'";
    let guest = bed.guest().await;
    bed.raw(HELD, HELD).await;
    let refused = bed.claim(&bed.a, &guest).send().await.expect(503);
    assert_eq!(refused.header("retry-after"), "5");
    assert!(refused.text().contains("Another node"), "{refused:?}");
    bed.session(&guest).await.ok();
    bed.raw(FREE, FREE).await;
    bed.claimed(&bed.a, &guest).await;

    bed.guest().await;
    bed.raw(HELD, HELD).await;
    let [held] = &bed.guest_accounts().await[..] else {
        panic!("one guest");
    };
    // Twice, so that a look that saw both was over before the next.
    for _ in 0..2 {
        bed.guest().await;
        bed.clock.jump_secs(11 * MINUTE);
        until("the free one to be gone", async || {
            bed.clock.jump_secs(16);
            (bed.guest_accounts().await.len() == 1).then_some(())
        })
        .await;
        assert_eq!(bed.guest_accounts().await, std::slice::from_ref(held));
    }
    bed.raw(FREE, FREE).await;
    bed.clock.jump_secs(16);
    bed.wait_for_no_guest().await;
}

async fn no_guest_without_a_shop(bed: &mut Bed) {
    let refused = bed.post("/sessions").json(json!({})).send().await;
    let refused = refused.expect(403);
    assert!(refused.text().contains("wz_"), "{refused:?}");
    assert!(bed.guest_accounts().await.is_empty());
    let create = bed.post("/sessions").bearer(&bed.a.api_token);
    assert_eq!(create.json(json!({})).send().await.ok()["claimed"], true);
}

async fn a_guest_of_a_private_network_does_all(bed: &mut Bed) {
    let hook = json!({"label": "Full", "webhook": bed.sandbox.receiver_url()});
    let guest = DirectSession::of(&bed.post("/sessions").json(hook).send().await.ok());
    bed.link(&guest, SHOP).await;
    bed.direct_send(&guest, "a guest sends").await.ok();
    bed.wait_shown(CUSTOMER, "a guest sends").await;
    bed.says(SHOP, "kept for the guest").await;
    let is = |text: &'static str| {
        move |delivery: &recado_sandbox::Delivery| {
            delivery.raw.contains(text) && delivery.raw.contains("\"is_from_me\":false")
        }
    };
    let early = bed
        .delivered("the guest's message", is("kept for the guest"))
        .await;
    // All of it moves: what was kept, the webhook, and the secret that signed before.
    let shops = bed.claimed(&bed.a, &guest).await;
    assert!(bed.holds("kept for the guest").await);
    bed.says(SHOP, "kept for the shop").await;
    let late = bed
        .delivered("the shop's message", is("kept for the shop"))
        .await;
    let hook = json!({"webhookURL": bed.sandbox.receiver_url()});
    let hook_path = format!("/instances/{}/webhook", guest.id);
    let set = bed.post(&hook_path).bearer(&bed.a.jwt).json(hook);
    let set = set.send().await.ok();
    let secret = set["data"]["signing_secret"].as_str().expect("a secret");
    for delivery in [&early, &late] {
        verify_delivery(secret, delivery);
    }
    bed.direct_send(&shops, "the shop sends").await.ok();
    bed.wait_shown(CUSTOMER, "the shop sends").await;
    // Unclaimed it ends like any other.
    let other = bed.paired_guest(SHOP_TOO).await;
    bed.clock.jump_secs(61 * MINUTE);
    bed.no_longer_linked(SHOP_TOO).await;
    bed.wait_for_no_guest().await;
    bed.session(&other).await.expect(401);
}

async fn open_from(bed: &Bed, address: &str) -> Answer {
    let call = bed.post("/sessions").header("x-forwarded-for", address);
    call.json(json!({})).send().await
}

async fn each_network_is_capped(bed: &mut Bed) {
    let first = DirectSession::of(&open_from(bed, "203.0.113.9").await.ok());
    for _ in 0..4 {
        open_from(bed, "203.0.113.9").await.ok();
    }
    let full = open_from(bed, "203.0.113.9").await.expect(429);
    let wait: i64 = full.header("retry-after").parse().expect("seconds");
    assert!((1..=600).contains(&wait), "{full:?}");
    // IPv4 written as IPv6 is no way around, a neighbour is no hindrance.
    open_from(bed, "::ffff:203.0.113.9").await.expect(429);
    open_from(bed, "203.0.113.10").await.ok();
    // A shop is no guest.
    let call = bed.post("/sessions").bearer(&bed.a.api_token);
    let call = call.header("x-forwarded-for", "203.0.113.9");
    call.json(json!({})).send().await.ok();
    // Claiming one makes room, and so does the end of the time that was announced.
    bed.claimed(&bed.a, &first).await;
    open_from(bed, "203.0.113.9").await.ok();
    open_from(bed, "203.0.113.9").await.expect(429);
    bed.clock.jump_secs(wait);
    until("room again", async || {
        (open_from(bed, "203.0.113.9").await.status == 200).then_some(())
    })
    .await;
}

async fn all_networks_together_are_capped(bed: &mut Bed) {
    for n in 0..5 {
        let address = format!("2001:db8:0:1:{n}::1");
        open_from(bed, &address).await.ok();
    }
    // One customer of an IPv6 provider is one network.
    open_from(bed, "2001:db8:0:1:ffff::1").await.expect(429);
    for n in 2..5 {
        let address = format!("2001:db8:0:{n}::1");
        open_from(bed, &address).await.ok();
    }
    let full = open_from(bed, "2001:db8:0:9::1").await.expect(429);
    assert!(!full.header("retry-after").is_empty(), "{full:?}");
}
