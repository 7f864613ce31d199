//! Paths that nobody serves, and methods that a path does not know.

use serde_json::json;

use crate::gateway::Bed;

on_both! { no_such_route_or_method }

async fn no_such_route_or_method(bed: &mut Bed) {
    let jwt = bed.a.jwt.as_str();
    for path in [
        "/nothing",
        "/instances",
        "/instances/",
        "/instances/RC1/nothing",
        "/api/other",
        "/token/",
        "/webhook",
    ] {
        for call in [bed.get(path), bed.get(path).bearer(jwt)] {
            let answer = call.send().await;
            if path.starts_with("/token") {
                assert_eq!(
                    (answer.status, &answer.json()["error"]),
                    (404, &json!("invalid_request"))
                );
            } else {
                let body = answer.refused(404, "route_not_found");
                let text = body["error"].as_str().expect("text");
                assert!(
                    text.contains("docs/access-matrix.md") && text.contains("https://"),
                    "{text}"
                );
            }
        }
    }
    // Below the dashboard's API there are no pages.
    for path in [
        "/dashboard/api",
        "/dashboard/api/",
        "/dashboard/api/nothing",
        "/login/",
        "/logout/x",
    ] {
        bed.get(path).send().await.refused(404, "route_not_found");
    }
    for path in ["/dashboard/nothing", "/dashboard/apis"] {
        let answer = bed.get(path).send().await.expect(200);
        assert!(
            answer.header("content-type").starts_with("text/html"),
            "{answer:?}"
        );
    }
    // Probes of clients that look for an authorization server: a fast, plain no.
    for path in [
        "/.well-known/oauth-protected-resource/api/mcp",
        "/.well-known/openid-configuration",
    ] {
        let answer = bed.get(path).send().await.expect(404);
        assert_eq!(answer.json()["error_code"], "not_found");
    }
    // The Direct API asks for its key first.
    let answer = bed.get("/sessions/x/nothing").send().await.expect(401);
    assert_eq!(answer.text(), r#"{"error":"API key requerida"}"#);
    let created = bed
        .post("/sessions")
        .bearer(&bed.a.api_token)
        .json(json!({}))
        .send()
        .await
        .ok();
    let key = created["apiKey"].as_str().expect("a key");
    for (path, key, status) in [
        ("/sessions/x/nothing", key, 404),
        ("/nothing", key, 404),
        ("/nothing", "sk_junk", 401),
    ] {
        let answer = bed
            .get(path)
            .header("x-api-key", key)
            .send()
            .await
            .expect(status);
        assert!(answer.json()["error"].is_string());
        answer.hygiene();
    }
    let answer = bed
        .call("PUT", "/sessions")
        .header("x-api-key", key)
        .send()
        .await
        .expect(405);
    assert_eq!(answer.header("allow"), "POST");

    // Each path with methods it does not know, from the table itself.
    let rows = recado_api::routes();
    for row in rows.iter().filter(|row| row.method != "MCP") {
        let path = row.path.replace(['{', '}', '*'], "x");
        let known: Vec<_> = rows
            .iter()
            .filter(|other| other.path == row.path)
            .map(|other| other.method.as_str())
            .collect();
        for method in [
            "GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "PROPFIND",
        ] {
            if known.contains(&method) {
                continue;
            }
            let direct = row.surface == recado_api::Surface::Direct;
            let call = bed.call(method, &path);
            let call = if direct {
                call.header("x-api-key", key)
            } else {
                call
            };
            let answer = call.send().await;
            assert_eq!(answer.status, 405, "{answer:?}");
            let allow = answer.header("allow");
            for method in known.iter().filter(|_| !row.path.starts_with("/api/mcp")) {
                assert!(
                    allow.split(", ").any(|one| one == *method),
                    "{allow:?} of {answer:?}"
                );
            }
            assert!(
                !allow.is_empty() && !allow.split(", ").any(|one| one == method),
                "{allow:?} of {answer:?}"
            );
            use recado_api::Surface::{Dashboard, Instance};
            if [Instance, Dashboard].contains(&row.surface) {
                answer.refused(405, "method_not_allowed");
            }
        }
    }
    // TRACE echoes nothing.
    let answer = bed
        .call("TRACE", "/instances/list")
        .header("x-client-token", "ct_secret")
        .send()
        .await;
    assert!(!answer.text().contains("ct_secret"));
    // HEAD is GET without its body.
    let answer = bed.call("HEAD", "/livez").send().await.expect(200);
    assert!(answer.body.is_empty());
}
