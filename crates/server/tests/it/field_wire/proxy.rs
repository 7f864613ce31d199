//! A proxy that asks for HTTP Basic, and a client whose header goes along with every call.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD},
};
use serde_json::{Value, json};

use crate::{
    access::{COOKIE, bare},
    gateway::{Bed, Call},
    people_access::people::{OWNER_A, PASSWORD, own_origin, sign_in},
};

on_both! {
    a_proxys_basic_is_ignored_where_something_else_proves,
    a_proxys_basic_alone_is_401,
    a_basic_of_ours_is_never_ignored,
    an_old_bearer_at_token_is_ignored,
}

const FORM: &str = "application/x-www-form-urlencoded";

fn basic(user: &str, password: &[u8]) -> String {
    let pair = [user.as_bytes(), b":", password].concat();
    format!("Basic {}", BASE64_STANDARD.encode(pair))
}

/// As browsers and proxies send it: any scheme's case, any user, a password of any bytes.
fn foreign() -> Vec<String> {
    let bare = BASE64_STANDARD_NO_PAD.encode("admin:hunter");
    vec![
        basic("admin", b"hunter2"),
        basic("admin", b"p\xe9ss:w\xf6rd"),
        basic("", b""),
        basic("j\u{f6}rg@example.com", b"x"),
        basic("act_", b"x"),
        basic("CT_x", b"x"),
        format!("bASIC  {bare}"),
    ]
}

/// The user name is a client token's, however it is written.
fn ours(bed: &Bed) -> Vec<String> {
    let (id, secret) = (bed.a.client_token.as_str(), bed.a.client_secret.as_bytes());
    let escaped: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let unpadded = BASE64_STANDARD_NO_PAD.encode(format!("{id}:x"));
    vec![
        basic(id, secret),
        basic("ct_junk", b"x"),
        basic("ct_", b""),
        basic(&escaped, secret),
        basic(" ct_junk", b"x"),
        basic("+ct_junk", b"x"),
        format!("basic {unpadded}"),
    ]
}

/// What is no Basic, or none that can be read.
const BROKEN: [&str; 5] = ["Basic", "Basic ", "Basic ???", "Basic YWJj", "Digest a=b"];

fn client_of(bed: &Bed, more: Value) -> Value {
    let mut body =
        json!({"client_token": bed.a.client_token, "client_secret": bed.a.client_secret});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

async fn a_proxys_basic_is_ignored_where_something_else_proves(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Behind"})).await;
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", made.token.as_str()),
    ];
    let (name, key) = bed.direct_session().await;
    let (name, key) = (name.as_str(), key.as_str());
    let form = format!(
        "client_id={}&client_secret={}&token=x",
        bed.a.client_token, bed.a.client_secret
    );
    let page = |call: Call| call.header("origin", &own_origin(bed));
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"});
    let who = sign_in(bed, OWNER_A).await;
    for basic in foreign() {
        let login = json!({"email": OWNER_A, "password": PASSWORD});
        let direct = |path: String| bed.get(&path).header("x-api-key", key);
        for (call, due) in [
            // A cookie, or nothing asked for.
            (who.ask(bed, "GET", "/dashboard/api/me"), 200),
            (who.ask(bed, "GET", "/dashboard/api/instances"), 200),
            (page(bed.get("/dashboard/api/state")), 200),
            (page(bed.post("/login")).json(login), 200),
            (page(bed.post("/logout")), 204),
            (bed.get("/dashboard"), 200),
            (bed.get("/"), 307),
            (bed.get("/livez"), 200),
            (bed.get("/readyz"), 200),
            (bed.get("/health"), 200),
            (bed.call("OPTIONS", "/api/mcp/"), 204),
            (bed.post("/api/mcp/").json(hello.clone()), 200),
            (bed.get(&format!("/sessions/{name}/qr?format=text")), 200),
            (bed.get("/nothing"), 404),
            // The body.
            (bed.post("/token").json(client_of(bed, json!({}))), 200),
            (
                bed.post("/token")
                    .header("content-type", FORM)
                    .body(form.clone()),
                200,
            ),
            (
                bed.post("/introspect")
                    .json(client_of(bed, json!({"token": "x"}))),
                200,
            ),
            (
                bed.post("/revoke")
                    .json(client_of(bed, json!({"token": "x"}))),
                200,
            ),
            // The pair.
            (bed.get(&made.path("/session/status")).headers(pair), 200),
            (bed.get(&made.path("/webhook")).headers(pair), 200),
            // The key.
            (direct(format!("/sessions/{name}")), 200),
            (direct(format!("/sessions/{name}/qr?format=text")), 200),
            (direct("/sessions/x/nothing".to_owned()), 404),
        ] {
            let answer = call.header("authorization", &basic).send().await;
            assert_eq!(answer.status, due, "{basic}: {answer:?}");
        }
        // It opens no more than what is beside it, and what does not hold is refused as without it.
        let junk = json!({"client_token": "ct_junk", "client_secret": "cs_junk"});
        let refused: [&dyn Fn() -> Call; 4] = [
            &|| bed.post("/token").json(junk.clone()),
            &|| bed.get(&made.path("/session/status")).headers([pair[0]]),
            &|| bed.post("/instances/list").headers(pair).json(json!({})),
            &|| {
                let read = bed.get(&format!("/sessions/{name}"));
                read.header("x-api-key", "sk_junk")
            },
        ];
        for call in refused {
            let without = bare(call().send().await);
            let with = bare(call().header("authorization", &basic).send().await);
            assert_eq!(with.0, 401, "{basic}: {with:?}");
            assert_eq!((with.0, &with.2), (without.0, &without.2), "{basic}");
        }
        // Twice is twice, whatever it is.
        let twice = bed.get(&made.path("/session/status")).headers(pair);
        let twice = twice.header("authorization", &basic).bearer(&bed.a.jwt);
        twice.send().await.refused(400, "conflicting_credentials");
    }
    // A session without anything is a guest's, also behind a proxy.
    let guest = bed.post("/sessions").json(json!({}));
    let guest = guest
        .header("authorization", &foreign()[0])
        .send()
        .await
        .ok();
    assert_eq!(guest["claimed"], false, "{guest}");
}

async fn a_proxys_basic_alone_is_401(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Behind"})).await;
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for basic in foreign() {
        let alone = |call: Call| call.header("authorization", &basic);
        for call in [
            bed.get(&made.path("/session/status")),
            bed.get(&made.path("")),
            bed.post("/instances/list").json(json!({})),
            bed.get("/account"),
        ] {
            let answer = alone(call).send().await;
            assert!(answer.header("www-authenticate").contains("invalid_token"));
            answer.refused(401, "unauthorized");
        }
        for (method, path) in [
            ("POST", "/api/mcp/"),
            ("DELETE", "/api/mcp"),
            ("GET", "/api/mcp"),
        ] {
            let call = bed.call(method, path).json(ping.clone());
            let answer = alone(call).send().await.expect(401);
            assert_eq!(answer.json()["error"]["code"], -32000, "{answer:?}");
        }
        let page = bed
            .get("/dashboard/api/me")
            .header("origin", &own_origin(bed));
        alone(page).send().await.refused(401, "unauthorized");
        // At the Direct API it is nothing at all: the bytes of no key.
        for path in ["/sessions/qr_x", "/sessions/x/nothing"] {
            let without = bare(bed.get(path).send().await);
            let with = bare(alone(bed.get(path)).send().await);
            assert_eq!(with, without, "{basic}");
            assert_eq!(with.2, br#"{"error":"API key requerida"}"#);
        }
        for path in ["/token", "/introspect", "/revoke"] {
            for call in [
                bed.post(path),
                bed.post(path).json(json!({"token": "x"})),
                bed.post(path)
                    .json(json!({"client_token": "", "client_secret": null})),
            ] {
                let answer = alone(call).send().await.expect(401);
                assert_eq!(answer.json()["error"], "invalid_client", "{answer:?}");
                assert!(answer.header("www-authenticate").starts_with("Basic"));
            }
            // Half of a proof is none.
            let half = bed
                .post(path)
                .json(json!({"client_secret": bed.a.client_secret}));
            let answer = alone(half).send().await.expect(400);
            assert!(answer.text().contains("client_token"), "{answer:?}");
        }
    }
}

async fn a_basic_of_ours_is_never_ignored(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Ours"})).await;
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", made.token.as_str()),
    ];
    let (name, key) = bed.direct_session().await;
    let (name, key) = (name.as_str(), key.as_str());
    let who = sign_in(bed, OWNER_A).await;
    let broken = BROKEN.map(str::to_owned).to_vec();
    for basic in [ours(bed), broken.clone()].concat() {
        let with = |call: Call| call.header("authorization", &basic);
        let status = bed.get(&made.path("/session/status")).headers(pair);
        with(status).send().await.refused(401, "unauthorized");
        let me = who.ask(bed, "GET", "/dashboard/api/me");
        with(me)
            .send()
            .await
            .refused(400, "conflicting_credentials");
        let read = bed
            .get(&format!("/sessions/{name}"))
            .header("x-api-key", key);
        let answer = with(read).send().await.expect(400);
        assert!(answer.text().contains("authorization"), "{answer:?}");
        with(bed.post("/sessions").json(json!({})))
            .send()
            .await
            .expect(401);
        for path in ["/token", "/introspect", "/revoke"] {
            let call = bed.post(path).json(client_of(bed, json!({"token": "x"})));
            let answer = with(call).send().await;
            // What cannot be read is refused before anything is compared.
            let due = match answer.json()["error"].as_str() {
                Some("invalid_request") => 400,
                _ => 401,
            };
            assert_eq!(answer.status, due, "{basic}: {answer:?}");
        }
    }
    for path in ["/token", "/introspect", "/revoke"] {
        for basic in &ours(bed)[..5] {
            let call = bed.post(path).json(client_of(bed, json!({"token": "x"})));
            let answer = call.header("authorization", basic).send().await.expect(400);
            assert_eq!(answer.json()["error"], "invalid_request", "{basic}");
        }
    }
}

async fn an_old_bearer_at_token_is_ignored(bed: &mut Bed) {
    let old = bed.a.jwt.clone();
    bed.clock.jump_secs(4000);
    let list = bed.post("/instances/list").bearer(&old).json(json!({}));
    list.send().await.refused(401, "unauthorized");
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        bed.a.client_token, bed.a.client_secret
    );
    for bearer in [old.as_str(), "junk", "a b", "", bed.b.jwt.as_str()] {
        let scheme = format!("bearer {bearer}");
        for call in [
            bed.post("/token").json(client_of(bed, json!({}))),
            bed.post("/token")
                .header("content-type", FORM)
                .body(form.clone()),
        ] {
            let call = call.header("authorization", &scheme);
            let renewed = call.send().await.ok();
            let jwt = renewed["access_token"]
                .as_str()
                .expect("a token")
                .to_owned();
            let list = bed.post("/instances/list").bearer(&jwt).json(json!({}));
            list.send().await.expect(200);
        }
        // Only there, and only beside what proves the client in full.
        for call in [
            bed.post("/token"),
            bed.post("/token")
                .json(json!({"client_token": bed.a.client_token})),
            bed.post("/token")
                .json(json!({"client_token": bed.a.client_token, "client_secret": ""})),
            bed.post("/token")
                .json(json!({"client_secret": bed.a.client_secret})),
            bed.post("/token")
                .json(json!({"client_token": "ct_junk", "client_secret": "cs_junk"})),
            bed.post("/introspect")
                .json(client_of(bed, json!({"token": old}))),
            bed.post("/revoke")
                .json(client_of(bed, json!({"token": old}))),
        ] {
            let answer = call.header("authorization", &scheme).send().await;
            let answer = answer.expect(401);
            assert_eq!(answer.json()["error"], "invalid_client", "{answer:?}");
        }
        let twice = bed.post("/token").json(client_of(bed, json!({})));
        let twice = twice.header("authorization", &scheme).bearer("x");
        twice.send().await.expect(400);
    }
    // Beside a foreign client's header the body still has to be the same client's.
    let other = bed.post("/token").json(client_of(bed, json!({})));
    let other = other
        .bearer(&old)
        .header("x-client-token", &bed.b.client_token);
    other.send().await.expect(400);
    // The cookie of a person is nothing there, as before.
    let cookie = format!("{COOKIE}={}", "x".repeat(43));
    let call = bed.post("/token").json(client_of(bed, json!({})));
    call.bearer(&old)
        .header("cookie", &cookie)
        .send()
        .await
        .expect(200);
    bed.log_in().await;
}
