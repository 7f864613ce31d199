//! `recado key`: every key can be replaced while gateways run on the same database.
//!
//! A new key must be known everywhere before anyone relies on it: gateways look for changes twice a
//! second, so between making a key and using it up there is one wait for all of them.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use recado_identity::clock::SystemClock;
use recado_model::{Clock, Rng, Timestamp, clock::OsRng, id::random_base32};
use recado_store::{ACTIVATION_MS, JWT_KEEP_MS, KeyKind, KeyRow, Store, StoreError};
use serde_json::json;

use crate::{
    cli::{KeyCommand, RotateKeys},
    config::Settings,
    keys::{self, NextKey},
    lifecycle::open_store,
};

/// Until a new key signs, and every gateway has looked once more.
const WAIT_MS: i64 = ACTIVATION_MS + 1_000;

pub async fn run(settings: &Settings, command: KeyCommand) -> Result<()> {
    if let KeyCommand::Rotate { what } = command
        && matches!(what, RotateKeys::Master | RotateKeys::All)
    {
        // A running gateway could not read its setting anew, nor could this write it.
        ensure!(
            settings.master_key.is_none(),
            "the master key comes from {}, which a running gateway cannot read anew: put that key into a file that only the gateway's user can read, name it in master_key_file (RECADO_MASTER_KEY_FILE), remove the setting, restart, then rotate. The other kinds can be rotated one by one as it is",
            settings.key_source()
        );
    }
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    let store = open_store(settings, &rng, false, false).await?;
    let done = match command {
        KeyCommand::Rotate { what } => rotate(settings, &store, &*rng, what).await,
        KeyCommand::List { json } => list(&store, json).await,
        KeyCommand::Tidy => tidy(settings, &store).await,
    };
    store.close().await;
    done
}

async fn rotate(settings: &Settings, store: &Store, rng: &dyn Rng, what: RotateKeys) -> Result<()> {
    let clock = SystemClock;
    let asked = |kind| what == kind || what == RotateKeys::All;
    if what == RotateKeys::Master {
        return rotate_master(settings, store, rng, clock.now()).await;
    }
    if what == RotateKeys::All {
        // An obstacle to the last step stops the first.
        drop(keys::prove_replaceable(settings, store).await?);
    }
    if asked(RotateKeys::Data) {
        let made = store.add_data_keys(clock.now()).await?;
        println!("data    {made} new keys");
    }
    if asked(RotateKeys::Pepper) {
        let mut conn = store.write().await?;
        let from = clock.now().plus_millis(ACTIVATION_MS);
        let id = conn.system().add_pepper(from).await?;
        conn.commit().await?;
        println!("pepper  {id} is new");
    }
    if asked(RotateKeys::Jwt) {
        let mut conn = store.write().await?;
        let now = clock.now();
        // On a database that no gateway has served yet, the new key would be the only one, and nothing
        // could sign until its time.
        conn.system().ensure_jwt_key(now).await?;
        let (kid, from) = (random_base32(rng), now.plus_millis(ACTIVATION_MS));
        conn.system().insert_jwt_key(&kid, from).await?;
        conn.commit().await?;
        println!("jwt     {kid} is new");
    }
    println!(
        "        waiting {} s until every gateway knows them",
        WAIT_MS / 1_000
    );
    clock.sleep_ms(WAIT_MS).await;
    if asked(RotateKeys::Data) {
        reseal(store).await?;
    }
    if asked(RotateKeys::Pepper) {
        rehash(store, clock.now()).await?;
    }
    prune(store, clock.now()).await?;
    if asked(RotateKeys::Master) {
        // Last: a gateway with a key file of its own can read nothing new from here on, and must know
        // the peppers and JWT keys that it goes on with.
        rotate_master(settings, store, rng, clock.now()).await?;
    }
    if asked(RotateKeys::Data) {
        println!(
            "data    the old keys stay for an hour, for gateways that are late: run `recado key tidy` after that"
        );
    }
    if asked(RotateKeys::Jwt) {
        println!(
            "jwt     the old keys verify until their last token has expired: `recado key tidy` after a day removes them"
        );
    }
    Ok(())
}

async fn rotate_master(
    settings: &Settings,
    store: &Store,
    rng: &dyn Rng,
    now: Timestamp,
) -> Result<()> {
    let next = NextKey::make(settings, store, rng).await?;
    let file = keys::beside(&settings.key_file());
    let wrapped = match store.rotate_master(&next.key, now).await {
        Ok(wrapped) => wrapped,
        Err(error) => {
            // The answer to a commit can be lost: the new key stays until someone has looked.
            return Err(error).with_context(|| {
                format!(
                    "the master key was not replaced, as far as is known here. The new one stays in {} until `recado key tidy` (or the next start) finds out whether the database has it",
                    file.display()
                )
            });
        }
    };
    let path = next.take_effect()?;
    println!("master  {wrapped} data keys are wrapped anew");
    println!(
        "master  the new key is in {}: back it up now. Backups of the database from before need the old one; gateways on other machines need a copy of this file",
        path.display()
    );
    Ok(())
}

async fn reseal(store: &Store) -> Result<()> {
    let done = store.reseal().await?;
    println!("data    {} values sealed anew", done.moved);
    unopened("data", done.unopened);
    Ok(())
}

async fn rehash(store: &Store, now: Timestamp) -> Result<()> {
    let done = store.rehash_sealed(now).await?;
    println!("pepper  {} credentials hashed anew", done.moved);
    unopened("pepper", done.unopened);
    Ok(())
}

fn unopened(kind: &str, count: u64) {
    if count > 0 {
        println!(
            "{kind:<7} {count} values do not open and stay as they are: damaged, or written by hand"
        );
    }
}

/// Deletes every key that nothing needs any more.
async fn prune(store: &Store, now: Timestamp) -> Result<()> {
    let mut conn = store.write().await?;
    let jwt = conn.system().prune_jwt_keys(now, JWT_KEEP_MS).await?;
    conn.commit().await?;
    let mut conn = store.write().await?;
    let peppers = match conn.system().retire_peppers(now).await {
        Ok(retired) => {
            conn.commit().await?;
            retired
        }
        // A credential came to name it in this very moment: it stays.
        Err(StoreError::NoParent) => 0,
        Err(error) => return Err(error.into()),
    };
    let data = store.prune_data_keys(now).await?;
    for (kind, count) in [("data", data), ("pepper", peppers), ("jwt", jwt)] {
        if count > 0 {
            println!("{kind:<7} {count} old keys deleted: nothing needs them any more");
        }
    }
    Ok(())
}

async fn tidy(settings: &Settings, store: &Store) -> Result<()> {
    let clock = SystemClock;
    if settings.master_key.is_none() {
        keys::settle(settings, store).await?;
    }
    let sealed = store.reseal().await?;
    let hashed = store.rehash_sealed(clock.now()).await?;
    if sealed.moved + hashed.moved > 0 {
        println!("data    {} values sealed anew", sealed.moved);
        println!("pepper  {} credentials hashed anew", hashed.moved);
        // Gateways have used up by then all that they had read just before.
        clock.sleep_ms(WAIT_MS).await;
    }
    unopened("data", sealed.unopened);
    unopened("pepper", hashed.unopened);
    prune(store, clock.now()).await?;
    println!("        done; `recado key list` shows what there is");
    Ok(())
}

async fn list(store: &Store, as_json: bool) -> Result<()> {
    let now = SystemClock.now();
    let keys = store.read().await?.system().keys(now).await?;
    if as_json {
        let rows: Vec<_> = keys
            .iter()
            .map(|key| {
                json!({
                    "kind": key.kind.to_string(),
                    "account_id": key.owner,
                    "id": key.id,
                    "since": key.since.map(Timestamp::to_rfc3339),
                    "state": state(key, now),
                    "rows": key.rows,
                })
            })
            .collect();
        println!("{}", serde_json::to_string(&rows)?);
        return Ok(());
    }
    for key in &keys {
        let name = match (key.kind, &key.owner) {
            (KeyKind::Master, _) => String::new(),
            (KeyKind::Data, Some(account)) => format!("{account} v{}", key.id),
            (KeyKind::Data, None) => format!("system v{}", key.id),
            _ => key.id.clone(),
        };
        let age = key
            .since
            .map_or("-".to_owned(), |since| age(now.since(since)));
        let rows = match (key.kind, key.rows) {
            (KeyKind::Master, Some(n)) => format!("wraps {n} data keys"),
            (KeyKind::Data, Some(n)) => format!("{n} values"),
            (_, Some(n)) => format!("{n} credentials"),
            (_, None) => String::new(),
        };
        let kind = key.kind.to_string();
        println!(
            "{kind:<7} {name:<34} {:<9} {age:>6}  {rows}",
            state(key, now)
        );
    }
    Ok(())
}

/// The uses that the key still has.
fn state(key: &KeyRow, now: Timestamp) -> &'static str {
    match key.kind {
        _ if key.current => "in use",
        KeyKind::Master | KeyKind::Data => "opens",
        KeyKind::Pepper | KeyKind::Jwt if key.since.is_some_and(|since| since > now) => "soon",
        KeyKind::Pepper => "looks up",
        KeyKind::Jwt => "verifies",
    }
}

/// In the largest unit that fits.
fn age(ms: i64) -> String {
    match ms.max(0) / 1_000 {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => format!("{} min", s / 60),
        s @ 7_200..172_800 => format!("{} h", s / 3_600),
        s => format!("{} d", s / 86_400),
    }
}
