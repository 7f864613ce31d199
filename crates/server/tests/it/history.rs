//! What a phone sends of its past: stored in order, once, beside what comes in now; and what is lost of it, told.

mod lost;
mod older;

use std::time::Instant;

use recado_sandbox::{
    Network, NewGroup, PastText,
    content::{Gone, Sign, Wording, Written},
};
use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP, until},
};

on_both! {
    recent_history_comes_after_linking, off_keeps_nothing, full_brings_all_that_there_is,
    a_guests_past_is_not_kept, what_comes_twice_is_there_once, a_message_of_now_is_not_held_up,
    a_restart_in_the_middle_loses_and_doubles_nothing,
    what_was_done_to_messages_and_groups_come_with_the_past,
    what_the_phone_wrote_meanwhile_comes_with_its_time, the_setting_is_checked_and_answered,
}

const BIA: &str = "5511999990008";
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// The newest of each chat come whatever their age.
const FIRST_EACH: i64 = 20;

/// Whole seconds, as WhatsApp has them.
fn ago(millis: i64) -> i64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    (now.as_millis() as i64 - millis) / 1_000 * 1_000
}

/// Something that `chat` wrote to the shop, so long ago.
fn said(chat: &str, id: &str, millis: i64) -> PastText {
    PastText {
        chat: chat.to_owned(),
        from: None,
        text: format!("{id} said"),
        timestamp: ago(millis),
        id: Some(id.to_owned()),
        unread: false,
    }
}

/// Something that the shop wrote to `chat`.
fn answered(chat: &str, id: &str, millis: i64) -> PastText {
    PastText {
        from: Some(SHOP.to_owned()),
        text: format!("{id} answered"),
        ..said(chat, id, millis)
    }
}

/// So many messages of Ana's, a minute between them, the last of them so long ago.
fn many(count: i64, last_ago: i64) -> Vec<PastText> {
    let texts = (0..count).map(|n| {
        said(
            CUSTOMER,
            &format!("PAST{n:04}"),
            last_ago + (count - n) * MINUTE,
        )
    });
    texts.collect()
}

fn remember(bed: &Bed, texts: &[PastText]) {
    let network = bed.sandbox.network();
    network.remember(SHOP, texts).expect("the phone has it");
}

fn in_frames_of(bed: &Bed, messages: usize) {
    let network = bed.sandbox.network();
    network
        .set_history_chunk(SHOP, messages)
        .expect("the phone does so");
}

fn trouble(bed: &Bed, body: Value) {
    bed.sandbox.network().trouble(&body).expect("a trouble");
}

async fn ask(bed: &Bed, made: &Made, (method, path): (&str, &str), body: Value) -> Answer {
    let call = bed.call(method, &made.path(path)).bearer(&bed.a.jwt);
    match body {
        Value::Null => call.send().await,
        body => call.json(body).send().await,
    }
}

async fn chats(bed: &Bed, made: &Made) -> Value {
    ask(bed, made, ("GET", "/chats"), Value::Null).await.ok()
}

/// A chat's messages, the oldest first.
async fn messages(bed: &Bed, made: &Made, who: &str) -> Vec<Value> {
    let (mut all, mut query) = (Vec::new(), "limit=200".to_owned());
    loop {
        let path = format!("/chats/{who}/messages?{query}");
        let answer = ask(bed, made, ("GET", &path), Value::Null).await;
        if answer.status == 404 {
            return all;
        }
        let page = answer.ok();
        all.extend(page["messages"].as_array().expect("a list").iter().cloned());
        let Some(next) = page["next"].as_str() else {
            all.reverse();
            return all;
        };
        query = format!("limit=200&before={next}");
    }
}

fn ids(messages: &[Value]) -> Vec<String> {
    let ids = messages.iter().map(|one| one["message_id"].as_str());
    ids.map(|id| id.expect("an id").to_owned()).collect()
}

/// Waits until all that the phone announced is stored: `progress` is the phone's own word.
async fn all_stored(bed: &Bed, made: &Made) -> Value {
    until("the phone's past to be stored", async || {
        let history = chats(bed, made).await["history"].clone();
        let all = history["received"] == history["announced"] && history["waiting"] == 0;
        (all && history["progress"] == 100).then_some(history)
    })
    .await
}

/// Nothing is under way to the shop's linked device any more.
async fn nothing_is_queued(network: &Network) {
    let empty = network.wait_for(PATIENCE, |network| {
        let all = network.phone(SHOP).ok()?.companions;
        all.iter().all(|one| one.queued == 0).then_some(())
    });
    empty.await.expect("the device takes what is there");
}

/// A message of now, and when it was here.
async fn a_live_message_comes(bed: &Bed, made: &Made, text: &str) -> Value {
    let network = bed.sandbox.network();
    let id = network.send_text(CUSTOMER, SHOP, text).expect("sent").id;
    let path = format!("/chat/messages/{id}");
    until("the message of now", async || {
        let answer = ask(bed, made, ("GET", &path), Value::Null).await;
        (answer.status == 200).then(|| answer.ok())
    })
    .await
}

/// The events of a kind that the receiver got.
fn told(bed: &Bed, kind: &str) -> Vec<Value> {
    let all = bed.sandbox.receiver().deliveries().into_iter();
    let of_kind = all.map(|one| one.body).filter(|body| body["type"] == kind);
    of_kind.map(|body| body["event"].clone()).collect()
}

/// An instance with these settings, whose events the receiver gets.
async fn made(bed: &Bed, settings: Value) -> Made {
    let mut body = json!({"name": "With a past"});
    for (name, value) in settings.as_object().expect("settings") {
        body[name] = value.clone();
    }
    let made = bed.create(&bed.a, body).await;
    bed.subscribe(&bed.a, &made, json!(["All"])).await;
    made
}

async fn linked(bed: &Bed, settings: Value) -> Made {
    let made = made(bed, settings).await;
    bed.scan(&bed.a, &made, SHOP).await;
    made
}

async fn recent_history_comes_after_linking(bed: &mut Bed) {
    let network = bed.sandbox.network().clone();
    network.add_phone(BIA, "Bia").expect("a phone");
    let mut texts = many(30, 3 * DAY);
    texts.push(answered(CUSTOMER, "MINE01", 2 * DAY));
    texts.push(PastText {
        unread: true,
        ..said(CUSTOMER, "UNREAD01", DAY)
    });
    texts.push(said(BIA, "BIA01", 50 * DAY));
    // Two of one second: in the order in which they came.
    texts.push(said(BIA, "BIA02", 40 * DAY));
    texts.push(answered(BIA, "BIA03", 40 * DAY));
    remember(bed, &texts);
    let archived = recado_sandbox::ChatChange {
        chat: BIA.to_owned(),
        archived: Some(true),
        ..Default::default()
    };
    network.change_chat(SHOP, &archived).expect("put away");
    in_frames_of(bed, 7);
    let made = linked(bed, json!({})).await;
    let history = all_stored(bed, &made).await;
    assert_eq!(history["state"], "running");
    assert!(history["announced"].as_i64() > Some(3), "{history}");

    let ana = messages(bed, &made, CUSTOMER).await;
    let expected: Vec<_> = texts[..32]
        .iter()
        .map(|text| text.id.clone().expect("an id"))
        .collect();
    assert_eq!(ids(&ana), expected, "all of them, in their order");
    for (message, text) in ana.iter().zip(&texts) {
        let at = recado_model::Timestamp(text.timestamp).to_rfc3339();
        assert_eq!(message["at"], at, "historic times stay");
        assert_eq!(message["is_from_me"], text.from.is_some());
        assert_eq!(message["text"], text.text);
    }
    let mine = &ana[30];
    assert_eq!(mine["status"], "delivered");
    assert_eq!(
        ids(&messages(bed, &made, BIA).await),
        ["BIA01", "BIA02", "BIA03"]
    );
    let list = chats(bed, &made).await;
    let of = |who: &str| {
        let content = list["content"].as_array().expect("a list");
        content.iter().find(|chat| chat["phone"] == who).cloned()
    };
    let ana = of(CUSTOMER).expect("listed");
    assert_eq!((&ana["unread"], &ana["name"]), (&json!("1"), &json!("Ana")));
    assert_eq!(ana["last_message"]["message_id"], "UNREAD01");
    let bia = of(BIA).expect("listed");
    assert_eq!(
        (&bia["archived"], &bia["unread"]),
        (&json!(true), &json!("0"))
    );
    assert_eq!(bia["name"], "Bia");
    assert!(bia["lid"].as_str().is_some_and(|lid| lid.ends_with("@lid")));

    // Each frame is told, and none of its messages.
    let frames = history["announced"].as_u64().expect("a number") as usize;
    until("an event for each frame", async || {
        (told(bed, "HistorySync").len() == frames).then_some(())
    })
    .await;
    let events = told(bed, "HistorySync");
    let sum = |field: &str| -> u64 {
        let counts = events.iter().map(|event| event[field].as_u64());
        counts.map(|count| count.expect("a number")).sum()
    };
    assert_eq!((sum("messages"), sum("new_messages")), (35, 35));
    assert!(
        events
            .iter()
            .all(|event| event["damaged"] == false && event["gap"].is_null())
    );
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["sync_type"].clone())
        .collect();
    for kind in ["initial_bootstrap", "recent", "push_name"] {
        assert!(kinds.contains(&json!(kind)), "{kinds:?}");
    }
    assert!(
        events
            .iter()
            .any(|event| event["progress"] == 100 && event["exhausted"] == true)
    );
    assert!(told(bed, "Message").is_empty());
    // What is quoted, read, answered: the messages are there like any other.
    let body = json!({"phone": CUSTOMER, "message": "as you said", "reply_to_message_id": "PAST0001", "id": "REPLY-001"});
    bed.send(&bed.a, &made, body).await.ok();
    let shown = bed.wait_shown(CUSTOMER, "as you said").await;
    let quoted = shown.detail.quoted.expect("a quote");
    assert_eq!(
        (quoted.message_id.as_str(), quoted.from.as_str()),
        ("PAST0001", CUSTOMER)
    );
}

async fn off_keeps_nothing(bed: &mut Bed) {
    remember(bed, &many(40, DAY));
    in_frames_of(bed, 10);
    let made = linked(bed, json!({"history": "off"})).await;
    nothing_is_queued(bed.sandbox.network()).await;
    a_live_message_comes(bed, &made, "of now").await;
    // What was being fetched is: a graceful end waits for it.
    bed.restart().await;
    a_live_message_comes(bed, &made, "of now, too").await;
    assert_eq!(messages(bed, &made, CUSTOMER).await.len(), 2);
    let history = chats(bed, &made).await["history"].clone();
    assert_eq!(
        (&history["state"], &history["received"]),
        (&json!("none"), &json!(0))
    );
    assert!(told(bed, "HistorySync").is_empty());
    assert!(!bed.holds("PAST0001 said").await, "nowhere");
}

async fn full_brings_all_that_there_is(bed: &mut Bed) {
    // Behind the newest of the chat, and older than what is recent.
    let texts = many(FIRST_EACH + 10, 200 * DAY);
    remember(bed, &texts);
    let recent = linked(bed, json!({})).await;
    all_stored(bed, &recent).await;
    let newest = messages(bed, &recent, CUSTOMER).await;
    assert_eq!(newest.len() as i64, FIRST_EACH);
    let change = ask(bed, &recent, ("PATCH", ""), json!({"history": "full"}))
        .await
        .ok();
    assert_eq!(change["history"], "full");
    let note = change["history_note"].as_str().expect("a note");
    assert!(note.contains("next link"), "{note}");
    let same = ask(bed, &recent, ("PATCH", ""), json!({"history": "full"}))
        .await
        .ok();
    assert!(same.get("history_note").is_none(), "{same}");
    // The next link of the same number.
    ask(bed, &recent, ("POST", "/session/logout"), Value::Null)
        .await
        .ok();
    bed.wait_state(&bed.a, &recent, "logged_out").await;
    assert_eq!(chats(bed, &recent).await["history"]["state"], "none");
    bed.scan(&bed.a, &recent, SHOP).await;
    all_stored(bed, &recent).await;
    let all = messages(bed, &recent, CUSTOMER).await;
    let expected: Vec<_> = texts
        .iter()
        .map(|text| text.id.clone().expect("an id"))
        .collect();
    assert_eq!(ids(&all), expected, "those that were here are not doubled");
}

async fn a_guests_past_is_not_kept(bed: &mut Bed) {
    remember(bed, &many(10, DAY));
    let guest = bed.paired_guest(SHOP).await;
    nothing_is_queued(bed.sandbox.network()).await;
    bed.says(SHOP, "said to a guest").await;
    assert!(!bed.holds("PAST0001 said").await);
    let claimed = bed.claim(&bed.a, &guest).send().await.ok();
    assert_eq!(claimed["history"], "not_kept");
    let path = format!("/instances/{}/chats", guest.id);
    let list = bed.get(&path).bearer(&bed.a.jwt).send().await.ok();
    assert_eq!(list["content"], json!([]));
    assert_eq!(list["history"]["state"], "none");
    assert!(!bed.holds("PAST0001 said").await);
}

async fn what_comes_twice_is_there_once(bed: &mut Bed) {
    remember(bed, &many(30, DAY));
    in_frames_of(bed, 10);
    trouble(bed, json!({"kind": "history_twice", "number": SHOP}));
    let made = linked(bed, json!({})).await;
    let history = all_stored(bed, &made).await;
    let all = messages(bed, &made, CUSTOMER).await;
    assert_eq!(all.len(), 30);
    let frames = history["announced"].as_u64().expect("a number") as usize / 2;
    until("an event for each frame", async || {
        (told(bed, "HistorySync").len() >= frames).then_some(())
    })
    .await;
    assert_eq!(told(bed, "HistorySync").len(), frames);
}

async fn a_message_of_now_is_not_held_up(bed: &mut Bed) {
    remember(bed, &many(1_500, DAY));
    in_frames_of(bed, 100);
    let made = linked(bed, json!({})).await;
    for n in 0..5 {
        let asked = Instant::now();
        let text = format!("now {n}");
        a_live_message_comes(bed, &made, &text).await;
        let took = asked.elapsed();
        assert!(took.as_secs() < 5, "{took:?}");
    }
    all_stored(bed, &made).await;
    let all = messages(bed, &made, CUSTOMER).await;
    assert_eq!(all.len(), 1_505);
    let texts: Vec<_> = all[1_500..].iter().map(|one| one["text"].clone()).collect();
    assert_eq!(texts, ["now 0", "now 1", "now 2", "now 3", "now 4"]);
}

async fn a_restart_in_the_middle_loses_and_doubles_nothing(bed: &mut Bed) {
    remember(bed, &many(600, DAY));
    in_frames_of(bed, 20);
    let made = linked(bed, json!({})).await;
    for _ in 0..3 {
        until("some of it", async || {
            (!messages(bed, &made, CUSTOMER).await.is_empty()).then_some(())
        })
        .await;
        bed.restart().await;
    }
    all_stored(bed, &made).await;
    let all = messages(bed, &made, CUSTOMER).await;
    let expected: Vec<_> = (0..600).map(|n| format!("PAST{n:04}")).collect();
    assert_eq!(ids(&all), expected);
}

async fn what_was_done_to_messages_and_groups_come_with_the_past(bed: &mut Bed) {
    let network = bed.sandbox.network().clone();
    let says = |from: &str, to: &str, written: Written| {
        let sent = network.send(from, to, &written);
        sent.expect("it writes").id
    };
    let text = |text: &str| Written::Text(text.to_owned());
    let liked = says(CUSTOMER, SHOP, text("do you like this?"));
    let sign = Sign {
        message_id: liked.clone(),
        emoji: "👍".to_owned(),
    };
    says(SHOP, CUSTOMER, Written::Reaction(sign));
    let gone = says(CUSTOMER, SHOP, text("never mind"));
    let end = Gone {
        message_id: gone,
        forged: false,
    };
    says(CUSTOMER, SHOP, Written::Delete(end));
    let edited = says(CUSTOMER, SHOP, text("at five"));
    let wording = Wording {
        message_id: edited.clone(),
        text: "at six".to_owned(),
        forged: false,
    };
    says(CUSTOMER, SHOP, Written::Edit(wording));
    let group = NewGroup {
        subject: "Neighbours".to_owned(),
        participants: vec![CUSTOMER.to_owned()],
        ..NewGroup::default()
    };
    let (group, _) = network.create_group(SHOP, &group).expect("a group");
    let group = group.id.clone();
    let in_group = [(SHOP, "hello all"), (CUSTOMER, "hello")];
    let in_group = in_group.map(|(from, words)| says(from, &group, text(words)));

    let made = linked(bed, json!({})).await;
    all_stored(bed, &made).await;
    let all = messages(bed, &made, CUSTOMER).await;
    assert_eq!(ids(&all), [liked.clone(), edited]);
    assert_eq!(all[1]["text"], "at six");
    let told = bed.told(&made, &liked).await;
    assert_eq!(told["reactions"][0]["reaction"], "👍", "{told}");
    let own = format!("{SHOP}@s.whatsapp.net");
    assert_eq!(told["reactions"][0]["sender"], own);
    let there = messages(bed, &made, &group).await;
    assert_eq!(ids(&there), in_group);
    let senders = there.iter().map(|one| one["sender"].clone());
    let ana = format!("{CUSTOMER}@s.whatsapp.net");
    assert_eq!(senders.collect::<Vec<_>>(), [json!(own), json!(ana)]);
    // The sign is taken back here: it is the one that was put there.
    let back = json!({"phone": CUSTOMER, "message_id": liked, "id": "BACK-0001"});
    ask(bed, &made, ("DELETE", "/chat/react"), back).await.ok();
    bed.wait_status(&made, "BACK-0001", &["sent", "delivered", "read"])
        .await;
    let told = bed.told(&made, &liked).await;
    assert_eq!(told["reactions"], json!([]));
}

async fn what_the_phone_wrote_meanwhile_comes_with_its_time(bed: &mut Bed) {
    remember(bed, &many(5, DAY));
    let made = linked(bed, json!({})).await;
    all_stored(bed, &made).await;
    bed.stop().await;
    let network = bed.sandbox.network();
    let written = network.send_text(SHOP, CUSTOMER, "from the phone");
    let written = written.expect("it writes");
    bed.restart().await;
    let found = until("what the phone wrote", async || {
        let all = messages(bed, &made, CUSTOMER).await;
        all.into_iter()
            .find(|one| one["message_id"] == written.id.as_str())
    })
    .await;
    assert_eq!(found["is_from_me"], true);
    let at = recado_model::Timestamp(written.timestamp / 1_000 * 1_000);
    assert_eq!(found["at"], at.to_rfc3339());
    assert_eq!(messages(bed, &made, CUSTOMER).await.len(), 6);
}

async fn the_setting_is_checked_and_answered(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Settings"})).await;
    let seen = bed.look(&bed.a, &made).await;
    assert_eq!(seen["history"], "recent");
    for (given, expected) in [("off", "off"), (" full ", "full"), ("", "full")] {
        let changed = ask(bed, &made, ("PATCH", ""), json!({"history": given}))
            .await
            .ok();
        assert_eq!(changed["history"], expected);
        assert!(changed.get("history_note").is_none(), "no phone is linked");
    }
    let refused = ask(bed, &made, ("PATCH", ""), json!({"history": "all"})).await;
    let refused = refused.expect(400).json();
    assert!(
        refused["error"]
            .as_str()
            .is_some_and(|text| text.contains("history"))
    );
    let body = json!({"name": "Wrong", "history": "everything"});
    let create = bed.call("PUT", "/instances/create").bearer(&bed.a.jwt);
    create.json(body).send().await.expect(400);
}
