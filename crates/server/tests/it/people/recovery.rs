//! Recovery codes: each lets its person in once, whatever happened to the telephone.

use serde_json::json;

use super::{
    Browser, OWNER, OWNER_TOO, PASSWORD, PROXY, audit_rows, kinds_of,
    second_factor::{code, enrol, new_step, with_second_factor},
};
use crate::gateway::Bed;

on_both! {
    with = super::PROXY;
    each_is_good_once,
    of_two_at_once_one_wins,
    new_ones_void_the_old,
    they_are_of_one_person,
}

async fn each_is_good_once(bed: &mut Bed) {
    let (_, codes) = with_second_factor(bed).await;
    let mut browser = Browser::new(bed);
    // As people type them.
    let odd = [
        codes[0].clone(),
        codes[1].to_lowercase(),
        codes[2].replace('-', " "),
        codes[3].replace('-', ""),
        format!("  {}  ", codes[4].replace('0', "o").replace('1', "l")),
    ];
    for (n, typed) in odd.iter().enumerate() {
        browser.log_in_with(OWNER, typed).await.expect(200);
        let left = browser.me().await["user"]["recovery_codes_left"].clone();
        assert_eq!(left, json!(9 - n));
        let again = Browser::new(bed).log_in_with(OWNER, &codes[n]).await;
        again.refused(401, "otp_invalid");
    }
    // It is no password.
    let bare = Browser::new(bed).log_in(OWNER, &codes[5]).await;
    bare.refused(401, "login_failed");
    let cut = Browser::new(bed).log_in_with(OWNER, &codes[5][..20]).await;
    cut.refused(401, "otp_invalid");
}

async fn of_two_at_once_one_wins(bed: &mut Bed) {
    let (_, codes) = with_second_factor(bed).await;
    for code in &codes[..3] {
        let (mut one, mut two) = (Browser::new(bed), Browser::new(bed));
        let (a, b) = tokio::join!(one.log_in_with(OWNER, code), two.log_in_with(OWNER, code));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "{a:?} {b:?}");
    }
}

async fn new_ones_void_the_old(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let (seed, old) = with_second_factor(bed).await;
    let mut browser = Browser::new(bed);
    browser.log_in_with(OWNER, &old[0]).await.expect(200);
    let unproven = browser
        .post("/second-factor/recovery-codes", json!({}))
        .await;
    unproven.refused(403, "proof_required");
    let proof = json!({"password": PASSWORD, "otp": code(bed, &seed, 0)});
    browser.post("/confirm", proof).await.expect(200);
    let made = browser
        .post("/second-factor/recovery-codes", json!({}))
        .await
        .ok();
    let new = made["recovery_codes"].as_array().expect("codes").clone();
    assert_eq!(new.len(), 10);
    assert_eq!(browser.me().await["user"]["recovery_codes_left"], 10);
    for code in &old {
        assert!(!new.contains(&json!(code)));
    }
    Browser::new(bed)
        .log_in_with(OWNER, &old[1])
        .await
        .refused(401, "otp_invalid");
    let fresh = new[0].as_str().expect("a code");
    Browser::new(bed)
        .log_in_with(OWNER, fresh)
        .await
        .expect(200);
    let kinds = kinds_of(&audit_rows(&mut browser, "").await);
    assert!(
        kinds.iter().any(|kind| kind == "user.recovery_codes"),
        "{kinds:?}"
    );
    super::second_factor::until_letter(&mut inbox, "new recovery codes were made").await;
}

async fn they_are_of_one_person(bed: &mut Bed) {
    let (_, codes) = with_second_factor(bed).await;
    let mut other = Browser::proven(bed, OWNER_TOO).await;
    enrol(&mut other).await;
    new_step(bed);
    let foreign = Browser::new(bed).log_in_with(OWNER_TOO, &codes[0]).await;
    foreign.refused(401, "otp_invalid");
    Browser::new(bed)
        .log_in_with(OWNER, &codes[0])
        .await
        .expect(200);
}
