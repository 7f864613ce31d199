//! `cargo xtask bench memory`: what one more connected, idle instance costs.

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::http::Http;
use crate::process::{self, Stop, wait_for};
use crate::tools;

#[derive(clap::Args)]
pub struct Options {
    /// How many instances to pair
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..=5000))]
    instances: u32,
    /// Measure the release build
    #[arg(long)]
    release: bool,
}

pub fn run(options: &Options) -> Result<()> {
    let Options { instances, release } = options;
    let stop = Stop::on_signals()?;
    let built = tools::build_recado(true, release.then_some("release"))?;
    let program = tools::keep(&built, &format!("recado-bench-{}", std::process::id()))?;
    let measured = memory(&program, *instances, &stop);
    std::fs::remove_file(&program)
        .with_context(|| format!("cannot remove {}", program.display()))?;
    measured
}

fn memory(program: &Path, instances: u32, stop: &Stop) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut ports = Vec::new();
    for _ in 0..4 {
        ports.push(tools::free_port(&ports)?);
    }
    let [gateway, metrics, sandbox, receiver] = ports[..] else {
        bail!("no free ports");
    };
    let base = format!("http://127.0.0.1:{gateway}");
    let network = format!("http://127.0.0.1:{sandbox}");
    let http = Http::new(Duration::from_secs(60));

    let mut command = process::recado(program, "sandbox");
    command.args(["--listen", &format!("127.0.0.1:{sandbox}")]);
    command.args(["--receiver", &format!("127.0.0.1:{receiver}")]);
    command.arg("--data").arg(folder.path().join("sandbox"));
    let _sandbox = Server::start(
        command,
        "sandbox",
        folder.path(),
        &format!("{network}/health"),
        stop,
    )?;

    let configure = |command: &mut Command| {
        command.env("RECADO_DATA_DIR", folder.path().join("gateway"));
        command.env("RECADO_MASTER_KEY_FILE", folder.path().join("master.key"));
        command.env("RECADO_LISTEN", format!("127.0.0.1:{gateway}"));
        command.env("RECADO_METRICS_LISTEN", format!("127.0.0.1:{metrics}"));
        command.env("RECADO_PUBLIC_URL", &base);
        command.env(
            "RECADO_SANDBOX__URL",
            format!("ws://127.0.0.1:{sandbox}/ws/chat"),
        );
        command.env("RECADO_LOG", "warn");
    };
    let mut command = process::recado(program, "serve");
    configure(&mut command);
    let server = Server::start(
        command,
        "gateway",
        folder.path(),
        &format!("{base}/readyz"),
        stop,
    )?;
    let mut account = Command::new(program);
    configure(&mut account);
    let account = owned_account(&mut account)?;
    let bearer = bearer(&http, &base, &account)?;
    let bench = Pairing {
        http: &http,
        base: &base,
        network: &network,
        bearer: &bearer,
        stop,
    };

    let before = settle(server.child.id(), stop)?;
    bench.pair(1)?;
    let one = settle(server.child.id(), stop)?;
    for number in 2..=instances {
        bench.pair(number)?;
        if number % 10 == 0 {
            eprintln!("{number} of {instances} instances are connected");
        }
    }
    bench.all_connected(instances)?;
    let all = settle(server.child.id(), stop)?;

    print(&before, &one, &all, instances);
    Ok(())
}

/// An account of the bench's own; `command` is the program with its settings.
fn owned_account(command: &mut Command) -> Result<Value> {
    command.args(["account", "create", "--name", "Bench"]);
    command.args(["--email", "bench@demo.example", "--json"]);
    serde_json::from_str(&tools::output(command)?).context("account create printed no JSON")
}

/// The header of an owner of the account.
fn bearer(http: &Http, base: &str, account: &Value) -> Result<String> {
    let token = http
        .post(&format!("{base}/token"), &json!({"client_token": account["client_token"], "client_secret": account["client_secret"]}))?
        .ok()?
        .json()?;
    Ok(format!(
        "Bearer {}",
        token["access_token"].as_str().context("no access_token")?
    ))
}

fn print(before: &Usage, one: &Usage, all: &Usage, instances: u32) {
    println!(
        "{:<24}{:>12}{:>10}{:>14}",
        "", "RSS (KiB)", "threads", "file handles"
    );
    for (what, usage) in [
        ("no instance".to_owned(), before),
        ("1 instance".to_owned(), one),
        (format!("{instances} instances"), all),
    ] {
        println!(
            "{what:<24}{:>12}{:>10}{:>14}",
            usage.rss_kib, usage.threads, usage.files
        );
    }
    let others = f64::from(instances - 1);
    let each = |all: u64, one: u64| (all as f64 - one as f64) / others;
    println!(
        "{:<24}{:>12.1}{:>10.2}{:>14.2}",
        "marginal per instance",
        each(all.rss_kib, one.rss_kib),
        each(all.threads, one.threads),
        each(all.files, one.files)
    );
    println!("goal: at most 1024 KiB of resident memory per instance");
}

/// A program of ours that is stopped when this goes.
struct Server {
    child: Child,
}

impl Server {
    fn start(
        mut command: Command,
        name: &str,
        folder: &Path,
        health: &str,
        stop: &Stop,
    ) -> Result<Self> {
        let path = folder.join(format!("{name}.log"));
        let log = std::fs::File::create(&path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        command.stdout(log.try_clone()?).stderr(log);
        let mut server = Self {
            child: command
                .spawn()
                .with_context(|| format!("cannot start the {name}"))?,
        };
        let http = Http::new(Duration::from_secs(2));
        wait_for(
            &format!("the {name} to answer"),
            Duration::from_secs(60),
            stop,
            || {
                if let Some(status) = server.child.try_wait()? {
                    let said = std::fs::read_to_string(&path).unwrap_or_default();
                    bail!("the {name} ended at once ({status}): {}", said.trim());
                }
                Ok(http
                    .get(health)
                    .is_ok_and(|reply| reply.status == 200)
                    .then_some(()))
            },
        )?;
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        process::stop(&mut self.child, Signal::TERM, Duration::from_secs(30));
    }
}

struct Pairing<'a> {
    http: &'a Http,
    base: &'a str,
    network: &'a str,
    bearer: &'a str,
    stop: &'a Stop,
}

impl Pairing<'_> {
    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<crate::http::Reply> {
        self.http.call(
            method,
            &format!("{}{path}", self.base),
            &[("authorization", self.bearer)],
            body,
        )
    }

    /// Creates instance `number`, pairs it with a phone of its own and waits until it is connected.
    fn pair(&self, number: u32) -> Result<()> {
        let phone = format!("55119{:08}", 10_000_000 + number);
        let named = json!({"number": phone, "name": format!("Phone {number}")});
        self.http
            .post(&format!("{}/phones", self.network), &named)?
            .ok()?;
        let made = self
            .call(
                "PUT",
                "/instances/create",
                Some(&json!({"name": format!("Bench {number}")})),
            )?
            .ok()?
            .json()?;
        let id = made["id"].as_str().context("create gave no id")?;
        let code = wait_for("a QR code", Duration::from_secs(60), self.stop, || {
            let reply = self.call(
                "GET",
                &format!("/instances/{id}/session/qr?format=text"),
                None,
            )?;
            Ok((reply.status == 200)
                .then(|| reply.text.trim().to_owned())
                .filter(|text| !text.is_empty()))
        })?;
        self.http
            .post(
                &format!("{}/phones/{phone}/scan", self.network),
                &json!({"qr": code}),
            )?
            .ok()?;
        wait_for(
            "the instance to be connected",
            Duration::from_secs(60),
            self.stop,
            || {
                let status = self
                    .call("GET", &format!("/instances/{id}/session/status"), None)?
                    .ok()?
                    .json()?;
                Ok((status["data"]["connected"] == true).then_some(()))
            },
        )
    }

    /// `connected` in a status means paired; the list's summary counts by state, which means online.
    fn all_connected(&self, instances: u32) -> Result<()> {
        wait_for(
            "all instances to be online",
            Duration::from_secs(180),
            self.stop,
            || {
                let list = self
                    .call(
                        "POST",
                        "/instances/list",
                        Some(&json!({"page": 1, "size": 1})),
                    )?
                    .ok()?
                    .json()?;
                let online = list["summary"]["connected"].as_u64();
                match online {
                    Some(count) => Ok((count >= u64::from(instances)).then_some(())),
                    None => bail!(
                        "the list's summary names no `connected`: {}",
                        list["summary"]
                    ),
                }
            },
        )
    }
}

struct Usage {
    rss_kib: u64,
    threads: u64,
    files: u64,
}

/// Waits until the process is idle (its resident memory is stable for 5 s, 60 s at most), then reads it.
fn settle(pid: u32, stop: &Stop) -> Result<Usage> {
    let mut last = usage(pid)?;
    let mut calm = 0;
    for _ in 0..60 {
        stop.check()?;
        std::thread::sleep(Duration::from_secs(1));
        let now = usage(pid)?;
        calm = if now.rss_kib.abs_diff(last.rss_kib) < 64 {
            calm + 1
        } else {
            0
        };
        last = now;
        if calm >= 5 {
            break;
        }
    }
    Ok(last)
}

fn usage(pid: u32) -> Result<Usage> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).context(
        "cannot read the gateway's /proc entry (this needs Linux, and the gateway must be alive)",
    )?;
    let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let rss_kib = rss
        .and_then(|text| text.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .context("the gateway's /proc entry names no VmRSS")?;
    let count = |what: &str| -> Result<u64> {
        Ok(std::fs::read_dir(format!("/proc/{pid}/{what}"))?.count() as u64)
    };
    Ok(Usage {
        rss_kib,
        threads: count("task")?,
        files: count("fd")?,
    })
}
