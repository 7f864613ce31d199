//! `recado account`

use std::{path::Path, sync::Arc};

use anyhow::{Context, Result};
use recado_identity::{
    accounts::{self, CreatedAccount, NewAccount},
    clock::SystemClock,
    password::Blocklist,
};
use recado_model::{Rng, Secret, clock::OsRng};
use recado_store::Store;
use serde_json::json;

use super::printable;
use crate::{cli::AccountCommand, config::Settings, lifecycle::open_store};

pub async fn run(settings: &Settings, command: AccountCommand) -> Result<()> {
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    let store = open_store(settings, &rng, true, false).await?;
    match command {
        AccountCommand::Create {
            name,
            email,
            password_file,
            json,
        } => {
            let owner_password = password_file.as_deref().map(password_in).transpose()?;
            let new = NewAccount {
                name,
                owner_email: email,
                owner_password,
            };
            let list = settings.users(&settings.public_url())?.blocklist;
            let list = match &list {
                Some(file) => Blocklist::load(file)?,
                None => Blocklist::default(),
            };
            let made = accounts::create_with(&store, &SystemClock, &*rng, new, &list).await?;
            print_made(&made, json);
        }
        AccountCommand::List { json } => {
            list(&store, json).await?;
        }
    }
    store.close().await;
    Ok(())
}

fn password_in(file: &Path) -> Result<Secret> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the password file {}", file.display()))?;
    Ok(Secret::new(text.trim_end_matches(['\r', '\n'])))
}

fn print_made(made: &CreatedAccount, json: bool) {
    let shown = made.owner_password.as_ref().map(Secret::expose);
    if json {
        let object = json!({
            "account_id": made.id,
            "owner_email": made.owner_email,
            "owner_password": shown,
            "client_token": made.client_token.expose(),
            "client_secret": made.client_secret.expose(),
            "api_token": made.api_token.expose(),
        });
        println!("{object}");
    } else {
        println!("account        {}", made.id);
        println!("owner          {}", made.owner_email);
        println!("password       {}", shown.unwrap_or("(as given)"));
        println!("client_token   {}", made.client_token.expose());
        println!("client_secret  {}", made.client_secret.expose());
        println!("api_token      {}", made.api_token.expose());
        println!();
        println!("Store these now: the client secret and the password are not shown again.");
        println!(
            "Keep them in environment variables or a secret store: never in version control or in a"
        );
        println!("public front end.");
    }
}

async fn list(store: &Store, json: bool) -> Result<()> {
    let all = store.read().await?.system().accounts().await?;
    if json {
        let rows: Vec<_> = all
            .iter()
            .map(|row| {
                json!({
                    "account_id": row.id,
                    "name": row.name,
                    "kind": row.kind.as_str(),
                    "owner_email": row.owner_email,
                    "instances": row.instances,
                    "created_at": row.created_at.to_rfc3339(),
                })
            })
            .collect();
        println!("{}", serde_json::to_string(&rows)?);
    } else {
        for row in all {
            let owner = printable(row.owner_email.as_deref().unwrap_or("-"));
            let name = printable(&row.name);
            println!(
                "{}  {name:<24}  {owner:<32}  {} instances",
                row.id, row.instances
            );
        }
    }
    Ok(())
}
