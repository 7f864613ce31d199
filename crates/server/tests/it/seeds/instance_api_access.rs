//! The instance API's page: which credential opens what.

use recado_api::{Surface, auth::Rule};
use serde_json::json;

use super::{
    example::{Request, filled},
    instance_api::HOST,
};
use crate::gateway::{Bed, CUSTOMER, Made, SHOP};

on_both! {
    a_jwt_is_required_to_create_list_and_pay,
    the_instance_token_is_no_substitute_there,
    the_client_token_must_belong_to_the_instance_owner,
    the_instance_token_is_returned_by_create,
    an_instance_is_used_by_either_proof,
    both_tokens_are_validated_before_anything_happens,
    the_curl_line_with_jwt,
    the_curl_line_with_instance_tokens,
    forbidden_says_what_to_verify,
    credentials_are_separate_per_environment,
}

const BY_JWT: &str = r#"curl -X GET "https://api.vzaps.com/instances/INSTANCE_ID/session/status" \
  -H "Authorization: Bearer YOUR_JWT""#;

const BY_TOKENS: &str = r#"curl -X GET "https://api.vzaps.com/instances/INSTANCE_ID/session/status" \
  -H "X-Instance-Token: INSTANCE_TOKEN" \
  -H "X-Client-Token: YOUR_CLIENT_TOKEN""#;

/// As the page lists them.
const JWT_ONLY: [(&str, &str); 6] = [
    ("PUT", "/instances/create"),
    ("POST", "/instances/list"),
    ("POST", "/instances/{id}/subscribe"),
    ("POST", "/instances/{id}/resume-subscription"),
    ("PUT", "/instances/{id}/cancel"),
    ("DELETE", "/instances/{id}/cancel"),
];

fn pair<'a>(bed: &'a Bed, made: &'a Made) -> [(&'static str, &'a str); 2] {
    [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", made.token.as_str()),
    ]
}

/// > Authorization: Bearer <jwt> | Instance creation, listing, billing, and owner access to the instance
/// > | Obtain via POST /token or the web app; required on PUT /instances/create, POST /instances/list,
/// > POST /instances/{id}/subscribe, POST /instances/{id}/resume-subscription, and PUT/DELETE
/// > /instances/{id}/cancel
async fn a_jwt_is_required_to_create_list_and_pay(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Paying"})).await;
    let rows = recado_api::routes();
    for (method, path) in JWT_ONLY {
        let row = rows
            .iter()
            .find(|row| row.method == method && row.path == path);
        let row = row.unwrap_or_else(|| panic!("no route {method} {path}"));
        assert!(
            matches!(row.rule, Rule::Owner | Rule::OwnerInstance),
            "{row:?}"
        );
        let path = path.replace("{id}", &made.id);
        let call = || bed.call(method, &path).json(json!({"name": "By JWT"}));
        call().send().await.refused(401, "unauthorized");
        call()
            .headers(pair(bed, &made))
            .send()
            .await
            .refused(401, "unauthorized");
        call()
            .bearer(&bed.a.api_token)
            .send()
            .await
            .refused(401, "unauthorized");
        let answer = call().bearer(&bed.a.jwt).send().await;
        assert!(
            !matches!(answer.status, 401 | 403 | 404 | 405 | 500..),
            "{answer:?}"
        );
    }
    // "and owner access to the instance".
    bed.get(&made.path("/session/status"))
        .bearer(&bed.a.jwt)
        .send()
        .await
        .expect(200);
}

/// > Do not use the instance token as a substitute on these endpoints.
async fn the_instance_token_is_no_substitute_there(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Paying"})).await;
    for (method, path) in JWT_ONLY {
        let path = path.replace("{id}", &made.id);
        let call = || bed.call(method, &path).json(json!({"name": "By token"}));
        for call in [
            call().header("x-instance-token", &made.token),
            call().bearer(&made.token),
            call().header("authorization", &made.token),
            call().bearer(&made.token).headers(pair(bed, &made)),
            call().headers(pair(bed, &made)),
        ] {
            call.send().await.refused(401, "unauthorized");
        }
    }
    let list = bed
        .post("/instances/list")
        .bearer(&bed.a.jwt)
        .json(json!({}))
        .send()
        .await
        .ok();
    assert_eq!(list["total"], 1, "nothing was created: {list}");
}

/// > X-Client-Token | Server-to-server integrations and token-authenticated calls | Must belong to the
/// > instance owner
async fn the_client_token_must_belong_to_the_instance_owner(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Mine"})).await;
    let status = |client: &str| {
        bed.get(&made.path("/session/status")).headers([
            ("x-client-token", client),
            ("x-instance-token", made.token.as_str()),
        ])
    };
    status(&bed.a.client_token).send().await.expect(200);
    status(&bed.b.client_token)
        .send()
        .await
        .refused(403, "forbidden");
    status("ct_junk").send().await.refused(401, "unauthorized");
}

/// > X-Instance-Token | Instance endpoints without JWT | Returned in the create-instance response
async fn the_instance_token_is_returned_by_create(bed: &mut Bed) {
    let create = bed.call("PUT", "/instances/create").bearer(&bed.a.jwt);
    let made = create.json(json!({"name": "Fresh"})).send().await.ok();
    let (id, token) = (
        made["id"].as_str().expect("an id"),
        made["token"].as_str().expect("a token"),
    );
    let call = bed.get(&format!("/instances/{id}/session/status"));
    let call = call.header("x-client-token", &bed.a.client_token);
    call.header("x-instance-token", token)
        .send()
        .await
        .expect(200);
}

/// > Instance (session, chat, webhook, and more): You can use either: 1. Owner JWT for the instance.
/// > 2. X-Instance-Token together with X-Client-Token.
async fn an_instance_is_used_by_either_proof(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Either"})).await;
    let mut nouns = Vec::new();
    for row in recado_api::routes() {
        if row.surface != Surface::Instance || row.rule != Rule::Instance {
            continue;
        }
        nouns.push(row.path.split('/').nth(3).expect("a noun").to_owned());
        let path = row.path.replace("{id}", &made.id).replace("{phone}", SHOP);
        // A body that no handler takes: that it is looked at shows that the guard let it pass.
        let call = || {
            let call = bed.call(&row.method, &path);
            if row.method == "GET" {
                call
            } else {
                call.body("[")
            }
        };
        let [client, instance] = pair(bed, &made);
        for passes in [
            call().bearer(&bed.a.jwt),
            call().headers([client, instance]),
            call().headers([client, instance]).bearer(&bed.a.jwt),
        ] {
            let answer = passes.send().await;
            assert!(
                !matches!(answer.status, 401 | 403 | 500..),
                "{row:?}: {answer:?}"
            );
        }
        for half in [call().headers([client]), call().headers([instance]), call()] {
            half.send().await.refused(401, "unauthorized");
        }
        // "Owner JWT for the instance": another owner's is none.
        call()
            .bearer(&bed.b.jwt)
            .send()
            .await
            .refused(403, "forbidden");
    }
    for noun in ["session", "chat", "webhook"] {
        assert!(
            nouns.iter().any(|one| one == noun),
            "no {noun} among {nouns:?}"
        );
    }
}

/// > The API validates the instance and the owner X-Client-Token before processing the request.
async fn both_tokens_are_validated_before_anything_happens(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let other = bed.create(&bed.a, json!({"name": "Other"})).await;
    let theirs = bed.create(&bed.b, json!({"name": "Theirs"})).await;
    let send = |client: &str, instance: &str| {
        bed.post(&made.path("/chat/send/text"))
            .headers([("x-client-token", client), ("x-instance-token", instance)])
    };
    let body = json!({"phone": CUSTOMER, "message": "never"});
    let (ours, foreign) = (bed.a.client_token.as_str(), bed.b.client_token.as_str());
    for (client, instance, status, code) in [
        (foreign, made.token.as_str(), 403, "forbidden"),
        (ours, other.token.as_str(), 403, "forbidden"),
        (ours, theirs.token.as_str(), 403, "forbidden"),
        ("ct_junk", made.token.as_str(), 401, "unauthorized"),
        (ours, "inst_junk", 401, "unauthorized"),
    ] {
        send(client, instance)
            .json(body.clone())
            .send()
            .await
            .refused(status, code);
        // What is in the body does not matter yet.
        send(client, instance)
            .body("{")
            .send()
            .await
            .refused(status, code);
    }
    let marker = send(ours, &made.token).json(json!({"phone": CUSTOMER, "message": "marker"}));
    marker.send().await.expect(200);
    bed.wait_shown(CUSTOMER, "marker").await;
    assert_eq!(bed.shown(CUSTOMER, "never"), 0);
}

/// > Example with JWT
async fn the_curl_line_with_jwt(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "By JWT"})).await;
    let line = filled(
        BY_JWT,
        &[("INSTANCE_ID", &made.id), ("YOUR_JWT", &bed.a.jwt)],
    );
    let answer = Request::of_curl(&line, HOST).send(bed).await.ok();
    assert_eq!(
        answer,
        json!({"code": 200, "success": true, "data": {"connected": false}})
    );
}

/// > Example with instance tokens
async fn the_curl_line_with_instance_tokens(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "By tokens"})).await;
    let values = [
        ("INSTANCE_ID", made.id.as_str()),
        ("INSTANCE_TOKEN", &made.token),
        ("YOUR_CLIENT_TOKEN", &bed.a.client_token),
    ];
    let line = Request::of_curl(&filled(BY_TOKENS, &values), HOST);
    let answer = line.send(bed).await.ok();
    assert_eq!(
        answer,
        json!({"code": 200, "success": true, "data": {"connected": false}})
    );
    let line = line.with("x-client-token", &bed.b.client_token);
    line.send(bed).await.refused(403, "forbidden");
}

/// > On Forbidden, first verify the instance belongs to the user or the X-Client-Token you sent.
async fn forbidden_says_what_to_verify(bed: &mut Bed) {
    let theirs = bed.create(&bed.b, json!({"name": "Theirs"})).await;
    let answer = bed
        .get(&theirs.path("/session/status"))
        .bearer(&bed.a.jwt)
        .send()
        .await;
    let body = answer.refused(403, "forbidden");
    let text = body["error"].as_str().expect("text");
    assert!(text.starts_with("Forbidden"), "{text}");
    assert!(
        text.contains("the instance does not belong to the account"),
        "{text}"
    );
    assert!(text.contains("credentials you sent"), "{text}");
}

/// > Separate credentials per environment.
async fn credentials_are_separate_per_environment(bed: &mut Bed) {
    let mut pairs = Vec::new();
    for label in ["production", "staging"] {
        let create = bed.post("/account/credentials").bearer(&bed.a.jwt);
        let made = create
            .json(json!({"kind": "client", "label": label}))
            .send()
            .await
            .ok();
        assert_eq!(made["label"], label, "{made}");
        pairs.push(made);
    }
    let token = async |made: &serde_json::Value| {
        let body =
            json!({"client_token": made["client_token"], "client_secret": made["client_secret"]});
        bed.post("/token").json(body).send().await
    };
    for made in &pairs {
        token(made).await.expect(200);
    }
    // One environment's secret is nothing in another's hands.
    let mixed = json!({"client_token": pairs[0]["client_token"], "client_secret": pairs[1]["client_secret"]});
    bed.post("/token").json(mixed).send().await.expect(401);
    // One ends, the others do not notice.
    let path = format!(
        "/account/credentials/{}",
        pairs[1]["id"].as_str().expect("an id")
    );
    bed.call("DELETE", &path)
        .bearer(&bed.a.jwt)
        .send()
        .await
        .expect(204);
    token(&pairs[1]).await.expect(401);
    token(&pairs[0]).await.expect(200);
    bed.token_of(&bed.a).await;
}
