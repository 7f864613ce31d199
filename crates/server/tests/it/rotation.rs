//! Rotation with and without grace, revocation, "sign out everywhere": what has ended is refused by
//! the very next request, whoever is using it at the time.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::{
    gateway::text,
    gateway::{Bed, Made},
    story::inner,
};

on_both! {
    with_grace_both_hold_and_then_one,
    without_grace_the_old_one_is_dead_on_the_next_request,
    a_line_has_ten_in_grace_at_most,
    signing_out_ends_every_jwt,
    revoked_under_load_means_revoked,
    only_one_of_two_rotations_at_once,
    regenerating_by_tool_shows_no_token,
}

/// One credential of each kind that rotates, and the ways to use it.
struct Line {
    made: Made,
    /// Its token stays.
    other: Made,
    session: Value,
}

const KINDS: [&str; 4] = ["client_token", "instance_token", "api_token", "session_key"];

impl Line {
    async fn new(bed: &Bed) -> Self {
        let made = bed.create(&bed.a, json!({"name": "Rotated"})).await;
        let other = bed.create(&bed.a, json!({"name": "Other"})).await;
        let session = bed.new_session().await;
        Self {
            made,
            other,
            session,
        }
    }

    async fn id(&self, bed: &Bed, kind: &str) -> String {
        let query = match kind {
            "instance_token" => format!("?kind={kind}&instance={}", self.made.id),
            _ => format!("?kind={kind}"),
        };
        text(&bed.list_credentials(&query).await[0], "id")
    }

    fn first(&self, bed: &Bed, kind: &str) -> String {
        match kind {
            "client_token" => bed.a.client_token.clone(),
            "instance_token" => self.made.token.clone(),
            "api_token" => bed.a.api_token.clone(),
            _ => text(&self.session, "apiKey"),
        }
    }

    /// The status that `token` gets. Pairs are made whole with a live credential.
    async fn by(&self, bed: &Bed, kind: &str, token: &str, client_token: &str) -> u16 {
        match kind {
            "client_token" => bed.by_pair(token, &self.other, &self.other.token).await,
            "instance_token" => bed.by_pair(client_token, &self.made, token).await,
            "api_token" => bed.by_api_token(token).await,
            _ => bed.by_session_key(&self.session, token).await,
        }
    }
}

fn token_in(answer: &Value, kind: &str) -> String {
    let name = match kind {
        "client_token" => "client_token",
        _ => "token",
    };
    text(answer, name)
}

/// K-03, for each kind: the new one works at once, the old one until the grace is over, then not.
async fn with_grace_both_hold_and_then_one(bed: &mut Bed) {
    let line = Line::new(bed).await;
    let spare = bed.issue(json!({"kind": "client", "label": "spare"})).await;
    let spare = text(&spare, "client_token");
    let mut lines = Vec::new();
    for kind in KINDS {
        let id = line.id(bed, kind).await;
        bed.change_credential(&id, json!({"label": format!("the {kind}")}))
            .await
            .ok();
        let new = bed
            .act(&id, "rotate", json!({"grace_seconds": 600}))
            .await
            .ok();
        assert_eq!(new["replaces"]["id"], id.as_str());
        assert!(new["replaces"]["grace_until"].is_string());
        assert_eq!(new["label"], format!("the {kind}"), "as its predecessor");
        assert!(new["note"].is_string());
        lines.push((kind, line.first(bed, kind), token_in(&new, kind), new, id));
    }
    // A client token brings its secret; a secret rotates alone, too.
    let pair = &lines[0].3;
    let fresh = bed.jwt_of(pair).await;
    let secret_id = text(pair, "client_secret_id");
    let second = bed
        .act(&secret_id, "rotate", json!({"grace_seconds": 300}))
        .await
        .ok();
    assert_eq!(second["parent_id"], pair["id"]);
    let second = text(&second, "client_secret");
    let ct = text(pair, "client_token");
    let by_second = text(&bed.token_by(&ct, &second).await.ok(), "access_token");
    let old_jwt = text(
        &bed.token_by(&bed.a.client_token, &bed.a.client_secret)
            .await
            .ok(),
        "access_token",
    );
    for (kind, old, new, ..) in &lines {
        assert_eq!(line.by(bed, kind, old, &spare).await, 200, "{kind}");
        assert_eq!(line.by(bed, kind, new, &spare).await, 200, "{kind}");
    }
    for jwt in [&fresh, &by_second, &old_jwt] {
        assert_eq!(bed.by_jwt(jwt).await, 200);
    }
    let shown = bed.list_credentials("?kind=api_token").await;
    assert_eq!(
        (&shown[0]["state"], &shown[1]["state"]),
        (&json!("grace"), &json!("live"))
    );
    // The instance shows its newest token.
    let seen = bed
        .get(&line.made.path(""))
        .bearer(&fresh)
        .send()
        .await
        .ok();
    assert_eq!(seen["token"], lines[1].2.as_str());

    bed.clock.jump_secs(301);
    // The first secret's grace is over; its token, the second secret and theirs are not.
    let over = bed.token_by(&ct, &text(pair, "client_secret")).await;
    assert_eq!(over.status, 401);
    assert_eq!(bed.by_jwt(&fresh).await, 401);
    assert_eq!(bed.by_jwt(&by_second).await, 200);
    assert_eq!(bed.by_jwt(&old_jwt).await, 200);

    bed.clock.jump_secs(300);
    for (kind, old, new, ..) in &lines {
        assert_eq!(line.by(bed, kind, old, &spare).await, 401, "{kind}");
        assert_eq!(line.by(bed, kind, new, &spare).await, 200, "{kind}");
    }
    // A JWT dies with what it came from, long before its own end.
    assert_eq!(bed.by_jwt(&old_jwt).await, 401);
    assert_eq!(bed.by_jwt(&by_second).await, 200);
    // What a grace has ended can be taken back by nobody.
    let id = &lines[2].4;
    let back = bed
        .call("PATCH", &format!("/account/credentials/{id}"))
        .bearer(&by_second)
        .json(json!({"expires_at": null}));
    back.send().await.refused(409, "conflict");
}

async fn without_grace_the_old_one_is_dead_on_the_next_request(bed: &mut Bed) {
    let line = Line::new(bed).await;
    let spare = bed.issue(json!({"kind": "client"})).await;
    let spare = text(&spare, "client_token");
    // The one that this very call came with goes last.
    for kind in ["instance_token", "api_token", "session_key", "client_token"] {
        let old = line.first(bed, kind);
        assert_eq!(line.by(bed, kind, &old, &spare).await, 200, "{kind}");
        let id = line.id(bed, kind).await;
        let new = bed.act(&id, "rotate", json!({})).await.ok();
        assert_eq!(new["replaces"]["grace_until"], Value::Null);
        assert_eq!(line.by(bed, kind, &old, &spare).await, 401, "{kind}");
        let new = token_in(&new, kind);
        assert_eq!(line.by(bed, kind, &new, &spare).await, 200, "{kind}");
    }
    assert_eq!(bed.by_jwt(&bed.a.jwt).await, 401, "it came from that pair");
    let again = bed
        .token_by(&bed.a.client_token, &bed.a.client_secret)
        .await;
    assert_eq!(again.status, 401);
}

async fn a_line_has_ten_in_grace_at_most(bed: &mut Bed) {
    let first = bed.first_of("api_token").await;
    let mut id = first.clone();
    for _ in 0..10 {
        let new = bed
            .act(&id, "rotate", json!({"grace_seconds": 86400}))
            .await
            .ok();
        id = text(&new, "id");
    }
    let refused = bed.act(&id, "rotate", json!({"grace_seconds": 1})).await;
    let refused = refused.refused(409, "conflict");
    assert!(
        text(&refused, "message").contains("Revoke one"),
        "{refused}"
    );
    // The first still holds; revoking it makes room, and it is not rotated twice.
    assert_eq!(bed.by_api_token(&bed.a.api_token).await, 200);
    bed.act(&first, "rotate", json!({}))
        .await
        .refused(409, "conflict");
    bed.revoke_credential(&first).await.expect(204);
    assert_eq!(bed.by_api_token(&bed.a.api_token).await, 401);
    bed.act(&id, "rotate", json!({"grace_seconds": 1}))
        .await
        .expect(200);
    for bad in [
        json!(-1),
        json!(2_592_001),
        json!("1h"),
        json!(1.5),
        json!(i64::MAX),
    ] {
        let refused = bed.act(&id, "rotate", json!({"grace_seconds": bad})).await;
        assert_eq!(
            refused.refused(400, "invalid_field")["field"],
            "grace_seconds"
        );
    }
}

async fn signing_out_ends_every_jwt(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Stays"})).await;
    let pair = bed.issue(json!({"kind": "client"})).await;
    let other = bed.jwt_of(&pair).await;
    let out = bed.account_call(&bed.a, "POST", "/sign-out").send().await;
    assert_eq!(out.ok(), json!({"status": "ok"}));
    for jwt in [&bed.a.jwt, &other] {
        assert_eq!(bed.by_jwt(jwt).await, 401);
    }
    assert_eq!(bed.by_jwt(&bed.b.jwt).await, 200, "the other shop stays");
    // Tokens are no JWTs, and whoever holds the pair comes in again.
    assert_eq!(
        bed.by_pair(&bed.a.client_token, &made, &made.token).await,
        200
    );
    assert_eq!(bed.by_api_token(&bed.a.api_token).await, 200);
    let again = bed.jwt_of(&pair).await;
    assert_eq!(bed.by_jwt(&again).await, 200);
}

/// what is asked after the answer to a revocation is refused, whatever is under way meanwhile.
async fn revoked_under_load_means_revoked(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Busy"})).await;
    let token = bed.issue(json!({"kind": "api_token"})).await;
    let pair = bed.issue(json!({"kind": "client"})).await;
    let jwt = bed.jwt_of(&pair).await;
    let (wz, ct) = (text(&token, "token"), text(&pair, "client_token"));
    for (id, verb) in [
        (text(&token, "id"), "rotate"),
        (text(&pair, "id"), "revoke"),
    ] {
        let ended = AtomicBool::new(false);
        let before = AtomicUsize::new(0);
        let use_it = async || {
            for turn in 0.. {
                let after = ended.load(Ordering::SeqCst);
                let status = match (verb, turn % 2) {
                    ("rotate", _) => bed.by_api_token(&wz).await,
                    (_, 0) => bed.by_jwt(&jwt).await,
                    _ => bed.by_pair(&ct, &made, &made.token).await,
                };
                if after {
                    assert_ne!(status, 200, "{verb}: accepted after its end");
                    return;
                }
                before.fetch_add(usize::from(status == 200), Ordering::SeqCst);
            }
        };
        let end = async || {
            while before.load(Ordering::SeqCst) < 40 {
                tokio::task::yield_now().await;
            }
            match verb {
                "rotate" => bed.act(&id, "rotate", json!({})).await.expect(200),
                _ => bed.revoke_credential(&id).await.expect(204),
            };
            ended.store(true, Ordering::SeqCst);
        };
        tokio::join!(
            end(),
            use_it(),
            use_it(),
            use_it(),
            use_it(),
            use_it(),
            use_it()
        );
    }
}

async fn only_one_of_two_rotations_at_once(bed: &mut Bed) {
    for grace in [0, 600] {
        let made = bed.issue(json!({"kind": "api_token"})).await;
        let id = text(&made, "id");
        let rotate = || bed.act(&id, "rotate", json!({"grace_seconds": grace}));
        let (a, b, c) = tokio::join!(rotate(), rotate(), rotate());
        let mut statuses = [a.status, b.status, c.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409]);
    }
    // The account's first, and one successor of each rotation.
    let live = bed.list_credentials("?kind=api_token").await;
    let count = |state: &str| live.iter().filter(|row| row["state"] == state).count();
    assert_eq!((count("live"), count("grace")), (3, 1));
}

/// Rule 10: the model learns what happened and where a person goes, never a token.
async fn regenerating_by_tool_shows_no_token(bed: &mut Bed) {
    let base = bed.url("");
    let shown = inner(&bed.tool(&bed.a, "get_api_key", json!({})).await);
    let old = &bed.a.api_token;
    assert_eq!(shown["hint"], format!("wz_…{}", &old[old.len() - 4..]));
    assert_eq!(shown["dashboard"], format!("{base}/dashboard"));
    assert_eq!(shown["mcp_url"], format!("{base}/api/mcp/"));
    assert!(!shown.to_string().contains(old.as_str()));

    let call = async |arguments: Value| bed.tool(&bed.a, "regenerate_api_key", arguments).await;
    let asked = call(json!({"confirmation": true})).await;
    assert_eq!(asked["isError"], false);
    assert!(text(&asked["content"][0], "text").contains("CONFIRMACION REQUERIDA"));
    for bad in [
        json!({"confirm": true}),
        json!({"confirm": true, "confirmation": false}),
        json!({"confirm": true, "confirmation": "yes"}),
    ] {
        let refused = call(bad).await;
        assert_eq!(refused["isError"], true);
        assert!(text(&refused["content"][0], "text").contains("confirmation"));
    }
    assert_eq!(bed.by_api_token(old).await, 200, "nothing happened yet");

    let done = call(json!({"confirmation": true, "confirm": true})).await;
    assert_eq!(
        bed.by_api_token(old).await,
        401,
        "dead on the very next request"
    );
    assert!(!done.to_string().contains(old.as_str()));
    let told = inner(&done);
    assert!(text(&told, "message").contains(&format!("{base}/dashboard")));
    let id = bed.first_of("api_token").await;
    let new = bed.act(&id, "reveal", json!({})).await.ok();
    let new = text(&new, "token");
    assert!(!done.to_string().contains(&new), "{done}");
    assert_eq!(told["hint"], format!("wz_…{}", &new[new.len() - 4..]));
    assert_eq!(bed.by_api_token(&new).await, 200);
}
