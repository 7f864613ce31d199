//! `recado user`

use std::sync::Arc;

use anyhow::{Result, ensure};
use recado_identity::{
    Signup,
    clock::SystemClock,
    mail::letters,
    users::{operator::Operator, parse_language},
};
use recado_model::{Clock, Rng, Timestamp, clock::OsRng};
use serde_json::json;

use super::printable;
use crate::{cli::UserCommand, config::Settings, lifecycle::open_store};

pub async fn run(settings: &Settings, command: UserCommand) -> Result<()> {
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = open_store(settings, &rng, true, false).await?;
    let public_url = settings.public_url();
    let people = Operator {
        store: &store,
        clock: &clock,
        rng: &rng,
        public_url: &public_url,
    };
    match command {
        UserCommand::List { json } => list(&people, json).await?,
        UserCommand::Setup => match people.set_up_link().await? {
            Some(link) => {
                println!("{}", link.expose());
                eprintln!("Open it in a browser within the hour; it works once.");
            }
            None => anyhow::bail!(
                "this gateway has users already: sign in at {public_url}/dashboard, or make a link with `recado user reset`"
            ),
        },
        UserCommand::Invite {
            email,
            language,
            print,
        } => {
            let config = settings.app_config(public_url.clone(), &*rng)?.users;
            ensure!(
                config.signup != Signup::Closed,
                "users.signup is \"closed\": set it to \"invite\", or make the account yourself with `recado account create`"
            );
            let language = parse_language(&language)?;
            let lasts_ms = config.invitation_ms;
            let link = people.sign_up_link(&email, lasts_ms).await?;
            if print {
                println!("{}", link.expose());
            } else {
                let outbox = config
                    .mail
                    .outbox(&public_url, clock.clone(), rng.clone())?;
                let letter = letters::signup_invited(language, &email, link.expose(), lasts_ms);
                outbox.send_now(letter).await?;
                println!("A letter is on its way to {}.", printable(&email));
            }
        }
        UserCommand::Reset { email } => {
            println!("{}", people.reset_link(&email).await?.expose());
            eprintln!("Hand it on by a safe way; it works once, for 30 minutes.");
        }
        UserCommand::SignOut { email } => {
            people.sign_out(&email).await?;
            println!("{} is signed out everywhere.", printable(&email));
        }
        UserCommand::SecondFactorOff { email } => {
            people.remove_second_factor(&email).await?;
            println!("{} signs in by password alone now.", printable(&email));
        }
        UserCommand::Operator { email, revoke } => {
            people.set_operator(&email, !revoke).await?;
            let what = if revoke { "no longer" } else { "now" };
            println!("{} is {what} an operator.", printable(&email));
        }
    }
    store.close().await;
    Ok(())
}

async fn list(people: &Operator<'_>, json: bool) -> Result<()> {
    let users = people.users().await?;
    if json {
        let rows: Vec<_> = users
            .iter()
            .map(|user| {
                json!({
                    "user_id": user.id,
                    "email": user.email,
                    "operator": user.operator,
                    "second_factor": user.second_factor,
                    "accounts": user.accounts,
                    "created_at": user.created_at.to_rfc3339(),
                    "last_login_at": user.last_login_at.map(Timestamp::to_rfc3339),
                })
            })
            .collect();
        println!("{}", serde_json::to_string(&rows)?);
        return Ok(());
    }
    for user in users {
        let second_factor = if user.second_factor {
            "second factor"
        } else {
            "password only"
        };
        let operator = if user.operator { "  operator" } else { "" };
        let seen = user
            .last_login_at
            .map_or("never signed in".to_owned(), |at| {
                format!("last signed in {}", at.to_rfc3339())
            });
        println!(
            "{}  {:<36}  {} accounts  {second_factor}  {seen}{operator}",
            user.id,
            printable(&user.email),
            user.accounts
        );
    }
    Ok(())
}
