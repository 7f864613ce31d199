//! Invitations into an account: for who is new and who is known, and all that makes one worthless.

use recado_model::Role;
use serde_json::{Value, json};

use super::{
    Browser, NEW_PASSWORD, OWNER, OWNER_TOO, PASSWORD, PROXY, audit_rows,
    second_factor::{code, enrol, new_step},
    text,
};
use crate::gateway::Bed;

on_both! {
    with = super::PROXY;
    who_is_new_chooses_a_password,
    who_is_known_shows_theirs,
    withdrawn_replaced_and_over,
    an_inviter_who_may_no_longer_invites_nobody,
    members_are_not_invited,
    who_came_meanwhile_is_not_lowered,
    of_two_uses_at_once_one_wins,
    invitations_are_few,
}

const NEW: &str = "new@example.com";
const WANTED: &str = "You are invited";

async fn invite(browser: &mut Browser<'_>, email: &str, role: &str) -> Value {
    let body = json!({"email": email, "role": role, "language": "en"});
    browser.post("/members/invite", body).await.ok()
}

async fn use_new(bed: &Bed, token: &str) -> crate::call::Answer {
    let body = json!({"password": NEW_PASSWORD});
    Browser::new(bed).use_link(token, body).await
}

async fn who_is_new_chooses_a_password(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::of(bed, OWNER).await;
    let body = json!({"email": NEW, "role": "developer"});
    let unproven = owner.post("/members/invite", body).await;
    unproven.refused(403, "proof_required");
    owner.confirm().await;
    let invited = invite(&mut owner, " New@Example.COM ", "developer").await;
    assert_eq!(
        (&invited["email"], &invited["role"], &invited["sent"]),
        (&json!(NEW), &json!("developer"), &json!("file"))
    );
    let letter = inbox.next(NEW, WANTED).await;
    let token = letter.token();
    assert!(
        !invited.to_string().contains(&token),
        "nobody sees a link in an answer"
    );
    assert!(
        letter.text.contains("Shop A") && letter.text.contains("24 hours"),
        "{}",
        letter.text
    );
    let mut visitor = Browser::at(bed, "203.0.113.5");
    let seen = visitor.look(&token).await.ok();
    assert_eq!(
        (
            &seen["kind"],
            &seen["email"],
            &seen["account_name"],
            &seen["role"]
        ),
        (
            &json!("invite"),
            &json!(NEW),
            &json!("Shop A"),
            &json!("developer")
        )
    );
    assert_eq!(
        (&seen["known"], &seen["needs_otp"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(seen["expires_at"], invited["expires_at"]);
    for weak in [
        json!({}),
        json!({"password": "short"}),
        json!({"password": "new@example.com new"}),
    ] {
        let refused = visitor.use_link(&token, weak).await;
        assert_eq!(refused.refused(400, "invalid_field")["field"], "password");
    }
    for made_up in ["role", "account", "operator"] {
        let body = json!({"password": NEW_PASSWORD, made_up: "owner"});
        assert_eq!(visitor.use_link(&token, body).await.status, 400);
    }
    let body = json!({"password": NEW_PASSWORD, "language": "es"});
    let used = visitor.use_link(&token, body).await.ok();
    assert_eq!(used, json!({"signed_in": true}));
    let me = visitor.me().await;
    assert_eq!(
        (&me["account"]["name"], &me["account"]["role"]),
        (&json!("Shop A"), &json!("developer"))
    );
    assert_eq!(
        (&me["user"]["operator"], &me["user"]["language"]),
        (&json!(false), &json!("es"))
    );
    Browser::new(bed)
        .log_in(NEW, NEW_PASSWORD)
        .await
        .expect(200);
    use_new(bed, &token).await.refused(410, "link_invalid");
    let list = owner.get("/members").await.ok();
    assert_eq!(list["invitations"], json!([]));
    let rows = audit_rows(&mut owner, "?kind=member.joined").await;
    let detail = &rows[0]["detail"];
    assert_eq!(detail["by"]["user"], me["user"]["id"]);
    assert_eq!(detail["invitation"], invited["id"]);
    assert_eq!(detail["from"], "203.0.113.5");
}

async fn who_is_known_shows_theirs(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut stranger = Browser::proven(bed, OWNER_TOO).await;
    let (seed, _) = enrol(&mut stranger).await;
    new_step(bed);
    let mut owner = Browser::proven(bed, OWNER).await;
    invite(&mut owner, OWNER_TOO, "viewer").await;
    let token = inbox.next(OWNER_TOO, WANTED).await.token();
    let mut visitor = Browser::new(bed);
    let seen = visitor.look(&token).await.ok();
    assert_eq!(
        (&seen["known"], &seen["needs_otp"]),
        (&json!(true), &json!(true))
    );
    let body = |password: &str, otp: Option<String>| json!({"password": password, "otp": otp});
    // No password is changed over an invitation.
    let wrong = visitor.use_link(&token, body(NEW_PASSWORD, None)).await;
    wrong.refused(401, "login_failed");
    let missing = visitor.use_link(&token, json!({})).await;
    assert_eq!(missing.refused(400, "invalid_field")["field"], "password");
    let bare = visitor.use_link(&token, body(PASSWORD, None)).await;
    bare.refused(401, "otp_required");
    let used = visitor
        .use_link(&token, body(PASSWORD, Some(code(bed, &seed, -2))))
        .await;
    used.refused(401, "otp_invalid");
    visitor.look(&token).await.expect(200);
    assert_eq!(stranger.alive().await, 200);
    let joined = visitor
        .use_link(&token, body(PASSWORD, Some(code(bed, &seed, 0))))
        .await;
    joined.expect(200);
    let me = visitor.me().await;
    assert_eq!(
        (&me["account"]["name"], &me["account"]["role"]),
        (&json!("Shop A"), &json!("viewer"))
    );
    assert_eq!(me["accounts"].as_array().map(Vec::len), Some(2));
    assert_eq!(stranger.alive().await, 200, "joining ends nothing");
    assert_eq!(
        stranger.me().await["accounts"].as_array().map(Vec::len),
        Some(2)
    );
    // The password cannot be guessed over one.
    invite(&mut owner, "kept@example.com", "viewer").await;
    bed.person("kept@example.com").await;
    let token = inbox.next("kept@example.com", WANTED).await.token();
    let mut guesser = Browser::at(bed, "203.0.113.66");
    for _ in 0..10 {
        let wrong = guesser
            .use_link(&token, body("incorrect horse battery", None))
            .await;
        wrong.refused(401, "login_failed");
    }
    bed.slam_proof("kept@example.com").await;
    let closed = guesser.use_link(&token, body(PASSWORD, None)).await;
    closed.refused(429, "rate_limited");
}

async fn withdrawn_replaced_and_over(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::proven(bed, OWNER).await;
    let invited = invite(&mut owner, NEW, "viewer").await;
    let token = inbox.next(NEW, WANTED).await.token();
    let path = format!("/members/invitations/{}", text(&invited, "/id"));
    owner.delete(&path).await.expect(204);
    owner.delete(&path).await.refused(404, "not_found");
    use_new(bed, &token).await.refused(410, "link_invalid");
    // A newer one, of another role.
    invite(&mut owner, NEW, "admin").await;
    let old = inbox.next(NEW, WANTED).await.token();
    invite(&mut owner, NEW, "viewer").await;
    let new = inbox.next(NEW, WANTED).await.token();
    use_new(bed, &old).await.refused(410, "link_invalid");
    // One into another account leaves it alone.
    let mut stranger = Browser::proven(bed, OWNER_TOO).await;
    invite(&mut stranger, NEW, "viewer").await;
    let mut visitor = Browser::new(bed);
    bed.clock.jump_secs(24 * 3600 - 60);
    visitor.look(&new).await.expect(200);
    bed.clock.jump_secs(60);
    use_new(bed, &new).await.refused(410, "link_invalid");
    assert!(bed.find_user(NEW).await.is_none());
}

async fn an_inviter_who_may_no_longer_invites_nobody(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::proven(bed, OWNER).await;
    for (n, end) in ["lowered", "removed", "not an owner"]
        .into_iter()
        .enumerate()
    {
        let (email, new) = (
            format!("admin{n}@example.com"),
            format!("new{n}@example.com"),
        );
        let role = if end == "not an owner" {
            Role::Owner
        } else {
            Role::Admin
        };
        let id = bed.member(&bed.a, &email, role).await;
        let mut admin = Browser::proven(bed, &email).await;
        let offered = if role == Role::Owner {
            "owner"
        } else {
            "admin"
        };
        invite(&mut admin, &new, offered).await;
        let token = inbox.next(&new, WANTED).await.token();
        let path = format!("/members/{id}");
        match end {
            "lowered" => owner
                .patch(&path, json!({"role": "developer"}))
                .await
                .expect(204),
            "removed" => owner.delete(&path).await.expect(204),
            // Still an admin, but owners are made by owners.
            _ => owner
                .patch(&path, json!({"role": "admin"}))
                .await
                .expect(204),
        };
        use_new(bed, &token).await.refused(410, "link_invalid");
        assert!(bed.find_user(&new).await.is_none(), "{end}");
    }
}

async fn members_are_not_invited(bed: &mut Bed) {
    bed.member(&bed.a, "viewer@example.com", Role::Viewer).await;
    let mut owner = Browser::proven(bed, OWNER).await;
    for email in [OWNER, "viewer@example.com", " VIEWER@example.com"] {
        let body = json!({"email": email, "role": "admin"});
        let refused = owner.post("/members/invite", body).await;
        assert_eq!(refused.refused(400, "invalid_field")["field"], "email");
    }
    for (field, body) in [
        ("role", json!({"email": NEW, "role": "boss"})),
        ("email", json!({"email": "new", "role": "viewer"})),
        (
            "email",
            json!({"email": "new@example.com\nBcc: eve@example.com", "role": "viewer"}),
        ),
        (
            "email",
            json!({"email": "new@eve@example.com", "role": "viewer"}),
        ),
        (
            "language",
            json!({"email": NEW, "role": "viewer", "language": "xx"}),
        ),
    ] {
        let refused = owner.post("/members/invite", body).await;
        assert_eq!(refused.refused(400, "invalid_field")["field"], field);
    }
    assert!(bed.inbox().unread().is_empty());
}

async fn who_came_meanwhile_is_not_lowered(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::proven(bed, OWNER).await;
    invite(&mut owner, NEW, "viewer").await;
    let token = inbox.next(NEW, WANTED).await.token();
    bed.member(&bed.a, NEW, Role::Admin).await;
    let mut visitor = Browser::new(bed);
    assert_eq!(visitor.look(&token).await.ok()["known"], true);
    // The one who chose another password meanwhile is asked for that.
    use_new(bed, &token).await.refused(401, "login_failed");
    visitor
        .use_link(&token, json!({"password": PASSWORD}))
        .await
        .expect(200);
    assert_eq!(visitor.me().await["account"]["role"], "admin");
}

async fn of_two_uses_at_once_one_wins(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::proven(bed, OWNER).await;
    for n in 0..2 {
        let email = format!("new{n}@example.com");
        invite(&mut owner, &email, "viewer").await;
        let token = inbox.next(&email, WANTED).await.token();
        let (a, b) = tokio::join!(use_new(bed, &token), use_new(bed, &token));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 410], "{a:?} {b:?}");
    }
    let list = owner.get("/members").await.ok();
    assert_eq!(list["members"].as_array().map(Vec::len), Some(3));
}

async fn invitations_are_few(bed: &mut Bed) {
    let mut owner = Browser::proven(bed, OWNER).await;
    for _ in 0..5 {
        invite(&mut owner, NEW, "viewer").await;
    }
    let body = json!({"email": NEW, "role": "viewer"});
    let closed = owner.post("/members/invite", body).await;
    assert!(
        closed
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|secs| secs >= 1)
    );
    closed.refused(429, "rate_limited");
    // Another person may come, and after an hour this one.
    invite(&mut owner, "other@example.com", "viewer").await;
    bed.clock.jump_secs(3601);
    owner.confirm().await;
    invite(&mut owner, NEW, "viewer").await;
}
