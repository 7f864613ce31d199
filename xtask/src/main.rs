//! The front door of the repository: `cargo xtask demo | test | ci | bench`.
//!
//! What lives here: everything a person or CI does to the whole tree. It must stay quick to compile, so it
//! depends on none of the recado crates and talks to the built programs as an outsider would.
//! To add a task: one file with a `run` function, one variant of [`Task`], one arm in `main`.
#![allow(
    clippy::disallowed_methods,
    reason = "a build tool measures real time on a real machine; nothing here runs in the product"
)]

mod bench;
mod ci;
mod demo;
mod http;
mod laws;
mod postgres;
mod process;
mod smoke;
mod test;
mod tools;

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
    /// Run every test, on SQLite and on a throwaway PostgreSQL
    Test(test::Options),
    /// Everything that `.ci/run` checks
    Ci(ci::Options),
    /// Measure
    #[command(subcommand)]
    Bench(bench::Bench),
}

fn main() -> std::process::ExitCode {
    let result = match Cli::parse().task {
        Task::Demo(options) => demo::run(options),
        Task::Test(options) => test::run(&options),
        Task::Ci(options) => ci::run(options),
        Task::Bench(bench) => bench::run(&bench),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
