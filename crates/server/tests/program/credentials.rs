//! The operator at the credentials of a running gateway: what the command line ends has ended there
//! within a second.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    network::jwt,
    support::{Home, call, text, wait_for},
};

/// What the design promises of changes by another process.
const A_SECOND: Duration = Duration::from_secs(1);

fn home() -> Home {
    let mut home = Home::new();
    home.set("SANDBOX__URL", "ws://127.0.0.1:9/ws/chat");
    home
}

fn json_of(home: &Home, args: &[&str]) -> Value {
    let mut args = args.to_vec();
    args.push("--json");
    serde_json::from_str(&home.out(&args)).expect("JSON")
}

fn first_of(home: &Home, account: &str, kind: &str) -> String {
    let args = ["credential", "list", "--account", account, "--kind", kind];
    text(&json_of(home, &args), "/0/id")
}

async fn by_api_token(home: &Home, token: &str) -> u16 {
    let bearer = format!("Bearer {token}");
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let url = format!("{}/api/mcp/", home.base);
    let headers = [("authorization", bearer.as_str())];
    let answer = call(Method::POST, &url, &headers, Some(ping)).await;
    answer.status.as_u16()
}

async fn by_jwt(home: &Home, jwt: &str) -> u16 {
    let bearer = format!("Bearer {jwt}");
    let url = format!("{}/account", home.base);
    let headers = [("authorization", bearer.as_str())];
    call(Method::GET, &url, &headers, None)
        .await
        .status
        .as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_operator_ends_has_ended_within_a_second() {
    let home = home();
    let account = home.account("Shop", "owner@shop.example");
    let id = text(&account, "/account_id");
    let _gateway = home.serve().await;
    let wz = text(&account, "/api_token");
    let token = jwt(&home, &account).await;
    // In use, and so in every cache.
    assert_eq!(by_api_token(&home, &wz).await, 200);
    assert_eq!(by_jwt(&home, &token).await, 200);

    // Made by the operator, known to the gateway at once.
    let create = [
        "credential",
        "create",
        "--account",
        &id,
        "--kind",
        "client",
        "--label",
        "staging",
    ];
    let made = json_of(&home, &create);
    let staging = jwt(&home, &made).await;
    let agents = [
        "credential",
        "create",
        "--account",
        &id,
        "--kind",
        "api-token",
    ];
    let agents = json_of(&home, &agents);
    let agents = (text(&agents, "/id"), text(&agents, "/token"));
    assert_eq!(by_api_token(&home, &agents.1).await, 200);

    // Rotated with a grace: both hold. Then without: the old one does not.
    let new = json_of(&home, &["credential", "rotate", &agents.0, "--grace", "1h"]);
    assert_eq!(new["replaces"]["id"], agents.0.as_str());
    tokio::time::sleep(A_SECOND).await;
    assert_eq!(by_api_token(&home, &agents.1).await, 200);
    let second = text(&new, "/token");
    assert_eq!(by_api_token(&home, &second).await, 200);
    let third = json_of(&home, &["credential", "rotate", &text(&new, "/id")]);
    tokio::time::sleep(A_SECOND).await;
    assert_eq!(by_api_token(&home, &second).await, 401);
    assert_eq!(by_api_token(&home, &text(&third, "/token")).await, 200);

    // Revoked: the token, or the pair with the JWTs that came from it.
    let first = first_of(&home, &id, "api_token");
    home.out(&["credential", "revoke", &first]);
    home.out(&["credential", "revoke", &text(&made, "/id")]);
    tokio::time::sleep(A_SECOND).await;
    assert_eq!(by_api_token(&home, &wz).await, 401);
    assert_eq!(by_jwt(&home, &staging).await, 401);
    assert_eq!(by_jwt(&home, &token).await, 200);

    // Signed out everywhere.
    home.out(&["credential", "sign-out", "--account", &id]);
    tokio::time::sleep(A_SECOND).await;
    assert_eq!(by_jwt(&home, &token).await, 401);
    let again = jwt(&home, &account).await;
    assert_eq!(by_jwt(&home, &again).await, 200);

    // Who it was is in the account's log, and no token is.
    let log = json_of(&home, &["audit", "--account", &id, "--limit", "500"]);
    let of_operator = |kind: &str| {
        let rows = log.as_array().expect("rows").iter();
        let by = json!({"proof": "operator"});
        rows.filter(|row| row["kind"] == kind && row["detail"]["by"] == by)
            .count()
    };
    assert_eq!(of_operator("credential.created"), 2);
    assert_eq!(of_operator("credential.rotated"), 2);
    assert_eq!(of_operator("credential.revoked"), 2);
    assert_eq!(of_operator("credential.signed_out"), 1);
    let shown = [
        home.out(&["audit", "--account", &id]),
        home.out(&["credential", "list", "--account", &id, "--all"]),
        log.to_string(),
    ];
    for secret in [
        &wz,
        &agents.1,
        &second,
        &text(&made, "/client_secret"),
        &text(&account, "/client_token"),
    ] {
        for shown in &shown {
            assert!(!shown.contains(secret.as_str()), "{shown}");
        }
    }
    assert!(shown[1].contains("staging") && shown[1].contains("revoked"));
    assert!(!shown[1].contains("  from ") && !shown[1].contains("  only "));
    // The gateway writes when which was used.
    wait_for("the last use to be written", async || {
        let list = json_of(&home, &["credential", "list", "--account", &id]);
        let rows = list.as_array().expect("rows");
        let third = rows.iter().find(|row| row["id"] == third["id"])?;
        third["last_used_at"].is_string().then_some(())
    })
    .await;
}

#[test]
fn what_cannot_be_done_is_said_in_a_sentence() {
    let home = home();
    let account = home.account("Shop", "owner@shop.example");
    let id = text(&account, "/account_id");
    let token = first_of(&home, &id, "api_token");
    for (args, due) in [
        (
            vec!["credential", "list", "--account", "ACNOBODY"],
            "there is no account",
        ),
        (
            vec!["audit", "--account", "ACNOBODY"],
            "there is no account",
        ),
        (
            vec!["credential", "revoke", "CRNOBODY"],
            "there is no credential",
        ),
        (
            vec!["credential", "list", "--account", &id, "--kind", "jwt"],
            "--kind is",
        ),
        (
            vec!["audit", "--account", &id, "--kind", "credential.revokd"],
            "kind is one of access.refused, ",
        ),
        (
            vec![
                "account",
                "create",
                "--name",
                "Sh\u{202e}op",
                "--email",
                "a@b.example",
            ],
            "name holds a character that nobody sees",
        ),
        (
            vec![
                "account",
                "create",
                "--name",
                "Shop",
                "--email",
                "@localhost",
            ],
            "email must look like",
        ),
        (
            vec![
                "credential",
                "create",
                "--account",
                &id,
                "--kind",
                "client",
                "--network",
                "everywhere",
            ],
            "networks holds networks such as",
        ),
        (
            vec![
                "credential",
                "create",
                "--account",
                &id,
                "--kind",
                "client",
                "--instance",
                "RCX",
            ],
            "instances names one",
        ),
        (
            vec![
                "credential",
                "create",
                "--account",
                &id,
                "--kind",
                "client",
                "--expires",
                "soon",
            ],
            "expires_at is a time in the future",
        ),
        (
            vec!["credential", "rotate", &token, "--grace", "31d"],
            "30 days",
        ),
        (
            vec!["credential", "rotate", &token, "--grace", "soon"],
            "a time such as",
        ),
        (vec!["audit", "--account", &id, "--limit", "0"], "1..=500"),
    ] {
        let ended = home.run(&args);
        assert_ne!(ended.code, Some(0), "{args:?}: {}", ended.out);
        assert!(ended.err.contains(due), "{args:?}: {}", ended.err);
        assert!(!ended.err.contains("panicked"), "{}", ended.err);
    }
    // For people: what to do with it.
    let made = home.out(&["credential", "create", "--account", &id, "--kind", "client"]);
    assert!(
        made.contains("Store this now") && made.contains("public front end"),
        "{made}"
    );
    let made = home.out(&["credential", "rotate", &token, "--grace", "15m"]);
    assert!(made.contains("which holds until"), "{made}");
}

#[test]
fn a_list_says_what_a_credential_is_bound_to() {
    let home = home();
    let account = home.account("Shop", "owner@shop.example");
    let id = text(&account, "/account_id");
    let create = [
        "credential",
        "create",
        "--account",
        &id,
        "--kind",
        "api-token",
        "--label",
        "till",
        "--expires",
        "2099-01-01T00:00:00Z",
        "--network",
        "192.0.2.0/24",
        "--network",
        "2001:db8::/32",
    ];
    let made = text(&json_of(&home, &create), "/id");
    home.out(&["credential", "rotate", &made, "--grace", "1h"]);
    let list = home.out(&["credential", "list", "--account", &id]);
    let line = |id: &str| list.lines().find(|line| line.starts_with(id));
    let old = line(&made).expect("its line");
    for part in [
        "  until 2099-01-01T00:00:00",
        "  grace until 20",
        "  from 192.0.2.0/24,2001:db8::/32  till",
    ] {
        assert!(old.contains(part), "{part:?} in {old}");
    }
    let free = line(&first_of(&home, &id, "client_token")).expect("its line");
    for part in ["until", "from", "only"] {
        assert!(!free.contains(part), "{part:?} in {free}");
    }
}
