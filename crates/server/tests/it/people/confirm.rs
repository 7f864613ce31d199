//! The password again, inside a session: what it opens, for how long, and that it cannot be guessed.

use recado_model::Role;
use serde_json::{Value, json};

use super::{Browser, OWNER, PASSWORD, PROXY, text};
use crate::gateway::Bed;

on_both! {
    with = super::PROXY;
    it_counts_for_ten_minutes,
    a_wrong_one_is_refused_and_limited,
    a_clock_that_was_set_back_proves_nothing,
    it_is_of_one_session,
    a_session_that_has_ended_confirms_nothing,
}

async fn wants_proof(browser: &mut Browser<'_>) -> bool {
    let answer = browser.post("/token", json!({})).await;
    match answer.status {
        200 => false,
        _ => {
            answer.refused(403, "proof_required");
            true
        }
    }
}

async fn it_counts_for_ten_minutes(bed: &mut Bed) {
    let mut browser = Browser::of(bed, OWNER).await;
    assert!(
        wants_proof(&mut browser).await,
        "signing in is no fresh proof"
    );
    let cookie = browser.cookie.clone();
    let answer = browser
        .post("/confirm", json!({"password": PASSWORD}))
        .await;
    let until = text(&answer.ok(), "/proven_until");
    assert_eq!(browser.cookie, cookie, "the cookie stays");
    let me = browser.me().await;
    assert_eq!(text(&me, "/proven_until"), until);
    bed.clock.jump_secs(600 - 60);
    assert!(!wants_proof(&mut browser).await);
    bed.clock.jump_secs(60);
    assert!(wants_proof(&mut browser).await);
    assert_eq!(browser.me().await["proven_until"], Value::Null);
    // Again, as often as one likes.
    browser.confirm().await;
    assert!(!wants_proof(&mut browser).await);
}

async fn a_wrong_one_is_refused_and_limited(bed: &mut Bed) {
    let mut browser = Browser::of(bed, OWNER).await;
    for _ in 0..10 {
        let wrong = json!({"password": "incorrect horse battery"});
        let refused = browser.post("/confirm", wrong).await;
        let refused = refused.refused(401, "login_failed");
        assert_eq!(refused["field"], "password");
    }
    bed.slam_proof(OWNER).await;
    let before = bed.hashed();
    let closed = browser
        .post("/confirm", json!({"password": PASSWORD}))
        .await;
    let secs = closed
        .header("retry-after")
        .parse::<i64>()
        .expect("seconds");
    closed.refused(429, "rate_limited");
    assert_eq!(bed.hashed(), before);
    assert!(wants_proof(&mut browser).await);
    // The session itself goes on.
    assert_eq!(browser.alive().await, 200);
    bed.clock.jump_secs(secs);
    browser.confirm().await;
    for (status, body) in [
        (400, json!({})),
        (400, json!({"password": ""})),
        (400, json!({"password": "p".repeat(1025)})),
        (400, json!({"password": PASSWORD, "user": "someone"})),
    ] {
        let answer = browser.post("/confirm", body).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    // Another person's password opens nothing.
    bed.member(&bed.a, "viewer@example.com", Role::Viewer).await;
    let mut viewer = Browser::at(bed, "203.0.113.4");
    viewer
        .log_in("viewer@example.com", PASSWORD)
        .await
        .expect(200);
    let changed = browser.post("/password", json!({"password": super::NEW_PASSWORD}));
    changed.await.expect(204);
    let theirs = viewer.post("/confirm", json!({"password": super::NEW_PASSWORD}));
    theirs.await.refused(401, "login_failed");
}

async fn a_clock_that_was_set_back_proves_nothing(bed: &mut Bed) {
    let mut browser = Browser::proven(bed, OWNER).await;
    bed.clock.jump_secs(-3600);
    assert!(wants_proof(&mut browser).await);
    assert_eq!(
        browser.me().await["proven_until"],
        Value::Null,
        "the page must know that it will be asked"
    );
    browser.confirm().await;
    assert!(!wants_proof(&mut browser).await);
}

async fn it_is_of_one_session(bed: &mut Bed) {
    let mut one = Browser::proven(bed, OWNER).await;
    let mut two = Browser::of(bed, OWNER).await;
    assert!(wants_proof(&mut two).await);
    assert!(!wants_proof(&mut one).await);
    // Signing in anew begins anew.
    one.log_in(OWNER, PASSWORD).await.expect(200);
    assert!(wants_proof(&mut one).await);
}

async fn a_session_that_has_ended_confirms_nothing(bed: &mut Bed) {
    let mut browser = Browser::of(bed, OWNER).await;
    let old = browser.cookie.clone();
    browser.log_out().await;
    let mut ended = browser.with_cookie(old.as_deref());
    let before = bed.hashed();
    let answer = ended.post("/confirm", json!({"password": PASSWORD})).await;
    answer.refused(401, "unauthorized");
    let mut nobody = Browser::new(bed);
    let answer = nobody.post("/confirm", json!({"password": PASSWORD})).await;
    answer.refused(401, "unauthorized");
    assert_eq!(bed.hashed(), before, "whoever is nobody costs nothing");
}
