//! Starting, asking, killing and stopping the program.

use std::{
    fs::{File, OpenOptions},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use recado_model::clock::OsRng;
use recado_store::{Database, MasterKey, Options, Store};
use reqwest::{Client, Method, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::network::Network;

/// Long enough for a busy machine; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);

/// The program under test: the one that was built with this test, or the sandbox build that
/// `RECADO_TEST_PROGRAM` names (a release build, or a copy that no other build replaces meanwhile).
fn program() -> PathBuf {
    std::env::var_os("RECADO_TEST_PROGRAM")
        .map_or_else(|| env!("CARGO_BIN_EXE_recado").into(), PathBuf::from)
}

/// A port that nothing listens on, outside the range that outgoing connections take theirs from: a
/// restarted program must find its port free again.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u32 = 12_000;
    const COUNT: u32 = 18_000;
    // Tests run as processes side by side: each starts its search in a place of its own.
    let start = std::process::id().wrapping_mul(16) % COUNT;
    for _ in 0..COUNT {
        let step = u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + (start + step) % COUNT).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

/// Polls until `look` finds something.
pub async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(LOOK).await;
    }
}

/// Nothing of the surroundings reaches the program but what a test sets.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(args).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RECADO_") {
            command.env_remove(name);
        }
    }
    command
}

/// How a command ended.
pub struct Ended {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs a command that is expected to end by itself.
pub fn run(command: &mut Command) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let mut child = command
        .stdout(File::create(&out).expect("a file"))
        .stderr(File::create(&err).expect("a file"))
        .spawn()
        .expect("the program starts");
    let status = ended(&mut child);
    let read = |path: &Path| std::fs::read_to_string(path).expect("what it printed");
    Ended {
        code: status
            .unwrap_or_else(|| panic!("it did not end: {}", read(&err)))
            .code(),
        out: read(&out),
        err: read(&err),
    }
}

/// Waits for the end of a child; kills one that takes too long and gives `None`.
fn ended(child: &mut Child) -> Option<ExitStatus> {
    let started = Instant::now();
    while started.elapsed() < PATIENCE {
        if let Some(status) = child.try_wait().expect("a child of ours") {
            return Some(status);
        }
        std::thread::sleep(LOOK);
    }
    child.kill().expect("a child of ours");
    child.wait().expect("a child of ours");
    None
}

/// A child that does not outlive its test.
pub struct Process(pub Child);

impl Process {
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), signal).expect("a running child");
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub fn kill(&mut self) {
        self.0.kill().expect("a running child");
        self.0.wait().expect("a child of ours");
    }

    /// Its exit code, once it has ended by itself.
    pub fn ended(&mut self) -> Option<i32> {
        ended(&mut self.0).expect("it ends by itself").code()
    }

    pub fn is_running(&mut self) -> bool {
        self.0.try_wait().expect("a child of ours").is_none()
    }

    /// Closes its standard input.
    pub fn close_stdin(&mut self) {
        drop(self.0.stdin.take());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; either way it is gone afterwards.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A data folder with the ports and settings that belong to it. Outlives the processes on it.
pub struct Home {
    folder: TempDir,
    pub base: String,
    pub metrics: String,
    settings: Vec<(String, String)>,
}

impl Home {
    pub fn new() -> Self {
        let (port, metrics) = (free_port(), free_port());
        let folder = tempfile::tempdir().expect("a folder");
        let mut home = Self {
            folder,
            base: format!("http://127.0.0.1:{port}"),
            metrics: format!("http://127.0.0.1:{metrics}/metrics"),
            settings: Vec::new(),
        };
        home.set("DATA_DIR", &home.data().display().to_string());
        home.set("LISTEN", &format!("127.0.0.1:{port}"));
        home.set("METRICS_LISTEN", &format!("127.0.0.1:{metrics}"));
        home
    }

    /// On the WhatsApp network at this address, with everything as fast as it goes.
    pub fn on(network: &Network) -> Self {
        let mut home = Self::new();
        home.set("SANDBOX__URL", &network.whatsapp);
        home.set("EGRESS__ALLOW", "127.0.0.0/8");
        home.set("SEND__MIN_INTERVAL_MS", "0");
        home.set("START__STAGGER_MS", "0");
        home
    }

    /// `RECADO_<name>`; the last one counts.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn database(&self) -> PathBuf {
        self.data().join("recado.db")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// All that the gateways on this folder have written to standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).expect("a log")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = command(args);
        for (name, value) in &self.settings {
            command.env(format!("RECADO_{name}"), value);
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        run(&mut self.command(args))
    }

    /// Runs a command that must succeed, and gives its standard output.
    pub fn out(&self, args: &[&str]) -> String {
        let ended = self.run(args);
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.err);
        ended.out
    }

    /// A gateway that answers.
    pub async fn serve(&self) -> Process {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("a log file");
        let child = self
            .command(&["serve", "--exit-with-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let mut process = Process(child);
        let ready = format!("{}/readyz", self.base);
        let http = client();
        wait_for("the gateway to be ready", async || {
            assert!(process.is_running(), "it ended:\n{}", self.log());
            let answer = http.get(&ready).send().await.ok()?;
            (answer.status() == 200).then_some(())
        })
        .await;
        process
    }

    /// The account that `account create --json` makes.
    pub fn account(&self, name: &str, email: &str) -> Value {
        let out = self.out(&[
            "account", "create", "--name", name, "--email", email, "--json",
        ]);
        serde_json::from_str(&out).expect("JSON")
    }

    /// The database as SQLite sees it.
    pub async fn sqlite(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(self.database());
        SqliteConnection::connect_with(&options)
            .await
            .expect("the program's own database opens")
    }

    /// The database, opened beside or after the program.
    pub async fn store(&self) -> Store {
        let key = std::fs::read_to_string(self.data().join("master.key")).expect("a key file");
        Store::open(Options {
            database: Database::Sqlite {
                path: self.database(),
            },
            master_key: MasterKey::parse(key.trim()).expect("a key"),
            rng: Arc::new(OsRng),
            migrate: false,
            init: false,
        })
        .await
        .expect("the program's own database opens")
    }
}

pub fn client() -> Client {
    // Made once: it reads all root certificates, which takes longer than most of what it is used for.
    static CLIENT: OnceLock<Client> = OnceLock::new();
    let made = CLIENT.get_or_init(|| {
        // Connections are not kept: a killed gateway would be met through a dead one.
        Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(PATIENCE)
            .build()
            .expect("a client")
    });
    made.clone()
}

/// An answer: JSON, or the text as a JSON string.
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl Answer {
    /// The body of an answer that must be 200.
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }
}

/// `None` when nobody answered.
pub async fn try_call(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Option<Answer> {
    let mut request = client().request(method, url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.ok()?;
    let status = response.status();
    let text = response.text().await.ok()?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Some(Answer { status, body })
}

pub async fn call(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Answer {
    try_call(method, url, headers, body)
        .await
        .unwrap_or_else(|| panic!("no answer from {url}"))
}

pub fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no text at {pointer} in {value}"))
        .to_owned()
}
