//! What people show of themselves, over the control API; and that it stays.

use recado_sandbox::Sandbox;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::{sandbox, sandbox_in};

const ANA: &str = "5511999990001";
const BRUNO: &str = "5511999990002";

async fn call(sandbox: &Sandbox, method: Method, below: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/phones/{ANA}{below}", sandbox.control_url());
    let answer = Client::new().request(method, url).json(&body).send().await;
    let answer = answer.expect("the sandbox answers");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}

async fn people(sandbox: &Sandbox) {
    for (number, name) in [(ANA, "Ana"), (BRUNO, "Bruno")] {
        let network = sandbox.network();
        network.add_phone(number, name).expect("a phone");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_show_what_they_want() {
    let sandbox = sandbox().await;
    people(&sandbox).await;
    let body = json!({"about": "At sea", "hidden": true});
    let (status, shown) = call(&sandbox, Method::PATCH, "/profile", body).await;
    assert_eq!(
        (status, &shown["about"]),
        (200, &json!("At sea")),
        "{shown}"
    );
    assert_eq!(shown["hidden"], true);
    // "/9j/4A==" are the first bytes of a JPEG.
    let (status, shown) = call(
        &sandbox,
        Method::PUT,
        "/picture",
        json!({"data": "/9j/4A=="}),
    )
    .await;
    assert_eq!(status, 200, "{shown}");
    assert_eq!(shown["picture"]["path"], shown["picture"]["preview_path"]);
    let bytes = sandbox.network().picture(ANA).expect("a picture");
    assert_eq!(bytes, [0xff, 0xd8, 0xff, 0xe0]);
    let (_, shown) = call(&sandbox, Method::DELETE, "/picture", Value::Null).await;
    assert_eq!(shown["picture"], Value::Null);
    let (status, _) = call(&sandbox, Method::PUT, "/picture", json!({"data": "*"})).await;
    assert_eq!(status, 400);
    let business = json!({"verified_name": "Padaria"});
    let (_, shown) = call(&sandbox, Method::PUT, "/business", business).await;
    assert_eq!(shown["business"]["verified_name"], "Padaria");
    let below = format!("/blocked/{BRUNO}");
    let (_, shown) = call(&sandbox, Method::PUT, &below, Value::Null).await;
    assert_eq!(shown["blocked"], json!([BRUNO]));
    let (_, shown) = call(&sandbox, Method::DELETE, &below, Value::Null).await;
    assert_eq!(shown["blocked"], json!([]));
    let (_, shown) = call(
        &sandbox,
        Method::POST,
        "/presence",
        json!({"available": false}),
    )
    .await;
    assert_eq!(shown, json!({"available": false}));
    let (status, made) = call(&sandbox, Method::POST, "/calls", json!({"to": BRUNO})).await;
    assert_eq!((status, &made["state"]), (200, &json!("ringing")), "{made}");
    let below = format!("/calls/{}", made["id"].as_str().expect("an id"));
    let (_, ended) = call(&sandbox, Method::DELETE, &below, Value::Null).await;
    assert_eq!(ended["state"], "ended");
    let (status, _) = call(&sandbox, Method::DELETE, &below, Value::Null).await;
    assert_eq!(status, 404, "once");
    let (_, calls) = call(&sandbox, Method::GET, "/calls", Value::Null).await;
    assert_eq!(calls["calls"], json!([ended]));
    let (status, _) = call(
        &sandbox,
        Method::POST,
        "/calls",
        json!({"to": "34699999999"}),
    )
    .await;
    assert_eq!(status, 404);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_show_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = sandbox_in(Some(folder.path().to_owned()), 0).await;
    people(&kept).await;
    let body = json!({"about": "At sea"});
    call(&kept, Method::PATCH, "/profile", body).await;
    call(&kept, Method::PUT, "/picture", json!({"data": "/9j/4A=="})).await;
    let before = kept.network().profile(ANA).expect("a profile");
    kept.stop().await;
    let again = sandbox_in(Some(folder.path().to_owned()), 0).await;
    assert_eq!(again.network().profile(ANA).expect("a profile"), before);
    assert!(again.network().picture(ANA).is_ok());
    again.stop().await;
}
