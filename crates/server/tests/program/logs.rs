//! What the log looks like to whoever collects it.

use reqwest::Method;
use serde_json::Value;

use crate::support::{Home, client, wait_for};

fn alone() -> Home {
    let mut home = Home::new();
    home.set("SANDBOX__URL", "ws://127.0.0.1:9/ws/chat");
    home
}

/// Asks something that is logged, and gives the request id of the answer.
async fn ask(home: &Home) -> String {
    let url = format!("{}/instances/list?token=in-a-query", home.base);
    let request = client()
        .request(Method::POST, url)
        .header("x-request-id", "forged\u{a0}id")
        .header("x-client-token", "ct_in-a-header")
        .body("in-a-body");
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 401);
    let id = answer.headers()["x-request-id"]
        .to_str()
        .expect("text")
        .to_owned();
    wait_for("the line in the log", async || {
        home.log().contains(&id).then_some(())
    })
    .await;
    id
}

#[tokio::test]
async fn plain_text_for_files() {
    let home = alone();
    let gateway = home.serve().await;
    let id = ask(&home).await;
    drop(gateway);
    let log = home.log();
    assert!(
        !log.contains('\u{1b}'),
        "no colours where nobody looks: {log}"
    );
    let line = log
        .lines()
        .find(|line| line.contains(&id))
        .expect("the line");
    for part in [
        "POST",
        "/instances/list",
        "answered",
        "status=401",
        "took_ms=",
        "INFO",
    ] {
        assert!(line.contains(part), "{part:?} in {line}");
    }
    for secret in ["in-a-query", "in-a-header", "in-a-body", "forged"] {
        assert!(!log.contains(secret), "{secret}");
    }
    assert!(log.contains("SANDBOX BUILD"));
}

#[tokio::test]
async fn json_lines() {
    let mut home = alone();
    home.set("LOG_FORMAT", "json");
    let mut gateway = home.serve().await;
    let id = ask(&home).await;
    gateway.close_stdin();
    assert_eq!(gateway.ended(), Some(0));
    let log = home.log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    for line in &lines {
        for field in ["timestamp", "level", "target"] {
            assert!(line[field].is_string(), "{field} in {line}");
        }
        assert!(line["fields"]["message"].is_string(), "{line}");
    }
    let answered = lines
        .iter()
        .find(|line| line["fields"]["message"] == "answered" && line.to_string().contains(&id))
        .expect("the line");
    assert_eq!(answered["span"]["request.id"], id.as_str());
    assert_eq!(answered["span"]["status"], 401);
    assert!(log.contains("SANDBOX BUILD") && log.contains("recado has stopped"));
}

#[tokio::test]
async fn errors_alone_when_asked_for() {
    let mut home = alone();
    home.set("LOG", "error");
    let mut gateway = home.serve().await;
    gateway.close_stdin();
    assert_eq!(gateway.ended(), Some(0));
    let log = home.log();
    assert!(!log.contains("INFO"), "{log}");
}
