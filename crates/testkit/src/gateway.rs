//! The bed of the program: a gateway with a database of its own, a sandbox with phones, two shops, and an
//! HTTP client.
//!
//! | file | holds |
//! |---|---|
//! | `credentials`, `direct` | what tests do with credentials, Direct API sessions |
//! | `nodes` | more gateways on the same database |
//! | `looking` | what looks at media, or a script in its place |
//! | `left` | what is still to be done when a test ends |

mod credentials;
mod direct;
mod left;
mod looking;
mod nodes;

use std::{
    future::Future,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use recado::{
    config::Settings,
    lifecycle::{Gateway, World, open_store},
};
use recado_identity::accounts::{self, NewAccount};
use recado_model::{AccountId, Clock as _, InstanceId, Rng, Secret, clock::OsRng};
use recado_sandbox::{ChatMessage, Delivery, Paired, Sandbox};
use recado_store::{Conn, MasterKey, Store};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    clock::JumpClock,
    database::{Kind, TestDatabase},
};

pub use self::{
    credentials::text,
    direct::{DirectSession, rows_naming},
    left::Left,
};
pub use crate::call::{Answer, Call};

/// Long enough for a busy machine; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The shop's own phone, a second one, and a customer's.
pub const SHOP: &str = "5511999990001";
pub const SHOP_TOO: &str = "5511999990002";
pub const CUSTOMER: &str = "5511999990009";

pub fn rng() -> Arc<dyn Rng> {
    Arc::new(OsRng)
}

/// An account with what its owner was given, and a token of an hour.
pub struct Shop {
    pub id: AccountId,
    pub client_token: String,
    pub client_secret: String,
    pub api_token: String,
    pub jwt: String,
}

/// The answer of `PUT /instances/create`.
#[derive(Clone)]
pub struct Made {
    pub id: String,
    pub token: String,
    /// MCP's `session_id`.
    pub number: i64,
}

impl Made {
    pub fn instance(&self) -> InstanceId {
        InstanceId::from_text(&self.id)
    }

    pub fn path(&self, below: &str) -> String {
        format!("/instances/{}{below}", self.id)
    }
}

pub struct Bed {
    pub sandbox: Sandbox,
    pub clock: Arc<JumpClock>,
    pub http: reqwest::Client,
    pub a: Shop,
    pub b: Shop,
    settings: Settings,
    /// The same as text, for another node.
    text: String,
    gateway: Option<Gateway>,
    /// What looks at media: the program itself, or what a test puts in its place.
    program: Option<PathBuf>,
    folder: tempfile::TempDir,
    /// Work that the test leaves undone on purpose.
    left: Mutex<Vec<Left>>,
    /// Last: dropped without `close`, it fails the test.
    database: TestDatabase,
}

/// The bed's own settings, then the test's; what most tests want, unless the test says otherwise.
fn settings_text(own: &[(&str, String)], extra: &str) -> String {
    let mut text: String = own
        .iter()
        .map(|(name, value)| format!("{name} = {value:?}\n"))
        .collect();
    text.push_str("start.stagger_ms = 0\n");
    if !extra.contains("send.min_interval_ms") {
        text.push_str("send.min_interval_ms = 0\n");
    }
    if !extra.contains("egress.allow") {
        text.push_str("egress.allow = [\"127.0.0.0/8\"]\n");
    }
    if !extra.contains("failed_proofs") {
        // Thousands of bad proofs come from one address here; `limits` tests what that means.
        text.push_str("limits.failed_proofs_per_network = 1000000\nlimits.failed_proofs_per_client = 1000000\n");
    }
    text.push_str(extra);
    text
}

async fn shop(store: &Store, clock: &JumpClock, name: &str, owner_email: &str) -> Shop {
    let new = NewAccount {
        name: name.to_owned(),
        owner_email: owner_email.to_owned(),
        owner_password: Some(Secret::new("correct horse battery")),
    };
    let made = accounts::create(store, clock, &OsRng, new)
        .await
        .expect("an account");
    Shop {
        id: made.id,
        client_token: made.client_token.expose().to_owned(),
        client_secret: made.client_secret.expose().to_owned(),
        api_token: made.api_token.expose().to_owned(),
        jwt: String::new(),
    }
}

impl Bed {
    pub async fn sqlite(settings: &str) -> Self {
        Self::on(Kind::Sqlite, settings).await
    }

    pub async fn postgres(settings: &str) -> Self {
        Self::on(Kind::Postgres, settings).await
    }

    pub async fn on(kind: Kind, extra: &str) -> Self {
        let database = TestDatabase::new(kind).await;
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let sandbox = recado_sandbox::start(recado_sandbox::Config {
            listen: any,
            receiver: any,
            data_dir: None,
        })
        .await
        .expect("a sandbox");
        for (number, name) in [(SHOP, "Shop"), (SHOP_TOO, "Shop too"), (CUSTOMER, "Ana")] {
            sandbox.network().add_phone(number, name).expect("a phone");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let (_, key) = MasterKey::generate(&OsRng);
        let own = [
            ("data_dir", folder.path().join("data").display().to_string()),
            ("listen", any.to_string()),
            ("metrics_listen", String::new()),
            ("database_url", database.url()),
            ("master_key", key.trim().to_owned()),
            ("node", "it".to_owned()),
            ("sandbox.url", sandbox.whatsapp_url()),
        ];
        let text = settings_text(&own, extra);
        let settings = Settings::from_toml(&text).expect("settings");

        let clock = Arc::new(JumpClock::new());
        let store = open_store(&settings, &rng(), true, true)
            .await
            .expect("a database");
        let a = shop(&store, &clock, "Shop A", "a@example.com").await;
        let b = shop(&store, &clock, "Shop B", "b@example.com").await;
        store.close().await;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE * 2)
            .build()
            .expect("a client");
        let mut bed = Self {
            sandbox,
            clock,
            http,
            a,
            b,
            settings,
            text,
            gateway: None,
            program: looking::program(),
            folder,
            left: Mutex::default(),
            database,
        };
        bed.start().await;
        bed.log_in().await;
        bed
    }

    async fn start(&mut self) {
        let world = World {
            clock: self.clock.clone(),
            rng: rng(),
            metrics: None,
            program: self.program.clone(),
            refusal_hold: Duration::ZERO,
        };
        let started = Gateway::start(&self.settings, world).await;
        self.gateway = Some(started.expect("the gateway starts"));
    }

    pub async fn stop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.stop().await.expect("the gateway stops");
        }
    }

    /// Settles what is due, ends the gateway, and takes the database away. Fails when something is left to
    /// do that the test did not name ([`Bed::leaves`]).
    pub async fn close(mut self) {
        self.settle().await;
        self.stop().await;
        self.database.close().await;
    }

    /// The same data, a new process as it were. Its address, and with it the issuer of tokens, is new.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start().await;
        self.log_in().await;
    }

    /// Fresh JWTs for both shops, by what their owners hold.
    pub async fn log_in(&mut self) {
        self.a.jwt = self.token_of(&self.a).await;
        self.b.jwt = self.token_of(&self.b).await;
    }

    pub async fn token_of(&self, shop: &Shop) -> String {
        let body = json!({"client_token": shop.client_token, "client_secret": shop.client_secret});
        let answer = self.post("/token").json(body).send().await.ok();
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    pub fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().expect("the gateway runs")
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.gateway().base_url)
    }

    pub fn address(&self) -> &str {
        self.gateway().base_url.trim_start_matches("http://")
    }

    pub async fn read(&self) -> Conn {
        self.gateway().store.read().await.expect("a connection")
    }

    /// For looking at what is kept, past the store.
    pub fn database(&self) -> recado_store::Database {
        self.settings.database().expect("a database")
    }

    pub async fn write(&self) -> Conn {
        self.gateway().store.write().await.expect("a connection")
    }

    pub fn call(&self, method: &str, path: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let shown = format!("{method} {path}");
        let request = self.http.request(method, self.url(path));
        Call { shown, request }
    }

    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    /// A JSON-RPC message to the MCP endpoint, as `shop`.
    pub async fn mcp(&self, shop: &Shop, message: Value) -> Answer {
        let call = self.post("/api/mcp/").bearer(&shop.api_token);
        call.json(message).send().await
    }

    /// A tool's result.
    pub async fn tool(&self, shop: &Shop, name: &str, arguments: Value) -> Value {
        let message = json!({
            "jsonrpc": "2.0", "id": 1, "method": "tools/call",
            "params": {"name": name, "arguments": arguments},
        });
        self.mcp(shop, message).await.ok()["result"].clone()
    }

    pub async fn create(&self, shop: &Shop, body: Value) -> Made {
        let call = self.call("PUT", "/instances/create").bearer(&shop.jwt);
        let made = call.json(body).send().await.ok();
        Made {
            id: made["id"].as_str().expect("an id").to_owned(),
            token: made["token"].as_str().expect("a token").to_owned(),
            number: made["session_id"].as_i64().expect("a number"),
        }
    }

    /// An instance that `number`'s phone has linked, online.
    pub async fn paired(&self, shop: &Shop, number: &str) -> Made {
        let made = self.create(shop, json!({"name": "Paired"})).await;
        self.scan(shop, &made, number).await;
        made
    }

    pub async fn qr_text(&self, shop: &Shop, made: &Made) -> String {
        let path = made.path("/session/qr?format=text");
        let answer = self.get(&path).bearer(&shop.jwt).send().await;
        answer.expect(200).text()
    }

    pub async fn scan(&self, shop: &Shop, made: &Made, number: &str) -> Paired {
        let qr = self.qr_text(shop, made).await;
        let scanned = self.sandbox.network().scan(number, &qr).await;
        let paired = scanned.expect("the phone links the instance");
        self.wait_state(shop, made, "connected").await;
        paired
    }

    pub async fn look(&self, shop: &Shop, made: &Made) -> Value {
        self.get(&made.path("")).bearer(&shop.jwt).send().await.ok()
    }

    /// Waits until the instance is in `state`, and returns it as its owner sees it.
    pub async fn wait_state(&self, shop: &Shop, made: &Made, state: &str) -> Value {
        until(&format!("state {state}"), async || {
            let seen = self.look(shop, made).await;
            (seen["status"] == state).then_some(seen)
        })
        .await
    }

    pub async fn send(&self, shop: &Shop, made: &Made, body: Value) -> Answer {
        let call = self.post(&made.path("/chat/send/text")).bearer(&shop.jwt);
        call.json(body).send().await
    }

    /// The events about a message of shop A.
    pub async fn told(&self, made: &Made, id: &str) -> Value {
        let path = made.path(&format!("/chat/messages/{id}"));
        let answer = self.get(&path).bearer(&self.a.jwt).send().await.ok();
        answer["data"].clone()
    }

    /// Waits until that message has one of these states.
    pub async fn wait_status(&self, made: &Made, id: &str, any_of: &[&str]) -> Value {
        until(&format!("{id} to be {any_of:?}"), async || {
            let told = self.told(made, id).await;
            let status = told["status"].as_str().expect("a status").to_owned();
            any_of.contains(&status.as_str()).then_some(told)
        })
        .await
    }

    /// A new session of shop A at the Direct API: its name, its key.
    pub async fn direct_session(&self) -> (String, String) {
        let create = self.post("/sessions").bearer(&self.a.api_token);
        let made = create.json(json!({"label": "Direct"})).send().await.ok();
        let text = |name: &str| made[name].as_str().expect(name).to_owned();
        (text("key"), text("apiKey"))
    }

    /// How often `number`'s phone shows `text` as received.
    pub fn shown(&self, number: &str, text: &str) -> usize {
        let messages = self.sandbox.network().messages(number).expect("a phone");
        messages
            .iter()
            .filter(|m| m.to == number && m.text == text)
            .count()
    }

    pub async fn wait_shown(&self, number: &str, text: &str) -> ChatMessage {
        let shown = self.sandbox.network().wait_for(PATIENCE, |network| {
            let messages = network.messages(number).ok()?;
            let mut messages = messages.into_iter();
            messages.find(|m| m.to == number && m.text == text)
        });
        shown.await.expect("the phone shows it")
    }

    /// Sets the sandbox's receiver as the webhook, and returns the signing secret.
    pub async fn subscribe(&self, shop: &Shop, made: &Made, events: Value) -> String {
        let url = self.sandbox.receiver_url();
        self.subscribe_at(shop, made, &url, events).await
    }

    pub async fn subscribe_at(&self, shop: &Shop, made: &Made, url: &str, events: Value) -> String {
        let body = json!({"webhookURL": url, "events": events});
        let call = self.post(&made.path("/webhook")).bearer(&shop.jwt);
        let set = call.json(body).send().await.ok();
        let secret = set["data"]["signing_secret"].as_str();
        secret.expect("a signing secret").to_owned()
    }

    /// The first delivery that `pick` takes.
    pub async fn delivered(&self, what: &str, pick: impl Fn(&Delivery) -> bool) -> Delivery {
        let receiver = self.sandbox.receiver();
        let found = receiver
            .wait_for(PATIENCE, |all| all.iter().find(|d| pick(d)).cloned())
            .await;
        match found {
            Ok(delivery) => delivery,
            Err(_) => panic!("no delivery of {what}; have: {:#?}", receiver.deliveries()),
        }
    }
}

/// Looks again and again until there is something, with a deadline.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let wait = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, wait).await {
        Ok(found) => found,
        Err(_) => panic!("waited {PATIENCE:?} for {what}"),
    }
}

/// Checks a delivery as a customer would, by Standard Webhooks 1.0.0, with our own HMAC.
#[track_caller]
pub fn verify(secret: &str, headers: impl Fn(&str) -> String, body: &str) {
    let encoded = secret.strip_prefix("whsec_").expect("whsec_");
    let key = BASE64_STANDARD.decode(encoded).expect("base64");
    assert!((24..=64).contains(&key.len()), "the standard's key length");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length fits");
    mac.update(
        format!(
            "{}.{}.",
            headers("webhook-id"),
            headers("webhook-timestamp")
        )
        .as_bytes(),
    );
    mac.update(body.as_bytes());
    let made = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(headers("webhook-signature"), made);
}

#[track_caller]
pub fn verify_delivery(secret: &str, delivery: &Delivery) {
    let header = |name: &str| delivery.headers.get(name).cloned().unwrap_or_default();
    verify(secret, header, &delivery.raw);
}

/// The clock's seconds, for comparing with what was signed.
pub fn now_secs(bed: &Bed) -> i64 {
    bed.clock.now().as_secs()
}
