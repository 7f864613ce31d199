//! Media over the control API: written, shown, forgotten, played.

use crate::support::{Control, Device, sandbox, sandbox_in};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wacore::types::presence::ReceiptType;

const ANA: &str = "5511999990001";
const BRUNO: &str = "5511999990002";

fn plain() -> Vec<u8> {
    (0..50_001u32).map(|at| (at % 251) as u8).collect()
}

async fn phones(control: &Control) {
    for (number, name) in [(ANA, "Ana"), (BRUNO, "Bruno")] {
        let body = json!({"number": number, "name": name});
        assert_eq!(control.post("/phones", body).await.0, 200);
    }
}

async fn media_of(control: &Control, number: &str, query: &str) -> Value {
    let path = format!("/phones/{number}/messages{query}");
    control.get(&path).await[0]["media"].clone()
}

async fn status(url: String) -> StatusCode {
    let answer = Client::new().get(url).send().await;
    answer.expect("an answer").status()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_written_shown_and_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = sandbox_in(Some(folder.path().into()), 0).await;
    let base = sandbox.control_url();
    let control = Control::new(base.clone());
    phones(&control).await;
    let data = BASE64_STANDARD.encode(plain());
    let path = format!("/phones/{BRUNO}/messages");
    let body = json!({"to": ANA, "document": {"data": data, "mime": "text/plain",
        "file_name": "Relatório.txt", "caption": "olha"}});
    let (code, sent) = control.post(&path, body).await;
    assert_eq!((code, &sent["kind"]), (200, &json!("document")), "{sent}");
    assert_eq!(sent["media"]["data"], Value::Null, "not unless asked for");

    for number in [ANA, BRUNO] {
        let shown = media_of(&control, number, "").await;
        let hash = hex::encode(Sha256::digest(plain()));
        assert_eq!(shown["sha256"], hash, "{shown}");
        assert_eq!(shown["length"], 50_001);
        assert_eq!(shown["file_name"], "Relatório.txt");
        assert_eq!(shown["caption"], "olha");
        assert_eq!(shown["data"], Value::Null);
        assert_eq!(media_of(&control, number, "?media=1").await["data"], data);
    }
    let said = media_of(&control, ANA, "").await["said"].clone();
    let at = said["direct_path"].as_str().expect("a path").to_owned();
    assert_eq!(status(format!("{base}{at}")).await, 200);
    let name = at.rsplit('/').next().expect("a name");
    let forget = async |path: String| control.call(Method::DELETE, &path, None).await;
    let forgot = forget(format!("/media/{name}")).await.expect("an answer");
    assert_eq!(forgot, (200, json!({"forgotten": 1})));
    let again = forget(format!("/media/{name}")).await.expect("an answer");
    assert_eq!(again.0, 404);
    assert_eq!(status(format!("{base}{at}")).await, 410);
    assert_eq!(status(format!("{base}/v/{}", "0".repeat(64))).await, 404);
    // The phone has its copy, also after a restart, until it deletes it.
    sandbox.stop().await;
    let sandbox = sandbox_in(Some(folder.path().into()), 0).await;
    let base = sandbox.control_url();
    let control = Control::new(base.clone());
    assert_eq!(status(format!("{base}{at}")).await, 410);
    assert_eq!(media_of(&control, ANA, "?media=1").await["data"], data);
    let path = format!("/phones/{ANA}/media");
    let deleted = control.call(Method::DELETE, &path, None).await;
    assert_eq!(deleted.expect("an answer"), (200, json!({"deleted": 1})));
    let shown = media_of(&control, ANA, "?media=1").await;
    assert_eq!(shown["fault"], "the phone has no copy of it");
    assert_eq!(shown["data"], Value::Null);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_is_what_its_token_says() {
    let sandbox = sandbox().await;
    let base = sandbox.control_url();
    let token = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(b"sealed"));
    let put = async |query: &str, body: &'static [u8]| {
        let url = format!("{base}/mms/image/{token}{query}");
        let answer = Client::new().post(url).body(body).send().await;
        let answer = answer.expect("an answer");
        let status = answer.status();
        let body = answer.text().await.expect("a body");
        (
            status,
            serde_json::from_str::<Value>(&body).unwrap_or_default(),
        )
    };
    assert_eq!(put("?resume=1", b"").await.1, json!({"resume": "0"}));
    assert_eq!(put("", b"other bytes").await.0, 400);
    assert_eq!(put("?resume=1", b"").await.1, json!({"resume": "0"}));
    let (status, kept) = put("", b"sealed").await;
    assert_eq!(status, 200);
    let (_, there) = put("?resume=1", b"").await;
    assert_eq!(there["resume"], "complete");
    assert_eq!(there["direct_path"], kept["direct_path"]);
    let path = kept["direct_path"].as_str().expect("a path");
    let got = reqwest::get(format!("{base}{path}")).await.expect("it");
    assert_eq!(got.content_length(), Some(6));
    assert_eq!(&got.bytes().await.expect("bytes")[..], b"sealed");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_media_are_refused_and_played_ones_told() {
    let sandbox = sandbox().await;
    let control = Control::new(sandbox.control_url());
    phones(&control).await;
    let path = format!("/phones/{BRUNO}/messages");
    let odd = json!({"to": ANA, "image": {"data": "?"}});
    let (code, answer) = control.post(&path, odd).await;
    assert_eq!(code, 400);
    let text = answer["error"].as_str().expect("a text");
    assert!(text.contains("`data` is not base64"), "{text}");

    let mut device = Device::paired(&sandbox, ANA).await;
    let path = format!("/phones/{BRUNO}/read");
    let body = json!({"from": ANA, "played": true});
    assert_eq!(control.post(&path, body).await.0, 400, "of which?");
    let body = json!({"from": ANA, "ids": ["3EB0AA"], "played": true});
    assert_eq!(control.post(&path, body).await, (200, json!({"read": 1})));
    device
        .expect("a played receipt", |event| match event {
            wacore::types::events::Event::Receipt(receipt) => {
                (receipt.r#type == ReceiptType::Played).then_some(())
            }
            _ => None,
        })
        .await;
    sandbox.stop().await;
}
