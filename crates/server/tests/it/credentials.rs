//! The life of credentials as their owner leads it: made, listed, shown, restricted, ended.

use serde_json::{Value, json};

use crate::gateway::{Bed, text};

on_both! {
    one_pair_per_environment,
    a_list_holds_all_but_the_secrets,
    shown_once_and_shown_again,
    foreign_and_missing_are_one_answer,
    what_a_credential_may_be_restricted_to,
    it_ends_when_its_time_has_come,
    an_account_has_a_hundred_at_most,
}

/// "Separate credentials per environment."
async fn one_pair_per_environment(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Shared"})).await;
    let staging = bed
        .issue(json!({"kind": "client", "label": "staging"}))
        .await;
    let production = bed
        .issue(json!({"kind": "client", "label": "production"}))
        .await;
    for pair in [&staging, &production] {
        let note = text(pair, "note");
        assert!(note.contains("Store") && note.contains("browser"), "{note}");
        assert_eq!(pair["kind"], "client_token");
        assert_eq!(pair["state"], "live");
        let jwt = bed.jwt_of(pair).await;
        assert_eq!(bed.by_jwt(&jwt).await, 200);
        let client_token = text(pair, "client_token");
        assert_eq!(bed.by_pair(&client_token, &made, &made.token).await, 200);
        // The token of one and the secret of the other are no pair.
        let mixed = bed.token_by(&client_token, &bed.a.client_secret).await;
        assert_eq!(mixed.status, 401);
    }
    let (dead, alive) = (bed.jwt_of(&staging).await, bed.jwt_of(&production).await);
    bed.revoke_credential(&text(&staging, "id"))
        .await
        .expect(204);
    // One is gone with all that came from it; the others do not notice.
    assert_eq!(bed.by_jwt(&dead).await, 401);
    let client_token = text(&staging, "client_token");
    assert_eq!(bed.by_pair(&client_token, &made, &made.token).await, 401);
    let secret = text(&staging, "client_secret");
    let again = bed.token_by(&client_token, &secret).await;
    assert_eq!(again.status, 401);
    assert_eq!(bed.by_jwt(&alive).await, 200);
    assert_eq!(bed.by_jwt(&bed.a.jwt).await, 200);
    bed.jwt_of(&production).await;
    // Revoking again says the same.
    bed.revoke_credential(&text(&staging, "id"))
        .await
        .expect(204);
}

async fn a_list_holds_all_but_the_secrets(bed: &mut Bed) {
    let account = bed.account_call(&bed.a, "GET", "").send().await.ok();
    assert_eq!(
        (&account["id"], &account["name"], &account["kind"]),
        (&json!(bed.a.id), &json!("Shop A"), &json!("full"))
    );
    let made = bed.create(&bed.a, json!({"name": "Listed"})).await;
    let session = bed.new_session().await;
    let pair = bed
        .issue(json!({"kind": "client", "label": "  ci  "}))
        .await;
    let all = bed.account_call(&bed.a, "GET", "/credentials").send().await;
    let answer = all.text();
    for secret in [
        &bed.a.client_token,
        &bed.a.client_secret,
        &bed.a.api_token,
        &made.token,
        &text(&session, "apiKey"),
        &text(&session, "key"),
        &text(&pair, "client_secret"),
    ] {
        assert!(!answer.contains(secret.as_str()), "{answer}");
    }
    let rows = bed.list_credentials("").await;
    let count = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
    assert_eq!((count("client_token"), count("client_secret")), (2, 2));
    // A session comes with an instance token, too.
    assert_eq!((count("instance_token"), count("session_key")), (2, 1));
    assert_eq!((count("api_token"), count("session_name")), (1, 0));
    let row = rows
        .iter()
        .find(|row| row["id"] == pair["id"])
        .expect("the new pair");
    assert_eq!(row["label"], "ci");
    assert_eq!(row["age_days"], 0);
    let hint = text(row, "hint");
    let token = text(&pair, "client_token");
    assert_eq!(hint, format!("ct_…{}", &token[token.len() - 4..]));
    for unset in [
        "expires_at",
        "grace_until",
        "revoked_at",
        "networks",
        "instances",
    ] {
        assert_eq!(row[unset], Value::Null, "{unset}");
    }
    let secret = rows.iter().find(|row| row["parent_id"] == pair["id"]);
    assert_eq!(secret.expect("its secret")["id"], pair["client_secret_id"]);
    let one = format!("/credentials/{}", text(&pair, "id"));
    let one = bed.account_call(&bed.a, "GET", &one).send().await.ok();
    assert_eq!(&one, row);

    bed.revoke_credential(&text(&pair, "id")).await.expect(204);
    assert_eq!(bed.list_credentials("?kind=client_token").await.len(), 1);
    let ended = bed.list_credentials("?kind=client_secret&state=all").await;
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[1]["state"], "revoked", "with its client token");
    let of_one = bed
        .list_credentials(&format!("?instance={}", made.id))
        .await;
    assert_eq!(of_one.len(), 1);
    assert_eq!(of_one[0]["instance_id"], made.id.as_str());
    for bad in ["?kind=session_name", "?kind=jwt", "?state=dead"] {
        let below = format!("/credentials{bad}");
        let refused = bed.account_call(&bed.a, "GET", &below).send().await;
        refused.refused(400, "invalid_field");
    }
    // The other shop has its own.
    let theirs = bed.account_call(&bed.b, "GET", "/credentials").send().await;
    let theirs = theirs.ok();
    assert_eq!(theirs["credentials"].as_array().map(Vec::len), Some(3));
}

/// K-02: what is shown once, and what an owner may see again.
async fn shown_once_and_shown_again(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Shown"})).await;
    let session = bed.new_session().await;
    let other = bed
        .issue(json!({"kind": "api_token", "label": "agents"}))
        .await;
    assert!(other.get("client_secret").is_none());
    let reveal = async |id: &str| bed.act(id, "reveal", json!({})).await;
    let of_session = format!("?kind=session_key&instance={}", text(&session, "id"));
    let of_made = format!("?instance={}", made.id);
    for (id, token) in [
        (
            bed.first_of("client_token").await,
            bed.a.client_token.clone(),
        ),
        (bed.first_of("api_token").await, bed.a.api_token.clone()),
        (text(&other, "id"), text(&other, "token")),
        (
            text(&bed.list_credentials(&of_made).await[0], "id"),
            made.token.clone(),
        ),
        (
            text(&bed.list_credentials(&of_session).await[0], "id"),
            text(&session, "apiKey"),
        ),
    ] {
        let shown = reveal(&id).await.ok();
        assert_eq!(shown["token"], token);
        assert!(text(&shown, "note").contains("Store it now"));
    }
    let secret = bed.first_of("client_secret").await;
    let refused = reveal(&secret).await.refused(409, "conflict");
    assert!(text(&refused, "message").contains("Rotate it"));
    // What has ended is not shown any more, and does not change.
    let id = text(&other, "id");
    bed.revoke_credential(&id).await.expect(204);
    reveal(&id).await.refused(409, "conflict");
    let refused = bed.change_credential(&id, json!({"label": "back"})).await;
    refused.refused(409, "conflict");
    let refused = bed.act(&id, "rotate", json!({})).await;
    refused.refused(409, "conflict");
}

async fn foreign_and_missing_are_one_answer(bed: &mut Bed) {
    let theirs = bed.account_call(&bed.b, "GET", "/credentials").send().await;
    let theirs = text(&theirs.ok()["credentials"][0], "id");
    let mut conn = bed.read().await;
    let session = bed.new_session().await;
    let all = conn.account(&bed.a.id).credentials().await.expect("rows");
    drop(conn);
    let name = all.iter().find(|row| row.kind.as_str() == "session_name");
    let name = name.expect("the session's name").id.to_string();
    assert!(session["key"].is_string());
    for (method, verb, body) in [
        ("GET", "", None),
        ("PATCH", "", Some(json!({"label": "mine"}))),
        ("DELETE", "", None),
        ("POST", "/rotate", Some(json!({}))),
        ("POST", "/reveal", Some(json!({}))),
    ] {
        let mut bodies = Vec::new();
        for id in [
            theirs.as_str(),
            &name,
            "CRAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "x",
            "%00",
            "é",
        ] {
            let below = format!("/credentials/{id}{verb}");
            let mut call = bed.account_call(&bed.a, method, &below);
            if let Some(body) = &body {
                call = call.json(body.clone());
            }
            let answer = call.send().await;
            bodies.push(answer.text());
            answer.refused(404, "not_found");
        }
        bodies.dedup();
        assert_eq!(bodies.len(), 1, "{method} {verb}: {bodies:?}");
    }
    // Nothing of it happened.
    let still = bed.account_call(&bed.b, "GET", "/credentials").send().await;
    let still = still.ok();
    assert_eq!(still["credentials"][0]["id"], theirs.as_str());
    assert_ne!(still["credentials"][0]["label"], "mine");
}

async fn what_a_credential_may_be_restricted_to(bed: &mut Bed) {
    let mine = bed.create(&bed.a, json!({"name": "Mine"})).await;
    let theirs = bed.create(&bed.b, json!({"name": "Theirs"})).await;
    let good = bed
        .issue(json!({
            "kind": "api_token", "networks": ["10.1.2.3/8", "192.0.2.7", "::ffff:192.0.2.7"],
            "instances": [mine.id, mine.id], "expires_at": "2199-01-31T12:00:00+01:00",
        }))
        .await;
    assert_eq!(good["networks"], json!(["10.0.0.0/8", "192.0.2.7/32"]));
    assert_eq!(good["instances"], json!([mine.id]));
    assert_eq!(good["expires_at"], "2199-01-31T11:00:00.000Z");
    let id = text(&good, "id");
    let many: Vec<_> = (0..51).map(|n| format!("10.0.{n}.0/24")).collect();
    for (field, bad) in [
        ("networks", json!(["10.0.0.0/33"])),
        ("networks", json!("example.org")),
        ("networks", json!([])),
        ("networks", json!(many)),
        ("instances", json!([])),
        ("instances", json!([mine.id, theirs.id])),
        ("instances", json!(["RCAAAAAAAAAAAAAAAAAAAAAAAAAA"])),
        ("expires_at", json!("2020-01-31T12:00:00Z")),
        ("expires_at", json!("tomorrow")),
        ("label", json!("two\nlines")),
        ("label", json!("x".repeat(101))),
    ] {
        let mut body = json!({"kind": "api_token"});
        body[field] = bad.clone();
        let call = bed.account_call(&bed.a, "POST", "/credentials");
        let refused = call.json(body).send().await.refused(400, "invalid_field");
        assert_eq!(refused["field"], field, "{bad}");
        let refused = bed.change_credential(&id, json!({field: bad})).await;
        assert_eq!(refused.refused(400, "invalid_field")["field"], field);
    }
    // Another shop's instance and none at all: the same bytes.
    let ask = async |instance: &str| {
        let answer = bed
            .change_credential(&id, json!({"instances": [instance]}))
            .await;
        answer.expect(400).text()
    };
    let missing = ask("RCAAAAAAAAAAAAAAAAAAAAAAAAAA").await;
    assert_eq!(ask(&theirs.id).await, missing);
    for body in [
        json!({}),
        json!({"kind": "client_secret"}),
        json!({"kind": 1}),
    ] {
        let call = bed.account_call(&bed.a, "POST", "/credentials");
        let refused = call.json(body).send().await.refused(400, "invalid_field");
        assert_eq!(refused["field"], "kind");
    }
    // Absent keeps, null clears.
    let kept = bed
        .change_credential(&id, json!({"label": "agents"}))
        .await
        .ok();
    assert_eq!(
        (&kept["label"], &kept["networks"]),
        (&json!("agents"), &good["networks"])
    );
    let cleared = json!({"label": null, "networks": null, "instances": null, "expires_at": null});
    let cleared = bed.change_credential(&id, cleared).await.ok();
    for field in ["label", "networks", "instances", "expires_at"] {
        assert_eq!(cleared[field], Value::Null, "{field}");
    }
    // A secret has its client token's restrictions; an instance token has its instance.
    let secret = bed.first_of("client_secret").await;
    for (field, value) in [
        ("networks", json!(["::/0"])),
        ("instances", json!([mine.id])),
    ] {
        let refused = bed.change_credential(&secret, json!({field: value})).await;
        assert_eq!(refused.refused(400, "invalid_field")["field"], field);
    }
    let token = bed.first_of("instance_token").await;
    let refused = bed
        .change_credential(&token, json!({"instances": [mine.id]}))
        .await;
    refused.refused(400, "invalid_field");
    let refused = bed
        .change_credential(&token, json!({"only_own_session": true}))
        .await;
    refused.refused(400, "invalid_field");
}

async fn it_ends_when_its_time_has_come(bed: &mut Bed) {
    use recado_model::Clock as _;
    let end = bed.clock.now().plus_secs(600).to_rfc3339();
    let token = bed
        .issue(json!({"kind": "api_token", "expires_at": end}))
        .await;
    let pair = bed
        .issue(json!({"kind": "client", "expires_at": end}))
        .await;
    let made = bed.create(&bed.a, json!({"name": "Timed"})).await;
    let (wz, ct) = (text(&token, "token"), text(&pair, "client_token"));
    let jwt = bed.jwt_of(&pair).await;
    assert_eq!(bed.by_api_token(&wz).await, 200);
    assert_eq!(bed.by_jwt(&jwt).await, 200);
    assert_eq!(bed.by_pair(&ct, &made, &made.token).await, 200);
    bed.clock.jump_secs(601);
    // No sweep has to come by; a token that came from it lives no longer either.
    assert_eq!(bed.by_api_token(&wz).await, 401);
    assert_eq!(bed.by_jwt(&jwt).await, 401);
    assert_eq!(bed.by_pair(&ct, &made, &made.token).await, 401);
    let again = bed.token_by(&ct, &text(&pair, "client_secret")).await;
    assert_eq!(again.status, 401);
    let ended = bed.list_credentials("?state=all&kind=api_token").await;
    assert_eq!(ended[1]["state"], "expired");
    assert_eq!(bed.list_credentials("?kind=api_token").await.len(), 1);
    // Its secret is no longer listed as live, though nobody gave it an end of its own.
    let secrets = bed.list_credentials("?state=all&kind=client_secret").await;
    assert_eq!(secrets[1]["state"], "expired");
    let later = bed.clock.now().plus_secs(600).to_rfc3339();
    let refused = bed
        .change_credential(&text(&token, "id"), json!({"expires_at": later}))
        .await;
    refused.refused(409, "conflict");
    // An end is moved while it is ahead, and what is in use hears of it at once.
    let wz = bed.first_of("api_token").await;
    bed.change_credential(&wz, json!({"expires_at": later}))
        .await
        .ok();
    bed.change_credential(&wz, json!({"expires_at": null}))
        .await
        .ok();
    bed.clock.jump_secs(601);
    assert_eq!(bed.by_api_token(&bed.a.api_token).await, 200);
}

async fn an_account_has_a_hundred_at_most(bed: &mut Bed) {
    let ask = async || {
        let call = bed.account_call(&bed.a, "POST", "/credentials");
        call.json(json!({"kind": "api_token"})).send().await
    };
    let mut last = String::new();
    // Two came with the account.
    for _ in 0..98 {
        last = text(&ask().await.ok(), "id");
    }
    let refused = ask().await.refused(409, "conflict");
    assert!(text(&refused, "message").contains("Revoke"), "{refused}");
    // A predecessor in its grace is one of them; one that ends at once is not.
    let graced = bed.act(&last, "rotate", json!({"grace_seconds": 60})).await;
    graced.refused(409, "conflict");
    let new = bed.act(&last, "rotate", json!({})).await.ok();
    bed.revoke_credential(&text(&new, "id")).await.expect(204);
    ask().await.expect(200);
}
