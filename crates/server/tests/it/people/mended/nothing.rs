//! A change that changes nothing is nobody's business, and nobody changes things without end.

use recado_model::{Language, Role};
use recado_store::NewUserSession;
use serde_json::json;

use crate::{
    gateway::Bed,
    people::{Browser, NEW_PASSWORD, OWNER, OWNER_TOO, audit_rows, text},
};

on_both! {
    with = crate::people::PROXY;
    what_is_so_already_leaves_no_trace,
    letters_are_in_the_language_of_now,
    the_session_that_is_one_too_many_ends_at_once,
}

async fn epoch(bed: &Bed) -> i64 {
    bed.read().await.system().epoch().await.expect("the epoch")
}

async fn what_is_so_already_leaves_no_trace(bed: &mut Bed) {
    let member = bed.member(&bed.a, "ana@example.com", Role::Viewer).await;
    let mut owner = Browser::proven(bed, OWNER).await;
    let me = owner.me().await;
    let account = me["account"].clone();
    let language = json!({"language": me["user"]["language"]});
    let same = json!({"name": account["name"], "language": account["language"]});
    let before = audit_rows(&mut owner, "?limit=100").await;
    let (epoch_before, cookie) = (epoch(bed).await, owner.cookie.clone());

    owner
        .post("/sessions/end-others", json!({}))
        .await
        .expect(204);
    owner.patch("/me", language).await.expect(200);
    owner.patch("/me", json!({})).await.expect(200);
    owner.patch("/account", same).await.expect(200);
    owner
        .patch("/account", json!({"name": " Shop A "}))
        .await
        .expect(200);
    owner.patch("/account", json!({})).await.expect(200);
    let path = format!("/members/{member}");
    owner
        .patch(&path, json!({"role": "viewer"}))
        .await
        .expect(204);
    let switch = json!({"account": account["id"]});
    let answer = owner.post("/account/switch", switch).await.ok();
    assert_eq!(answer["account"], account);

    assert_eq!(owner.cookie, cookie, "the session is as it was");
    assert_eq!(
        epoch(bed).await,
        epoch_before,
        "every process emptied its caches"
    );
    let after = audit_rows(&mut owner, "?limit=100").await;
    assert_eq!(after, before);

    // What does change is told.
    let _other = Browser::of(bed, OWNER).await;
    owner
        .post("/sessions/end-others", json!({}))
        .await
        .expect(204);
    let half = json!({"name": "Shop A", "language": "es"});
    owner.patch("/account", half).await.expect(200);
    let rows = audit_rows(&mut owner, "?limit=2").await;
    assert_eq!(rows[0]["kind"], "account.changed");
    assert_eq!(rows[0]["detail"]["language"], "es");
    assert!(rows[0]["detail"].get("name").is_none(), "{rows:?}");
    assert_eq!(rows[1]["kind"], "user.session_ended");
    assert!(epoch(bed).await > epoch_before);
}

/// Choosing one empties no cache, and counts at once all the same.
async fn letters_are_in_the_language_of_now(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::proven(bed, OWNER).await;
    let before = epoch(bed).await;
    owner
        .patch("/me", json!({"language": "pt-BR"}))
        .await
        .expect(200);
    assert_eq!(epoch(bed).await, before);
    assert_eq!(bed.user(OWNER).await.language, Language::Portuguese);
    let invite = json!({"email": "new@example.com", "role": "viewer"});
    owner.post("/members/invite", invite).await.expect(200);
    inbox.next("new@example.com", "Convite").await;
    let password = json!({"password": NEW_PASSWORD});
    owner.post("/password", password).await.expect(204);
    inbox.next(OWNER, "Seu acesso").await;
}

async fn the_session_that_is_one_too_many_ends_at_once(bed: &mut Bed) {
    let first = Browser::of(bed, OWNER).await;
    assert_eq!(first.alive().await, 200);
    let user = bed.user(OWNER).await;
    let mut conn = bed.write().await;
    for n in 1..recado_store::SESSIONS_PER_USER {
        let mut lookup = [0; 32];
        lookup[..8].copy_from_slice(&n.to_be_bytes());
        let new = NewUserSession {
            id: recado_model::UserSessionId::random(&recado_model::clock::OsRng),
            user: user.id.clone(),
            user_generation: user.generation,
            account: bed.a.id.clone(),
            lookup,
            address: None,
            agent: None,
        };
        let now = recado_model::Clock::now(&*bed.clock).plus_millis(n);
        let opened = conn.people().open_user_session(&new, now).await;
        assert_eq!(opened.expect("opens"), Some(0));
    }
    conn.commit().await.expect("commit");
    assert_eq!(first.alive().await, 200, "so many fit");
    bed.clock.jump_secs(1);
    assert_eq!(first.alive().await, 200);
    let _last = Browser::of(bed, OWNER).await;
    assert_eq!(first.alive().await, 401);
}

mod without_end {
    use super::*;

    on_both! {
        with = "trusted_proxies = [\"127.0.0.1\"]\nlimits.failed_proofs_per_network = 50\n";
        so_many_changes_a_minute,
    }

    async fn so_many_changes_a_minute(bed: &mut Bed) {
        let mut owner = Browser::of(bed, OWNER).await;
        let mut colleague = Browser::of(bed, OWNER_TOO).await;
        let mut done = 0;
        let refused = loop {
            let language = json!({"language": if done % 2 == 0 { "es" } else { "en" }});
            let answer = owner.patch("/me", language).await;
            if answer.status != 200 {
                break answer;
            }
            done += 1;
            assert!(done < 100, "without end");
        };
        assert_eq!(done, 60);
        let wait: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&wait), "{wait}");
        refused.refused(429, "rate_limited");
        // Each of them counts; reading, and other people, do not.
        for (method, below, body) in [
            ("PATCH", "/account", json!({"name": "Other"})),
            ("POST", "/sessions/end-others", json!({})),
            ("POST", "/account/switch", json!({"account": "AC1"})),
        ] {
            let call = owner.call(method, &format!("/dashboard/api{below}"));
            let answer = owner.send(call.json(body)).await;
            answer.refused(429, "rate_limited");
        }
        let me = owner.me().await;
        assert_eq!(text(&me, "/account/name"), "Shop A");
        let other = json!({"language": "es"});
        colleague.patch("/me", other.clone()).await.expect(200);
        bed.clock.jump_secs(15 * 60);
        owner.patch("/me", other).await.expect(200);
    }
}
