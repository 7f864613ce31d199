//! `cargo xtask bench messages`: what messages cost on their way through the gateway.
//!
//! `bed` is what each part happens on, `gauge` reads the gateway's process · the parts: `documents` (with `host`),
//! `crowd` (with `ledger`), `kinds` (with `samples`) · `report` writes down what came out.

mod bed;
mod crowd;
mod documents;
mod gauge;
mod host;
mod kinds;
mod ledger;
mod report;
mod samples;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::Stop;
use crate::tools;
use report::Report;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Large documents, and memory
    Documents,
    /// Many instances at the pacing limit
    Crowd,
    /// Each kind beside a text
    Kinds,
}

#[derive(clap::Args)]
pub struct Options {
    /// Which parts, separated by commas [default: all]
    #[arg(long, value_enum, value_delimiter = ',')]
    parts: Vec<Part>,
    /// One document at a time, ten instances for ten seconds, few messages of each kind: a quick look, of which no
    /// figure is to be kept
    #[arg(long, conflicts_with = "write")]
    short: bool,
    /// Put the figures into docs/performance.md
    #[arg(long)]
    write: bool,
    /// A program that is built already, with the sandbox, instead of this tree's
    #[arg(long)]
    program: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<()> {
    let stop = Stop::on_signals()?;
    let built = match &options.program {
        Some(given) => given.clone(),
        None => tools::build_recado(true, Some("measure"))?,
    };
    let program = tools::keep(&built, &format!("recado-bench-{}", std::process::id()))?;
    let measured = measure(options, &program, &stop);
    std::fs::remove_file(&program)
        .with_context(|| format!("cannot remove {}", program.display()))?;
    measured
}

fn measure(options: &Options, program: &Path, stop: &Stop) -> Result<()> {
    let heading = report::heading()?;
    let wanted = |part| options.parts.is_empty() || options.parts.contains(&part);
    let short = options.short;
    let mut report = Report::default();
    if wanted(Part::Documents) {
        report.documents = Some(documents::run(program, !short, stop)?);
    }
    if wanted(Part::Crowd) {
        let (instances, seconds) = if short { (10, 10) } else { (100, 60) };
        let time = Duration::from_secs(seconds);
        let plan = crowd::Plan { instances, time };
        report.crowd = Some(crowd::run(program, &plan, stop)?);
    }
    if wanted(Part::Kinds) {
        let (rounds, messages) = if short { (1, 8) } else { (5, 40) };
        let plan = kinds::Plan { rounds, messages };
        report.kinds = Some(kinds::run(program, &plan, stop)?);
    }
    println!("{heading}");
    report.print();
    report.must_be_right()?;
    if options.write {
        report.write(&heading)?;
    }
    Ok(())
}
