//! The front door of the repository: `cargo xtask demo | test | browser | screenshots | ci | bench | fuzz | chaos |
//! interop`.
//!
//! What lives here: everything a person or CI does to the whole tree. It must stay quick to compile, so it
//! depends on none of the recado crates and talks to the built programs as an outsider would.
//! To add a task: one file with a `run` function, one variant of [`Task`], one arm in `main`.
#![allow(
    clippy::disallowed_methods,
    reason = "a build tool measures real time on a real machine; nothing here runs in the product"
)]

mod bench;
mod browser;
mod chaos;
mod ci;
mod demo;
mod fuzz;
mod http;
mod interop;
mod laws;
mod node;
mod owner;
mod postgres;
mod process;
mod program;
mod smoke;
mod statements;
mod test;
mod tools;
mod web;

use std::ffi::OsString;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "The front door of the Recado repository"
)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything, start a gateway and a WhatsApp network on loopback, and play the main story
    Demo(demo::Options),
    /// Run every test, on SQLite and on a throwaway PostgreSQL, and the dashboard's in a browser
    Test(test::Options),
    /// Run only the dashboard's tests, in a browser
    Browser(browser::Options),
    /// Make the pictures of the dashboard anew (docs/screenshots)
    Screenshots,
    /// Everything that `.ci/run` checks
    Ci(ci::Options),
    /// Measure
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Throw junk at every parser that strangers reach
    Fuzz(fuzz::Options),
    /// Break things in the midst of load, and see that nothing is lost, doubled or out of order
    Chaos(chaos::Options),
    /// Have another stack's client write with the gateway, in every kind of message
    Interop(interop::Options),
}

fn main() -> std::process::ExitCode {
    let result = match Cli::parse_from(words(std::env::args_os())).task {
        Task::Demo(options) => demo::run(options),
        Task::Test(options) => test::run(&options),
        Task::Browser(options) => browser::run(&options),
        Task::Screenshots => browser::screenshots(),
        Task::Ci(options) => ci::run(options),
        Task::Bench(bench) => bench::run(&bench),
        Task::Fuzz(options) => fuzz::run(&options),
        Task::Chaos(options) => chaos::run(&options),
        Task::Interop(options) => interop::run(&options),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// `cargo xtask demo -- --once` means what `cargo xtask demo --once` means: people write both, and only
/// `test` and `browser` have words of their own to pass on behind `--`.
fn words(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut words: Vec<OsString> = args.collect();
    let passes_on = words
        .get(1)
        .is_some_and(|task| task == "test" || task == "browser");
    if let Some(at) = words.iter().position(|word| word == "--")
        && !passes_on
    {
        words.remove(at);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> Task {
        let line = line.split(' ').map(OsString::from);
        let cli = Cli::try_parse_from(words(line));
        cli.unwrap_or_else(|error| panic!("{error}")).task
    }

    #[test]
    fn options_may_stand_behind_two_dashes() {
        for line in ["xtask demo --once", "xtask demo -- --once"] {
            assert!(
                matches!(told(line), Task::Demo(options) if options.once),
                "{line}"
            );
        }
        assert!(matches!(
            told("xtask bench memory -- --instances 3"),
            Task::Bench(_)
        ));
        assert!(matches!(told("xtask test -- -E test(x)"), Task::Test(_)));
    }
}
