//! One program of the bed: started, hit by signals, started again.

use std::fs::OpenOptions;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::http::Http;
use crate::process::{self, Stop};

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
