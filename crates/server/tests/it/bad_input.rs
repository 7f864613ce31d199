//! What is refused, with which status, and in which words.

use serde_json::{Value, json};

use crate::{
    gateway::{Bed, CUSTOMER, SHOP, until},
    wire,
};

on_both! {
    bodies,
    fields,
    large_bodies_are_refused_unread,
    states,
}

async fn bodies(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Bodies"})).await;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(100), "}".repeat(100));
    let list = format!(
        r#"{{"phone":{}1{}}}"#,
        "[".repeat(50_000),
        "]".repeat(50_000)
    );
    for (method, path) in [
        ("PUT", "/instances/create".to_owned()),
        ("POST", "/instances/list".to_owned()),
        ("POST", "/instances/get".to_owned()),
        ("POST", made.path("/chat/send/text")),
        ("POST", made.path("/webhook")),
    ] {
        let call = || {
            bed.call(method, &path)
                .bearer(&bed.a.jwt)
                .header("content-type", "application/json")
        };
        for (what, body) in [
            ("half", "{\"name\": ".to_owned()),
            ("not JSON", "name=x".to_owned()),
            ("an array", json!(["ct", "cs"]).to_string()),
            ("an array of objects", json!([{"name": "x"}]).to_string()),
            ("a string", json!("name").to_string()),
            ("a number", "5".to_owned()),
            ("null", "null".to_owned()),
            ("two objects", "{}{}".to_owned()),
            (
                "repeated field",
                r#"{"name":"aaa","name":"bbb"}"#.to_owned(),
            ),
            ("deep", deep.clone()),
            ("very deep", list.clone()),
        ] {
            let answer = call().body(body).send().await;
            assert_eq!(answer.status, 400, "{what}: {answer:?}");
            answer.refused(400, "invalid_json");
        }
        let answer = call().body(b"{\"name\": \"\xff\"}".to_vec()).send().await;
        answer.refused(400, "invalid_json");
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/xml",
        ] {
            let call = bed
                .call(method, &path)
                .bearer(&bed.a.jwt)
                .header("content-type", kind);
            call.body("{}")
                .send()
                .await
                .refused(415, "unsupported_media_type");
        }
    }
    // What careless clients send is fine.
    for kind in [
        "application/json; charset=utf-8",
        "application/vnd.api+json",
        "",
    ] {
        let call = bed
            .post("/instances/list")
            .bearer(&bed.a.jwt)
            .header("content-type", kind);
        call.body("{}").send().await.expect(200);
    }
    bed.post("/instances/list")
        .bearer(&bed.a.jwt)
        .send()
        .await
        .expect(200);
    // No field makes anybody an owner; unknown ones are ignored.
    let body = json!({"name": "Mine", "account": bed.b.id, "account_id": bed.b.id, "owner": "b", "id": "RCX", "billing_status": "FREE", "status": "connected"});
    let mine = bed.create(&bed.a, body).await;
    assert_ne!(mine.id, "RCX");
    assert_eq!(bed.look(&bed.a, &mine).await["status"], "disconnected");
    bed.get(&mine.path(""))
        .bearer(&bed.b.jwt)
        .send()
        .await
        .refused(403, "forbidden");
}

async fn fields(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let create = |body: Value| {
        bed.call("PUT", "/instances/create")
            .bearer(&bed.a.jwt)
            .json(body)
    };
    for (body, code, field) in [
        (json!({}), "invalid_field", "name"),
        (json!({"name": null}), "invalid_field", "name"),
        (json!({"name": "ab"}), "invalid_field", "name"),
        (json!({"name": "x".repeat(256)}), "invalid_field", "name"),
        (json!({"name": 5}), "invalid_field", "name"),
        (
            json!({"name": "Shop", "labels": ["a"]}),
            "invalid_field",
            "labels",
        ),
        (
            json!({"name": "Shop", "reject_calls": "yes"}),
            "invalid_field",
            "reject_calls",
        ),
        (
            json!({"name": "Shop", "events_subscribe": ["Receipt"]}),
            "invalid_events",
            "",
        ),
        (
            json!({"name": "Shop", "events_subscribe": 5}),
            "invalid_field",
            "events_subscribe",
        ),
        (
            json!({"name": "Shop", "webhook": "not a url"}),
            "invalid_url",
            "",
        ),
        (
            json!({"name": "Shop", "webhook": "ftp://example.com"}),
            "invalid_url",
            "",
        ),
    ] {
        let refused = create(body).send().await.refused(400, code);
        if !field.is_empty() {
            assert_eq!(refused["field"], field, "{refused}");
            assert!(
                refused["message"].as_str().expect("text").contains(field),
                "{refused}"
            );
        }
    }
    let send = |body: Value| bed.send(&bed.a, &made, body);
    for (body, code) in [
        (json!({"message": "x"}), "invalid_field"),
        (json!({"phone": CUSTOMER}), "invalid_field"),
        (json!({"phone": CUSTOMER, "message": ""}), "invalid_field"),
        (json!({"phone": CUSTOMER, "message": null}), "invalid_field"),
        (
            json!({"phone": CUSTOMER, "message": "x".repeat(65_537)}),
            "invalid_field",
        ),
        (
            json!({"phone": CUSTOMER, "message": "x", "delay": -1}),
            "invalid_field",
        ),
        (
            json!({"phone": CUSTOMER, "message": "x", "delay": 86_400_001}),
            "invalid_field",
        ),
        (
            json!({"phone": CUSTOMER, "message": "x", "delay": 1.5}),
            "invalid_field",
        ),
        (
            json!({"phone": CUSTOMER, "message": "x", "reply_to_message_id": "UNKNOWN01"}),
            "invalid_field",
        ),
        (json!({"phone": "", "message": "x"}), "invalid_phone"),
        (json!({"phone": "abc", "message": "x"}), "invalid_phone"),
        (json!({"phone": "123", "message": "x"}), "invalid_phone"),
        (
            json!({"phone": "1".repeat(40), "message": "x"}),
            "invalid_phone",
        ),
        (
            json!({"phone": "0034600000000", "message": "x"}),
            "invalid_phone",
        ),
        (
            json!({"phone": "5511999990009@evil.example", "message": "x"}),
            "invalid_phone",
        ),
        (json!({"phone": "x@g.us", "message": "x"}), "invalid_phone"),
        (
            json!({"phone": "5511999990009\r\nX: y", "message": "x"}),
            "invalid_phone",
        ),
    ] {
        let shown = body["phone"].to_string();
        let answer = send(body).await;
        assert_eq!(answer.json()["error_code"], code, "{shown}: {answer:?}");
        answer.refused(400, code);
    }
    // A number as a number, and every usual way to write one.
    let number: i64 = CUSTOMER.parse().expect("a number");
    for (at, phone) in [
        json!(number),
        json!(format!("+{CUSTOMER}")),
        json!("+55 (11) 99999-0009"),
        json!(format!("{CUSTOMER}@s.whatsapp.net")),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("spelling {at}");
        send(json!({"phone": phone, "message": text}))
            .await
            .expect(200);
        bed.wait_shown(CUSTOMER, &text).await;
    }
    let hook = |body: Value| {
        bed.post(&made.path("/webhook"))
            .bearer(&bed.a.jwt)
            .json(body)
    };
    hook(json!({})).send().await.refused(400, "invalid_field");
    hook(json!({"webhookURL": ""}))
        .send()
        .await
        .refused(400, "invalid_field");
    hook(json!({"events": ["All"]}))
        .send()
        .await
        .refused(400, "invalid_field");
    let both = json!({"webhookURL": "https://a.example", "url": "https://b.example"});
    let twice = hook(both).send().await.refused(400, "invalid_field");
    assert_eq!(twice["field"], "webhookURL");
    hook(json!({"webhookURL": "https://example.com", "events": ["Receipt"]}))
        .send()
        .await
        .refused(400, "invalid_events");
    let refused = bed
        .get(&made.path("/session/qr?format=gif"))
        .bearer(&bed.a.jwt)
        .send()
        .await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let list = |body: Value| bed.post("/instances/list").bearer(&bed.a.jwt).json(body);
    list(json!({"sort": "token"}))
        .send()
        .await
        .refused(400, "invalid_field");
    list(json!({"page": "first"}))
        .send()
        .await
        .refused(400, "invalid_field");
    let page = list(json!({"page": 99, "size": 1000})).send().await.ok();
    assert_eq!(
        (&page["total"], &page["content"], &page["size"]),
        (&json!(1), &json!([]), &json!(100))
    );
    // What one of the databases cannot hold is no fault of the gateway's, on either.
    let odd = json!({"name": "Shop", "labels": {"note": "n\u{0}l \u{202e}"}});
    let odd = create(odd).send().await.ok();
    assert_eq!(odd["labels"]["note"], "n\u{0}l \u{202e}");
    let odd = create(json!({"name": "Sh\u{f3}p \u{1f680} \u{645}"}));
    assert_eq!(odd.send().await.ok()["name"], "Sh\u{f3}p \u{1f680} \u{645}");
    // Names that would read as others, or do something to a terminal.
    for c in [
        '\0', '\n', '\u{1b}', '\u{85}', '\u{2028}', '\u{202e}', '\u{2066}',
    ] {
        let text = format!("Sh{c}p");
        let answer = create(json!({ "name": text })).send().await;
        let body = answer.refused(400, "invalid_field");
        assert_eq!(body["field"], "name", "{c:?}");
        let session = bed.post("/sessions").bearer(&bed.a.api_token);
        let answer = session.json(json!({ "label": text })).send().await;
        assert!(answer.expect(400).text().contains("label"), "{c:?}");
        let link = json!({"label": text, "force_new": true});
        let result = bed.tool(&bed.a, "connect_whatsapp", link).await;
        assert_eq!(result["isError"], true, "{c:?}: {result}");
    }
    list(json!({"filter": {"query": "\u{0}"}}))
        .send()
        .await
        .expect(200);
    send(json!({"phone": CUSTOMER, "message": "nul \u{0} inside"}))
        .await
        .expect(200);
    bed.wait_shown(CUSTOMER, "nul \u{0} inside").await;
    // A message that could not be stored would come again for ever.
    let said = bed
        .sandbox
        .network()
        .send_text(CUSTOMER, SHOP, "from \u{0} outside");
    let said = said.expect("sent").id;
    until("the message with a NUL", async || {
        let mut conn = bed.read().await;
        let mut account = conn.account(&bed.a.id);
        let events = account.events(&made.instance(), None, 100).await;
        let events = events.expect("events");
        let found = events
            .iter()
            .any(|event| event.payload["event"]["info"]["id"] == said);
        found.then_some(())
    })
    .await;
    let page = list(json!({"filter": {"query": "100%_\\ '; DROP TABLE instance"}}))
        .send()
        .await
        .ok();
    assert_eq!(page["total"], 0);
}

async fn large_bodies_are_refused_unread(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Large"})).await;
    let path = made.path("/chat/send/text");
    let body = json!({"phone": CUSTOMER, "message": "x".repeat(1_100_000)});
    let answer = bed.post(&path).bearer(&bed.a.jwt).json(body).send().await;
    answer.refused(413, "payload_too_large");
    // Ten gigabytes announced, a few bytes sent: the answer does not wait for them.
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n",
        bed.a.jwt
    );
    let request = format!("{head}content-length: 10000000000\r\n\r\n{{\"phone\"");
    let answer = wire::exchange(bed.address(), request.as_bytes()).await;
    assert_eq!(wire::status(&answer), 413, "{answer}");
    assert!(
        answer.contains("payload_too_large") && answer.to_lowercase().contains("x-request-id: rq"),
        "{answer}"
    );
    // No length announced: refused as soon as it is over the limit, although it never ends.
    let mut request = format!("{head}transfer-encoding: chunked\r\n\r\n");
    for _ in 0..17 {
        request.push_str(&format!("10000\r\n{}\r\n", " ".repeat(0x10000)));
    }
    let answer = wire::exchange(bed.address(), request.as_bytes()).await;
    assert_eq!(wire::status(&answer), 413, "{answer}");
    // At MCP an unproven caller gets 64 KiB, a proven one the configured limit.
    let pad =
        json!({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"pad": "x".repeat(70_000)}});
    bed.post("/api/mcp/")
        .json(pad.clone())
        .send()
        .await
        .expect(413);
    bed.mcp(&bed.a, pad).await.expect(200);
    // A body that breaks off is the caller's fault, not ours.
    let request = format!("{head}content-length: 12\r\n\r\n{{}}");
    let mut stream = tokio::net::TcpStream::connect(bed.address())
        .await
        .expect("it listens");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .expect("sent");
    drop(stream);
    bed.get("/livez").send().await.expect(200);
}

async fn states(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "States"})).await;
    // Not connected: it says how to get there.
    let answer = bed
        .send(&bed.a, &made, json!({"phone": CUSTOMER, "message": "x"}))
        .await;
    let refused = answer.refused(409, "instance_not_connected");
    assert!(
        refused["message"]
            .as_str()
            .expect("text")
            .contains("session/qr")
    );
    let answer = bed
        .get(&made.path("/session/paircode/abc"))
        .bearer(&bed.a.jwt)
        .send()
        .await;
    answer.refused(400, "invalid_phone");
    bed.scan(&bed.a, &made, SHOP).await;
    // A QR when connected: its state in JSON, 409 for the picture of it.
    let qr = bed
        .get(&made.path("/session/qr"))
        .bearer(&bed.a.jwt)
        .send()
        .await
        .ok();
    assert_eq!(
        qr["data"],
        json!({"status": "connected", "phone": SHOP, "pairing_status": "connected"})
    );
    for format in ["png", "svg", "text"] {
        let path = made.path(&format!("/session/qr?format={format}"));
        let answer = bed.get(&path).bearer(&bed.a.jwt).send().await;
        answer.refused(409, "already_connected");
    }
    let answer = bed
        .get(&made.path(&format!("/session/paircode/{SHOP}")))
        .bearer(&bed.a.jwt)
        .send()
        .await;
    let refused = answer.refused(409, "already_connected");
    assert!(
        refused["message"].as_str().expect("text").contains(SHOP),
        "{refused}"
    );
    // An unknown instance, by path and by body.
    bed.get("/instances/RCUNKNOWN/session/status")
        .bearer(&bed.a.jwt)
        .send()
        .await
        .refused(403, "forbidden");
    bed.post("/instances/get")
        .bearer(&bed.a.jwt)
        .json(json!({"id": ""}))
        .send()
        .await
        .refused(403, "forbidden");
    // A number that is not on WhatsApp is refused at once, and holds up nobody.
    let nobody = bed.send(
        &bed.a,
        &made,
        json!({"phone": "5511900000000", "message": "nobody"}),
    );
    let refused = nobody.await.refused(400, "not_on_whatsapp");
    assert_eq!(refused["field"], "phone");
    bed.send(&bed.a, &made, json!({"phone": CUSTOMER, "message": "next"}))
        .await
        .expect(200);
    bed.wait_shown(CUSTOMER, "next").await;
}
