//! "Forgot your password?": a link by mail, which never skips the second factor.

use serde_json::json;

use super::{
    Browser, NEW_PASSWORD, OWNER, PASSWORD, PROXY, audit_rows,
    second_factor::{code, with_second_factor, wrong_code},
    text,
};
use crate::gateway::{Bed, until};

on_both! {
    with = super::PROXY;
    a_link_changes_the_password_once,
    nobody_learns_who_is_known,
    it_dies_in_time_and_with_what_it_is_for,
    it_never_skips_the_second_factor,
    a_weak_password_leaves_the_link,
    letters_go_where_the_person_is,
    letters_are_few,
}

const WANTED: &str = "new password";

async fn ask(bed: &Bed, email: &str) {
    let mut browser = Browser::new(bed);
    let asked = browser.post("/reset", json!({"email": email})).await;
    asked.expect(202);
}

async fn a_link_changes_the_password_once(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut browser = Browser::new(bed);
    let answer = browser.log_in(OWNER, PASSWORD).await.ok();
    let jwt = text(&answer, "/access_token");
    ask(bed, " A@Example.com ").await;
    let letter = inbox.next(OWNER, WANTED).await;
    let token = letter.token();
    assert!(letter.text.contains("30 minutes"), "{}", letter.text);
    let mut visitor = Browser::at(bed, "203.0.113.8");
    let seen = visitor.look(&token).await.ok();
    assert_eq!(
        (&seen["kind"], &seen["email"], &seen["needs_otp"]),
        (&json!("reset"), &json!(OWNER), &json!(false))
    );
    // Until it is used, nothing has changed.
    assert_eq!(browser.alive().await, 200);
    let used = visitor
        .use_link(&token, json!({"password": NEW_PASSWORD}))
        .await;
    assert_eq!(used.ok(), json!({"signed_in": false}));
    assert!(visitor.cookie.is_none(), "a reset signs nobody in");
    assert_eq!((browser.alive().await, bed.by_jwt(&jwt).await), (401, 401));
    visitor
        .log_in(OWNER, PASSWORD)
        .await
        .refused(401, "login_failed");
    visitor.log_in(OWNER, NEW_PASSWORD).await.expect(200);
    let again = visitor
        .use_link(&token, json!({"password": PASSWORD}))
        .await;
    again.refused(410, "link_invalid");
    visitor.look(&token).await.refused(410, "link_invalid");
    let notice = inbox.next(OWNER, "changed").await;
    assert!(
        notice.text.contains("your password was changed"),
        "{}",
        notice.text
    );
    assert!(!notice.text.contains("link#"), "{}", notice.text);
    let rows = audit_rows(&mut visitor, "?kind=user.password").await;
    assert_eq!(rows[0]["detail"]["by"]["proof"], "link");
    assert_eq!(rows[0]["detail"]["from"], "203.0.113.8");
    for letter in [letter, notice] {
        for secret in [PASSWORD, NEW_PASSWORD, jwt.as_str()] {
            assert!(!letter.text.contains(secret), "{}", letter.text);
        }
    }
}

/// P-06.
async fn nobody_learns_who_is_known(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut seen = Vec::new();
    for email in ["nobody@example.com", OWNER, "nobody@example.com", OWNER] {
        let mut browser = Browser::new(bed);
        let answer = browser
            .post("/reset", json!({"email": email}))
            .await
            .expect(202);
        assert!(!answer.headers.contains_key("set-cookie"));
        let names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        seen.push((answer.text(), names));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
    assert_eq!(seen[0].0, "{}");
    inbox.next(OWNER, WANTED).await;
    inbox.next(OWNER, WANTED).await;
    assert_eq!(inbox.unread_to("nobody@example.com"), 0);
    for email in ["", "nobody", "a@b", "x y@example.com", "a@b@example.com"] {
        let mut browser = Browser::new(bed);
        let refused = browser.post("/reset", json!({"email": email})).await;
        assert_eq!(refused.refused(400, "invalid_field")["field"], "email");
    }
}

async fn it_dies_in_time_and_with_what_it_is_for(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut visitor = Browser::new(bed);
    let new = json!({"password": NEW_PASSWORD});
    // Half an hour.
    ask(bed, OWNER).await;
    let token = inbox.next(OWNER, WANTED).await.token();
    bed.clock.jump_secs(1800 - 60);
    visitor.look(&token).await.expect(200);
    bed.clock.jump_secs(60);
    visitor.look(&token).await.refused(410, "link_invalid");
    visitor
        .use_link(&token, new.clone())
        .await
        .refused(410, "link_invalid");
    // A newer one.
    ask(bed, OWNER).await;
    let old = inbox.next(OWNER, WANTED).await.token();
    ask(bed, OWNER).await;
    let token = inbox.next(OWNER, WANTED).await.token();
    visitor
        .use_link(&old, new.clone())
        .await
        .refused(410, "link_invalid");
    visitor.look(&token).await.expect(200);
    // The password changes otherwise; so does the address, the second factor.
    let mut owner = Browser::proven(bed, OWNER).await;
    owner
        .post("/password", json!({"password": PASSWORD}))
        .await
        .expect(204);
    visitor
        .use_link(&token, new.clone())
        .await
        .refused(410, "link_invalid");
    bed.clock.jump_secs(3600);
    ask(bed, OWNER).await;
    let token = inbox.next(OWNER, WANTED).await.token();
    let mut owner = Browser::proven(bed, OWNER).await;
    super::second_factor::enrol(&mut owner).await;
    visitor
        .use_link(&token, new)
        .await
        .refused(410, "link_invalid");
}

async fn it_never_skips_the_second_factor(bed: &mut Bed) {
    let (seed, codes) = with_second_factor(bed).await;
    let mut inbox = bed.inbox();
    ask(bed, OWNER).await;
    let token = inbox.next(OWNER, WANTED).await.token();
    let mut visitor = Browser::new(bed);
    assert_eq!(visitor.look(&token).await.ok()["needs_otp"], true);
    let with = |otp: &str| json!({"password": NEW_PASSWORD, "otp": otp});
    let bare = visitor
        .use_link(&token, json!({"password": NEW_PASSWORD}))
        .await;
    bare.refused(401, "otp_required");
    let wrong = visitor
        .use_link(&token, with(&wrong_code(bed, &seed)))
        .await;
    wrong.refused(401, "otp_invalid");
    visitor.look(&token).await.expect(200);
    let otp = code(bed, &seed, 0);
    visitor.use_link(&token, with(&otp)).await.expect(200);
    // And signing in asks again, for another one.
    let mut browser = Browser::new(bed);
    let bare = browser.log_in(OWNER, NEW_PASSWORD).await;
    bare.refused(401, "otp_required");
    let login = |otp: &str| json!({"email": OWNER, "password": NEW_PASSWORD, "otp": otp});
    browser.login(login(&otp)).await.refused(401, "otp_invalid");
    browser.login(login(&code(bed, &seed, 1))).await.expect(200);
    assert_eq!(browser.me().await["user"]["second_factor"], true);
    // Nor can its codes be guessed over a link.
    ask(bed, OWNER).await;
    let token = inbox.next(OWNER, WANTED).await.token();
    let wrong = wrong_code(bed, &seed);
    for _ in 0..10 {
        visitor
            .use_link(&token, with(&wrong))
            .await
            .refused(401, "otp_invalid");
    }
    bed.slam_proof(OWNER).await;
    let closed = visitor.use_link(&token, with(&codes[0])).await;
    closed.refused(429, "rate_limited");
    bed.clock.jump_secs(600);
    visitor.use_link(&token, with(&codes[0])).await.expect(200);
}

async fn a_weak_password_leaves_the_link(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    ask(bed, OWNER).await;
    let token = inbox.next(OWNER, WANTED).await.token();
    let mut visitor = Browser::new(bed);
    for body in [
        json!({}),
        json!({"password": "short"}),
        json!({"password": "a@example.com a@example.com"}),
        // The account's name is known to whoever attacks it.
        json!({"password": "Shop Shop Shop Shop 1"}),
    ] {
        let answer = visitor.use_link(&token, body.clone()).await;
        let shown = format!("{body}: {answer:?}");
        assert_eq!(answer.status, 400, "{shown}");
        assert_eq!(answer.json()["field"], "password", "{shown}");
    }
    let made_up = json!({"password": NEW_PASSWORD, "role": "owner"});
    assert_eq!(visitor.use_link(&token, made_up).await.status, 400);
    visitor
        .use_link(&token, json!({"password": NEW_PASSWORD}))
        .await
        .expect(200);
}

/// An address that looks like another once its case is folded gets no letter of the other's.
async fn letters_go_where_the_person_is(bed: &mut Bed) {
    bed.person("kim@example.com").await;
    let mut inbox = bed.inbox();
    // The sign for kelvin, whose small letter is a common k.
    ask(bed, "\u{212a}im@example.com").await;
    let letter = inbox.next("kim@example.com", WANTED).await;
    assert_eq!(letter.to, "kim@example.com");
    ask(bed, "k\u{131}m@example.com").await;
    ask(bed, OWNER).await;
    inbox.next(OWNER, WANTED).await;
    let others = inbox.unread();
    assert!(others.is_empty(), "{}", others.len());
}

/// Whoever asks again and again fills no mailbox; the answer stays the same, until it is "wait".
async fn letters_are_few(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    for _ in 0..5 {
        ask(bed, OWNER).await;
        inbox.next(OWNER, WANTED).await;
    }
    for email in [OWNER, "nobody@example.com"] {
        let mut browser = Browser::new(bed);
        let closed = until("the form to close", async || {
            let body = json!({"email": email});
            let call = browser.call("POST", "/dashboard/api/reset").json(body);
            let answer = call.send().await;
            (answer.status == 429).then_some(answer)
        })
        .await;
        assert!(
            closed
                .header("retry-after")
                .parse::<u64>()
                .is_ok_and(|secs| secs >= 1)
        );
        closed.refused(429, "rate_limited");
        // Signing in is another matter.
        let due = if email == OWNER { 200 } else { 401 };
        assert_eq!(browser.log_in(email, PASSWORD).await.status, due);
    }
    assert_eq!(inbox.unread_to(OWNER), 0);
    bed.clock.jump_secs(3601);
    ask(bed, OWNER).await;
    inbox.next(OWNER, WANTED).await;
}
