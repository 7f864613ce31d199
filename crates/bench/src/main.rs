//! What proving who calls costs, against a bare axum handler (`cargo xtask bench auth`), and what a flood
//! of log-ins costs callers with credentials (`cargo xtask bench login-flood`).
//!
//! Two processes: [`serve`] is a gateway with a few more listeners, [`auth`] or [`flood`] sends the load
//! and judges. [`client`] speaks HTTP, [`rounds`] compares processor time, [`timing`] and [`login`] look
//! for secrets that time tells apart, [`memory`] throws junk tokens, [`report`] writes down what came out.
//!
//! To measure another call: a line in [`auth`]'s list; a guard alone also needs its route in [`serve`].
#![allow(
    clippy::disallowed_methods,
    reason = "it measures real time on a real machine; nothing here runs in the product"
)]

mod auth;
mod chats;
mod client;
mod fill;
mod flood;
mod login;
mod memory;
mod report;
mod rounds;
mod serve;
mod timing;

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;

#[derive(Parser)]
#[command(name = "recado-bench", about = "What proving who calls costs")]
enum Cli {
    /// Measure what proofs cost
    Auth(Options),
    /// Measure what a flood of log-ins costs the others
    LoginFlood(flood::Options),
    /// Measure what lists cost in large accounts
    Chats(chats::Options),
    /// The process under load; the others start it
    #[command(hide = true)]
    Serve {
        /// How many accounts to make
        #[arg(long)]
        accounts: usize,
        /// Refused log-ins are answered at once, so that their times can be compared
        #[arg(long)]
        no_hold: bool,
        /// One account after the other gets an instance with so many chats of so many messages each: `200x1`
        #[arg(long)]
        fill: Vec<fill::Size>,
    },
}

#[derive(clap::Args)]
struct Options {
    /// Rounds of each kind, one of the bare handler after each
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,
    /// Seconds of a round
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Pairs of requests whose times are compared
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u32).range(20..))]
    pairs: u32,
    /// Random well-formed tokens thrown at the gateway; 0 leaves that out
    #[arg(long, default_value_t = 1_000_000)]
    tokens: u64,
    /// Put the figures into this document, between its two marks
    #[arg(long)]
    write: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse() {
        Cli::Auth(options) => auth::run(&options),
        Cli::LoginFlood(options) => flood::run(&options),
        Cli::Chats(options) => chats::run(&options),
        Cli::Serve {
            accounts,
            no_hold,
            fill,
        } => serve::run(accounts, no_hold, &fill),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("recado-bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// One line of JSON: where the gateway is, and what the load needs to know.
#[derive(serde::Serialize, serde::Deserialize)]
struct Ready {
    /// The whole program, as people run it.
    gateway: std::net::SocketAddr,
    /// Guards alone.
    guards: std::net::SocketAddr,
    /// Bare handlers: `/bare/<bytes of the answer>`.
    bare: std::net::SocketAddr,
    /// The whole program behind a planted leak.
    leaky: std::net::SocketAddr,
    /// `/usage`.
    control: std::net::SocketAddr,
    accounts: Vec<Account>,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Account {
    client_token: String,
    client_secret: String,
    api_token: String,
    /// Of its owner.
    email: String,
    password: String,
    filled: Option<fill::Filled>,
}

/// CPU and memory that the process under load has used so far.
#[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
struct Usage {
    cpu_ns: u64,
    rss_kib: u64,
    /// The most that `rss_kib` ever was.
    peak_kib: u64,
}
