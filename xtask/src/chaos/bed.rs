//! The ground of a run: a network, a receiver, a database, a gateway with two paired instances.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::program::Program;
use crate::http::{Http, Reply};
use crate::postgres::Postgres;
use crate::process::{Stop, wait_for};
use crate::tools;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The numbers that the instances run on.
const SHOPS: [&str; 2] = ["5511999990001", "5511999990002"];
/// Each customer has one chat, with one of the shops.
pub const CHATS: [Chat; 4] = [
    Chat::new(0, "5511999990011", false),
    Chat::new(0, "5511999990012", true),
    Chat::new(1, "5511999990013", false),
    Chat::new(1, "5511999990014", true),
];

pub struct Chat {
    /// Index of the instance.
    pub instance: usize,
    pub customer: &'static str,
    /// The phone is offline while a fault strikes. One that is online answers at once by a receipt, which
    /// proves that the message was taken as well as an acknowledgement does.
    pub sleeps: bool,
}

impl Chat {
    const fn new(instance: usize, customer: &'static str, sleeps: bool) -> Self {
        Self {
            instance,
            customer,
            sleeps,
        }
    }

    pub fn shop(&self) -> &'static str {
        SHOPS[self.instance]
    }
}

/// Timers that are shortened, so that a round takes seconds and not minutes.
const SETTINGS: [(&str, &str); 12] = [
    ("RECADO_EGRESS__ALLOW", "127.0.0.0/8"),
    ("RECADO_JWT__TTL_SECS", "86400"),
    ("RECADO_SEND__MIN_INTERVAL_MS", "0"),
    ("RECADO_SEND__ACK_TIMEOUT_MS", "2500"),
    ("RECADO_SEND__RENEW_INTERVAL_MS", "1000"),
    ("RECADO_ENGINE__SILENCE_MS", "3000"),
    ("RECADO_ENGINE__PROBE_MS", "2000"),
    ("RECADO_ENGINE__STALE_MS", "6000"),
    ("RECADO_START__STAGGER_MS", "0"),
    ("RECADO_WEBHOOKS__TIMEOUT_MS", "2000"),
    // A restarted gateway takes its own instances up at once.
    ("RECADO_NODE", "chaos"),
    ("RECADO_METRICS_LISTEN", "off"),
];

pub struct Bed {
    // In this order they end: the gateway says good-bye to a network that is still there.
    pub gateway: Program,
    pub network: Program,
    // A program of its own: its ledger must outlive the network.
    _receiver: Program,
    postgres: Option<Postgres>,
    pub addresses: Addresses,
    /// One for each shop.
    pub instances: Vec<Instance>,
    pub stop: Stop,
    http: Http,
}

/// Where everything answers, no trailing slash, and how the owner shows who they are.
#[derive(Clone)]
pub struct Addresses {
    pub gateway: String,
    pub network: String,
    pub receiver: String,
    pub bearer: String,
}

pub struct Instance {
    pub id: String,
    /// The values that a new pairing would change: the gateway's address in the network and the phone's list.
    pairing: String,
}

impl Bed {
    /// Starts everything in this folder and pairs the instances.
    pub fn start(
        program: &Path,
        folder: &Path,
        database: Database,
        log: &str,
        stop: &Stop,
    ) -> Result<Self> {
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres => Some(Postgres::start_durable(stop)?),
        };
        let mut ports = Vec::new();
        for _ in 0..5 {
            ports.push(tools::free_port(&ports)?);
        }
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let addresses = Addresses {
            gateway: at(ports[0]),
            network: at(ports[1]),
            receiver: at(ports[4]),
            bearer: String::new(),
        };
        let network = sandbox("network", program, folder, ports[1], ports[2]);
        let receiver = sandbox("receiver", program, folder, ports[3], ports[4]);
        let gateway = gateway(program, folder, &addresses, postgres.as_ref(), log);
        let mut bed = Self {
            gateway,
            network,
            _receiver: receiver,
            postgres,
            addresses,
            instances: Vec::new(),
            stop: stop.clone(),
            http: Http::new(Duration::from_secs(10)),
        };
        bed.network.start(stop)?;
        bed._receiver.start(stop)?;
        if bed.postgres.is_some() {
            tools::output(bed.gateway.command_line().arg("init"))
                .context("`recado init` failed")?;
        }
        bed.gateway.start(stop)?;
        bed.sign_in()?;
        for chat in &CHATS {
            bed.phone(chat.customer)?;
        }
        for shop in SHOPS {
            let instance = bed.pair(shop)?;
            bed.instances.push(instance);
        }
        Ok(bed)
    }

    pub fn start_gateway(&mut self) -> Result<()> {
        self.gateway.start(&self.stop)
    }

    pub fn start_network(&mut self) -> Result<()> {
        self.network.start(&self.stop)
    }

    pub fn postgres(&mut self) -> Result<&mut Postgres> {
        self.postgres.as_mut().context("this bed has no PostgreSQL")
    }

    /// Waits, and breaks off when somebody wants us to end.
    pub fn pause(&self, time: Duration) -> Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < time {
            self.stop.check()?;
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn sign_in(&mut self) -> Result<()> {
        let mut create = self.gateway.command_line();
        create.args(["account", "create", "--name", "Chaos", "--json"]);
        create.args(["--email", "chaos@demo.example"]);
        let account: Value = serde_json::from_str(&tools::output(&mut create)?)
            .context("`recado account create --json` printed no JSON")?;
        let proof = json!({"client_token": account["client_token"], "client_secret": account["client_secret"]});
        let token = self
            .http
            .post(&format!("{}/token", self.addresses.gateway), &proof)?
            .ok()?
            .json()?;
        let token = token["access_token"].as_str().context("no access_token")?;
        self.addresses.bearer = format!("Bearer {token}");
        Ok(())
    }

    fn owner(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Reply> {
        let url = format!("{}{path}", self.addresses.gateway);
        let bearer = [("authorization", self.addresses.bearer.as_str())];
        self.http.call(method, &url, &bearer, body)
    }

    fn phone(&self, number: &str) -> Result<()> {
        let url = format!("{}/phones", self.addresses.network);
        self.http
            .post(&url, &json!({"number": number, "name": number}))?
            .ok()?;
        Ok(())
    }

    fn pair(&self, shop: &str) -> Result<Instance> {
        self.phone(shop)?;
        let made = self
            .owner(
                "PUT",
                "/instances/create",
                Some(&json!({"name": format!("Chaos {shop}")})),
            )?
            .ok()?
            .json()?;
        let id = made["id"].as_str().context("create gave no id")?.to_owned();
        let hook =
            json!({"webhookURL": format!("{}/webhook", self.addresses.receiver), "events": "All"});
        self.owner("POST", &format!("/instances/{id}/webhook"), Some(&hook))?
            .ok()?;
        let minute = Duration::from_secs(60);
        let code = wait_for("a QR code", minute, &self.stop, || {
            let reply = self.owner(
                "GET",
                &format!("/instances/{id}/session/qr?format=text"),
                None,
            )?;
            Ok((reply.status == 200)
                .then(|| reply.text.trim().to_owned())
                .filter(|text| !text.is_empty()))
        })?;
        let scan = format!("{}/phones/{shop}/scan", self.addresses.network);
        self.http.post(&scan, &json!({"qr": code}))?.ok()?;
        wait_for("the instance to be connected", minute, &self.stop, || {
            let status = self.session(&id)?;
            Ok((status["connected"] == true).then_some(()))
        })?;
        let pairing = self.pairing(&id, shop)?;
        Ok(Instance { id, pairing })
    }

    fn session(&self, id: &str) -> Result<Value> {
        let status = self
            .owner("GET", &format!("/instances/{id}/session/status"), None)?
            .ok()?
            .json()?;
        Ok(status["data"].clone())
    }

    fn pairing(&self, id: &str, shop: &str) -> Result<String> {
        let session = self.session(id)?;
        let phone = self
            .http
            .get(&format!("{}/phones/{shop}", self.addresses.network))?
            .ok()?
            .json()?;
        let companions = phone["companions"].as_array();
        let devices: Vec<&Value> = companions
            .into_iter()
            .flatten()
            .map(|c| &c["device"])
            .collect();
        Ok(format!(
            "{} {} as {devices:?}",
            session["phone"], session["jid"]
        ))
    }

    /// The values that a new pairing changed, if there was one.
    pub fn paired_anew(&self) -> Result<Vec<String>> {
        let mut changed = Vec::new();
        for (instance, shop) in self.instances.iter().zip(SHOPS) {
            let now = self.pairing(&instance.id, shop)?;
            if now != instance.pairing {
                changed.push(format!("paired anew: {} became {now}", instance.pairing));
            }
        }
        Ok(changed)
    }
}

fn sandbox(name: &'static str, program: &Path, folder: &Path, port: u16, receiver: u16) -> Program {
    let data = folder.join(name).display().to_string();
    let local = |port: u16| format!("127.0.0.1:{port}");
    let args = [
        "--listen",
        &local(port),
        "--receiver",
        &local(receiver),
        "--data",
        &data,
    ];
    Program {
        name,
        subcommand: "sandbox",
        path: program.to_owned(),
        args: args.map(str::to_owned).to_vec(),
        env: Vec::new(),
        log: folder.join(format!("{name}.log")),
        health: format!("http://127.0.0.1:{port}/health"),
        child: None,
    }
}

fn gateway(
    program: &Path,
    folder: &Path,
    addresses: &Addresses,
    postgres: Option<&Postgres>,
    log: &str,
) -> Program {
    let path = |name: &str| -> PathBuf { folder.join(name) };
    let listen = addresses.gateway.trim_start_matches("http://").to_owned();
    let mut env = vec![
        ("RECADO_DATA_DIR", path("gateway").display().to_string()),
        (
            "RECADO_MASTER_KEY_FILE",
            path("master.key").display().to_string(),
        ),
        ("RECADO_LISTEN", listen),
        ("RECADO_PUBLIC_URL", addresses.gateway.clone()),
        (
            "RECADO_SANDBOX__URL",
            format!("{}/ws/chat", addresses.network.replacen("http", "ws", 1)),
        ),
        ("RECADO_LOG", log.to_owned()),
    ];
    env.extend(SETTINGS.map(|(name, value)| (name, value.to_owned())));
    if let Some(server) = postgres {
        env.push(("RECADO_DATABASE_URL", format!("{}/postgres", server.url())));
    }
    Program {
        name: "gateway",
        subcommand: "serve",
        path: program.to_owned(),
        args: Vec::new(),
        env,
        log: path("gateway.log"),
        health: format!("{}/readyz", addresses.gateway),
        child: None,
    }
}
