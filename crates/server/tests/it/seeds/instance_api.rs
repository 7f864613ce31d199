//! The instance API's page: getting a JWT, creating and listing.

use serde_json::{Value, json};

use super::example::{Request, filled};
use crate::gateway::Bed;

on_both! {
    each_endpoint_only_requires_what_that_flow_needs,
    a_jwt_comes_from_client_token_and_client_secret,
    the_token_answer_has_access_token_and_expires_in,
    token_does_not_use_turnstile,
    a_jwt_is_sent_in_the_authorization_header,
    the_list_takes_its_pagination_and_filter_fields,
    the_curl_line_of_the_list,
    the_list_always_assumes_a_jwt,
}

pub(super) const HOST: &str = "https://api.vzaps.com";

pub(super) const LIST: &str = r#"curl -X POST "https://api.vzaps.com/instances/list" \
  -H "Authorization: Bearer YOUR_JWT" \
  -H "Content-Type: application/json" \
  -d '{"page":1,"size":20,"filter":{},"sort":"createdAt","sortDesc":true}'"#;

/// > VZaps uses more than one authentication mechanism; each endpoint only requires what that flow
/// > needs.
async fn each_endpoint_only_requires_what_that_flow_needs(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Flows"})).await;
    let status = made.path("/session/status");
    let (client, secret) = (&bed.a.client_token, &bed.a.client_secret);
    let token = bed
        .post("/token")
        .json(json!({"client_token": client, "client_secret": secret}));
    token.send().await.expect(200);
    bed.post("/instances/list")
        .bearer(&bed.a.jwt)
        .json(json!({}))
        .send()
        .await
        .expect(200);
    bed.get(&status).bearer(&bed.a.jwt).send().await.expect(200);
    let pair = [
        ("x-client-token", client.as_str()),
        ("x-instance-token", made.token.as_str()),
    ];
    bed.get(&status).headers(pair).send().await.expect(200);
}

/// > To obtain a JWT without sending email and password to an integration route, call POST /token with
/// > your account client_token and client_secret (managed under Security in the app).
async fn a_jwt_comes_from_client_token_and_client_secret(bed: &mut Bed) {
    let (client, secret) = (&bed.a.client_token, &bed.a.client_secret);
    let ask = |body: Value| bed.post("/token").json(body);
    let answer = ask(json!({"client_token": client, "client_secret": secret}))
        .send()
        .await
        .ok();
    let jwt = answer["access_token"].as_str().expect("a JWT");
    assert_eq!(jwt.split('.').count(), 3, "it is a JWT");
    bed.post("/instances/list")
        .bearer(jwt)
        .json(json!({}))
        .send()
        .await
        .expect(200);
    // E-mail and password are nothing here.
    let person = json!({"email": "a@example.com", "password": "correct horse battery"});
    ask(person).send().await.expect(400);
    // Where they are managed is said where they fail.
    let wrong = ask(json!({"client_token": client, "client_secret": client}))
        .send()
        .await
        .expect(401);
    let text = wrong.json()["message"].as_str().expect("text").to_owned();
    assert!(
        text.contains("managed under Security") && text.contains("/account/credentials"),
        "{text}"
    );
    // And they are managed: listed and rotated by their owner.
    let listed = bed
        .get("/account/credentials?kind=client_token")
        .bearer(jwt)
        .send()
        .await
        .ok();
    let id = listed["credentials"][0]["id"].as_str().expect("an id");
    let rotate = bed
        .post(&format!("/account/credentials/{id}/rotate"))
        .bearer(jwt);
    let made = rotate.json(json!({})).send().await.ok();
    ask(json!({"client_token": made["client_token"], "client_secret": made["client_secret"]}))
        .send()
        .await
        .expect(200);
    ask(json!({"client_token": client, "client_secret": secret}))
        .send()
        .await
        .expect(401);
}

/// > The response uses the same access_token and expires_in shape as session-based flows.
async fn the_token_answer_has_access_token_and_expires_in(bed: &mut Bed) {
    let body = json!({"client_token": bed.a.client_token, "client_secret": bed.a.client_secret});
    let answer = bed.post("/token").json(body).send().await.ok();
    let object = answer.as_object().expect("bare, in no envelope");
    assert!(object["access_token"].is_string(), "{answer}");
    let seconds = object["expires_in"].as_i64().expect("whole seconds");
    // Clients take it times 1000, and refresh a minute early.
    assert!((61..=86_400).contains(&seconds), "{answer}");
}

/// > This endpoint does not use Turnstile.
async fn token_does_not_use_turnstile(bed: &mut Bed) {
    let (client, secret) = (&bed.a.client_token, &bed.a.client_secret);
    for turnstile in [
        Value::Null,
        json!(""),
        json!("junk"),
        json!("XXXX.DUMMY.TOKEN.XXXX"),
    ] {
        let body = json!({
            "client_token": client, "client_secret": secret,
            "turnstile_token": turnstile, "cf-turnstile-response": turnstile,
        });
        bed.post("/token").json(body).send().await.expect(200);
    }
}

/// > Send JWT in the Authorization header.
async fn a_jwt_is_sent_in_the_authorization_header(bed: &mut Bed) {
    let jwt = bed.a.jwt.as_str();
    let list = |path: &str| bed.post(path);
    list("/instances/list")
        .bearer(jwt)
        .json(json!({}))
        .send()
        .await
        .expect(200);
    for call in [
        list(&format!("/instances/list?access_token={jwt}")).json(json!({})),
        list(&format!("/instances/list?authorization=Bearer%20{jwt}")).json(json!({})),
        list("/instances/list")
            .json(json!({"access_token": jwt, "authorization": format!("Bearer {jwt}")})),
        list("/instances/list")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("access_token={jwt}")),
        list("/instances/list")
            .header("cookie", &format!("access_token={jwt}"))
            .json(json!({})),
        list("/instances/list")
            .header("x-authorization", &format!("Bearer {jwt}"))
            .json(json!({})),
        list("/instances/list")
            .header("x-access-token", jwt)
            .json(json!({})),
        list("/instances/list")
            .header("x-client-token", jwt)
            .json(json!({})),
        list("/instances/list")
            .header("x-instance-token", jwt)
            .json(json!({})),
        list("/instances/list")
            .header("authorization", jwt)
            .json(json!({})),
        list("/instances/list")
            .header("authorization", &format!("Token {jwt}"))
            .json(json!({})),
    ] {
        call.send().await.refused(401, "unauthorized");
    }
}

/// > Use POST /instances/list with Authorization: Bearer <JWT> and pagination/filter body fields (page,
/// > size, filter, sort, sortDesc).
async fn the_list_takes_its_pagination_and_filter_fields(bed: &mut Bed) {
    for name in ["Bravo", "Alpha", "Charlie"] {
        bed.create(&bed.a, json!({"name": name})).await;
        bed.clock.jump_secs(1);
    }
    let list = async |body: Value| {
        let answer = bed
            .post("/instances/list")
            .bearer(&bed.a.jwt)
            .json(body)
            .send()
            .await
            .ok();
        let content = answer["content"].as_array().expect("content").clone();
        let names = content
            .iter()
            .map(|row| row["name"].as_str().expect("a name").to_owned());
        (names.collect::<Vec<_>>().join(" "), answer)
    };
    for (sort, descending, due) in [
        ("createdAt", true, "Charlie Alpha Bravo"),
        ("createdAt", false, "Bravo Alpha Charlie"),
        ("name", true, "Charlie Bravo Alpha"),
        ("name", false, "Alpha Bravo Charlie"),
    ] {
        let body =
            json!({"page": 1, "size": 20, "filter": {}, "sort": sort, "sortDesc": descending});
        assert_eq!(list(body).await.0, due, "{sort} {descending}");
    }
    for (page, due) in [(1, "Alpha Bravo"), (2, "Charlie"), (3, "")] {
        let body =
            json!({"page": page, "size": 2, "filter": {}, "sort": "name", "sortDesc": false});
        let (names, answer) = list(body).await;
        assert_eq!(names, due, "page {page}");
        let counts = ["page", "size", "total", "total_pages"].map(|name| answer[name].as_i64());
        assert_eq!(counts, [Some(page), Some(2), Some(3), Some(2)], "{answer}");
    }
    assert_eq!(list(json!({"filter": {"query": "lph"}})).await.0, "Alpha");
    assert_eq!(
        list(json!({"filter": {"query": "none of them"}})).await.0,
        ""
    );
}

/// > curl -X POST "https://api.vzaps.com/instances/list" …
async fn the_curl_line_of_the_list(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Listed"})).await;
    let line = filled(LIST, &[("YOUR_JWT", &bed.a.jwt)]);
    let answer = Request::of_curl(&line, HOST).send(bed).await.ok();
    assert_eq!(answer["content"][0]["id"], made.id.as_str(), "{answer}");
    assert_eq!((&answer["page"], &answer["size"]), (&json!(1), &json!(20)));
    // As it is printed, it proves nothing.
    let unfilled = Request::of_curl(LIST, HOST).send(bed).await;
    unfilled.refused(401, "unauthorized");
}

/// > This flow always assumes JWT.
async fn the_list_always_assumes_a_jwt(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Listed"})).await;
    let line = Request::of_curl(&filled(LIST, &[("YOUR_JWT", &bed.a.jwt)]), HOST);
    let bare = line.without("authorization");
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", made.token.as_str()),
    ];
    bare.send(bed).await.refused(401, "unauthorized");
    for headers in [&pair[..], &pair[..1], &pair[1..]] {
        let call = bare.call(bed).headers(headers.iter().copied());
        call.send().await.refused(401, "unauthorized");
    }
    // Beside a JWT the client's own headers do no harm: its libraries send them always.
    bare.call(bed)
        .headers(pair)
        .bearer(&bed.a.jwt)
        .send()
        .await
        .expect(200);
}
