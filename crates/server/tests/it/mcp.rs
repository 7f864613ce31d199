//! The MCP endpoint: the contract's table row by row, batches, and the modern revision beside that.

use recado_model::{Token, TokenKind, clock::OsRng};
use serde_json::{Value, json};

use crate::{
    gateway::{Answer, Bed, CUSTOMER, Call, SHOP, SHOP_TOO},
    story::inner,
    wire,
};

on_both! {
    the_contracts_table,
    ids_are_echoed_as_written,
    unauthorized_in_the_contracts_words,
    notifications_and_batches,
    the_modern_revision,
    who_may_speak,
    a_token_that_does_not_hold_is_told_at_once,
    what_a_tool_does_not_take_is_not_dropped,
}

fn request(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

fn call_of(tool: &str) -> Value {
    request("tools/call", json!({"name": tool, "arguments": {}}))
}

fn post(bed: &Bed) -> Call {
    bed.post("/api/mcp/").bearer(&bed.a.api_token)
}

/// A JSON-RPC error and nothing beside it.
#[track_caller]
fn is_error(answer: &Answer, status: u16, code: i64, id: Value) -> String {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = answer.json();
    assert_eq!(
        (&body["jsonrpc"], &body["error"]["code"]),
        (&json!("2.0"), &json!(code)),
        "{answer:?}"
    );
    assert_eq!(body.get("id"), Some(&id), "{answer:?}");
    assert!(body.get("result").is_none(), "{answer:?}");
    assert!(
        answer
            .header("content-type")
            .starts_with("application/json"),
        "{answer:?}"
    );
    body["error"]["message"]
        .as_str()
        .expect("a message")
        .to_owned()
}

async fn the_contracts_table(bed: &mut Bed) {
    // The contract's curl, whatever it says it accepts, with and without the slash.
    let plain = call_of("get_shop_status");
    for (path, accept) in [
        ("/api/mcp/", Some("*/*")),
        ("/api/mcp/", Some("application/json")),
        ("/api/mcp", Some("text/event-stream")),
        ("/api/mcp", None),
    ] {
        let call = bed.post(path).bearer(&bed.a.api_token).json(plain.clone());
        let call = accept
            .into_iter()
            .fold(call, |call, accept| call.header("accept", accept));
        let answer = call.send().await;
        answer.hygiene();
        let body = answer.ok();
        assert_eq!(
            (&body["id"], &body["result"]["isError"]),
            (&json!(1), &json!(false))
        );
        assert_eq!(inner(&body["result"])["name"], "Shop A");
    }
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let hello = bed
            .post("/api/mcp/")
            .json(request("initialize", params))
            .send()
            .await
            .ok();
        assert_eq!(hello["result"]["protocolVersion"], version, "{hello}");
    }
    let params = json!({"protocolVersion": "1999-01-01", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let hello = bed
        .post("/api/mcp/")
        .json(request("initialize", params))
        .send()
        .await
        .ok();
    assert_eq!(hello["result"]["protocolVersion"], "2025-11-25");
    // Careless: no parameters at all, no token; it says who we are and nothing of anybody.
    let hello = bed
        .post("/api/mcp/")
        .json(json!({"jsonrpc": "2.0", "id": "x", "method": "initialize"}))
        .send()
        .await;
    assert!(
        !hello.headers.contains_key("mcp-session-id"),
        "no session is ever made"
    );
    let hello = hello.ok();
    assert_eq!(
        (&hello["id"], &hello["result"]["serverInfo"]["name"]),
        (&json!("x"), &json!("recado"))
    );
    assert_eq!(
        hello["result"]["capabilities"],
        json!({"tools": {"listChanged": false}})
    );
    assert!(
        hello["result"]["instructions"]
            .as_str()
            .expect("text")
            .contains("untrusted")
    );

    let ping = bed.mcp(&bed.a, request("ping", json!({}))).await.ok();
    assert_eq!(ping["result"], json!({}));
    let list = bed.mcp(&bed.a, request("tools/list", json!({}))).await.ok();
    let tools = list["result"]["tools"].as_array().expect("tools");
    let names: Vec<_> = tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        names,
        [
            "connect_whatsapp",
            "get_api_key",
            "get_shop_status",
            "get_whatsapp_outbound_delivery_status",
            "get_whatsapp_outbound_queue_status",
            "get_whatsapp_qr",
            "get_whatsapp_status",
            "regenerate_api_key",
            "send_whatsapp_contact",
            "send_whatsapp_location",
            "send_whatsapp_message"
        ]
    );
    assert!(
        tools
            .iter()
            .all(|tool| tool["inputSchema"]["type"] == "object")
    );
    // Errors: 200 and a JSON-RPC error, whatever went wrong; only the modern revision has a status.
    let text = is_error(
        &bed.mcp(&bed.a, request("tools/invalid", json!({}))).await,
        200,
        -32601,
        json!(1),
    );
    assert_eq!(text, "Method not found: tools/invalid");
    for method in [
        "prompts/list",
        "resources/list",
        "resources/read",
        "logging/setLevel",
        "completion/complete",
        "sampling/createMessage",
        "",
    ] {
        is_error(
            &bed.mcp(&bed.a, request(method, json!({}))).await,
            200,
            -32601,
            json!(1),
        );
    }
    for params in [
        json!({}),
        json!({"name": 5}),
        json!({"name": "get_shop_status", "arguments": [1]}),
        json!([]),
        json!("x"),
    ] {
        let answer = bed.mcp(&bed.a, request("tools/call", params.clone())).await;
        let code = answer.json()["error"]["code"].as_i64();
        assert!(
            matches!(code, Some(-32602 | -32600)),
            "{params}: {answer:?}"
        );
    }
    is_error(
        &bed.mcp(&bed.a, request("tools/list", json!({"cursor": "x"})))
            .await,
        200,
        -32602,
        json!(1),
    );
    let unknown = bed.mcp(&bed.a, call_of("xyz")).await.ok();
    assert_eq!(
        unknown["result"],
        json!({"content": [{"type": "text", "text": "tool 'xyz' no encontrado"}], "isError": true})
    );
    let missing = bed
        .tool(
            &bed.a,
            "send_whatsapp_message",
            json!({"message": "x", "confirm": true}),
        )
        .await;
    assert_eq!(
        (&missing["content"][0]["text"], &missing["isError"]),
        (&json!("Error: phone is required"), &json!(true))
    );
    for body in ["{", "", "nonsense", "{\"jsonrpc\":\"2.0\","] {
        let answer = post(bed).body(body).send().await;
        let text = is_error(&answer, 200, -32700, Value::Null);
        assert_eq!(text, "Parse error: invalid JSON", "{body:?}");
    }
    for body in [
        json!({}),
        json!({"jsonrpc": "1.0", "id": 1, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": null, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": {"a": 1}, "method": "ping"}),
        json!({"jsonrpc": "2.0", "id": 1}),
        json!({"jsonrpc": "2.0", "id": 1, "method": 5}),
        json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
        json!("ping"),
        json!(5),
        Value::Null,
    ] {
        let answer = post(bed).json(body.clone()).send().await;
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (200, &json!(-32600)),
            "{body}: {answer:?}"
        );
    }
    let deep = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}{}}}"#,
        "[".repeat(10_000),
        "]".repeat(10_000)
    );
    is_error(&post(bed).body(deep).send().await, 200, -32600, Value::Null);
    let form = post(bed).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(form.body("a=b").send().await.status, 415);
    // The other methods of HTTP.
    let answer = bed.get("/api/mcp/").bearer(&bed.a.api_token).send().await;
    assert_eq!(
        is_error(&answer, 405, -32000, Value::Null),
        "SSE streaming not supported"
    );
    assert_eq!(answer.header("allow"), "POST, DELETE, OPTIONS");
    let preflight = bed.call("OPTIONS", "/api/mcp/").send().await.expect(204);
    assert!(
        !preflight
            .headers
            .contains_key("access-control-allow-origin")
    );
    bed.call("DELETE", "/api/mcp/")
        .bearer(&bed.a.api_token)
        .send()
        .await
        .expect(202);
    bed.call("DELETE", "/api/mcp/").send().await.expect(401);
    // A session id that somebody made up means nothing; a version that nobody speaks is refused.
    post(bed)
        .header("mcp-session-id", "made-up")
        .json(plain.clone())
        .send()
        .await
        .expect(200);
    let answer = post(bed)
        .header("mcp-protocol-version", "1999-01-01")
        .json(plain)
        .send()
        .await;
    assert_eq!(answer.status, 400, "{answer:?}");
    answer.json();
}

async fn ids_are_echoed_as_written(bed: &mut Bed) {
    for id in [
        "1",
        "0",
        "-7",
        "9007199254740993",
        r#""""#,
        r#""a\"b\u00e9""#,
        r#""9007199254740993""#,
    ] {
        for method in ["ping", "tools/nothing"] {
            let body = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}"}}"#);
            let answer = post(bed).body(body.clone()).send().await.expect(200);
            let echoed: Value = serde_json::from_str(id).expect("an id");
            assert_eq!(answer.json()["id"], echoed, "{answer:?}");
            // Refused, too: byte for byte.
            let refused = bed.post("/api/mcp/").body(body).send().await.expect(401);
            assert!(
                refused.text().ends_with(&format!("\"id\":{id}}}")),
                "{refused:?}"
            );
        }
    }
}

async fn unauthorized_in_the_contracts_words(bed: &mut Bed) {
    let said = format!(
        "Unauthorized: invalid or missing Bearer token. Get your token at {}/dashboard → Settings.",
        bed.gateway().base_url
    );
    for (what, call) in [
        ("nothing", bed.post("/api/mcp/")),
        ("junk", bed.post("/api/mcp/").bearer("wz_junk")),
        ("an owner's JWT", bed.post("/api/mcp/").bearer(&bed.a.jwt)),
        (
            "no scheme",
            bed.post("/api/mcp/")
                .header("authorization", &bed.a.api_token),
        ),
        (
            "Basic",
            bed.post("/api/mcp/").header("authorization", "Basic YTpi"),
        ),
        (
            "other case",
            bed.post("/api/mcp/")
                .bearer(&bed.a.api_token.to_uppercase()),
        ),
    ] {
        let answer = call.json(call_of("get_shop_status")).send().await;
        assert_eq!(is_error(&answer, 401, -32000, json!(1)), said, "{what}");
        let challenge = answer.header("www-authenticate");
        assert!(
            challenge.starts_with("Bearer") && !challenge.contains("resource_metadata"),
            "{challenge}"
        );
        assert_eq!(
            challenge.contains("invalid_token"),
            what != "nothing",
            "{what}: {challenge}"
        );
        answer.hygiene();
    }
    // Only `initialize` itself is open, however it is dressed up.
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","method":"tools/call","params":{"name":"get_shop_status"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","\u006dethod":"initialize","params":{"name":"get_shop_status"}}"#,
        r#"[{"jsonrpc":"2.0","id":1,"method":"initialize"},{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_shop_status"}}]"#,
        // A reader that fills fields in order takes the first for the open request.
        r#"["2.0","initialize",1,{"jsonrpc":"2.0","id":7,"method":"tools/list"}]"#,
        r#"["2.0","initialize",1]"#,
        r#" [["2.0","initialize",1,{"jsonrpc":"2.0","id":7,"method":"tools/list"}]]"#,
        r#"{"jsonrpc":"2.0","method":"initialize"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"Initialize"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"server/discover"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        "{",
    ] {
        let answer = bed.post("/api/mcp/").body(body).send().await;
        assert_eq!(answer.status, 401, "{body}: {answer:?}");
        for secret in ["Shop A", "inputSchema", "serverInfo"] {
            assert!(!answer.text().contains(secret), "{body}: {answer:?}");
        }
    }
    let answer = bed
        .post("/api/mcp/")
        .header("mcp-method", "tools/call")
        .header("mcp-name", "get_shop_status");
    let smuggled = answer.json(json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"name": "get_shop_status", "arguments": {}}}));
    assert!(!smuggled.send().await.text().contains("Shop A"));
}

async fn notifications_and_batches(bed: &mut Bed) {
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let answer = bed.mcp(&bed.a, note.clone()).await.expect(202);
    assert!(answer.body.is_empty());
    // Without an id nothing is called, whatever the method.
    let silent = json!({"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "connect_whatsapp", "arguments": {}}});
    bed.mcp(&bed.a, silent).await.expect(202);
    assert_eq!(
        inner(&bed.tool(&bed.a, "get_whatsapp_status", json!({})).await)["total"],
        0
    );

    let mut second = request("ping", json!({}));
    second["id"] = json!("two");
    let batch = json!([call_of("get_shop_status"), note, second, request("nothing", json!({})), call_of("xyz"), {"id": 5}, 7]);
    let answers = bed.mcp(&bed.a, batch).await.ok();
    let answers = answers.as_array().expect("a batch");
    let ids: Vec<_> = answers.iter().map(|answer| &answer["id"]).collect();
    assert_eq!(
        ids,
        [
            &json!(1),
            &json!("two"),
            &json!(1),
            &json!(1),
            &json!(5),
            &Value::Null
        ]
    );
    assert_eq!(inner(&answers[0]["result"])["name"], "Shop A");
    assert_eq!(
        (
            &answers[2]["error"]["code"],
            &answers[3]["result"]["isError"]
        ),
        (&json!(-32601), &json!(true))
    );
    assert_eq!(
        (&answers[4]["error"]["code"], &answers[5]["error"]["code"]),
        (&json!(-32600), &json!(-32600))
    );
    // A message is an object: an array inside is neither its fields in order nor a batch of its own.
    for nested in [
        json!(["2.0", "ping", 1]),
        json!(["2.0", "tools/list", 1, request("tools/list", json!({}))]),
        json!([request("tools/list", json!({}))]),
    ] {
        let answers = bed.mcp(&bed.a, json!([nested, second])).await.ok();
        assert_eq!(
            (&answers[0]["error"]["code"], &answers[0]["id"]),
            (&json!(-32600), &Value::Null),
            "{nested}: {answers}"
        );
        assert_eq!(
            (&answers[1]["id"], &answers[1]["result"]),
            (&json!("two"), &json!({}))
        );
        assert_eq!(answers.as_array().map(Vec::len), Some(2), "{answers}");
    }
    let answer = bed.mcp(&bed.a, json!([note, note])).await.expect(202);
    assert!(answer.body.is_empty());
    for batch in [
        json!([]),
        Value::Array(vec![request("ping", json!({})); 51]),
    ] {
        is_error(&bed.mcp(&bed.a, batch).await, 200, -32600, Value::Null);
    }
    is_error(
        &post(bed).body("[{}").send().await,
        200,
        -32700,
        Value::Null,
    );
    // Unproven: a refusal for each.
    let refused = bed
        .post("/api/mcp/")
        .json(json!([request("ping", json!({})), second]))
        .send()
        .await
        .expect(401);
    let refused = refused.json();
    assert_eq!(
        (&refused[0]["id"], &refused[1]["id"]),
        (&json!(1), &json!("two"))
    );
    assert_eq!(refused[0]["error"]["code"], -32000);
}

async fn the_modern_revision(bed: &mut Bed) {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    });
    let modern = |method: &str, mut params: Value| {
        params["_meta"] = meta.clone();
        let call = post(bed)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", method);
        let name = params["name"].as_str().map(str::to_owned);
        let call = name
            .into_iter()
            .fold(call, |call, name| call.header("mcp-name", &name));
        call.json(request(method, params))
    };
    let found = modern("server/discover", json!({})).send().await.ok();
    let versions = found["result"]["supportedVersions"]
        .as_array()
        .expect("versions");
    assert!(
        versions.contains(&json!("2026-07-28")) && versions.contains(&json!("2025-03-26")),
        "{found}"
    );
    assert_eq!(found["result"]["resultType"], "complete");
    let list = modern("tools/list", json!({})).send().await.ok();
    assert_eq!(
        (&list["result"]["cacheScope"], &list["result"]["resultType"]),
        (&json!("private"), &json!("complete"))
    );
    assert!(list["result"]["ttlMs"].is_u64());
    let called = modern(
        "tools/call",
        json!({"name": "get_shop_status", "arguments": {}}),
    )
    .send()
    .await
    .ok();
    assert_eq!(inner(&called["result"])["name"], "Shop A");
    // That revision's own rules: 404 for an unknown method, an error for an unknown tool.
    is_error(
        &modern("tools/invalid", json!({})).send().await,
        404,
        -32601,
        json!(1),
    );
    let answer = modern("tools/call", json!({"name": "xyz", "arguments": {}}))
        .send()
        .await;
    assert_eq!(answer.json()["error"]["code"], -32602, "{answer:?}");
    // Headers must say what the body says.
    let body = request(
        "tools/call",
        json!({"name": "get_shop_status", "arguments": {}, "_meta": meta.clone()}),
    );
    let lying = post(bed)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/list");
    is_error(
        &lying.json(body.clone()).send().await,
        400,
        -32020,
        json!(1),
    );
    let unnamed = post(bed)
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call");
    is_error(
        &unnamed.json(body.clone()).send().await,
        400,
        -32020,
        json!(1),
    );
    let batch = post(bed)
        .header("mcp-protocol-version", "2026-07-28")
        .json(json!([body.clone()]));
    is_error(&batch.send().await, 400, -32600, Value::Null);
    // And no way around the token.
    let answer = bed
        .post("/api/mcp/")
        .header("mcp-protocol-version", "2026-07-28")
        .json(body)
        .send()
        .await;
    is_error(&answer, 401, -32000, json!(1));
}

async fn who_may_speak(bed: &mut Bed) {
    // A page that a browser was lured to: its origin, or its name for our address.
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("host", "evil.example"),
    ] {
        for message in [
            request("ping", json!({})),
            request(
                "initialize",
                json!({"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}),
            ),
        ] {
            let body = message.to_string();
            let host = if name == "host" {
                String::new()
            } else {
                format!("host: {}\r\n", bed.address())
            };
            let request = format!(
                "POST /api/mcp/ HTTP/1.1\r\n{host}{name}: {value}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                bed.a.api_token,
                body.len()
            );
            let answer = wire::exchange(bed.address(), request.as_bytes()).await;
            assert_eq!(wire::status(&answer), 403, "{name}: {value}: {answer}");
            assert!(answer.contains("application/json"), "{answer}");
        }
    }
    // Whatever it is that they ask, and whoever answers that.
    let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    for (method, body) in [
        ("POST", note.to_string()),
        ("POST", request("no/such", json!({})).to_string()),
        (
            "POST",
            json!([request("ping", json!({})), note]).to_string(),
        ),
        ("POST", "[".to_owned()),
        ("DELETE", String::new()),
        ("GET", String::new()),
        ("OPTIONS", String::new()),
        ("PUT", String::new()),
    ] {
        for path in ["/api/mcp/", "/api/mcp"] {
            let call = bed.call(method, path).bearer(&bed.a.api_token);
            let call = call.header("origin", "https://evil.example");
            let call = call.header("content-type", "application/json");
            call.body(body.clone()).send().await.expect(403);
        }
    }
    let base = bed.gateway().base_url.clone();
    post(bed)
        .header("origin", &base)
        .json(request("ping", json!({})))
        .send()
        .await
        .expect(200);
}

async fn a_token_that_does_not_hold_is_told_at_once(bed: &mut Bed) {
    let hello = |token: &str| {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let call = bed.post("/api/mcp/").bearer(token);
        call.json(request("initialize", params)).send()
    };
    hello(&bed.a.api_token).await.expect(200);
    let token = Token::random(TokenKind::Api, &OsRng);
    for wrong in [token.expose(), "nonsense", bed.a.jwt.as_str()] {
        let answer = hello(wrong).await;
        is_error(&answer, 401, -32000, json!(1));
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains("invalid_token"), "{challenge}");
    }
}

async fn what_a_tool_does_not_take_is_not_dropped(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.sandbox
        .network()
        .add_phone(CUSTOMER, "Customer")
        .expect("a phone");
    let send = async |extra: Value| {
        let mut arguments = json!({"phone": CUSTOMER, "message": "hello", "confirm": true});
        let all = arguments.as_object_mut().expect("an object");
        all.extend(extra.as_object().expect("an object").clone());
        let call = json!({"name": "send_whatsapp_message", "arguments": arguments});
        let answer = bed.mcp(&bed.a, request("tools/call", call)).await.ok();
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str().expect("a text");
        (result["isError"] == true, text.to_owned())
    };
    for (extra, says) in [
        (json!({"sesion_id": 1}), "Did you mean session_id?"),
        (
            json!({"scheduled_at": "2030-01-01T09:00:00"}),
            "scheduled_at is not carried out",
        ),
        (
            json!({"archive_after_send": true}),
            "archive_after_send is not carried out",
        ),
    ] {
        let (refused, text) = send(extra).await;
        assert!(refused && text.contains(says), "{text}");
    }
    let network = bed.sandbox.network();
    assert_eq!(network.messages(CUSTOMER).expect("a phone").len(), 0);
    // Models fill in what they have no use for.
    let idle = json!({"action": "send", "scheduled_at": "", "archive_after_send": false, "customer_locale": null});
    let (refused, text) = send(idle).await;
    assert!(!refused, "{text}");
    assert_eq!(network.messages(CUSTOMER).expect("a phone").len(), 1);
    // A role makes no choice among several numbers.
    let (refused, text) = send(json!({"sender_role": "marketing"})).await;
    assert!(!refused, "one number is all of them: {text}");
    bed.paired(&bed.a, SHOP_TOO).await;
    let (refused, text) = send(json!({"sender_role": "marketing"})).await;
    assert!(refused && text.contains("session_id"), "{text}");
    let one = made.number;
    let (refused, text) = send(json!({"sender_role": "marketing", "session_id": one})).await;
    assert!(!refused, "{text}");
}
