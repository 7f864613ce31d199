//! `recado doctor`: what is wrong (exit code 1) or weak about this installation.

mod people;

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::ExitCode, sync::Arc};

use anyhow::Result;
use recado_app::Guests;
use recado_identity::clock::SystemClock;
use recado_model::{Clock, Rng, Timestamp, clock::OsRng};
use recado_store::{Database, JWT_KEEP_MS, KeyKind, KeyRow, SUPERSEDED_MS, Store, Weaknesses};

use crate::{config::Settings, keys, lifecycle::open_store, listen, output::explain};

const DAY_MS: i64 = 86_400_000;
/// Keys, and the secrets of client pairs, should not be older.
const OLD_MS: i64 = 365 * DAY_MS;
/// A credential that nobody used for so long is most likely forgotten.
const UNUSED_MS: i64 = 180 * DAY_MS;

#[derive(Default)]
struct Report {
    wrong: usize,
    weak: usize,
}

impl Report {
    fn fine(&self, text: &str) {
        println!("ok     {text}");
    }
    fn weak(&mut self, text: &str) {
        self.weak += 1;
        println!("weak   {text}");
    }
    fn wrong(&mut self, text: &str) {
        self.wrong += 1;
        println!("WRONG  {text}");
    }
}

pub async fn run(settings: &Settings) -> Result<ExitCode> {
    let mut report = Report::default();
    report.fine("the configuration is valid");
    data_dir(&mut report, &settings.data_dir);
    let key = settings.key_file();
    if settings.master_key.is_none() && key.exists() {
        private(&mut report, "the master key file", &key, 0o077);
        if key.starts_with(&settings.data_dir) {
            report.weak(&format!(
                "the master key ({}) lies beside the database: a copy of the folder is a copy of everything. Move it and set master_key_file",
                key.display()
            ));
        }
    }
    let url = settings.public_url();
    if settings.listen.ip().is_loopback() {
        report.fine("listens on loopback: put a TLS proxy in front for anyone else");
    } else if !url.starts_with("https://") {
        report.weak("public_url is not https://: tokens travel in clear");
    } else {
        report.fine("public_url is https");
    }
    if settings
        .metrics_listen()?
        .is_some_and(|addr| !addr.ip().is_loopback())
    {
        report.weak("metrics_listen is reachable from outside: metrics have no credential");
    }
    edges(&mut report, settings)?;
    people::settings(&mut report, settings)?;
    let database = settings.database()?;
    // A database that does not exist yet is not made here: looking must not change anything.
    let absent = matches!(&database, Database::Sqlite { path } if !path.exists());
    if absent {
        report.fine("there is no database yet: `recado serve` makes it");
    } else {
        let rng: Arc<dyn Rng> = Arc::new(OsRng);
        match open_store(settings, &rng, false, false).await {
            Ok(store) => {
                report.fine("the database answers, has this program's schema, and the master key is the right one");
                if let Err(error) = kept(&mut report, &store).await {
                    report.wrong(&format!(
                        "the keys cannot be looked at: {}",
                        explain(&error)
                    ));
                }
                if let Err(error) = people::kept(&mut report, &store).await {
                    report.wrong(&format!(
                        "the users cannot be looked at: {}",
                        explain(&error)
                    ));
                }
                store.close().await;
                // After opening, which finishes what it can.
                let left = keys::beside(&key);
                if settings.master_key.is_none() && left.exists() {
                    report.weak(&format!(
                        "{} is left of a rotation of the master key that did not end: `recado key tidy` settles it",
                        left.display()
                    ));
                }
            }
            Err(error) => report.wrong(&explain(&error)),
        }
    }
    if cfg!(feature = "sandbox") {
        report.weak("this is the sandbox build: it reaches no real WhatsApp");
    }
    println!("\n{} wrong, {} weak", report.wrong, report.weak);
    Ok(if report.wrong == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Looking must not change anything: a folder that is not there yet is not made.
fn data_dir(report: &mut Report, dir: &Path) {
    if !dir.exists() {
        report.fine("there is no data folder yet: `recado serve` makes it");
        return;
    }
    match keys::look_at_data_dir(dir) {
        Ok(()) => private(report, "the data folder", dir, 0o077),
        Err(error) => report.wrong(&explain(&error)),
    }
}

/// Files and ports that are open to more than they should be.
fn edges(report: &mut Report, settings: &Settings) -> Result<()> {
    if !settings.listen.ip().is_loopback() && settings.guests()? == Guests::Full {
        report.weak("direct.guests is full and the gateway listens beyond loopback: whoever reaches it can send messages. Set it to pair or off");
    }
    if let Some(all) = settings
        .trusted_proxies()?
        .iter()
        .find(|net| net.prefix_len() == 0)
    {
        report.weak(&format!(
            "trusted_proxies contains {all}: any caller may say that it comes from anywhere. Name your proxies alone"
        ));
    }
    if let Some(all) = settings
        .egress_allow()?
        .iter()
        .find(|net| net.prefix_len() == 0)
    {
        report.weak(&format!(
            "egress.allow contains {all}: webhooks reach every host of your networks. Name the subnets of your receivers alone"
        ));
    }
    if let Some(files) = listen::files::too_low_for(settings.limits.connections) {
        report.weak(&format!(
            "the limit on open files ({files}) is lower than limits.connections and {} more: fewer connections are served. Raise it (ulimit -Hn, LimitNOFILE), or lower limits.connections",
            listen::files::OTHERS
        ));
    }
    for origin in settings.cors_origins() {
        if origin.starts_with("http://") {
            report.weak(&format!(
                "cors.origins contains {origin}: whoever sits on the way to that page reads what it reads. Serve it by https://"
            ));
        }
    }
    Ok(())
}

/// Keys and credentials in the database.
async fn kept(report: &mut Report, store: &Store) -> Result<()> {
    let now = SystemClock.now();
    let mut conn = store.read().await?;
    let keys = conn.system().keys(now).await?;
    let weaknesses = conn
        .system()
        .weaknesses(now, now.plus_millis(-UNUSED_MS), now.plus_millis(-OLD_MS))
        .await?;
    drop(conn);
    ages(report, &keys, now);
    unfinished(report, &keys, now);
    credentials(report, weaknesses);
    Ok(())
}

fn ages(report: &mut Report, keys: &[KeyRow], now: Timestamp) {
    for (kind, what) in [
        (KeyKind::Master, "the master key"),
        (KeyKind::Data, "data keys"),
        (KeyKind::Pepper, "the pepper"),
        (KeyKind::Jwt, "the JWT key"),
    ] {
        let old = keys
            .iter()
            .filter(|key| key.kind == kind && key.current)
            .filter(|key| key.since.is_some_and(|since| now.since(since) > OLD_MS))
            .count();
        if old > 0 {
            report.weak(&format!(
                "{what} in use for more than a year ({old}): `recado key rotate {kind}` replaces them while the gateway runs"
            ));
        }
    }
}

/// Old keys that could go, or that something still needs.
fn unfinished(report: &mut Report, keys: &[KeyRow], now: Timestamp) {
    // Keys come newest first: the one right before a key took its place.
    let superseded = |kind, for_ms| {
        keys.windows(2)
            .filter(move |pair| {
                let (newer, key) = (&pair[0], &pair[1]);
                let same = key.kind == kind && newer.kind == kind && newer.owner == key.owner;
                let replaced = newer.since.is_some_and(|at| now.since(at) >= for_ms);
                same && !key.current && replaced
            })
            .map(|pair| &pair[1])
    };
    let rows = |key: &KeyRow| key.rows.unwrap_or(0);
    let values: i64 = superseded(KeyKind::Data, SUPERSEDED_MS).map(rows).sum();
    if values > 0 {
        report.weak(&format!(
            "{values} values are still sealed under data keys that were replaced: `recado key tidy` moves them"
        ));
    }
    let hashed: i64 = superseded(KeyKind::Pepper, 0).map(rows).sum();
    if hashed > 0 {
        report.weak(&format!(
            "{hashed} credentials are still under a pepper that was replaced: `recado key tidy` moves them, client secrets move when they are used next"
        ));
    }
    let gone = superseded(KeyKind::Data, SUPERSEDED_MS)
        .chain(superseded(KeyKind::Pepper, 0))
        .chain(superseded(KeyKind::Jwt, JWT_KEEP_MS))
        .filter(|key| rows(key) == 0)
        .count();
    if gone > 0 {
        report.weak(&format!(
            "{gone} old keys are needed by nothing any more: `recado key tidy` deletes them"
        ));
    }
}

fn credentials(report: &mut Report, weaknesses: Weaknesses) {
    let Weaknesses {
        unused,
        old_pairs,
        without_pair,
    } = weaknesses;
    if unused > 0 {
        report.weak(&format!(
            "{unused} credentials were not used for 180 days: revoke what nobody needs"
        ));
    }
    if old_pairs > 0 {
        report.weak(&format!(
            "{old_pairs} client secrets are older than a year: rotate them"
        ));
    }
    if without_pair > 0 {
        report.weak(&format!(
            "{without_pair} accounts have no client pair that holds: nobody can get an owner JWT for them"
        ));
    }
}

fn private(report: &mut Report, what: &str, path: &Path, others: u32) {
    match fs::metadata(path) {
        Ok(meta) if meta.permissions().mode() & others == 0 => {
            report.fine(&format!("{what} is private"))
        }
        Ok(_) => report.weak(&format!(
            "{what} {} can be read by other users: chmod go= it",
            path.display()
        )),
        Err(error) => report.wrong(&format!("{what} {}: {error}", path.display())),
    }
}
