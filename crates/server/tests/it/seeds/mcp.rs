//! The MCP endpoint's page: using the token, examples, and the error to the byte.

use serde_json::{Value, json};

use super::example::{Request, filled};
use crate::{
    gateway::{Answer, Bed},
    story::inner,
};

on_both! {
    every_request_except_initialize_must_include_the_token,
    the_token_is_sent_as_bearer_in_the_authorization_header,
    the_curl_example,
    the_python_example,
    the_error_if_the_token_is_missing_or_invalid,
    the_mcp_client_configuration,
}

const HOST: &str = "https://www.wazion.com";

const CURL: &str = r#"curl -X POST https://www.wazion.com/api/mcp/ \
-H "Content-Type: application/json" \
-H "Authorization: Bearer wz_abc123..." \
-d '{
"jsonrpc": "2.0",
"method": "tools/call",
"params": {
"name": "get_shop_status",
"arguments": {}
},
"id": 1
}'"#;

const PYTHON: &str = r#"import requests

TOKEN = "wz_abc123..."
URL = "https://www.wazion.com/api/mcp/"

response = requests.post(
URL,
headers={
"Content-Type": "application/json",
"Authorization": f"Bearer {TOKEN}"
},
json={
"jsonrpc": "2.0",
"method": "tools/call",
"params": {
"name": "get_shop_status",
"arguments": {}
},
"id": 1
}
)
print(response.json())"#;

const ERROR: &str = r#"{
"jsonrpc": "2.0",
"error": {
"code": -32000,
"message": "Unauthorized: invalid or missing Bearer token. Get your token at https://www.wazion.com/dashboard → Settings."
},
"id": 1
}"#;

const CONFIGURATION: &str = r#"{
"mcpServers": {
"wazion": {
"url": "https://www.wazion.com/api/mcp/",
"headers": {
"Authorization": "Bearer YOUR_TOKEN_HERE"
}
}
}
}"#;

const EXAMPLE_TOKEN: &str = "wz_abc123...";

/// The page's error as one line, with our address.
fn error(bed: &Bed) -> String {
    filled(ERROR, &[(HOST, &bed.gateway().base_url)])
        .lines()
        .map(|line| line.replacen("\": ", "\":", 1))
        .collect()
}

#[track_caller]
fn is_the_shop(answer: Answer, name: &str) {
    let body = answer.ok();
    assert_eq!(
        (&body["jsonrpc"], &body["id"]),
        (&json!("2.0"), &json!(1)),
        "{body}"
    );
    assert_eq!(inner(&body["result"])["name"], name, "{body}");
}

/// > The WAzion API uses Bearer token authentication. Every request (except initialize) must include
/// > your API token in the Authorization header.
async fn every_request_except_initialize_must_include_the_token(bed: &mut Bed) {
    let params = json!({"protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params});
    let opened = bed.post("/api/mcp/").json(initialize).send().await.ok();
    assert!(
        opened["result"]["serverInfo"]["name"].is_string(),
        "{opened}"
    );
    let mut asked = 0;
    for row in recado_api::routes() {
        if row.method != "MCP" || row.path == "initialize" {
            continue;
        }
        let mut message = json!({"jsonrpc": "2.0", "id": 1, "method": row.path});
        if let Some(tool) = row.path.strip_prefix("tools/call ") {
            message["method"] = json!("tools/call");
            message["params"] = json!({"name": tool, "arguments": {}});
        }
        let answer = bed.post("/api/mcp/").json(message.clone()).send().await;
        assert_eq!(
            (answer.status, answer.text()),
            (401, error(bed)),
            "{}",
            row.path
        );
        // With it, the endpoint lets it pass.
        if row.path != "notifications/*" && !row.path.starts_with("tools/call") {
            bed.mcp(&bed.a, message).await.expect(200);
        }
        asked += 1;
    }
    assert!(asked > 5, "only {asked} methods and tools");
    // What nobody knows is not told to strangers, either.
    let unknown = json!({"jsonrpc": "2.0", "id": 1, "method": "resources/subscribe"});
    let answer = bed.post("/api/mcp/").json(unknown).send().await;
    assert_eq!((answer.status, answer.text()), (401, error(bed)));
}

/// > Include the token in every API request: Authorization: Bearer YOUR_TOKEN_HERE
async fn the_token_is_sent_as_bearer_in_the_authorization_header(bed: &mut Bed) {
    let token = bed.a.api_token.as_str();
    let header = filled(
        "Authorization: Bearer YOUR_TOKEN_HERE",
        &[("YOUR_TOKEN_HERE", token)],
    );
    let (name, value) = header.split_once(": ").expect("a header");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let post = |path: &str| bed.post(path).json(ping.clone());
    for _ in 0..3 {
        post("/api/mcp/")
            .header(name, value)
            .send()
            .await
            .expect(200);
    }
    for call in [
        post("/api/mcp/"),
        post("/api/mcp/").header(name, token),
        post("/api/mcp/").header(name, &format!("Token {token}")),
        post("/api/mcp/").header("cookie", &format!("token={token}")),
        post(&format!("/api/mcp/?token={token}")),
        post(&format!("/api/mcp/?access_token={token}")),
    ] {
        let answer = call.send().await;
        assert_eq!((answer.status, answer.text()), (401, error(bed)));
    }
}

/// > curl -X POST https://www.wazion.com/api/mcp/ …
async fn the_curl_example(bed: &mut Bed) {
    let line = filled(CURL, &[(EXAMPLE_TOKEN, &bed.a.api_token)]);
    is_the_shop(Request::of_curl(&line, HOST).send(bed).await, "Shop A");
    let unfilled = Request::of_curl(CURL, HOST).send(bed).await;
    assert_eq!((unfilled.status, unfilled.text()), (401, error(bed)));
}

/// > import requests …
async fn the_python_example(bed: &mut Bed) {
    let script = filled(PYTHON, &[(EXAMPLE_TOKEN, &bed.b.api_token)]);
    is_the_shop(Request::of_python(&script, HOST).send(bed).await, "Shop B");
}

/// > If the token is missing or invalid, the server returns: …
async fn the_error_if_the_token_is_missing_or_invalid(bed: &mut Bed) {
    // The page's JSON says what the line says: nothing but line ends and spaces are taken out.
    let page = filled(ERROR, &[(HOST, &bed.gateway().base_url)]);
    let same = [page, error(bed)].map(|text| serde_json::from_str::<Value>(&text).expect("JSON"));
    assert_eq!(same[0], same[1]);
    let line = Request::of_curl(&filled(CURL, &[(EXAMPLE_TOKEN, &bed.a.api_token)]), HOST);
    let cut = &bed.a.api_token[..bed.a.api_token.len() - 1];
    let unknown = crate::access::unknown(recado_model::TokenKind::Api);
    let mut calls = vec![line.call(bed)];
    let missing = Request::of_curl(&filled(CURL, &[(EXAMPLE_TOKEN, &unknown)]), HOST);
    calls.push(missing.without("authorization").call(bed));
    for invalid in [
        "wz_",
        "x",
        cut,
        &unknown,
        &bed.a.jwt,
        &bed.a.client_token,
        "...",
    ] {
        let text = filled(CURL, &[(EXAMPLE_TOKEN, invalid)]);
        calls.push(Request::of_curl(&text, HOST).call(bed));
    }
    for (at, call) in calls.into_iter().enumerate() {
        let answer = call.send().await;
        if at == 0 {
            answer.expect(200);
            continue;
        }
        assert_eq!((answer.status, answer.text()), (401, error(bed)));
        answer.hygiene();
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
}

/// > When using WAzion as an MCP server in tools like Claude Desktop, Cursor, or VS Code, configure the
/// > server URL and token in your MCP settings: …
async fn the_mcp_client_configuration(bed: &mut Bed) {
    let text = filled(CONFIGURATION, &[("YOUR_TOKEN_HERE", &bed.a.api_token)]);
    let read: Value = serde_json::from_str(&text).expect("JSON");
    let server = &read["mcpServers"]["wazion"];
    let path = server["url"]
        .as_str()
        .and_then(|url| url.strip_prefix(HOST))
        .expect("the address");
    let authorization = server["headers"]["Authorization"]
        .as_str()
        .expect("a header");
    // What such a client does, with exactly these headers and its own.
    let send = async |message: Value| {
        bed.post(path)
            .header("authorization", authorization)
            .header("accept", "application/json, text/event-stream")
            .json(message)
            .send()
            .await
    };
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "client", "version": "1"}});
    let hello = send(json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}))
        .await
        .ok();
    assert_eq!(hello["result"]["protocolVersion"], "2025-06-18", "{hello}");
    send(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
        .await
        .expect(202);
    let listed = send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
        .await
        .ok();
    let tools = listed["result"]["tools"].as_array().expect("tools");
    assert!(
        tools.iter().any(|tool| tool["name"] == "get_shop_status"),
        "{listed}"
    );
    let call = json!({"name": "get_shop_status", "arguments": {}});
    is_the_shop(
        send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})).await,
        "Shop A",
    );
}
