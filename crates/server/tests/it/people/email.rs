//! Another e-mail address, another password: what has to be shown, and what ends.

use serde_json::{Value, json};

use super::{Browser, NEW_PASSWORD, OWNER, OWNER_TOO, PASSWORD, PROXY, audit_rows, kinds_of, text};
use crate::gateway::Bed;

on_both! {
    with = super::PROXY;
    a_new_address_is_proven_by_a_letter,
    a_taken_address_stays_its_owners,
    the_link_dies_with_what_it_was_made_under,
    addresses_that_are_none,
    a_new_password_ends_the_others,
}

const NEW: &str = "anna@example.com";
const WANTED: &str = "Confirm your new e-mail";

async fn a_new_address_is_proven_by_a_letter(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::of(bed, OWNER).await;
    let unproven = owner.post("/email", json!({"email": NEW})).await;
    unproven.refused(403, "proof_required");
    owner.confirm().await;
    let asked = owner
        .post("/email", json!({"email": " Anna@Example.com "}))
        .await;
    assert_eq!(asked.expect(202).text(), "{}");
    let letter = inbox.next(NEW, WANTED).await;
    let token = letter.token();
    let notice = inbox.next(OWNER, "changed").await;
    assert!(
        notice.text.contains("asked to replace this address"),
        "{}",
        notice.text
    );
    assert!(
        !notice.text.contains("link#") && !notice.text.contains(NEW),
        "{}",
        notice.text
    );
    assert!(!letter.text.contains(OWNER), "{}", letter.text);
    // Nothing has changed yet.
    assert_eq!(text(&owner.me().await, "/user/email"), OWNER);
    Browser::new(bed)
        .log_in(NEW, PASSWORD)
        .await
        .refused(401, "login_failed");
    let mut visitor = Browser::new(bed);
    let seen = visitor.look(&token).await.ok();
    assert_eq!(
        (&seen["kind"], &seen["email"]),
        (&json!("email"), &json!(NEW))
    );
    let used = visitor.use_link(&token, json!({})).await.ok();
    assert_eq!(used, json!({"signed_in": false}));
    assert!(visitor.cookie.is_none());
    assert_eq!(owner.alive().await, 401, "every session ends");
    visitor
        .log_in(OWNER, PASSWORD)
        .await
        .refused(401, "login_failed");
    visitor.log_in(NEW, PASSWORD).await.expect(200);
    let again = visitor.use_link(&token, json!({})).await;
    again.refused(410, "link_invalid");
    let notice = inbox.next(OWNER, "changed").await;
    assert!(
        notice.text.contains("another e-mail address now"),
        "{}",
        notice.text
    );
    let kinds = kinds_of(&audit_rows(&mut visitor, "").await);
    for kind in ["user.email_asked", "user.email"] {
        assert!(kinds.iter().any(|found| found == kind), "{kinds:?}");
    }
}

/// Whether somebody has it shows to nobody but the one who can read its mail.
async fn a_taken_address_stays_its_owners(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::proven(bed, OWNER).await;
    let free = owner.post("/email", json!({"email": NEW})).await;
    let taken = owner.post("/email", json!({"email": OWNER_TOO})).await;
    assert_eq!((free.status, free.text()), (taken.status, taken.text()));
    inbox.next(NEW, WANTED).await;
    let token = inbox.next(OWNER_TOO, WANTED).await.token();
    let mut visitor = Browser::new(bed);
    visitor
        .use_link(&token, json!({}))
        .await
        .refused(409, "conflict");
    assert_eq!(owner.alive().await, 200);
    assert_eq!(text(&owner.me().await, "/user/email"), OWNER);
    let theirs = Browser::of(bed, OWNER_TOO).await.me().await;
    assert_eq!(theirs["account"]["name"], "Shop B");
    // Two want one address: who confirms first has it.
    let mut other = Browser::proven(bed, OWNER_TOO).await;
    other
        .post("/email", json!({"email": NEW}))
        .await
        .expect(202);
    let second = inbox.next(NEW, WANTED).await.token();
    bed.clock.jump_secs(1);
    owner
        .post("/email", json!({"email": NEW}))
        .await
        .expect(202);
    let first = inbox.next(NEW, WANTED).await.token();
    let (mut one, mut two) = (Browser::new(bed), Browser::new(bed));
    let (a, b) = tokio::join!(
        one.use_link(&first, json!({})),
        two.use_link(&second, json!({}))
    );
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{a:?} {b:?}");
    let users = bed.read().await.people().users().await.expect("users");
    assert_eq!(users.iter().filter(|user| user.email == NEW).count(), 1);
}

async fn the_link_dies_with_what_it_was_made_under(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut visitor = Browser::new(bed);
    let mut owner = Browser::proven(bed, OWNER).await;
    let mut ask = async |owner: &mut Browser<'_>| {
        owner
            .post("/email", json!({"email": NEW}))
            .await
            .expect(202);
        inbox.next(NEW, WANTED).await.token()
    };
    let late = ask(&mut owner).await;
    bed.clock.jump_secs(1800);
    visitor
        .use_link(&late, json!({}))
        .await
        .refused(410, "link_invalid");
    owner.confirm().await;
    let old = ask(&mut owner).await;
    let new = ask(&mut owner).await;
    visitor
        .use_link(&old, json!({}))
        .await
        .refused(410, "link_invalid");
    // Whoever asked for it may have been a thief: a new password ends it.
    let password = json!({"password": NEW_PASSWORD});
    owner.post("/password", password).await.expect(204);
    visitor
        .use_link(&new, json!({}))
        .await
        .refused(410, "link_invalid");
    assert_eq!(text(&owner.me().await, "/user/email"), OWNER);
}

async fn addresses_that_are_none(bed: &mut Bed) {
    let mut owner = Browser::proven(bed, OWNER).await;
    let long = format!("{}@example.com", "n".repeat(250));
    for email in [
        "",
        "anna",
        "@example.com",
        "anna@",
        "anna@example",
        "anna @example.com",
        "anna@example.com\r\nBcc: eve@example.com",
        "anna@example.com,eve@example.com",
        "anna@eve@example.com",
        "Anna <anna@example.com>",
        "anna@example..com",
        "anna\u{202e}@example.com",
        &long,
        OWNER,
        " A@EXAMPLE.com",
    ] {
        let answer = owner.post("/email", json!({"email": email})).await;
        let shown = format!("{email:?}: {answer:?}");
        assert_eq!(answer.status, 400, "{shown}");
        assert_eq!(answer.json()["field"], "email", "{shown}");
    }
    assert_eq!(bed.inbox().unread().len(), 0);
}

async fn a_new_password_ends_the_others(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::of(bed, OWNER).await;
    let new = json!({"password": NEW_PASSWORD});
    let unproven = owner.post("/password", new.clone()).await;
    unproven.refused(403, "proof_required");
    let mut other = Browser::new(bed);
    let answer = other.log_in(OWNER, PASSWORD).await.ok();
    let others = text(&answer, "/access_token");
    owner.confirm().await;
    let own = text(&owner.post("/token", json!({})).await.ok(), "/access_token");
    let before = owner.cookie.clone();
    owner.post("/password", new).await.expect(204);
    assert_eq!((owner.alive().await, other.alive().await), (200, 401));
    assert_eq!(owner.with_cookie(before.as_deref()).alive().await, 401);
    assert_eq!(
        (bed.by_jwt(&own).await, bed.by_jwt(&others).await),
        (401, 401)
    );
    other
        .log_in(OWNER, PASSWORD)
        .await
        .refused(401, "login_failed");
    other.log_in(OWNER, NEW_PASSWORD).await.expect(200);
    let notice = inbox.next(OWNER, "changed").await;
    assert!(
        notice.text.contains("your password was changed"),
        "{}",
        notice.text
    );
    let rows = audit_rows(&mut owner, "?kind=user.password").await;
    assert_eq!(rows[0]["detail"]["by"]["proof"], "user_session");
    assert_ne!(rows[0]["detail"]["by"]["user"], Value::Null);
    // What the account holds is not the person's.
    assert_eq!(bed.by_jwt(&bed.a.jwt).await, 200);
}
