//! Child processes that end when we end, and the wish to stop.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::tools;

/// Set by Ctrl-C and SIGTERM. Clones share one flag; [`Stop::part`] has one of its own as well.
#[derive(Clone)]
pub struct Stop(Vec<Arc<AtomicBool>>);

impl Stop {
    /// Takes over SIGINT and SIGTERM. A second signal ends this program at once.
    pub fn on_signals() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&flag))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
                .context("cannot listen for signals")?;
        }
        Ok(Self(vec![flag]))
    }

    /// Whether somebody wants us to end.
    pub fn wanted(&self) -> bool {
        self.0.iter().any(|flag| flag.load(Ordering::SeqCst))
    }

    /// Asks for the end from inside.
    pub fn ask(&self) {
        if let Some(own) = self.0.last() {
            own.store(true, Ordering::SeqCst);
        }
    }

    /// For a part of the work: it ends with the whole, and the whole goes on when it has ended.
    pub fn part(&self) -> Self {
        let mut flags = self.0.clone();
        flags.push(Arc::default());
        Self(flags)
    }

    /// Fails when somebody wants us to end: for loops that wait.
    pub fn check(&self) -> Result<()> {
        if self.wanted() {
            bail!("interrupted");
        }
        Ok(())
    }
}

/// A stranger's program whose process gets `signal` (`TERM`, `INT`…) when the *thread* that spawned it dies,
/// even by `kill -9`. That is Linux's parent-death signal, set by util-linux's `setpriv`; elsewhere, or
/// without that tool, a plain command. The process id is the program's own: `setpriv` replaces itself.
pub fn dying_with_us(program: &Path, signal: &str) -> Command {
    static SETPRIV: OnceLock<bool> = OnceLock::new();
    let works = *SETPRIV.get_or_init(|| {
        cfg!(target_os = "linux") && tools::answers("setpriv", &["--pdeathsig", "TERM", "true"])
    });
    let mut command = if works {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", signal, "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.process_group(0);
    command
}

/// `recado <subcommand>` as a child that ends when we end, even by `kill -9`: it watches the pipe on its
/// standard input, whose other end only this process holds (inside the [`Child`]).
pub fn recado(program: &Path, subcommand: &str) -> Command {
    let mut command = Command::new(program);
    command
        .args([subcommand, "--exit-with-stdin"])
        .stdin(Stdio::piped());
    // Its own process group: Ctrl-C reaches us, and we stop the children in order.
    command.process_group(0);
    command
}

/// Sends a signal to a child of ours that has not been waited for (so its id cannot belong to a stranger).
pub fn signal(child: &Child, signal: Signal) {
    signal_pid(child.id(), signal);
}

/// The same to a child's child, whose id comes from [`children_of`].
pub fn signal_pid(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended in this very moment; then there is nothing left to tell it.
        let _ = kill_process(pid, signal);
    }
}

/// The processes that this one started. Empty where there is no Linux `/proc`.
pub fn children_of(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok())
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            // The name in brackets may hold anything; state and parent follow the last bracket.
            let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
            rest.split_whitespace().nth(1) == Some(parent.to_string().as_str())
        })
        .collect()
}

/// Asks a child to end by `gentle`, waits up to `patience`, then kills it. True when it ended by itself.
pub fn stop(child: &mut Child, gentle: Signal, patience: Duration) -> bool {
    if matches!(child.try_wait(), Ok(Some(_))) {
        return true;
    }
    signal(child, gentle);
    let started = Instant::now();
    while started.elapsed() < patience {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(25)),
            Ok(Some(_)) | Err(_) => return true,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// Polls `ready` every 100 ms until it gives a value; an error ends the waiting, and so does a wish to stop.
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    stop: &Stop,
    mut ready: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let started = Instant::now();
    loop {
        stop.check()?;
        if let Some(value) = ready()? {
            return Ok(value);
        }
        if started.elapsed() > limit {
            bail!("waited {} s for {what}, in vain", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_part_is_not_the_end_of_the_whole() {
        let whole = Stop(vec![Arc::default()]);
        let (part, other) = (whole.part(), whole.part());
        part.ask();
        assert!(part.wanted() && !whole.wanted() && !other.wanted());
        whole.ask();
        assert!(whole.wanted() && other.wanted());
    }
}
