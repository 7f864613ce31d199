//! What people prove themselves with is nowhere: a day of theirs at the most talkative log, then each
//! secret is looked for in every disguise.

use std::fs;

use percent_encoding::percent_decode_str;
use reqwest::Method;
use serde_json::json;

use super::{
    EMAIL, PASSWORD, alone,
    browser::{Browser, code, letter},
    link_in_file, setup, token_of,
};
use crate::{
    search::{Secret, found_in},
    support::{Home, call, text},
};

const NEW_PASSWORD: &str = "lantern thirteen quiet rivers";
const BIAS_PASSWORD: &str = "marble kettle forty sparrows";
const BIA: &str = "bia@shop.example";
const NEW_EMAIL: &str = "ana.new@shop.example";

/// What happened: what must be nowhere, and the codes of the second factor, which are too short for a
/// search among bytes.
#[derive(Default)]
struct Day {
    secrets: Vec<Secret>,
    codes: Vec<String>,
}

impl Day {
    fn note(&mut self, name: &str, secret: &str) {
        self.secrets.push(Secret::text(name, secret));
    }

    fn code(&mut self, secret: &str, steps: i64) -> String {
        let code = code(secret, steps);
        self.codes.push(code.clone());
        code
    }
}

/// Set-up, a wrong and a right log-in, in the body, in the address, with junk around.
async fn signing_in(home: &Home, day: &mut Day) -> Browser {
    let link = link_in_file(home, "").await;
    let token = token_of(home, &link);
    day.note("set-up link", token);
    let mut page = Browser::new(home);
    page.look(token).await.ok();
    page.use_link(setup(token)).await.ok();
    page.call(Method::POST, "/logout", None).await;
    let wrong = page.log_in(EMAIL, NEW_PASSWORD, None).await;
    assert_eq!(wrong.status, 401);
    // What clients do by mistake.
    let address = format!(
        "/login?email={EMAIL}&password={}",
        PASSWORD.replace(' ', "%20")
    );
    page.post(&address, json!([PASSWORD])).await;
    page.post("/login", json!({"email": EMAIL, "passwort": PASSWORD}))
        .await;
    page.post("/login", json!({"email": PASSWORD, "password": PASSWORD}))
        .await;
    page.get(&format!("/dashboard/link/{token}")).await;
    let signed_in = page.log_in(EMAIL, PASSWORD, None).await.ok();
    let jwt = text(&signed_in, "/access_token");
    day.secrets.push(Secret::jwt("JWT of a log-in", &jwt));
    page
}

/// On, used by code and by recovery code. Gives a recovery code that is left.
async fn second_factor(home: &Home, page: &mut Browser, day: &mut Day) -> String {
    let password = json!({"password": PASSWORD});
    page.done(Method::POST, "confirm", password).await;
    let made = page.done(Method::POST, "second-factor", json!({})).await;
    let secret = text(&made, "/secret");
    day.note("seed in base32", &secret);
    let url = text(&made, "/otpauth_url");
    let decoded = percent_decode_str(&url).decode_utf8().expect("text");
    assert!(decoded.contains(&secret));
    let otp = day.code(&secret, 0);
    let body = json!({"otp": otp});
    let on = page.done(Method::POST, "second-factor/confirm", body).await;
    let codes: Vec<String> = serde_json::from_value(on["recovery_codes"].clone()).expect("codes");
    for (n, code) in codes.iter().enumerate() {
        day.note(&format!("recovery code {n}"), code);
        day.note(&format!("recovery code {n}, bare"), &code.replace('-', ""));
    }
    let mut elsewhere = Browser::new(home);
    let replayed = elsewhere.log_in(EMAIL, PASSWORD, Some(&otp)).await;
    assert_eq!(replayed.body["error_code"], "otp_invalid");
    let next = day.code(&secret, 1);
    elsewhere.log_in(EMAIL, PASSWORD, Some(&next)).await.ok();
    elsewhere
        .log_in(EMAIL, PASSWORD, Some(&codes[0]))
        .await
        .ok();
    let again = elsewhere.log_in(EMAIL, PASSWORD, Some(&codes[0])).await;
    assert_eq!(again.body["error_code"], "otp_invalid", "once");
    let cookies = elsewhere.cookies.iter().cloned();
    page.cookies.extend(cookies);
    codes[1].clone()
}

/// An invitation, a new e-mail, a forgotten password, the operator's link.
async fn by_letter(home: &Home, page: &mut Browser, day: &mut Day, recovery: &str) {
    let body = json!({"email": BIA, "role": "viewer", "language": "pt-BR"});
    let invited = page.done(Method::POST, "members/invite", body).await;
    assert_eq!(invited["sent"], "file");
    let (token, _) = letter(home, BIA, &[]).await;
    assert!(!invited.to_string().contains(&token));
    day.note("invitation", &token);
    let mut bias = Browser::new(home);
    bias.look(&token).await.ok();
    bias.use_link(json!({"token": token, "password": BIAS_PASSWORD}))
        .await
        .ok();
    page.cookies.append(&mut bias.cookies);

    page.done(Method::POST, "email", json!({"email": NEW_EMAIL}))
        .await;
    let (token, _) = letter(home, NEW_EMAIL, &[]).await;
    day.note("link for the new e-mail", &token);

    page.done(Method::POST, "reset", json!({"email": EMAIL}))
        .await;
    let (token, _) = letter(home, EMAIL, &[]).await;
    day.note("link for a new password", &token);
    let without = json!({"token": token, "password": NEW_PASSWORD});
    let asked = page.use_link(without).await;
    assert_eq!(asked.body["error_code"], "otp_required");
    let with = json!({"token": token, "password": NEW_PASSWORD, "otp": recovery});
    page.use_link(with).await.ok();
    assert!(!page.is_in().await);

    let out = home.out(&["user", "reset", EMAIL]);
    day.note("link of the operator", token_of(home, out.trim_end()));
}

/// What a person is shown of the account's.
async fn credentials(home: &Home, page: &mut Browser, day: &mut Day) {
    let list = page.get("/dashboard/api/credentials").await.ok();
    let rows = list["credentials"].as_array().expect("rows");
    for row in rows.iter().filter(|row| row["kind"] != "client_secret") {
        let path = format!("credentials/{}/reveal", text(row, "/id"));
        let shown = page.done(Method::POST, &path, json!({})).await;
        let kind = text(row, "/kind");
        day.note(&kind, &text(&shown, "/token"));
    }
    let body = json!({"kind": "client", "label": "staging"});
    let made = page.done(Method::POST, "credentials", body).await;
    day.note("secret of a new pair", &text(&made, "/client_secret"));
    let instance = page
        .done(Method::POST, "instances", json!({"name": "Till"}))
        .await;
    let path = format!("instances/{}/token", text(&instance, "/id"));
    let shown = page.done(Method::POST, &path, json!({})).await;
    day.note("instance token", &text(&shown, "/token"));
    let jwt = page.done(Method::POST, "token", json!({})).await;
    let jwt = text(&jwt, "/access_token");
    day.secrets.push(Secret::jwt("JWT of the dashboard", &jwt));
    let bearer = format!("Bearer {jwt}");
    let url = format!("{}/account", home.base);
    call(Method::GET, &url, &[("authorization", &bearer)], None)
        .await
        .ok();
}

/// Everything that is kept, but the letters, whose place is the operator's mail folder.
fn database(home: &Home) -> Vec<u8> {
    ["", "-wal", "-shm"]
        .iter()
        .flat_map(|end| fs::read(format!("{}{end}", home.database().display())))
        .flatten()
        .collect()
}

/// Six digits that stand alone, without the time at a line's start.
fn holds_code(log: &str, code: &str) -> bool {
    let alone = |c: char| !c.is_ascii_alphanumeric() && c != '.';
    log.lines()
        .filter_map(|line| line.split_once(' '))
        .any(|(_, rest)| rest.split(alone).any(|word| word == code))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_proves_a_person_is_written_down() {
    let mut home = alone();
    let own = ["", "_model", "_store", "_engine", "_app", "_api"];
    let own = own.map(|name| format!("recado{name}=trace")).join(",");
    home.set("LOG", &format!("debug,lettre=trace,{own}"));
    let mut gateway = home.serve().await;
    let mut day = Day::default();
    for (name, password) in [
        ("password", PASSWORD),
        ("new password", NEW_PASSWORD),
        ("password of a member", BIAS_PASSWORD),
    ] {
        day.note(name, password);
    }
    let mut page = signing_in(&home, &mut day).await;
    let recovery = second_factor(&home, &mut page, &mut day).await;
    credentials(&home, &mut page, &mut day).await;
    by_letter(&home, &mut page, &mut day, &recovery).await;

    // The control: something in an open column is found, or finding nothing would mean nothing.
    let planted = "planted0Planted0Planted0Planted0Planted0Pl4";
    let made = home.account(planted, "carla@shop.example");
    day.note("generated password", &text(&made, "/owner_password"));
    let member = page.log_in(BIA, BIAS_PASSWORD, None).await.ok();
    let jwt = text(&member, "/access_token");
    day.secrets.push(Secret::jwt("JWT of a member", &jwt));
    assert!(page.cookies.len() >= 5, "{}", page.cookies.len());
    for (n, cookie) in page.cookies.iter().enumerate() {
        day.note(&format!("cookie {n}"), cookie);
    }

    let metrics = call(Method::GET, &home.metrics, &[], None).await.ok();
    let running = database(&home);
    gateway.close_stdin();
    assert_eq!(gateway.ended(), Some(0));
    let log = home.log();
    assert!(
        log.contains("TRACE") || log.contains("DEBUG"),
        "a talkative log"
    );
    let asked = [
        "/login",
        "/dashboard/api/links/use",
        "/dashboard/api/confirm",
    ];
    assert!(
        asked.iter().all(|path| log.contains(path)),
        "it tells of them"
    );
    let places = [
        ("the log", log.clone().into_bytes()),
        ("the metrics", metrics.to_string().into_bytes()),
        ("the running database", running),
        ("the database at rest", database(&home)),
    ];
    let planted = Secret::text("planted", planted);
    let mut found = Vec::new();
    for (place, bytes) in &places {
        let is_there = !found_in([&planted], bytes).is_empty();
        assert_eq!(
            is_there,
            place.contains("database"),
            "the control in {place}"
        );
        let here = found_in(&day.secrets, bytes);
        found.extend(here.into_iter().map(|what| format!("{what} in {place}")));
    }
    let codes = day.codes.iter().filter(|code| holds_code(&log, code));
    found.extend(codes.map(|code| format!("code {code} in the log")));
    assert!(found.is_empty(), "{found:#?}");
}

/// The search for codes itself.
#[test]
fn a_code_is_found() {
    let time = "2026-01-01T00:00:00.123456Z  INFO";
    for (line, is) in [
        (format!("{time} otp=123456"), true),
        (format!("{time} {{\"otp\":\"123456\"}}"), true),
        (format!("{time} took 123456"), true),
        (time.to_owned(), false),
        (format!("{time} elapsed=0.123456 id=RC123456A"), false),
    ] {
        assert_eq!(holds_code(&line, "123456"), is, "{line}");
    }
}
