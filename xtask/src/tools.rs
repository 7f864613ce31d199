//! Where things are, and how the tasks run other programs.

use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use serde_json::Value;

/// The features that the sandbox program and all tests are built with. Named per package, because features of a
/// workspace build are given that way.
pub const SANDBOX_FEATURES: &str = "recado/sandbox,recado-engine/sandbox";

/// The repository's root folder.
pub fn root() -> PathBuf {
    // Cargo sets this for `cargo xtask`; a binary started by hand falls back to where it was compiled.
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest
        .parent()
        .map_or(manifest.clone(), Path::to_path_buf)
}

/// The cargo that started this program, in the repository's root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // `cargo run` leaves the variables of this package in the environment; a nested cargo and its
    // subcommands would take them for theirs.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || text.starts_with("CARGO_BIN_")
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Whether `program args…` can be started and ends well.
pub fn answers<S: AsRef<OsStr>>(program: &str, args: &[S]) -> bool {
    let status = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|s| s.success())
}

/// Whether `cargo <subcommand>` is installed.
pub fn cargo_has(subcommand: &str) -> bool {
    // Asked of cargo itself: not every subcommand knows `--version`.
    output(cargo().arg("--list")).is_ok_and(|list| {
        list.lines()
            .any(|line| line.split_whitespace().next() == Some(subcommand))
    })
}

/// Runs a command with its output on the terminal.
pub fn run(command: &mut Command) -> Result<()> {
    let name = describe(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{name}`"))?;
    if !status.success() {
        bail!("`{name}` failed ({status})");
    }
    Ok(())
}

/// Runs a command and gives what it printed on stdout; its stderr is part of the error.
pub fn output(command: &mut Command) -> Result<String> {
    let name = describe(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{name}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{name}` failed ({}): {}", output.status, said.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{name}` printed no UTF-8"))
}

fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut text = program
        .file_name()
        .unwrap_or(program.as_os_str())
        .to_string_lossy()
        .into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

/// Builds package `recado` and gives the program's path, as cargo itself names it (so a moved target folder
/// or another target triple needs nothing here). Without a `profile` it is cargo's own for development.
pub fn build_recado(sandbox: bool, profile: Option<&str>) -> Result<PathBuf> {
    let mut command = cargo();
    command.args([
        "build",
        "--package",
        "recado",
        "--message-format",
        "json-render-diagnostics",
    ]);
    if sandbox {
        command.args(["--features", "sandbox"]);
    }
    if let Some(profile) = profile {
        command.args(["--profile", profile]);
    }
    // The JSON goes to us, progress and diagnostics go to the terminal.
    command.stderr(Stdio::inherit());
    let printed = output(&mut command)?;
    let built = printed
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "recado")
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back();
    built.context(
        "cargo built package `recado` but named no program: is there a [[bin]] called `recado`?",
    )
}

/// A private copy of a built program. Cargo puts the sandbox and the production program at the same path, so
/// whoever keeps running (or restarting) one of them must not be surprised by the next build.
pub fn keep(built: &Path, name: &str) -> Result<PathBuf> {
    let folder = built
        .parent()
        .and_then(Path::parent)
        .context("the built program lies in no target folder")?
        .join("xtask");
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let copy = folder.join(name);
    let fresh = folder.join(format!("{name}.{}", std::process::id()));
    std::fs::copy(built, &fresh)
        .with_context(|| format!("cannot copy the program to {}", fresh.display()))?;
    // A rename replaces the file even while an older copy of it is running.
    std::fs::rename(&fresh, &copy).with_context(|| format!("cannot replace {}", copy.display()))?;
    Ok(copy)
}

/// A loopback port that was free a moment ago, and stays apart from the ones already `taken`.
pub fn free_port(taken: &[u16]) -> Result<u16> {
    for _ in 0..64 {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
        let port = listener.local_addr()?.port();
        if !taken.contains(&port) {
            return Ok(port);
        }
    }
    bail!("no free port on 127.0.0.1")
}

/// Whether nobody listens on this loopback port.
pub fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
