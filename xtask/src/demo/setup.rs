//! What must be there before anything starts: the data folder, ports, the accounts.

use std::fs::{File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::children::Program;
use super::info::{Account, Memory, Ports};
use crate::tools;

/// The demo's data folder, held by one demo at a time.
pub struct Folder {
    path: PathBuf,
    // Held open: the lock goes with it, however this process ends.
    _lock: File,
}

impl Folder {
    /// Makes or finds the folder and locks it. Everything in it is for its owner only.
    pub fn open(given: Option<&Path>) -> Result<Self> {
        let path = match given {
            Some(path) => std::path::absolute(path)?,
            None => tools::root().join("data").join("demo"),
        };
        let advice = || {
            format!(
                "cannot use the data folder {}: choose another with --data DIR",
                path.display()
            )
        };
        for folder in [path.clone(), path.join("logs"), path.join("sandbox")] {
            std::fs::create_dir_all(&folder).with_context(advice)?;
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
            .with_context(advice)?;
        let lock = File::create(path.join("demo.lock")).with_context(advice)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "another demo is running on {}: stop it, or choose another folder with --data DIR",
                path.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(advice),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn memory(&self) -> PathBuf {
        self.path.join("demo.json")
    }

    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// One name per folder, so that two demos on two folders do not swap each other's program.
    pub fn program_name(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.path.hash(&mut hasher);
        format!("recado-sandbox-{:016x}", hasher.finish())
    }
}

/// Picks the four ports. `asked` is binding; ports of the last run are taken again when they are free, so
/// that addresses in somebody's notes and webhooks stay right.
pub fn ports(asked: Option<u16>, last: Option<&Ports>) -> Result<Ports> {
    let gateway = match asked {
        Some(port) if port != 0 => {
            if !tools::is_free(port) {
                bail!(
                    "port {port} on 127.0.0.1 is in use by another program: choose another with --port N, or --port 0"
                );
            }
            Some(port)
        }
        Some(_) => last.map(|p| p.gateway).filter(|p| tools::is_free(*p)),
        None if tools::is_free(8080) => Some(8080),
        None => {
            println!("Port 8080 is in use by another program: taking a free one.");
            None
        }
    };
    let mut taken = Vec::new();
    let mut pick = |wish: Option<u16>| -> Result<u16> {
        let port = match wish.filter(|p| !taken.contains(p) && tools::is_free(*p)) {
            Some(port) => port,
            None => tools::free_port(&taken)?,
        };
        taken.push(port);
        Ok(port)
    };
    Ok(Ports {
        gateway: pick(gateway)?,
        metrics: pick(last.map(|p| p.metrics))?,
        sandbox: pick(last.map(|p| p.sandbox))?,
        receiver: pick(last.map(|p| p.receiver))?,
    })
}

/// Makes the two accounts that are not there yet, through the program's own command line.
pub fn accounts(gateway: &Program, folder: &Folder, memory: &mut Memory) -> Result<()> {
    let wanted = [("Demo shop", "owner"), ("Other shop", "other")];
    for (name, local) in wanted {
        let slot = if local == "owner" {
            &mut memory.owner
        } else {
            &mut memory.other
        };
        if slot.is_none() {
            *slot = Some(create(gateway, name, local)?);
            // At once: an account whose secrets nobody kept is of no use.
            memory.save(&folder.memory())?;
        }
    }
    Ok(())
}

fn create(gateway: &Program, name: &str, local: &str) -> Result<Account> {
    let attempt = |email: &str| {
        let mut command = gateway.command_line();
        command.args([
            "account", "create", "--name", name, "--email", email, "--json",
        ]);
        tools::output(&mut command)
    };
    let first = format!("{local}@demo.example");
    let printed = attempt(&first).or_else(|error| {
        // The folder holds accounts of a demo whose demo.json is gone: their secrets cannot be had again.
        if format!("{error:#}").contains(&first)
            || format!("{error:#}").to_lowercase().contains("already")
        {
            attempt(&format!("{local}-{}@demo.example", std::process::id()))
        } else {
            Err(error)
        }
    })?;
    let json: Value = serde_json::from_str(printed.trim())
        .with_context(|| "`recado account create --json` printed no JSON".to_owned())?;
    serde_json::from_value(json)
        .context("`recado account create --json` printed another shape than expected")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_four_different_ones_and_a_busy_one_is_an_error() {
        let ports = ports(Some(0), None).expect("free ports");
        let mut all = vec![ports.gateway, ports.metrics, ports.sandbox, ports.receiver];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4);

        let busy = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
        let port = busy.local_addr().expect("address").port();
        let error = super::ports(Some(port), None).expect_err("the port is taken");
        assert!(
            error.to_string().contains(&format!("port {port} ")),
            "{error}"
        );
    }

    #[test]
    fn a_folder_has_one_demo_at_a_time() {
        let temp = tempfile::tempdir().expect("temp folder");
        let first = Folder::open(Some(temp.path())).expect("first");
        let second = Folder::open(Some(temp.path()));
        assert!(second.is_err_and(|e| e.to_string().contains("another demo is running")));
        drop(first);
        assert!(Folder::open(Some(temp.path())).is_ok());
    }
}
