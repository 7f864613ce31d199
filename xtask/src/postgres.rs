//! A throwaway PostgreSQL from the system's packages: own folder, own port, gone afterwards.

use std::fs::OpenOptions;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

use crate::process::{self, Stop};
use crate::tools;

/// A running server. Dropping it stops the server and removes its data.
pub struct Postgres {
    child: Child,
    port: u16,
    // After `child` in drop order: the folder may only go when the server is gone.
    _folder: TempDir,
}

impl Postgres {
    /// Starts a server on a free loopback port with a superuser `postgres` and no password.
    pub fn start(stop: &Stop) -> Result<Self> {
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
        let as_user = |command: &mut Command| {
            command
                .current_dir(folder.path())
                .env("HOME", folder.path())
                .stdin(Stdio::null());
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
        };

        let data = folder.path().join("data");
        let mut initdb = Command::new(programs.join("initdb"));
        initdb.arg("-D").arg(&data);
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
        as_user(&mut initdb);
        tools::output(&mut initdb).context("PostgreSQL could not make a database cluster")?;

        let port = tools::free_port(&[])?;
        let log_path = folder.path().join("log");
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log_path)?;
        let mut server = process::dying_with_us(&programs.join("postgres"), "INT");
        server.arg("-D").arg(&data).arg("-k").arg(folder.path());
        server.args(["-p", &port.to_string()]);
        // Durability is worth nothing here: the data does not outlive the run.
        for setting in [
            "listen_addresses=127.0.0.1",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=400",
            "shared_buffers=128MB",
        ] {
            server.args(["-c", setting]);
        }
        as_user(&mut server);
        server.stdout(log.try_clone()?).stderr(log);
        let child = server.spawn().context("cannot start PostgreSQL")?;
        let mut postgres = Self {
            child,
            port,
            _folder: folder,
        };

        let ready = programs.join("pg_isready");
        process::wait_for(
            "PostgreSQL to answer",
            Duration::from_secs(60),
            stop,
            || {
                if let Some(status) = postgres.child.try_wait()? {
                    let said = std::fs::read_to_string(&log_path).unwrap_or_default();
                    bail!("PostgreSQL ended at once ({status}): {}", said.trim());
                }
                let answers = Command::new(&ready)
                    .args([
                        "-q",
                        "-h",
                        "127.0.0.1",
                        "-p",
                        &port.to_string(),
                        "-U",
                        "postgres",
                    ])
                    .status()
                    .is_ok_and(|s| s.success());
                Ok(answers.then_some(()))
            },
        )?;
        Ok(postgres)
    }

    /// The server's URL; whoever has it may create databases.
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
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

/// Who runs the server: nobody but ourselves, unless we are root, whom `initdb` refuses.
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
