//! `cargo xtask fuzz`: libFuzzer over every parser that strangers reach, a minute each.
//!
//! The targets are the files of `fuzz/fuzz_targets`; each says what must hold. To add one: a file there, a
//! `[[bin]]` in `fuzz/Cargo.toml`, and some seeds in `fuzz/seeds/<name>`. What a run learns stays in
//! `fuzz/target/corpus` and is where the next run begins.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::Stop;
use crate::tools;

/// The compiler flags that make libFuzzer see where the program goes. All of it works on the stable compiler; only the
/// sanitizers would need a nightly, and without `unsafe` there is little for them to find.
const INSTRUMENT: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "--cfg",
    "fuzzing",
];

#[derive(clap::Args)]
pub struct Options {
    /// How long each target runs
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Only this target
    #[arg(long)]
    target: Option<String>,
}

pub fn run(options: &Options) -> Result<()> {
    let stop = Stop::on_signals()?;
    let mut targets = targets()?;
    if let Some(name) = &options.target {
        let known = targets.join(", ");
        targets.retain(|target| target == name);
        if targets.is_empty() {
            bail!("there is no fuzz target {name:?}; there are: {known}");
        }
    }
    let programs = build(&targets)?;
    let mut failed = Vec::new();
    for target in &targets {
        stop.check()?;
        match fuzz(target, &programs.join(target), options.seconds) {
            Ok(line) => println!("{target:<12}{line}"),
            Err(error) => {
                println!("{target:<12}FAILED");
                eprintln!("{error:#}\n");
                failed.push(target.as_str());
            }
        }
    }
    if !failed.is_empty() {
        bail!("a promise was broken in: {}", failed.join(", "));
    }
    Ok(())
}

fn folder() -> PathBuf {
    tools::root().join("fuzz")
}

fn targets() -> Result<Vec<String>> {
    let path = folder().join("fuzz_targets");
    let files =
        std::fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut names = Vec::new();
    for file in files {
        let file = file?.path();
        if file.extension().is_some_and(|kind| kind == "rs") {
            names.extend(
                file.file_stem()
                    .and_then(|name| name.to_str())
                    .map(str::to_owned),
            );
        }
    }
    names.sort();
    Ok(names)
}

/// Builds the targets and gives the folder of their programs. An own target folder: everything is compiled
/// differently from the rest of the repository.
fn build(targets: &[String]) -> Result<PathBuf> {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if !tools::answers(&compiler, &["--version"]) {
        bail!(
            "libFuzzer is built from C++ and there is no `{compiler}`: apt-get install g++ (or set CXX). No nightly Rust is needed"
        );
    }
    let host = host()?;
    let target_dir = folder().join("target");
    let mut command = tools::cargo();
    command.args(["build", "--release", "--target", &host]);
    command
        .arg("--manifest-path")
        .arg(folder().join("Cargo.toml"));
    command.arg("--target-dir").arg(&target_dir);
    for target in targets {
        command.args(["--bin", target]);
    }
    // With `--target` given, these flags reach the program alone, not build scripts and macros.
    command.env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENT.join("\u{1f}"));
    tools::run(&mut command)?;
    Ok(target_dir.join(host).join("release"))
}

fn host() -> Result<String> {
    let about = tools::output(Command::new("rustc").arg("-vV").current_dir(tools::root()))?;
    let host = about.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("`rustc -vV` names no host")?.trim().to_owned())
}

/// Runs one target; the answer is a line for people.
fn fuzz(target: &str, program: &Path, seconds: u32) -> Result<String> {
    let below = |name: &str| folder().join("target").join(name).join(target);
    let (corpus, artifacts, seeds) = (
        below("corpus"),
        below("artifacts"),
        folder().join("seeds").join(target),
    );
    for path in [&corpus, &artifacts] {
        std::fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    }
    let log_path = artifacts.join("log");
    let log =
        File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
    let mut command = Command::new(program);
    command.arg(&corpus);
    if seeds.is_dir() {
        command.arg(&seeds);
    }
    command.args([
        &format!("-max_total_time={seconds}"),
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-max_len=2048",
        "-print_final_stats=1",
        &format!("-artifact_prefix={}/", artifacts.display()),
    ]);
    let dictionary = folder().join("seeds").join(format!("{target}.dict"));
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    let status = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()
        .with_context(|| format!("cannot start the fuzz target {target}"))?;
    let said = std::fs::read(&log_path).map(|said| String::from_utf8_lossy(&said).into_owned())?;
    if !status.success() {
        let last: Vec<&str> = said.lines().rev().take(30).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        bail!(
            "{}\nfuzz target {target} ended with {status}. Its input lies in {}; play it again with: {} <that file>",
            last.join("\n"),
            artifacts.display(),
            program.display()
        );
    }
    let stat = |name: &str| -> Result<u64> {
        let text = said
            .lines()
            .find_map(|line| line.strip_prefix(&format!("stat::{name}:")));
        let text = text.with_context(|| format!("{target} told no {name}"))?;
        text.trim()
            .parse()
            .with_context(|| format!("{target}: {name} is no number"))
    };
    let coverage = said.lines().rev().find_map(|line| {
        let (_, rest) = line.split_once(" cov: ")?;
        rest.split_whitespace().next()
    });
    let executed = stat("number_of_executed_units")?;
    // A program without instrumentation runs as well, but it is blind.
    let Some(coverage) = coverage else {
        bail!("{target} told no coverage: it was built without instrumentation");
    };
    Ok(format!(
        "held for {seconds} s: {executed} inputs, {coverage} places reached, {} inputs worth keeping",
        stat("new_units_added")?
    ))
}
