//! Keys are replaced under a gateway that serves: whoever holds a credential notices nothing.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Stdio,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use recado_testkit::database::TestDatabase;
use reqwest::Method;
use rustix::process::Signal;
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::{
    network::{Network, Shop, jwt},
    support::{Ended, Home, Process, call, text, wait_for},
};

mod master;

const SHOP: &str = "5511999990001";
const ANA: &str = "5511999990002";

fn alone() -> Home {
    let mut home = Home::new();
    home.set("SANDBOX__URL", "ws://127.0.0.1:9/ws/chat");
    home.set("EGRESS__ALLOW", "127.0.0.0/8");
    home
}

/// On a PostgreSQL database of its own.
async fn on_postgres() -> (Home, TestDatabase) {
    let database = TestDatabase::postgres("").await;
    let mut home = alone();
    home.set("DATABASE_URL", &database.url());
    (home, database)
}

fn key_file(home: &Home) -> PathBuf {
    home.data().join("master.key")
}

fn left_beside(home: &Home) -> PathBuf {
    home.data().join("master.key.new")
}

fn listed(home: &Home, kind: &str) -> Vec<Value> {
    let out = home.out(&["key", "list", "--json"]);
    let keys: Vec<Value> = serde_json::from_str(&out).expect("JSON");
    keys.into_iter().filter(|key| key["kind"] == kind).collect()
}

/// Which key signed it.
fn kid(jwt: &str) -> String {
    let head = jwt.split('.').next().expect("a header");
    let head = URL_SAFE_NO_PAD.decode(head).expect("base64");
    let head: Value = serde_json::from_slice(&head).expect("JSON");
    text(&head, "/kid")
}

/// A shop with one credential of each kind.
struct Holder {
    base: String,
    account: Value,
    jwt: String,
    instance: String,
    instance_token: String,
    session: String,
    session_key: String,
}

impl Holder {
    async fn new(home: &Home, email: &str) -> Self {
        let account = home.account("Shop", email);
        let jwt = jwt(home, &account).await;
        let bearer = format!("Bearer {jwt}");
        let url = format!("{}/instances/create", home.base);
        let body = json!({"name": "Shop", "webhook": "http://127.0.0.1:9/hook"});
        let headers = [("authorization", bearer.as_str())];
        let made = call(Method::PUT, &url, &headers, Some(body)).await.ok();
        let bearer = format!("Bearer {}", text(&account, "/api_token"));
        let headers = [("authorization", bearer.as_str())];
        let url = format!("{}/sessions", home.base);
        let session = call(Method::POST, &url, &headers, Some(json!({})))
            .await
            .ok();
        Self {
            base: home.base.clone(),
            jwt,
            instance: text(&made, "/id"),
            instance_token: text(&made, "/token"),
            session: text(&session, "/key"),
            session_key: text(&session, "/apiKey"),
            account,
        }
    }

    async fn get(&self, path: &str, headers: &[(&str, &str)]) {
        let url = format!("{}{path}", self.base);
        let answer = call(Method::GET, &url, headers, None).await;
        assert_eq!(answer.status, 200, "{path} {headers:?}: {}", answer.body);
    }

    /// Every credential opens what it opened before; answers a new owner JWT.
    async fn uses_all(&self, home: &Home) -> String {
        let bearer = format!("Bearer {}", self.jwt);
        self.get("/account", &[("authorization", &bearer)]).await;
        let client = text(&self.account, "/client_token");
        let pair = [
            ("x-client-token", client.as_str()),
            ("x-instance-token", self.instance_token.as_str()),
        ];
        let status = format!("/instances/{}/session/status", self.instance);
        self.get(&status, &pair).await;
        let key = [("x-api-key", self.session_key.as_str())];
        self.get(&format!("/sessions/{}", self.session), &key).await;
        let bearer = format!("Bearer {}", text(&self.account, "/api_token"));
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let url = format!("{}/api/mcp/", self.base);
        let headers = [("authorization", bearer.as_str())];
        call(Method::POST, &url, &headers, Some(body)).await.ok();
        jwt(home, &self.account).await
    }

    /// What the contract shows again comes out of its seal.
    async fn reads_what_is_kept(&self) {
        let bearer = format!("Bearer {}", self.jwt);
        let url = format!("{}/instances/{}", self.base, self.instance);
        let headers = [("authorization", bearer.as_str())];
        let row = call(Method::GET, &url, &headers, None).await.ok();
        assert_eq!(text(&row, "/token"), self.instance_token);
    }
}

/// `recado key …` beside whatever else runs.
async fn beside(home: &Home, args: &'static [&'static str]) -> Ended {
    let mut command = home.command(args);
    tokio::task::spawn_blocking(move || crate::support::run(&mut command))
        .await
        .expect("it ends")
}

async fn nobody_notices(home: Home) {
    let mut gateway = home.serve().await;
    let holder = Holder::new(&home, "owner@shop.example").await;
    let before = fs::read_to_string(key_file(&home)).expect("a key");

    let rotation = beside(&home, &["key", "rotate", "all"]);
    tokio::pin!(rotation);
    let mut rounds = 0;
    let mut late = None;
    let ended = loop {
        tokio::select! {
            ended = &mut rotation => break ended,
            () = async {
                holder.uses_all(&home).await;
                holder.reads_what_is_kept().await;
            } => rounds += 1,
        }
        // A tenant who comes in the middle of it: made by one process, served by another.
        if late.is_none() {
            late = Some(Holder::new(&home, "late@shop.example").await);
        }
    };
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(rounds > 3, "it was used meanwhile: {rounds}");
    let late = late.expect("an account was made meanwhile");
    for secret in [before.trim(), &holder.session_key, &holder.instance_token] {
        assert!(!ended.out.contains(secret) && !ended.err.contains(secret));
    }

    let fresh = holder.uses_all(&home).await;
    assert_ne!(kid(&fresh), kid(&holder.jwt), "the new key signs");
    late.uses_all(&home).await;
    // The other kinds were moved; the secret moved when it was just used.
    let peppers = listed(&home, "pepper");
    assert_eq!(peppers[0]["state"], "in use");
    for old in &peppers[1..] {
        assert_eq!(old["rows"], 0, "{peppers:?}");
    }
    let data = listed(&home, "data");
    assert!(data.iter().any(|key| key["state"] == "in use"));
    // The account that came meanwhile may have left something, which tidying moves.
    home.out(&["key", "tidy"]);
    for old in listed(&home, "data") {
        assert!(old["state"] == "in use" || old["rows"] == 0, "{old}");
    }
    assert_eq!(listed(&home, "pepper").len(), 1, "the old one is retired");
    assert_eq!(
        listed(&home, "jwt").len(),
        2,
        "the old one verifies for a day"
    );

    // The old master key is gone and opens nothing.
    let after = fs::read_to_string(key_file(&home)).expect("a key");
    assert_ne!(before, after);
    assert!(!left_beside(&home).exists());
    let mode = fs::metadata(key_file(&home)).expect("a file").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);

    gateway.signal(Signal::TERM);
    assert_eq!(gateway.ended(), Some(0));
    let log = home.log();
    assert!(!log.contains(" WARN ") && !log.contains(" ERROR "), "{log}");
    let _gateway = home.serve().await;
    for holder in [&holder, &late] {
        holder.uses_all(&home).await;
        holder.reads_what_is_kept().await;
    }
    drop(_gateway);
    fs::write(key_file(&home), before).expect("the old key again");
    let refused = home.run(&["serve"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.err.contains("another master key"),
        "{}",
        refused.err
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_on_sqlite() {
    nobody_notices(alone()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_on_postgres() {
    let (home, database) = on_postgres().await;
    let early = home.run(&["serve"]);
    assert_eq!(early.code, Some(1));
    assert!(early.err.contains("recado init"), "{}", early.err);
    let said = home.out(&["init"]);
    let file = key_file(&home).display().to_string();
    assert!(
        said.contains(&file) && said.contains("back it up"),
        "{said}"
    );
    assert!(said.contains("recado account create"), "{said}");
    nobody_notices(home).await;
    database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paired_number_goes_on_talking() {
    let network = Network::start().await;
    network.phone(ANA, "Ana").await;
    let home = Home::on(&network);
    let account = home.account("Shop", "owner@shop.example");
    let mut gateway = home.serve().await;
    let shop = Shop::paired(&home, &network, &account, SHOP).await;
    let rotation = beside(&home, &["key", "rotate", "all"]);
    tokio::pin!(rotation);
    let mut incoming = Vec::new();
    let mut outgoing = Vec::new();
    let ended = loop {
        let n = incoming.len();
        tokio::select! {
            ended = &mut rotation => break ended,
            sent = async {
                let id = format!("3EB0{n:012X}");
                shop.send(ANA, &format!("out {n}"), &id).await;
                (network.send(ANA, SHOP, &format!("in {n}")).await, id)
            } => {
                incoming.push(sent.0);
                outgoing.push(sent.1);
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(
        incoming.len() > 3,
        "it talked meanwhile: {}",
        incoming.len()
    );
    let all_through = async |incoming: &[String], outgoing: &[String]| {
        wait_for("every message at the receiver", async || {
            let there = network.delivered().await;
            incoming.iter().all(|id| there.contains(id)).then_some(())
        })
        .await;
        wait_for("every message on the phone", async || {
            let shown = network.shown(ANA).await;
            let there = |id: &String| shown.iter().any(|message| message["id"] == **id);
            outgoing.iter().all(there).then_some(())
        })
        .await;
    };
    all_through(&incoming, &outgoing).await;
    gateway.signal(Signal::TERM);
    assert_eq!(gateway.ended(), Some(0));
    let _gateway = home.serve().await;
    shop.online().await;
    shop.send(ANA, "after", "3EB0AAAAAAAAAAAA").await;
    let after = network.send(ANA, SHOP, "after").await;
    all_through(&[after], &["3EB0AAAAAAAAAAAA".into()]).await;
    // Nothing is under an old key but what was written while it was replaced.
    home.out(&["key", "tidy"]);
    for key in listed(&home, "data") {
        assert!(key["state"] == "in use" || key["rows"] == 0, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_killed_at_any_moment_loses_nothing() {
    let home = alone();
    let _gateway = home.serve().await;
    let holder = Holder::new(&home, "owner@shop.example").await;
    // While the database and, of the master key alone or towards the end, the files change.
    let whole = [20, 120, 500, 4_000, 4_100, 4_250, 4_500];
    let whole = whole.map(|after| ("all", after));
    let master = [20, 40, 60, 90, 120, 250].map(|after| ("master", after));
    for (what, after) in master.into_iter().chain(whole) {
        let child = home
            .command(&["key", "rotate", what])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let mut child = Process(child);
        tokio::time::sleep(Duration::from_millis(after)).await;
        child.kill();
        holder.uses_all(&home).await;
        holder.reads_what_is_kept().await;
    }
    let restarted = Instant::now();
    home.out(&["key", "tidy"]);
    assert!(!left_beside(&home).exists());
    drop(_gateway);
    let _gateway = home.serve().await;
    holder.uses_all(&home).await;
    holder.reads_what_is_kept().await;
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{}", doctor.out);
    assert!(restarted.elapsed() < Duration::from_secs(60));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_what_is_weak() {
    let mut home = alone();
    {
        let _gateway = home.serve().await;
        Holder::new(&home, "owner@shop.example").await;
    }
    let well = home.out(&["doctor"]);
    for fine in ["year", "180 days", "client pair", "pepper", "key tidy"] {
        assert!(!well.contains(fine), "{fine:?} in {well}");
    }
    home.out(&["key", "rotate", "data"]);
    home.out(&["key", "rotate", "pepper"]);
    assert!(
        home.out(&["doctor"])
            .contains("1 credentials are still under a pepper")
    );

    // As if all of it had been two years ago.
    let mut db = home.sqlite().await;
    let two_years = 2 * 365 * 86_400_000_i64;
    for change in [
        "UPDATE meta SET n = n - $1 WHERE name IN ('born', 'key_check')",
        "UPDATE jwt_key SET created_at = created_at - $1",
        "UPDATE pepper SET created_at = created_at - $1",
        "UPDATE system_key SET created_at = created_at - $1",
        "UPDATE account_key SET created_at = created_at - $1",
        "UPDATE credential SET created_at = created_at - $1, last_used_at = NULL",
    ] {
        let changed = sqlx::query(change).bind(two_years).execute(&mut db).await;
        assert!(changed.expect("changes").rows_affected() > 0, "{change}");
    }
    db.close().await.expect("closes");
    let old = home.out(&["doctor"]);
    for weak in [
        "data keys in use for more than a year (2)",
        "the pepper in use for more than a year",
        "the JWT key in use for more than a year",
        "were not used for 180 days",
        "1 client secrets are older than a year",
        "old keys are needed by nothing",
    ] {
        assert!(old.contains(weak), "{weak:?} in {old}");
    }
    home.out(&["key", "tidy"]);
    let tidied = home.out(&["doctor"]);
    assert!(!tidied.contains("needed by nothing"), "{tidied}");

    let mut db = home.sqlite().await;
    sqlx::query("UPDATE credential SET revoked_at = 1")
        .execute(&mut db)
        .await
        .expect("revokes");
    db.close().await.expect("closes");
    home.set("LISTEN", "0.0.0.0:0");
    home.set("PUBLIC_URL", "https://wa.example.com");
    home.set("DIRECT__GUESTS", "full");
    home.set("TRUSTED_PROXIES", "10.0.0.0/8,0.0.0.0/0,::/0");
    home.set("CORS__ORIGINS", "http://app.example.com");
    let open = home.run(&["doctor"]);
    assert_eq!(open.code, Some(0), "weak is not wrong: {}", open.out);
    for weak in [
        "1 accounts have no client pair",
        "direct.guests is full",
        "trusted_proxies contains 0.0.0.0/0",
        "cors.origins contains http://app.example.com",
    ] {
        assert!(open.out.contains(weak), "{weak:?} in {}", open.out);
    }
    assert!(!open.out.contains("180 days"), "what ended is not weak");
}
