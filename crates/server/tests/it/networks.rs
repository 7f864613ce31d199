//! Credentials that may be used from some networks only, behind a proxy that says where callers are.

use serde_json::{Value, json};

use crate::{
    gateway::text,
    gateway::{Bed, Call},
};

on_both! {
    with = "trusted_proxies = [\"127.0.0.1\"]\n";
    a_credential_holds_in_its_networks_only,
    nobody_locks_himself_out_by_mistake,
}

/// A way to use a credential.
type Use<'a> = Box<dyn Fn() -> Call + 'a>;

const INSIDE: &str = "203.0.113.9";
const OUTSIDE: &str = "198.51.100.9";
const INSIDE_6: &str = "2001:db8:7::1";

fn from(call: Call, address: &str) -> Call {
    call.header("x-forwarded-for", address)
}

async fn a_credential_holds_in_its_networks_only(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Fenced"})).await;
    let session = bed.new_session().await;
    let networks = json!(["203.0.113.0/24", "2001:db8:7::/48"]);
    let body = json!({"kind": "client", "networks": networks});
    let pair = bed.issue(body).await;
    let wz = bed
        .issue(json!({"kind": "api_token", "networks": networks}))
        .await;
    let sk = bed.first_of("session_key").await;
    bed.change_credential(&sk, json!({"networks": networks}))
        .await
        .ok();

    let (ct, cs) = (text(&pair, "client_token"), text(&pair, "client_secret"));
    let token = || {
        let body = json!({"client_token": ct, "client_secret": cs});
        bed.post("/token").json(body)
    };
    let jwt = text(&from(token(), INSIDE).send().await.ok(), "access_token");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let status = made.path("/session/status");
    let own = format!("/sessions/{}", text(&session, "key"));
    let tokens = [
        ("x-client-token", ct.as_str()),
        ("x-instance-token", made.token.as_str()),
    ];
    let wz = text(&wz, "token");
    let calls: [(&str, Use<'_>); 5] = [
        ("/token", Box::new(token)),
        (
            "jwt",
            Box::new(|| bed.post("/instances/list").bearer(&jwt).json(json!({}))),
        ),
        ("pair", Box::new(|| bed.get(&status).headers(tokens))),
        (
            "wz_",
            Box::new(|| bed.post("/api/mcp/").bearer(&wz).json(ping.clone())),
        ),
        (
            "sk_",
            Box::new(|| bed.get(&own).header("x-api-key", &text(&session, "apiKey"))),
        ),
    ];
    for (kind, call) in &calls {
        for address in [INSIDE, INSIDE_6, "::ffff:203.0.113.9"] {
            let answer = from(call(), address).send().await;
            assert_eq!(answer.status, 200, "{kind} from {address}: {answer:?}");
        }
        // The proxy's own address, and none of which nobody knows whose it is, are outside too.
        for answer in [
            from(call(), OUTSIDE).send().await,
            from(call(), "2001:db8:8::1").send().await,
            // What the caller claims stands left of what the proxy saw.
            from(call(), &format!("{INSIDE}, {OUTSIDE}")).send().await,
            call().send().await,
        ] {
            assert_eq!(answer.status, 401, "{kind}: {answer:?}");
        }
    }
    // As the secret's client token has it, so has the secret.
    let secret = bed.list_credentials("?kind=client_secret").await;
    assert_eq!(secret[1]["networks"], networks);
    // Wide again: the next request is let in.
    bed.change_credential(&text(&pair, "id"), json!({"networks": null}))
        .await
        .ok();
    for (kind, call) in &calls[..3] {
        let answer = from(call(), OUTSIDE).send().await;
        assert_eq!(answer.status, 200, "{kind}: {answer:?}");
    }
}

async fn nobody_locks_himself_out_by_mistake(bed: &mut Bed) {
    let own = bed.first_of("client_token").await;
    let change = async |address: &str, id: &str, networks: Value| {
        let call = bed.account_call(&bed.a, "PATCH", &format!("/credentials/{id}"));
        let call = from(call, address).json(json!({"networks": networks}));
        call.send().await
    };
    let refused = change(INSIDE, &own, json!([OUTSIDE])).await;
    let refused = refused.refused(409, "conflict");
    assert!(text(&refused, "message").contains("lock yourself out"));
    assert_eq!(bed.by_jwt(&bed.a.jwt).await, 200, "nothing happened");
    // Another credential is none of the caller's business.
    let other = text(&bed.issue(json!({"kind": "client"})).await, "id");
    change(INSIDE, &other, json!([OUTSIDE])).await.ok();
    change(INSIDE, &own, json!([OUTSIDE, "203.0.113.0/24"]))
        .await
        .ok();
    let list = |address| {
        let call = bed.post("/instances/list").bearer(&bed.a.jwt);
        from(call.json(json!({})), address).send()
    };
    assert_eq!(list(INSIDE).await.status, 200);
    assert_eq!(
        list("192.0.2.1").await.status,
        401,
        "the JWT stands and falls with it"
    );
    // The log says from where it was done.
    let log = bed.account_call(&bed.a, "GET", "/audit?limit=1");
    let log = from(log, INSIDE).send().await.ok();
    let entry = &log["entries"][0];
    assert_eq!(entry["kind"], "credential.changed");
    assert_eq!(entry["detail"]["from"], INSIDE);
}
