//! Changes while they are being used: after the answer to the change nothing is let pass any more.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use recado_model::Role;
use serde_json::json;

use super::people::{OWNER_A, PASSWORD, SignedIn, cookie_of, hire, log_in, sign_in};
use crate::gateway::{Bed, Call};

/// All who sign in at once are hashed at once, or on a busy machine some are sent away for that.
const ALL_AT_ONCE: &str = "users.password_threads = 4\n";

on_both! {
    with = super::ALL_AT_ONCE;
    nothing_passes_after_the_answer,
    signing_in_while_a_role_changes,
    one_new_password_at_a_time,
}

/// Uses cookie and JWT over and over, makes the change in the middle of it, and looks at whatever was
/// asked after the change was answered.
async fn race(bed: &Bed, name: &str, who: &SignedIn, change: Call) {
    let (changed, passed) = (AtomicBool::new(false), AtomicUsize::new(0));
    let using = async |by_cookie: bool| {
        let mut refused = 0;
        while refused < 10 {
            let after = changed.load(Ordering::SeqCst);
            let call = match by_cookie {
                true => who.ask(bed, "GET", "/dashboard/api/credentials"),
                false => bed.get("/account/credentials").bearer(&who.jwt),
            };
            let answer = call.send().await;
            match answer.status {
                200 if !after => {
                    passed.fetch_add(1, Ordering::SeqCst);
                }
                401 if after => refused += 1,
                // While it happens either is right.
                401 => {}
                _ => panic!("{name}, after: {after}: {answer:?}"),
            }
        }
    };
    let changing = async {
        while passed.load(Ordering::SeqCst) < 40 {
            tokio::task::yield_now().await;
        }
        change.send().await.expect(204);
        changed.store(true, Ordering::SeqCst);
    };
    tokio::join!(
        using(true),
        using(false),
        using(true),
        using(false),
        changing
    );
}

async fn nothing_passes_after_the_answer(bed: &mut Bed) {
    for round in 0..3 {
        let owner = sign_in(bed, OWNER_A).await.confirmed(bed).await;
        let role = |role: &str| json!({"role": role});
        for what in [
            "lowered", "raised", "removed", "out", "others", "password", "all",
        ] {
            let email = format!("{what}{round}@a.example");
            let user = hire(bed, &bed.a.id, &email, Role::Admin).await;
            let who = sign_in(bed, &email).await.confirmed(bed).await;
            let other = sign_in(bed, &email).await;
            let member = format!("/dashboard/api/members/{user}");
            let change = match what {
                "lowered" => owner.ask(bed, "PATCH", &member).json(role("viewer")),
                "raised" => owner.ask(bed, "PATCH", &member).json(role("owner")),
                "removed" => owner.ask(bed, "DELETE", &member),
                "out" => who.ask(bed, "POST", "/logout"),
                "others" => other
                    .ask(bed, "POST", "/dashboard/api/sessions/end-others")
                    .json(json!({})),
                "password" => who
                    .ask(bed, "POST", "/dashboard/api/password")
                    .json(json!({"password": "another horse, another battery"})),
                _ => owner
                    .ask(bed, "POST", "/dashboard/api/account/sign-out")
                    .json(json!({})),
            };
            race(bed, what, &who, change).await;
        }
    }
}

/// Whoever signs in meanwhile has the new role, or is refused.
async fn signing_in_while_a_role_changes(bed: &mut Bed) {
    let owner = sign_in(bed, OWNER_A).await.confirmed(bed).await;
    let mut signed_in = 0;
    for round in 0..5 {
        let email = format!("admin{round}@a.example");
        let user = hire(bed, &bed.a.id, &email, Role::Admin).await;
        let body = json!({"email": email, "password": PASSWORD});
        let log_in = || log_in(bed, body.clone());
        let lower = async {
            let member = format!("/dashboard/api/members/{user}");
            // Somewhere in the time that hashing takes.
            tokio::time::sleep(std::time::Duration::from_millis(round * 15)).await;
            let call = owner.ask(bed, "PATCH", &member);
            call.json(json!({"role": "viewer"}))
                .send()
                .await
                .expect(204);
        };
        let (one, two, three, four, ()) =
            tokio::join!(log_in(), log_in(), log_in(), log_in(), lower);
        for answer in [one, two, three, four] {
            let Some(cookie) = cookie_of(&answer) else {
                // In that very moment: try again.
                answer.refused(409, "conflict");
                continue;
            };
            let jwt = answer.ok()["access_token"]
                .as_str()
                .expect("a JWT")
                .to_owned();
            let who = SignedIn::new(bed, cookie, jwt).await;
            let me = who.me(bed).await;
            let by_jwt = bed
                .get("/account/credentials")
                .bearer(&who.jwt)
                .send()
                .await;
            match me.status {
                200 => {
                    assert_eq!(me.json()["account"]["role"], "viewer");
                    by_jwt.refused(403, "role_too_low");
                    signed_in += 1;
                }
                _ => {
                    me.refused(401, "unauthorized");
                    by_jwt.refused(401, "unauthorized");
                }
            }
        }
        sign_in(bed, &email).await.me(bed).await.expect(200);
    }
    assert!(signed_in <= 20);
}

/// Two browsers of one person at once: the session of the one that came first goes on, the other's
/// ended by it.
async fn one_new_password_at_a_time(bed: &mut Bed) {
    for round in 0..3 {
        let email = format!("both{round}@a.example");
        hire(bed, &bed.a.id, &email, Role::Owner).await;
        let one = sign_in(bed, &email).await.confirmed(bed).await;
        let two = sign_in(bed, &email).await.confirmed(bed).await;
        let set = |who: &SignedIn, text: &str| {
            let call = who.ask(bed, "POST", "/dashboard/api/password");
            call.json(json!({"password": text})).send()
        };
        let (first, second) = ("the first new battery", "the second new battery");
        let answers = tokio::join!(set(&one, first), set(&two, second));
        let mut statuses = [answers.0.status, answers.1.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 401], "{answers:?}");
        let (winner, loser, right, wrong) = match answers.0.status {
            204 => (answers.0, two, first, second),
            _ => (answers.1, one, second, first),
        };
        let cookie = cookie_of(&winner).expect("a new cookie");
        let jwt = String::new();
        let who = SignedIn::new(bed, cookie, jwt).await;
        who.me(bed).await.expect(200);
        loser.me(bed).await.refused(401, "unauthorized");
        let body = |password: &str| json!({"email": email, "password": password});
        log_in(bed, body(right)).await.expect(200);
        log_in(bed, body(wrong)).await.refused(401, "login_failed");
    }
}
