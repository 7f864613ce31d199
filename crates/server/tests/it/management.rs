//! Who may manage credentials, and what a slip of the hand must not do.

use recado_identity::credentials::MAX_CHANGES;
use recado_model::Clock as _;
use serde_json::{Value, json};

use crate::{gateway::Bed, gateway::text};

on_both! {
    a_misspelt_restriction_is_no_open_credential,
    what_ends_or_is_restricted_manages_nothing,
    nobody_takes_the_account_from_himself,
    an_instance_gets_a_new_token_after_its_last,
    a_batch_ends_with_its_token,
    a_clock_set_back_revives_nothing,
    a_thousand_changes_an_hour_and_no_more,
}

/// no field of the body sets whose it is or how it stands, and what is not known is refused:
/// ignored, it would leave open what somebody meant to close.
async fn a_misspelt_restriction_is_no_open_credential(bed: &mut Bed) {
    let before = bed.list_credentials("?state=all").await.len();
    for body in [
        json!({"kind": "client", "network": ["192.0.2.1"]}),
        json!({"kind": "client", "only_own_session": true}),
        json!({"kind": "client", "account_id": bed.b.id}),
        json!({"kind": "client", "state": "revoked"}),
    ] {
        let call = bed.account_call(&bed.a, "POST", "/credentials");
        call.json(body).send().await.refused(400, "invalid_field");
    }
    assert_eq!(bed.list_credentials("?state=all").await.len(), before);
    let own = bed.first_of("api_token").await;
    let misspelt = bed.act(&own, "rotate", json!({"grace": 3600})).await;
    misspelt.refused(400, "invalid_field");
    assert_eq!(bed.by_api_token(&bed.a.api_token).await, 200, "not rotated");
    let misspelt = bed.change_credential(&own, json!({"network": null})).await;
    misspelt.refused(400, "invalid_field");
}

/// One that ends, or opens only a part, could otherwise make itself one that does not.
async fn what_ends_or_is_restricted_manages_nothing(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Here"})).await;
    let soon = bed.clock.now().plus_secs(3000).to_rfc3339();
    let mut limited = Vec::new();
    for body in [
        json!({"kind": "client", "expires_at": soon}),
        json!({"kind": "client", "instances": [made.id]}),
    ] {
        limited.push(bed.jwt_of(&bed.issue(body).await).await);
    }
    let own = bed.first_of("client_token").await;
    for jwt in &limited {
        for (method, below, body) in [
            ("GET", "", Value::Null),
            ("GET", "/credentials", Value::Null),
            ("GET", "/audit", Value::Null),
            ("POST", "/credentials", json!({"kind": "client"})),
            ("POST", &*format!("/credentials/{own}/reveal"), json!({})),
            (
                "PATCH",
                &*format!("/credentials/{own}"),
                json!({"expires_at": null}),
            ),
            ("POST", "/sign-out", json!({})),
        ] {
            let call = bed.call(method, &format!("/account{below}")).bearer(jwt);
            call.json(body).send().await.refused(403, "forbidden");
        }
        // What it is for, it does.
        assert_eq!(bed.by_jwt(jwt).await, 200);
    }
}

async fn nobody_takes_the_account_from_himself(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Here"})).await;
    let own = bed.first_of("client_token").await;
    let soon = bed.clock.now().plus_secs(60).to_rfc3339();
    for body in [json!({"instances": [made.id]}), json!({"expires_at": soon})] {
        let refused = bed.change_credential(&own, body).await;
        refused.refused(409, "conflict");
    }
    assert_eq!(bed.account_call(&bed.a, "GET", "").send().await.status, 200);
}

async fn an_instance_gets_a_new_token_after_its_last(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Here"})).await;
    let foreign = bed.create(&bed.b, json!({"name": "There"})).await;
    let list = format!("?kind=instance_token&instance={}", made.id);
    let last = text(&bed.list_credentials(&list).await[0], "id");
    bed.revoke_credential(&last).await.expect(204);
    let ct = &bed.a.client_token;
    assert_eq!(bed.by_pair(ct, &made, &made.token).await, 401);
    let new = bed
        .issue(json!({"kind": "instance_token", "instance": made.id}))
        .await;
    let token = text(&new, "token");
    assert_eq!(bed.by_pair(ct, &made, &token).await, 200);
    assert_eq!(bed.look(&bed.a, &made).await["token"], token);
    // An expired one is not shown as the instance's token either.
    let soon = bed.clock.now().plus_secs(60).to_rfc3339();
    let change = json!({"expires_at": soon});
    bed.change_credential(&text(&new, "id"), change).await.ok();
    bed.clock.jump_secs(61);
    assert_eq!(bed.look(&bed.a, &made).await["token"], Value::Null);

    let session = bed.new_session().await;
    let key = bed
        .issue(json!({"kind": "session_key", "instance": session["id"]}))
        .await;
    assert_eq!(
        bed.by_session_key(&session, &text(&key, "token")).await,
        200
    );
    for body in [
        json!({"kind": "instance_token"}),
        json!({"kind": "instance_token", "instance": foreign.id}),
        json!({"kind": "session_key", "instance": made.id}),
        json!({"kind": "client", "instance": made.id}),
        json!({"kind": "client_secret"}),
    ] {
        let call = bed.account_call(&bed.a, "POST", "/credentials");
        call.json(body).send().await.refused(400, "invalid_field");
    }
}

async fn a_batch_ends_with_its_token(bed: &mut Bed) {
    let call = |id: i64, name: &str, arguments: Value| json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": name, "arguments": arguments}});
    let batch = json!([
        call(1, "get_shop_status", json!({})),
        call(
            2,
            "regenerate_api_key",
            json!({"confirmation": true, "confirm": true})
        ),
        call(3, "get_shop_status", json!({})),
    ]);
    let answers = bed.mcp(&bed.a, batch).await.ok();
    assert!(answers[0]["result"].is_object(), "{answers}");
    assert!(answers[1]["result"].is_object(), "{answers}");
    assert_eq!(answers[2]["error"]["code"], -32000, "{answers}");
    assert_eq!(answers[2]["id"], 3);
}

/// "At once and for good": a revocation is no matter of time.
async fn a_clock_set_back_revives_nothing(bed: &mut Bed) {
    let other = bed.issue(json!({"kind": "api_token"})).await;
    let token = text(&other, "token");
    assert_eq!(bed.by_api_token(&token).await, 200);
    bed.revoke_credential(&text(&other, "id")).await.expect(204);
    assert_eq!(bed.by_api_token(&token).await, 401);
    bed.clock.jump_secs(-3600);
    bed.gateway().app.access().invalidate();
    assert_eq!(bed.by_api_token(&token).await, 401);
}

async fn a_thousand_changes_an_hour_and_no_more(bed: &mut Bed) {
    let one = bed.issue(json!({"kind": "api_token"})).await;
    let now = bed.clock.now();
    let mut conn = bed.write().await;
    for _ in 1..MAX_CHANGES {
        let mut account = conn.account(&bed.a.id);
        account
            .audit("credential.shown", "{}", now)
            .await
            .expect("a row");
    }
    conn.commit().await.expect("a commit");
    let id = text(&one, "id");
    let create = bed.account_call(&bed.a, "POST", "/credentials");
    let refused = create.json(json!({"kind": "client"})).send().await;
    assert_eq!(refused.header("retry-after"), "600");
    refused.refused(429, "rate_limited");
    let refused = bed.act(&id, "rotate", json!({})).await;
    refused.refused(429, "rate_limited");
    let refused = bed.act(&id, "reveal", json!({})).await;
    refused.refused(429, "rate_limited");
    // The other shop is not concerned, and what ends something is always possible.
    let theirs = bed.account_call(&bed.b, "POST", "/credentials");
    theirs
        .json(json!({"kind": "client"}))
        .send()
        .await
        .expect(200);
    bed.revoke_credential(&id).await.expect(204);
    assert_eq!(bed.by_api_token(&text(&one, "token")).await, 401);
    let out = bed
        .account_call(&bed.a, "POST", "/sign-out")
        .json(json!({}));
    out.send().await.expect(200);
    assert_eq!(bed.by_jwt(&bed.a.jwt).await, 401);
    bed.clock.jump_secs(3601);
    let jwt = bed.token_of(&bed.a).await;
    let create = bed.post("/account/credentials").bearer(&jwt);
    create
        .json(json!({"kind": "client"}))
        .send()
        .await
        .expect(200);
}
