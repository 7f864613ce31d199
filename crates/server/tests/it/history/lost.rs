//! Frames that are damaged, late or lost: told, and the connection goes on.

use serde_json::{Value, json};

use super::{
    DAY, a_live_message_comes, all_stored, chats, ids, in_frames_of, linked, many, messages,
    nothing_is_queued, remember, told, trouble,
};
use crate::gateway::{Bed, CUSTOMER, Made, SHOP, until};

on_both! {
    a_frame_that_is_truncated_or_lies_is_a_gap, a_frame_that_the_host_lost_is_a_gap,
    a_frame_that_the_host_cannot_give_at_first_comes,
}

/// More than nothing may come for.
const QUIET_SECS: i64 = 16 * 60;

/// Waits for what is missing to be told once nothing more comes.
async fn told_gap(bed: &Bed, made: &Made) -> Value {
    bed.clock.jump_secs(QUIET_SECS);
    let gap = until("what is missing", async || {
        let events = told(bed, "HistorySync");
        events.into_iter().find(|event| !event["gap"].is_null())
    });
    let gap = gap.await;
    assert_eq!(gap["sync_type"], Value::Null);
    assert_eq!(gap["history"]["state"], "incomplete");
    let history = chats(bed, made).await["history"].clone();
    assert_eq!(history["state"], "incomplete", "{history}");
    gap["gap"].clone()
}

/// Of now, by then: the second instance finds the first's in the phone's past.
fn lives(kind: &str) -> usize {
    match kind {
        "history_truncated" => 1,
        _ => 2,
    }
}

/// Waits until so many of the announced frames are stored.
async fn stored_but(bed: &Bed, made: &Made, missing: i64) {
    nothing_is_queued(bed.sandbox.network()).await;
    until("all other frames", async || {
        let history = chats(bed, made).await["history"].clone();
        let (announced, received) = (history["announced"].as_i64(), history["received"].as_i64());
        let others = announced > Some(missing) && received == announced.map(|all| all - missing);
        (others && history["waiting"] == 0).then_some(())
    })
    .await;
}

async fn a_frame_that_is_truncated_or_lies_is_a_gap(bed: &mut Bed) {
    remember(bed, &many(50, DAY));
    in_frames_of(bed, 10);
    for kind in ["history_truncated", "history_lies"] {
        bed.sandbox.receiver().clear();
        trouble(bed, json!({"kind": kind, "number": SHOP, "count": 1}));
        let made = linked(bed, json!({ "name": kind })).await;
        stored_but(bed, &made, 1).await;
        let gap = told_gap(bed, &made).await;
        assert_eq!(gap["missing"], 1, "{gap}");
        a_live_message_comes(bed, &made, kind).await;
        let seen = bed.look(&bed.a, &made).await;
        assert_eq!(seen["status"], "connected");
        // The first frame is lost, and no other.
        assert_eq!(messages(bed, &made, CUSTOMER).await.len(), lives(kind) + 30);
    }
}

async fn a_frame_that_the_host_lost_is_a_gap(bed: &mut Bed) {
    remember(bed, &many(60, DAY));
    in_frames_of(bed, 10);
    trouble(
        bed,
        json!({"kind": "history_lost", "number": SHOP, "count": 1}),
    );
    let made = linked(bed, json!({})).await;
    stored_but(bed, &made, 1).await;
    // Nothing is told before it is sure.
    assert_eq!(chats(bed, &made).await["history"]["missing"], 0);
    let gap = told_gap(bed, &made).await;
    assert_eq!(gap["missing"], 1, "{gap}");
    assert_eq!(chats(bed, &made).await["history"]["missing"], 1);
    // Once.
    bed.clock.jump_secs(QUIET_SECS);
    a_live_message_comes(bed, &made, "meanwhile").await;
    let gaps = told(bed, "HistorySync");
    let gaps = gaps.iter().filter(|event| !event["gap"].is_null());
    assert_eq!(gaps.count(), 1);
}

async fn a_frame_that_the_host_cannot_give_at_first_comes(bed: &mut Bed) {
    remember(bed, &many(40, DAY));
    in_frames_of(bed, 20);
    trouble(
        bed,
        json!({"kind": "history_late", "number": SHOP, "ms": 1_500}),
    );
    let made = linked(bed, json!({})).await;
    all_stored(bed, &made).await;
    let expected: Vec<_> = (0..40).map(|n| format!("PAST{n:04}")).collect();
    assert_eq!(ids(&messages(bed, &made, CUSTOMER).await), expected);
    // A graceful end waits for what is being fetched.
    let made = linked_anew(bed).await;
    bed.restart().await;
    all_stored(bed, &made).await;
    assert_eq!(messages(bed, &made, CUSTOMER).await.len(), 40);
}

/// Another instance on the same phone, whose frames are late as well.
async fn linked_anew(bed: &Bed) -> Made {
    let made = linked(bed, json!({"name": "Another"})).await;
    until("the phone's word of all frames", async || {
        let history = chats(bed, &made).await["history"].clone();
        (history["announced"].as_i64() >= Some(3)).then_some(())
    })
    .await;
    made
}
