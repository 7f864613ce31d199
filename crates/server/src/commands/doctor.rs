//! `recado doctor`: what is wrong (exit code 1) or weak about this installation.

use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::ExitCode, sync::Arc};

use anyhow::Result;
use recado_model::{Rng, clock::OsRng};
use recado_store::Database;

use crate::{config::Settings, keys, lifecycle::open_store};

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
    match keys::prepare_data_dir(&settings.data_dir) {
        Ok(()) => private(&mut report, "the data folder", &settings.data_dir, 0o077),
        Err(error) => report.wrong(&format!("{error:#}")),
    }
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
        report
            .weak("public_url is not https://: tokens travel in clear, and people cannot sign in");
    } else {
        report.fine("public_url is https");
    }
    if settings
        .metrics_listen()?
        .is_some_and(|addr| !addr.ip().is_loopback())
    {
        report.weak("metrics_listen is reachable from outside: metrics have no credential");
    }
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
                store.close().await;
            }
            Err(error) => report.wrong(&format!("{error:#}")),
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
