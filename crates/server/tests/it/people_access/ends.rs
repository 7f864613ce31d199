//! What ends a session: the very next request with its cookie or its JWT is 401.

use std::sync::Arc;

use recado_identity::users::operator::Operator;
use recado_model::{Clock, Role, UserId};
use serde_json::json;

use super::{
    deck::HOUR,
    people::{OWNER_A, OWNER_B, SignedIn, cookie_of, hire, join, own_origin, sign_in},
};
use crate::{
    access::COOKIE,
    gateway::{Bed, rng, until},
};

on_both! {
    what_ends_a_session_ends_its_jwt,
    signing_out_everybody_ends_one_account_only,
    another_process_ends_it_too,
    whoever_moved_on_left_the_token_behind,
    a_session_ends_by_time,
    a_proof_ends_by_time,
    a_jwt_ends_before_its_session,
}

#[derive(Clone, Copy, Debug)]
enum End {
    SigningOut,
    FromElsewhere,
    EndingOthers,
    Raising,
    Lowering,
    Removing,
    Leaving,
    NewPassword,
}

impl End {
    const ALL: [Self; 8] = [
        Self::SigningOut,
        Self::FromElsewhere,
        Self::EndingOthers,
        Self::Raising,
        Self::Lowering,
        Self::Removing,
        Self::Leaving,
        Self::NewPassword,
    ];

    /// As `who`, or the owner, or `who` in another browser.
    async fn happen(
        self,
        bed: &Bed,
        owner: &SignedIn,
        user: &UserId,
        who: &SignedIn,
        other: &SignedIn,
    ) {
        let member = format!("/dashboard/api/members/{user}");
        let role = |role: &str| json!({"role": role});
        let call = match self {
            Self::SigningOut => who.ask(bed, "POST", "/logout"),
            Self::FromElsewhere => {
                let id = who.me(bed).await.ok()["session_id"].clone();
                let id = id.as_str().expect("an id");
                other.ask(bed, "DELETE", &format!("/dashboard/api/sessions/{id}"))
            }
            Self::EndingOthers => {
                let call = other.ask(bed, "POST", "/dashboard/api/sessions/end-others");
                call.json(json!({}))
            }
            Self::Raising => owner.ask(bed, "PATCH", &member).json(role("admin")),
            Self::Lowering => owner.ask(bed, "PATCH", &member).json(role("viewer")),
            Self::Removing => owner.ask(bed, "DELETE", &member),
            Self::Leaving => who.ask(bed, "DELETE", &member),
            Self::NewPassword => {
                let call = who.ask(bed, "POST", "/dashboard/api/password");
                call.json(json!({"password": "another horse, another battery"}))
            }
        };
        call.send().await.expect(204);
    }

    /// Whether the other browser of the same person stays signed in.
    fn spares_the_other(self) -> bool {
        matches!(
            self,
            Self::SigningOut | Self::FromElsewhere | Self::EndingOthers
        )
    }
}

async fn what_ends_a_session_ends_its_jwt(bed: &mut Bed) {
    let owner = sign_in(bed, OWNER_A).await.confirmed(bed).await;
    let made = bed.create(&bed.a, json!({"name": "Used"})).await;
    for end in End::ALL {
        let email = format!("{end:?}@a.example").to_lowercase();
        let user = hire(bed, &bed.a.id, &email, Role::Developer).await;
        let who = sign_in(bed, &email).await.confirmed(bed).await;
        let other = sign_in(bed, &email).await;
        // In use, so that everything about it is remembered.
        for _ in 0..2 {
            who.me(bed).await.expect(200);
            who.account(bed).await.expect(200);
            other.account(bed).await.expect(200);
        }
        end.happen(bed, &owner, &user, &who, &other).await;
        who.account(bed).await.refused(401, "unauthorized");
        who.me(bed).await.refused(401, "unauthorized");
        let path = made.path("/session/status");
        let answer = bed.get(&path).bearer(&who.jwt).send().await;
        answer.refused(401, "unauthorized");
        let due = if end.spares_the_other() { 200 } else { 401 };
        let (by_cookie, by_jwt) = (other.me(bed).await, other.account(bed).await);
        assert_eq!((by_cookie.status, by_jwt.status), (due, due), "{end:?}");
        // Whom it does not concern goes on.
        owner.me(bed).await.expect(200);
        owner.account(bed).await.expect(200);
    }
    // The role counts that they have now.
    let lowered = sign_in(bed, "lowering@a.example").await;
    let call = bed
        .post(&made.path("/session/disconnect"))
        .bearer(&lowered.jwt);
    call.json(json!({}))
        .send()
        .await
        .refused(403, "role_too_low");
}

async fn signing_out_everybody_ends_one_account_only(bed: &mut Bed) {
    let viewer = hire(bed, &bed.a.id, "viewer@a.example", Role::Viewer).await;
    let owner = sign_in(bed, OWNER_A).await.confirmed(bed).await;
    let of_b = sign_in(bed, OWNER_B).await;
    let here = sign_in(bed, "viewer@a.example").await;
    join(bed, &bed.b.id, &viewer, Role::Viewer).await;
    // The same person, acting in the other account.
    let email = "viewer@a.example";
    let there = sign_in(bed, email).await;
    let me = there.me(bed).await.ok();
    let there = match me["account"]["id"] == bed.b.id.as_str() {
        true => there,
        false => switched(bed, &there, bed.b.id.as_str()).await,
    };
    for who in [&owner, &of_b, &here, &there] {
        who.me(bed).await.expect(200);
        who.account(bed).await;
    }
    let call = owner.ask(bed, "POST", "/dashboard/api/account/sign-out");
    let answer = call.json(json!({})).send().await.expect(204);
    assert!(
        answer
            .header("set-cookie")
            .starts_with(&format!("{COOKIE}=;"))
    );
    for who in [&owner, &here] {
        who.me(bed).await.refused(401, "unauthorized");
        who.account(bed).await.refused(401, "unauthorized");
    }
    // The account's own JWTs, too; nothing of another account.
    bed.get("/account")
        .bearer(&bed.a.jwt)
        .send()
        .await
        .refused(401, "unauthorized");
    bed.get("/account")
        .bearer(&bed.b.jwt)
        .send()
        .await
        .expect(200);
    of_b.me(bed).await.expect(200);
    of_b.account(bed).await.expect(200);
    there.me(bed).await.expect(200);
    sign_in(bed, OWNER_A).await.account(bed).await.expect(200);
}

/// The new cookie, and a JWT of the account where it acts now.
async fn switched(bed: &Bed, who: &SignedIn, account: &str) -> SignedIn {
    let call = who.ask(bed, "POST", "/dashboard/api/account/switch");
    let answer = call
        .json(json!({"account": account}))
        .send()
        .await
        .expect(200);
    let cookie = cookie_of(&answer).expect("a new cookie");
    assert_ne!(cookie, who.cookie);
    let jwt = String::new();
    let moved = SignedIn::new(bed, cookie, jwt).await.confirmed(bed).await;
    let call = moved
        .ask(bed, "POST", "/dashboard/api/token")
        .json(json!({}));
    let token = call.send().await.ok();
    let jwt = token["access_token"].as_str().expect("a JWT").to_owned();
    SignedIn { jwt, ..moved }
}

async fn another_process_ends_it_too(bed: &mut Bed) {
    let who = sign_in(bed, OWNER_A).await;
    who.account(bed).await.expect(200);
    let (clock, rng) = (bed.clock.clone() as Arc<dyn Clock>, rng());
    let operator = Operator {
        store: &bed.gateway().store,
        clock: &clock,
        rng: &rng,
        public_url: &own_origin(bed),
    };
    operator.sign_out(OWNER_A).await.expect("done");
    until("both to be refused", async || {
        let both = [who.account(bed).await.status, who.me(bed).await.status];
        (both == [401, 401]).then_some(())
    })
    .await;
}

async fn whoever_moved_on_left_the_token_behind(bed: &mut Bed) {
    let user = hire(bed, &bed.a.id, "both@a.example", Role::Admin).await;
    let who = sign_in(bed, "both@a.example").await;
    join(bed, &bed.b.id, &user, Role::Viewer).await;
    who.account(bed).await.expect(200);
    let there = switched(bed, &who, bed.b.id.as_str()).await;
    who.account(bed).await.refused(401, "unauthorized");
    who.me(bed).await.refused(401, "unauthorized");
    // Another role there, and only there.
    there.account(bed).await.expect(200);
    let credentials = async |who: &SignedIn| {
        let call = bed.get("/account/credentials").bearer(&who.jwt);
        call.send().await
    };
    credentials(&there).await.refused(403, "role_too_low");
    let mine = bed.create(&bed.a, json!({"name": "Mine"})).await;
    let call = there.ask(bed, "GET", &format!("/dashboard/api/instances/{}", mine.id));
    call.send().await.refused(403, "forbidden");
    let back = switched(bed, &there, bed.a.id.as_str()).await;
    there.account(bed).await.refused(401, "unauthorized");
    // Back where they held, the old ones stay dead.
    for old in [&who, &there] {
        old.me(bed).await.refused(401, "unauthorized");
        old.account(bed).await.refused(401, "unauthorized");
    }
    credentials(&back).await.expect(200);
}

async fn a_session_ends_by_time(bed: &mut Bed) {
    let who = sign_in(bed, OWNER_A).await;
    let unused = sign_in(bed, OWNER_A).await;
    for _ in 0..2 {
        bed.clock.jump_secs(12 * HOUR - 60);
        who.me(bed).await.expect(200);
    }
    unused.me(bed).await.refused(401, "unauthorized");
    bed.clock.jump_secs(12 * HOUR);
    who.me(bed).await.refused(401, "unauthorized");
    // A month, however busy one was.
    let who = sign_in(bed, OWNER_A).await;
    let month = 30 * 24 * HOUR;
    let steps = month / (11 * HOUR);
    for _ in 0..steps {
        bed.clock.jump_secs(11 * HOUR);
        who.me(bed).await.expect(200);
    }
    bed.clock.jump_secs(month - steps * 11 * HOUR - 60);
    who.me(bed).await.expect(200);
    bed.clock.jump_secs(60);
    who.me(bed).await.refused(401, "unauthorized");
}

async fn a_proof_ends_by_time(bed: &mut Bed) {
    let who = sign_in(bed, OWNER_A).await;
    let token = async || {
        let call = who.ask(bed, "POST", "/dashboard/api/token");
        call.json(json!({})).send().await
    };
    token().await.refused(403, "proof_required");
    let who_now = who.clone().confirmed(bed).await;
    token().await.expect(200);
    // In that session alone.
    let other = sign_in(bed, OWNER_A).await;
    let call = other.ask(bed, "POST", "/dashboard/api/token");
    call.json(json!({}))
        .send()
        .await
        .refused(403, "proof_required");
    bed.clock.jump_secs(540);
    token().await.expect(200);
    bed.clock.jump_secs(60);
    token().await.refused(403, "proof_required");
    // A clock that is set back proves nothing.
    let who_now = who_now.confirmed(bed).await;
    token().await.expect(200);
    bed.clock.jump_secs(-120);
    token().await.refused(403, "proof_required");
    who_now.me(bed).await.expect(200);
}

async fn a_jwt_ends_before_its_session(bed: &mut Bed) {
    let who = sign_in(bed, OWNER_A).await;
    who.account(bed).await.expect(200);
    bed.clock.jump_secs(HOUR + 1);
    who.account(bed).await.refused(401, "unauthorized");
    who.me(bed).await.expect(200);
    let who = who.confirmed(bed).await;
    let call = who.ask(bed, "POST", "/dashboard/api/token").json(json!({}));
    let token = call.send().await.ok();
    let jwt = token["access_token"].as_str().expect("a JWT");
    bed.get("/account").bearer(jwt).send().await.expect(200);
}
