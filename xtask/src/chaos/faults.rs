//! The faults, and how each is made.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::bed::{Bed, Database};
use crate::tools;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Fault {
    /// The gateway is killed and started again
    Kill9,
    /// The gateway is asked to end (SIGTERM) and started again
    Term,
    /// The gateway is stopped (SIGSTOP) and goes on
    Stop,
    /// The network is stopped and goes on
    Netstop,
    /// The network ends and is started again
    Netterm,
    /// PostgreSQL is killed and started again
    Dbstop,
    /// PostgreSQL is stopped and goes on
    Dbfreeze,
    /// SQLite's disk is full, and then it is not
    Diskfull,
}

/// No file grows beyond this while the disk is full: less than the journal's first page.
const FULL_AT: u64 = 4096;

impl Fault {
    pub const ALL: [Self; 8] = [
        Self::Kill9,
        Self::Term,
        Self::Stop,
        Self::Netstop,
        Self::Netterm,
        Self::Dbstop,
        Self::Dbfreeze,
        Self::Diskfull,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Kill9 => "kill9",
            Self::Term => "term",
            Self::Stop => "stop",
            Self::Netstop => "netstop",
            Self::Netterm => "netterm",
            Self::Dbstop => "dbstop",
            Self::Dbfreeze => "dbfreeze",
            Self::Diskfull => "diskfull",
        }
    }

    /// Whether it can happen on this database.
    pub fn fits(self, database: Database) -> bool {
        match self {
            Self::Dbstop | Self::Dbfreeze => database == Database::Postgres,
            Self::Diskfull => database == Database::Sqlite,
            _ => true,
        }
    }

    /// Whether a round counts only when something was sent again. A fault that only pauses may lose nothing, and
    /// the link to WhatsApp outlives a database that is away for a moment: acknowledgements wait for it.
    pub fn must_repeat(self) -> bool {
        matches!(self, Self::Kill9 | Self::Netstop | Self::Netterm)
    }

    /// Makes it happen and heals it. `round` varies how long it lasts.
    pub fn strike(self, bed: &mut Bed, round: u32) -> Result<()> {
        let pause = Duration::from_secs(2 + u64::from(round % 3));
        match self {
            Self::Kill9 => {
                bed.gateway.kill()?;
                bed.start_gateway()
            }
            Self::Term => {
                if !bed.gateway.terminate() {
                    bail!("the gateway did not end within 30 s of SIGTERM");
                }
                bed.start_gateway()
            }
            Self::Stop => {
                bed.gateway.signal(Signal::STOP);
                bed.pause(pause)?;
                bed.gateway.signal(Signal::CONT);
                Ok(())
            }
            Self::Netstop => {
                bed.network.signal(Signal::STOP);
                // Longer than an acknowledgement may take.
                bed.pause(Duration::from_secs(4))?;
                bed.network.signal(Signal::CONT);
                Ok(())
            }
            Self::Netterm => {
                if !bed.network.terminate() {
                    bail!("the sandbox did not end within 30 s of SIGTERM");
                }
                bed.start_network()
            }
            Self::Dbstop => {
                bed.postgres()?.kill();
                let stop = bed.stop.clone();
                bed.postgres()?.restart(&stop)
            }
            Self::Dbfreeze => {
                bed.postgres()?.freeze();
                let paused = bed.pause(pause);
                bed.postgres()?.thaw();
                paused
            }
            Self::Diskfull => {
                limit_files(bed.gateway.pid(), &FULL_AT.to_string())?;
                let paused = bed.pause(pause);
                limit_files(bed.gateway.pid(), "unlimited")?;
                paused
            }
        }
    }
}

/// Lets no file of a process grow beyond so many bytes: its writes fail as on a full disk.
fn limit_files(pid: u32, bytes: &str) -> Result<()> {
    let mut prlimit = Command::new("prlimit");
    // Only the soft limit, so that it can be lifted again without being root.
    prlimit.args(["--pid", &pid.to_string(), &format!("--fsize={bytes}:")]);
    tools::output(&mut prlimit)
        .map(drop)
        .context("diskfull needs the program `prlimit` (util-linux) and a gateway that is alive")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_meets_the_databases_where_it_can_happen() {
        let on = |database| {
            let fits = Fault::ALL.iter().filter(|fault| fault.fits(database));
            fits.map(|fault| fault.name()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            on(Database::Sqlite),
            "kill9 term stop netstop netterm diskfull"
        );
        assert_eq!(
            on(Database::Postgres),
            "kill9 term stop netstop netterm dbstop dbfreeze"
        );
    }
}
