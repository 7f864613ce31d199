//! `cargo xtask bench …`: what the program costs. The figures and how to read them: `docs/performance.md`.

mod auth;
mod memory;

use anyhow::Result;

#[derive(clap::Subcommand)]
pub enum Bench {
    /// What proving who calls costs, whether time tells secrets apart, and memory under junk tokens
    Auth(auth::Options),
    /// Resident memory, threads and file handles per connected, idle instance
    Memory(memory::Options),
}

pub fn run(bench: &Bench) -> Result<()> {
    match bench {
        Bench::Auth(options) => auth::run(options),
        Bench::Memory(options) => memory::run(options),
    }
}
