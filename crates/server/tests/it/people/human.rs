//! Turnstile where it stands in the way: signing in, signing up, asking for a new password (P-10). The
//! check itself: `turnstile`.

use serde_json::json;

use super::{Browser, OWNER, PASSWORD, text};
use crate::{
    call::Answer,
    gateway::Bed,
    turnstile::double::{Double, HOST, SECRET, SITE_KEY, Say},
};

/// As `on_both!`, with a siteverify of its own for each.
macro_rules! with_double {
    ($($name:ident),* $(,)?) => {
        mod sqlite { with_double!(@bodies sqlite, $($name),*); }
        mod postgres { with_double!(@bodies postgres, $($name),*); }
    };
    (@bodies $db:ident, $($name:ident),*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let double = super::Double::start().await;
            let settings = super::settings(&double.url);
            let mut bed = crate::gateway::Bed::$db(&settings).await;
            super::$name(&mut bed, double).await;
            bed.close().await;
        })*
    };
}

with_double! {
    each_form_asks_once,
    without_a_token_nothing_goes_on,
    what_the_vendor_refuses_is_refused,
    a_token_is_good_once_and_for_one_form,
    siteverify_is_down,
    programs_are_not_asked,
}

fn settings(url: &str) -> String {
    format!(
        "trusted_proxies = [\"127.0.0.1\"]\nusers.signup = \"open\"\nturnstile.site_key = {SITE_KEY:?}\n\
         turnstile.secret = {SECRET:?}\nturnstile.hostname = {HOST:?}\nturnstile.url = {url:?}\n"
    )
}

/// Path, action, and a body that is fine but for the token.
const FORMS: [(&str, &str); 3] = [
    ("/login", "login"),
    ("/dashboard/api/signup", "signup"),
    ("/dashboard/api/reset", "reset"),
];

async fn send(bed: &Bed, path: &str, token: Option<&str>) -> Answer {
    let mut browser = Browser::at(bed, "203.0.113.9");
    let mut body = json!({"email": OWNER});
    if path == "/login" {
        body["password"] = json!(PASSWORD);
    }
    if let Some(token) = token {
        body["turnstile_token"] = json!(token);
    }
    let call = browser.call("POST", path).json(body);
    let answer = browser.send(call).await;
    if answer.status >= 300 {
        assert!(browser.cookie.is_none(), "{answer:?}");
        assert!(!answer.text().contains("hunter2"), "{answer:?}");
    }
    answer
}

fn due(path: &str) -> u16 {
    if path == "/login" { 200 } else { 202 }
}

async fn each_form_asks_once(bed: &mut Bed, double: Double) {
    let state = Browser::new(bed).get("/state").await.ok();
    assert_eq!(state["turnstile"], json!({"site_key": SITE_KEY}));
    assert!(!state.to_string().contains(SECRET));
    for (n, (path, action)) in FORMS.into_iter().enumerate() {
        let token = double.solve(action);
        send(bed, path, Some(&token)).await.expect(due(path));
        let asked = double.asked();
        assert_eq!(asked.len(), n + 1);
        let question = &asked[n];
        assert_eq!(question["response"], token.as_str());
        assert_eq!(question["remoteip"], "203.0.113.9");
        assert_eq!(question["secret"], SECRET);
    }
    // Inside a session, with a link, and to sign out nobody is asked.
    let token = double.solve("login");
    let mut browser = Browser::new(bed);
    let body = json!({"email": OWNER, "password": PASSWORD, "turnstile_token": token});
    browser.login(body).await.expect(200);
    let before = double.asked().len();
    browser.confirm().await;
    browser
        .look(&"A".repeat(43))
        .await
        .refused(410, "link_invalid");
    browser.log_out().await;
    assert_eq!(double.asked().len(), before);
}

async fn without_a_token_nothing_goes_on(bed: &mut Bed, double: Double) {
    let huge = "a".repeat(2049);
    let before = bed.hashed();
    for (path, _) in FORMS {
        for token in [None, Some(""), Some(huge.as_str())] {
            let refused = send(bed, path, token).await;
            refused.refused(403, "human_check_failed");
        }
    }
    assert!(double.asked().is_empty());
    assert_eq!(bed.hashed(), before, "no password is looked at");
    assert!(bed.inbox().unread().is_empty());
    // Who is told to wait is told before, so that the vendor is not flooded either.
    for _ in 0..10 {
        let from = "203.0.113.9".parse().ok();
        bed.gateway().app.limits().login_failed(from, OWNER);
    }
    bed.slam("203.0.113.9", OWNER);
    let token = double.solve("login");
    send(bed, "/login", Some(&token))
        .await
        .refused(429, "rate_limited");
    assert!(double.asked().is_empty());
}

async fn what_the_vendor_refuses_is_refused(bed: &mut Bed, double: Double) {
    let before = bed.hashed();
    for (code, callers) in [
        ("timeout-or-duplicate", true),
        ("invalid-input-response", true),
        ("missing-input-response", true),
        ("missing-input-secret", false),
        ("invalid-input-secret", false),
        ("bad-request", false),
        ("internal-error", false),
    ] {
        for (path, action) in FORMS {
            let said = json!({"success": false, "error-codes": [code]});
            // Enough for a second try.
            let says = if code == "internal-error" { 2 } else { 1 };
            double.script((0..says).map(|_| Say::json(&said)));
            let answer = send(bed, path, Some(&double.solve(action))).await;
            match callers {
                true => drop(answer.refused(403, "human_check_failed")),
                false => {
                    assert_eq!(answer.header("retry-after"), "5", "{code} {path}");
                    let told = answer.refused(503, "unavailable");
                    assert!(!told.to_string().contains(code), "{told}");
                }
            }
        }
    }
    let nobody = send(bed, "/login", Some("nobody solved this")).await;
    nobody.refused(403, "human_check_failed");
    assert_eq!(bed.hashed(), before, "no password is looked at");
    assert!(bed.inbox().unread().is_empty());
}

async fn a_token_is_good_once_and_for_one_form(bed: &mut Bed, double: Double) {
    for (path, action) in FORMS {
        let token = double.solve(action);
        send(bed, path, Some(&token)).await.expect(due(path));
        let asked = double.asked().len();
        for (path, _) in FORMS {
            let again = send(bed, path, Some(&token)).await;
            again.refused(403, "human_check_failed");
        }
        assert_eq!(double.asked().len(), asked, "a replay is known here");
        for (other, _) in FORMS.into_iter().filter(|(other, _)| *other != path) {
            let foreign = send(bed, other, Some(&double.solve(action))).await;
            foreign.refused(403, "human_check_failed");
        }
    }
    // A wrong password has used its token, too: each guess costs a check.
    let token = double.solve("login");
    let body =
        |password: &str| json!({"email": OWNER, "password": password, "turnstile_token": token});
    let mut browser = Browser::new(bed);
    let wrong = browser.login(body("incorrect horse battery")).await;
    wrong.refused(401, "login_failed");
    let right = browser.login(body(PASSWORD)).await;
    right.refused(403, "human_check_failed");
    // Of two at once with one token, one is let through.
    let token = double.solve("login");
    let (a, b) = tokio::join!(
        send(bed, "/login", Some(&token)),
        send(bed, "/login", Some(&token))
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 403], "{a:?} {b:?}");
}

/// It fails closed, says so, and counts against nobody.
async fn siteverify_is_down(bed: &mut Bed, double: Double) {
    let before = bed.hashed();
    for (say, tries) in [
        (Say::Status(500, "oops".into()), 2),
        (Say::Status(200, "<html>Just a moment…</html>".into()), 1),
        (Say::Status(200, "{}".into()), 1),
        (Say::Redirect(double.url.clone()), 1),
    ] {
        for (path, action) in FORMS {
            double.script(vec![say.clone(); tries]);
            let answer = send(bed, path, Some(&double.solve(action))).await;
            assert_eq!(answer.header("retry-after"), "5", "{answer:?}");
            let told = answer.refused(503, "unavailable");
            assert!(
                text(&told, "/error").contains("could not be made"),
                "{told}"
            );
        }
    }
    assert_eq!(bed.hashed(), before);
    assert!(bed.inbox().unread().is_empty());
    let token = double.solve("login");
    send(bed, "/login", Some(&token)).await.expect(200);
}

/// "`/token` never asks": credentials of programs, and whoever has a session already.
async fn programs_are_not_asked(bed: &mut Bed, double: Double) {
    let answer = bed
        .token_by(&bed.a.client_token, &bed.a.client_secret)
        .await;
    let jwt = text(&answer.ok(), "/access_token");
    assert_eq!(bed.by_jwt(&jwt).await, 200);
    assert_eq!(bed.by_api_token(&bed.a.api_token).await, 200);
    // Should siteverify be down, they notice nothing.
    double.script((0..4).map(|_| Say::Hang));
    let answer = bed
        .token_by(&bed.a.client_token, &bed.a.client_secret)
        .await;
    answer.expect(200);
    assert!(double.asked().is_empty());
}
