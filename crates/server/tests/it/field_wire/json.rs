//! JSON as other languages write it: `1.0`, a byte order mark, a key twice, half an emoji.

use serde_json::{Value, json};

use crate::{
    gateway::{Bed, CUSTOMER, Call, SHOP},
    people_access::people::{OWNER_A, PASSWORD, sign_in},
};

on_both! {
    whole_numbers_with_a_point,
    a_byte_order_mark_is_ignored,
    a_key_given_twice_is_refused,
    half_an_emoji_is_named,
}

fn json_call(call: Call, body: &str) -> Call {
    call.header("content-type", "application/json")
        .body(body.to_owned())
}

async fn whole_numbers_with_a_point(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let path = made.path("/chat/send/text");
    let send = |body: String| json_call(bed.post(&path).bearer(&bed.a.jwt), &body);
    for (at, (phone, delay)) in [
        (format!("{CUSTOMER}.0"), "0.0"),
        (CUSTOMER.to_owned(), "1.0"),
        (format!("{CUSTOMER}.0"), "1e0"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("point {at}");
        let body = format!(r#"{{"phone":{phone},"message":"{text}","delay":{delay}}}"#);
        send(body).send().await.expect(200);
        bed.wait_shown(CUSTOMER, &text).await;
    }
    for delay in ["1.5", "1e40", "-1.0", "\"1\"", "true", "1e400"] {
        let body = format!(r#"{{"phone":"{CUSTOMER}","message":"x","delay":{delay}}}"#);
        let answer = send(body).send().await.expect(400);
        if delay != "1e400" {
            assert_eq!(answer.json()["field"], "delay", "{answer:?}");
        }
    }
    for phone in ["5511999990009.5", "-5511999990009.0", "1e40"] {
        let body = format!(r#"{{"phone":{phone},"message":"x"}}"#);
        let answer = send(body).send().await.expect(400);
        assert_eq!(answer.json()["field"], "phone", "{answer:?}");
    }
    // A grace of a rotation, on both surfaces that know it.
    let create = bed.post("/account/credentials").bearer(&bed.a.jwt);
    let key = create.json(json!({"kind": "api_token"})).send().await.ok();
    let id = key["id"].as_str().expect("an id");
    let rotate = bed.post(&format!("/account/credentials/{id}/rotate"));
    let rotate = json_call(rotate.bearer(&bed.a.jwt), r#"{"grace_seconds":60.0}"#);
    assert!(rotate.send().await.ok()["replaces"]["grace_until"].is_string());
    let rotate = bed.post(&format!("/account/credentials/{id}/rotate"));
    let rotate = json_call(rotate.bearer(&bed.a.jwt), r#"{"grace_seconds":60.5}"#);
    let refused = rotate.send().await.refused(400, "invalid_field");
    assert_eq!(refused["field"], "grace_seconds");
}

async fn a_byte_order_mark_is_ignored(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Marked"})).await;
    let mark = |body: Value| format!("\u{feff}{body}");
    let client = json!({"client_token": bed.a.client_token, "client_secret": bed.a.client_secret});
    let who = sign_in(bed, OWNER_A).await.confirmed(bed).await;
    let create = bed.post("/account/credentials").bearer(&bed.a.jwt);
    let body = json!({"kind": "api_token", "label": "marked"});
    let key = json_call(create, &mark(body)).send().await.ok();
    let key = format!(
        "/account/credentials/{}",
        key["id"].as_str().expect("an id")
    );
    for (call, body) in [
        (bed.post("/token"), client),
        (
            bed.post("/instances/list").bearer(&bed.a.jwt),
            json!({"size": 1}),
        ),
        (
            bed.post(&made.path("/subscribe")).bearer(&bed.a.jwt),
            json!({}),
        ),
        (bed.post("/sessions").bearer(&bed.a.api_token), json!({})),
        (
            bed.post("/api/mcp/").bearer(&bed.a.api_token),
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
        ),
        (
            bed.post("/api/mcp/"),
            json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"}),
        ),
        (
            bed.post("/api/mcp/").bearer(&bed.a.api_token),
            json!([{"jsonrpc": "2.0", "id": 1, "method": "ping"}]),
        ),
        (
            bed.post("/login"),
            json!({"email": OWNER_A, "password": PASSWORD}),
        ),
        (
            who.ask(bed, "POST", "/dashboard/api/instances"),
            json!({"name": "Marked too"}),
        ),
        // `null` says something here, with a mark before it too.
        (
            bed.call("PATCH", &key).bearer(&bed.a.jwt),
            json!({"label": null}),
        ),
    ] {
        let answer = json_call(call, &mark(body)).send().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert!(answer.json().get("error").is_none(), "{answer:?}");
    }
    let shown = bed.get(&key).bearer(&bed.a.jwt).send().await.ok();
    assert_eq!(shown["label"], Value::Null, "{shown}");
    // Alone it is no body; within one it is no space.
    let list = |body: &str| json_call(bed.post("/instances/list").bearer(&bed.a.jwt), body);
    list("\u{feff}").send().await.expect(200);
    for body in ["\u{feff}\u{feff}{}", "{}\u{feff}", " \u{feff}{}"] {
        list(body).send().await.refused(400, "invalid_json");
    }
    // Without a token the id is found and echoed all the same.
    let ping = mark(json!({"jsonrpc": "2.0", "id": 77, "method": "ping"}));
    let refused = json_call(bed.post("/api/mcp/"), &ping).send().await;
    assert_eq!(refused.expect(401).json()["id"], 77);
}

/// Wherever a body is read, and at every depth: which of the two counts would be anybody's guess.
async fn a_key_given_twice_is_refused(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Twice"})).await;
    let (id, secret) = (&bed.a.client_token, &bed.a.client_secret);
    let both = format!(r#""client_token":"{id}","client_secret":"{secret}""#);
    for path in ["/token", "/introspect", "/revoke"] {
        for body in [
            format!(r#"{{{both},"client_secret":"cs_junk"}}"#),
            format!(r#"{{"client_secret":"cs_junk",{both}}}"#),
            format!(r#"{{{both},"client_\u0073ecret":"{secret}"}}"#),
            format!(r#"{{{both},"token":"a","token":"b"}}"#),
            format!(r#"{{{both},"token":"a","more":{{"scope":"a","scope":"b"}}}}"#),
        ] {
            let answer = json_call(bed.post(path), &body).send().await.expect(400);
            assert_eq!(answer.json()["error"], "invalid_request", "{body}");
            assert!(answer.text().contains("twice"), "{answer:?}");
            assert!(!answer.text().contains(secret.as_str()), "{answer:?}");
        }
    }
    let who = sign_in(bed, OWNER_A).await.confirmed(bed).await;
    let page = |method: &str, path: &str| who.ask(bed, method, path);
    let rest = |method: &str, path: &str| bed.call(method, path).bearer(&bed.a.jwt);
    let login = format!(r#"{{"email":"{OWNER_A}","password":"x","password":"{PASSWORD}"}}"#);
    let keys = "/dashboard/api/credentials";
    for (call, body) in [
        (bed.post("/login"), login.as_str()),
        (
            page("POST", "/dashboard/api/confirm"),
            r#"{"password":"a","password":"b"}"#,
        ),
        (
            page("POST", "/dashboard/api/members/invite"),
            r#"{"email":"x@example.com","role":"viewer","role":"owner"}"#,
        ),
        (
            page("PATCH", "/dashboard/api/members/US1"),
            r#"{"role":"viewer","role":"owner"}"#,
        ),
        (
            page("POST", keys),
            r#"{"kind":"api_token","networks":["192.0.2.0/24"],"networks":[]}"#,
        ),
        (
            page("PATCH", &format!("{keys}/CR1")),
            r#"{"networks":["192.0.2.0/24"],"networks":null}"#,
        ),
        (
            page("POST", "/dashboard/api/account/switch"),
            r#"{"account":"a","account":"b"}"#,
        ),
        (
            rest("POST", "/account/credentials"),
            r#"{"kind":"api_token","instances":["RC1"],"instances":null}"#,
        ),
        (
            rest("POST", "/account/credentials"),
            r#"{"kind":"api_token","x":[{"networks":1,"networks":2}]}"#,
        ),
        (
            rest("PATCH", "/account/credentials/CR1"),
            r#"{"expires_at":"2030-01-01T00:00:00Z","expires_at":null}"#,
        ),
        (
            rest("POST", "/account/credentials/CR1/rotate"),
            r#"{"grace_seconds":0,"grace_seconds":1}"#,
        ),
        (
            rest("PUT", "/instances/create"),
            r#"{"name":"abc","labels":{"a":1,"a":2}}"#,
        ),
        (rest("POST", "/instances/get"), r#"{"id":"a","id":"b"}"#),
        (
            rest("POST", "/instances/list"),
            r#"{"filter":{"query":"a","query":"b"}}"#,
        ),
        (
            rest("POST", &made.path("/webhook")),
            r#"{"url":"http://a.example","x":{"y":{"z":1,"z":1}}}"#,
        ),
    ] {
        let body_of = json_call(call, body)
            .send()
            .await
            .refused(400, "invalid_json");
        let text = body_of["message"].as_str().expect("text");
        assert!(text.contains("twice"), "{body}: {text}");
    }
    let direct = bed.post("/sessions").bearer(&bed.a.api_token);
    let direct = json_call(direct, r#"{"label":"a","label":"b"}"#)
        .send()
        .await;
    assert!(direct.expect(400).text().contains("twice"));
    // The same name in two objects, and the same value twice in a list, are no repetition.
    let create = rest("PUT", "/instances/create");
    let body = r#"{"name":"Once","labels":{"name":1,"a":{"name":2},"b":[{"name":3},{"name":3}]}}"#;
    json_call(create, body).send().await.expect(200);
}

/// A text that was cut at a number of UTF-16 units.
async fn half_an_emoji_is_named(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let path = made.path("/chat/send/text");
    let rest = |method: &str, path: &str| bed.call(method, path).bearer(&bed.a.jwt);
    let half = "half of an emoji";
    for (call, body, field) in [
        (
            rest("POST", &path),
            format!(r#"{{"phone":"{CUSTOMER}","message":"cut \ud83d"}}"#),
            "message",
        ),
        (
            rest("POST", &path),
            format!(r#"{{"phone":"{CUSTOMER}","message":"\ude00 end"}}"#),
            "message",
        ),
        (
            rest("POST", &path),
            format!(r#"{{"phone":"{CUSTOMER}","message":"a\ud83d\n"}}"#),
            "message",
        ),
        (
            rest("POST", &path),
            format!(r#"{{"phone":"{CUSTOMER}","message":"\ud83d\u0041"}}"#),
            "message",
        ),
        (
            rest("POST", &path),
            format!(r#"{{"message":"\uD83D\uD83D\uDE00","phone":"{CUSTOMER}"}}"#),
            "message",
        ),
        (
            rest("POST", &path),
            format!(r#"{{"phone":"{CUSTOMER}","message":"x","mentioned_ids":["a","\ud83d"]}}"#),
            "mentioned_ids[1]",
        ),
        (
            rest("PUT", "/instances/create"),
            r#"{"name":"Shop \ud83d"}"#.to_owned(),
            "name",
        ),
        (
            rest("PUT", "/instances/create"),
            r#"{"name":"Shop","labels":{"a":{"b":"\udfff"}}}"#.to_owned(),
            "labels.a.b",
        ),
        (
            rest("PUT", "/instances/create"),
            r#"{"name":"Shop","labels":{"\ud83d":1}}"#.to_owned(),
            "labels",
        ),
        (
            rest("POST", "/account/credentials"),
            r#"{"kind":"api_token","label":"\ud83d"}"#.to_owned(),
            "label",
        ),
        (
            rest("PATCH", "/account/credentials/CR1"),
            r#"{"label":"\ud83d"}"#.to_owned(),
            "label",
        ),
        (
            bed.post("/login"),
            r#"{"email":"x","password":"\ud83d"}"#.to_owned(),
            "password",
        ),
    ] {
        let answer = json_call(call, &body).send().await;
        let told = answer.clone().refused(400, "invalid_field");
        assert_eq!(told["field"], field, "{body}: {told}");
        let text = told["message"].as_str().expect("text");
        assert!(
            text.starts_with(field) && text.contains(half),
            "{body}: {text}"
        );
    }
    let token = json_call(
        bed.post("/token"),
        r#"{"client_token":"\ud83d","client_secret":"x"}"#,
    );
    let token = token.send().await.expect(400).json();
    let text = token["error_description"].as_str().expect("text");
    assert!(
        text.contains(half) && text.contains("client_token"),
        "{text}"
    );
    let (name, key) = bed.direct_session().await;
    let (name, key) = (name.as_str(), key.as_str());
    let send = bed
        .post(&format!("/sessions/{name}/messages"))
        .header("x-api-key", key);
    let send = json_call(send, r#"{"to":"5511999990009","text":"\ud83d"}"#)
        .send()
        .await;
    let text = send.expect(400).text();
    assert!(text.contains(half) && text.contains("text"), "{text}");
    // Whole ones pass, escaped or not, and a backslash that is one.
    for (body, shown) in [
        (r#"whole \ud83d\ude00"#, "whole \u{1f600}"),
        ("plain \u{1f600}", "plain \u{1f600}"),
        (r#"text \\ud83d"#, r"text \ud83d"),
    ] {
        let body = format!(r#"{{"phone":"{CUSTOMER}","message":"{body}"}}"#);
        json_call(rest("POST", &path), &body)
            .send()
            .await
            .expect(200);
        bed.wait_shown(CUSTOMER, shown).await;
    }
    // What is broken beside that is broken first.
    let broken = json_call(rest("POST", &path), r#"{"message":"\ud83d","phone":}"#);
    broken.send().await.expect(400);
}
