//! Turnstile against a siteverify that follows the vendor's documents: what passes, what is refused,
//! and that nothing passes while the question cannot be put.

use std::{
    net::{IpAddr, Ipv4Addr, TcpListener},
    sync::Arc,
};

use recado::config::Settings;
use recado_identity::{
    clock::SystemClock,
    turnstile::{HumanCheck as _, Turnstile, TurnstileConfig},
};
use recado_model::{Clock as _, ErrorCode, Result, Secret, Timestamp};
use serde_json::{Value, json};

use crate::{
    clock::JumpClock,
    gateway::{rng, until},
};

pub mod double;
use double::{DUMMY_TOKEN, Double, HOST, SECRET, SITE_KEY, Say, yes};

fn config(url: &str, secret: &str) -> TurnstileConfig {
    TurnstileConfig {
        site_key: SITE_KEY.to_owned(),
        secret: Secret::new(secret),
        url: url.to_owned(),
        hostname: HOST.to_owned(),
    }
}

/// The check, and the siteverify it asks.
struct Booth {
    double: Double,
    check: Arc<Turnstile>,
    clock: Arc<JumpClock>,
}

impl Booth {
    async fn open() -> Self {
        Self::with_secret(SECRET).await
    }

    async fn with_secret(secret: &str) -> Self {
        let (double, clock) = (Double::start().await, Arc::new(JumpClock::new()));
        let check = Turnstile::new(&config(&double.url, secret), clock.clone(), rng());
        Self {
            double,
            check: Arc::new(check.expect("a check")),
            clock,
        }
    }

    async fn login(&self, token: &str) -> Result<()> {
        self.check.check(Some(token), None, "login").await
    }
}

#[track_caller]
fn refused(done: Result<()>) -> String {
    let error = done.expect_err("refused");
    assert_eq!(error.code, ErrorCode::HumanCheckFailed, "{error:?}");
    assert_eq!(error.code.status(), 403);
    assert!(!error.message.contains("hunter2"));
    error.message.into_owned()
}

#[track_caller]
fn unavailable(done: Result<()>) {
    let error = done.expect_err("fails closed");
    assert_eq!(error.code, ErrorCode::Unavailable, "{error:?}");
    assert_eq!(
        (error.code.status(), error.retry_after_secs),
        (503, Some(5))
    );
    assert!(error.message.contains("could not be made"), "{error:?}");
    assert!(!error.message.contains("hunter2"));
}

#[tokio::test]
async fn a_person_passes_and_what_is_asked() {
    let booth = Booth::open().await;
    for action in ["login", "signup", "reset"] {
        let token = booth.double.solve(action);
        let mapped = IpAddr::from(Ipv4Addr::new(203, 0, 113, 7).to_ipv6_mapped());
        let done = booth.check.check(Some(&token), Some(mapped), action).await;
        done.expect("a person");
        let asked = booth.double.asked().pop().expect("a question");
        let key = asked["idempotency_key"].as_str().expect("a key");
        assert_eq!(key.len(), 36);
        assert_eq!(
            asked,
            json!({
                "secret": SECRET, "response": token, "remoteip": "203.0.113.7",
                "idempotency_key": key,
            })
        );
    }
    assert_eq!(booth.double.asked().len(), 3, "one question each");
    // An address that is not known is not made up.
    booth
        .login(&booth.double.solve("login"))
        .await
        .expect("a person");
    let asked = booth.double.asked().pop().expect("a question");
    assert!(asked.get("remoteip").is_none(), "{asked}");
}

#[tokio::test]
async fn without_a_token_or_with_a_huge_one_nobody_is_asked() {
    let booth = Booth::open().await;
    for token in [None, Some("")] {
        let text = refused(booth.check.check(token, None, "login").await);
        assert!(text.contains("turnstile_token"), "{text}");
    }
    let text = refused(booth.login(&"a".repeat(2049)).await);
    assert!(text.contains("2048"), "{text}");
    assert!(booth.double.asked().is_empty());
    // At the limit it is the vendor who decides.
    refused(booth.login(&"a".repeat(2048)).await);
    assert_eq!(booth.double.asked().len(), 1);
}

#[tokio::test]
async fn every_documented_error_code() {
    for (code, callers) in [
        ("timeout-or-duplicate", true),
        ("invalid-input-response", true),
        ("missing-input-response", true),
        ("missing-input-secret", false),
        ("invalid-input-secret", false),
        ("bad-request", false),
        ("internal-error", false),
        ("a-code-of-tomorrow", false),
    ] {
        // With 200 as documented, and with 400 as some gateways would have it.
        for status in [200, 400] {
            let booth = Booth::open().await;
            let said = json!({"success": false, "error-codes": [code]}).to_string();
            // Enough for a second try.
            booth
                .double
                .script([Say::Status(status, said.clone()), Say::Status(status, said)]);
            let done = booth.login(&booth.double.solve("login")).await;
            match callers {
                true => assert!(refused(done).contains("expired or was used"), "{code}"),
                false => unavailable(done),
            }
            let tries = if code == "internal-error" { 2 } else { 1 };
            assert_eq!(booth.double.asked().len(), tries, "{code}");
        }
    }
}

#[tokio::test]
async fn a_token_of_another_page_or_another_form() {
    let booth = Booth::open().await;
    let now = SystemClock.now();
    for (host, action) in [
        ("evil.example.com", "login"),
        ("wa.example.com.evil.example", "login"),
        ("", "login"),
        (HOST, "signup"),
        (HOST, ""),
    ] {
        let token = booth.double.solve_at(host, action, now);
        let text = refused(booth.login(&token).await);
        assert!(text.contains("another page"), "{host} {action}: {text}");
    }
    for missing in ["hostname", "action"] {
        let mut said = yes(HOST, "login", now);
        said.as_object_mut().expect("an object").remove(missing);
        booth.double.script([Say::json(&said)]);
        refused(booth.login(&booth.double.solve("login")).await);
    }
    // A host's name has no case.
    let token = booth.double.solve_at("WA.Example.com", "login", now);
    booth.login(&token).await.expect("the same page");
}

#[tokio::test]
async fn a_stale_token() {
    let booth = Booth::open().await;
    let ago = |secs: i64| SystemClock.now().plus_secs(-secs);
    // The vendor refuses it itself.
    let token = booth.double.solve_at(HOST, "login", ago(301));
    assert!(refused(booth.login(&token).await).contains("expired"));
    // And would it not, we do.
    let answer = async |solved: Value| {
        let mut said = yes(HOST, "login", Timestamp(0));
        said["challenge_ts"] = solved;
        booth.double.script([Say::json(&said)]);
        booth.login(&booth.double.solve("login")).await
    };
    let at = |secs: i64| json!(ago(secs).to_rfc3339());
    assert!(refused(answer(at(306)).await).contains("expired"));
    answer(at(302)).await.expect("within the skew of clocks");
    answer(at(-4)).await.expect("within the skew of clocks");
    // An age that nobody can tell proves nothing.
    unavailable(answer(at(-3600)).await);
    unavailable(answer(Value::Null).await);
    unavailable(answer(json!("yesterday")).await);
}

#[tokio::test]
async fn a_replayed_token() {
    let booth = Booth::open().await;
    let token = booth.double.solve("login");
    booth.login(&token).await.expect("a person");
    for _ in 0..3 {
        assert!(refused(booth.login(&token).await).contains("used already"));
    }
    // Not for another form either, and not later on.
    refused(booth.check.check(Some(&token), None, "reset").await);
    booth.clock.jump_secs(299);
    refused(booth.login(&token).await);
    assert_eq!(
        booth.double.asked().len(),
        1,
        "replays never leave the house"
    );
    // Forgotten here, it is too old there.
    booth.clock.jump_secs(7);
    refused(booth.login(&token).await);
    assert_eq!(booth.double.asked().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_token_many_times_at_once() {
    let booth = Booth::open().await;
    for _ in 0..5 {
        let (token, before) = (booth.double.solve("login"), booth.double.asked().len());
        let tries: Vec<_> = (0..16)
            .map(|_| {
                let (check, token) = (booth.check.clone(), token.clone());
                tokio::spawn(async move { check.check(Some(&token), None, "login").await })
            })
            .collect();
        let mut passed = 0;
        for done in tries {
            match done.await.expect("no panic") {
                Ok(()) => passed += 1,
                Err(error) => assert_eq!(error.code, ErrorCode::HumanCheckFailed),
            }
        }
        assert_eq!(passed, 1);
        assert_eq!(booth.double.asked().len(), before + 1);
    }
}

#[tokio::test]
async fn what_is_no_clear_yes_is_a_no() {
    let now = SystemClock.now();
    let good = yes(HOST, "login", now);
    let mut huge = good.clone();
    huge["cdata"] = json!("x".repeat(64 * 1024));
    let mut testing = good.clone();
    testing["metadata"] = json!({"result_with_testing_key": true});
    let other = Double::start().await;
    for (what, say) in [
        (
            "html",
            Say::Status(200, "<html>Just a moment…</html>".into()),
        ),
        ("nothing", Say::Status(200, String::new())),
        ("another shape", Say::Status(200, "[true]".into())),
        (
            "a word for a truth",
            Say::Status(200, r#"{"success":"true"}"#.into()),
        ),
        ("no verdict", Say::Status(200, "{}".into())),
        (
            "a bare yes",
            Say::Status(
                200,
                r#"{"success":true,"hostname":"wa.example.com","action":"login"}"#.into(),
            ),
        ),
        ("a yes with 201", Say::Status(201, good.to_string())),
        ("a yes with 403", Say::Status(403, good.to_string())),
        ("a huge yes", Say::json(&huge)),
        ("a yes to a key for tests", Say::json(&testing)),
        ("a redirect", Say::Redirect(other.url.clone())),
    ] {
        let booth = Booth::open().await;
        booth.double.script([say]);
        let token = booth.double.solve("login");
        println!("{what}");
        unavailable(booth.login(&token).await);
        assert_eq!(booth.double.asked().len(), 1, "{what}");
        // The person was not to blame: the same token counts when all is well again.
        booth.login(&token).await.expect(what);
    }
    assert!(other.asked().is_empty(), "no redirect is followed");
}

#[tokio::test]
async fn siteverify_is_down() {
    // Nobody listens: a port that was just given back.
    let gone = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", gone.local_addr().expect("an address"));
    drop(gone);
    let clock = Arc::new(JumpClock::new());
    let check = Turnstile::new(&config(&url, SECRET), clock, rng()).expect("a check");
    for _ in 0..2 {
        unavailable(check.check(Some("0.token"), None, "login").await);
    }
}

#[tokio::test]
async fn siteverify_stumbles() {
    let booth = Booth::open().await;
    let error = || Say::Status(500, "oops".into());
    // Once: the second try is the same question.
    booth.double.script([error()]);
    booth
        .login(&booth.double.solve("login"))
        .await
        .expect("a person");
    let asked = booth.double.asked();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0], asked[1]);
    // A yes that got lost on its way was a yes.
    booth.double.script([Say::Lose]);
    booth
        .login(&booth.double.solve("login"))
        .await
        .expect("a person");
    // Twice is enough.
    booth.double.script([error(), error()]);
    unavailable(booth.login(&booth.double.solve("login")).await);
    assert_eq!(booth.double.asked().len(), 6);
    // Lost twice, and its holder comes again: still the same question, so still a yes. Once.
    booth.double.script([Say::Lose, Say::Lose]);
    let token = booth.double.solve("login");
    unavailable(booth.login(&token).await);
    booth.login(&token).await.expect("a person");
    refused(booth.login(&token).await);
}

#[tokio::test]
async fn siteverify_hangs() {
    let booth = Booth::open().await;
    booth.double.script([Say::Hang]);
    let token = booth.double.solve("login");
    let (check, shown) = (booth.check.clone(), token.clone());
    let waiting = tokio::spawn(async move { check.check(Some(&shown), None, "login").await });
    until("the question", async || {
        (booth.double.asked().len() == 1).then_some(())
    })
    .await;
    assert!(!waiting.is_finished());
    // Nobody else gets in with it meanwhile.
    refused(booth.login(&token).await);
    booth.clock.jump_secs(5);
    unavailable(waiting.await.expect("no panic"));
    booth.login(&token).await.expect("a person");
}

#[tokio::test]
async fn whoever_hangs_up_has_used_the_token() {
    let booth = Booth::open().await;
    booth.double.script([Say::Hang]);
    let token = booth.double.solve("login");
    let (check, shown) = (booth.check.clone(), token.clone());
    let waiting = tokio::spawn(async move { check.check(Some(&shown), None, "login").await });
    until("the question", async || {
        (booth.double.asked().len() == 1).then_some(())
    })
    .await;
    waiting.abort();
    assert!(waiting.await.is_err_and(|ended| ended.is_cancelled()));
    refused(booth.login(&token).await);
}

#[tokio::test]
async fn a_wrong_secret_is_the_operators_to_mend() {
    let booth = Booth::with_secret("0x4AAAAAAAwrong-hunter2").await;
    unavailable(booth.login(&booth.double.solve("login")).await);
    assert_eq!(booth.double.asked().len(), 1, "trying again would not help");
}

#[tokio::test]
async fn the_vendors_dummy_secrets_in_a_sandbox() {
    // The same token for everybody, from example.com, for no action: it passes, again and again.
    let passes = Booth::with_secret("1x0000000000000000000000000000000AA").await;
    for _ in 0..2 {
        passes.login(DUMMY_TOKEN).await.expect("always passes");
    }
    for secret in [
        "2x0000000000000000000000000000000AA",
        "3x0000000000000000000000000000000AA",
    ] {
        let fails = Booth::with_secret(secret).await;
        refused(fails.login(DUMMY_TOKEN).await);
    }
}

#[test]
fn settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("secret");
    std::fs::write(&file, format!("{SECRET}\n")).expect("a file");
    let load = |text: &str| {
        Settings::from_toml(&format!(
            "public_url = \"https://WA.example.com:8443/x\"\n{text}"
        ))
    };
    let read = |text: &str| {
        let settings = load(text).expect(text);
        let users = settings.users(&settings.public_url()).expect(text);
        users.turnstile
    };
    assert!(read("").is_none());
    let keys = format!("turnstile.site_key = {SITE_KEY:?}\nturnstile.secret = {SECRET:?}\n");
    let own = read(&keys).expect("a check");
    assert_eq!(own.hostname.to_lowercase(), "wa.example.com");
    assert_eq!(own.site_key, SITE_KEY);
    assert_eq!(
        own.url,
        "https://challenges.cloudflare.com/turnstile/v0/siteverify"
    );
    let by_file = read(&format!(
        "turnstile.site_key = {SITE_KEY:?}\nturnstile.secret_file = {:?}\nturnstile.hostname = \"a.example\"\n",
        file.display().to_string()
    ))
    .expect("a check");
    assert_eq!(by_file.secret.expose(), SECRET);
    assert_eq!(by_file.hostname, "a.example");
    for (text, says) in [
        (
            format!("turnstile.site_key = {SITE_KEY:?}"),
            "turnstile.secret is missing",
        ),
        (
            format!("turnstile.secret = {SECRET:?}"),
            "turnstile.site_key is missing",
        ),
        (
            format!("{keys}turnstile.url = \"http://example.com/\""),
            "turnstile.url must",
        ),
        (
            format!("{keys}turnstile.hostname = \"https://a.example\""),
            "turnstile.hostname must",
        ),
        (
            format!("turnstile.site_key = {SITE_KEY:?}\nturnstile.secret_file = \"/nowhere/x\""),
            "turnstile.secret_file /nowhere/x",
        ),
    ] {
        let refused = format!("{:#}", load(&text).expect_err(&text));
        assert!(refused.contains(says), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}
