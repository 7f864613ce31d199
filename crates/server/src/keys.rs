//! The data folder and the master key in it (or, better, elsewhere).

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use anyhow::{Context, Result, anyhow, bail};
use recado_model::Rng;
use recado_store::{Database, MasterKey, Store};

use crate::{config::Settings, telemetry};

/// Makes the data folder (0700) and proves that it can be written.
pub fn prepare_data_dir(dir: &Path) -> Result<()> {
    let advice = || {
        format!(
            "the data folder {} cannot be written: give this user the right to it, or set data_dir (RECADO_DATA_DIR) to a folder of its own",
            dir.display()
        )
    };
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(advice)?;
    let probe = dir.join(".write-probe");
    File::create(&probe)
        .and_then(|_| fs::remove_file(&probe))
        .with_context(advice)
}

/// Held as long as the program serves: two programs on one data folder would fight over sockets.
pub fn lock_data_dir(dir: &Path) -> Result<File> {
    let path = dir.join("recado.lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot open the lock file {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            bail!(
                "another recado runs on the data folder {}: stop it first, or give this one its own data_dir",
                dir.display()
            )
        }
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", path.display()))
        }
    }
}

/// The master key: from the setting, from its file, or, for a new SQLite database (or when `init`),
/// freshly made. A missing key of a database that has one stops here.
pub async fn master_key(
    settings: &Settings,
    database: &Database,
    rng: &dyn Rng,
    init: bool,
) -> Result<MasterKey> {
    if let Some(text) = &settings.master_key {
        return MasterKey::parse(text.expose()).with_context(|| settings.key_source());
    }
    let path = settings.key_file();
    match fs::read_to_string(&path) {
        Ok(text) => {
            return MasterKey::parse(text.trim()).with_context(|| settings.key_source());
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot read the master key file {}", path.display()));
        }
    }
    if Store::has_key_check(database).await? {
        return Err(anyhow!(
            "the master key file {} is missing, and this database was sealed with it: restore the file from your backup, or set master_key_file (RECADO_MASTER_KEY_FILE). Without that key the sessions and tokens in the database cannot be read",
            path.display()
        ));
    }
    if matches!(database, Database::Postgres { .. }) && !init {
        bail!(
            "this PostgreSQL database has not been prepared: run `recado init` once. It makes the schema and the master key file {}",
            path.display()
        );
    }
    let (key, text) = MasterKey::generate(rng);
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write the master key file {}", path.display()))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("cannot write the master key file {}", path.display()))?;
    telemetry::announce(
        settings.log_format,
        &format!(
            "made a new master key: {}. Back it up apart from the database: one is useless without the other.",
            path.display()
        ),
    );
    Ok(key)
}
