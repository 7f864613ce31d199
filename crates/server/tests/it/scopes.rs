//! Credentials that open some instances only: on each surface the others look missing, and nothing of
//! the account as a whole can be done.

use serde_json::{Value, json};

use crate::{
    gateway::text,
    gateway::{Bed, CUSTOMER, SHOP, SHOP_TOO},
    story::inner,
};

on_both! {
    a_restricted_pair_reaches_its_instances_only,
    a_restricted_token_reaches_its_sessions_only,
    a_restricted_key_opens_its_own_session_only,
    a_key_of_another_number_is_not_sent_again,
}

const NOWHERE: &str = "RCAAAAAAAAAAAAAAAAAAAAAAAAAA";

async fn a_restricted_pair_reaches_its_instances_only(bed: &mut Bed) {
    let mine = bed.create(&bed.a, json!({"name": "Mine"})).await;
    let other = bed.create(&bed.a, json!({"name": "Other"})).await;
    let pair = bed.issue(json!({"kind": "client"})).await;
    let jwt = bed.jwt_of(&pair).await;
    let ct = text(&pair, "client_token");
    // It was whole when the JWT was made; restricting it holds for what came from it, too.
    assert_eq!(bed.by_pair(&ct, &other, &other.token).await, 200);
    let id = text(&pair, "id");
    bed.change_credential(&id, json!({"instances": [mine.id]}))
        .await
        .ok();

    assert_eq!(bed.by_pair(&ct, &mine, &mine.token).await, 200);
    assert_eq!(bed.by_pair(&ct, &other, &other.token).await, 403);
    let list = bed.post("/instances/list").bearer(&jwt).json(json!({}));
    let list = list.send().await.ok();
    assert_eq!(
        (&list["total"], &list["content"][0]["id"]),
        (&json!(1), &json!(mine.id))
    );
    assert_eq!(list["summary"]["disconnected"], 1);
    // The others and those that do not exist: the same bytes, on every route.
    for (method, path, body) in [
        ("GET", "", None),
        ("DELETE", "", None),
        ("GET", "/session/status", None),
        ("POST", "/session/disconnect", Some(json!({}))),
        ("GET", "/webhook", None),
        (
            "POST",
            "/webhook",
            Some(json!({"webhookURL": "https://example.org"})),
        ),
        (
            "POST",
            "/chat/send/text",
            Some(json!({"phone": CUSTOMER, "message": "x"})),
        ),
    ] {
        let ask = async |id: &str| {
            let mut call = bed
                .call(method, &format!("/instances/{id}{path}"))
                .bearer(&jwt);
            if let Some(body) = &body {
                call = call.json(body.clone());
            }
            let answer = call.send().await;
            let shown = answer.text();
            answer.refused(403, "forbidden");
            shown
        };
        assert_eq!(ask(&other.id).await, ask(NOWHERE).await, "{method} {path}");
    }
    let get = async |id: &str| {
        let call = bed.post("/instances/get").bearer(&jwt);
        call.json(json!({"id": id})).send().await
    };
    get(&mine.id).await.expect(200);
    let hidden = get(&other.id).await.expect(403).text();
    assert_eq!(hidden, get(NOWHERE).await.text());
    // What concerns the account as a whole is not for it.
    let create = bed.call("PUT", "/instances/create").bearer(&jwt);
    let refused = create.json(json!({"name": "New one"})).send().await;
    let refused = refused.refused(403, "forbidden");
    assert!(
        text(&refused, "message").contains("restricted"),
        "{refused}"
    );
    let own = format!("/account/credentials/{id}");
    for (method, path) in [
        ("GET", "/account"),
        ("GET", "/account/credentials"),
        ("POST", "/account/credentials"),
        ("GET", &own),
        // Least of all to widen itself.
        ("PATCH", &own),
        ("DELETE", &own),
        ("POST", &format!("{own}/rotate")),
        ("POST", &format!("{own}/reveal")),
        ("POST", "/account/sign-out"),
        ("GET", "/account/audit"),
    ] {
        let refused = bed.call(method, path).bearer(&jwt).send().await;
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    // A successor has the same limits.
    let new = bed
        .act(&id, "rotate", json!({"grace_seconds": 60}))
        .await
        .ok();
    assert_eq!(new["instances"], json!([mine.id]));
    let new_jwt = bed.jwt_of(&new).await;
    let status = other.path("/session/status");
    let refused = bed.get(&status).bearer(&new_jwt).send().await;
    assert_eq!(refused.status, 403);
    // Wide again, at once.
    bed.change_credential(&text(&new, "id"), json!({"instances": null}))
        .await
        .ok();
    bed.get(&status).bearer(&new_jwt).send().await.expect(200);
}

async fn a_restricted_token_reaches_its_sessions_only(bed: &mut Bed) {
    let mine = bed.create(&bed.a, json!({"name": "Mine"})).await;
    let other = bed.create(&bed.a, json!({"name": "Other"})).await;
    let token = bed
        .issue(json!({"kind": "api_token", "instances": [other.id]}))
        .await;
    let token = text(&token, "token");
    let tool = async |name: &str, arguments: Value| {
        let message = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": name, "arguments": arguments},
        });
        let call = bed.post("/api/mcp/").bearer(&token);
        call.json(message).send().await.ok()["result"].clone()
    };
    let refused = |result: &Value, due: &str| {
        assert_eq!(result["isError"], true, "{result}");
        let told = text(&result["content"][0], "text");
        assert!(told.contains(due), "{told}");
    };
    let all = inner(&tool("get_whatsapp_status", json!({})).await);
    assert_eq!(
        (&all["total"], &all["sessions"][0]["id"]),
        (&json!(1), &json!(other.number))
    );
    let shop = inner(&tool("get_shop_status", json!({})).await);
    assert_eq!(shop["whatsapp"]["sessions"], 1);
    for name in ["get_whatsapp_status", "get_whatsapp_qr"] {
        let hidden = tool(name, json!({"session_id": mine.number})).await;
        refused(&hidden, &format!("session {} not found", mine.number));
    }
    let sent =
        json!({"phone": CUSTOMER, "message": "x", "session_id": mine.number, "confirm": true});
    refused(&tool("send_whatsapp_message", sent).await, "not found");
    // An idle number of its own is used again; it makes no other.
    let linked = inner(&tool("connect_whatsapp", json!({})).await);
    assert_eq!(linked["session_id"], other.number);
    let new = tool("connect_whatsapp", json!({"force_new": true})).await;
    refused(&new, "restricted");
    let named = tool("connect_whatsapp", json!({"label": "Mine"})).await;
    refused(&named, "restricted");
    let new = tool(
        "regenerate_api_key",
        json!({"confirmation": true, "confirm": true}),
    )
    .await;
    refused(&new, "restricted");
    let direct = bed.post("/sessions").bearer(&token).json(json!({}));
    let direct = direct.send().await.expect(403).json();
    assert!(text(&direct, "error").contains("restricted"));
    let count = bed
        .post("/instances/list")
        .bearer(&bed.a.jwt)
        .json(json!({}));
    assert_eq!(count.send().await.ok()["total"], 2, "nothing was made");
}

async fn a_restricted_key_opens_its_own_session_only(bed: &mut Bed) {
    let (one, two) = (bed.new_session().await, bed.new_session().await);
    let key = text(&one, "apiKey");
    assert_eq!(
        bed.by_session_key(&two, &key).await,
        200,
        "by default all of the shop's"
    );
    let keys = bed
        .list_credentials(&format!("?kind=session_key&instance={}", text(&one, "id")))
        .await;
    let id = text(&keys[0], "id");
    let changed = bed
        .change_credential(&id, json!({"only_own_session": true}))
        .await
        .ok();
    assert_eq!(changed["instances"], json!([one["id"]]));
    assert_eq!(bed.by_session_key(&one, &key).await, 200);
    // Foreign, missing, or its owner's other one: the contract's one answer.
    for path in [
        format!("/sessions/{}", text(&two, "key")),
        format!("/sessions/{}", text(&two, "id")),
        format!("/sessions/{NOWHERE}"),
        format!("/sessions/{}/qr", text(&two, "key")),
    ] {
        let refused = bed.get(&path).header("x-api-key", &key).send().await;
        let body = refused.expect(401).text();
        assert_eq!(
            body, r#"{"error":"Session does not belong to your shop"}"#,
            "{path}"
        );
    }
    let send = format!("/sessions/{}/messages", text(&two, "key"));
    let call = bed.post(&send).header("x-api-key", &key);
    let sent = call.json(json!({"to": CUSTOMER, "text": "x"})).send().await;
    sent.expect(401);
    let both = json!({"only_own_session": true, "instances": [two["id"]]});
    bed.change_credential(&id, both)
        .await
        .refused(400, "invalid_field");
    bed.change_credential(&id, json!({"only_own_session": false}))
        .await
        .ok();
    assert_eq!(bed.by_session_key(&two, &key).await, 200);
}

/// The key of a message that went out from a number out of reach: no second message, and no word on it.
async fn a_key_of_another_number_is_not_sent_again(bed: &mut Bed) {
    bed.paired(&bed.a, SHOP).await;
    let within = bed.paired(&bed.a, SHOP_TOO).await;
    let keyed = json!({"phone": CUSTOMER, "message": "once", "idempotency_key": "order-7", "confirm": true});
    inner(
        &bed.tool(&bed.a, "send_whatsapp_message", keyed.clone())
            .await,
    );
    bed.wait_shown(CUSTOMER, "once").await;
    let token = bed
        .issue(json!({"kind": "api_token", "instances": [within.id]}))
        .await;
    let message = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "send_whatsapp_message", "arguments": keyed},
    });
    let call = bed.post("/api/mcp/").bearer(&text(&token, "token"));
    let answer = call.json(message).send().await.ok();
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert_eq!(bed.shown(CUSTOMER, "once"), 1);
}
