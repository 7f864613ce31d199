//! What too many failed log-ins close, for whom, and for how long (P-04).

use std::net::IpAddr;

use serde_json::json;

use super::{Browser, NEW_PASSWORD, OWNER, OWNER_TOO, PASSWORD, PROXY};
use crate::{call::Answer, gateway::Bed};

on_both! {
    with = super::PROXY;
    ten_failures_close_that_pair_only,
    a_closed_door_is_told_before_anything_is_hashed,
    the_right_password_clears,
    a_hundred_in_a_row_close_it_to_strangers,
    nobody_is_locked_out_of_a_reset,
    who_signed_out_is_no_stranger,
}

const WRONG: &str = "incorrect horse battery";
const UNKNOWN: &str = "nobody@example.com";

#[track_caller]
fn wait(answer: &Answer) -> i64 {
    answer.clone().refused(429, "rate_limited");
    let secs = answer.header("retry-after").parse();
    let secs = secs.unwrap_or_else(|_| panic!("no seconds in {answer:?}"));
    assert!(secs >= 1, "{answer:?}");
    secs
}

async fn fail(bed: &Bed, from: &str, email: &str, times: usize) {
    let mut browser = Browser::at(bed, from);
    for _ in 0..times {
        browser
            .log_in(email, WRONG)
            .await
            .refused(401, "login_failed");
    }
}

/// Ten failures, and what it takes to see the door closed however slow the machine is.
async fn close(bed: &Bed, from: &str, email: &str) {
    fail(bed, from, email, 10).await;
    bed.slam(from, email);
}

/// Counted as the log-in does, without the time that its hashes take.
fn fail_fast(bed: &Bed, email: &str, networks: u8, each: usize) {
    for n in 0..networks {
        let from: IpAddr = format!("192.0.2.{n}").parse().expect("an address");
        for _ in 0..each {
            bed.gateway().app.limits().login_failed(Some(from), email);
        }
    }
}

async fn ten_failures_close_that_pair_only(bed: &mut Bed) {
    for email in [OWNER, UNKNOWN] {
        let from = "203.0.113.1";
        close(bed, from, email).await;
        let mut closed = Browser::at(bed, from);
        // Right or wrong, known or not: wait.
        let first = closed.log_in(email, PASSWORD).await;
        wait(&first);
        // However it is typed.
        wait(&closed.log_in(&email.to_uppercase(), PASSWORD).await);
        // Another network may, another person may here.
        let elsewhere = Browser::at(bed, "203.0.113.2")
            .log_in(email, PASSWORD)
            .await;
        let due = if email == OWNER { 200 } else { 401 };
        assert_eq!(elsewhere.status, due, "{elsewhere:?}");
        closed.log_in(OWNER_TOO, PASSWORD).await.expect(200);
    }
    // Addresses of one network of a provider's customer are one.
    close(bed, "2001:db8:1:2::1", OWNER).await;
    let neighbour = Browser::at(bed, "2001:db8:1:2:ffff::9")
        .log_in(OWNER, PASSWORD)
        .await;
    wait(&neighbour);
    let other = Browser::at(bed, "2001:db8:1:3::1")
        .log_in(OWNER, PASSWORD)
        .await;
    other.expect(200);
}

async fn a_closed_door_is_told_before_anything_is_hashed(bed: &mut Bed) {
    let from = "203.0.113.1";
    close(bed, from, OWNER).await;
    let mut browser = Browser::at(bed, from);
    let before = bed.hashed();
    let mut longest = 0;
    for _ in 0..4 {
        let told = wait(&browser.log_in(OWNER, PASSWORD).await);
        assert!(told <= 300, "{told}");
        longest = longest.max(told);
        // What is refused unseen does not prolong the wait: it opens when it said.
        for _ in 0..5 {
            wait(&browser.log_in(OWNER, WRONG).await);
        }
        assert_eq!(bed.hashed(), before, "nothing was hashed");
        bed.clock.jump_secs(told);
        // Open for one.
        bed.gateway()
            .app
            .limits()
            .login_failed(from.parse().ok(), OWNER);
    }
    assert!(longest >= 250, "the wait doubles: {longest}");
    let told = wait(&browser.log_in(OWNER, PASSWORD).await);
    bed.clock.jump_secs(told);
    browser.log_in(OWNER, PASSWORD).await.expect(200);
}

async fn the_right_password_clears(bed: &mut Bed) {
    let from = "203.0.113.1";
    for _ in 0..3 {
        fail(bed, from, OWNER, 9).await;
        Browser::at(bed, from)
            .log_in(OWNER, PASSWORD)
            .await
            .expect(200);
    }
    // Of that person; not of everybody who was tried from there.
    fail(bed, from, OWNER, 9).await;
    Browser::at(bed, from)
        .log_in(OWNER_TOO, PASSWORD)
        .await
        .expect(200);
    fail(bed, from, OWNER, 1).await;
    wait(&Browser::at(bed, from).log_in(OWNER, PASSWORD).await);
    // After a minute without, the count begins anew.
    fail(bed, "203.0.113.5", OWNER, 9).await;
    bed.clock.jump_secs(61);
    fail(bed, "203.0.113.5", OWNER, 9).await;
    let fresh = Browser::at(bed, "203.0.113.5")
        .log_in(OWNER, PASSWORD)
        .await;
    fresh.expect(200);
}

/// From many networks together. Whoever is signed in from a network still may from there.
async fn a_hundred_in_a_row_close_it_to_strangers(bed: &mut Bed) {
    let mut home = Browser::at(bed, "198.51.100.7");
    home.log_in(OWNER, PASSWORD).await.expect(200);
    for email in [OWNER, UNKNOWN] {
        fail_fast(bed, email, 11, 9);
        // Ninety-nine are no hundred.
        fail(bed, "203.0.113.1", email, 1).await;
        bed.slam("192.0.2.200", email);
        let before = bed.hashed();
        let mut stranger = Browser::at(bed, "203.0.113.9");
        let told = wait(&stranger.log_in(email, PASSWORD).await);
        assert!(told <= 3600, "never for good: {told}");
        assert_eq!(bed.hashed(), before);
        // Others do not notice.
        stranger.log_in(OWNER_TOO, PASSWORD).await.expect(200);
    }
    // To a stranger it opens again; a wrong guess closes it for longer.
    bed.slam("192.0.2.200", OWNER);
    let mut guesser = Browser::at(bed, "203.0.113.10");
    let mut waits = Vec::new();
    for _ in 0..4 {
        let told = wait(&guesser.log_in(OWNER, WRONG).await);
        waits.push(told);
        bed.clock.jump_secs(told);
        guesser
            .log_in(OWNER, WRONG)
            .await
            .refused(401, "login_failed");
    }
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0]), "{waits:?}");
    // Home is known. That ends the row, for everybody.
    let mut again = Browser::at(bed, "198.51.100.7");
    again.log_in(OWNER, PASSWORD).await.expect(200);
    let mut anywhere = Browser::at(bed, "203.0.113.11");
    anywhere.log_in(OWNER, PASSWORD).await.expect(200);
    // At home too, ten failures a minute are enough.
    close(bed, "198.51.100.7", OWNER).await;
    wait(&again.log_in(OWNER, PASSWORD).await);
}

/// Who reads the mail of an address is no stranger to it.
async fn nobody_is_locked_out_of_a_reset(bed: &mut Bed) {
    fail_fast(bed, OWNER, 12, 9);
    bed.slam("192.0.2.200", OWNER);
    let mut stranger = Browser::at(bed, "203.0.113.9");
    wait(&stranger.log_in(OWNER, PASSWORD).await);
    let mut inbox = bed.inbox();
    let asked = stranger.post("/reset", json!({"email": OWNER})).await;
    asked.expect(202);
    let token = inbox.next(OWNER, "new password").await.token();
    let used = stranger
        .use_link(&token, json!({"password": NEW_PASSWORD}))
        .await;
    used.expect(200);
    stranger.log_in(OWNER, NEW_PASSWORD).await.expect(200);
}

/// Signing out properly must not make a stranger of anybody.
async fn who_signed_out_is_no_stranger(bed: &mut Bed) {
    let mut home = Browser::at(bed, "198.51.100.7");
    home.log_in(OWNER, PASSWORD).await.expect(200);
    home.log_out().await;
    fail_fast(bed, OWNER, 12, 9);
    bed.slam("192.0.2.200", OWNER);
    let mut stranger = Browser::at(bed, "203.0.113.9");
    wait(&stranger.log_in(OWNER, PASSWORD).await);
    home.log_in(OWNER, PASSWORD).await.expect(200);
}
