//! The life of a session: its cookie, its list, its ends, and the JWTs that die with it.

use recado_model::Role;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Browser, NEW_PASSWORD, OWNER, OWNER_TOO, PASSWORD, PROXY, audit_rows, text};
use crate::gateway::Bed;

on_both! {
    with = super::PROXY;
    ones_own_are_listed_and_ended,
    ending_the_others_keeps_this_one,
    idle_is_twelve_hours_and_a_month_is_the_end,
    a_use_that_could_not_be_noted_is_noted_by_the_next,
    signing_out_clears_the_cookie,
    each_change_of_rights_brings_a_new_cookie,
    a_jwt_dies_with_its_session,
    a_jwt_lives_an_hour,
    signing_the_account_out_ends_all,
    switching_leaves_the_old_account_behind,
}

async fn jwt(browser: &mut Browser<'_>, email: &str) -> String {
    let answer = browser.log_in(email, PASSWORD).await.ok();
    text(&answer, "/access_token")
}

async fn sessions(browser: &mut Browser<'_>) -> Vec<Value> {
    let list = browser.get("/sessions").await.ok();
    list["sessions"].as_array().expect("sessions").clone()
}

async fn ones_own_are_listed_and_ended(bed: &mut Bed) {
    let mut here = Browser::at(bed, "203.0.113.1");
    here.log_in(OWNER, PASSWORD).await.expect(200);
    let mut there = Browser::at(bed, "203.0.113.2");
    there.log_in(OWNER, PASSWORD).await.expect(200);
    let mut stranger = Browser::of(bed, OWNER_TOO).await;
    let list = sessions(&mut here).await;
    assert_eq!(list.len(), 2, "{list:?}");
    let (current, others): (Vec<_>, Vec<_>) = list.iter().partition(|row| row["current"] == true);
    assert_eq!((current.len(), others.len()), (1, 1));
    let mine = current[0];
    assert_eq!(mine["id"], here.me().await["session_id"]);
    assert_eq!(mine["address"], "203.0.113.1");
    assert_eq!(mine["agent"], "Browser of the tests/1.0");
    assert_eq!(mine["account_name"], "Shop A");
    for name in ["created_at", "seen_at"] {
        assert!(text(mine, &format!("/{name}")).ends_with('Z'), "{mine}");
    }
    // No list tells a cookie.
    let whole = json!(list).to_string();
    for browser in [&here, &there] {
        assert!(!whole.contains(browser.cookie.as_deref().expect("a cookie")));
    }
    // One of somebody else's is none of one's own.
    let other = text(others[0], "/id");
    let foreign = text(&stranger.me().await, "/session_id");
    for id in [foreign.as_str(), "US00000000000000000000000000", "x"] {
        here.delete(&format!("/sessions/{id}"))
            .await
            .refused(404, "not_found");
    }
    let by_stranger = stranger.delete(&format!("/sessions/{other}")).await;
    by_stranger.refused(404, "not_found");
    assert_eq!((stranger.alive().await, there.alive().await), (200, 200));
    here.delete(&format!("/sessions/{other}")).await.expect(204);
    assert_eq!((here.alive().await, there.alive().await), (200, 401));
    here.delete(&format!("/sessions/{other}"))
        .await
        .refused(404, "not_found");
    assert_eq!(sessions(&mut here).await.len(), 1);
    let rows = audit_rows(&mut here, "?kind=user.session_ended").await;
    assert_eq!(rows[0]["detail"]["session"], other.as_str());
    // One's own, too.
    let own = text(mine, "/id");
    here.delete(&format!("/sessions/{own}")).await.expect(204);
    assert_eq!(here.alive().await, 401);
}

async fn ending_the_others_keeps_this_one(bed: &mut Bed) {
    let mut here = Browser::of(bed, OWNER).await;
    let mut others = Vec::new();
    for _ in 0..3 {
        let mut other = Browser::new(bed);
        let jwt = jwt(&mut other, OWNER).await;
        others.push((other, jwt));
    }
    let stranger = Browser::of(bed, OWNER_TOO).await;
    here.post("/sessions/end-others", json!({}))
        .await
        .expect(204);
    assert_eq!((here.alive().await, stranger.alive().await), (200, 200));
    for (other, jwt) in &others {
        assert_eq!(other.alive().await, 401);
        assert_eq!(bed.by_jwt(jwt).await, 401);
    }
    // What the account's own credentials opened goes on.
    assert_eq!(bed.by_jwt(&bed.a.jwt).await, 200);
}

/// P-07.
async fn idle_is_twelve_hours_and_a_month_is_the_end(bed: &mut Bed) {
    const HOUR: i64 = 3600;
    let mut used = Browser::of(bed, OWNER).await;
    let idle = Browser::of(bed, OWNER).await;
    bed.clock.jump_secs(12 * HOUR - 60);
    assert_eq!(used.alive().await, 200);
    bed.clock.jump_secs(120);
    assert_eq!(idle.alive().await, 401, "nobody used it for half a day");
    assert_eq!(used.alive().await, 200);
    assert_eq!(sessions(&mut used).await.len(), 1);
    // However busy: 30 days from its beginning.
    let mut passed = 12 * HOUR + 60;
    while passed + 11 * HOUR < 720 * HOUR {
        bed.clock.jump_secs(11 * HOUR);
        passed += 11 * HOUR;
        assert_eq!(used.alive().await, 200, "after {passed} s");
    }
    bed.clock.jump_secs(720 * HOUR - passed - 60);
    assert_eq!(used.alive().await, 200);
    bed.clock.jump_secs(60);
    assert_eq!(used.alive().await, 401);
    assert_eq!(idle.alive().await, 401);
}

/// A session lives by its notes: another process, or this one after a start, knows no more.
async fn a_use_that_could_not_be_noted_is_noted_by_the_next(bed: &mut Bed) {
    let browser = Browser::of(bed, OWNER).await;
    let noted = async || {
        let cookie = browser.cookie.as_deref().expect("a cookie");
        let lookup = Sha256::digest(cookie.as_bytes()).into();
        let mut conn = bed.read().await;
        let found = conn.people().user_session_by_lookup(&lookup).await;
        found.expect("an answer").expect("a session").seen_at
    };
    assert_eq!(browser.alive().await, 200);
    let first = noted().await;
    let (gone, back) = (
        "ALTER TABLE user_session RENAME TO user_session_gone",
        "ALTER TABLE user_session_gone RENAME TO user_session",
    );
    bed.raw(gone, gone).await;
    bed.clock.jump_secs(6 * 60);
    assert_eq!(browser.alive().await, 200, "known from memory");
    bed.raw(back, back).await;
    assert_eq!(noted().await, first);
    bed.clock.jump_secs(60);
    assert_eq!(browser.alive().await, 200);
    assert_eq!(noted().await.since(first) / 60_000, 7, "minutes");
}

async fn signing_out_clears_the_cookie(bed: &mut Bed) {
    let mut browser = Browser::new(bed);
    let jwt = jwt(&mut browser, OWNER).await;
    let old = browser.cookie.clone();
    let answer = browser.call("POST", "/logout").json(json!({}));
    let answer = browser.send(answer).await.expect(204);
    assert_eq!(
        answer.header("set-cookie"),
        "__Host-recado=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"
    );
    assert!(browser.cookie.is_none());
    let kept = browser.with_cookie(old.as_deref());
    assert_eq!(kept.alive().await, 401);
    assert_eq!(bed.by_jwt(&jwt).await, 401);
    // Again, with what no longer holds, and with nothing: fine.
    for cookie in [old.as_deref(), Some("nonsense"), None] {
        let mut again = browser.with_cookie(cookie);
        again.log_out().await;
    }
}

/// A cookie that somebody saw before is worth nothing after: log-in, password, second factor, account.
async fn each_change_of_rights_brings_a_new_cookie(bed: &mut Bed) {
    let id = bed.user(OWNER).await.id;
    bed.join(&bed.b, &id, Role::Viewer).await;
    let mut browser = Browser::proven(bed, OWNER).await;
    let session = text(&browser.me().await, "/session_id");
    let mut old = vec![browser.cookie.clone()];
    let renewed = |browser: &Browser<'_>, old: &mut Vec<Option<String>>, what: &str| {
        assert!(browser.cookie.is_some(), "{what}");
        assert!(!old.contains(&browser.cookie), "{what} keeps the cookie");
        old.push(browser.cookie.clone());
    };
    let switch = json!({"account": bed.b.id});
    browser.post("/account/switch", switch).await.expect(200);
    renewed(&browser, &mut old, "another account");
    let switch = json!({"account": bed.a.id});
    browser.post("/account/switch", switch).await.expect(200);
    renewed(&browser, &mut old, "another account");
    super::second_factor::enrol(&mut browser).await;
    renewed(&browser, &mut old, "the second factor");
    browser.delete("/second-factor").await.expect(204);
    renewed(&browser, &mut old, "no second factor");
    let password = json!({"password": NEW_PASSWORD});
    browser.post("/password", password).await.expect(204);
    renewed(&browser, &mut old, "the password");
    // It is the same session all along.
    assert_eq!(text(&browser.me().await, "/session_id"), session);
    browser.log_in(OWNER, NEW_PASSWORD).await.expect(200);
    renewed(&browser, &mut old, "signing in");
    assert_ne!(text(&browser.me().await, "/session_id"), session);
    let newest = old.pop().expect("cookies");
    for cookie in &old {
        assert_eq!(browser.with_cookie(cookie.as_deref()).alive().await, 401);
    }
    assert_eq!(browser.with_cookie(newest.as_deref()).alive().await, 200);
}

async fn a_jwt_dies_with_its_session(bed: &mut Bed) {
    let mut admin = Browser::proven(bed, OWNER).await;
    let user = bed.member(&bed.a, "dev@example.com", Role::Developer).await;
    let mut dev = Browser::new(bed);
    let by_login = jwt(&mut dev, "dev@example.com").await;
    dev.confirm().await;
    let by_token = text(&dev.post("/token", json!({})).await.ok(), "/access_token");
    for jwt in [&by_login, &by_token] {
        assert_eq!(bed.by_jwt(jwt).await, 200);
    }
    // Another session's end is not theirs.
    let mut other = Browser::new(bed);
    let others = jwt(&mut other, "dev@example.com").await;
    other.log_out().await;
    assert_eq!(bed.by_jwt(&others).await, 401);
    assert_eq!(bed.by_jwt(&by_login).await, 200);
    // The role is read each time: it is no part of the token that counts.
    let role = json!({"role": "viewer"});
    let path = format!("/members/{user}");
    admin.patch(&path, role).await.expect(204);
    for jwt in [&by_login, &by_token] {
        assert_eq!(bed.by_jwt(jwt).await, 401);
    }
    assert_eq!(dev.alive().await, 401);
    let again = jwt(&mut dev, "dev@example.com").await;
    let made = bed.call("PUT", "/instances/create").bearer(&again);
    let made = made.json(json!({"name": "No"})).send().await;
    made.refused(403, "role_too_low");
    admin.delete(&path).await.expect(204);
    assert_eq!((bed.by_jwt(&again).await, dev.alive().await), (401, 401));
    let refused = dev.log_in("dev@example.com", PASSWORD).await;
    refused.refused(403, "forbidden");
}

async fn a_jwt_lives_an_hour(bed: &mut Bed) {
    let mut browser = Browser::new(bed);
    let jwt = jwt(&mut browser, OWNER).await;
    bed.clock.jump_secs(3600 - 60);
    assert_eq!(bed.by_jwt(&jwt).await, 200);
    bed.clock.jump_secs(61);
    assert_eq!(bed.by_jwt(&jwt).await, 401);
    assert_eq!(browser.alive().await, 200, "the cookie lives on");
}

async fn signing_the_account_out_ends_all(bed: &mut Bed) {
    bed.member(&bed.a, "admin@example.com", Role::Admin).await;
    bed.member(&bed.a, "viewer@example.com", Role::Viewer).await;
    let mut gone = Vec::new();
    for email in [OWNER, "viewer@example.com", "admin@example.com"] {
        let mut browser = Browser::new(bed);
        let jwt = jwt(&mut browser, email).await;
        gone.push((browser, jwt));
    }
    let mut stranger = Browser::new(bed);
    let strangers = jwt(&mut stranger, OWNER_TOO).await;
    let (admin, _) = gone.last_mut().expect("the admin");
    let unproven = admin.post("/account/sign-out", json!({})).await;
    unproven.refused(403, "proof_required");
    admin.confirm().await;
    let answer = admin.post("/account/sign-out", json!({})).await.expect(204);
    assert!(answer.header("set-cookie").starts_with("__Host-recado=; "));
    for (browser, jwt) in &gone {
        assert_eq!(browser.alive().await, 401);
        assert_eq!(bed.by_jwt(jwt).await, 401);
    }
    assert_eq!(bed.by_jwt(&bed.a.jwt).await, 401, "the client's JWT, too");
    assert_eq!(
        (stranger.alive().await, bed.by_jwt(&strangers).await),
        (200, 200)
    );
    // People and programs come back with what they hold.
    let mut owner = Browser::of(bed, OWNER).await;
    assert_eq!(bed.by_jwt(&bed.token_of(&bed.a).await).await, 200);
    let rows = audit_rows(&mut owner, "?kind=credential.signed_out").await;
    assert_eq!(rows[0]["detail"]["by"]["proof"], "user_session", "{rows:?}");
}

async fn switching_leaves_the_old_account_behind(bed: &mut Bed) {
    let id = bed.user(OWNER).await.id;
    bed.join(&bed.b, &id, Role::Viewer).await;
    let mut browser = Browser::new(bed);
    let before = jwt(&mut browser, OWNER).await;
    let me = browser
        .post("/account/switch", json!({"account": bed.b.id}))
        .await
        .ok();
    assert_eq!(
        (text(&me, "/account/id"), text(&me, "/account/role")),
        (bed.b.id.to_string(), "viewer".to_owned())
    );
    assert_eq!(browser.me().await, me);
    assert_eq!(bed.by_jwt(&before).await, 401);
    // An owner there is a viewer here.
    browser.get("/audit").await.refused(403, "role_too_low");
    for account in ["AC00000000000000000000000000", "", "x"] {
        let cookie = browser.cookie.clone();
        let refused = browser
            .post("/account/switch", json!({"account": account}))
            .await;
        refused.refused(403, "forbidden");
        assert_eq!((browser.alive().await, &browser.cookie), (200, &cookie));
    }
    let mut stranger = Browser::of(bed, OWNER_TOO).await;
    let foreign = stranger
        .post("/account/switch", json!({"account": bed.a.id}))
        .await;
    foreign.refused(403, "forbidden");
}
