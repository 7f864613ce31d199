//! Stopping, coming back, and the commands beside `serve`.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::fs::PermissionsExt,
};

use figment::providers::{Format, Toml};
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    network::{Network, Shop, jwt},
    support::{Home, call, text, try_call, wait_for},
};

const SHOP: &str = "5511999990001";
const ANA: &str = "5511999990002";

/// Enough of a network for a gateway that connects to nothing.
fn alone() -> Home {
    let mut home = Home::new();
    home.set("SANDBOX__URL", "ws://127.0.0.1:9/ws/chat");
    home
}

/// A request under way: `POST /token` whose body comes in two parts.
pub struct Slow {
    stream: TcpStream,
    rest: String,
}

impl Slow {
    pub fn begin(home: &Home, account: &Value) -> Self {
        let body = json!({
            "client_token": account["client_token"], "client_secret": account["client_secret"],
        })
        .to_string();
        let host = home.base.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("a connection");
        let (first, rest) = body.split_at(20);
        write!(
            stream,
            "POST /token HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
             connection: close\r\ncontent-length: {}\r\nexpect: 100-continue\r\n\r\n",
            body.len()
        )
        .expect("the head is sent");
        // The program asks for the body once it reads it: from here on the request is under way.
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).expect("an answer");
        assert!(
            asked.starts_with(b"HTTP/1.1 100"),
            "{}",
            String::from_utf8_lossy(&asked)
        );
        stream
            .write_all(first.as_bytes())
            .expect("the first part is sent");
        Self {
            stream,
            rest: rest.to_owned(),
        }
    }

    pub fn finish(mut self) -> String {
        self.stream
            .write_all(self.rest.as_bytes())
            .expect("the rest is sent");
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).expect("an answer");
        answer
    }
}

/// Nobody listens any more.
pub async fn closed(home: &Home) {
    let host = home.base.trim_start_matches("http://");
    wait_for("the listener to close", async || {
        TcpStream::connect(host).is_err().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_finishes_what_is_under_way() {
    let home = alone();
    let account = home.account("Shop", "owner@shop.example");
    let mut gateway = home.serve().await;
    let slow = Slow::begin(&home, &account);
    gateway.signal(Signal::TERM);
    closed(&home).await;
    assert!(
        gateway.is_running(),
        "it waits for the request: {}",
        home.log()
    );
    let answer = slow.finish();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("access_token"));
    assert_eq!(gateway.ended(), Some(0));
    assert!(home.log().contains("recado has stopped"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn second_signal_ends_at_once() {
    for (first, second) in [
        (Signal::TERM, Signal::TERM),
        (Signal::INT, Signal::TERM),
        (Signal::QUIT, Signal::QUIT),
        (Signal::TERM, Signal::QUIT),
    ] {
        let home = alone();
        let account = home.account("Shop", "owner@shop.example");
        let mut gateway = home.serve().await;
        let slow = Slow::begin(&home, &account);
        gateway.signal(first);
        closed(&home).await;
        gateway.signal(second);
        assert_eq!(gateway.ended(), Some(130));
        assert!(!home.log().contains("recado has stopped"));
        drop(slow);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_comes_back_after_a_stop() {
    let network = Network::start().await;
    network.phone(ANA, "Ana").await;
    let home = Home::on(&network);
    let account = home.account("Shop", "owner@shop.example");
    let mut gateway = home.serve().await;
    let shop = Shop::paired(&home, &network, &account, SHOP).await;
    let before = shop.row().await;
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.ended(), Some(0));
    wait_for("the link to be closed", async || {
        let companions = network.companions(SHOP).await;
        (companions.as_array()?.first()?["connected"] == false).then_some(())
    })
    .await;
    let missed = network.send(ANA, SHOP, "while you were out").await;

    let _gateway = home.serve().await;
    shop.online().await;
    let after = shop.row().await;
    for field in [
        "id",
        "token",
        "whatsapp_jid",
        "phone",
        "webhook",
        "session_id",
        "created_at",
    ] {
        assert_eq!(before[field], after[field], "{field}");
    }
    wait_for("the message that was missed", async || {
        network.delivered().await.contains(&missed).then_some(())
    })
    .await;
    shop.send(ANA, "back again", "3EB0BAC0FFEE").await;
    wait_for("the answer on the phone", async || {
        let shown = network.shown(ANA).await;
        shown
            .iter()
            .any(|message| message["id"] == "3EB0BAC0FFEE")
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn ends_with_its_parent() {
    let home = alone();
    let mut gateway = home.serve().await;
    gateway.close_stdin();
    assert_eq!(gateway.ended(), Some(0));
    assert!(home.log().contains("recado has stopped"));
}

#[tokio::test]
async fn accounts() {
    let home = alone();
    let made = home.account("Loja Olá", "Owner@Shop.example");
    for (field, prefix) in [
        ("client_token", "ct_"),
        ("client_secret", "cs_"),
        ("api_token", "wz_"),
    ] {
        assert!(
            text(&made, &format!("/{field}")).starts_with(prefix),
            "{field}"
        );
    }
    assert!(text(&made, "/owner_password").len() >= 12);
    assert_eq!(made["owner_email"], "owner@shop.example");

    let again = [
        "account",
        "create",
        "--name",
        "X",
        "--email",
        "owner@shop.example",
    ];
    let ended = home.run(&again);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.err.contains("owner@shop.example") || ended.err.contains("e-mail"),
        "{}",
        ended.err
    );
    assert!(!ended.err.contains("panicked"));
    let bad = home.run(&["account", "create", "--name", "X", "--email", "nobody"]);
    assert_eq!(bad.code, Some(1));
    assert!(bad.err.to_lowercase().contains("mail"), "{}", bad.err);

    // A password of the owner's own choice is not printed.
    let file = home.folder().join("password");
    fs::write(&file, "correct horse battery staple\n").expect("a file");
    let shown = file.display().to_string();
    let args = [
        "account",
        "create",
        "--name",
        "B",
        "--email",
        "b@shop.example",
        "--password-file",
        &shown,
    ];
    let out = home.out(&args);
    assert!(
        !out.contains("correct horse") && out.contains("(as given)"),
        "{out}"
    );
    assert!(out.contains("not shown again"));
    let missing = home.run(&[&args[..7], &["/proc/recado"]].concat());
    assert_eq!(missing.code, Some(1));
    assert!(
        missing.err.contains("cannot read the password file"),
        "{}",
        missing.err
    );

    let list: Value =
        serde_json::from_str(&home.out(&["account", "list", "--json"])).expect("JSON");
    let list = list.as_array().expect("a list");
    assert_eq!(list.len(), 2);
    let row = list
        .iter()
        .find(|row| row["account_id"] == made["account_id"])
        .expect("the account");
    assert_eq!(row["name"], "Loja Olá");
    assert_eq!(row["kind"], "full");
    assert_eq!(row["owner_email"], "owner@shop.example");
    assert_eq!(row["instances"], 0);
    assert!(text(row, "/created_at").ends_with('Z'));
    assert!(home.out(&["account", "list"]).contains("b@shop.example"));

    // Made beside a running gateway, it is known there at once.
    let _gateway = home.serve().await;
    let late = home.account("Late", "late@shop.example");
    jwt(&home, &late).await;
}

#[test]
fn configuration() {
    let home = Home::new();
    let shown = home.out(&["config", "check"]);
    for part in [
        "The configuration is valid.",
        "SQLite at",
        "master.key",
        &home.data().display().to_string(),
    ] {
        assert!(shown.contains(part), "{part:?} in {shown}");
    }
    assert!(!home.data().exists(), "looking changes nothing");

    let default = home.out(&["config", "default"]);
    let parsed: Value = Toml::from_str(&default).expect("TOML");
    assert_eq!(parsed["listen"], "127.0.0.1:8080");
    // The program takes its own default, and the documentation is the same text.
    let file = home.folder().join("recado.toml");
    fs::write(&file, &default).expect("a file");
    home.out(&["config", "check", "--config", &file.display().to_string()]);
    let docs = home.folder().join("docs");
    home.out(&["docs", "--out", &docs.display().to_string()]);
    let page = fs::read_to_string(docs.join("config.md")).expect("the page");
    assert!(page.contains(&default));

    // Secrets are told as set, not shown.
    let mut home = home;
    home.set("MASTER_KEY", &format!("{}g=", "hunter2".repeat(6)));
    home.set(
        "DATABASE_URL",
        "postgres://recado:hunter3@db.example/recado",
    );
    let shown = home.out(&["config", "check"]);
    assert!(
        shown.contains("master_key") && shown.contains("PostgreSQL"),
        "{shown}"
    );
    assert!(!shown.contains("hunter"), "{shown}");
}

#[test]
fn doctor_says_what_is_open() {
    let mut home = alone();
    home.set("EGRESS__ALLOW", "10.0.0.0/8");
    let narrow = home.out(&["doctor"]);
    assert!(!narrow.contains("egress.allow"), "{narrow}");
    home.set("EGRESS__ALLOW", "10.0.0.0/8,::/0");
    home.set("TRUSTED_PROXIES", "::ffff:0:0/96");
    let wide = home.out(&["doctor"]);
    for part in [
        "egress.allow contains ::/0",
        "trusted_proxies contains 0.0.0.0/0",
    ] {
        assert!(wide.contains(part), "{part:?} in {wide}");
    }
}

#[test]
fn doctor() {
    let home = alone();
    let fresh = home.run(&["doctor"]);
    assert_eq!(fresh.code, Some(0), "{}{}", fresh.out, fresh.err);
    assert!(
        fresh.out.contains("there is no database yet"),
        "{}",
        fresh.out
    );
    assert!(!home.database().exists(), "looking changes nothing");

    home.out(&["migrate"]);
    let well = home.run(&["doctor"]);
    assert_eq!(well.code, Some(0), "{}", well.out);
    for part in [
        "0 wrong",
        "master key is the right one",
        "the data folder is private",
    ] {
        assert!(well.out.contains(part), "{part:?} in {}", well.out);
    }
    assert!(
        well.out.contains("lies beside the database"),
        "{}",
        well.out
    );

    let key = home.data().join("master.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("a mode");
    let weak = home.run(&["doctor"]);
    assert_eq!(weak.code, Some(0));
    assert!(
        weak.out.contains("can be read by other users"),
        "{}",
        weak.out
    );

    fs::remove_file(&key).expect("a key");
    let wrong = home.run(&["doctor"]);
    assert_eq!(wrong.code, Some(1));
    assert!(
        wrong.out.contains("WRONG") && wrong.out.contains("1 wrong"),
        "{}",
        wrong.out
    );
    assert!(!key.exists());
}

#[test]
fn init_and_migrate() {
    for first in ["init", "migrate"] {
        let home = Home::new();
        home.out(&[first]);
        let key = home.data().join("master.key");
        for (path, mode) in [
            (home.data(), 0o700),
            (home.database(), 0o600),
            (key.clone(), 0o600),
        ] {
            let found = fs::metadata(&path)
                .expect("it was made")
                .permissions()
                .mode()
                & 0o777;
            assert_eq!(found, mode, "{}", path.display());
        }
        let made = fs::read(&key).expect("a key");
        let again = home.out(&["init"]);
        assert!(again.contains("ready"), "{again}");
        assert!(home.out(&["migrate"]).contains("this program's schema"));
        assert_eq!(fs::read(&key).expect("a key"), made, "the key stays");
        assert_eq!(home.out(&["account", "list", "--json"]).trim(), "[]");
    }
}

#[tokio::test]
async fn probes_and_metrics() {
    let home = alone();
    let _gateway = home.serve().await;
    let live = call(Method::GET, &format!("{}/livez", home.base), &[], None)
        .await
        .ok();
    assert_eq!(live["status"], "alive");
    let metrics = call(Method::GET, &home.metrics, &[], None).await.ok();
    assert!(
        metrics
            .as_str()
            .is_some_and(|text| text.contains("recado_http_requests_total"))
    );
    // Metrics are on their own listener alone.
    let here = try_call(Method::GET, &format!("{}/metrics", home.base), &[], None).await;
    assert_eq!(here.expect("an answer").status, 404);
}
