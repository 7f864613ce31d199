//! What a part happens on: a network with a receiver, a gateway, an account.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::gauge::Gauge;
use crate::http::{Http, Reply};
use crate::process::{Stop, wait_for};
use crate::program::Program;
use crate::tools;

const SETTINGS: [(&str, &str); 6] = [
    ("RECADO_EGRESS__ALLOW", "127.0.0.0/8"),
    ("RECADO_JWT__TTL_SECS", "86400"),
    ("RECADO_NODE", "bench"),
    ("RECADO_METRICS_LISTEN", "off"),
    ("RECADO_START__STAGGER_MS", "0"),
    // As people run it.
    ("RECADO_LOG", "info"),
];
/// A phone that shows large media looks at each of them.
const PATIENCE: Duration = Duration::from_secs(300);
const MINUTE: Duration = Duration::from_secs(60);

pub struct Bed {
    // In this order they end: the gateway says good-bye to a network that is still there.
    gateway: Program,
    _network: Program,
    pub at: Addresses,
    pub stop: Stop,
    http: Http,
    folder: tempfile::TempDir,
}

/// Where everything answers, no trailing slash, and how the owner shows who they are.
#[derive(Clone)]
pub struct Addresses {
    pub gateway: String,
    pub network: String,
    pub receiver: String,
    pub bearer: String,
}

impl Bed {
    /// `interval_ms`: the least time between two messages of an instance.
    pub fn start(program: &Path, interval_ms: u32, stop: &Stop) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("recado-bench-")
            .tempdir()
            .context("cannot make a temporary folder")?;
        let mut ports = Vec::new();
        for _ in 0..3 {
            ports.push(tools::free_port(&ports)?);
        }
        let local = |port: u16| format!("http://127.0.0.1:{port}");
        let at = Addresses {
            gateway: local(ports[0]),
            network: local(ports[1]),
            receiver: local(ports[2]),
            bearer: String::new(),
        };
        let mut bed = Self {
            gateway: gateway(program, folder.path(), &at, interval_ms),
            _network: network(program, folder.path(), &at),
            at,
            stop: stop.clone(),
            http: Http::new(PATIENCE),
            folder,
        };
        bed._network.start(stop)?;
        bed.gateway.start(stop)?;
        bed.sign_in()?;
        Ok(bed)
    }

    /// The gateway's process.
    pub fn gauge(&self) -> Gauge {
        Gauge::of(self.gateway.pid())
    }

    /// How long the disk of this bed takes to make four kilobytes durable beside all else that it does: the median of
    /// looks until it is over.
    pub fn sync_time(&self, over: &AtomicBool) -> Result<Duration> {
        // One with a name: for a file that nobody can find again the disk does less.
        let mut file = tempfile::NamedTempFile::new_in(self.folder.path())?;
        let mut times = Vec::new();
        while times.is_empty() || !over.load(Ordering::SeqCst) {
            file.write_all(&[7; 4096])?;
            let begun = Instant::now();
            file.as_file().sync_all()?;
            times.push(begun.elapsed());
            std::thread::sleep(Duration::from_millis(250));
        }
        times.sort();
        Ok(times[times.len() / 2])
    }

    /// The receiver keeps so many only; their numbers go on.
    pub fn forget_deliveries(&self) -> Result<()> {
        let url = format!("{}/deliveries", self.at.receiver);
        self.http.call("DELETE", &url, &[], None)?.ok()?;
        Ok(())
    }

    pub fn owner(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Reply> {
        let url = format!("{}{path}", self.at.gateway);
        let bearer = [("authorization", self.at.bearer.as_str())];
        self.http.call(method, &url, &bearer, body)
    }

    /// A new phone of this number.
    pub fn phone(&self, number: &str) -> Result<()> {
        let url = format!("{}/phones", self.at.network);
        let named = json!({"number": number, "name": number});
        self.http.post(&url, &named)?.ok()?;
        Ok(())
    }

    /// What a phone shows, oldest first.
    pub fn shown(&self, number: &str) -> Result<Vec<Value>> {
        let url = format!("{}/phones/{number}/messages", self.at.network);
        match self.http.get(&url)?.ok()?.json()? {
            Value::Array(messages) => Ok(messages),
            other => bail!("the messages of {number} are no list: {other}"),
        }
    }

    /// A new instance on a new phone of this number. Its events go to the receiver.
    pub fn pair(&self, number: &str) -> Result<String> {
        self.phone(number)?;
        // The pace is what the caller's is compared with: no chance on top.
        let body = json!({"name": number, "send_jitter_ms": 0});
        let made = self
            .owner("PUT", "/instances/create", Some(&body))?
            .ok()?
            .json()?;
        let id = made["id"].as_str().context("create gave no id")?.to_owned();
        let hook = json!({"webhookURL": format!("{}/webhook", self.at.receiver), "events": "All"});
        self.owner("POST", &format!("/instances/{id}/webhook"), Some(&hook))?
            .ok()?;
        let asked = format!("/instances/{id}/session/qr?format=text");
        let code = wait_for("a QR code", MINUTE, &self.stop, || {
            let reply = self.owner("GET", &asked, None)?;
            let text = (reply.status == 200).then(|| reply.text.trim().to_owned());
            Ok(text.filter(|text| !text.is_empty()))
        })?;
        let scan = format!("{}/phones/{number}/scan", self.at.network);
        self.http.post(&scan, &json!({"qr": code}))?.ok()?;
        Ok(id)
    }

    /// `connected` in a status means paired; the list's summary counts by state, which means online.
    pub fn all_online(&self, instances: usize) -> Result<()> {
        let page = json!({"page": 1, "size": 1});
        wait_for("all instances to be online", MINUTE, &self.stop, || {
            let list = self.owner("POST", "/instances/list", Some(&page))?.ok()?;
            let online = list.json()?["summary"]["connected"].as_u64();
            Ok((online.context("no summary")? >= instances as u64).then_some(()))
        })
    }

    fn sign_in(&mut self) -> Result<()> {
        let mut create = self.gateway.command_line();
        create.args(["account", "create", "--name", "Bench", "--json"]);
        create.args(["--email", "bench@demo.example"]);
        let account: Value = serde_json::from_str(&tools::output(&mut create)?)
            .context("`recado account create --json` printed no JSON")?;
        let proof = json!({"client_token": account["client_token"], "client_secret": account["client_secret"]});
        let url = format!("{}/token", self.at.gateway);
        let token = self.http.post(&url, &proof)?.ok()?.json()?;
        let token = token["access_token"].as_str().context("no access_token")?;
        self.at.bearer = format!("Bearer {token}");
        Ok(())
    }
}

fn bare(url: &str) -> String {
    url.trim_start_matches("http://").to_owned()
}

fn network(program: &Path, folder: &Path, at: &Addresses) -> Program {
    let data = folder.join("network").display().to_string();
    let (listen, receiver) = (bare(&at.network), bare(&at.receiver));
    let args = [
        "--listen",
        &listen,
        "--receiver",
        &receiver,
        "--data",
        &data,
    ];
    Program {
        name: "network",
        subcommand: "sandbox",
        path: program.to_owned(),
        args: args.map(str::to_owned).to_vec(),
        env: Vec::new(),
        log: folder.join("network.log"),
        health: format!("{}/health", at.network),
        child: None,
    }
}

fn gateway(program: &Path, folder: &Path, at: &Addresses, interval_ms: u32) -> Program {
    let path = |name: &str| folder.join(name).display().to_string();
    let socket = format!("ws://{}/ws/chat", bare(&at.network));
    let mut env = vec![
        ("RECADO_DATA_DIR", path("gateway")),
        ("RECADO_MASTER_KEY_FILE", path("master.key")),
        ("RECADO_LISTEN", bare(&at.gateway)),
        ("RECADO_PUBLIC_URL", at.gateway.clone()),
        ("RECADO_SANDBOX__URL", socket),
        ("RECADO_SEND__MIN_INTERVAL_MS", interval_ms.to_string()),
    ];
    env.extend(SETTINGS.map(|(name, value)| (name, value.to_owned())));
    Program {
        name: "gateway",
        subcommand: "serve",
        path: program.to_owned(),
        args: Vec::new(),
        env,
        log: folder.join("gateway.log"),
        health: format!("{}/readyz", at.gateway),
        child: None,
    }
}
