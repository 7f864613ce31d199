//! `recado credential` and `recado audit`: the operator at an account's credentials.
//!
//! They work on the database of a running gateway, which sees the change within a second.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use recado_identity::{
    audit::{self, Actor},
    clock::SystemClock,
    credentials::{CredentialFilter, CredentialView, Credentials, Issued, Makes, NewTerms},
};
use recado_model::{AccountId, CredentialId, CredentialKind, Rng, Timestamp, clock::OsRng};
use recado_store::Store;
use serde_json::{Value, json};

use super::printable;
use crate::{
    cli::{AuditArgs, CredentialCommand, MakeKind},
    config::Settings,
    lifecycle::open_store,
};

pub async fn run(settings: &Settings, command: CredentialCommand) -> Result<()> {
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    let store = open_store(settings, &rng, true, false).await?;
    let done = act(&store, &*rng, command).await;
    store.close().await;
    done
}

async fn act(store: &Store, rng: &dyn Rng, command: CredentialCommand) -> Result<()> {
    let credentials = Credentials::of_store(store, &SystemClock, rng);
    match command {
        CredentialCommand::List {
            account,
            kind,
            all,
            json,
        } => {
            let account = known(store, account).await?;
            let kind = kind.as_deref().map(kind_of).transpose()?;
            let filter = CredentialFilter {
                kind,
                instance: None,
                all,
            };
            print_list(
                &credentials.list(Actor::Operator(&account), &filter).await?,
                json,
            )?;
        }
        CredentialCommand::Create {
            account,
            kind,
            label,
            expires,
            network,
            instance,
            of,
            json,
        } => {
            let account = known(store, account).await?;
            let some = |list: Vec<String>| Some(list).filter(|list| !list.is_empty());
            let terms = NewTerms {
                label,
                expires_at: expires,
                networks: some(network),
                instances: some(instance),
            };
            let makes = match kind {
                MakeKind::Client => Makes::Client,
                MakeKind::ApiToken => Makes::ApiToken,
                MakeKind::InstanceToken => Makes::parse("instance_token", of.as_deref())?,
                MakeKind::SessionKey => Makes::parse("session_key", of.as_deref())?,
            };
            let issued = credentials
                .create(Actor::Operator(&account), makes, terms)
                .await?;
            print_issued(&issued, None, json);
        }
        CredentialCommand::Rotate { id, grace, json } => {
            let (account, id) = owner(store, id).await?;
            let rotated = credentials
                .rotate(Actor::Operator(&account), &id, grace)
                .await?;
            let until = rotated.grace_until.map(Timestamp::to_rfc3339);
            print_issued(&rotated.issued, Some((&rotated.old, until)), json);
        }
        CredentialCommand::Revoke { id, json } => {
            let (account, id) = owner(store, id).await?;
            let view = credentials.revoke(Actor::Operator(&account), &id).await?;
            if json {
                println!("{}", row(&view));
            } else {
                println!("{} {} is revoked.", view.kind.as_str(), view.hint);
            }
        }
        CredentialCommand::SignOut { account, json } => {
            let account = known(store, account).await?;
            credentials.sign_out(Actor::Operator(&account)).await?;
            if json {
                println!("{}", json!({ "account_id": account, "status": "ok" }));
            } else {
                println!("Every owner token (JWT) of {account} has ended.");
            }
        }
    }
    Ok(())
}

fn kind_of(text: &str) -> Result<CredentialKind> {
    CredentialKind::parse(text).with_context(|| {
        format!("--kind is client_token, client_secret, instance_token, api_token or session_key, not {text:?}")
    })
}

pub async fn log(settings: &Settings, args: AuditArgs) -> Result<()> {
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    let store = open_store(settings, &rng, true, false).await?;
    let account = known(&store, args.account).await?;
    let kind = args.kind.as_deref();
    let page = audit::read(&store, &account, args.limit, None, kind).await?;
    store.close().await;
    if args.json {
        let rows: Vec<_> = page
            .entries
            .iter()
            .map(|entry| {
                json!({
                    "id": entry.id,
                    "kind": entry.kind,
                    "at": entry.at.to_rfc3339(),
                    "detail": entry.detail,
                })
            })
            .collect();
        println!("{}", serde_json::to_string(&rows)?);
    } else {
        for entry in page.entries {
            // JSON, so that no label can begin a line of its own.
            println!(
                "{}  {:<24}  {}",
                entry.at.to_rfc3339(),
                entry.kind,
                entry.detail
            );
        }
    }
    Ok(())
}

async fn known(store: &Store, account: String) -> Result<AccountId> {
    let account = AccountId::from_text(account);
    if !store
        .read()
        .await?
        .system()
        .account_exists(&account)
        .await?
    {
        bail!("there is no account {account}: `recado account list` shows them");
    }
    Ok(account)
}

/// The account of a credential that the operator named.
async fn owner(store: &Store, id: String) -> Result<(AccountId, CredentialId)> {
    let id = CredentialId::from_text(id);
    let found = store.read().await?.system().credential(&id).await?;
    let found = found.with_context(|| {
        format!("there is no credential {id}: `recado credential list --account …` shows them")
    })?;
    Ok((found.account, id))
}

fn row(view: &CredentialView) -> Value {
    let text = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
    json!({
        "id": view.id,
        "kind": view.kind.as_str(),
        "label": view.label,
        "hint": view.hint,
        "instance_id": view.instance,
        "parent_id": view.parent,
        "created_at": view.created_at.to_rfc3339(),
        "age_days": view.age_days,
        "last_used_at": text(view.last_used_at),
        "expires_at": text(view.expires_at),
        "grace_until": text(view.grace_until),
        "revoked_at": text(view.revoked_at),
        "state": view.state.as_str(),
        "networks": view.networks(),
        "instances": view.instances(),
    })
}

fn print_list(all: &[CredentialView], json: bool) -> Result<()> {
    if json {
        let rows: Vec<_> = all.iter().map(row).collect();
        println!("{}", serde_json::to_string(&rows)?);
        return Ok(());
    }
    for view in all {
        let used = view.last_used_at.map(Timestamp::to_rfc3339);
        println!(
            "{}  {:<14}  {:<11}  {:<8}  {:>4} days  used {:<24}  {}{}",
            view.id,
            view.kind.as_str(),
            view.hint,
            view.state.as_str(),
            view.age_days,
            used.as_deref().unwrap_or("never"),
            bounds(view),
            printable(view.label.as_deref().unwrap_or("-")),
        );
    }
    Ok(())
}

/// The bounds of a credential, each part with two blanks behind it; nothing for one that is not.
/// Before the label, which its owner chose and which could read like it.
fn bounds(view: &CredentialView) -> String {
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
    let list = |all: Option<Vec<String>>| all.map(|all| all.join(","));
    [
        ("until", time(view.expires_at)),
        ("grace until", time(view.grace_until)),
        ("from", list(view.networks())),
        ("only", list(view.instances())),
    ]
    .into_iter()
    .filter_map(|(what, value)| Some(format!("{what} {}  ", value?)))
    .collect()
}

/// `old`: what it takes the place of, and until when that holds.
fn print_issued(issued: &Issued, old: Option<(&CredentialId, Option<String>)>, json: bool) {
    let kind = issued.view.kind;
    let name = match kind {
        CredentialKind::ClientToken => "client_token",
        CredentialKind::ClientSecret => "client_secret",
        _ => "token",
    };
    let secret = issued.secret.as_ref();
    if json {
        let mut object = row(&issued.view);
        object[name] = json!(issued.token.expose());
        if let Some((id, secret)) = secret {
            object["client_secret_id"] = json!(id);
            object["client_secret"] = json!(secret.expose());
        }
        if let Some((old, until)) = old {
            object["replaces"] = json!({ "id": old, "grace_until": until });
        }
        println!("{object}");
        return;
    }
    println!("id             {}", issued.view.id);
    println!("{name:<13}  {}", issued.token.expose());
    if let Some((_, secret)) = secret {
        println!("client_secret  {}", secret.expose());
    }
    match old {
        Some((old, Some(until))) => println!("replaces       {old}, which holds until {until}"),
        Some((old, None)) => println!("replaces       {old}, which has ended"),
        None => {}
    }
    println!();
    if secret.is_some() || kind == CredentialKind::ClientSecret {
        println!("Store this now: the client secret is not shown again.");
    }
    println!("Do not put it in version control or in a public front end.");
}
