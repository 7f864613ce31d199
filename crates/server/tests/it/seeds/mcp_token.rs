//! The MCP endpoint's page: where the token comes from, how long it lives, what it opens.

use serde_json::{Value, json};

use crate::{
    gateway::text,
    gateway::{Answer, Bed, CUSTOMER, SHOP, Shop},
    story::inner,
};

on_both! {
    the_token_is_labelled_token_ext_and_can_be_copied_again,
    the_token_is_generated_with_the_account,
    the_token_does_not_expire,
    the_token_can_be_regenerated,
    a_token_is_scoped_to_a_single_shop,
    all_data_is_isolated_per_shop,
}

async fn ping(bed: &Bed, token: &str) -> Answer {
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    bed.post("/api/mcp/").bearer(token).json(ping).send().await
}

async fn api_tokens(bed: &Bed, shop: &Shop) -> Vec<Value> {
    let list = bed
        .get("/account/credentials?kind=api_token")
        .bearer(&shop.jwt);
    let listed = list.send().await.ok();
    listed["credentials"].as_array().expect("a list").clone()
}

/// > Log in to the WAzion Dashboard · Go to Settings · Copy your API Token (labeled token_ext)
async fn the_token_is_labelled_token_ext_and_can_be_copied_again(bed: &mut Bed) {
    let listed = api_tokens(bed, &bed.a).await;
    assert_eq!(listed[0]["label"], "token_ext", "{listed:?}");
    let shown = bed
        .act(&text(&listed[0], "id"), "reveal", json!({}))
        .await
        .ok();
    assert_eq!(shown["token"], bed.a.api_token.as_str());
    // Where to look is in the error of those who have none.
    let message = ping(bed, "wz_").await.json()["error"]["message"].to_string();
    assert!(message.contains("/dashboard → Settings"), "{message}");
}

/// > Your token is generated automatically when you create a WAzion account.
async fn the_token_is_generated_with_the_account(bed: &mut Bed) {
    // The beds' shops have been given nothing since they were made.
    for shop in [&bed.a, &bed.b] {
        assert!(shop.api_token.starts_with("wz_"));
        ping(bed, &shop.api_token).await.expect(200);
        assert_eq!(api_tokens(bed, shop).await.len(), 1);
    }
    assert_ne!(bed.a.api_token, bed.b.api_token);
}

/// > It does not expire, …
async fn the_token_does_not_expire(bed: &mut Bed) {
    assert_eq!(api_tokens(bed, &bed.a).await[0]["expires_at"], Value::Null);
    ping(bed, &bed.a.api_token).await.expect(200);
    bed.clock.jump_secs(10 * 365 * 86_400);
    ping(bed, &bed.a.api_token).await.expect(200);
    bed.restart().await;
    ping(bed, &bed.a.api_token).await.expect(200);
}

/// > … but you can regenerate it from the dashboard if needed.
async fn the_token_can_be_regenerated(bed: &mut Bed) {
    ping(bed, &bed.a.api_token).await.expect(200);
    let listed = api_tokens(bed, &bed.a).await;
    let made = bed
        .act(&text(&listed[0], "id"), "rotate", json!({}))
        .await
        .ok();
    // The very next request.
    ping(bed, &bed.a.api_token).await.expect(401);
    let token = made["token"].as_str().expect("the new token");
    assert!(token.starts_with("wz_"), "{made}");
    ping(bed, token).await.expect(200);
    assert_eq!(
        made["label"], "token_ext",
        "it takes the old one's place: {made}"
    );
    assert_eq!(api_tokens(bed, &bed.a).await.len(), 1);
    ping(bed, &bed.b.api_token).await.expect(200);
}

/// > Each token is scoped to a single shop. You cannot access other shops' data.
async fn a_token_is_scoped_to_a_single_shop(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for (shop, name, sessions) in [(&bed.a, "Shop A", 1), (&bed.b, "Shop B", 0)] {
        let status = inner(&bed.tool(shop, "get_shop_status", json!({})).await);
        assert_eq!(
            (&status["name"], &status["whatsapp"]["sessions"]),
            (&json!(name), &json!(sessions))
        );
    }
    // By number, by id or by default: the other shop's session is not there.
    let text = json!({"phone": CUSTOMER, "message": "not mine", "confirm": true});
    for session in [json!(made.number), json!(made.id), Value::Null] {
        let mut arguments = text.clone();
        if !session.is_null() {
            arguments["session_id"] = session.clone();
        }
        let refused = bed.tool(&bed.b, "send_whatsapp_message", arguments).await;
        assert_eq!(refused["isError"], true, "{session}: {refused}");
    }
    let sent =
        json!({"phone": CUSTOMER, "message": "mine", "confirm": true, "session_id": made.number});
    let sent = bed.tool(&bed.a, "send_whatsapp_message", sent).await;
    assert_eq!(sent["isError"], false, "{sent}");
    bed.wait_shown(CUSTOMER, "mine").await;
    assert_eq!(bed.shown(CUSTOMER, "not mine"), 0);
}

/// > All data is isolated per shop (multi-tenant).
async fn all_data_is_isolated_per_shop(bed: &mut Bed) {
    let made = bed
        .create(
            &bed.a,
            json!({"name": "Marker of A", "labels": {"marker": "of A"}}),
        )
        .await;
    bed.subscribe(&bed.a, &made, json!("All")).await;
    let session = bed.post("/sessions").bearer(&bed.a.api_token);
    let session = session
        .json(json!({"label": "Marker session"}))
        .send()
        .await
        .ok();
    let create = bed.post("/account/credentials").bearer(&bed.a.jwt);
    let pair = create
        .json(json!({"kind": "client", "label": "Marker pair"}))
        .send()
        .await
        .ok();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let session_of_b = bed
        .post("/sessions")
        .bearer(&bed.b.api_token)
        .json(json!({}))
        .send()
        .await
        .ok();

    let mut seen = String::new();
    for (method, path) in [
        ("POST", "/instances/list".to_owned()),
        ("GET", "/account".to_owned()),
        ("GET", "/account/credentials?state=all".to_owned()),
        ("GET", "/account/audit?limit=100".to_owned()),
    ] {
        let answer = bed.call(method, &path).bearer(&bed.b.jwt);
        let answer = if method == "POST" {
            answer.json(json!({"size": 100}))
        } else {
            answer
        };
        seen.push_str(&answer.send().await.expect(200).text());
    }
    for row in recado_api::routes() {
        if let Some(tool) = row.path.strip_prefix("tools/call ") {
            let arguments = json!({"session_id": made.number});
            seen.push_str(&bed.tool(&bed.b, tool, arguments).await.to_string());
        }
        // No credential of a shop opens the dashboard; see `people_access`.
        if row.surface == recado_api::Surface::Dashboard {
            continue;
        }
        if row.path.contains("{id}") || row.path.contains("{cid}") {
            let path = row.path.replace("{id}", &made.id).replace("{phone}", SHOP);
            let path = path.replace("{cid}", &text(&pair["id"]));
            let answer = bed
                .call(&row.method, &path)
                .bearer(&bed.b.jwt)
                .json(json!({}))
                .send()
                .await;
            assert!(matches!(answer.status, 403 | 404), "{answer:?}");
            seen.push_str(&answer.text());
        }
        if row.path.contains("{key}") && !row.path.ends_with("/qr") {
            let path = row.path.replace("{key}", &text(&session["key"]));
            let call = bed
                .call(&row.method, &path)
                .header("x-api-key", &text(&session_of_b["apiKey"]));
            let call = match row.rule {
                recado_api::auth::Rule::DirectClaim => call.bearer(&bed.b.api_token),
                _ => call,
            };
            let answer = call.json(json!({"to": CUSTOMER, "text": "x"})).send().await;
            assert_eq!(answer.status, 401, "{answer:?}");
            seen.push_str(&answer.text());
        }
    }
    for secret in [
        "Marker",
        &made.id,
        &made.token,
        &bed.a.client_token,
        &bed.a.api_token,
        bed.a.id.as_str(),
        &text(&session["id"]),
        &text(&session["key"]),
        &text(&session["apiKey"]),
        &text(&pair["id"]),
        &text(&pair["client_token"]),
    ] {
        assert!(
            !seen.contains(secret),
            "{secret} of shop A is in what shop B sees"
        );
    }
    // It is all still there, for its owner.
    let list = bed
        .post("/instances/list")
        .bearer(&bed.a.jwt)
        .json(json!({}))
        .send()
        .await
        .ok();
    assert_eq!(list["total"], 2, "{list}");
    assert!(list.to_string().contains("Marker of A"));
}
