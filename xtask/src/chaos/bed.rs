//! The ground of a run: a network, a receiver, a database, a gateway with two paired instances.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::owner::Owner;
use crate::postgres::Postgres;
use crate::process::Stop;
use crate::program::{Addresses, Program};
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
const SETTINGS: [(&str, &str); 10] = [
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
    owner: Owner,
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
        let mut network = Program::sandbox("network", program, folder, ports[1], ports[2]);
        let mut receiver = Program::sandbox("receiver", program, folder, ports[3], ports[4]);
        let database = postgres
            .as_ref()
            .map(|server| format!("{}/postgres", server.url()));
        let mut settings: Vec<(&'static str, &str)> = SETTINGS.to_vec();
        settings.push(("RECADO_LOG", log));
        settings.extend(database.as_deref().map(|url| ("RECADO_DATABASE_URL", url)));
        let mut gateway = Program::gateway(program, folder, &addresses, &settings);
        network.start(stop)?;
        receiver.start(stop)?;
        if postgres.is_some() {
            tools::output(gateway.command_line().arg("init")).context("`recado init` failed")?;
        }
        gateway.start(stop)?;
        let owner = Owner::sign_in(&gateway, addresses, "Chaos")?;
        let mut bed = Self {
            gateway,
            network,
            _receiver: receiver,
            postgres,
            addresses: owner.addresses().clone(),
            instances: Vec::new(),
            stop: stop.clone(),
            owner,
        };
        bed.people()?;
        Ok(bed)
    }

    /// The customers' phones, and an instance for each shop.
    fn people(&mut self) -> Result<()> {
        for chat in &CHATS {
            self.owner.phone(chat.customer)?;
        }
        for shop in SHOPS {
            let id =
                self.owner
                    .link(&json!({"name": format!("Chaos {shop}")}), shop, &self.stop)?;
            let pairing = self.pairing(&id, shop)?;
            self.instances.push(Instance { id, pairing });
        }
        Ok(())
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

    fn pairing(&self, id: &str, shop: &str) -> Result<String> {
        let session = self.owner.session(id)?;
        let phone = self.owner.shown(shop)?;
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
