//! The first start: a link that makes the first user, once.

use recado_identity::accounts::{self, NewAccount};
use recado_model::{Secret, clock::OsRng};
use serde_json::{Value, json};

use super::{Browser, NEW_PASSWORD, PROXY, audit_rows, kinds_of, text};
use crate::gateway::Bed;

on_both! {
    with = super::PROXY;
    a_link_sets_up_once,
    what_is_wrong_leaves_the_link,
    it_dies_after_an_hour,
    a_newer_one_replaces_it,
    of_two_at_once_one_wins,
    it_is_worth_nothing_once_there_is_a_user,
    the_command_line_may_be_faster,
}

const FIRST: &str = "first@example.com";

fn body() -> Value {
    json!({"email": FIRST, "account_name": "Loja", "password": NEW_PASSWORD})
}

/// As if nobody had come yet.
async fn empty(bed: &Bed) {
    let all = "DELETE FROM app_user";
    bed.raw(all, all).await;
}

async fn link(bed: &Bed) -> String {
    let link = bed.gateway().app.users().set_up_link().await;
    let link = link.expect("an answer").expect("a link");
    let start = format!("{}/dashboard/link#", bed.gateway().base_url);
    let token = link.expose().strip_prefix(&start).expect("ours");
    token.to_owned()
}

async fn a_link_sets_up_once(bed: &mut Bed) {
    let mut browser = Browser::new(bed);
    assert_eq!(browser.get("/state").await.ok()["setup_needed"], false);
    empty(bed).await;
    let state = browser.get("/state").await.ok();
    assert_eq!(state["setup_needed"], true);
    let token = link(bed).await;
    let seen = browser.look(&token).await.ok();
    assert_eq!(seen["kind"], "setup");
    for name in ["email", "account_name", "role"] {
        assert_eq!(seen[name], Value::Null, "{seen}");
    }
    assert_eq!(
        (&seen["known"], &seen["needs_otp"]),
        (&json!(false), &json!(false))
    );
    // Looking uses nothing up.
    browser.look(&token).await.expect(200);

    let mut padded = body();
    padded["email"] = json!("  First@Example.COM ");
    padded["language"] = json!("pt-BR");
    let used = browser.use_link(&token, padded).await.ok();
    assert_eq!(used, json!({"signed_in": true}));
    let me = browser.me().await;
    assert_eq!(text(&me, "/user/email"), FIRST);
    assert_eq!(me["user"]["operator"], true);
    assert_eq!(me["user"]["language"], "pt-BR");
    assert_eq!(
        (&me["account"]["name"], &me["account"]["role"]),
        (&json!("Loja"), &json!("owner"))
    );
    // Signing in is no fresh proof, however it came about.
    assert_eq!(me["proven_until"], Value::Null);
    browser
        .post("/token", json!({}))
        .await
        .refused(403, "proof_required");
    let kinds = kinds_of(&audit_rows(&mut browser, "").await);
    for kind in ["account.created", "user.signed_in"] {
        assert!(kinds.iter().any(|found| found == kind), "{kinds:?}");
    }

    assert_eq!(browser.get("/state").await.ok()["setup_needed"], false);
    let mut later = Browser::new(bed);
    later.look(&token).await.refused(410, "link_invalid");
    let again = later.use_link(&token, body()).await;
    again.refused(410, "link_invalid");
    assert!(later.cookie.is_none());
    let none = bed.gateway().app.users().set_up_link().await;
    assert!(none.expect("an answer").is_none());
    later.log_in(FIRST, NEW_PASSWORD).await.expect(200);
}

async fn what_is_wrong_leaves_the_link(bed: &mut Bed) {
    empty(bed).await;
    let token = link(bed).await;
    let mut browser = Browser::new(bed);
    let without = |name: &str| {
        let mut body = body();
        body.as_object_mut().expect("an object").remove(name);
        body
    };
    let with = |name: &str, value: Value| {
        let mut body = body();
        body[name] = value;
        body
    };
    for (field, body) in [
        ("email", without("email")),
        ("account_name", without("account_name")),
        ("password", without("password")),
        ("email", with("email", json!("nobody"))),
        ("email", with("email", json!("a b@example.com"))),
        // A letter to it could never leave.
        ("email", with("email", json!("a@b@example.com"))),
        ("email", with("email", json!("<first@example.com>"))),
        ("email", with("email", json!("first@example..com"))),
        ("account_name", with("account_name", json!("   "))),
        ("account_name", with("account_name", json!("a\nb"))),
        ("password", with("password", json!("short"))),
        ("password", with("password", json!("first@example.com"))),
        ("password", with("password", json!("Loja Loja Loja Loja"))),
        ("language", with("language", json!("xx"))),
    ] {
        let answer = browser.use_link(&token, body).await;
        let shown = format!("{answer:?}");
        let refused = answer.refused(400, "invalid_field");
        assert_eq!(refused["field"], field, "{shown}");
        assert!(browser.cookie.is_none(), "{shown}");
    }
    for made_up in ["operator", "role", "user", "kind"] {
        let answer = browser
            .use_link(&token, with(made_up, json!("owner")))
            .await;
        assert_eq!(answer.status, 400, "{made_up}: {answer:?}");
    }
    browser.look(&token).await.expect(200);
    browser.use_link(&token, body()).await.expect(200);
    // What cannot be a token is one answer.
    for token in ["", "x", &"A".repeat(43), &"A".repeat(10_000)] {
        browser.look(token).await.refused(410, "link_invalid");
    }
}

async fn it_dies_after_an_hour(bed: &mut Bed) {
    empty(bed).await;
    let token = link(bed).await;
    let mut browser = Browser::new(bed);
    bed.clock.jump_secs(3600 - 60);
    browser.look(&token).await.expect(200);
    bed.clock.jump_secs(60);
    browser.look(&token).await.refused(410, "link_invalid");
    let late = browser.use_link(&token, body()).await;
    late.refused(410, "link_invalid");
    assert_eq!(browser.get("/state").await.ok()["setup_needed"], true);
    let token = link(bed).await;
    browser.use_link(&token, body()).await.expect(200);
}

async fn a_newer_one_replaces_it(bed: &mut Bed) {
    empty(bed).await;
    let (old, new) = (link(bed).await, link(bed).await);
    assert_ne!(old, new);
    let mut browser = Browser::new(bed);
    browser.look(&old).await.refused(410, "link_invalid");
    let by_old = browser.use_link(&old, body()).await;
    by_old.refused(410, "link_invalid");
    browser.use_link(&new, body()).await.expect(200);
}

async fn of_two_at_once_one_wins(bed: &mut Bed) {
    for _ in 0..3 {
        empty(bed).await;
        let token = link(bed).await;
        let (mut one, mut two) = (Browser::new(bed), Browser::new(bed));
        let mut other = body();
        other["email"] = json!("second@example.com");
        let (a, b) = tokio::join!(one.use_link(&token, body()), two.use_link(&token, other));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 410], "{a:?} {b:?}");
        let winner = if a.status == 200 { &mut one } else { &mut two };
        assert_eq!(winner.me().await["user"]["operator"], true);
        let users = bed.read().await.people().users().await.expect("users");
        assert_eq!(users.len(), 1, "{users:?}");
    }
}

fn by_command_line() -> NewAccount {
    NewAccount {
        name: "Shop C".to_owned(),
        owner_email: "c@example.com".to_owned(),
        owner_password: Some(Secret::new(NEW_PASSWORD)),
    }
}

async fn it_is_worth_nothing_once_there_is_a_user(bed: &mut Bed) {
    empty(bed).await;
    let token = link(bed).await;
    let store = &bed.gateway().store;
    accounts::create(store, &*bed.clock, &OsRng, by_command_line())
        .await
        .expect("an account");
    let mut browser = Browser::new(bed);
    let late = browser.use_link(&token, body()).await;
    late.refused(410, "link_invalid");
    assert!(browser.cookie.is_none());
    assert!(bed.find_user(FIRST).await.is_none());
    assert_eq!(browser.get("/state").await.ok()["setup_needed"], false);
}

/// Whoever is first runs the gateway; there is never a second who became that by being as fast.
async fn the_command_line_may_be_faster(bed: &mut Bed) {
    for _ in 0..6 {
        empty(bed).await;
        let token = link(bed).await;
        let mut browser = Browser::new(bed);
        let store = &bed.gateway().store;
        let (used, made) = tokio::join!(
            browser.use_link(&token, body()),
            accounts::create(store, &*bed.clock, &OsRng, by_command_line()),
        );
        made.expect("the command line may always");
        assert!([200, 410].contains(&used.status), "{used:?}");
        let users = bed.read().await.people().users().await.expect("users");
        let operators = users.iter().filter(|user| user.operator).count();
        assert_eq!(operators, 1, "{users:?}");
        assert_eq!(users.len(), 1 + usize::from(used.status == 200));
    }
}
