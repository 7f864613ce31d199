//! The HTTP sides: control API and receiver, as scripts use them.

use std::time::{Duration, Instant};

use crate::support::{Device, sandbox};
use recado_sandbox::Config;
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

async fn call(
    client: &Client,
    method: Method,
    url: String,
    body: Option<Value>,
) -> (StatusCode, Value) {
    let mut request = client.request(method, url);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.expect("the sandbox answers");
    let status = response.status();
    let text = response.text().await.expect("a body");
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_api() {
    let sandbox = sandbox().await;
    let base = sandbox.control_url();
    let http = Client::new();
    let post =
        |path: &str, body: Value| call(&http, Method::POST, format!("{base}{path}"), Some(body));
    let get = |path: &str| call(&http, Method::GET, format!("{base}{path}"), None);

    for _ in 0..2 {
        let (status, phone) = post(
            "/phones",
            json!({"number": "+5511999990001", "name": "Ana"}),
        )
        .await;
        assert_eq!(status, 200);
        assert_eq!(phone["number"], "5511999990001");
        assert_eq!(phone["online"], true);
    }
    assert_eq!(
        post(
            "/phones",
            json!({"number": "5511999990002", "name": "Bruno"})
        )
        .await
        .0,
        200
    );
    assert_eq!(get("/phones").await.1.as_array().map(Vec::len), Some(2));
    assert_eq!(get("/health").await.1["network"], "sandbox");

    // Bad input says what to do.
    let (status, answer) = post(
        "/phones/5511999990009/messages",
        json!({"to": "5511999990001", "text": "x"}),
    )
    .await;
    assert_eq!(status, 404);
    assert!(
        answer["error"]
            .as_str()
            .unwrap()
            .contains("create it with POST /phones"),
        "{answer}"
    );
    assert_eq!(post("/phones", json!({"number": "abc"})).await.0, 400);
    assert_eq!(post("/phones/5511999990001/scan", json!({})).await.0, 400);
    assert_eq!(
        post("/phones/5511999990001/scan", json!({"qr": "nonsense"}))
            .await
            .0,
        409
    );
    assert_eq!(
        post("/phones/5511999990001/pair", json!({"code": "short"}))
            .await
            .0,
        400
    );
    assert_eq!(
        post("/phones/5511999990001/pair", json!({"code": "ABCD-1234"}))
            .await
            .0,
        409
    );
    assert_eq!(get("/nowhere").await.0, 404);
    let response = http
        .post(format!("{base}/phones"))
        .body("{not json")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 400);
    let (status, answer) = call(&http, Method::DELETE, format!("{base}/phones"), None).await;
    assert_eq!(status, 405);
    assert!(answer["error"].is_string());

    // The main job, over HTTP.
    let mut device = Device::start(&sandbox).await;
    let qr = device.qr().await;
    let (status, paired) = post("/phones/5511999990001/scan", json!({ "qr": qr })).await;
    assert_eq!(
        (status, &paired["connected"]),
        (StatusCode::OK, &json!(true)),
        "{paired}"
    );
    device.connected().await;
    let (status, sent) = post(
        "/phones/5511999990002/messages",
        json!({"to": "+5511999990001", "text": "hello"}),
    )
    .await;
    assert_eq!(status, 200);
    let texts = device.texts_at_least(1).await;
    assert_eq!(sent["id"], texts[0].0.as_str());
    let (_, messages) = get("/phones/5511999990002/messages").await;
    for key in [
        "id",
        "from",
        "to",
        "text",
        "kind",
        "status",
        "timestamp",
        "shown_at",
    ] {
        assert!(!messages[0][key].is_null(), "{key} in {messages}");
    }
    assert_eq!(
        post(
            "/phones/5511999990001/read",
            json!({"from": "5511999990002"})
        )
        .await
        .0,
        200
    );
    assert_eq!(
        post(
            "/phones/5511999990002/typing",
            json!({"to": "5511999990001", "state": "recording"})
        )
        .await
        .0,
        200
    );
    assert_eq!(
        post(
            "/phones/5511999990002/typing",
            json!({"to": "5511999990001", "state": "dancing"})
        )
        .await
        .0,
        400
    );
    let bare = |path: &str| call(&http, Method::POST, format!("{base}{path}"), None);
    assert_eq!(
        bare("/phones/5511999990002/offline").await.1["online"],
        false
    );
    assert_eq!(bare("/phones/5511999990002/online").await.1["online"], true);
    assert_eq!(bare("/phones/5511999990001/logout").await.1["unlinked"], 1);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receiver() {
    let sandbox = sandbox().await;
    let hook = sandbox.receiver_url();
    let origin = hook.trim_end_matches("/webhook").to_owned();
    let http = Client::new();
    let response = http
        .post(format!("{hook}?a=1"))
        .header("X-Signature", "t=1,v1=abc")
        .json(&json!({"event": "Message"}))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    http.post(format!("{origin}/other"))
        .body("plain")
        .send()
        .await
        .unwrap();
    let (_, list) = call(&http, Method::GET, format!("{origin}/deliveries"), None).await;
    assert_eq!(list[0]["path"], "/webhook?a=1");
    assert_eq!(list[0]["headers"]["x-signature"], "t=1,v1=abc");
    assert_eq!(list[0]["body"]["event"], "Message");
    assert_eq!(list[0]["raw"], r#"{"event":"Message"}"#);
    assert_eq!(list[1]["body"], "plain");
    let (_, later) = call(
        &http,
        Method::GET,
        format!("{origin}/deliveries?after=1"),
        None,
    )
    .await;
    assert_eq!(later.as_array().map(Vec::len), Some(1));

    let mode = json!({"status": 503, "delay_ms": 200});
    assert_eq!(
        call(&http, Method::POST, format!("{origin}/mode"), Some(mode))
            .await
            .0,
        200
    );
    let started = Instant::now();
    assert_eq!(
        http.post(&hook).body("x").send().await.unwrap().status(),
        503
    );
    assert!(started.elapsed() >= Duration::from_millis(200));
    let bad = json!({"status": 42});
    assert_eq!(
        call(&http, Method::POST, format!("{origin}/mode"), Some(bad))
            .await
            .0,
        400
    );

    assert_eq!(sandbox.receiver().deliveries().len(), 3);
    assert_eq!(
        call(&http, Method::DELETE, format!("{origin}/deliveries"), None)
            .await
            .0,
        204
    );
    assert!(sandbox.receiver().deliveries().is_empty());
    sandbox.stop().await;
}

#[tokio::test]
async fn loopback_only() {
    let refused = recado_sandbox::start(Config {
        listen: "0.0.0.0:0".parse().unwrap(),
        receiver: "127.0.0.1:0".parse().unwrap(),
        data_dir: None,
    })
    .await
    .err()
    .expect("it refuses");
    assert!(refused.to_string().contains("loopback"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_change() {
    let sandbox = sandbox().await;
    let base = sandbox.control_url();
    let http = Client::new();
    let post =
        |path: &str, body: Value| call(&http, Method::POST, format!("{base}{path}"), Some(body));
    let ana = "/phones/5511999990001";
    for number in ["5511999990001", "5511999990002"] {
        let body = json!({"number": number, "name": "Somebody"});
        assert_eq!(post("/phones", body).await.0, 200);
    }
    for (path, body, status) in [
        ("/settings/spoil", json!({"collection": "regular"}), 200),
        ("/settings/spoil", json!({"collection": "none"}), 400),
        ("/garble", json!({"copies": 1}), 200),
        ("/garble", json!({}), 400),
        ("/named-by", json!({"named_by": "lid_alone"}), 200),
        ("/named-by", json!({"named_by": "nobody"}), 400),
        ("/reinstall", json!({}), 200),
        ("/number", json!({"number": "5511999990002"}), 409),
        ("/number", json!({"number": "5511999990003"}), 200),
        ("/reinstall", json!({}), 409),
    ] {
        let (answered, told) = post(&format!("{ana}{path}"), body.clone()).await;
        assert_eq!(answered, status, "{path} {body}: {told}");
    }
    let url = format!("{base}/phones/5511999990003");
    let (_, moved) = call(&http, Method::GET, url, None).await;
    assert_eq!(
        (&moved["name"], &moved["online"]),
        (&json!("Somebody"), &json!(true))
    );
}
