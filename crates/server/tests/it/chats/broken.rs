//! What the phone does can be read no more, of one collection: it is found by the clock, and fetched anew.

use recado_sandbox::ChatChange;
use serde_json::{Value, json};

use super::{chat, comes, get, of, on_phone, phone_shows, written};
use crate::gateway::{Bed, CUSTOMER, Made, SHOP, until};

on_both! {
    what_is_broken_is_found_and_fetched_anew,
    what_was_not_mended_is_after_a_restart,
}

/// Archiving and pinning.
const BROKEN: &str = "regular_low";
/// The library's own tries are over after so long, and a second.
const LATE_SECS: i64 = 301;

fn archived(archived: bool) -> ChatChange {
    ChatChange {
        archived: Some(archived),
        ..of(CUSTOMER)
    }
}

fn pinned(pinned: bool) -> ChatChange {
    ChatChange {
        pinned: Some(pinned),
        ..of(CUSTOMER)
    }
}

fn muted(until: i64) -> ChatChange {
    ChatChange {
        muted_until: Some(until),
        ..of(CUSTOMER)
    }
}

/// The phone archives, in a patch that nobody can read, and pins afterwards: neither is heard of, though a mute is,
/// which goes another way.
async fn breaks(bed: &Bed, made: &Made, on: bool) {
    // The gateway has a version of it: whoever has none gets all of it.
    for pins in [on, !on] {
        on_phone(bed, pinned(pins));
        comes(bed, made, CUSTOMER, |chat| chat["pinned"] == pins).await;
    }
    let network = bed.sandbox.network();
    let spoilt = network.spoil_settings(SHOP, BROKEN, false);
    spoilt.expect("a phone");
    on_phone(bed, archived(on));
    on_phone(bed, pinned(on));
    on_phone(bed, muted(if on { -1 } else { 0 }));
    let muted = json!(u8::from(on));
    let seen = comes(bed, made, CUSTOMER, |chat| chat["is_muted"] == muted);
    let seen = seen.await;
    assert_eq!(
        (&seen["archived"], &seen["pinned"]),
        (&json!(!on), &json!(!on))
    );
}

async fn follows(bed: &Bed, made: &Made, on: bool) {
    comes(bed, made, CUSTOMER, |chat| {
        (&chat["archived"], &chat["pinned"]) == (&json!(on), &json!(on))
    })
    .await;
}

async fn told(bed: &Bed, state: &str, tries: Value) -> Value {
    let told = bed.delivered(state, |delivery| {
        let body = &delivery.body;
        body["type"] == "AppStateSyncFailed"
            && body["state"] == state
            && body["event"]["tries"] == tries
    });
    told.await.body["event"].clone()
}

async fn no_trouble_is_left(bed: &Bed, made: &Made) {
    until("the status without trouble", async || {
        let status = get(bed, made, "/session/status").await;
        status["data"]["sync_troubles"].is_null().then_some(())
    })
    .await;
}

async fn what_is_broken_is_found_and_fetched_anew(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let events = json!(["AppStateSyncFailed"]);
    bed.subscribe(&bed.a, &made, events).await;
    written(bed, &made, CUSTOMER, "hello").await;
    breaks(bed, &made, true).await;
    bed.clock.jump_secs(LATE_SECS);
    follows(bed, &made, true).await;
    let event = told(bed, "failing", json!(1)).await;
    assert_eq!(
        (&event["collection"], &event["cause"]),
        (&json!(BROKEN), &json!("broken"))
    );
    assert!(event["what_to_do"].is_string());
    told(bed, "recovered", Value::Null).await;
    no_trouble_is_left(bed, &made).await;
    // What comes afterwards is heard of, both ways.
    on_phone(bed, archived(false));
    comes(bed, &made, CUSTOMER, |chat| chat["archived"] == false).await;
    let path = made.path(&format!("/chats/{CUSTOMER}/unpin"));
    bed.post(&path).bearer(&bed.a.jwt).send().await.ok();
    phone_shows(bed, CUSTOMER, "it unpinned", |chat| !chat.shown.pinned).await;
    on_phone(bed, muted(0));
    comes(bed, &made, CUSTOMER, |chat| chat["is_muted"] == 0).await;
    // The second time there is a pause first.
    breaks(bed, &made, true).await;
    bed.clock.jump_secs(LATE_SECS);
    bed.clock.jump_secs(900);
    follows(bed, &made, true).await;
    told(bed, "failing", json!(2)).await;
}

async fn what_was_not_mended_is_after_a_restart(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    let network = bed.sandbox.network();
    let spoilt = network.spoil_settings(SHOP, BROKEN, true);
    spoilt.expect("a phone");
    on_phone(bed, archived(true));
    on_phone(bed, muted(-1));
    comes(bed, &made, CUSTOMER, |chat| chat["is_muted"] == 1).await;
    bed.clock.jump_secs(LATE_SECS);
    // All of it cannot be read either.
    let trouble = until("the trouble", async || {
        let status = get(bed, &made, "/session/status").await;
        let trouble = status["data"]["sync_troubles"][0].clone();
        trouble.is_object().then_some(trouble)
    })
    .await;
    assert_eq!(
        (&trouble["collection"], &trouble["tries"]),
        (&json!(BROKEN), &json!(1))
    );
    assert_eq!(chat(bed, &made, CUSTOMER).await["archived"], false);
    bed.restart().await;
    bed.wait_state(&bed.a, &made, "connected").await;
    // A further patch has the right MACs, and with it all that was before.
    on_phone(bed, pinned(true));
    follows(bed, &made, true).await;
    no_trouble_is_left(bed, &made).await;
}
