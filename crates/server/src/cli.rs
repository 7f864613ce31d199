//! The command line.

#[cfg(feature = "sandbox")]
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A self-hosted WhatsApp gateway for many tenants.
#[derive(Debug, Parser)]
#[command(name = "recado", version, about, max_term_width = 100)]
pub struct Cli {
    /// Configuration file (TOML). Every setting is also an environment variable: RECADO_ + its name,
    /// with __ between levels (RECADO_DIRECT__GUESTS=off).
    #[arg(long, global = true, env = "RECADO_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway.
    Serve(ServeArgs),
    /// Bring the database to this program's schema, and stop.
    Migrate,
    /// Prepare a new database: schema, master key, key-check record. PostgreSQL needs it once.
    Init,
    /// Make and list accounts.
    #[command(subcommand)]
    Account(AccountCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Say what is wrong or weak about this installation.
    Doctor,
    /// Run the WhatsApp network on loopback for development (sandbox build only).
    #[cfg(feature = "sandbox")]
    Sandbox(SandboxArgs),
    /// Write the generated documents.
    #[command(hide = true)]
    Docs {
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
}

#[derive(Debug, Default, Args)]
pub struct ServeArgs {
    /// End when standard input closes: for a parent that must not leave us behind.
    #[arg(long, hide = true)]
    pub exit_with_stdin: bool,
}

#[derive(Debug, Subcommand)]
pub enum AccountCommand {
    /// Make an account with its owner, its first client pair and its API token; prints them once.
    Create {
        /// The account's name.
        #[arg(long)]
        name: String,
        /// The owner's e-mail.
        #[arg(long)]
        email: String,
        /// File with the owner's password; one is generated and printed otherwise.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// One JSON object on standard output.
        #[arg(long)]
        json: bool,
    },
    /// List the accounts.
    List {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read the configuration, say what is wrong with it, and print what is in effect.
    Check,
    /// Print the commented default configuration.
    Default,
}

#[cfg(feature = "sandbox")]
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Network, control API and media host.
    #[arg(long, default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// A webhook receiver to look at deliveries.
    #[arg(long, default_value = "127.0.0.1:8091")]
    pub receiver: SocketAddr,
    /// Where phones and undelivered messages are kept; in memory when absent.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Write the addresses here as JSON once it runs.
    #[arg(long, value_name = "FILE")]
    pub info: Option<PathBuf>,
    #[arg(long, hide = true)]
    pub exit_with_stdin: bool,
}
