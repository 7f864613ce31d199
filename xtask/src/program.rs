//! One program of ours on loopback: started, hit by signals, started again.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::http::Http;
use crate::process::{self, Stop};

/// Where everything answers, no trailing slash, and how the owner shows who they are.
#[derive(Clone)]
pub struct Addresses {
    pub gateway: String,
    pub network: String,
    pub receiver: String,
    /// Empty until somebody has signed in.
    pub bearer: String,
}

/// How to start it, and its process while it has one.
pub struct Program {
    pub name: &'static str,
    pub subcommand: &'static str,
    pub path: PathBuf,
    pub args: Vec<String>,
    pub env: Vec<(&'static str, String)>,
    pub log: PathBuf,
    /// Answers 200 once it works.
    pub health: String,
    pub child: Option<Child>,
}

impl Program {
    /// A WhatsApp network with the receiver of webhooks, its data in `folder` under its name.
    pub fn sandbox(
        name: &'static str,
        path: &Path,
        folder: &Path,
        port: u16,
        receiver: u16,
    ) -> Self {
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
        Self {
            name,
            subcommand: "sandbox",
            path: path.to_owned(),
            args: args.map(str::to_owned).to_vec(),
            env: Vec::new(),
            log: folder.join(format!("{name}.log")),
            health: format!("http://127.0.0.1:{port}/health"),
            child: None,
        }
    }

    /// A gateway on SQLite with its data in `folder`, unless `settings` say otherwise.
    pub fn gateway(
        path: &Path,
        folder: &Path,
        addresses: &Addresses,
        settings: &[(&'static str, &str)],
    ) -> Self {
        let within = |name: &str| folder.join(name).display().to_string();
        let mut env = vec![
            ("RECADO_DATA_DIR", within("gateway")),
            ("RECADO_MASTER_KEY_FILE", within("master.key")),
            (
                "RECADO_LISTEN",
                addresses.gateway.trim_start_matches("http://").to_owned(),
            ),
            ("RECADO_PUBLIC_URL", addresses.gateway.clone()),
            (
                "RECADO_SANDBOX__URL",
                format!("{}/ws/chat", addresses.network.replacen("http", "ws", 1)),
            ),
            ("RECADO_EGRESS__ALLOW", "127.0.0.0/8".to_owned()),
            ("RECADO_METRICS_LISTEN", "off".to_owned()),
        ];
        let settings = settings.iter();
        env.extend(settings.map(|(name, value)| (*name, (*value).to_owned())));
        Self {
            name: "gateway",
            subcommand: "serve",
            path: path.to_owned(),
            args: Vec::new(),
            env,
            log: folder.join("gateway.log"),
            health: format!("{}/readyz", addresses.gateway),
            child: None,
        }
    }

    /// The program with this configuration, and none of the surrounding shell's.
    fn configure(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let ours = name.to_string_lossy();
            if ours.starts_with("RECADO_") {
                command.env_remove(&name);
            }
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.env("NO_COLOR", "1");
    }

    /// For `account create` and the like.
    pub fn command_line(&self) -> Command {
        let mut command = Command::new(&self.path);
        self.configure(&mut command);
        command
    }

    /// Starts it and returns when it answers.
    pub fn start(&mut self, stop: &Stop) -> Result<()> {
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = process::recado(&self.path, self.subcommand);
        self.configure(&mut command);
        // Through us and not into the file: a limit on its files is no limit on what it may say.
        command
            .args(&self.args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start the {}", self.name))?;
        if let Some(mut said) = child.stderr.take() {
            std::thread::spawn(move || std::io::copy(&mut said, &mut log));
        }
        let child = self.child.insert(child);
        let http = Http::new(Duration::from_secs(2));
        let what = format!("the {} to answer", self.name);
        let (name, health, log) = (self.name, &self.health, &self.log);
        process::wait_for(&what, Duration::from_secs(60), stop, || {
            if let Some(status) = child.try_wait()? {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                let tail = said
                    .char_indices()
                    .rev()
                    .nth(2000)
                    .map_or(said.as_str(), |(at, _)| &said[at..]);
                bail!("the {name} ended at once ({status}): {tail}");
            }
            Ok(http
                .get(health)
                .is_ok_and(|reply| reply.status == 200)
                .then_some(()))
        })
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    pub fn signal(&self, signal: Signal) {
        if let Some(child) = &self.child {
            process::signal(child, signal);
        }
    }

    /// `kill -9`, and its end.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// SIGTERM, and its end. `false` when it took too long and was killed.
    pub fn terminate(&mut self) -> bool {
        match self.child.take() {
            Some(mut child) => process::stop(&mut child, Signal::TERM, Duration::from_secs(30)),
            None => true,
        }
    }

    /// Fails when it ended by itself.
    pub fn check(&mut self) -> Result<()> {
        if let Some(child) = &mut self.child
            && let Some(status) = child.try_wait()?
        {
            bail!(
                "the {} ended ({status}): see {}",
                self.name,
                self.log.display()
            );
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // A stopped process hears of nothing else.
        self.signal(Signal::CONT);
        self.terminate();
    }
}
