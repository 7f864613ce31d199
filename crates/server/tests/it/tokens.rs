//! `POST /introspect` (RFC 7662) and `POST /revoke` (RFC 7009): clients ask about owner JWTs and end
//! them. Opaque tokens have other routes.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_model::{Clock as _, Token, TokenKind, clock::OsRng, credential::CredentialKind};
use serde_json::{Value, json};

use crate::{
    access::issue,
    gateway::{Answer, Bed, Call, Shop},
};

on_both! {
    introspection_says_all_of_a_live_token,
    what_is_not_active_is_one_answer,
    revocation_counts_from_the_next_request,
    nobody_revokes_anothers,
    opaque_tokens_are_revoked_elsewhere,
    clients_prove_themselves_as_at_token,
    asked_wrongly,
}

const ENDPOINTS: [&str; 2] = ["/introspect", "/revoke"];
const FORM: &str = "application/x-www-form-urlencoded";

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

fn asked(bed: &Bed, path: &str, client: &Shop, token: &str) -> Call {
    let body = json!({
        "client_token": client.client_token, "client_secret": client.client_secret, "token": token,
    });
    bed.post(path).json(body)
}

async fn introspect(bed: &Bed, client: &Shop, token: &str) -> Answer {
    let answer = asked(bed, "/introspect", client, token)
        .send()
        .await
        .expect(200);
    answer.hygiene();
    answer
}

async fn revoke(bed: &Bed, client: &Shop, token: &str) {
    let answer = asked(bed, "/revoke", client, token)
        .send()
        .await
        .expect(200);
    assert!(answer.body.is_empty(), "{answer:?}");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.header("x-request-id").starts_with("RQ"));
}

async fn status_of(bed: &Bed, jwt: &str) -> u16 {
    let call = bed.post("/instances/list").bearer(jwt);
    call.json(json!({})).send().await.status
}

#[track_caller]
fn is_error(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.json()["error"], error, "{answer:?}");
    answer.hygiene();
    assert_eq!(
        status == 401,
        !answer.header("www-authenticate").is_empty(),
        "{answer:?}"
    );
}

async fn introspection_says_all_of_a_live_token(bed: &mut Bed) {
    let answer = introspect(bed, &bed.a, &bed.a.jwt).await;
    let (told, claims) = (answer.json(), claims(&bed.a.jwt));
    for name in ["exp", "iat", "nbf", "sub", "aud", "iss", "jti", "scope"] {
        assert_eq!(told[name], claims[name], "{name}: {told}");
    }
    assert_eq!(
        (&told["active"], &told["token_type"]),
        (&json!(true), &json!("Bearer"))
    );
    let mut names: Vec<_> = told
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "active",
            "aud",
            "client_id",
            "exp",
            "iat",
            "iss",
            "jti",
            "nbf",
            "scope",
            "sub",
            "token_type"
        ]
    );
    // The client token is a secret, so the client is named by the id of that credential.
    let mut conn = bed.read().await;
    let all = conn
        .account(&bed.a.id)
        .credentials()
        .await
        .expect("credentials");
    let client = all
        .iter()
        .find(|one| one.kind == CredentialKind::ClientToken);
    assert_eq!(told["client_id"], client.expect("a client").id.as_str());
    for secret in [&bed.a.client_token, &bed.a.client_secret, &bed.a.jwt] {
        assert!(!answer.text().contains(secret.as_str()), "{answer:?}");
    }
    // In every way of asking.
    let form = format!("token={}&token_type_hint=access_token", bed.a.jwt);
    let by_basic = bed
        .post("/introspect")
        .header("content-type", FORM)
        .body(form.clone());
    let by_basic = by_basic.header(
        "authorization",
        &basic(&bed.a.client_token, &bed.a.client_secret),
    );
    let in_form = format!(
        "{form}&client_id={}&client_secret={}",
        bed.a.client_token, bed.a.client_secret
    );
    let in_form = bed
        .post("/introspect")
        .header("content-type", FORM)
        .body(in_form);
    for call in [by_basic, in_form] {
        assert_eq!(call.send().await.ok(), told);
    }
}

fn claims(jwt: &str) -> Value {
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let claims = jwt.split('.').nth(1).expect("claims");
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    serde_json::from_slice(&claims).expect("JSON")
}

/// T-11: junk, expired, revoked, foreign and opaque tokens look alike to the byte, in the headers too.
async fn what_is_not_active_is_one_answer(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Opaque"})).await;
    let expired = bed.a.jwt.clone();
    bed.clock.jump_secs(3601);
    bed.log_in().await;
    let revoked = bed.token_of(&bed.a).await;
    revoke(bed, &bed.a, &revoked).await;
    // A token whose client was revoked is as dead as one that was revoked itself.
    let (client, orphan) = client_with_token(bed).await;
    assert_eq!(
        introspect(bed, &bed.a, &orphan).await.json()["active"],
        true
    );
    let now = bed.clock.now();
    let mut conn = bed.write().await;
    let ended = conn.account(&bed.a.id).revoke(&client, now).await;
    assert!(ended.expect("revoked"));
    conn.commit().await.expect("commit");
    bed.gateway().app.access().invalidate();

    let unknown = Token::random(TokenKind::Api, &OsRng).expose().to_owned();
    let cut = &bed.a.jwt[..bed.a.jwt.len() - 1];
    let quoted = json!(bed.a.jwt).to_string();
    for (name, token) in [
        ("junk", "junk"),
        ("dots", ".."),
        ("not ASCII", "tökén\u{0}"),
        ("expired", &expired),
        ("revoked", &revoked),
        ("of a revoked client", &orphan),
        ("foreign", &bed.b.jwt),
        ("cut", cut),
        ("quoted", &quoted),
        ("own client token", &bed.a.client_token),
        ("own client secret", &bed.a.client_secret),
        ("own API token", &bed.a.api_token),
        ("own instance token", &made.token),
        ("foreign API token", &bed.b.api_token),
        ("unknown API token", &unknown),
        ("long", &"a".repeat(30_000)),
    ] {
        let answer = introspect(bed, &bed.a, token).await;
        assert_eq!(answer.text(), r#"{"active":false}"#, "{name}");
    }
    assert_eq!(
        introspect(bed, &bed.b, &bed.b.jwt).await.json()["active"],
        true
    );
}

/// A further client of shop A, and an owner JWT by it.
async fn client_with_token(bed: &Bed) -> (recado_model::CredentialId, String) {
    let (client, token) = issue(bed, CredentialKind::ClientToken, None, None, None).await;
    let secret = issue(bed, CredentialKind::ClientSecret, None, Some(&client), None)
        .await
        .1;
    let body = json!({"client_token": token, "client_secret": secret});
    let answer = bed.post("/token").json(body).send().await.ok();
    (
        client,
        answer["access_token"].as_str().expect("a token").to_owned(),
    )
}

/// T-10, RFC 7009, 2: at once, for ever, and for that token alone.
async fn revocation_counts_from_the_next_request(bed: &mut Bed) {
    let (one, other) = (bed.token_of(&bed.a).await, bed.token_of(&bed.a).await);
    for jwt in [&one, &other] {
        assert_eq!(status_of(bed, jwt).await, 200, "warm in every cache");
        assert_eq!(introspect(bed, &bed.a, jwt).await.json()["active"], true);
    }
    revoke(bed, &bed.a, &one).await;
    assert_eq!(status_of(bed, &one).await, 401);
    assert_eq!(status_of(bed, &other).await, 200);
    assert_eq!(status_of(bed, &bed.a.jwt).await, 200);
    assert_eq!(
        introspect(bed, &bed.a, &one).await.text(),
        r#"{"active":false}"#
    );
    // Again, and with a wrong hint: 200 as before.
    revoke(bed, &bed.a, &one).await;
    let body = json!({
        "client_token": bed.a.client_token, "client_secret": bed.a.client_secret,
        "token": other, "token_type_hint": "refresh_token",
    });
    bed.post("/revoke").json(body).send().await.expect(200);
    assert_eq!(status_of(bed, &other).await, 401);
    // A client gets new ones as before; the dead ones stay dead after a restart.
    assert_eq!(status_of(bed, &bed.token_of(&bed.a).await).await, 200);
    let third = bed.token_of(&bed.a).await;
    revoke(bed, &bed.a, &third).await;
    bed.restart().await;
    for dead in [&one, &other, &third] {
        assert_eq!(status_of(bed, dead).await, 401);
    }
    // While others use it: nothing that begins after the answer gets through.
    for _ in 0..10 {
        let jwt = bed.token_of(&bed.a).await;
        let done = std::sync::atomic::AtomicBool::new(false);
        let ending = async {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            revoke(bed, &bed.a, &jwt).await;
            done.store(true, std::sync::atomic::Ordering::SeqCst);
        };
        let using = async {
            loop {
                let after = done.load(std::sync::atomic::Ordering::SeqCst);
                let status = status_of(bed, &jwt).await;
                assert!(status == 401 || !after, "used after the answer");
                if after {
                    break;
                }
            }
        };
        tokio::join!(ending, using);
    }
}

/// RFC 7009, 2.1: only its own client's account, and the answer tells nothing.
async fn nobody_revokes_anothers(bed: &mut Bed) {
    let quiet = |answer: &Answer| {
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        headers.sort();
        (answer.status, headers, answer.body.clone())
    };
    let mut seen = Vec::new();
    for token in [bed.a.jwt.as_str(), "junk", ".."] {
        let answer = asked(bed, "/revoke", &bed.b, token).send().await;
        seen.push(quiet(&answer.expect(200)));
    }
    // And of one's own, which is the only one that has an effect.
    let own = bed.token_of(&bed.b).await;
    seen.push(quiet(&asked(bed, "/revoke", &bed.b, &own).send().await));
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    assert_eq!(status_of(bed, &bed.a.jwt).await, 200);
    assert_eq!(status_of(bed, &own).await, 401);
    // Another client of the same account is the account: it may.
    let (_, jwt) = client_with_token(bed).await;
    revoke(bed, &bed.a, &jwt).await;
    assert_eq!(status_of(bed, &jwt).await, 401);
}

async fn opaque_tokens_are_revoked_elsewhere(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Opaque"})).await;
    let unknown = Token::random(TokenKind::DirectKey, &OsRng)
        .expose()
        .to_owned();
    // Whether we know it does not matter: of a foreign or unknown one nothing is told.
    for token in [
        &bed.a.client_token,
        &bed.a.client_secret,
        &bed.a.api_token,
        &made.token,
        &bed.b.api_token,
        &unknown,
    ] {
        let answer = asked(bed, "/revoke", &bed.a, token).send().await;
        is_error(&answer, 400, "unsupported_token_type");
        assert!(
            answer.json()["message"]
                .as_str()
                .expect("text")
                .contains("/account/credentials")
        );
        assert!(!answer.text().contains(token.as_str()));
    }
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", &made.token),
    ];
    bed.get(&made.path("/session/status"))
        .headers(pair)
        .send()
        .await
        .expect(200);
    bed.mcp(&bed.a, json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}))
        .await
        .expect(200);
}

/// T-10: as at `/token`, before anything is said of the token.
async fn clients_prove_themselves_as_at_token(bed: &mut Bed) {
    let (id, secret, jwt) = (&bed.a.client_token, &bed.a.client_secret, &bed.a.jwt);
    let unknown = Token::random(TokenKind::Client, &OsRng).expose().to_owned();
    let wrong = Token::random(TokenKind::ClientSecret, &OsRng)
        .expose()
        .to_owned();
    for path in ENDPOINTS {
        let mut bodies = Vec::new();
        for (id, secret) in [
            (&unknown, secret),
            (id, &wrong),
            (id, &bed.b.client_secret),
            (&bed.b.client_token, secret),
            (secret, id),
            (id, id),
            (&bed.a.api_token, secret),
        ] {
            let body = json!({"client_token": id, "client_secret": secret, "token": jwt});
            let answer = bed.post(path).json(body).send().await;
            is_error(&answer, 401, "invalid_client");
            bodies.push(answer.body);
            let form = bed
                .post(path)
                .header("content-type", FORM)
                .body(format!("token={jwt}"));
            let answer = form
                .header("authorization", &basic(id, secret))
                .send()
                .await;
            is_error(&answer, 401, "invalid_client");
            assert!(
                answer.header("www-authenticate").starts_with("Basic"),
                "{answer:?}"
            );
            bodies.push(answer.body);
        }
        assert!(bodies.iter().all(|body| *body == bodies[0]), "{path}");
        // Other proofs are no client's: not even the token itself, or the account's.
        let answer = bed
            .post(path)
            .bearer(jwt)
            .json(json!({"token": jwt}))
            .send()
            .await;
        is_error(&answer, 401, "invalid_client");
        let answer = bed.post(path).json(json!({"token": jwt})).send().await;
        is_error(&answer, 400, "invalid_request");
        let answer = bed
            .post(path)
            .header("x-client-token", id)
            .json(json!({"token": jwt}))
            .send()
            .await;
        is_error(&answer, 400, "invalid_request");
        for name in ["x-api-key", "x-instance-token"] {
            let answer = asked(bed, path, &bed.a, jwt).header(name, "x").send().await;
            is_error(&answer, 400, "invalid_request");
        }
        // By Basic and in the body: one too many.
        let answer = asked(bed, path, &bed.a, jwt)
            .header("authorization", &basic(id, secret))
            .send()
            .await;
        is_error(&answer, 400, "invalid_request");
    }
    assert_eq!(status_of(bed, jwt).await, 200, "none of that revoked it");
}

async fn asked_wrongly(bed: &mut Bed) {
    let (id, secret, jwt) = (&bed.a.client_token, &bed.a.client_secret, &bed.a.jwt);
    let pair = format!("client_id={id}&client_secret={secret}");
    for path in ENDPOINTS {
        for method in ["GET", "PUT", "DELETE", "PATCH"] {
            let answer = bed.call(method, path).send().await;
            assert_eq!(
                (answer.status, answer.header("allow")),
                (405, "POST"),
                "{answer:?}"
            );
        }
        let form = |body: String| bed.post(path).header("content-type", FORM).body(body);
        let object = |token: Value| {
            bed.post(path)
                .json(json!({"client_token": id, "client_secret": secret, "token": token}))
        };
        for (name, call) in [
            ("no token", bed.post(path).json(json!({"client_token": id, "client_secret": secret}))),
            ("an empty token", object(json!(""))),
            ("a token that is null", object(Value::Null)),
            ("a token that is a list", object(json!([jwt]))),
            ("a token that is a number", object(json!(7))),
            ("form, no token", form(pair.clone())),
            ("form, token twice", form(format!("{pair}&token={jwt}&token={jwt}"))),
            ("JSON, token twice", bed.post(path).body(format!(
                r#"{{"client_token":"{id}","client_secret":"{secret}","token":"{jwt}","token":"x"}}"#
            ))),
            ("a list", bed.post(path).json(json!([id, secret, jwt]))),
            ("not JSON", bed.post(path).body("{")),
            ("nothing", bed.post(path)),
            ("token in the query", bed.post(&format!("{path}?token={jwt}")).json(
                json!({"client_token": id, "client_secret": secret}),
            )),
            ("token in the query, too", bed.post(&format!("{path}?token={jwt}")).json(
                json!({"client_token": id, "client_secret": secret, "token": jwt}),
            )),
            ("client in the query", bed.post(&format!("{path}?{pair}")).json(json!({"token": jwt}))),
        ] {
            let answer = call.send().await;
            assert_eq!(answer.status, 400, "{path}, {name}: {answer:?}");
            is_error(&answer, 400, "invalid_request");
            assert!(!answer.text().contains(jwt.as_str()), "{name}");
        }
        // Beyond what is read of a stranger's body; on a connection that nobody uses afterwards.
        let call = object(json!("a".repeat(70_000)));
        let answer = call.header("connection", "close").send().await;
        assert_eq!(answer.status, 413, "{answer:?}");
    }
    assert_eq!(status_of(bed, jwt).await, 200, "none of that revoked it");
}
