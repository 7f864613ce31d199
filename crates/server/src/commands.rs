//! One file per command.

mod account;
pub mod billing;
mod credential;
mod docs;
mod doctor;
mod key;
pub mod look;
#[cfg(feature = "sandbox")]
mod sandbox;
mod serve;
mod user;

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;
use recado_model::{Rng, clock::OsRng, text::is_unseen};

use crate::{
    cli::{Cli, Command, ConfigCommand},
    config::{self, Settings},
    lifecycle, telemetry,
};

/// Names are chosen by tenants: a terminal must not act on what they hold.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if is_unseen(c) { '?' } else { c })
        .collect()
}

pub async fn run(cli: Cli) -> Result<ExitCode> {
    // Commands that must work without a valid configuration come first.
    match cli.command {
        Command::Config(ConfigCommand::Default) => {
            print!("{}", config::DEFAULT);
            return Ok(ExitCode::SUCCESS);
        }
        Command::Docs { out } => return docs::write(&out).map(|()| ExitCode::SUCCESS),
        #[cfg(feature = "sandbox")]
        Command::Sandbox(args) => return sandbox::run(args).await.map(|()| ExitCode::SUCCESS),
        _ => {}
    }
    let settings = Settings::load(cli.config.as_deref())?;
    if let Some(note) = &settings.note {
        telemetry::warn(settings.log_format, note);
    }
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    match cli.command {
        Command::Serve(args) => serve::run(&settings, args).await?,
        Command::Migrate => {
            lifecycle::open_store(&settings, &rng, true, false)
                .await?
                .close()
                .await;
            println!("The database has this program's schema.");
        }
        Command::Init => {
            lifecycle::open_store(&settings, &rng, true, true)
                .await?
                .close()
                .await;
            match settings.master_key {
                Some(_) => println!(
                    "The database is ready, sealed under the master key of {}: keep that key apart from it.",
                    settings.key_source()
                ),
                None => println!(
                    "The database is ready. The master key is in {}: back it up, apart from the database; one is useless without the other.",
                    settings.key_file().display()
                ),
            }
            println!(
                "Next: `recado account create --name NAME --email E-MAIL` makes the first account, `recado serve` runs the gateway."
            );
        }
        Command::User(command) => user::run(&settings, command).await?,
        Command::Account(command) => account::run(&settings, command).await?,
        Command::Credential(command) => credential::run(&settings, command).await?,
        Command::Audit(args) => credential::log(&settings, args).await?,
        Command::Billing(command) => billing::run(&settings, command).await?,
        Command::Key(command) => key::run(&settings, command).await?,
        Command::Config(_) => println!("{}The configuration is valid.", settings.describe()?),
        Command::Doctor => return doctor::run(&settings).await,
        Command::Docs { .. } | Command::LookAtMedia { .. } => {}
        #[cfg(feature = "sandbox")]
        Command::Sandbox(_) => {}
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn names_do_not_reach_the_terminal() {
        assert_eq!(
            printable("Caf\u{e9}\u{1b}[31m\r\n\u{9b}x\u{202e}"),
            "Caf\u{e9}?[31m???x?"
        );
    }
}
