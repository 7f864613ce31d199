//! MCP as its clients and models speak it.

use serde_json::{Value, json};

use crate::{
    gateway::{Answer, Bed, CUSTOMER, SHOP},
    story::inner,
};

on_both! {
    numbers_as_text_and_with_a_point,
    params_of_the_wrong_kind,
    keys_given_twice,
    half_an_emoji_at_mcp,
    a_wrong_token_is_told_so_everywhere,
    there_is_no_oauth_here,
}

async fn raw(bed: &Bed, body: &str) -> Answer {
    let call = bed.post("/api/mcp/").bearer(&bed.a.api_token);
    let call = call.header("content-type", "application/json");
    call.body(body.to_owned()).send().await
}

fn call_of(tool: &str, arguments: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{arguments}}}}}"#
    )
}

async fn numbers_as_text_and_with_a_point(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let number = made.number;
    for written in [
        format!("{number}"),
        format!("{number}.0"),
        format!("\"{number}\""),
        format!("\" {number} \""),
        format!("\"{number}.0\""),
        "\"\"".to_owned(),
    ] {
        let arguments = format!(r#"{{"session_id":{written}}}"#);
        let answer = raw(bed, &call_of("get_whatsapp_status", &arguments))
            .await
            .ok();
        assert_eq!(inner(&answer["result"])["total"], 1, "{written}: {answer}");
        let answer = raw(bed, &call_of("get_whatsapp_qr", &arguments)).await.ok();
        assert_eq!(answer["result"]["isError"], false, "{written}: {answer}");
    }
    let arguments = format!(
        r#"{{"session_id":"{number}","phone":{CUSTOMER}.0,"message":"by text","confirm":true}}"#
    );
    let sent = raw(bed, &call_of("send_whatsapp_message", &arguments))
        .await
        .ok();
    let sent = inner(&sent["result"]);
    bed.wait_shown(CUSTOMER, "by text").await;
    let queue_id = sent["queue_id"].as_i64().expect("a number");
    for written in [format!("\"{queue_id}\""), format!("{queue_id}.0")] {
        let arguments = format!(r#"{{"queue_id":{written}}}"#);
        let tool = "get_whatsapp_outbound_queue_status";
        let answer = raw(bed, &call_of(tool, &arguments)).await.ok();
        assert_eq!(inner(&answer["result"])["queue_id"], queue_id, "{answer}");
    }
    for written in [
        "1.5", "\"one\"", "\"1.5\"", "[1]", "true", "1e40", "\"1e40\"",
    ] {
        let arguments = format!(r#"{{"session_id":{written}}}"#);
        let answer = raw(bed, &call_of("get_whatsapp_status", &arguments))
            .await
            .ok();
        let text = answer["result"]["content"][0]["text"]
            .as_str()
            .expect("text");
        assert_eq!(answer["result"]["isError"], true, "{written}: {answer}");
        assert!(text.starts_with("Error: session_id"), "{written}: {text}");
    }
    let missing = raw(bed, &call_of("get_whatsapp_outbound_queue_status", "{}")).await;
    assert!(
        missing.text().contains("queue_id is required"),
        "{missing:?}"
    );
    // An id of a language without whole numbers.
    for (written, echoed) in [("7.0", json!(7)), ("0.0", json!(0))] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":{written},"method":"ping"}}"#);
        let answer = raw(bed, &body).await.ok();
        assert_eq!(answer["result"], json!({}), "{answer}");
        assert_eq!(answer["id"].as_f64(), echoed.as_f64(), "{answer}");
        let body = format!(r#"{{"jsonrpc":"2.0","id":{written},"method":"nothing"}}"#);
        let answer = raw(bed, &body).await.ok();
        assert_eq!(answer["id"].as_f64(), echoed.as_f64(), "{answer}");
    }
    raw(bed, r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#)
        .await
        .expect(200);
}

async fn params_of_the_wrong_kind(bed: &mut Bed) {
    for method in [
        "tools/call",
        "tools/list",
        "ping",
        "initialize",
        "server/discover",
    ] {
        for params in ["\"x\"", "5", "true", "[]", "[1]", "[{}]", "1.5"] {
            let body =
                format!(r#"{{"jsonrpc":"2.0","id":9,"method":"{method}","params":{params}}}"#);
            let answer = raw(bed, &body).await.ok();
            assert_eq!(
                (&answer["error"]["code"], &answer["id"]),
                (&json!(-32602), &json!(9)),
                "{body}: {answer}"
            );
            let text = answer["error"]["message"].as_str().expect("text");
            assert!(text.contains("params"), "{text}");
        }
        // A member of them that is of the wrong kind is no media type, either.
        for params in [
            r#"{"_meta":5}"#,
            r#"{"_meta":[]}"#,
            r#"{"_meta":{"progressToken":{}}}"#,
            r#"{"cursor":5}"#,
            r#"{"name":5,"arguments":{}}"#,
            r#"{"name":"get_shop_status","arguments":[]}"#,
            r#"{"name":"get_shop_status","arguments":"x"}"#,
            r#"{"protocolVersion":5}"#,
        ] {
            let body =
                format!(r#"{{"jsonrpc":"2.0","id":9,"method":"{method}","params":{params}}}"#);
            let answer = raw(bed, &body).await;
            // Discovery is the modern revision's alone, which has a status for it.
            let due = [
                200,
                if method == "server/discover" {
                    400
                } else {
                    200
                },
            ];
            assert!(due.contains(&answer.status), "{answer:?}");
            let body = answer.json();
            assert_eq!(body["id"], 9, "{answer:?}");
            let code = body["error"]["code"].as_i64();
            assert!(matches!(code, None | Some(-32602)), "{answer:?}");
        }
    }
    // `null` is the same as nothing.
    for method in ["tools/list", "ping", "initialize"] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":9,"method":"{method}","params":null}}"#);
        let answer = raw(bed, &body).await.ok();
        assert!(answer.get("result").is_some(), "{answer}");
    }
    let body = call_of("get_shop_status", "null");
    assert_eq!(raw(bed, &body).await.ok()["result"]["isError"], false);
    // In a batch each for itself.
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": "x"},
        {"jsonrpc": "2.0", "id": 2, "method": "ping"},
    ]);
    let answers = raw(bed, &batch.to_string()).await.ok();
    assert_eq!(answers[0]["error"]["code"], -32602, "{answers}");
    assert_eq!(answers[1]["result"], json!({}), "{answers}");
    // The modern revision has a status of its own for it.
    let call = bed.post("/api/mcp/").bearer(&bed.a.api_token);
    let call = call.header("mcp-protocol-version", "2026-07-28");
    let call = call.header("mcp-method", "tools/list");
    let message = json!({"jsonrpc": "2.0", "id": 9, "method": "tools/list", "params": "x"});
    let answer = call.json(message).send().await.expect(400);
    assert_eq!(answer.json()["error"]["code"], -32602, "{answer:?}");
}

async fn keys_given_twice(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for params in [
        // What is confirmed, and whether it is.
        r#"{"name":"get_shop_status","name":"regenerate_api_key","arguments":{"confirmation":true,"confirm":true}}"#,
        r#"{"name":"regenerate_api_key","arguments":{},"arguments":{"confirmation":true,"confirm":true}}"#,
        r#"{"name":"regenerate_api_key","arguments":{"confirmation":true,"confirm":false,"confirm":true}}"#,
        r#"{"name":"regenerate_api_key","arguments":{"confirmation":false,"confirmation":true,"confirm":true}}"#,
        r#"{"name":"regenerate_api_key","arguments":{"confirmation":true,"confirm":false,"\u0063onfirm":true}}"#,
        r#"{"name":"get_shop_status","arguments":{},"_meta":{"a":{"b":1,"b":2}}}"#,
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{params}}}"#);
        let answer = raw(bed, &body).await.ok();
        assert_eq!(
            (&answer["error"]["code"], &answer["id"]),
            (&json!(-32602), &json!(3)),
            "{body}: {answer}"
        );
        assert!(
            answer["error"]["message"]
                .as_str()
                .expect("text")
                .contains("twice")
        );
        // Nor within a batch, where the others go on.
        let batch = format!(r#"[{body},{{"jsonrpc":"2.0","id":4,"method":"ping"}}]"#);
        let answers = raw(bed, &batch).await.ok();
        assert_eq!(answers[0]["error"]["code"], -32602, "{answers}");
        assert_eq!(answers[1]["result"], json!({}), "{answers}");
    }
    let arguments = format!(
        r#"{{"phone":"{CUSTOMER}","phone":"{SHOP}","message":"twice","confirm":true,"session_id":{}}}"#,
        made.number
    );
    raw(bed, &call_of("send_whatsapp_message", &arguments))
        .await
        .ok();
    // The token still is what it was.
    let status = bed.tool(&bed.a, "get_shop_status", json!({})).await;
    assert_eq!(inner(&status)["name"], "Shop A");
    assert_eq!(bed.shown(CUSTOMER, "twice"), 0);
}

async fn half_an_emoji_at_mcp(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let arguments = format!(
        r#"{{"phone":"{CUSTOMER}","message":"cut \ud83d","confirm":true,"session_id":{}}}"#,
        made.number
    );
    let body = call_of("send_whatsapp_message", &arguments);
    let is_told = |answer: &Value, field: &str, id: Value| {
        assert_eq!(answer["error"]["code"], -32700, "{answer}");
        assert_eq!(answer["id"], id, "{answer}");
        let text = answer["error"]["message"].as_str().expect("text");
        assert!(
            text.contains("half of an emoji") && text.contains(field),
            "{text}"
        );
    };
    is_told(&raw(bed, &body).await.ok(), "arguments.message", json!(1));
    let batch = format!(r#"[{body},{{"jsonrpc":"2.0","id":4,"method":"ping"}}]"#);
    let answers = raw(bed, &batch).await.ok();
    is_told(&answers[0], "arguments.message", json!(1));
    assert_eq!(answers[1]["result"], json!({}), "{answers}");
    let answer = raw(bed, &call_of("connect_whatsapp", r#"{"label":"\ude00"}"#)).await;
    is_told(&answer.ok(), "arguments.label", json!(1));
    let answer = raw(bed, r#"{"jsonrpc":"2.0","id":"\ud83d","method":"ping"}"#).await;
    is_told(&answer.ok(), "id", Value::Null);
    let answer = raw(bed, r#"{"jsonrpc":"2.0","id":1,"method":"ping\ud83d"}"#).await;
    is_told(&answer.ok(), "method", Value::Null);
    // Whole ones pass.
    let arguments = arguments.replace(r"\ud83d", r"\ud83d\ude00");
    raw(bed, &call_of("send_whatsapp_message", &arguments))
        .await
        .ok();
    bed.wait_shown(CUSTOMER, "cut \u{1f600}").await;
}

/// What `mcp-remote` asks with a token that does not hold.
async fn a_wrong_token_is_told_so_everywhere(bed: &mut Bed) {
    let said = format!(
        "Unauthorized: invalid or missing Bearer token. Get your token at {}/dashboard → Settings.",
        bed.gateway().base_url
    );
    for path in ["/api/mcp", "/api/mcp/"] {
        for method in ["GET", "HEAD", "DELETE"] {
            for token in ["wz_junk", bed.a.jwt.as_str(), ""] {
                let call = bed.call(method, path).header("accept", "text/event-stream");
                let call = match token {
                    "" => call,
                    token => call.bearer(token),
                };
                let answer = call.send().await.expect(401);
                assert!(answer.header("www-authenticate").starts_with("Bearer"));
                if method != "HEAD" {
                    let due = json!({"jsonrpc": "2.0", "error": {"code": -32000, "message": said}, "id": null});
                    assert_eq!(answer.json(), due);
                }
            }
        }
        let call = bed.get(path).bearer(&bed.a.api_token);
        let answer = call.send().await.expect(405);
        assert_eq!(answer.header("allow"), "POST, DELETE, OPTIONS");
        let error = answer.json()["error"].clone();
        assert_eq!(
            error,
            json!({"code": -32000, "message": "SSE streaming not supported"})
        );
        let both = bed.get(path).bearer(&bed.a.api_token);
        both.header("x-api-key", "sk_x").send().await.expect(400);
    }
}

async fn there_is_no_oauth_here(bed: &mut Bed) {
    let registration = json!({"client_name": "mcp-remote", "redirect_uris": ["http://127.0.0.1:1/cb"], "grant_types": ["authorization_code"]});
    for path in [
        "/register",
        "/register/",
        "/authorize?response_type=code&client_id=x",
    ] {
        for method in ["POST", "GET"] {
            for key in [None, Some("sk_junk")] {
                let call = bed.call(method, path).json(registration.clone());
                let call = match key {
                    Some(key) => call.header("x-api-key", key),
                    None => call,
                };
                let answer = call.send().await.expect(404);
                answer.hygiene();
                let body = answer.json();
                assert!(body["error"].is_string(), "{answer:?}");
                let text = body["error_description"].as_str().expect("text");
                for part in [
                    "OAuth",
                    "API token",
                    "Authorization: Bearer wz_",
                    "/dashboard",
                ] {
                    assert!(text.contains(part), "{path}: {text}");
                }
            }
        }
    }
    for path in [
        "/.well-known/oauth-protected-resource/api/mcp/",
        "/.well-known/oauth-authorization-server",
    ] {
        bed.get(path).send().await.expect(404);
    }
}
