//! The Direct API's part of the MCP page: keys, open routes, and whose sessions one may use.

use recado_api::Surface;
use serde_json::{Value, json};

use super::example::filled;
use crate::gateway::{Bed, CUSTOMER};

on_both! {
    all_routes_require_the_key_that_creating_a_session_returned,
    the_exempt_routes_do_not_require_authentication,
    sessions_are_scoped_to_the_shop_that_created_them,
}

/// As the page lists them.
const EXEMPT: [(&str, &str); 3] = [
    ("GET", "/health"),
    ("POST", "/sessions"),
    ("GET", "/sessions/{key}/qr"),
];

const NOT_YOURS: &str = r#"{
"error": "Session does not belong to your shop"
}"#;

async fn session(bed: &Bed, token: &str) -> Value {
    let create = bed.post("/sessions").bearer(token);
    create.json(json!({"label": "Direct"})).send().await.ok()
}

fn text(session: &Value, name: &str) -> String {
    session[name].as_str().expect("text").to_owned()
}

/// > All VPS routes at wa.wazion.com require an X-API-Key header with the API key returned when you
/// > create a WhatsApp session. X-API-Key: sk_xxxxxxxxxxxxxxxx
async fn all_routes_require_the_key_that_creating_a_session_returned(bed: &mut Bed) {
    let session = session(bed, &bed.a.api_token).await;
    let (name, key) = (text(&session, "key"), text(&session, "apiKey"));
    let header = filled(
        "X-API-Key: sk_xxxxxxxxxxxxxxxx",
        &[("sk_xxxxxxxxxxxxxxxx", &key)],
    );
    let (header, value) = header.split_once(": ").expect("a header");
    assert!(value.starts_with("sk_"));
    let mut asked = 0;
    for row in recado_api::routes() {
        let exempt = EXEMPT.contains(&(row.method.as_str(), row.path.as_str()));
        if row.surface != Surface::Direct || exempt {
            continue;
        }
        // Claiming takes the shop's token, too; the key is asked for all the same.
        let claims = row.rule == recado_api::auth::Rule::DirectClaim;
        let call = || {
            let call = bed.call(&row.method, &row.path.replace("{key}", &name));
            let call = if row.method == "GET" {
                call
            } else {
                call.body("[")
            };
            if claims {
                call.bearer(&bed.a.api_token)
            } else {
                call
            }
        };
        for (given, due) in [
            (None, "API key requerida"),
            (Some("sk_"), "API key invalida"),
            (Some(&key[..8]), "API key invalida"),
        ] {
            let call = given
                .iter()
                .fold(call(), |call, key| call.header(header, key));
            let answer = call.send().await;
            assert_eq!(
                (answer.status, answer.json()),
                (401, json!({"error": due})),
                "{row:?}"
            );
        }
        let answer = call().header(header, value).send().await;
        assert!(!matches!(answer.status, 401 | 403 | 500..), "{answer:?}");
        asked += 1;
    }
    assert!(asked >= 3, "only {asked} routes");
    // What is not there at all asks for the key first, too.
    let answer = bed.get("/sessions/x/nothing").send().await.expect(401);
    assert_eq!(answer.text(), r#"{"error":"API key requerida"}"#);
}

/// > The following routes do not require authentication: GET /health -- Service health check · POST
/// > /sessions -- Create a new session (returns the API key) · GET /sessions/:key/qr -- Retrieve QR code
/// > for scanning
async fn the_exempt_routes_do_not_require_authentication(bed: &mut Bed) {
    let health = bed.get("/health").send().await.ok();
    assert_eq!(health["status"], "ok", "{health}");
    let created = bed.post("/sessions").json(json!({})).send().await.ok();
    let (name, key) = (text(&created, "key"), text(&created, "apiKey"));
    assert!(key.starts_with("sk_"), "{created}");
    let qr = bed.get(&format!("/sessions/{name}/qr")).send().await;
    assert_eq!(qr.header("cache-control"), "no-store");
    let qr = qr.ok();
    assert!(
        qr["qr"].as_str().is_some_and(|text| !text.is_empty()),
        "{qr}"
    );
    assert!(
        qr["qrImage"]
            .as_str()
            .is_some_and(|text| text.starts_with("data:image/png;base64,"))
    );
    // The key that was returned is that session's; the name in the path opens nothing else.
    let look = bed.get(&format!("/sessions/{name}"));
    look.header("x-api-key", &key).send().await.expect(200);
    bed.get(&format!("/sessions/{name}"))
        .header("x-api-key", &name)
        .send()
        .await
        .expect(401);
}

/// > Sessions are scoped to the shop that created them. You can only interact with sessions belonging to
/// > your shop. Attempting to use a session from a different shop returns a 401 Unauthorized error:
/// > { "error": "Session does not belong to your shop" }
async fn sessions_are_scoped_to_the_shop_that_created_them(bed: &mut Bed) {
    let due: Value = serde_json::from_str(NOT_YOURS).expect("JSON");
    let (ours, too, theirs) = (
        session(bed, &bed.a.api_token).await,
        session(bed, &bed.a.api_token).await,
        session(bed, &bed.b.api_token).await,
    );
    let key = text(&ours, "apiKey");
    // Those of the same shop are one's own.
    for mine in [&ours, &too] {
        for name in ["key", "id"] {
            let call = bed.get(&format!("/sessions/{}", text(mine, name)));
            call.header("x-api-key", &key).send().await.expect(200);
        }
    }
    let body = json!({"to": CUSTOMER, "text": "not mine"});
    for name in ["key", "id"] {
        let path = format!("/sessions/{}", text(&theirs, name));
        for call in [
            bed.get(&path),
            bed.get(&format!("{path}/qr")),
            bed.post(&format!("{path}/messages")).json(body.clone()),
        ] {
            let answer = call.header("x-api-key", &key).send().await;
            assert_eq!(
                (answer.status, answer.json()),
                (401, due.clone()),
                "{answer:?}"
            );
            assert_eq!(answer.text(), due.to_string());
            answer.hygiene();
        }
    }
    assert_eq!(bed.shown(CUSTOMER, "not mine"), 0);
}
