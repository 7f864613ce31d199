//! Paths with a slash too many, and bodies that are said to be a form and are nothing.

use serde_json::json;

use crate::{
    access::bare,
    gateway::Bed,
    people_access::people::{OWNER_A, sign_in},
    wire,
};

on_both! {
    an_empty_form_is_no_body,
    a_slash_too_many_is_named,
    at_the_direct_api_the_key_comes_first,
}

const FORM: &str = "application/x-www-form-urlencoded";

/// `curl -X POST -d ''`.
async fn an_empty_form_is_no_body(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Empty"})).await;
    for kind in [FORM, "text/plain", "multipart/form-data; boundary=x"] {
        let call =
            |method: &str, path: &str| bed.call(method, path).header("content-type", kind).body("");
        let listed = call("POST", "/instances/list").bearer(&bed.a.jwt);
        assert!(listed.send().await.ok()["total"].is_u64(), "{kind}");
        let paid = call("POST", &made.path("/subscribe")).bearer(&bed.a.jwt);
        paid.send().await.expect(200);
        let made = call("POST", &made.path("/webhook")).bearer(&bed.a.jwt);
        let body = made.send().await.refused(400, "invalid_field");
        assert_eq!(body["field"], "webhookURL");
        let create = call("PUT", "/instances/create").bearer(&bed.a.jwt);
        let body = create.send().await.refused(400, "invalid_field");
        assert_eq!(body["field"], "name");
        let credential = call("POST", "/account/credentials").bearer(&bed.a.jwt);
        let body = credential.send().await.refused(400, "invalid_field");
        assert_eq!(body["field"], "kind");
        let session = call("POST", "/sessions").bearer(&bed.a.api_token);
        session.send().await.expect(200);
        let rpc = call("POST", "/api/mcp/").bearer(&bed.a.api_token);
        assert_eq!(rpc.send().await.ok()["error"]["code"], -32700);
        let token = call("POST", "/token").send().await.expect(400);
        assert!(token.text().contains("client_token"), "{token:?}");
        // Chunked, nothing is nothing too; and something is still the wrong kind.
        let request = format!(
            "POST /instances/list HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            bed.a.jwt
        );
        let answer = wire::exchange(bed.address(), request.as_bytes()).await;
        assert_eq!(wire::status(&answer), 200, "{answer}");
        for body in ["{}", " ", "a=b"] {
            let full = bed.post("/instances/list").bearer(&bed.a.jwt);
            let full = full.header("content-type", kind).body(body);
            full.send().await.refused(415, "unsupported_media_type");
        }
    }
    // A form of another site's page can say that; the dashboard's API takes none.
    let who = sign_in(bed, OWNER_A).await;
    let call = who.ask(bed, "POST", "/dashboard/api/account/sign-out");
    let call = call.header("content-type", FORM).body("");
    let answer = call.send().await;
    assert!([403, 415].contains(&answer.status), "{answer:?}");
    let login = bed.post("/login").header("content-type", FORM).body("");
    login.send().await.refused(415, "unsupported_media_type");
}

async fn a_slash_too_many_is_named(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Slashes"})).await;
    let id = made.id.as_str();
    for (method, path, right) in [
        (
            "POST",
            "//instances/list".to_owned(),
            "/instances/list".to_owned(),
        ),
        (
            "POST",
            "/instances/list/".to_owned(),
            "/instances/list".to_owned(),
        ),
        (
            "POST",
            "/instances//list".to_owned(),
            "/instances/list".to_owned(),
        ),
        (
            "POST",
            "///instances///list//".to_owned(),
            "/instances/list".to_owned(),
        ),
        (
            "GET",
            format!("/instances/{id}/"),
            format!("/instances/{id}"),
        ),
        (
            "GET",
            format!("//instances/{id}/session/status/?format=x"),
            format!("/instances/{id}/session/status"),
        ),
        ("GET", "/account/".to_owned(), "/account".to_owned()),
        ("POST", "/login/".to_owned(), "/login".to_owned()),
        (
            "GET",
            "/dashboard/api/me/".to_owned(),
            "/dashboard/api/me".to_owned(),
        ),
        (
            "GET",
            "/dashboard/api//me".to_owned(),
            "/dashboard/api/me".to_owned(),
        ),
        ("GET", "/livez/".to_owned(), "/livez".to_owned()),
        ("GET", "/nothing/".to_owned(), "/nothing".to_owned()),
    ] {
        for call in [
            bed.call(method, &path),
            bed.call(method, &path).bearer(&bed.a.jwt),
        ] {
            let body = call.send().await.refused(404, "route_not_found");
            let text = body["message"].as_str().expect("text");
            let named = format!(" {right} ");
            assert!(
                text.contains(&named) && text.contains("slash"),
                "{path}: {text}"
            );
        }
    }
    for path in ["/token/", "//token", "/introspect/"] {
        let answer = bed.post(path).json(json!({})).send().await.expect(404);
        let right = format!("/{}", path.trim_matches('/'));
        let body = answer.json();
        let text = body["error_description"].as_str().expect("text");
        assert!(text.contains(&right) && text.contains("slash"), "{text}");
    }
    for path in ["/api//mcp", "//api/mcp/", "/api/mcp//"] {
        let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let call = bed.post(path).bearer(&bed.a.api_token).json(ping);
        let answer = call.send().await.expect(404);
        let body = answer.json();
        let text = body["error"]["message"].as_str().expect("JSON-RPC");
        assert!(
            text.contains(" /api/mcp ") && text.contains("slash"),
            "{text}"
        );
    }
    // What is right, and what is simply not there, says nothing of slashes.
    let plain = bed.get("/nothing").send().await;
    assert!(
        !plain.refused(404, "route_not_found")["message"]
            .to_string()
            .contains("slash")
    );
    // No credential that somebody put into a path comes back.
    for secret in [
        &bed.a.jwt,
        &bed.a.api_token,
        &bed.a.client_secret,
        &made.token,
    ] {
        let answer = bed.get(&format!("/instances/{secret}/")).send().await;
        assert!(!answer.text().contains(secret.as_str()), "{answer:?}");
        answer.refused(404, "route_not_found");
    }
}

async fn at_the_direct_api_the_key_comes_first(bed: &mut Bed) {
    let session = bed.post("/sessions").bearer(&bed.a.api_token);
    let session = session.json(json!({})).send().await.ok();
    let (name, key) = (
        session["key"].as_str().expect("a name"),
        session["apiKey"].as_str().expect("a key"),
    );
    let due = bare(bed.get("/sessions/x/nothing").send().await);
    for (path, right) in [
        ("/sessions/".to_owned(), "/sessions"),
        ("//sessions".to_owned(), "/sessions"),
        ("/health/".to_owned(), "/health"),
        (format!("/sessions/{name}/"), name),
        (format!("/sessions//{name}/qr"), "/qr "),
    ] {
        assert_eq!(bare(bed.get(&path).send().await), due, "{path}");
        let call = bed.get(&path).header("x-api-key", key);
        let answer = call.send().await.expect(404);
        let body = answer.json();
        let text = body["error"].as_str().expect("text");
        assert!(text.contains(right) && text.contains("slash"), "{text}");
        assert!(!text.contains("sk_"), "{text}");
        answer.hygiene();
        let junk = bed.get(&path).header("x-api-key", "sk_junk").send().await;
        assert_eq!(junk.expect(401).text(), r#"{"error":"API key invalida"}"#);
    }
}
