//! The data folder and the master key in it (or, better, elsewhere).
//!
//! A new master key lies beside the old one as `<file>.new` before the database is sealed under it,
//! and takes its place after: whatever moment a rotation ends in, one of the two files opens the
//! database, and whoever comes next finishes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};
use recado_model::Rng;
use recado_store::{Database, KeySource, MasterKey, Store};

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
    if let Some(key) = finish_rotation(settings, database).await? {
        return Ok(key);
    }
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
    write_key(&path, &text)
        .and_then(|file| file.sync_all())
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

fn write_key(path: &Path, text: &str) -> std::io::Result<File> {
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// The file itself, where the setting names a link to it: renaming over a link would only replace that.
fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Where a new master key lies until it takes the place of the one in `path`.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = real(path).into_os_string();
    name.push(".new");
    name.into()
}

fn read_key(path: &Path) -> Option<MasterKey> {
    let text = fs::read_to_string(path).ok()?;
    MasterKey::parse(text.trim()).ok()
}

/// For the store: the keys that may be in force once another process replaced the master key. `None`
/// when the key is given by the setting, which a running process cannot read anew.
pub fn source(settings: &Settings) -> Option<KeySource> {
    if settings.master_key.is_some() {
        return None;
    }
    let path = settings.key_file();
    Some(Arc::new(move || {
        // The new one first: its rename may come between the two looks.
        let files = [beside(&path), real(&path)];
        files.iter().filter_map(|file| read_key(file)).collect()
    }))
}

/// The folder of the key file, locked; `None` while another process replaces the key in it.
fn lock_folder(path: &Path) -> Result<Option<File>> {
    let real = real(path);
    let folder = real.parent().filter(|at| !at.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let file = File::open(folder)
        .with_context(|| format!("cannot open the folder {}", folder.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock the folder {}", folder.display()))
        }
    }
}

/// The key of a rotation that reached the database and not the file; puts it there, if it may.
async fn finish_rotation(settings: &Settings, database: &Database) -> Result<Option<MasterKey>> {
    let path = settings.key_file();
    let new = beside(&path);
    let Some(key) = read_key(&new) else {
        return Ok(None);
    };
    if !Store::is_master_key(database, &key).await? {
        // Not there yet, or given up: the one in the file holds.
        return Ok(None);
    }
    // Locked means that whoever rotates is about to do it.
    let locked = lock_folder(&path).ok().flatten();
    if locked.is_some() && read_key(&new).is_some() {
        let text = match fs::rename(&new, real(&path)) {
            Ok(()) => format!(
                "a rotation of the master key was interrupted; its new key is now in {}. Back it up.",
                path.display()
            ),
            Err(error) => format!(
                "a rotation of the master key was interrupted: the key in force is in {}, and cannot be moved to {} ({error}). Move it there.",
                new.display(),
                path.display()
            ),
        };
        telemetry::announce(settings.log_format, &text);
    }
    Ok(Some(key))
}

/// A new master key, written beside the one that it will replace. Nobody else can replace the key as
/// long as this lives.
pub struct NextKey {
    pub key: MasterKey,
    path: PathBuf,
    new: PathBuf,
    folder: File,
}

impl NextKey {
    /// Settles what an earlier rotation left ([`settle`]) and writes a new key. The file belongs to
    /// whom the old one belongs to, and is as private: the gateway may run as another user.
    pub async fn make(settings: &Settings, database: &Database, rng: &dyn Rng) -> Result<Self> {
        let path = settings.key_file();
        let folder = settle(settings, database).await?;
        let (path, new) = (real(&path), beside(&path));
        let old = fs::metadata(&path)
            .with_context(|| format!("cannot look at the master key file {}", path.display()))?;
        let (key, text) = MasterKey::generate(rng);
        let written = write_key(&new, &text).and_then(|file| {
            let made = file.metadata()?;
            if (made.uid(), made.gid()) != (old.uid(), old.gid()) {
                fchown(&file, Some(old.uid()), Some(old.gid()))?;
            }
            file.set_permissions(old.permissions())?;
            file.sync_all()?;
            folder.sync_all()
        });
        if let Err(error) = written {
            // What was begun is of no use.
            fs::remove_file(&new).ok();
            return Err(error).with_context(|| {
                format!(
                    "cannot write {}: run this as the user that owns the master key file, in a folder that it may write",
                    new.display()
                )
            });
        }
        Ok(Self {
            key,
            path,
            new,
            folder,
        })
    }

    /// It takes the old one's place, which is gone then.
    pub fn take_effect(self) -> Result<PathBuf> {
        match fs::rename(&self.new, &self.path) {
            Ok(()) => {}
            // A program that started just now has done it.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!(
                        "the database is sealed under the new master key now, which is in {}, and it cannot be moved to {}. Move it there",
                        self.new.display(),
                        self.path.display()
                    )
                });
            }
        }
        self.folder.sync_all()?;
        Ok(self.path)
    }
}

/// Settles what an interrupted rotation left beside the key file: the new key takes its place when
/// the database is sealed under it, and is removed when it is not. Answers the lock on the folder.
pub async fn settle(settings: &Settings, database: &Database) -> Result<File> {
    let path = settings.key_file();
    let Some(folder) = lock_folder(&path)? else {
        bail!("another `recado key` command replaces the master key right now: wait for its end");
    };
    let new = beside(&path);
    if new.exists() {
        let in_force = match read_key(&new) {
            Some(key) => Store::is_master_key(database, &key).await?,
            None => false,
        };
        let settled = match in_force {
            true => fs::rename(&new, real(&path)),
            false => fs::remove_file(&new),
        };
        settled
            .and_then(|()| folder.sync_all())
            .with_context(|| format!("cannot settle {}", new.display()))?;
    }
    Ok(folder)
}
