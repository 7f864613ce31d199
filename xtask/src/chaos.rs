//! `cargo xtask chaos`: faults in the midst of load, and ledgers that must agree afterwards.
//!
//! `bed` is what a run happens on · `faults` are what is done to it · `load` is what goes through it, of which
//! `kinds` · `collect` reads the ledgers and `ledger` compares them · `round` plays one round ·
//! `report` says what came of it. What is promised and how it is measured: `docs/reliability.md`.

mod bed;
mod collect;
mod faults;
mod kinds;
mod ledger;
mod load;
mod report;
mod round;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::process::Stop;
use crate::tools;
use bed::{Bed, Database};
use faults::Fault;
use report::Report;
use round::Run;

/// So many rounds may be void for each that counts.
const VOID_PER_ROUND: u32 = 3;

#[derive(clap::Args)]
pub struct Options {
    /// Rounds of each fault on each database
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Which faults, separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    faults: Vec<Fault>,
    /// On which database [default: each on all where it can happen]
    #[arg(long, value_enum)]
    db: Option<Database>,
    /// A few rounds that take little more than a minute, for CI
    #[arg(long, conflicts_with_all = ["rounds", "faults", "db", "write"])]
    short: bool,
    /// Put the table into docs/reliability.md
    #[arg(long)]
    write: bool,
    /// A program that is built already, with the sandbox, instead of this tree's
    #[arg(long)]
    program: Option<PathBuf>,
    /// The gateway's log filter; its output is kept with the data when something went wrong
    #[arg(long, default_value = "info,recado_api=warn")]
    log: String,
}

impl Options {
    /// The rounds that CI plays.
    pub fn short() -> Self {
        Self {
            rounds: 1,
            faults: Vec::new(),
            db: None,
            short: true,
            write: false,
            program: None,
            log: "info,recado_api=warn".to_owned(),
        }
    }
}

/// Faults on one database.
struct Plan {
    database: Database,
    faults: Vec<Fault>,
    rounds: u32,
}

fn plans(options: &Options) -> Result<Vec<Plan>> {
    if options.short {
        return Ok(vec![
            Plan {
                database: Database::Sqlite,
                faults: vec![Fault::Kill9, Fault::Netterm, Fault::Stop],
                rounds: 2,
            },
            Plan {
                database: Database::Postgres,
                faults: vec![Fault::Dbstop],
                rounds: 1,
            },
        ]);
    }
    let wanted = match options.faults.as_slice() {
        [] => Fault::ALL.to_vec(),
        some => some.to_vec(),
    };
    let mut plans = Vec::new();
    for database in Database::ALL {
        let faults: Vec<Fault> = wanted
            .iter()
            .copied()
            .filter(|fault| fault.fits(database))
            .collect();
        if options.db.is_none_or(|only| only == database) && !faults.is_empty() {
            plans.push(Plan {
                database,
                faults,
                rounds: options.rounds,
            });
        }
    }
    if plans.is_empty() {
        bail!("none of these faults can happen on that database");
    }
    Ok(plans)
}

/// Plays all rounds. An error names what was lost, doubled or out of order, and keeps the data.
pub fn run(options: &Options) -> Result<()> {
    let plans = plans(options)?;
    let stop = Stop::on_signals()?;
    let begun = Instant::now();
    let built = match &options.program {
        Some(given) => given.clone(),
        None => tools::build_recado(true, None)?,
    };
    let program = tools::keep(&built, &format!("recado-chaos-{}", std::process::id()))?;
    let mut report = Report::default();
    let mut played = Ok(());
    for plan in &plans {
        played = on_one_bed(plan, &program, options, &stop, &mut report);
        if played.is_err() {
            break;
        }
    }
    std::fs::remove_file(&program)
        .with_context(|| format!("cannot remove {}", program.display()))?;
    println!("\n{}", report.table());
    match report.without_receipt() {
        0 => {}
        count => println!("{count} messages arrived and still read `sent`."),
    }
    played?;
    if report.bad() > 0 {
        bail!("{} disagreements; each is above, with its id", report.bad());
    }
    println!("All ledgers agree; {} s.", begun.elapsed().as_secs());
    if options.write {
        report.write()?;
    }
    Ok(())
}

fn on_one_bed(
    plan: &Plan,
    program: &Path,
    options: &Options,
    stop: &Stop,
    report: &mut Report,
) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("recado-chaos-")
        .tempdir()
        .context("cannot make a temporary folder")?;
    let before = report.bad();
    let played = play(plan, program, folder.path(), options, stop, report);
    if played.is_err() || report.bad() > before {
        let kept: PathBuf = folder.keep();
        println!("The data and the logs are kept in {}.", kept.display());
    }
    played
}

fn play(
    plan: &Plan,
    program: &Path,
    folder: &Path,
    options: &Options,
    stop: &Stop,
    report: &mut Report,
) -> Result<()> {
    let database = plan.database;
    println!("{}: two instances are being paired …", database.name());
    let mut run = Run::new(Bed::start(program, folder, database, &options.log, stop)?);
    for fault in &plan.faults {
        loop {
            let (counted, void) = report.counted(*fault, database);
            if counted >= plan.rounds {
                break;
            }
            if void >= plan.rounds * VOID_PER_ROUND {
                bail!(
                    "{void} rounds of {} were void: the fault hits too little here",
                    fault.name()
                );
            }
            let outcome = run.round(*fault).with_context(|| {
                format!(
                    "round {} of {} on {}",
                    counted + void + 1,
                    fault.name(),
                    database.name()
                )
            })?;
            report.round(*fault, database, &outcome);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(faults: &[Fault], db: Option<Database>) -> Options {
        Options {
            faults: faults.to_vec(),
            db,
            short: false,
            ..Options::short()
        }
    }

    #[test]
    fn each_fault_is_played_where_it_can_happen() {
        let all = plans(&options(&[], None)).expect("plans");
        assert_eq!((all[0].faults.len(), all[1].faults.len()), (6, 7));
        let one = plans(&options(&[Fault::Dbstop], None)).expect("plan");
        assert_eq!((one.len(), one[0].database), (1, Database::Postgres));
        assert!(plans(&options(&[Fault::Diskfull], Some(Database::Postgres))).is_err());
    }
}
