//! `cargo xtask bench auth`, `login-flood` and `chats`: builds `recado-bench` optimised and lets it measure.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::tools;

#[derive(clap::Args)]
pub struct Options {
    /// Put the figures into docs/performance.md
    #[arg(long)]
    write: bool,
    /// The arguments of the program itself: --rounds, --seconds, --pairs; auth --tokens; login-flood --connections; chats --chats, --messages
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// `what` is the subcommand of `recado-bench`.
pub fn run(what: &str, options: &Options) -> Result<()> {
    let mut command = Command::new(build()?);
    command.arg(what).args(&options.rest);
    if options.write {
        let document = tools::root().join("docs").join("performance.md");
        command.arg("--write").arg(document);
    }
    tools::run(&mut command)
}

/// The program's path, as cargo itself names it.
fn build() -> Result<PathBuf> {
    let mut command = tools::cargo();
    command.args(["build", "--package", "recado-bench", "--profile", "measure"]);
    command.args(["--message-format", "json-render-diagnostics"]);
    command.stderr(Stdio::inherit());
    let printed = tools::output(&mut command)?;
    let built = printed
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "recado-bench")
        .filter_map(|message| message["executable"].as_str().map(PathBuf::from))
        .next_back();
    built.context("cargo built package `recado-bench` but named no program")
}
