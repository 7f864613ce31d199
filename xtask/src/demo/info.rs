//! The demo's memory between runs (`demo.json`), and its facts for scripts (`--info FILE`).

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// The number that the shop's instance runs on.
pub const SHOP: &str = "5511999990001";
/// A customer of the shop.
pub const CUSTOMER: &str = "5511999990002";
/// The number behind the Direct API's session.
pub const SALES: &str = "5511999990003";

/// An account's credentials as `recado account create --json` prints them.
#[derive(Clone, Serialize, Deserialize)]
pub struct Account {
    pub owner_email: String,
    pub owner_password: String,
    pub client_token: String,
    pub client_secret: String,
    pub api_token: String,
}

/// The database that the gateway keeps its data in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Database {
    #[default]
    Sqlite,
    Postgres,
}

/// All on 127.0.0.1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ports {
    pub gateway: u16,
    pub metrics: u16,
    pub sandbox: u16,
    pub receiver: u16,
}

/// The things that the story made and can find again.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Played {
    pub instance_id: String,
    pub instance_token: String,
    pub direct: Option<DirectInstance>,
}

/// A session of the Direct API.
#[derive(Clone, Serialize, Deserialize)]
pub struct DirectInstance {
    pub key: String,
    pub api_key: String,
}

/// `demo.json`: holds secrets of loopback accounts, mode 0600.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    pub owner: Option<Account>,
    pub other: Option<Account>,
    pub ports: Option<Ports>,
    pub played: Option<Played>,
    pub database: Database,
}

impl Memory {
    /// Reads the file; a missing one is an empty memory.
    pub fn load(file: &Path) -> Result<Self> {
        match std::fs::read_to_string(file) {
            Ok(text) => serde_json::from_str(&text).with_context(|| {
                format!(
                    "{} is damaged: repair it, or choose another folder with --data DIR",
                    file.display()
                )
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    pub fn save(&self, file: &Path) -> Result<()> {
        write_private(file, &serde_json::to_string_pretty(self)?)
    }

    /// The object for scripts. Fails when the accounts have not been made yet.
    pub fn info(&self, addresses: &Addresses, data: &Path, pid: u32) -> Result<Info> {
        let owner = self
            .owner
            .clone()
            .context("the demo's account is missing")?;
        let other = self
            .other
            .clone()
            .context("the demo's second account is missing")?;
        Ok(Info {
            base_url: addresses.base.clone(),
            // Without a path: clients append theirs.
            realtime_url: addresses.base.replacen("http", "ws", 1),
            mcp_url: format!("{}/api/mcp/", addresses.base),
            direct_url: addresses.base.clone(),
            dashboard_url: format!("{}/dashboard", addresses.base),
            metrics_url: addresses.metrics.clone(),
            sandbox_url: addresses.sandbox.clone(),
            receiver_url: addresses.receiver.clone(),
            owner_email: owner.owner_email,
            owner_password: owner.owner_password,
            client_token: owner.client_token,
            client_secret: owner.client_secret,
            api_token: owner.api_token,
            other: Other {
                client_token: other.client_token,
                client_secret: other.client_secret,
                api_token: other.api_token,
            },
            data_dir: data.to_owned(),
            database: self.database,
            pid,
        })
    }
}

/// Where everything answers.
pub struct Addresses {
    /// The gateway, no trailing slash.
    pub base: String,
    /// The page with Prometheus metrics.
    pub metrics: String,
    /// The sandbox's control API, no trailing slash.
    pub sandbox: String,
    /// The customer's endpoint: any POST.
    pub receiver: String,
}

impl Addresses {
    pub fn new(ports: &Ports) -> Self {
        let at = |port: u16, path: &str| format!("http://127.0.0.1:{port}{path}");
        Self {
            base: at(ports.gateway, ""),
            metrics: at(ports.metrics, "/metrics"),
            sandbox: at(ports.sandbox, ""),
            receiver: at(ports.receiver, "/webhook"),
        }
    }
}

/// The contents of `--info FILE`. These names stay: outside scripts use them.
#[derive(Clone, Serialize)]
pub struct Info {
    pub base_url: String,
    pub realtime_url: String,
    pub mcp_url: String,
    pub direct_url: String,
    pub dashboard_url: String,
    pub metrics_url: String,
    pub sandbox_url: String,
    pub receiver_url: String,
    pub owner_email: String,
    pub owner_password: String,
    pub client_token: String,
    pub client_secret: String,
    pub api_token: String,
    /// A second account, for trying what must not cross.
    pub other: Other,
    pub data_dir: PathBuf,
    pub database: Database,
    /// The gateway's process.
    pub pid: u32,
}

#[derive(Clone, Serialize)]
pub struct Other {
    pub client_token: String,
    pub client_secret: String,
    pub api_token: String,
}

impl Info {
    /// The receiver's origin, where `GET /deliveries` and `POST /mode` are.
    pub fn receiver_origin(&self) -> &str {
        self.receiver_url.trim_end_matches("/webhook")
    }
}

/// Writes `--info FILE` now and again whenever the gateway's process changes.
pub struct Publisher {
    file: Option<PathBuf>,
    last: Mutex<Option<Info>>,
}

impl Publisher {
    pub fn new(file: Option<PathBuf>) -> Self {
        Self {
            file,
            last: Mutex::new(None),
        }
    }

    /// Writes the file for the first time.
    pub fn publish(&self, info: Info) -> Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(&info)?;
        *last = Some(info);
        Ok(())
    }

    /// Rewrites the file when the process is another one. Before the first `publish` there is nothing to do.
    pub fn set_pid(&self, pid: u32) -> Result<()> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(info) = last.as_mut().filter(|info| info.pid != pid) {
            info.pid = pid;
            self.write(info)?;
        }
        Ok(())
    }

    fn write(&self, info: &Info) -> Result<()> {
        match &self.file {
            Some(file) => write_private(file, &serde_json::to_string_pretty(info)?),
            None => Ok(()),
        }
    }
}

/// Removes the file of an earlier run, so that a script that waits for it does not read that one.
pub fn clear(file: &Path) -> Result<()> {
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot replace {}", file.display()))
        }
        _ => Ok(()),
    }
}

/// Whole or not at all, readable by the owner only.
fn write_private(file: &Path, text: &str) -> Result<()> {
    let what = || format!("cannot write {}", file.display());
    let file = std::path::absolute(file).with_context(what)?;
    let folder = file.parent().with_context(what)?;
    // `tempfile` makes files with mode 0600, and a rename keeps that.
    let mut fresh = tempfile::NamedTempFile::new_in(folder).with_context(what)?;
    fresh
        .write_all(text.as_bytes())
        .and_then(|()| fresh.write_all(b"\n"))
        .with_context(what)?;
    fresh.persist(&file).with_context(what)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn account() -> Account {
        let text = |s: &str| s.to_owned();
        Account {
            owner_email: text("owner@demo.example"),
            owner_password: text("p"),
            client_token: text("ct"),
            client_secret: text("cs"),
            api_token: text("wz"),
        }
    }

    #[test]
    fn the_file_has_all_keys_is_private_and_follows_the_pid() {
        let temp = tempfile::tempdir().expect("temp folder");
        let file = temp.path().join("info.json");
        let ports = Ports {
            gateway: 1,
            metrics: 2,
            sandbox: 3,
            receiver: 4,
        };
        let memory = Memory {
            owner: Some(account()),
            other: Some(account()),
            ..Memory::default()
        };
        let info = memory
            .info(&Addresses::new(&ports), temp.path(), 7)
            .expect("info");
        let publisher = Publisher::new(Some(file.clone()));
        publisher.set_pid(6).expect("nothing to do yet");
        assert!(!file.exists());
        publisher.publish(info).expect("publish");
        publisher.set_pid(8).expect("rewrite");

        let json: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&file).expect("read")).expect("JSON");
        let keys = "base_url realtime_url mcp_url direct_url dashboard_url metrics_url sandbox_url receiver_url \
                    owner_email owner_password client_token client_secret api_token other data_dir database pid";
        for key in keys.split_whitespace() {
            assert!(!json[key].is_null(), "{key} is missing");
        }
        assert_eq!(json["pid"], 8);
        assert_eq!(json["realtime_url"], "ws://127.0.0.1:1");
        assert_eq!(
            std::fs::metadata(&file)
                .expect("metadata")
                .permissions()
                .mode()
                & 0o777,
            0o600
        );
    }
}
