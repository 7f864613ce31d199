//! `cargo xtask bench …`: what the program costs. The figures and how to read them: `docs/performance.md`.

mod measure;
mod memory;
mod messages;

use anyhow::Result;

#[derive(clap::Subcommand)]
pub enum Bench {
    /// What proving who calls costs, whether time tells secrets apart, and memory under junk tokens
    Auth(measure::Options),
    /// What a flood of log-ins costs callers with credentials, and whether time tells people apart
    LoginFlood(measure::Options),
    /// What the lists of large accounts cost beside those of small ones, and the bytes on disk of a message
    Chats(measure::Options),
    /// Resident memory, threads and file handles per connected, idle instance
    Memory(memory::Options),
    /// Memory under large documents, a hundred instances at the pacing limit, and each kind beside a text
    Messages(messages::Options),
}

pub fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Auth(options) => measure::run("auth", options),
        Bench::LoginFlood(options) => measure::run("login-flood", options),
        Bench::Chats(options) => measure::run("chats", options),
        Bench::Memory(options) => memory::run(options),
        Bench::Messages(options) => messages::run(options),
    }
}
