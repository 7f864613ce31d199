//! The WhatsApp network as a process of its own, and a shop that is paired with a phone on it.

use std::process::Stdio;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Answer, Home, Process, call, command, text, wait_for};

/// The WhatsApp network, as the process that it is in a demo.
pub struct Network {
    pub whatsapp: String,
    pub control: String,
    pub receiver: String,
    _process: Process,
    _folder: TempDir,
}

impl Network {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let info = folder.path().join("info.json");
        let data = folder.path().join("data");
        let child = command(&[
            "sandbox",
            "--listen",
            "127.0.0.1:0",
            "--receiver",
            "127.0.0.1:0",
        ])
        .arg("--data")
        .arg(&data)
        .arg("--info")
        .arg(&info)
        .arg("--exit-with-stdin")
        .env("RECADO_LOG", "warn")
        .stdin(Stdio::piped())
        .spawn()
        .expect("the network starts");
        let process = Process(child);
        let info: Value = wait_for("the network", async || {
            serde_json::from_slice(&std::fs::read(&info).ok()?).ok()
        })
        .await;
        Self {
            whatsapp: text(&info, "/whatsapp_url"),
            control: text(&info, "/sandbox_url"),
            receiver: text(&info, "/receiver_url"),
            _process: process,
            _folder: folder,
        }
    }

    pub async fn phone(&self, number: &str, name: &str) {
        let body = json!({"number": number, "name": name});
        call(
            Method::POST,
            &format!("{}/phones", self.control),
            &[],
            Some(body),
        )
        .await
        .ok();
    }

    /// What a person does with a phone.
    pub async fn act(&self, number: &str, what: &str, body: Value) -> Value {
        let url = format!("{}/phones/{number}/{what}", self.control);
        call(Method::POST, &url, &[], Some(body)).await.ok()
    }

    /// Gives the id of the message.
    pub async fn send(&self, from: &str, to: &str, message: &str) -> String {
        let sent = self
            .act(from, "messages", json!({"to": to, "text": message}))
            .await;
        text(&sent, "/id")
    }

    /// Begins a trouble.
    pub async fn trouble(&self, body: Value) {
        let url = format!("{}/trouble", self.control);
        call(Method::POST, &url, &[], Some(body)).await.ok();
    }

    pub async fn scan(&self, number: &str, qr: &str) {
        self.act(number, "scan", json!({"qr": qr})).await;
    }

    /// What the phone shows, both directions.
    pub async fn shown(&self, number: &str) -> Vec<Value> {
        let url = format!("{}/phones/{number}/messages", self.control);
        let list = call(Method::GET, &url, &[], None).await.ok();
        list.as_array().expect("a list").clone()
    }

    pub async fn companions(&self, number: &str) -> Value {
        let url = format!("{}/phones/{number}", self.control);
        call(Method::GET, &url, &[], None).await.ok()["companions"].clone()
    }

    /// Bodies of what the receiver was sent.
    pub async fn deliveries(&self) -> Vec<Value> {
        let origin = self.receiver.trim_end_matches("/webhook");
        let list = call(Method::GET, &format!("{origin}/deliveries"), &[], None)
            .await
            .ok();
        list.as_array().expect("a list").clone()
    }

    /// The ids of messages in `Message` events at the receiver, without repetitions.
    pub async fn delivered(&self) -> std::collections::BTreeSet<String> {
        self.deliveries()
            .await
            .iter()
            .filter(|delivery| delivery["body"]["type"] == "Message")
            .map(|delivery| text(delivery, "/body/event/info/id"))
            .collect()
    }
}

/// A paired instance, and what its owner calls it with.
pub struct Shop {
    base: String,
    pub id: String,
    pub instance_token: String,
    pub client_token: String,
    bearer: String,
    pub phone: &'static str,
}

impl Shop {
    /// Makes an instance with the network's receiver as its webhook and pairs it with `phone`.
    pub async fn paired(
        home: &Home,
        network: &Network,
        account: &Value,
        phone: &'static str,
    ) -> Self {
        let bearer = format!("Bearer {}", jwt(home, account).await);
        let body = json!({
            "name": "Shop", "webhook": network.receiver, "events_subscribe": ["All"],
        });
        let url = format!("{}/instances/create", home.base);
        let made = call(Method::PUT, &url, &[("authorization", &bearer)], Some(body))
            .await
            .ok();
        let shop = Self {
            base: home.base.clone(),
            id: text(&made, "/id"),
            instance_token: text(&made, "/token"),
            client_token: text(account, "/client_token"),
            bearer,
            phone,
        };
        network.phone(phone, "Shop").await;
        shop.scan(network).await;
        shop.online().await;
        shop
    }

    async fn scan(&self, network: &Network) {
        let qr = wait_for("a QR", async || {
            let answer = self.call(Method::GET, "session/qr?format=text", None).await;
            (answer.status == 200).then_some(answer.body)
        })
        .await;
        network
            .scan(self.phone, qr.as_str().expect("the QR's text").trim())
            .await;
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}/instances/{}/{path}", self.base, self.id);
        call(method, &url, &self.headers(), body).await
    }

    pub fn headers(&self) -> [(&str, &str); 2] {
        [
            ("x-client-token", &self.client_token),
            ("x-instance-token", &self.instance_token),
        ]
    }

    /// Accepts a text with an id of the caller's.
    pub async fn send(&self, to: &str, message: &str, id: &str) {
        let body = json!({"phone": to, "message": message, "id": id});
        let sent = self
            .call(Method::POST, "chat/send/text", Some(body))
            .await
            .ok();
        assert_eq!(text(&sent, "/data/message_id"), id);
    }

    /// The instance as its owner reads it; the token of the pairing's time holds over restarts.
    pub async fn row(&self) -> Value {
        let url = format!("{}/instances/{}", self.base, self.id);
        let headers = [("authorization", self.bearer.as_str())];
        call(Method::GET, &url, &headers, None).await.ok()
    }

    /// Waits until the socket is open. Never passes by a new QR: a lost pairing fails here.
    pub async fn online(&self) {
        wait_for("the instance to be online", async || {
            (self.row().await["status"] == "connected").then_some(())
        })
        .await;
    }
}

/// An owner JWT by `POST /token`.
pub async fn jwt(home: &Home, account: &Value) -> String {
    let body = json!({
        "client_token": account["client_token"], "client_secret": account["client_secret"],
    });
    let url = format!("{}/token", home.base);
    text(
        &call(Method::POST, &url, &[], Some(body)).await.ok(),
        "/access_token",
    )
}
