//! How the vendor's clients spell what the gateway has today.

use recado_api::Surface;
use serde_json::{Value, json};

use crate::{
    gateway::{Bed, CUSTOMER, Made, SHOP},
    people_access::people::{OWNER_A, sign_in},
};

on_both! {
    every_spelling_of_the_webhooks_address,
    event_names_in_any_case,
    an_empty_list_where_an_object_belongs,
    elsewhere_a_list_is_no_object,
    what_clients_send_for_unset,
    any_body_subscribes,
    numbers_of_pages,
}

async fn hook(bed: &Bed, made: &Made) -> Value {
    let call = bed.get(&made.path("/webhook")).bearer(&bed.a.jwt);
    call.send().await.ok()["data"].clone()
}

async fn every_spelling_of_the_webhooks_address(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    let base = bed.sandbox.receiver_url();
    let spellings = [
        "webhookURL",
        "webhook_url",
        "webhookUrl",
        "webhook_u_r_l",
        "url",
        "webhook",
    ];
    for name in spellings {
        let url = format!("{base}?as={name}");
        let mut body = json!({"events": ["Message"], "enabled": true});
        body[name] = json!(url);
        let call = bed.post(&made.path("/webhook")).bearer(&bed.a.jwt);
        let set = call.json(body).send().await.ok();
        assert_eq!(set["data"]["webhook"], url, "{name}: {set}");
        assert_eq!(hook(bed, &made).await["webhook"], url, "{name}");
        // Given twice, it is anybody's guess which one is meant.
        let other = if name == "url" { "webhook" } else { "url" };
        let mut twice = json!({"events": ["All"]});
        twice[name] = json!(format!("{base}?first"));
        twice[other] = json!(format!("{base}?second"));
        let call = bed.post(&made.path("/webhook")).bearer(&bed.a.jwt);
        call.json(twice).send().await.refused(400, "invalid_field");
        assert_eq!(hook(bed, &made).await["webhook"], url, "{name}");
    }
    for name in [
        "webhook",
        "webhookURL",
        "webhook_url",
        "webhookUrl",
        "webhook_u_r_l",
    ] {
        let url = format!("{base}?made={name}");
        let mut body = json!({"name": "Made"});
        body[name] = json!(url);
        let made = bed.create(&bed.a, body).await;
        assert_eq!(bed.look(&bed.a, &made).await["webhook"], url, "{name}");
        let mut body = json!({"label": "Direct"});
        body[name] = json!("not an address");
        let call = bed.post("/sessions").bearer(&bed.a.api_token);
        call.json(body).send().await.expect(400);
    }
}

async fn event_names_in_any_case(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Events"})).await;
    let set = async |events: Value| {
        let body = json!({"webhook_url": bed.sandbox.receiver_url(), "events": events});
        let call = bed.post(&made.path("/webhook")).bearer(&bed.a.jwt);
        call.json(body).send().await
    };
    for (events, due) in [
        (json!(["message", "connected"]), "Connected,Message"),
        (json!("MESSAGE, readReceipt"), "Message,ReadReceipt"),
        (json!(["all"]), "All"),
        (json!(["Message", " ", "message"]), "Message"),
        (json!(" groupparticipantsADD "), "GroupParticipantsAdd"),
    ] {
        let sorted = |text: &Value| {
            let mut names: Vec<_> = text.as_str().expect("text").split(',').collect();
            names.sort_unstable();
            names.join(",")
        };
        let answer = set(events.clone()).await.ok();
        assert_eq!(sorted(&answer["data"]["events"]), due, "{events}: {answer}");
        for name in hook(bed, &made).await["subscribe"]
            .as_array()
            .expect("a list")
        {
            assert!(due.split(',').any(|known| name == known), "{events}");
        }
        let body = json!({"name": "Events", "eventsSubscribe": events, "webhook": bed.sandbox.receiver_url()});
        let call = bed.call("PUT", "/instances/create").bearer(&bed.a.jwt);
        let made = call.json(body).send().await.ok();
        assert_eq!(sorted(&made["events_subscribe"]), due, "{events}: {made}");
    }
    for events in [
        json!(["receipt"]),
        json!("messageread"),
        json!(["Nachricht"]),
    ] {
        set(events).await.refused(400, "invalid_events");
    }
}

/// PHP's empty map.
async fn an_empty_list_where_an_object_belongs(bed: &mut Bed) {
    let php = |method: &str, path: &str| {
        let call = bed.call(method, path).bearer(&bed.a.jwt);
        call.header("content-type", "application/json")
    };
    let create = |body: &'static str| php("PUT", "/instances/create").body(body);
    let made = create(r#"{"name":"Php","labels":[],"events_subscribe":[]}"#);
    let made = made.send().await.ok();
    assert_eq!(made["labels"], json!({}), "{made}");
    let path = format!("/instances/{}", made["id"].as_str().expect("an id"));
    for body in [
        "[]",
        " [ ] ",
        r#"{"page":1,"size":20,"filter":[],"sort":"createdAt","sort_desc":true}"#,
    ] {
        let listed = php("POST", "/instances/list").body(body).send().await.ok();
        assert_eq!(listed["total"], 1, "{body}: {listed}");
    }
    let subscribed = php("POST", &format!("{path}/subscribe")).body("[]");
    assert_eq!(subscribed.send().await.ok()["mode"], "direct");
    for (method, path, field) in [
        ("PUT", "/instances/create".to_owned(), "name"),
        ("POST", "/instances/get".to_owned(), "id"),
        ("POST", format!("{path}/webhook"), "webhookURL"),
        ("POST", format!("{path}/chat/send/text"), "phone"),
    ] {
        let body = php(method, &path).body("[]").send().await;
        assert_eq!(body.refused(400, "invalid_field")["field"], field, "{path}");
    }
    // One that holds something means something else.
    for body in [r#"["a"]"#, "[{}]", "[null]", "[[]]"] {
        let listed = php("POST", "/instances/list").body(body).send().await;
        listed.refused(400, "invalid_json");
        let body = format!(r#"{{"filter":{body}}}"#);
        let listed = php("POST", "/instances/list").body(body).send().await;
        assert_eq!(listed.refused(400, "invalid_field")["field"], "filter");
    }
    for body in [
        r#"{"name":"Php","labels":["a"]}"#,
        r#"{"name":"Php","labels":"a"}"#,
    ] {
        let refused = create(body).send().await.refused(400, "invalid_field");
        assert_eq!(refused["field"], "labels");
    }
    // The keys of a free map are its owner's.
    let made = create(r#"{"name":"Php","labels":{"camelCase":1,"snake_case":2}}"#);
    let labels = made.send().await.ok()["labels"].clone();
    assert_eq!(labels, json!({"camelCase": 1, "snake_case": 2}));
}

async fn elsewhere_a_list_is_no_object(bed: &mut Bed) {
    let token = bed.post("/token").body("[]").send().await.expect(400);
    assert_eq!(token.json()["error"], "invalid_request");
    let login = bed.post("/login").json(json!([])).send().await;
    login.refused(400, "invalid_json");
    for (method, path) in [
        ("POST", "/account/credentials"),
        ("PATCH", "/account/credentials/CR1"),
        ("POST", "/account/credentials/CR1/rotate"),
    ] {
        let call = bed.call(method, path).bearer(&bed.a.jwt).json(json!([]));
        call.send().await.refused(400, "invalid_json");
    }
    let who = sign_in(bed, OWNER_A).await.confirmed(bed).await;
    for path in ["/dashboard/api/credentials", "/dashboard/api/instances"] {
        let call = who.ask(bed, "POST", path).json(json!([]));
        call.send().await.refused(400, "invalid_json");
    }
}

/// `null`, `""` and 0 where nothing was set (TypeScript, PHP, Go, .NET).
async fn what_clients_send_for_unset(bed: &mut Bed) {
    let create = bed.call("PUT", "/instances/create").bearer(&bed.a.jwt);
    let made = create.json(json!({
        "name": "Unset", "webhook": "", "webhook_url": null, "events_subscribe": "", "labels": null,
        "reject_calls": null, "autoReadMessages": null,
    }));
    let made = made.send().await.ok();
    assert_eq!(made["webhook"], Value::Null, "{made}");
    for body in [
        json!({"page": 0, "size": 0, "filter": null, "sort": "", "sort_desc": null}),
        json!({"page": 0, "page_size": 0, "filter": {"query": ""}, "search": "", "sortDesc": false}),
        json!({"page": null, "size": null, "filter": {"query": null}, "search": "unset"}),
        json!({"filter": {"query": ""}, "search": "Unset"}),
    ] {
        let call = bed.post("/instances/list").bearer(&bed.a.jwt);
        let listed = call.json(body.clone()).send().await.ok();
        assert_eq!(
            (&listed["total"], &listed["page"], &listed["size"]),
            (&json!(1), &json!(1), &json!(20)),
            "{body}: {listed}"
        );
    }
    let call = bed.post("/instances/list").bearer(&bed.a.jwt);
    let none = call.json(json!({"filter": {"query": ""}, "search": "other"}));
    assert_eq!(none.send().await.ok()["total"], 0);
    let made = bed.paired(&bed.a, SHOP).await;
    let sent = bed.send(
        &bed.a,
        &made,
        json!({
            "phone": CUSTOMER, "message": "unset", "id": "", "delay": 0, "mentioned_ids": null,
            "reply_to_message_id": "", "instance_id": made.id, "message_id": "X",
        }),
    );
    sent.await.expect(200);
    bed.wait_shown(CUSTOMER, "unset").await;
    for (body, field) in [
        (json!({"phone": "", "message": "x"}), "phone"),
        (json!({"phone": CUSTOMER, "message": ""}), "message"),
    ] {
        let refused = bed.send(&bed.a, &made, body).await.expect(400);
        let text = refused.json()["message"].to_string();
        assert!(text.contains(field), "{refused:?}");
    }
}

async fn any_body_subscribes(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Paying"})).await;
    let mut ids = Vec::new();
    for body in [
        "",
        "{}",
        "[]",
        r#"{"success_url":"https://example.com/a","cancel_url":"https://example.com/b"}"#,
        r#"{"successUrl":"","cancelUrl":null}"#,
        r#"{"events":["Message"]}"#,
        r#"{"billing":"direct"}"#,
        r#"{"billing_type":"direct"}"#,
        r#"{"plan":"direct","x":{"y":[]}}"#,
    ] {
        let call = bed.post(&made.path("/subscribe")).bearer(&bed.a.jwt);
        let call = call.header("content-type", "application/json").body(body);
        ids.push(call.send().await.ok()["subscription_id"].clone());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

async fn numbers_of_pages(bed: &mut Bed) {
    for at in 0..3 {
        bed.create(&bed.a, json!({"name": format!("Number {at}")}))
            .await;
    }
    for (size, due) in [
        (json!(0), 20),
        (json!(-1), 20),
        (json!(0.0), 20),
        (json!(2), 2),
        (json!(2.0), 2),
        (json!(1000), 100),
        (json!(1e3), 100),
    ] {
        for name in ["size", "page_size", "pageSize"] {
            let mut body = json!({"page": 1.0});
            body[name] = size.clone();
            let call = bed.post("/instances/list").bearer(&bed.a.jwt);
            let listed = call.json(body).send().await.ok();
            let rows = listed["content"].as_array().expect("rows").len();
            assert_eq!((&listed["size"], rows), (&json!(due), due.min(3)), "{size}");
        }
    }
    // The dashboard's own list, by its query.
    let who = sign_in(bed, OWNER_A).await;
    let path = "/dashboard/api/instances?page=0&size=0";
    let listed = who.ask(bed, "GET", path).send().await.ok();
    let rows = listed["instances"].as_array().expect("rows").len();
    assert_eq!((rows, &listed["total"]), (3, &json!(3)), "{listed}");
}

/// Go reads every answer into a map: no route of the contract answers a bare list, or text.
#[test]
fn every_answer_is_an_object() {
    let mut looked = 0;
    for row in recado_api::routes() {
        if ![Surface::Instance, Surface::Token].contains(&row.surface) {
            continue;
        }
        let Some((status, schema)) = &row.takes.answer else {
            continue;
        };
        let is_object = |schema: &Value| schema["type"] == "object";
        let variants = schema["anyOf"].as_array().or(schema["oneOf"].as_array());
        let fits = schema.is_null()
            || is_object(schema)
            || variants.is_some_and(|variants| variants.iter().all(is_object));
        assert!(fits, "{} {} {status}: {schema}", row.method, row.path);
        looked += 1;
    }
    assert!(looked > 15, "only {looked}");
}
