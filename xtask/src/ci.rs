//! `cargo xtask ci`: everything that must hold before a change goes in. `.ci/run` is this plus the tools.
//!
//! To add a check: one line in [`run`]. The quick ones come first; the tests come last, so that the test
//! runner's own closing lines end the log.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::process::Stop;
use crate::{chaos, interop, laws, smoke, test, tools, web};

/// Documents that the program writes itself.
const GENERATED: [&str; 4] = ["access-matrix.md", "config.md", "openapi.json", "events.md"];

#[derive(clap::Args)]
pub struct Options {
    /// Only the checks whose name contains this
    #[arg(long)]
    only: Option<String>,
}

/// Runs all checks; the first that fails ends it.
pub fn run(options: Options) -> Result<()> {
    let stop = Stop::on_signals()?;
    let mut steps = Steps {
        stop: stop.clone(),
        only: options.only,
        done: Vec::new(),
    };
    steps.run("formatting", || cargo(&["fmt", "--all", "--check"]))?;
    steps.run("law: crates form a line", laws::crates_form_a_line)?;
    steps.run(
        "law: api sees no database and no engine",
        laws::api_sees_no_database_and_no_engine,
    )?;
    steps.run("law: model is pure", laws::model_is_pure)?;
    steps.run(
        "law: identity reaches no engine",
        laws::identity_reaches_no_engine,
    )?;
    steps.run(
        "law: app hands out no types of others",
        laws::app_hands_out_no_types_of_others,
    )?;
    steps.run(
        "law: production checks certificates",
        laws::production_is_safe,
    )?;
    steps.run(
        "law: no circle among the modules of a crate",
        laws::no_circles,
    )?;
    // Advisories come from a database on the network that changes by the hour: a red build without a change
    // helps nobody. `cargo deny check advisories` belongs in a scheduled job.
    steps.run("licences, bans, sources", || {
        tool("deny", &["check", "bans", "licenses", "sources"])
    })?;
    steps.run("unused dependencies", || tool("machete", &[]))?;
    steps.run("dashboard: types, style, unit tests", web::check)?;
    steps.run("clippy", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            tools::SANDBOX_FEATURES,
            "--",
            "-D",
            "warnings",
        ])
    })?;
    // Features are unified over a workspace build, so only a build of this package alone shows what people get.
    let production = || -> Result<PathBuf> {
        web::build()?;
        let built = tools::build_recado(false, None)?;
        tools::keep(&built, "recado-production")
    };
    steps.run("production package, built alone", || production().map(drop))?;
    steps.run("production smoke test", || {
        smoke::production(&production()?, &stop)
    })?;
    steps.run("generated documents are current", || {
        documents(&production()?)
    })?;
    steps.run("chaos, a few rounds", || {
        chaos::run(&chaos::Options::short())
    })?;
    steps.run("another stack's client", || {
        interop::run(&interop::Options::all())
    })?;
    steps.summary();
    steps.run("tests", || test::run(&test::Options::default()))?;
    let total: Duration = steps.done.iter().map(|(_, time)| *time).sum();
    println!(
        "ci: {} checks passed in {}",
        steps.done.len(),
        minutes(total)
    );
    Ok(())
}

struct Steps {
    stop: Stop,
    only: Option<String>,
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    fn run(&mut self, name: &'static str, check: impl FnOnce() -> Result<()>) -> Result<()> {
        self.stop.check()?;
        if self
            .only
            .as_ref()
            .is_some_and(|part| !name.contains(part.as_str()))
        {
            return Ok(());
        }
        println!("\n=== {name}");
        let begun = Instant::now();
        let result = check();
        let time = begun.elapsed();
        if let Err(error) = result {
            println!("=== {name}: FAILED after {}", minutes(time));
            self.summary();
            return Err(error.context(format!("check `{name}`")));
        }
        println!("=== {name}: passed in {}", minutes(time));
        self.done.push((name, time));
        Ok(())
    }

    fn summary(&self) {
        println!("\nPassed so far:");
        for (name, time) in &self.done {
            println!("  {:>7}  {name}", minutes(*time));
        }
    }
}

fn minutes(time: Duration) -> String {
    format!("{}m{:02}s", time.as_secs() / 60, time.as_secs() % 60)
}

fn cargo(args: &[&str]) -> Result<()> {
    tools::run(tools::cargo().args(args))
}

fn tool(name: &str, args: &[&str]) -> Result<()> {
    if !tools::cargo_has(name) {
        bail!(
            "cargo-{name} is not installed: cargo install --locked cargo-{name} (`CI=true bash .ci/run` does it)"
        );
    }
    cargo(&[&[name], args].concat())
}

/// The program writes its documents anew; they must be what is in `docs/`.
fn documents(program: &Path) -> Result<()> {
    let fresh = tempfile::tempdir().context("cannot make a temporary folder")?;
    tools::run(
        std::process::Command::new(program)
            .args(["docs", "--out"])
            .arg(fresh.path()),
    )?;
    let mut stale = Vec::new();
    for name in GENERATED {
        let made = std::fs::read(fresh.path().join(name))
            .with_context(|| format!("`recado docs` wrote no {name}"))?;
        if std::fs::read(tools::root().join("docs").join(name)).ok() != Some(made) {
            stale.push(name);
        }
    }
    if !stale.is_empty() {
        bail!(
            "not current: {}. Write them anew with: cargo run -p recado -- docs --out docs",
            stale.join(", ")
        );
    }
    Ok(())
}
