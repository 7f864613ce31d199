//! The operator and people: the command line beside a gateway that serves, and what `doctor` says.

use std::{os::unix::fs::PermissionsExt, time::Duration};

use serde_json::{Value, json};

use super::{
    EMAIL, PASSWORD, alone,
    browser::{Browser, code, letter, letters},
};
use crate::support::{Ended, Home, text};

/// What the design promises of changes by another process.
const A_SECOND: Duration = Duration::from_secs(1);

fn users(home: &Home) -> Vec<Value> {
    let out = home.out(&["user", "list", "--json"]);
    serde_json::from_str(&out).expect("JSON")
}

fn user(home: &Home, email: &str) -> Value {
    let found = users(home).into_iter().find(|user| user["email"] == email);
    found.expect("the user")
}

/// The token of a link that a command printed, alone on standard output.
fn printed(home: &Home, args: &[&str]) -> String {
    let out = home.out(args);
    let link = out.trim_end();
    let start = format!("{}/dashboard/link#", home.base);
    let token = link.strip_prefix(&start).expect("a link and nothing else");
    assert_eq!(token.len(), 43, "{token}");
    token.to_owned()
}

/// A command that fails with a sentence that has all of these.
fn refused(home: &Home, args: &[&str], parts: &[&str]) {
    let Ended { code, out, err } = home.run(args);
    assert_eq!(code, Some(1), "{args:?}: {out}{err}");
    for part in parts {
        assert!(err.contains(part), "{args:?}: {part:?} in {err}");
    }
    assert!(out.is_empty() && !err.contains("panicked"), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_operator_does_to_people_is_seen_within_a_second() {
    let home = alone();
    let first = home.account("Shop", EMAIL);
    home.account("Other", "other@shop.example");
    let password = text(&first, "/owner_password");
    let _gateway = home.serve().await;

    // The first user of all runs the gateway; others are made so, or not any more.
    assert_eq!(user(&home, EMAIL)["operator"], true);
    assert_eq!(user(&home, EMAIL)["last_login_at"], Value::Null);
    assert_eq!(user(&home, "other@shop.example")["operator"], false);
    let mut page = Browser::new(&home);
    let jwt = page.log_in(EMAIL, &password, None).await.ok();
    let jwt = format!("Bearer {}", text(&jwt, "/access_token"));
    assert!(user(&home, EMAIL)["last_login_at"].is_string());
    let operator = async |page: &mut Browser| {
        tokio::time::sleep(A_SECOND).await;
        page.get("/dashboard/api/me").await.ok()["user"]["operator"].clone()
    };
    home.out(&["user", "operator", EMAIL, "--revoke"]);
    assert_eq!(operator(&mut page).await, false);
    home.out(&["user", "operator", "ANA@shop.example"]);
    assert_eq!(operator(&mut page).await, true);

    // Signed out everywhere: sessions and JWTs.
    let by_jwt = async || {
        let url = format!("{}/account", home.base);
        let headers = [("authorization", jwt.as_str())];
        let answer = crate::support::call(reqwest::Method::GET, &url, &headers, None).await;
        answer.status
    };
    assert_eq!(by_jwt().await, 200);
    assert!(page.is_in().await);
    home.out(&["user", "sign-out", EMAIL]);
    tokio::time::sleep(A_SECOND).await;
    assert!(!page.is_in().await);
    assert_eq!(by_jwt().await, 401);

    // A new password by a link that the operator hands on.
    page.log_in(EMAIL, &password, None).await.ok();
    let token = printed(&home, &["user", "reset", EMAIL]);
    let link = page.look(&token).await.ok();
    assert_eq!(
        (&link["kind"], &link["email"]),
        (&json!("reset"), &json!(EMAIL))
    );
    assert!(page.is_in().await, "nothing has changed yet");
    let body = json!({"token": token, "password": PASSWORD});
    let used = Browser::new(&home).use_link(body).await.ok();
    assert_eq!(used["signed_in"], false);
    assert!(!page.is_in().await);
    let old = page.log_in(EMAIL, &password, None).await;
    assert_eq!(old.body["error_code"], "login_failed");
    page.log_in(EMAIL, PASSWORD, None).await.ok();

    // Telephone and recovery codes are lost.
    second_factor(&mut page).await;
    let mut elsewhere = Browser::new(&home);
    let asked = elsewhere.log_in(EMAIL, PASSWORD, None).await;
    assert_eq!(asked.body["error_code"], "otp_required");
    assert_eq!(user(&home, EMAIL)["second_factor"], true);
    home.out(&["user", "second-factor-off", EMAIL]);
    tokio::time::sleep(A_SECOND).await;
    assert!(!page.is_in().await, "who turned it on may not be who asked");
    elsewhere.log_in(EMAIL, PASSWORD, None).await.ok();
    let log = elsewhere.get("/dashboard/api/audit?limit=50").await.ok();
    for kind in ["user.session_ended", "user.second_factor_off"] {
        let by_operator =
            |row: &&Value| row["kind"] == kind && row["detail"]["by"]["proof"] == "operator";
        let rows = log["entries"].as_array().expect("rows");
        assert!(rows.iter().any(|row| by_operator(&row)), "{kind} in {log}");
    }

    let list = home.out(&["user", "list"]);
    let line = list.lines().find(|line| line.contains(EMAIL)).expect("one");
    for part in [
        "1 accounts",
        "password only",
        "last signed in 20",
        "operator",
    ] {
        assert!(line.contains(part), "{part:?} in {line}");
    }
    assert!(list.contains("never signed in"), "{list}");
}

/// Turns it on.
async fn second_factor(page: &mut Browser) {
    use reqwest::Method;
    let password = json!({"password": PASSWORD});
    page.done(Method::POST, "confirm", password).await;
    let made = page.done(Method::POST, "second-factor", json!({})).await;
    let otp = code(&text(&made, "/secret"), 0);
    let body = json!({"otp": otp});
    page.done(Method::POST, "second-factor/confirm", body).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_lets_people_in() {
    let mut home = alone();
    let _gateway = home.serve().await;
    // The first one, by a link of the command line: the one of the start is dead then.
    let old = super::link_in_file(&home, "").await;
    let token = printed(&home, &["user", "setup"]);
    let mut page = Browser::new(&home);
    let old = page.look(super::token_of(&home, &old)).await;
    assert_eq!(old.status, 410);
    page.use_link(super::setup(&token)).await.ok();
    refused(
        &home,
        &["user", "setup"],
        &["users already", "/dashboard", "recado user reset"],
    );

    // Further accounts: only where that is meant.
    let bia = "bia@shop.example";
    refused(
        &home,
        &["user", "invite", bia],
        &["users.signup is \"closed\"", "recado account create"],
    );
    home.set("USERS__SIGNUP", "invite");
    let said = home.out(&["user", "invite", bia, "--language", "es"]);
    assert!(said.contains("A letter is on its way"), "{said}");
    let (sent, letter) = letter(&home, bia, &[]).await;
    assert!(!said.contains(&sent), "the link is in the letter alone");
    assert!(letter.contains("cuenta"), "in Spanish: {letter}");
    let print = ["user", "invite", "carla@shop.example", "--print"];
    let by_hand = printed(&home, &print);
    assert_eq!(letters(&home).len(), 1, "printed in place of a letter");
    for (token, email) in [(sent, bia), (by_hand, "carla@shop.example")] {
        let mut page = Browser::new(&home);
        let link = page.look(&token).await.ok();
        assert_eq!(link["kind"], "signup");
        assert_eq!(link["email"], email);
        let body = json!({"token": token, "account_name": "Another shop", "password": PASSWORD});
        page.use_link(body).await.ok();
        let me = page.get("/dashboard/api/me").await.ok();
        assert_eq!(me["user"]["operator"], false);
        assert_eq!(me["account"]["role"], "owner");
    }
    assert_eq!(users(&home).len(), 3);
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let mut home = alone();
    home.account("Shop", EMAIL);
    let nobody = "nobody@shop.example";
    for command in ["reset", "sign-out", "second-factor-off", "operator"] {
        let says = ["no user with that e-mail", "recado user list"];
        refused(&home, &["user", command, nobody], &says);
    }
    home.set("USERS__SIGNUP", "invite");
    let odd = ["user", "invite", "not an address"];
    refused(&home, &odd, &["email must look like person@example.com"]);
    let odd = ["user", "invite", nobody, "--language", "fr"];
    refused(&home, &odd, &["en, pt-BR or es"]);
    let taken = ["account", "create", "--name", "Shop", "--email", EMAIL];
    refused(&home, &taken, &["a user with this e-mail exists already"]);
    // A mail server that is not there: the command says so, and says no link.
    home.set("MAIL__URL", "smtp://127.0.0.1:9?tls=none");
    home.set("MAIL__FROM", "no-reply@shop.example");
    let Ended { code, out, err } = home.run(&["user", "invite", nobody]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(err.contains("The letter could not be sent"), "{err}");
    assert!(!format!("{out}{err}").contains("link#"), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_what_is_weak_about_people() {
    let mut home = alone();
    home.out(&["migrate"]);
    let fresh = home.out(&["doctor"]);
    for weak in ["nobody has signed up yet", "mail.url is empty"] {
        assert!(
            fresh.contains(&format!("weak   {weak}")),
            "{weak} in {fresh}"
        );
    }
    for fine in ["nobody can sign in", "users.signup", "operators"] {
        assert!(!fresh.contains(fine), "{fine:?} in {fresh}");
    }

    home.account("Shop", EMAIL);
    home.set("USERS__SIGNUP", "open");
    home.set("PUBLIC_URL", "http://wa.example.com");
    let mail = home.data().join("mail");
    std::fs::create_dir(&mail).expect("a folder");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&mail, mode).expect("a mode");
    let weak = home.out(&["doctor"]);
    for part in [
        "nobody can sign in",
        "users.signup is open",
        "the mail folder",
        "1 operators sign in by password alone",
    ] {
        assert!(weak.contains(&format!("weak   {part}")), "{part} in {weak}");
    }
    assert!(!weak.contains("nobody has signed up"), "{weak}");

    home.set("PUBLIC_URL", "https://wa.example.com");
    home.set("MAIL__URL", "smtps://me:hunter2hunter2@mail.example.com");
    home.set("MAIL__FROM", "no-reply@example.com");
    home.set("TURNSTILE__SITE_KEY", "0x4AAAAAAAtestkey");
    home.set("TURNSTILE__SECRET", "0x4AAAAAAAtestsecret");
    let well = home.out(&["doctor"]);
    for fine in ["nobody can", "mail.url", "users.signup", "the mail folder"] {
        assert!(!well.contains(fine), "{fine:?} in {well}");
    }
    assert!(well.contains("letters go to a mail server"), "{well}");
    for secret in ["hunter2", "testsecret"] {
        assert!(!well.contains(secret), "{well}");
    }
}
