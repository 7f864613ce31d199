//! `POST /token` by RFC 6749: forms of asking, and every error of section 5.2.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_model::{Token, TokenKind, clock::OsRng};
use serde_json::{Value, json};

use crate::{
    gateway::{Answer, Bed, Call},
    wire,
};

on_both! {
    every_way_to_ask,
    refusals_are_those_of_the_rfc,
    unknown_client_and_wrong_secret_are_one_answer,
    a_token_lives_as_long_as_it_says,
}

const FORM: &str = "application/x-www-form-urlencoded";

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{id}:{secret}")))
}

fn form(bed: &Bed, body: String) -> Call {
    bed.post("/token").header("content-type", FORM).body(body)
}

async fn every_way_to_ask(bed: &mut Bed) {
    let (id, secret) = (&bed.a.client_token, &bed.a.client_secret);
    let object = json!({"client_token": id, "client_secret": secret});
    let mut padded = object.clone();
    padded["extra"] = json!({"deep": [1, 2]});
    padded["scope"] = Value::Null;
    let escaped: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
    for (way, call) in [
        ("JSON", bed.post("/token").json(object.clone())),
        ("JSON, unknown fields", bed.post("/token").json(padded)),
        ("JSON without its type", bed.post("/token").body(object.to_string())),
        ("JSON, client_id", bed.post("/token").json(json!({"client_id": id, "client_secret": secret, "grant_type": "client_credentials"}))),
        ("form", form(bed, format!("grant_type=client_credentials&client_id={id}&client_secret={secret}"))),
        ("form, contract's names", form(bed, format!("client_token={id}&client_secret={secret}&unknown=1&scope="))),
        ("Basic", form(bed, "grant_type=client_credentials".to_owned()).header("authorization", &basic(id, secret))),
        ("Basic, no body", bed.post("/token").header("authorization", &basic(id, secret))),
        ("basic, escaped", bed.post("/token").header("authorization", &basic(&escaped, secret).replacen("Basic", "bASIC", 1))),
        ("with the client's header", bed.post("/token").json(object.clone()).header("x-client-token", id)),
        ("cookies ignored", bed.post("/token").json(object).header("cookie", "session=junk")),
    ] {
        let answer = call.send().await;
        assert_eq!(answer.status, 200, "{way}: {answer:?}");
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"), "{way}");
        let body = answer.json();
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(3600)), "{way}");
        assert!(body.get("refresh_token").is_none(), "RFC 6749, 4.4.3");
        let jwt = body["access_token"].as_str().expect("a token");
        bed.post("/instances/list").bearer(jwt).json(json!({})).send().await.expect(200);
    }
}

#[track_caller]
fn is_error(way: &str, answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.status, status, "{way}: {answer:?}");
    let body = answer.json();
    assert_eq!(body["error"], error, "{way}: {answer:?}");
    let description = body["error_description"].as_str().expect("a description");
    let fits = description
        .bytes()
        .all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    assert!(fits, "{way}: {description}");
    assert!(
        body["message"].is_string(),
        "{way}: where the contract's clients look"
    );
    answer.hygiene();
    assert_eq!(answer.header("pragma"), "no-cache", "{way}");
    let challenge = answer.header("www-authenticate");
    assert_eq!(status == 401, !challenge.is_empty(), "{way}");
}

async fn refusals_are_those_of_the_rfc(bed: &mut Bed) {
    let (id, secret) = (bed.a.client_token.as_str(), bed.a.client_secret.as_str());
    let post = |body: Value| bed.post("/token").json(body);
    let good = json!({"client_token": id, "client_secret": secret});
    let with = |name: &str, value: Value| {
        let mut body = good.clone();
        body[name] = value;
        body
    };
    let both = format!("client_id={id}&client_secret={secret}");
    let invalid = "invalid_request";
    for (way, call, status, error) in [
        ("empty", bed.post("/token"), 400, invalid),
        ("no secret", post(json!({"client_token": id})), 400, invalid),
        (
            "empty secret",
            post(json!({"client_token": id, "client_secret": ""})),
            400,
            invalid,
        ),
        (
            "not strings",
            post(json!({"client_token": [id], "client_secret": 5})),
            400,
            invalid,
        ),
        ("array", post(json!([id, secret])), 400, invalid),
        (
            "not JSON",
            bed.post("/token").body("{\"client_token\": "),
            400,
            invalid,
        ),
        (
            "JSON as a form",
            form(bed, format!(" {good}")),
            400,
            invalid,
        ),
        (
            "password grant",
            post(with("grant_type", json!("password"))),
            400,
            "unsupported_grant_type",
        ),
        (
            "implicit",
            post(with("grant_type", json!("implicit"))),
            400,
            "unsupported_grant_type",
        ),
        (
            "a grant that is no string",
            post(with("grant_type", json!(["client_credentials"]))),
            400,
            "unsupported_grant_type",
        ),
        (
            "a scope",
            post(with("scope", json!("all"))),
            400,
            "invalid_scope",
        ),
        (
            "both names",
            post(with("client_id", json!(id))),
            400,
            invalid,
        ),
        (
            "form, repeated",
            form(bed, format!("{both}&client_id={id}")),
            400,
            invalid,
        ),
        (
            "form, repeated unknown",
            form(bed, format!("{both}&x=1&x=2")),
            400,
            invalid,
        ),
        (
            "JSON, repeated",
            bed.post("/token").body(format!(
                r#"{{"client_token":"{id}","client_token":"{id}","client_secret":"{secret}"}}"#
            )),
            400,
            invalid,
        ),
        (
            "Basic and body",
            form(bed, both.clone()).header("authorization", &basic(id, secret)),
            400,
            invalid,
        ),
        (
            "Basic and a secret in the body",
            post(json!({"client_secret": secret})).header("authorization", &basic(id, secret)),
            400,
            invalid,
        ),
        (
            "Basic twice",
            bed.post("/token")
                .header("authorization", &basic(id, secret))
                .header("authorization", &basic(id, secret)),
            400,
            invalid,
        ),
        ("query", bed.post(&format!("/token?{both}")), 400, invalid),
        (
            "query beside a good body",
            bed.post(&format!("/token?client_secret={secret}"))
                .json(good.clone()),
            400,
            invalid,
        ),
        (
            "another client's header",
            post(good.clone()).header("x-client-token", &bed.b.client_token),
            400,
            invalid,
        ),
        (
            "the Direct API's key",
            post(good.clone()).header("x-api-key", "sk_x"),
            400,
            invalid,
        ),
        (
            "an instance's token",
            post(good.clone()).header("x-instance-token", "inst_x"),
            400,
            invalid,
        ),
        (
            "Bearer, and half of a proof",
            post(json!({"client_token": id})).bearer(&bed.a.jwt),
            401,
            "invalid_client",
        ),
        (
            "Basic, no colon",
            bed.post("/token").header("authorization", "Basic YWJj"),
            401,
            "invalid_client",
        ),
        (
            "Basic, no base64",
            bed.post("/token").header("authorization", "Basic ???"),
            401,
            "invalid_client",
        ),
        (
            "swapped",
            post(json!({"client_token": secret, "client_secret": id})),
            401,
            "invalid_client",
        ),
        (
            "another shop's secret",
            post(json!({"client_token": id, "client_secret": bed.b.client_secret})),
            401,
            "invalid_client",
        ),
    ] {
        let answer = call.send().await;
        is_error(way, &answer, status, error);
        let text = answer.text();
        assert!(
            !text.contains(secret) && !text.contains(id),
            "{way}: {text}"
        );
    }
    let answer = bed
        .post("/token")
        .header("content-type", "text/plain")
        .body("x")
        .send()
        .await;
    is_error("plain text", &answer, 415, invalid);
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let answer = bed.call(method, "/token").send().await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, "POST"),
            "{answer:?}"
        );
    }
    // Too large for somebody who has proven nothing: 64 KiB, announced or not.
    let large = with("pad", json!("x".repeat(70_000)));
    is_error("large", &post(large.clone()).send().await, 413, invalid);
    let request =
        "POST /token HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000000\r\n\r\n{\"client_";
    let answer = wire::exchange(bed.address(), request.as_bytes()).await;
    assert_eq!(wire::status(&answer), 413, "{answer}");
    let mut chunked =
        String::from("POST /token HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    for _ in 0..9 {
        chunked.push_str(&format!("2000\r\n{}\r\n", "x".repeat(0x2000)));
    }
    let answer = wire::exchange(bed.address(), chunked.as_bytes()).await;
    assert_eq!(
        wire::status(&answer),
        413,
        "never finished, and refused all the same: {answer}"
    );
}

async fn unknown_client_and_wrong_secret_are_one_answer(bed: &mut Bed) {
    let unknown = |kind| Token::random(kind, &OsRng).expose().to_owned();
    let known = bed.a.client_token.clone();
    let (ct, cs) = (unknown(TokenKind::Client), unknown(TokenKind::ClientSecret));
    let pairs = [
        (known.as_str(), cs.as_str()),
        (ct.as_str(), cs.as_str()),
        (ct.as_str(), bed.a.client_secret.as_str()),
        (known.as_str(), bed.b.client_secret.as_str()),
        (known.as_str(), "cs_junk"),
        ("ct_junk", "cs_junk"),
        ("x", "y"),
    ];
    let (mut bodies, mut by_basic) = (Vec::new(), Vec::new());
    for (id, secret) in pairs {
        let body = json!({"client_token": id, "client_secret": secret});
        let answer = bed.post("/token").json(body).send().await;
        is_error("in the body", &answer, 401, "invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        bodies.push(answer.body);
        let answer = bed
            .post("/token")
            .header("authorization", &basic(id, secret))
            .send()
            .await;
        is_error("Basic", &answer, 401, "invalid_client");
        assert!(answer.header("www-authenticate").starts_with("Basic"));
        by_basic.push(answer.body);
    }
    assert!(
        bodies
            .iter()
            .chain(&by_basic)
            .all(|body| *body == bodies[0])
    );
}

async fn a_token_lives_as_long_as_it_says(bed: &mut Bed) {
    let list = |jwt: &str| bed.post("/instances/list").bearer(jwt).json(json!({}));
    let first = bed.a.jwt.clone();
    list(&first).send().await.expect(200);
    bed.clock.jump_secs(3590);
    list(&first).send().await.expect(200);
    bed.clock.jump_secs(11);
    let answer = list(&first).send().await;
    assert!(
        answer.header("www-authenticate").contains("invalid_token"),
        "{answer:?}"
    );
    answer.refused(401, "unauthorized");
    bed.log_in().await;
    // It ends with the credential that it came from, at the next request.
    let list = |jwt: &str| bed.post("/instances/list").bearer(jwt).json(json!({}));
    list(&bed.a.jwt).send().await.expect(200);
    let now = recado_model::Clock::now(&*bed.clock);
    let mut conn = bed.write().await;
    let mut account = conn.account(&bed.a.id);
    let kind = recado_model::credential::CredentialKind::ClientToken;
    let all = account.credentials().await.expect("credentials");
    let client = all
        .into_iter()
        .find(|one| one.kind == kind)
        .expect("a client");
    account.revoke(&client.id, now).await.expect("revoked");
    conn.commit().await.expect("commit");
    bed.gateway().app.access().invalidate();
    list(&bed.a.jwt).send().await.refused(401, "unauthorized");
    list(&bed.b.jwt).send().await.expect(200);
    let body = json!({"client_token": bed.a.client_token, "client_secret": bed.a.client_secret});
    is_error(
        "its client",
        &bed.post("/token").json(body).send().await,
        401,
        "invalid_client",
    );
}
