//! The program `recado`: configuration, command line, telemetry, wiring and life cycle.
//!
//! [`lifecycle`] is the only place where store, engine, services and HTTP meet; [`listen`] takes the
//! connections. To add a setting: a
//! field in [`config`] with its line in `default.toml`. To add a command: a variant in [`cli`], a file
//! in `commands`.

// First: its macros hold for all that follow.
#[macro_use]
pub mod output;

pub mod cli;
pub mod commands;
pub mod config;
pub mod keys;
pub mod lifecycle;
pub mod listen;
pub mod telemetry;
