//! A sandbox that is killed: what it acknowledged it has, and what was not taken stays queued.
//!
//! The killed process is this test program itself, started again for [`child`] alone.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Control, Device, LONG, sandbox_in};
use serde_json::json;
use wacore::store::InMemoryBackend;
use wacore::types::events::Event;
use wacore_binary::Jid;

const ANA: &str = "5511999990001";
const BRUNO: &str = "5511999990002";
const FOLDER: &str = "SANDBOX_TEST_FOLDER";
const PORT: &str = "SANDBOX_TEST_PORT";

/// Not a test by itself: the process that the test below kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child() {
    let (Ok(folder), Ok(port)) = (std::env::var(FOLDER), std::env::var(PORT)) else {
        return;
    };
    let _sandbox = sandbox_in(Some(folder.into()), port.parse().unwrap()).await;
    // Its end is the parent's business; should that die first, not for ever.
    tokio::time::sleep(Duration::from_secs(300)).await;
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn start(folder: &std::path::Path, port: u16) -> Killed {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--nocapture"])
        .env(FOLDER, folder)
        .env(PORT, port.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let child = Killed(child);
    let begun = Instant::now();
    while tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .is_err()
    {
        assert!(begun.elapsed() < LONG, "the sandbox does not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    child
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let mut child = start(folder.path(), port).await;
    let control = Arc::new(Control::new(format!("http://127.0.0.1:{port}")));
    for (number, name) in [(ANA, "Ana"), (BRUNO, "Bruno")] {
        let body = json!({"number": number, "name": name});
        assert_eq!(control.post("/phones", body).await.0, 200);
    }
    let url = format!("ws://127.0.0.1:{port}/ws/chat");
    let mut device = Device::at(url, Arc::new(InMemoryBackend::new()), None).await;
    let qr = device.qr().await;
    let scan = format!("/phones/{ANA}/scan");
    assert_eq!(control.post(&scan, json!({ "qr": qr })).await.0, 200);
    device.connected().await;

    let mut sent = Vec::new();
    let mut written = Vec::new();
    for round in 0..3 {
        device.client.wait_for_connected(LONG).await.unwrap();
        let begun = Instant::now();
        let posted = Arc::new(AtomicUsize::new(0));
        let posting = tokio::spawn({
            let (control, posted) = (control.clone(), posted.clone());
            async move {
                let mut written = Vec::new();
                let path = format!("/phones/{BRUNO}/messages");
                let body = json!({"to": ANA, "text": "from the phone"});
                while let Ok((200, answer)) = control
                    .call(reqwest::Method::POST, &path, Some(body.clone()))
                    .await
                {
                    written.push(answer["id"].as_str().unwrap().to_owned());
                    posted.fetch_add(1, Ordering::SeqCst);
                }
                written
            }
        });
        // In the middle of traffic in both directions, at another point each time.
        let before = sent.len();
        while sent.len() < before + 15 + round || posted.load(Ordering::SeqCst) < 15 {
            assert!(begun.elapsed() < LONG, "nothing moves");
            sent.push(says(&device, "to the phone").await);
        }
        drop(child);
        written.extend(posting.await.unwrap());
        child = start(folder.path(), port).await;
    }
    device.client.wait_for_connected(LONG).await.unwrap();
    let acked: Vec<String> = device
        .seen()
        .await
        .iter()
        .filter_map(|event| match event.as_ref() {
            Event::ServerAck(ack) if sent.contains(&ack.id) => Some(ack.id.clone()),
            _ => None,
        })
        .collect();
    assert!(acked.len() > 15, "{} of {}", acked.len(), sent.len());
    for id in &acked {
        assert!(control.shows(BRUNO, id).await.is_some(), "{id} is lost");
    }
    let begun = Instant::now();
    loop {
        device.seen().await;
        let texts = device.texts();
        let missing = written
            .iter()
            .filter(|id| texts.iter().all(|(known, ..)| known != *id))
            .count();
        if missing == 0 {
            break;
        }
        assert!(
            begun.elapsed() < LONG,
            "{missing} of {} lost",
            written.len()
        );
    }
    // Still one session, in which both can read each other.
    let last = says(&device, "well?").await;
    control.shown(BRUNO, &last, |_| true).await;
}

/// The connection may be a new one at any moment, and then the engine has nothing to send over.
async fn says(device: &Device, text: &str) -> String {
    let begun = Instant::now();
    loop {
        match device.client.send_text(Jid::pn(BRUNO), text).await {
            Ok(sent) => return sent.message_id,
            Err(error) => assert!(begun.elapsed() < LONG, "{error}"),
        }
        device.client.wait_for_connected(LONG).await.unwrap();
    }
}
