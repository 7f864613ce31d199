//! `cargo xtask test`: every test of the workspace, on SQLite and on a throwaway PostgreSQL, and the
//! dashboard's tests in a browser.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use crate::postgres::Postgres;
use crate::process::{self, Stop};
use crate::{browser, statements, tools};

#[derive(clap::Args, Default)]
pub struct Options {
    /// Handed to the test runner as they are, e.g. `-p recado-store` or a part of a test's name; then the
    /// browser stays closed (its own tests: `cargo xtask browser`)
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// Runs the tests; PostgreSQL is stopped whatever happens.
pub fn run(options: &Options) -> Result<()> {
    let stop = Stop::on_signals()?;
    // First: it takes a minute, and the runner's own closing lines are to be the last that one sees.
    if options.args.is_empty() {
        browser::test(&[], &stop)?;
    }
    let postgres = Postgres::start(&stop)?;
    println!("PostgreSQL: {} (thrown away afterwards)", postgres.url());
    let url = postgres.url();
    let tested = run_tests(options, &url, &stop);
    drop(postgres);
    tested
}

fn run_tests(options: &Options, url: &str, stop: &Stop) -> Result<()> {
    // Documentation tests first, so that the runner's own closing lines are the last that one sees.
    if options.args.is_empty() {
        let mut doc = tools::cargo();
        doc.args([
            "test",
            "--quiet",
            "--workspace",
            "--doc",
            "--features",
            tools::SANDBOX_FEATURES,
        ]);
        watch(&mut doc, url, stop)?;
    }
    let notes = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut command = tools::cargo();
    command.env(statements::FOLDER, notes.path());
    if tools::cargo_has("nextest") {
        command
            .args(["nextest", "run"])
            .args(selection(&options.args));
        if std::env::var_os("CI").is_some() {
            command.args(["--profile", "ci"]);
        }
        command.args(&options.args);
    } else {
        println!(
            "cargo-nextest is not installed (cargo install --locked cargo-nextest): using cargo test"
        );
        command
            .args(["test", "--all-targets"])
            .args(selection(&options.args));
        command.args(&options.args);
    }
    watch(&mut command, url, stop)?;
    if options.args.is_empty() {
        statements::check(notes.path())?;
    }
    Ok(())
}

/// The whole workspace with its features, or only what `-p` asks for. Cargo knows a package's feature only
/// where that package is selected.
fn selection(args: &[String]) -> Vec<String> {
    let mut packages = Vec::new();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match arg.split_once('=') {
            Some(("--package" | "-p", name)) => packages.push(name),
            _ if arg == "--package" || arg == "-p" => {
                packages.extend(rest.next().map(String::as_str))
            }
            _ => {}
        }
    }
    let mut features: Vec<&str> = tools::SANDBOX_FEATURES.split(',').collect();
    let mut selection = Vec::new();
    if packages.is_empty() {
        selection.push("--workspace".to_owned());
    } else {
        features.retain(|feature| {
            feature
                .split('/')
                .next()
                .is_some_and(|package| packages.contains(&package))
        });
    }
    if !features.is_empty() {
        selection.extend(["--features".to_owned(), features.join(",")]);
    }
    selection
}

/// Runs one command to its end; a wish to stop is handed on to it, so that we can clean up after it.
fn watch(command: &mut Command, url: &str, stop: &Stop) -> Result<()> {
    command
        .env("RECADO_TEST_POSTGRES_URL", url)
        .stdin(Stdio::null());
    let mut child = command.spawn().context("cannot start cargo")?;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if stop.wanted() {
            process::stop(&mut child, Signal::TERM, Duration::from_secs(20));
            bail!("interrupted");
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    if !status.success() {
        bail!("tests failed ({status})");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::selection;

    #[test]
    fn features_follow_the_selected_packages() {
        let select = |args: &[&str]| {
            selection(&args.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>()).join(" ")
        };
        assert_eq!(
            select(&["a_test"]),
            "--workspace --features recado/sandbox,recado-engine/sandbox"
        );
        assert_eq!(select(&["-p", "recado-store"]), "");
        assert_eq!(
            select(&["--package=recado-engine", "-p", "recado-model"]),
            "--features recado-engine/sandbox"
        );
    }
}
