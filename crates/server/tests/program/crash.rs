//! `kill -9` at any moment: no message is lost, and none is there twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, Row};

use crate::{
    network::{Network, Shop},
    support::{Home, text, wait_for},
};

const SHOP: &str = "5511999990001";
const ANA: &str = "5511999990002";

/// How often each message is a `Message` event in the database.
async fn events(home: &Home, instance: &str) -> BTreeMap<String, u32> {
    let mut conn = home.sqlite().await;
    let rows = sqlx::query("SELECT payload FROM event WHERE kind = 'Message' AND instance_id = $1")
        .bind(instance)
        .fetch_all(&mut conn)
        .await
        .expect("the events");
    conn.close().await.expect("a close");
    let mut counts = BTreeMap::new();
    for row in rows {
        let payload: Value = serde_json::from_str(row.get("payload")).expect("JSON");
        *counts.entry(text(&payload, "/event/info/id")).or_default() += 1;
    }
    counts
}

async fn pairings(home: &Home) -> i64 {
    let mut conn = home.sqlite().await;
    let count = sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE kind = 'instance.paired'")
        .fetch_one(&mut conn)
        .await
        .expect("a number");
    conn.close().await.expect("a close");
    count
}

async fn two_phones() -> (Network, Home, Value) {
    let network = Network::start().await;
    network.phone(ANA, "Ana").await;
    let home = Home::on(&network);
    let account = home.account("Shop", "owner@shop.example");
    (network, home, account)
}

/// When Ana sends.
#[derive(PartialEq)]
enum Sends {
    /// While the gateway is killed and comes back.
    Meanwhile,
    /// All of it before the gateway comes back for the first time: one backlog in large batches.
    Before,
}

/// Ana sends 200 messages; the gateway is killed each time the receiver has had `kills` of them.
async fn survives(sends: Sends, kills: &[usize]) {
    const COUNT: usize = 200;
    let (network, home, account) = two_phones().await;
    let mut gateway = home.serve().await;
    let shop = Shop::paired(&home, &network, &account, SHOP).await;
    let (jid, companions) = (
        shop.row().await["whatsapp_jid"].clone(),
        network.companions(SHOP).await,
    );
    assert!(jid.is_string());

    if sends == Sends::Before {
        gateway.kill();
    }
    let under_way = AtomicUsize::new(0);
    let sending = async {
        let mut sent = BTreeSet::new();
        for n in 0..COUNT {
            sent.insert(network.send(ANA, SHOP, &format!("message {n}")).await);
            under_way.store(n + 1, Ordering::Relaxed);
        }
        sent
    };
    let killing = async {
        if sends == Sends::Before {
            gateway = home.serve().await;
        }
        for &after in kills {
            wait_for("enough messages for a kill", async || {
                (network.delivered().await.len() >= after).then_some(())
            })
            .await;
            gateway.kill();
            let told = network.delivered().await.len();
            // For whoever looks at a failure: how much a kill caught in the air.
            eprintln!(
                "killed: {} sent, {told} told",
                under_way.load(Ordering::Relaxed)
            );
            gateway = home.serve().await;
        }
    };
    let sent = match sends {
        Sends::Meanwhile => tokio::join!(sending, killing).0,
        Sends::Before => {
            let sent = sending.await;
            killing.await;
            sent
        }
    };
    assert_eq!(sent.len(), COUNT);

    wait_for("all messages at the receiver", async || {
        let delivered = network.delivered().await;
        let missing = sent.difference(&delivered).count();
        (missing == 0).then_some(())
    })
    .await;
    // The last receipt of the queue settles before the end, so that a late duplicate would show.
    wait_for("the network's queue to be empty", async || {
        let waiting = network.companions(SHOP).await;
        waiting
            .as_array()?
            .iter()
            .all(|companion| companion["queued"] == 0)
            .then_some(())
    })
    .await;
    shop.online().await;
    assert_eq!(shop.row().await["whatsapp_jid"], jid);
    assert_eq!(
        network.companions(SHOP).await.as_array().map(Vec::len),
        companions.as_array().map(Vec::len),
        "no second device was linked"
    );
    gateway.signal(rustix::process::Signal::TERM);
    assert_eq!(gateway.ended(), Some(0));

    let events = events(&home, &shop.id).await;
    let twice: Vec<_> = events.iter().filter(|(_, count)| **count != 1).collect();
    assert!(twice.is_empty(), "more than one event: {twice:?}");
    let known: BTreeSet<String> = events.into_keys().collect();
    assert_eq!(known, sent, "the events are the messages that were sent");
    assert_eq!(pairings(&home).await, 1);
    assert!(!home.log().contains("panicked"), "{}", home.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_early_and_late() {
    survives(Sends::Meanwhile, &[20, 150]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_twice_in_a_row() {
    survives(Sends::Meanwhile, &[60, 61]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_backlog() {
    survives(Sends::Before, &[1, 30, 90]).await;
}

/// Twenty accepted messages; the gateway is killed when Ana's phone shows `shown` of them.
async fn sends_once(shown: usize) {
    const COUNT: usize = 20;
    let (network, mut home, account) = two_phones().await;
    // Slow enough that the kill falls between the sends.
    home.set("SEND__MIN_INTERVAL_MS", "30");
    let mut gateway = home.serve().await;
    let shop = Shop::paired(&home, &network, &account, SHOP).await;
    let ids: Vec<String> = (0..COUNT).map(|n| format!("3EB0CAFE{n:04}")).collect();
    for id in &ids {
        shop.send(ANA, &format!("text of {id}"), id).await;
    }
    wait_for("the first messages on the phone", async || {
        (network.shown(ANA).await.len() >= shown).then_some(())
    })
    .await;
    gateway.kill();
    let mut gateway = home.serve().await;
    // Said again by a caller that did not hear the first answer: nothing new.
    shop.send(ANA, &format!("text of {}", ids[0]), &ids[0])
        .await;

    wait_for("all messages on the phone and sent", async || {
        let list = network.shown(ANA).await;
        let all = ids
            .iter()
            .all(|id| list.iter().any(|message| message["id"] == **id));
        let told = network.delivered().await;
        (all && ids.iter().all(|id| told.contains(id))).then_some(())
    })
    .await;
    gateway.signal(rustix::process::Signal::TERM);
    assert_eq!(gateway.ended(), Some(0));

    let list = network.shown(ANA).await;
    assert_eq!(list.len(), COUNT, "{list:?}");
    for id in &ids {
        let found: Vec<_> = list
            .iter()
            .filter(|message| message["id"] == **id)
            .collect();
        assert_eq!(found.len(), 1, "{id}");
        assert_eq!(found[0]["text"], format!("text of {id}"));
    }
    let events = events(&home, &shop.id).await;
    for id in &ids {
        assert_eq!(events.get(id), Some(&1), "{id} is one event");
    }
    assert_eq!(events.len(), COUNT);
    assert_eq!(pairings(&home).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_messages_outlive_a_kill_before_the_first() {
    sends_once(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_messages_outlive_a_kill_midway() {
    sends_once(7).await;
}

/// A poll that was on the wire when the gateway died goes out again with the same secret.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_that_is_repeated_after_a_kill_can_be_voted_in() {
    let (network, home, account) = two_phones().await;
    let mut gateway = home.serve().await;
    let shop = Shop::paired(&home, &network, &account, SHOP).await;
    let trouble = json!({"kind": "drop_acks", "number": SHOP, "count": 1});
    network.trouble(trouble).await;
    network.act(ANA, "offline", json!({})).await;
    let poll = json!({
        "phone": ANA, "name": "Lunch?", "options": ["Pizza", "Salad"], "id": "POLL-0001",
    });
    shop.call(Method::POST, "chat/send/poll", Some(poll))
        .await
        .ok();
    wait_for("the poll on the wire", async || {
        let shown = network.shown(SHOP).await;
        shown.iter().any(|m| m["id"] == "POLL-0001").then_some(())
    })
    .await;
    gateway.kill();
    let mut gateway = home.serve().await;
    shop.online().await;
    network.act(ANA, "online", json!({})).await;
    let seen = wait_for("the poll and its repeat", async || {
        let shown = network.shown(ANA).await.into_iter();
        let mut polls = shown.filter(|m| m["id"] == "POLL-0001");
        polls.find(|m| m["arrivals"].as_u64() >= Some(2))
    })
    .await;
    assert_eq!(seen["same"], true, "byte for byte: {seen}");
    let vote = json!({"to": SHOP, "vote": {"poll_id": "POLL-0001", "options": ["Salad"]}});
    let vote = text(&network.act(ANA, "messages", vote).await, "/id");
    let told = wait_for("the vote at the receiver", async || {
        let told = network.deliveries().await.into_iter();
        let mut votes = told.filter(|d| d["body"]["event"]["info"]["id"] == vote.as_str());
        votes.next()
    })
    .await;
    let told = &told["body"]["event"]["poll_vote"];
    assert_eq!(told["selected_options"], json!(["Salad"]), "{told}");
    assert_eq!(told["totals"][1]["votes"], 1);
    gateway.signal(rustix::process::Signal::TERM);
    assert_eq!(gateway.ended(), Some(0));
}
