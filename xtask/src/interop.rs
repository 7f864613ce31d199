//! `cargo xtask interop`: another stack's client writes with a gateway of ours, over the sandbox.
//!
//! Here is what it happens on: a network, a gateway with one instance, a phone for the other side. What is
//! played on it is JavaScript, as the client is: `interop/`. What the two disagreed in: `docs/sandbox.md`.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::json;

use crate::owner::Owner;
use crate::process::{self, Stop};
use crate::program::{Addresses, Program};
use crate::{node, tools};

const SHOP: &str = "5511999990001";
/// Whose linked device the other client is.
const CUSTOMER: &str = "5511999990021";

#[derive(clap::Args)]
pub struct Options {
    /// Only the cases whose name contains this
    #[arg(long, default_value = "")]
    only: String,
    /// A program that is built already, with the sandbox, instead of this tree's
    #[arg(long)]
    program: Option<PathBuf>,
    /// The gateway's log filter; its output is kept with the data when something went wrong
    #[arg(long, default_value = "info,recado_api=warn")]
    log: String,
}

impl Options {
    /// Every case, with this tree's program.
    pub fn all() -> Self {
        Self {
            only: String::new(),
            program: None,
            log: "info,recado_api=warn".to_owned(),
        }
    }
}

/// Plays the cases. Each that does not hold is named with what was wrong, and the data is kept.
pub fn run(options: &Options) -> Result<()> {
    let stop = Stop::on_signals()?;
    let begun = Instant::now();
    node::require(&sources())?;
    node::install(&sources(), "the client that is not ours")?;
    let built = match &options.program {
        Some(given) => given.clone(),
        None => tools::build_recado(true, None)?,
    };
    let program = tools::keep(&built, &format!("recado-interop-{}", std::process::id()))?;
    let folder = tempfile::Builder::new()
        .prefix("recado-interop-")
        .tempdir()
        .context("cannot make a temporary folder")?;
    let played = play(&program, folder.path(), options, &stop);
    std::fs::remove_file(&program)
        .with_context(|| format!("cannot remove {}", program.display()))?;
    if played.is_err() {
        let kept = folder.keep();
        println!("The data and the logs are kept in {}.", kept.display());
    }
    played?;
    println!("{} s.", begun.elapsed().as_secs());
    Ok(())
}

fn sources() -> PathBuf {
    tools::root().join("interop")
}

fn play(program: &Path, folder: &Path, options: &Options, stop: &Stop) -> Result<()> {
    let mut ports = Vec::new();
    for _ in 0..3 {
        ports.push(tools::free_port(&ports)?);
    }
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let addresses = Addresses {
        gateway: at(ports[0]),
        network: at(ports[1]),
        receiver: at(ports[2]),
        bearer: String::new(),
    };
    let settings = [
        ("RECADO_SEND__MIN_INTERVAL_MS", "0"),
        ("RECADO_LOG", options.log.as_str()),
    ];
    let mut network = Program::sandbox("network", program, folder, ports[1], ports[2]);
    let mut gateway = Program::gateway(program, folder, &addresses, &settings);
    network.start(stop)?;
    gateway.start(stop)?;
    let owner = Owner::sign_in(&gateway, addresses, "Interop")?;
    let instance = owner.link(&json!({"name": "Interop"}), SHOP, stop)?;
    let played = cases(&owner, &instance, &options.only, stop);
    gateway.check()?;
    network.check()?;
    played
}

/// All of them, in a process of their own.
fn cases(owner: &Owner, instance: &str, only: &str, stop: &Stop) -> Result<()> {
    let addresses = owner.addresses();
    let told = json!({
        "gateway": addresses.gateway,
        "network": addresses.network,
        "receiver": addresses.receiver,
        "bearer": addresses.bearer,
        "instance": instance,
        "shop": SHOP,
        "customer": CUSTOMER,
    });
    let mut command = process::dying_with_us(Path::new("node"), "TERM");
    command
        .args(["src/main.js", only])
        .current_dir(sources())
        .env("RECADO_INTEROP", told.to_string());
    let mut child = Playing(command.spawn().context("cannot start node")?);
    let status = loop {
        if let Some(status) = child.0.try_wait()? {
            break status;
        }
        stop.check()?;
        std::thread::sleep(Duration::from_millis(50));
    };
    if !status.success() {
        bail!("the two sides disagree, or the cases broke off ({status})");
    }
    Ok(())
}

/// Ended with us.
struct Playing(Child);

impl Drop for Playing {
    fn drop(&mut self) {
        process::stop(&mut self.0, Signal::TERM, Duration::from_secs(5));
    }
}
