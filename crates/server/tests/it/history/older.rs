//! Asking the phone for older messages of a chat.

use serde_json::{Value, json};

use super::{DAY, FIRST_EACH, all_stored, ask, chats, ids, linked, many, messages, remember, told};
use crate::gateway::{Bed, CUSTOMER, Made, SHOP, until};

on_both! { older_messages_come_when_asked_for, what_cannot_be_asked_for_is_refused }

async fn ask_for(bed: &Bed, made: &Made, count: i64) -> String {
    let path = format!("/chats/{CUSTOMER}/history");
    let answer = ask(bed, made, ("POST", &path), json!({"count": count})).await;
    let asked = answer.expect(202).json();
    assert_eq!(asked["status"], "requested");
    asked["request_id"].as_str().expect("a name").to_owned()
}

/// The event of the answer.
async fn answer_to(bed: &Bed, request: &str) -> Value {
    until("the phone's answer", async || {
        let events = told(bed, "HistorySync").into_iter();
        events
            .into_iter()
            .find(|event| event["request_id"] == request)
    })
    .await
}

async fn older_messages_come_when_asked_for(bed: &mut Bed) {
    // Behind the newest of the chat, and older than what comes by itself.
    let texts = many(FIRST_EACH + 8, 200 * DAY);
    remember(bed, &texts);
    let made = linked(bed, json!({})).await;
    all_stored(bed, &made).await;
    assert_eq!(
        messages(bed, &made, CUSTOMER).await.len() as i64,
        FIRST_EACH
    );
    let request = ask_for(bed, &made, 5).await;
    let event = answer_to(bed, &request).await;
    assert_eq!(event["sync_type"], "on_demand");
    assert_eq!(
        (&event["new_messages"], &event["exhausted"]),
        (&json!(5), &json!(false))
    );
    let all = messages(bed, &made, CUSTOMER).await;
    assert_eq!(all.len() as i64, FIRST_EACH + 5);
    let request = ask_for(bed, &made, 0).await;
    let event = answer_to(bed, &request).await;
    assert_eq!(
        (&event["new_messages"], &event["exhausted"]),
        (&json!(3), &json!(true))
    );
    let expected: Vec<_> = texts
        .iter()
        .map(|text| text.id.clone().expect("an id"))
        .collect();
    assert_eq!(ids(&messages(bed, &made, CUSTOMER).await), expected);
    // Nothing is left: the answer says so.
    let request = ask_for(bed, &made, 50).await;
    let event = answer_to(bed, &request).await;
    assert_eq!(
        (&event["messages"], &event["exhausted"]),
        (&json!(0), &json!(true))
    );
    // The phone is away, and answers when it is back.
    let network = bed.sandbox.network();
    network.set_online(SHOP, false).expect("away");
    let request = ask_for(bed, &made, 50).await;
    network.set_online(SHOP, true).expect("back");
    answer_to(bed, &request).await;
    assert_eq!(chats(bed, &made).await["history"]["waiting"], 0);
}

async fn what_cannot_be_asked_for_is_refused(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Refused"})).await;
    let path = format!("/chats/{CUSTOMER}/history");
    let asked = |count: Value| json!({ "count": count });
    let unpaired = ask(bed, &made, ("POST", &path), Value::Null).await;
    assert_eq!(unpaired.status, 409, "{unpaired:?}");
    remember(bed, &many(3, DAY));
    bed.scan(&bed.a, &made, SHOP).await;
    all_stored(bed, &made).await;
    for count in [json!(-1), json!(501), json!("many")] {
        let refused = ask(bed, &made, ("POST", &path), asked(count))
            .await
            .expect(400);
        assert!(refused.text().contains("count"), "{refused:?}");
    }
    let nobody = ask(
        bed,
        &made,
        ("POST", "/chats/5511999990077/history"),
        Value::Null,
    )
    .await;
    nobody.expect(404);
    ask(bed, &made, ("PATCH", ""), json!({"history": "off"}))
        .await
        .ok();
    let off = ask(bed, &made, ("POST", &path), Value::Null)
        .await
        .expect(409);
    assert!(off.text().contains("history"), "{off:?}");
    ask(bed, &made, ("PATCH", ""), json!({"history": "recent"}))
        .await
        .ok();
    ask(bed, &made, ("POST", "/session/disconnect"), Value::Null)
        .await
        .ok();
    let offline = ask(bed, &made, ("POST", &path), Value::Null).await;
    assert_eq!(offline.status, 409, "{offline:?}");
}
