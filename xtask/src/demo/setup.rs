//! The things that must be there before anything starts: ports, the database, the accounts.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::children::Program;
use super::folder::Folder;
use super::info::{Account, Database, Memory, Ports};
use crate::postgres::Postgres;
use crate::tools;

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

/// A setting of the gateway from `--set`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub variable: String,
    pub value: String,
}

/// The settings of the demo's own: it looks for the programs where it put them.
const OWN: [&str; 9] = [
    "data_dir",
    "database_url",
    "database_url_file",
    "listen",
    "master_key",
    "master_key_file",
    "metrics_listen",
    "public_url",
    "sandbox.url",
];

/// Reads `NAME=VALUE`. Whether there is such a setting the gateway says when it starts.
pub fn setting(text: &str) -> Result<Setting, String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write NAME=VALUE, for example send.min_interval_ms=0")?;
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.';
    if name.is_empty() || !name.chars().all(letters) {
        return Err(format!(
            "`{name}` is no setting: use its name in crates/server/src/default.toml, for example send.min_interval_ms"
        ));
    }
    if OWN.contains(&name) {
        return Err(format!("the demo chooses {name} itself"));
    }
    Ok(Setting {
        variable: format!("RECADO_{}", name.to_uppercase().replace('.', "__")),
        value: value.to_owned(),
    })
}

/// Whether this folder may hold a demo on this database: nobody's data is thrown away by a slip.
pub fn fits(wanted: Database, folder: &Folder, memory: &Memory) -> Result<()> {
    let known = memory.owner.is_some() || memory.ports.is_some();
    let foreign = ["recado.db", "master.key"].map(|name| folder.path().join(name));
    let clash = if known {
        memory.database != wanted
    } else {
        wanted == Database::Postgres && foreign.iter().any(|file| file.exists())
    };
    if clash {
        bail!(
            "{} holds the data of a gateway on another database: choose another folder with --data DIR",
            folder.path().display()
        );
    }
    Ok(())
}

/// Puts the gateway on a fresh server. The accounts, keys and phones of the last server went with it.
pub fn on_postgres(
    gateway: Program,
    server: &Postgres,
    folder: &Folder,
    ports: &Ports,
    memory: &mut Memory,
) -> Result<Program> {
    *memory = Memory {
        ports: Some(ports.clone()),
        database: Database::Postgres,
        ..Memory::default()
    };
    // From here on the folder is one that may be emptied.
    memory.save(&folder.memory())?;
    let key = folder.path().join("master.key");
    if key.exists() {
        std::fs::remove_file(&key).with_context(|| format!("cannot replace {}", key.display()))?;
    }
    let phones = folder.path().join("sandbox");
    std::fs::remove_dir_all(&phones)
        .and_then(|()| std::fs::create_dir(&phones))
        .with_context(|| format!("cannot empty {}", phones.display()))?;
    let gateway = gateway.with("RECADO_DATABASE_URL", &format!("{}/postgres", server.url()));
    tools::output(gateway.command_line().arg("init")).context("`recado init` failed")?;
    Ok(gateway)
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
    fn a_setting_becomes_its_variable() {
        let set = setting("send.min_interval_ms=0").expect("a setting");
        assert_eq!(set.variable, "RECADO_SEND__MIN_INTERVAL_MS");
        assert_eq!(set.value, "0");
        assert_eq!(setting("log=a=b").expect("a setting").value, "a=b");
        for (text, why) in [
            ("send", "NAME=VALUE"),
            ("Send.X=1", "no setting"),
            ("=1", "no setting"),
            ("listen=127.0.0.1:1", "itself"),
        ] {
            let error = setting(text).expect_err("refused");
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_folder_is_for_one_database() {
        let temp = tempfile::tempdir().expect("temp folder");
        let folder = Folder::open(Some(temp.path())).expect("folder");
        let mut memory = Memory::default();
        fits(Database::Postgres, &folder, &memory).expect("fresh");
        memory.ports = Some(ports(Some(0), None).expect("ports"));
        assert!(fits(Database::Postgres, &folder, &memory).is_err());
        fits(Database::Sqlite, &folder, &memory).expect("the same");
        std::fs::write(temp.path().join("recado.db"), "").expect("write");
        assert!(fits(Database::Postgres, &folder, &Memory::default()).is_err());
    }
}
