//! A throwaway PostgreSQL from the system's packages: own folder, own port, gone afterwards.

use std::fs::OpenOptions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::process::{self, Stop};
use crate::tools;

/// A running server. Dropping it stops the server and removes its data.
pub struct Postgres {
    child: Child,
    port: u16,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    durable: bool,
    // After `child` in drop order: the folder may only go when the server is gone.
    folder: TempDir,
}

impl Postgres {
    /// Starts a server on a free loopback port with a superuser `postgres` and no password.
    pub fn start(stop: &Stop) -> Result<Self> {
        Self::set_up(false, stop)
    }

    /// One that keeps what it committed when it is killed.
    pub fn start_durable(stop: &Stop) -> Result<Self> {
        Self::set_up(true, stop)
    }

    fn set_up(durable: bool, stop: &Stop) -> Result<Self> {
        let programs = find()?;
        let user = ordinary_user()?;
        let folder = tempfile::Builder::new()
            .prefix("recado-postgres-")
            .tempdir()
            .context("cannot make a temporary folder for PostgreSQL")?;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700))?;
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid))
                .context("cannot give PostgreSQL's folder to an ordinary user")?;
        }
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.arg("-D").arg(folder.path().join("data"));
        initdb.args([
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        as_user(&mut initdb, user, folder.path());
        tools::output(&mut initdb).context("PostgreSQL could not make a database cluster")?;

        let port = tools::free_port(&[])?;
        let mut postgres = Self {
            child: spawn(&programs, user, durable, port, folder.path())?,
            port,
            programs,
            user,
            durable,
            folder,
        };
        postgres.wait_until_it_answers(stop)?;
        Ok(postgres)
    }

    fn wait_until_it_answers(&mut self, stop: &Stop) -> Result<()> {
        let ready = self.programs.join("pg_isready");
        let port = self.port.to_string();
        let log_path = self.folder.path().join("log");
        process::wait_for(
            "PostgreSQL to answer",
            Duration::from_secs(60),
            stop,
            || {
                if let Some(status) = self.child.try_wait()? {
                    let said = std::fs::read_to_string(&log_path).unwrap_or_default();
                    bail!("PostgreSQL ended at once ({status}): {}", said.trim());
                }
                let answers = Command::new(&ready)
                    .args(["-q", "-h", "127.0.0.1", "-p", &port, "-U", "postgres"])
                    .status()
                    .is_ok_and(|s| s.success());
                Ok(answers.then_some(()))
            },
        )
    }

    /// The server's URL; whoever has it may create databases.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }

    /// Kills the server with all its processes, as when the machine's memory runs out.
    pub fn kill(&mut self) {
        for pid in self.processes() {
            process::signal_pid(pid, Signal::KILL);
        }
        // It was killed a line above.
        let _ = self.child.wait();
    }

    /// Starts the killed server again on the same port and data.
    pub fn restart(&mut self, stop: &Stop) -> Result<()> {
        let patience = Instant::now() + Duration::from_secs(15);
        loop {
            self.child = spawn(
                &self.programs,
                self.user,
                self.durable,
                self.port,
                self.folder.path(),
            )?;
            let answers = self.wait_until_it_answers(stop);
            // A process that the killed server was just starting holds its memory for a moment.
            if answers.is_ok() || Instant::now() > patience || self.child.try_wait()?.is_none() {
                return answers;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Stops all its processes where they are (`SIGSTOP`), until [`Postgres::thaw`].
    pub fn freeze(&self) {
        // The server first: it would replace nobody, but it starts new ones.
        for pid in self.processes() {
            process::signal_pid(pid, Signal::STOP);
        }
    }

    pub fn thaw(&self) {
        for pid in self.processes() {
            process::signal_pid(pid, Signal::CONT);
        }
    }

    /// The server, then the processes that it started.
    fn processes(&self) -> Vec<u32> {
        let server = self.child.id();
        let mut all = vec![server];
        all.extend(process::children_of(server));
        all
    }
}

fn as_user(command: &mut Command, user: Option<(u32, u32)>, folder: &Path) {
    command
        .current_dir(folder)
        .env("HOME", folder)
        .stdin(Stdio::null());
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
}

fn spawn(
    programs: &Path,
    user: Option<(u32, u32)>,
    durable: bool,
    port: u16,
    folder: &Path,
) -> Result<Child> {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("log"))?;
    let mut server = process::dying_with_us(&programs.join("postgres"), "INT");
    server.arg("-D").arg(folder.join("data"));
    server.arg("-k").arg(folder);
    server.args(["-p", &port.to_string()]);
    // The machine outlives the run, so nothing need be forced to the disk. A commit must
    // only be out of the server's own memory where somebody kills it.
    let commit = if durable { "on" } else { "off" };
    for setting in [
        "listen_addresses=127.0.0.1",
        "fsync=off",
        &format!("synchronous_commit={commit}"),
        "full_page_writes=off",
        "max_connections=400",
        "shared_buffers=128MB",
        // A small disk must do: nothing is replicated, and the log of one test run need not pile up.
        "wal_level=minimal",
        "max_wal_senders=0",
        "max_wal_size=256MB",
    ] {
        server.args(["-c", setting]);
    }
    as_user(&mut server, user, folder);
    server.stdout(log.try_clone()?).stderr(log);
    server.spawn().context("cannot start PostgreSQL")
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.thaw();
        }
        // SIGINT is PostgreSQL's "fast" shutdown: it does not wait for clients.
        process::stop(&mut self.child, Signal::INT, Duration::from_secs(15));
    }
}

/// The folder with `initdb` and `postgres`: Debian's newest version first, then PATH.
fn find() -> Result<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        for entry in versions.flatten() {
            let version = entry.file_name().to_string_lossy().parse().unwrap_or(0);
            found.push((version, entry.path().join("bin")));
        }
    }
    found.sort();
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let candidates = found
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .chain(std::env::split_paths(&on_path));
    let complete = |folder: &PathBuf| {
        ["initdb", "postgres", "pg_isready"]
            .iter()
            .all(|p| folder.join(p).is_file())
    };
    candidates.into_iter().find(complete).context(
        "PostgreSQL is not installed, and the tests must run on it too. Install it with:\n  \
         sudo apt-get install -y postgresql\n\
         (its own service is not used and need not run)",
    )
}

/// The user that runs the server: nobody but ourselves, unless we are root, whom `initdb` refuses.
fn ordinary_user() -> Result<Option<(u32, u32)>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let users =
        std::fs::read_to_string(Path::new("/etc/passwd")).context("cannot read /etc/passwd")?;
    let id_of = |name: &str| {
        users.lines().find_map(|line| {
            let mut fields = line.split(':');
            (fields.next() == Some(name)).then_some(())?;
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            Some((uid, gid))
        })
    };
    let user = id_of("postgres").or_else(|| id_of("nobody"));
    user.map(Some).context(
        "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`",
    )
}
