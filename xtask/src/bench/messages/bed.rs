//! What a part happens on: a network with a receiver, a gateway, an account.

use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::gauge::Gauge;
use crate::http::{Http, Reply};
use crate::owner::Owner;
use crate::process::{Stop, wait_for};
use crate::program::{Addresses, Program};
use crate::tools;

const SETTINGS: [(&str, &str); 4] = [
    ("RECADO_JWT__TTL_SECS", "86400"),
    ("RECADO_NODE", "bench"),
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
    signed_in: Owner,
    pub stop: Stop,
    http: Http,
    folder: tempfile::TempDir,
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
        let interval = interval_ms.to_string();
        let mut settings = SETTINGS.to_vec();
        settings.push(("RECADO_SEND__MIN_INTERVAL_MS", interval.as_str()));
        let mut network = Program::sandbox("network", program, folder.path(), ports[1], ports[2]);
        let mut gateway = Program::gateway(program, folder.path(), &at, &settings);
        network.start(stop)?;
        gateway.start(stop)?;
        let signed_in = Owner::sign_in(&gateway, at, "Bench")?;
        Ok(Self {
            gateway,
            _network: network,
            at: signed_in.addresses().clone(),
            signed_in,
            stop: stop.clone(),
            http: Http::new(PATIENCE),
            folder,
        })
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
        self.signed_in.phone(number)
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
        // The pace is what the caller's is compared with: no chance on top.
        let body = json!({"name": number, "send_jitter_ms": 0});
        self.signed_in.link(&body, number, &self.stop)
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
}
