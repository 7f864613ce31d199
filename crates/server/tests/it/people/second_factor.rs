//! The second factor: turned on by its own code, asked for from then on, each code good once (P-09).

use recado_identity::users::totp::Seed;
use recado_model::Clock as _;
use serde_json::{Value, json};

use super::{Browser, OWNER, PASSWORD, PROXY, audit_rows, kinds_of, text};
use crate::{call::Answer, gateway::Bed};

on_both! {
    with = super::PROXY;
    it_is_turned_on_by_a_code_of_its_own,
    what_was_only_begun_counts_nothing,
    signing_in_asks_for_it,
    clocks_may_differ_by_one_step,
    a_code_is_good_once,
    of_two_with_one_code_one_wins,
    codes_cannot_be_guessed,
    the_fresh_proof_asks_for_it,
    turning_it_off_needs_proof,
}

/// A step of 30 s begins just now, so that what a test does next happens within it.
pub fn new_step(bed: &Bed) {
    let into = bed.clock.now().as_millis().rem_euclid(30_000);
    bed.clock.jump_ms(30_000 - into + 50);
}

/// As an authenticator shows it, so many steps from now.
pub fn code(bed: &Bed, seed: &Seed, steps: i64) -> String {
    let at = bed.clock.now().plus_secs(30 * steps);
    seed.code(at).expose().to_owned()
}

/// What no authenticator shows about now.
pub fn wrong_code(bed: &Bed, seed: &Seed) -> String {
    let near: Vec<String> = (-3..=3).map(|steps| code(bed, seed, steps)).collect();
    let mut codes = (0..20).map(|n| format!("{:06}", n * 41_111));
    codes.find(|code| !near.contains(code)).expect("a code")
}

pub async fn begin(browser: &mut Browser<'_>) -> Seed {
    let begun = browser.post("/second-factor", json!({})).await.ok();
    Seed::from_base32(&text(&begun, "/secret")).expect("base32")
}

/// Turns it on for a browser that was confirmed; the seed and the recovery codes. A new step begins.
pub async fn enrol(browser: &mut Browser<'_>) -> (Seed, Vec<String>) {
    let seed = begin(browser).await;
    new_step(browser.bed);
    let otp = code(browser.bed, &seed, 0);
    let answer = browser
        .post("/second-factor/confirm", json!({"otp": otp}))
        .await;
    let codes = answer.ok()["recovery_codes"].clone();
    let codes = codes.as_array().expect("codes").iter();
    let codes = codes.map(|code| code.as_str().expect("a code").to_owned());
    (seed, codes.collect())
}

/// [`OWNER`] with a second factor, in a step of its own.
pub async fn with_second_factor(bed: &Bed) -> (Seed, Vec<String>) {
    let mut browser = Browser::proven(bed, OWNER).await;
    let made = enrol(&mut browser).await;
    browser.log_out().await;
    // The codes of now and of the step before are unused.
    bed.clock.jump_secs(30);
    new_step(bed);
    made
}

#[track_caller]
fn invalid(answer: Answer) {
    answer.refused(401, "otp_invalid");
}

async fn it_is_turned_on_by_a_code_of_its_own(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut browser = Browser::of(bed, OWNER).await;
    for (method, below) in [
        ("POST", "/second-factor"),
        ("POST", "/second-factor/confirm"),
        ("POST", "/second-factor/recovery-codes"),
        ("DELETE", "/second-factor"),
    ] {
        let call = browser.call(method, &format!("/dashboard/api{below}"));
        let answer = call.json(json!({})).send().await;
        answer.refused(403, "proof_required");
    }
    browser.confirm().await;
    let nothing = json!({"otp": "123456"});
    let nothing = browser.post("/second-factor/confirm", nothing).await;
    nothing.refused(409, "conflict");
    browser
        .delete("/second-factor")
        .await
        .refused(409, "conflict");
    let none = browser
        .post("/second-factor/recovery-codes", json!({}))
        .await;
    none.refused(409, "conflict");

    let begun = browser.post("/second-factor", json!({})).await.ok();
    let secret = text(&begun, "/secret");
    assert_eq!(secret.len(), 32, "160 bits");
    let url = text(&begun, "/otpauth_url");
    assert_eq!(
        url,
        format!("otpauth://totp/Recado:a%40example.com?secret={secret}&issuer=Recado")
    );
    assert!(text(&begun, "/qr_image").starts_with("data:image/png;base64,iVBORw0KGgo"));
    let seed = Seed::from_base32(&secret).expect("base32");
    new_step(bed);
    for otp in [
        wrong_code(bed, &seed),
        "12345".into(),
        "x".into(),
        "".into(),
        code(bed, &seed, 2),
    ] {
        let wrong = browser
            .post("/second-factor/confirm", json!({"otp": otp}))
            .await;
        invalid(wrong);
    }
    let mut other = Browser::new(bed);
    let answer = other.log_in(OWNER, PASSWORD).await.ok();
    let jwt = text(&answer, "/access_token");
    let spaced = code(bed, &seed, 0);
    let spaced = format!(" {} {} ", &spaced[..3], &spaced[3..]);
    let on = browser
        .post("/second-factor/confirm", json!({"otp": spaced}))
        .await;
    let codes = on.ok()["recovery_codes"].clone();
    let codes: Vec<&str> = codes
        .as_array()
        .expect("codes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(codes.len(), 10);
    assert!(codes.iter().all(|code| code.len() == 27), "120 bits each");
    // The other sessions and JWTs end, this one goes on.
    assert_eq!((other.alive().await, bed.by_jwt(&jwt).await), (401, 401));
    let me = browser.me().await;
    assert_eq!(
        (
            &me["user"]["second_factor"],
            &me["user"]["recovery_codes_left"]
        ),
        (&json!(true), &json!(10))
    );
    let members = browser.get("/members").await.ok();
    assert_eq!(members["members"][0]["second_factor"], true);
    // Once more is once too often.
    browser
        .post("/second-factor", json!({}))
        .await
        .refused(409, "conflict");
    let again = browser
        .post(
            "/second-factor/confirm",
            json!({"otp": code(bed, &seed, 1)}),
        )
        .await;
    again.refused(409, "conflict");
    let kinds = kinds_of(&audit_rows(&mut browser, "").await);
    assert!(
        kinds.iter().any(|kind| kind == "user.second_factor_on"),
        "{kinds:?}"
    );
    let letter = inbox.next(OWNER, "changed").await;
    assert!(
        letter.text.contains("second factor was turned on"),
        "{}",
        letter.text
    );
    // The code that turned it on is used up.
    invalid(Browser::new(bed).log_in_with(OWNER, &spaced).await);
}

async fn what_was_only_begun_counts_nothing(bed: &mut Bed) {
    let mut browser = Browser::proven(bed, OWNER).await;
    let first = begin(&mut browser).await;
    assert_eq!(browser.me().await["user"]["second_factor"], false);
    Browser::of(bed, OWNER).await;
    // Begun anew: the first seed is nobody's.
    let second = begin(&mut browser).await;
    assert_ne!(first.base32().expose(), second.base32().expose());
    new_step(bed);
    let by_first = json!({"otp": code(bed, &first, 0)});
    invalid(browser.post("/second-factor/confirm", by_first).await);
    // A code of the seed that counts is needed, and the other person's is another.
    let mut stranger = Browser::proven(bed, super::OWNER_TOO).await;
    begin(&mut stranger).await;
    let by_second = json!({"otp": code(bed, &second, 0)});
    invalid(
        stranger
            .post("/second-factor/confirm", by_second.clone())
            .await,
    );
    browser
        .post("/second-factor/confirm", by_second)
        .await
        .expect(200);
}

async fn signing_in_asks_for_it(bed: &mut Bed) {
    let (seed, _) = with_second_factor(bed).await;
    let mut browser = Browser::new(bed);
    for otp in [Value::Null, json!(""), json!("   ")] {
        let body = json!({"email": OWNER, "password": PASSWORD, "otp": otp});
        browser.login(body).await.refused(401, "otp_required");
    }
    // Without the password nobody learns that there is one.
    for otp in [Value::Null, json!(code(bed, &seed, 0))] {
        let body = json!({"email": OWNER, "password": "incorrect horse battery", "otp": otp});
        browser.login(body).await.refused(401, "login_failed");
    }
    for otp in [
        "12345",
        "1234567",
        "abcdef",
        "0123AB-CDEFGH-JKMNPQ",
        &wrong_code(bed, &seed),
    ] {
        invalid(browser.log_in_with(OWNER, otp).await);
    }
    assert!(browser.cookie.is_none());
    browser
        .log_in_with(OWNER, &code(bed, &seed, 0))
        .await
        .expect(200);
    // Who has none may send one.
    Browser::new(bed)
        .log_in_with(super::OWNER_TOO, "123456")
        .await
        .expect(200);
}

async fn clocks_may_differ_by_one_step(bed: &mut Bed) {
    let (seed, _) = with_second_factor(bed).await;
    for (steps, status) in [
        (-2, 401),
        (-1, 200),
        (2, 401),
        (0, 200),
        (1, 200),
        (-3, 401),
        (3, 401),
    ] {
        // No failure, and no code that was used, from the step before.
        bed.clock.jump_secs(120);
        new_step(bed);
        let mut browser = Browser::new(bed);
        let answer = browser.log_in_with(OWNER, &code(bed, &seed, steps)).await;
        assert_eq!(answer.status, status, "{steps}: {answer:?}");
    }
}

async fn a_code_is_good_once(bed: &mut Bed) {
    let (seed, _) = with_second_factor(bed).await;
    let mut browser = Browser::new(bed);
    let (before, now, next) = (
        code(bed, &seed, -1),
        code(bed, &seed, 0),
        code(bed, &seed, 1),
    );
    browser.log_in_with(OWNER, &now).await.expect(200);
    invalid(browser.log_in_with(OWNER, &now).await);
    // Nor one from before it.
    invalid(browser.log_in_with(OWNER, &before).await);
    browser.log_in_with(OWNER, &next).await.expect(200);
    for used in [&next, &now] {
        invalid(browser.log_in_with(OWNER, used).await);
    }
    // A clock that is set back revives none.
    bed.clock.jump_secs(-30);
    invalid(browser.log_in_with(OWNER, &now).await);
}

async fn of_two_with_one_code_one_wins(bed: &mut Bed) {
    let (seed, _) = with_second_factor(bed).await;
    for _ in 0..3 {
        bed.clock.jump_secs(120);
        new_step(bed);
        let otp = code(bed, &seed, 0);
        let (mut one, mut two) = (Browser::new(bed), Browser::new(bed));
        let (a, b) = tokio::join!(one.log_in_with(OWNER, &otp), two.log_in_with(OWNER, &otp));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "{a:?} {b:?}");
        let loser = if a.status == 401 { a } else { b };
        invalid(loser);
    }
}

/// P-04 for codes: whoever has the password gets as few guesses as one who has not.
async fn codes_cannot_be_guessed(bed: &mut Bed) {
    let (seed, _) = with_second_factor(bed).await;
    let wrong = wrong_code(bed, &seed);
    let mut browser = Browser::at(bed, "203.0.113.1");
    for n in 0..10 {
        invalid(browser.log_in_with(OWNER, &wrong).await);
        // The password alone is no failure, and clears none.
        if n == 5 {
            let bare = browser.log_in(OWNER, PASSWORD).await;
            bare.refused(401, "otp_required");
        }
    }
    bed.slam(&browser.from, OWNER);
    new_step(bed);
    let before = bed.hashed();
    let closed = browser.log_in_with(OWNER, &code(bed, &seed, 0)).await;
    assert!(
        closed
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|secs| secs >= 1)
    );
    closed.refused(429, "rate_limited");
    assert_eq!(bed.hashed(), before);
    // From many networks: a hundred, then about one an hour.
    for n in 0..12 {
        for _ in 0..9 {
            let from = format!("192.0.2.{n}").parse().ok();
            bed.gateway().app.limits().login_failed(from, OWNER);
        }
    }
    bed.slam("192.0.2.200", OWNER);
    new_step(bed);
    let mut fresh = Browser::at(bed, "203.0.113.2");
    let closed = fresh.log_in_with(OWNER, &code(bed, &seed, 0)).await;
    closed.refused(429, "rate_limited");
    // Inside a session, too: by the password again, by a link, by turning it on.
    let mut stranger = Browser::proven(bed, super::OWNER_TOO).await;
    let pending = begin(&mut stranger).await;
    let guess = json!({"otp": wrong_code(bed, &pending)});
    for _ in 0..10 {
        invalid(stranger.post("/second-factor/confirm", guess.clone()).await);
    }
    bed.slam_proof(super::OWNER_TOO).await;
    let right = json!({"otp": code(bed, &pending, 0)});
    let closed = stranger.post("/second-factor/confirm", right).await;
    closed.refused(429, "rate_limited");
}

async fn the_fresh_proof_asks_for_it(bed: &mut Bed) {
    let (seed, codes) = with_second_factor(bed).await;
    let mut browser = Browser::new(bed);
    browser
        .log_in_with(OWNER, &code(bed, &seed, -1))
        .await
        .expect(200);
    let confirm = |otp: Value| json!({"password": PASSWORD, "otp": otp});
    let bare = browser
        .post("/confirm", json!({"password": PASSWORD}))
        .await;
    bare.refused(401, "otp_required");
    // The one that signed in is used up.
    let used = code(bed, &seed, -1);
    invalid(browser.post("/confirm", confirm(json!(used))).await);
    let otp = code(bed, &seed, 0);
    let wrong = json!({"password": "incorrect horse battery", "otp": otp});
    browser
        .post("/confirm", wrong)
        .await
        .refused(401, "login_failed");
    browser
        .post("/confirm", confirm(json!(otp)))
        .await
        .expect(200);
    browser.post("/token", json!({})).await.expect(200);
    invalid(Browser::new(bed).log_in_with(OWNER, &otp).await);
    bed.clock.jump_secs(601);
    let by_recovery = browser.post("/confirm", confirm(json!(codes[0]))).await;
    by_recovery.expect(200);
    assert_eq!(browser.me().await["user"]["recovery_codes_left"], 9);
}

async fn turning_it_off_needs_proof(bed: &mut Bed) {
    let (seed, codes) = with_second_factor(bed).await;
    let mut inbox = bed.inbox();
    let mut browser = Browser::new(bed);
    browser
        .log_in_with(OWNER, &code(bed, &seed, -1))
        .await
        .expect(200);
    browser
        .delete("/second-factor")
        .await
        .refused(403, "proof_required");
    let mut other = Browser::new(bed);
    other.log_in_with(OWNER, &codes[0]).await.expect(200);
    let proof = json!({"password": PASSWORD, "otp": code(bed, &seed, 0)});
    browser.post("/confirm", proof).await.expect(200);
    let old = browser.cookie.clone();
    browser.delete("/second-factor").await.expect(204);
    assert_eq!(browser.alive().await, 200);
    assert_eq!(other.alive().await, 401);
    assert_eq!(browser.with_cookie(old.as_deref()).alive().await, 401);
    let me = browser.me().await;
    assert_eq!(
        (
            &me["user"]["second_factor"],
            &me["user"]["recovery_codes_left"]
        ),
        (&json!(false), &json!(0))
    );
    browser
        .delete("/second-factor")
        .await
        .refused(409, "conflict");
    until_letter(&mut inbox, "second factor was turned off").await;
    let kinds = kinds_of(&audit_rows(&mut browser, "").await);
    assert!(
        kinds.iter().any(|kind| kind == "user.second_factor_off"),
        "{kinds:?}"
    );
    Browser::of(bed, OWNER).await;
    // On again, it is another one: old seeds and codes open nothing.
    bed.clock.jump_secs(601);
    browser.confirm().await;
    let (new, _) = enrol(&mut browser).await;
    bed.clock.jump_secs(120);
    new_step(bed);
    invalid(
        Browser::new(bed)
            .log_in_with(OWNER, &code(bed, &seed, 0))
            .await,
    );
    invalid(Browser::new(bed).log_in_with(OWNER, &codes[1]).await);
    Browser::new(bed)
        .log_in_with(OWNER, &code(bed, &new, 0))
        .await
        .expect(200);
}

/// Letters about changes come in any order.
pub async fn until_letter(inbox: &mut super::Inbox, says: &str) {
    for _ in 0..10 {
        if inbox.next(OWNER, "changed").await.text.contains(says) {
            return;
        }
    }
    panic!("no letter says {says}");
}
