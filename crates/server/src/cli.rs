//! The command line.

#[cfg(feature = "sandbox")]
use std::net::SocketAddr;
use std::{ffi::OsString, path::PathBuf};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum, error::ErrorKind};

/// A self-hosted WhatsApp gateway for many tenants.
#[derive(Debug, Parser)]
#[command(name = "recado", version, about, max_term_width = 100)]
pub struct Cli {
    /// Configuration file (TOML). Every setting is also an environment variable: RECADO_ + its name,
    /// with __ between levels (RECADO_DIRECT__GUESTS=off); RECADO_CONFIG names this file.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The command line; one that cannot be read ends the program with the reason.
    pub fn read() -> Self {
        if let Some(which) = not_utf8(std::env::args_os()) {
            let text = format!("{which} is not UTF-8: write it in UTF-8, a path too");
            Self::command().error(ErrorKind::InvalidUtf8, text).exit();
        }
        Self::parse()
    }
}

/// The first argument that is not UTF-8. Clap takes such a path, and of other values does not say which
/// it was.
fn not_utf8(mut args: impl Iterator<Item = OsString>) -> Option<String> {
    // The program's own name is no matter of the operator's.
    let mut before = args.next().map(|_| "the command".to_owned())?;
    for arg in args {
        match arg.into_string() {
            Ok(text) => before = text,
            Err(arg) => {
                let arg = arg.to_string_lossy();
                let named = arg.split_once('=').filter(|_| arg.starts_with("--"));
                return Some(match named {
                    Some((name, _)) => format!("the value of {name}"),
                    None => format!("the argument after {before}"),
                });
            }
        }
    }
    None
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
    /// List the people who sign in, and help those who cannot; a running gateway sees it within a second.
    #[command(subcommand)]
    User(UserCommand),
    /// Make, rotate and revoke an account's credentials; a running gateway sees it within a second.
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// What was done to an account's credentials and settings, newest first.
    Audit(AuditArgs),
    /// See what instances are paid for, grant periods and end them; a running gateway sees it within a
    /// second.
    #[command(subcommand)]
    Billing(BillingCommand),
    /// List, rotate and tidy the keys under which everything else is kept.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Say what is wrong or weak about this installation.
    Doctor,
    /// Run the WhatsApp network on loopback for development (sandbox build only).
    #[cfg(feature = "sandbox")]
    Sandbox(SandboxArgs),
    /// Say how the medium on standard input looks: what the gateway runs as a child, without keys or network.
    #[command(hide = true)]
    LookAtMedia {
        /// image, video, audio or sticker.
        class: String,
    },
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
pub enum UserCommand {
    /// List them.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Print the link by which the first user makes the first account. Works while there is no user.
    Setup,
    /// Send a link by which somebody makes an account of their own (users.signup = "invite" or "open").
    Invite {
        /// Whom to send it to.
        email: String,
        /// Language of the letter: en, pt-BR, es.
        #[arg(long, default_value = "en")]
        language: String,
        /// Print the link here in place of a letter; hand it on by a safe way.
        #[arg(long)]
        print: bool,
    },
    /// Print a link by which a user chooses a new password. It does not skip the second factor.
    Reset { email: String },
    /// Sign a user out everywhere.
    SignOut { email: String },
    /// Turn a user's second factor off: for one who lost the phone and the recovery codes. Make sure who
    /// asks.
    SecondFactorOff { email: String },
    /// Make a user an operator of the gateway, or no longer one.
    Operator {
        email: String,
        #[arg(long)]
        revoke: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum CredentialCommand {
    /// List them, without the tokens themselves.
    List {
        /// The account's id (AC…).
        #[arg(long)]
        account: String,
        /// Only of this kind: client_token, client_secret, instance_token, api_token, session_key.
        #[arg(long)]
        kind: Option<String>,
        /// Those that have ended, too.
        #[arg(long)]
        all: bool,
        #[arg(long)]
        json: bool,
    },
    /// Make a client pair or an API token; prints it once.
    Create {
        /// The account's id (AC…).
        #[arg(long)]
        account: String,
        #[arg(long, value_enum)]
        kind: MakeKind,
        /// What it is for, such as "staging".
        #[arg(long)]
        label: Option<String>,
        /// When it ends, such as 2030-01-31T12:00:00Z; never, if absent.
        #[arg(long, value_name = "TIME")]
        expires: Option<String>,
        /// Where it may be used from, such as 203.0.113.0/24; may be given again.
        #[arg(long)]
        network: Vec<String>,
        /// An instance that it may be used for (RC…); may be given again.
        #[arg(long)]
        instance: Vec<String>,
        /// Of an instance token or a session key: whose it is (RC…).
        #[arg(long, value_name = "INSTANCE")]
        of: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Put a successor in its place; prints it once.
    Rotate {
        /// The credential's id (CR…).
        id: String,
        /// How long the old one still holds, such as 90s, 15m, 1h or 7d.
        #[arg(long, default_value = "0", value_parser = seconds)]
        grace: i64,
        #[arg(long)]
        json: bool,
    },
    /// End it, and what came from it, at once.
    Revoke {
        /// The credential's id (CR…).
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// End every owner token (JWT) of an account.
    SignOut {
        /// The account's id (AC…).
        #[arg(long)]
        account: String,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MakeKind {
    /// A client token with its secret.
    Client,
    /// Another token for the MCP endpoint.
    ApiToken,
    /// Another token of the instance that --of names.
    InstanceToken,
    /// Another key of the Direct API session that --of names.
    SessionKey,
}

#[derive(Debug, Args)]
pub struct AuditArgs {
    /// The account's id (AC…).
    #[arg(long)]
    pub account: String,
    /// Rows, from 1 to 500.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    pub limit: u32,
    /// Only of this kind, such as credential.revoked.
    #[arg(long)]
    pub kind: Option<String>,
    #[arg(long)]
    pub json: bool,
}

/// `90s`, `15m`, `1h`, `7d`; a bare number is seconds.
fn seconds(text: &str) -> Result<i64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => 0,
    };
    digits
        .parse::<i64>()
        .ok()
        .filter(|n| *n >= 0 && unit > 0)
        .and_then(|n| n.checked_mul(unit))
        .ok_or_else(|| "a time such as 90s, 15m, 1h or 7d".to_owned())
}

#[derive(Debug, Subcommand)]
pub enum BillingCommand {
    /// List all instances with what they are paid for; those whose owners wait for a period say so.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Pay for a period. Takes back a cancel.
    #[command(group(clap::ArgGroup::new("period").required(true).args(["days", "until"])))]
    Grant {
        /// The instance's id (RC…).
        instance: String,
        /// Days after the end of what is paid or free already, or after now.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: Option<u32>,
        /// When it ends, such as 2030-01-31T12:00:00Z.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// End what is paid or free, now. The pairing is kept.
    End {
        /// The instance's id (RC…).
        instance: String,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Replace keys while the gateway runs: what was issued goes on working.
    Rotate {
        #[arg(value_enum)]
        what: RotateKeys,
    },
    /// Every key with its age and what depends on it; never the key itself.
    List {
        #[arg(long)]
        json: bool,
    },
    /// Finish what a rotation left: move the last values to the new keys, delete old keys that nothing
    /// needs any more.
    Tidy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RotateKeys {
    /// The key in the master key file, which wraps the data keys.
    Master,
    /// The data keys, which seal tokens, webhook secrets and WhatsApp sessions.
    Data,
    /// The pepper under which tokens are looked up.
    Pepper,
    /// The key that signs owner JWTs.
    Jwt,
    /// All of them.
    All,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        for (text, due) in [
            ("0", 0),
            ("45", 45),
            ("90s", 90),
            ("15m", 900),
            ("1h", 3600),
            ("7d", 604_800),
        ] {
            assert_eq!(seconds(text), Ok(due));
        }
        for bad in ["", "h", "-1s", "1w", "1 h", "1.5h", "9223372036854775807d"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
