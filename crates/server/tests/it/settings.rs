//! An instance's settings: changed while it runs, kept over a restart, and never less careful than the operator.

use recado_sandbox::content::Written;
use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, SHOP, until},
};

on_both! {
    what_is_given_changes_and_the_rest_stays,
    settings_that_do_not_fit,
    sends_keep_the_pace_of_their_instance,
    buttons_go_by_the_instance,
    reading_begins_when_it_is_asked_for,
    nobody_else_changes_it,
}

async fn change(bed: &Bed, made: &Made, body: Value) -> Answer {
    let path = made.path("");
    let call = bed.call("PATCH", &path).bearer(&bed.a.jwt);
    call.json(body).send().await
}

async fn what_is_given_changes_and_the_rest_stays(bed: &mut Bed) {
    let body = json!({"name": "Before", "labels": {"team": "sales"}, "interactive": "refuse", "sendIntervalMs": 1500});
    let made = bed.create(&bed.a, body).await;
    let body = json!({"name": "  After ", "webhook": "https://example.com/hook", "unknown": [1]});
    let changed = change(bed, &made, body).await.ok();
    assert_eq!(changed["name"], "After");
    assert_eq!(changed["webhook"], "https://example.com/hook");
    assert_eq!(changed["events_subscribe"], "All");
    assert_eq!(changed["labels"], json!({"team": "sales"}));
    assert_eq!(changed["interactive"], "refuse");
    assert_eq!(changed["send_interval_ms"], 1500);
    assert_eq!(changed["token"], made.token.as_str());
    let body = json!({
        "eventsSubscribe": "Message,Connected", "labels": {}, "rejectCalls": true, "media": "on_demand",
        "send_interval_ms": 0, "send_jitter_ms": 250, "interactive": null, "name": "",
    });
    let changed = change(bed, &made, body).await.ok();
    assert_eq!(changed["name"], "After");
    assert_eq!(changed["events_subscribe"], "Message,Connected");
    assert_eq!(changed["webhook"], "https://example.com/hook");
    assert_eq!(changed["labels"], json!({}));
    assert_eq!(changed["reject_calls"], true);
    assert_eq!(changed["media"], "on_demand");
    assert_eq!(changed["send_interval_ms"], Value::Null);
    assert_eq!(changed["send_jitter_ms"], 250);
    let nothing = change(bed, &made, json!([])).await.ok();
    assert_eq!(nothing["updated_at"], changed["updated_at"]);
    // Nobody is told of what did not happen.
    let audit = bed.get("/account/audit").bearer(&bed.a.jwt).send().await;
    let audit = audit.ok().to_string();
    assert_eq!(audit.matches("instance.changed").count(), 2, "{audit}");
    let path = made.path("");
    let read = bed.get(&path).bearer(&bed.a.jwt).send().await.ok();
    assert_eq!(read, nothing);
}

async fn settings_that_do_not_fit(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Here"})).await;
    for (body, field) in [
        (json!({"name": "x"}), "name"),
        (json!({"interactive": "loud"}), "interactive"),
        (json!({"interactive": 5}), "interactive"),
        (json!({"media": ["always"]}), "media"),
        (json!({"send_interval_ms": "soon"}), "send_interval_ms"),
        (json!({"sendJitterMs": {}}), "sendJitterMs"),
        (json!({"media": "sometimes"}), "media"),
        (json!({"send_interval_ms": -1}), "send_interval_ms"),
        (json!({"send_interval_ms": 600_001}), "send_interval_ms"),
        (json!({"send_jitter_ms": -5}), "send_jitter_ms"),
    ] {
        let refused = change(bed, &made, body.clone()).await;
        let refused = refused.refused(400, "invalid_field");
        assert_eq!(refused["field"], field, "{body} {refused}");
    }
    let elsewhere = json!({"webhook": "ftp://example.com/x"});
    let refused = change(bed, &made, elsewhere).await;
    assert_eq!(refused.refused(400, "invalid_url")["field"], "webhook");
    let unknown = json!({"events_subscribe": ["Nothing"]});
    let refused = change(bed, &made, unknown).await;
    assert_eq!(
        refused.refused(400, "invalid_events")["field"],
        "events_subscribe"
    );
    for (body, field) in [
        (json!({"name": "Other", "interactive": 5}), "interactive"),
        (json!({"name": "Other", "webhook": "ftp://x"}), "webhook"),
        (
            json!({"name": "Other", "events_subscribe": "Nothing"}),
            "events_subscribe",
        ),
    ] {
        let call = bed.call("PUT", "/instances/create").bearer(&bed.a.jwt);
        let refused = call.json(body).send().await.expect(400);
        assert_eq!(refused.json()["field"], field);
    }
    change(bed, &made, json!({"labels": [1]})).await.expect(400);
    let kept = bed.get(&made.path("")).bearer(&bed.a.jwt).send().await;
    assert_eq!(kept.ok()["name"], "Here");
}

async fn sends_keep_the_pace_of_their_instance(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    change(
        bed,
        &made,
        json!({"send_interval_ms": 60_000, "send_jitter_ms": 0}),
    )
    .await
    .ok();
    for text in ["one", "two", "three"] {
        let body = json!({"phone": CUSTOMER, "message": text});
        bed.send(&bed.a, &made, body).await.ok();
    }
    bed.wait_shown(CUSTOMER, "one").await;
    bed.clock.jump_secs(59);
    assert_eq!(bed.shown(CUSTOMER, "two"), 0);
    bed.clock.jump_secs(2);
    bed.wait_shown(CUSTOMER, "two").await;
    assert_eq!(bed.shown(CUSTOMER, "three"), 0);
    // From the next start on it is as fast as the operator lets it.
    change(bed, &made, json!({"send_interval_ms": 0}))
        .await
        .ok();
    bed.clock.jump_secs(61);
    bed.wait_shown(CUSTOMER, "three").await;
    for text in ["four", "five"] {
        let body = json!({"phone": CUSTOMER, "message": text});
        bed.send(&bed.a, &made, body).await.ok();
        bed.wait_shown(CUSTOMER, text).await;
    }
}

async fn buttons_go_by_the_instance(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    change(bed, &made, json!({"interactive": "refuse"}))
        .await
        .ok();
    let path = made.path("/chat/send/buttons");
    let buttons = json!([{"id": "yes", "text": "Yes"}]);
    let body = json!({"phone": CUSTOMER, "message": "Coming?", "buttons": buttons});
    let refused = bed.post(&path).bearer(&bed.a.jwt).json(body.clone());
    let refused = refused.send().await.refused(400, "invalid_field");
    assert_eq!(refused["field"], "interactive");
    let mut asked = body;
    asked["interactive"] = json!("text");
    let sent = bed.post(&path).bearer(&bed.a.jwt).json(asked).send().await;
    assert_eq!(sent.ok()["data"]["interactive"], "text");
}

async fn reading_begins_when_it_is_asked_for(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let network = bed.sandbox.network();
    let writes = |text: &str| {
        let written = Written::Text(text.to_owned());
        network
            .send(CUSTOMER, SHOP, &written)
            .expect("it writes")
            .id
    };
    let is_read = |id: &str| {
        let messages = bed.sandbox.network().messages(CUSTOMER).expect("a phone");
        let message = messages.into_iter().find(|message| message.id == id);
        message.is_some_and(|message| message.status == "read")
    };
    let before = writes("unread");
    until("the message", async || {
        let path = made.path(&format!("/chat/messages/{before}"));
        let answer = bed.get(&path).bearer(&bed.a.jwt).send().await;
        (answer.status == 200).then_some(())
    })
    .await;
    change(bed, &made, json!({"autoReadMessages": true}))
        .await
        .ok();
    let after = writes("read");
    until("the blue ticks", async || is_read(&after).then_some(())).await;
    assert!(!is_read(&before));
}

async fn nobody_else_changes_it(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Mine"})).await;
    let call = bed.call("PATCH", &made.path("")).bearer(&bed.b.jwt);
    let refused = call.json(json!({"name": "Theirs"})).send().await;
    refused.refused(403, "forbidden");
    // The pair of tokens sends; it changes nothing of the instance.
    let pair = bed
        .call("PATCH", &made.path(""))
        .header("x-client-token", &bed.a.client_token)
        .header("x-instance-token", &made.token);
    pair.json(json!({"name": "Theirs"}))
        .send()
        .await
        .expect(401);
}
