//! Runs the sandbox and the gateway, and starts again whichever of them dies.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::Signal;

use super::folder::Folder;
use super::info::{Addresses, Ports, Publisher};
use crate::http::Http;
use crate::process::{self, Stop};

/// A process that lived shorter than this has not worked at all.
const AT_ONCE: Duration = Duration::from_secs(5);
/// So many deaths at once in a row, and we give up.
const PATIENCE: u32 = 6;

/// One of the two programs: how to start it and how to see that it answers.
#[derive(Clone)]
pub struct Program {
    name: &'static str,
    subcommand: &'static str,
    path: PathBuf,
    args: Vec<String>,
    env: Vec<(String, String)>,
    log: PathBuf,
    /// All must answer 200.
    health: Vec<String>,
}

impl Program {
    /// The WhatsApp network with its phones, media host and the webhook receiver.
    pub fn sandbox(path: &Path, folder: &Folder, ports: &Ports, addresses: &Addresses) -> Self {
        let data = folder.path().join("sandbox").display().to_string();
        let local = |port: u16| format!("127.0.0.1:{port}");
        let args = [
            "--listen",
            &local(ports.sandbox),
            "--receiver",
            &local(ports.receiver),
            "--data",
            &data,
        ];
        let receiver = addresses.receiver.trim_end_matches("/webhook");
        Self {
            name: "sandbox",
            subcommand: "sandbox",
            path: path.to_owned(),
            args: args.map(str::to_owned).to_vec(),
            env: Vec::new(),
            log: folder.logs().join("sandbox.log"),
            health: vec![
                format!("{}/health", addresses.sandbox),
                format!("{receiver}/deliveries?after=999999999"),
            ],
        }
    }

    /// The gateway, on SQLite in the data folder unless it is told otherwise.
    pub fn gateway(path: &Path, folder: &Folder, ports: &Ports, addresses: &Addresses) -> Self {
        let data = folder.path();
        let env = [
            ("RECADO_DATA_DIR", data.display().to_string()),
            (
                "RECADO_MASTER_KEY_FILE",
                data.join("master.key").display().to_string(),
            ),
            ("RECADO_LISTEN", format!("127.0.0.1:{}", ports.gateway)),
            (
                "RECADO_METRICS_LISTEN",
                format!("127.0.0.1:{}", ports.metrics),
            ),
            ("RECADO_PUBLIC_URL", addresses.base.clone()),
            (
                "RECADO_SANDBOX__URL",
                format!("{}/ws/chat", addresses.sandbox.replacen("http", "ws", 1)),
            ),
            // The customer's endpoint of the demo is on loopback; the default configuration allows no such thing.
            ("RECADO_EGRESS__ALLOW", "127.0.0.0/8".to_owned()),
            // Nobody bans a virtual phone: the pace that real numbers need would only make the demo slow.
            ("RECADO_SEND__MIN_INTERVAL_MS", "50".to_owned()),
        ];
        Self {
            name: "gateway",
            subcommand: "serve",
            path: path.to_owned(),
            args: Vec::new(),
            env: env.map(|(name, value)| (name.to_owned(), value)).into(),
            log: folder.logs().join("gateway.log"),
            health: vec![
                format!("{}/livez", addresses.base),
                format!("{}/readyz", addresses.base),
                addresses.metrics.clone(),
            ],
        }
    }

    /// One more setting, by the name of its variable. It wins over an earlier one.
    pub fn with(mut self, name: impl Into<String>, value: &str) -> Self {
        self.env.push((name.into(), value.to_owned()));
        self
    }

    /// The program with the same configuration but no subcommand: for `account create` and the like.
    pub fn command_line(&self) -> Command {
        let mut command = Command::new(&self.path);
        self.configure(&mut command);
        command
    }

    /// Puts the settings into a command's environment, in place of those of the surrounding shell.
    pub fn configure(&self, command: &mut Command) {
        // Settings of the surrounding shell are meant for another gateway than this one.
        for (name, _) in std::env::vars_os() {
            let ours = name.to_string_lossy();
            if ours.starts_with("RECADO_") && ours != "RECADO_LOG" {
                command.env_remove(&name);
            }
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.env("NO_COLOR", "1");
    }

    fn spawn(&self) -> Result<Child> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = process::recado(&self.path, self.subcommand);
        self.configure(&mut command);
        command
            .args(&self.args)
            .stdout(log.try_clone()?)
            .stderr(log);
        command
            .spawn()
            .with_context(|| format!("cannot start the {}", self.name))
    }

    fn answers(&self, http: &Http) -> bool {
        self.health
            .iter()
            .all(|url| http.get(url).is_ok_and(|reply| reply.status == 200))
    }

    fn log_tail(&self) -> String {
        let read = || -> std::io::Result<String> {
            let mut file = std::fs::File::open(&self.log)?;
            let length = file.metadata()?.len();
            file.seek(SeekFrom::Start(length.saturating_sub(8 * 1024)))?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let lines: Vec<&str> = text.lines().collect();
            Ok(lines[lines.len().saturating_sub(15)..].join("\n"))
        };
        let tail = read().unwrap_or_else(|error| format!("(no log: {error})"));
        format!("the end of {}:\n{tail}", self.log.display())
    }
}

/// Both processes and the thread that watches them.
pub struct Children {
    watcher: Option<JoinHandle<Result<()>>>,
    shared: Arc<Watched>,
    stop: Stop,
}

#[derive(Default)]
struct Watched {
    gateway_pid: AtomicU32,
    failure: Mutex<Option<String>>,
}

impl Children {
    /// Starts the sandbox, then the gateway, and returns when both answer.
    pub fn start(
        sandbox: Program,
        gateway: Program,
        publisher: Arc<Publisher>,
        stop: Stop,
    ) -> Result<Self> {
        for program in [&sandbox, &gateway] {
            // One older log is kept: the start of this run is easier to find in a fresh one.
            if program.log.is_file() {
                std::fs::rename(&program.log, program.log.with_extension("previous.log"))
                    .with_context(|| format!("cannot put {} aside", program.log.display()))?;
            }
        }
        let shared = Arc::new(Watched::default());
        let (tell, told) = mpsc::channel();
        let watcher = {
            let (shared, stop) = (Arc::clone(&shared), stop.clone());
            std::thread::Builder::new()
                .name("children".to_owned())
                .spawn(move || {
                    let mut watch = Watch {
                        running: Vec::new(),
                        http: Http::new(Duration::from_secs(2)),
                        shared,
                        publisher,
                        stop,
                    };
                    let started = watch.start(sandbox).and_then(|()| watch.start(gateway));
                    let go_on = started.is_ok();
                    // Nobody listens any more only when the demo is already ending.
                    let _ = tell.send(started);
                    if go_on {
                        watch.run();
                    }
                    watch.end()
                })?
        };
        let children = Self {
            watcher: Some(watcher),
            shared,
            stop,
        };
        told.recv()
            .map_err(|_| anyhow!("the watcher of the processes ended"))??;
        Ok(children)
    }

    pub fn gateway_pid(&self) -> u32 {
        self.shared.gateway_pid.load(Ordering::SeqCst)
    }

    /// Why we gave up, if we did.
    pub fn failure(&self) -> Option<String> {
        self.shared
            .failure
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Stops the gateway, then the sandbox, gracefully; an error when one had to be killed.
    pub fn stop(&mut self) -> Result<()> {
        self.stop.ask();
        match self.watcher.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(ended)) => ended,
            Some(Err(_)) => bail!("the watcher of the processes panicked"),
        }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        // Only reached with a watcher when the demo ends by an error, which is the one worth showing.
        let _ = self.stop();
    }
}

struct Running {
    program: Program,
    child: Child,
    since: Instant,
    /// Deaths at once in a row.
    failed: u32,
    /// Started again and not yet seen to answer.
    returning: bool,
    /// When to start it again.
    due: Option<Instant>,
}

struct Watch {
    running: Vec<Running>,
    http: Http,
    shared: Arc<Watched>,
    publisher: Arc<Publisher>,
    stop: Stop,
}

impl Watch {
    fn start(&mut self, program: Program) -> Result<()> {
        let child = program.spawn()?;
        self.running.push(Running {
            program,
            child,
            since: Instant::now(),
            failed: 0,
            returning: false,
            due: None,
        });
        let (http, shared) = (&self.http, &self.shared);
        let Some(new) = self.running.last_mut() else {
            bail!("nothing was started");
        };
        let what = format!("the {} to answer", new.program.name);
        let ready = process::wait_for(&what, Duration::from_secs(60), &self.stop, || {
            if let Some(status) = new.child.try_wait()? {
                bail!("the {} ended at once ({status})", new.program.name);
            }
            Ok(new.program.answers(http).then_some(()))
        });
        ready.map_err(|error| anyhow!("{error:#}; {}", new.program.log_tail()))?;
        if new.program.name == "gateway" {
            shared.gateway_pid.store(new.child.id(), Ordering::SeqCst);
        }
        Ok(())
    }

    fn run(&mut self) {
        while !self.stop.wanted() {
            for running in &mut self.running {
                if let Err(error) = running.look(&self.http, &self.shared, &self.publisher) {
                    *self
                        .shared
                        .failure
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner) = Some(format!("{error:#}"));
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The gateway first: it says good-bye to a network that is still there.
    fn end(&mut self) -> Result<()> {
        let mut killed = Vec::new();
        while let Some(mut running) = self.running.pop() {
            if !process::stop(&mut running.child, Signal::TERM, Duration::from_secs(30)) {
                killed.push(running.program.name);
            }
        }
        if !killed.is_empty() {
            bail!(
                "did not stop within 30 s of SIGTERM and had to be killed: {}",
                killed.join(", ")
            );
        }
        Ok(())
    }
}

impl Running {
    fn look(&mut self, http: &Http, shared: &Watched, publisher: &Publisher) -> Result<()> {
        let name = self.program.name;
        if let Some(due) = self.due {
            if Instant::now() < due {
                return Ok(());
            }
            self.due = None;
            self.child = self.program.spawn()?;
            self.since = Instant::now();
            self.returning = true;
            return Ok(());
        }
        if let Some(status) = self.child.try_wait()? {
            self.failed = if self.since.elapsed() < AT_ONCE {
                self.failed + 1
            } else {
                0
            };
            if self.failed >= PATIENCE {
                bail!(
                    "the {name} died {PATIENCE} times right after its start ({status}); {}",
                    self.program.log_tail()
                );
            }
            let pause = match self.failed {
                0 => Duration::ZERO,
                n => Duration::from_millis(250) * 2u32.pow(n),
            };
            println!(
                "\n! The {name} ended ({status}): starting it again on the same port and data."
            );
            self.due = Some(Instant::now() + pause);
            return Ok(());
        }
        if self.returning && self.program.answers(http) {
            self.returning = false;
            let pid = self.child.id();
            println!(
                "! The {name} is back after {} ms (process {pid}).",
                self.since.elapsed().as_millis()
            );
            if name == "gateway" {
                shared.gateway_pid.store(pid, Ordering::SeqCst);
                publisher.set_pid(pid)?;
            }
        }
        Ok(())
    }
}
