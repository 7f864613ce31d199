//! Lines of the security checklist that no topic's file holds: challenges, fields that set nothing, ids
//! that are nothing.

use std::collections::BTreeSet;

use recado_api::{Surface, auth::Rule};
use serde_json::{Value, json};

use crate::gateway::{Answer, Bed, SHOP};

on_both! {
    the_challenge_says_what_was_wrong,
    no_field_sets_an_owner_a_plan_or_a_state,
    ids_are_random_and_open_nothing,
    a_clients_assertion_is_no_proof,
    neither_a_scheme_nor_a_method_is_mixed,
}

/// The one challenge of an answer.
#[track_caller]
fn challenge(answer: &Answer) -> &str {
    let all: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(all.len(), 1, "{answer:?}: {all:?}");
    answer.header("www-authenticate")
}

/// B-01, B-02 (RFC 6750, 3): a 401 always challenges; it names no error when nothing was sent, and
/// `invalid_token` when what was sent does not hold. Nothing else challenges.
async fn the_challenge_says_what_was_wrong(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Closed"})).await;
    let theirs = bed.create(&bed.b, json!({"name": "Theirs"})).await;
    let mut asked = 0;
    for row in recado_api::routes() {
        let open = [
            Rule::Public,
            Rule::ClientCredentials,
            Rule::OptionalMcp,
            Rule::DirectName,
        ];
        // The dashboard takes no bearer; see `people_access`.
        let by_cookie = row.surface == Surface::Dashboard;
        if row.method == "MCP" || by_cookie || open.contains(&row.rule) {
            continue;
        }
        let call = |id: &str| {
            let path = row
                .path
                .replace("{id}", id)
                .replace("{cid}", "CR1")
                .replace("{phone}", SHOP);
            let call = bed.call(&row.method, &path.replace("{key}", "qr_x"));
            match row.method.as_str() {
                "GET" | "DELETE" => call,
                _ => call.json(json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})),
            }
        };
        let answer = call(&made.id).send().await.expect(401);
        assert_eq!(challenge(&answer), "Bearer realm=\"recado\"", "{row:?}");
        let bad = match row.surface {
            Surface::Direct if row.rule != Rule::DirectClaim => ("x-api-key", "sk_junk"),
            _ => ("authorization", "Bearer junk"),
        };
        let answer = call(&made.id).headers([bad]).send().await.expect(401);
        let text = challenge(&answer);
        assert_eq!(
            text, "Bearer realm=\"recado\", error=\"invalid_token\"",
            "{row:?}"
        );
        if row.path.contains("{id}") {
            let answer = call(&theirs.id).bearer(&bed.a.jwt).send().await.expect(403);
            assert!(
                !answer.headers.contains_key("www-authenticate"),
                "{answer:?}"
            );
        }
        asked += 1;
    }
    assert!(asked > 15, "only {asked}");
    // A request that is malformed is 400, and no challenge: two headers of a name.
    let answer = bed
        .post("/instances/list")
        .bearer(&bed.a.jwt)
        .bearer(&bed.a.jwt)
        .json(json!({}))
        .send()
        .await;
    assert!(
        !answer.headers.contains_key("www-authenticate"),
        "{answer:?}"
    );
    answer.refused(400, "conflicting_credentials");
}

/// what a caller writes beside what a route knows is nothing, and what it knows is not this.
async fn no_field_sets_an_owner_a_plan_or_a_state(bed: &mut Bed) {
    let plain = bed.create(&bed.a, json!({"name": "Plain"})).await;
    let before = bed.look(&bed.a, &plain).await;
    let mut body = json!({
        "name": "Greedy", "id": plain.id, "token": plain.token, "session_id": 4711, "number": 4711,
        "account": bed.b.id, "account_id": bed.b.id, "accountId": bed.b.id, "owner": bed.b.id, "owner_id": bed.b.id,
        "user_id": "US1", "role": "operator", "is_admin": true, "plan": "unlimited", "state": "connected",
        "status": "connected", "connected": true, "paired": true, "phone": SHOP, "billing_status": "ACTIVE_FOREVER",
        "paid_until": "2099-01-01T00:00:00Z", "trial_until": "2099-01-01T00:00:00Z", "cancel_at": null,
        "created_at": "1999-01-01T00:00:00Z", "__proto__": {"account_id": bed.b.id},
    });
    let create = bed.call("PUT", "/instances/create").bearer(&bed.a.jwt);
    let made = create.json(body.clone()).send().await.ok();
    for same in [
        "status",
        "billing_status",
        "connected",
        "cancel_at",
        "expired_at",
    ] {
        assert_eq!(made[same], before[same], "{same}: {made}");
    }
    for new in ["id", "token", "created_at"] {
        assert_ne!(made[new], body[new], "{new}: {made}");
        assert_ne!(made[new], before[new], "{new}: {made}");
    }
    let list = async |jwt: &str| {
        bed.post("/instances/list")
            .bearer(jwt)
            .json(json!({}))
            .send()
            .await
            .ok()
    };
    assert_eq!(list(&bed.a.jwt).await["total"], 2);
    assert_eq!(list(&bed.b.jwt).await["total"], 0);
    // Asking with such fields shows no more, either.
    body["page"] = json!(1);
    body["filter"] = json!({"account_id": bed.a.id, "query": ""});
    let asked = bed
        .post("/instances/list")
        .bearer(&bed.b.jwt)
        .json(body.clone())
        .send()
        .await
        .ok();
    assert_eq!(asked["total"], 0, "{asked}");
    body["id"] = json!(plain.id);
    let asked = bed
        .post("/instances/get")
        .bearer(&bed.b.jwt)
        .json(body)
        .send()
        .await;
    asked.refused(403, "forbidden");
}

///
async fn ids_are_random_and_open_nothing(bed: &mut Bed) {
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        let made = bed.create(&bed.a, json!({"name": "Random"})).await;
        let random = made.id.strip_prefix("RC").expect("the prefix").to_owned();
        let base32 = random
            .bytes()
            .all(|b| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b));
        assert!(random.len() == 26 && base32, "{random}");
        ids.insert(random);
        // Who only knows the id, the account or a number is nobody.
        for token in [made.id.as_str(), bed.a.id.as_str(), "1"] {
            let pair = [("x-client-token", token), ("x-instance-token", token)];
            let status = bed.get(&made.path("/session/status"));
            status
                .headers(pair)
                .send()
                .await
                .refused(401, "unauthorized");
            let status = bed.get(&made.path("/session/status")).bearer(token);
            status.send().await.refused(401, "unauthorized");
        }
    }
    // Neither counted nor made of the time: two that follow each other share no beginning.
    assert_eq!(ids.len(), 20);
    let beginnings: BTreeSet<_> = ids.iter().map(|id| &id[..6]).collect();
    assert_eq!(beginnings.len(), 20, "{ids:?}");
}

/// T-14: what proves a client is its secret; an assertion, signed by whomever, is an unknown field.
async fn a_clients_assertion_is_no_proof(bed: &mut Bed) {
    let (id, secret) = (&bed.a.client_token, &bed.a.client_secret);
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    for path in ["/token", "/introspect", "/revoke"] {
        for assertion in [bed.a.jwt.as_str(), "eyJhbGciOiJub25lIn0.e30.", ""] {
            let form = format!(
                "grant_type=client_credentials&client_id={id}&client_assertion_type={kind}&client_assertion={assertion}&token={}",
                bed.a.jwt
            );
            let call = bed
                .post(path)
                .header("content-type", "application/x-www-form-urlencoded");
            let answer = call.body(form.clone()).send().await.expect(400);
            assert_eq!(answer.json()["error"], "invalid_request", "{answer:?}");
            // Nor does it replace a secret that is wrong, or help one that is right.
            for (secret, due) in [(&bed.b.client_secret, 401), (secret, 200)] {
                let call = bed
                    .post(path)
                    .header("content-type", "application/x-www-form-urlencoded");
                let answer = call
                    .body(format!("{form}&client_secret={secret}"))
                    .send()
                    .await;
                if path == "/token" || due == 401 {
                    assert_eq!(answer.status, due, "{answer:?}");
                }
            }
        }
    }
}

/// B-03, B-06: one way to show a token. In the body or the query it counts for nothing, beside another
/// surface's the request is refused; rights never add up.
async fn neither_a_scheme_nor_a_method_is_mixed(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "One way"})).await;
    let jwt = bed.a.jwt.as_str();
    let list = || bed.post("/instances/list");
    for call in [
        list().json(json!({"access_token": jwt})),
        list()
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("access_token={jwt}")),
        bed.post(&format!("/instances/list?access_token={jwt}"))
            .json(json!({})),
    ] {
        call.send().await.refused(401, "unauthorized");
    }
    let status = || bed.get(&made.path("/session/status"));
    let session = bed
        .post("/sessions")
        .bearer(&bed.a.api_token)
        .json(json!({}))
        .send()
        .await
        .ok();
    let key = session["apiKey"].as_str().expect("a key");
    status()
        .bearer(jwt)
        .header("x-api-key", key)
        .send()
        .await
        .refused(400, "conflicting_credentials");
    status()
        .header("x-api-key", key)
        .send()
        .await
        .refused(400, "conflicting_credentials");
    // The JWT of one shop and the pair of another: neither's instance.
    let theirs = bed.create(&bed.b, json!({"name": "Theirs"})).await;
    let pair = [
        ("x-client-token", bed.b.client_token.as_str()),
        ("x-instance-token", theirs.token.as_str()),
    ];
    for path in [made.path("/session/status"), theirs.path("/session/status")] {
        bed.get(&path)
            .bearer(jwt)
            .headers(pair)
            .send()
            .await
            .refused(403, "forbidden");
    }
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let both = bed
        .post("/api/mcp/")
        .bearer(&bed.a.api_token)
        .header("x-client-token", &bed.a.client_token);
    let answer: Value = both.json(ping).send().await.expect(400).json();
    assert_eq!(answer["error"]["code"], -32600, "{answer}");
}
