//! The data folder and the master key in it (or, better, elsewhere).
//!
//! A new master key lies beside the old one as `<file>.new` before the database is sealed under it,
//! and takes its place after: whatever moment a rotation ends in, one of the two files opens the
//! database, and whoever comes next finishes. Neither is thrown away before the other is known to be
//! the one in force.

use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use recado_model::{Rng, id::random_base32};
use recado_store::{Database, KeySource, MasterKey, Store};
use rustix::fs::{Access, AtFlags, CWD, accessat};

use crate::{config::Settings, output, telemetry};

fn unwritable(dir: &Path) -> String {
    format!(
        "the data folder {} cannot be written: give this user the right to it, or set data_dir (RECADO_DATA_DIR) to a folder of its own",
        dir.display()
    )
}

/// Makes the data folder (0700) where there is none.
pub fn make_data_dir(dir: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| unwritable(dir))
}

/// The same, and proves that it can be written: for what will write there. The file is one of its own,
/// as other commands may do the same at the same time.
pub fn prepare_data_dir(dir: &Path, rng: &dyn Rng) -> Result<()> {
    make_data_dir(dir)?;
    let probe = dir.join(format!(".write-probe-{}", random_base32(rng)));
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .open(&probe)
        .and_then(|_| fs::remove_file(&probe))
        .with_context(|| unwritable(dir))
}

/// Whether it can be written, as far as can be told by looking.
pub fn look_at_data_dir(dir: &Path) -> Result<()> {
    let about = fs::metadata(dir).with_context(|| unwritable(dir))?;
    ensure!(about.is_dir(), "{}: it is no folder", unwritable(dir));
    let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    accessat(CWD, dir, wanted, AtFlags::EACCESS)
        .map_err(std::io::Error::from)
        .with_context(|| unwritable(dir))
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
    if let Some(key) = key_in(settings, &path)? {
        return Ok(key);
    }
    if Store::has_key_check(database).await? {
        // Another first start may have made both since that look.
        if let Some(key) = key_in(settings, &path)? {
            return Ok(key);
        }
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
    let made = make_key(&path, &text, rng)
        .with_context(|| format!("cannot write the master key file {}", path.display()))?;
    if !made {
        let theirs = key_in(settings, &path)?;
        return theirs
            .with_context(|| format!("the master key file {} came and went", path.display()));
    }
    telemetry::announce(
        settings.log_format,
        &format!(
            "made a new master key: {}. Back it up apart from the database: one is useless without the other.",
            path.display()
        ),
    );
    Ok(key)
}

/// The key in that file; `None` where there is no such file.
fn key_in(settings: &Settings, path: &Path) -> Result<Option<MasterKey>> {
    match fs::read_to_string(path) {
        Ok(text) => MasterKey::parse(text.trim())
            .map(Some)
            .with_context(|| settings.key_source()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error)
            .with_context(|| format!("cannot read the master key file {}", path.display())),
    }
}

/// Puts a new key into `path`, whole from the first moment on: another first start may read it right
/// then. `false` when that one was first, and its key is the one.
fn make_key(path: &Path, text: &str, rng: &dyn Rng) -> std::io::Result<bool> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", random_base32(rng)));
    let whole = PathBuf::from(name);
    write_key(&whole, text)?.sync_all()?;
    let put = match fs::hard_link(&whole, path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        // A file system without links.
        Err(_) => match write_key(path, text) {
            Ok(file) => file.sync_all().map(|()| true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        },
    };
    let removed = fs::remove_file(&whole);
    put.and_then(|put| removed.map(|()| put))
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

/// `text`, the key in force, which lies in `new`, becomes what `path` holds; `new` goes only after
/// that. The error says where the key is.
fn put_in_place(new: &Path, path: &Path, text: &str, folder: &File) -> Result<()> {
    let unsure = || format!("the new key is in {}, perhaps not for good", path.display());
    let Err(moved) = fs::rename(new, path) else {
        return folder.sync_all().with_context(unsure);
    };
    // Somebody may have done it just now, or been kept from removing what lay beside.
    if !fs::read_to_string(path).is_ok_and(|held| held.trim() == text) {
        // Not emptied first: keys are of one length, so this needs no space that could be missing.
        let written = OpenOptions::new().write(true).open(path).and_then(|file| {
            (&file).write_all(text.as_bytes())?;
            file.set_len(text.len() as u64)?;
            file.sync_all()
        });
        written.with_context(|| {
            format!(
                "THE ONLY KEY THAT OPENS THE DATABASE IS NOW IN {}, and can neither be moved to {} ({moved}) nor written there. Copy it there before anything removes it, and back it up",
                new.display(),
                path.display()
            )
        })?;
    }
    // The same key twice does no harm.
    match fs::remove_file(new) {
        Ok(()) => folder.sync_all().with_context(unsure),
        Err(_) => Ok(()),
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
    if let Some(folder) = locked
        && let Ok(text) = fs::read_to_string(&new)
    {
        let said = match put_in_place(&new, &real(&path), text.trim(), &folder) {
            Ok(()) => format!(
                "a rotation of the master key was interrupted; its new key is now in {}. Back it up.",
                path.display()
            ),
            Err(error) => format!(
                "a rotation of the master key was interrupted. {}",
                output::explain(&error)
            ),
        };
        telemetry::announce(settings.log_format, &said);
    }
    Ok(Some(key))
}

/// A new master key, written beside the one that it will replace. Nobody else can replace the key as
/// long as this lives.
pub struct NextKey {
    pub key: MasterKey,
    text: String,
    path: PathBuf,
    new: PathBuf,
    folder: File,
}

impl NextKey {
    /// After [`prove_replaceable`], a new key. Its file belongs to whom the old one belongs to, and is
    /// as private: the gateway may run as another user.
    pub async fn make(settings: &Settings, store: &Store, rng: &dyn Rng) -> Result<Self> {
        let folder = prove_replaceable(settings, store).await?;
        let path = settings.key_file();
        let (path, new) = (real(&path), beside(&path));
        let (key, text) = MasterKey::generate(rng);
        write_beside(&new, &text, &look_at(&path)?, &folder)?;
        Ok(Self {
            key,
            text,
            path,
            new,
            folder,
        })
    }

    /// It takes the old one's place, which is gone then.
    pub fn take_effect(self) -> Result<PathBuf> {
        let Self {
            text,
            path,
            new,
            folder,
            ..
        } = self;
        put_in_place(&new, &path, &text, &folder)?;
        Ok(path)
    }
}

fn look_at(path: &Path) -> Result<Metadata> {
    fs::metadata(path)
        .with_context(|| format!("cannot look at the master key file {}", path.display()))
}

/// Like the file that it is meant to replace, and on the disk when this returns.
fn write_beside(new: &Path, text: &str, like: &Metadata, folder: &File) -> Result<()> {
    let advice = || {
        format!(
            "cannot write {}: run this as the user that owns the master key file, in a folder that it may write",
            new.display()
        )
    };
    let file = write_key(new, text);
    let written = file.and_then(|file| {
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
            fchown(&file, Some(like.uid()), Some(like.gid()))?;
        }
        file.set_permissions(like.permissions())?;
        file.sync_all()?;
        folder.sync_all()
    });
    if written.is_err() {
        // The file that was begun is of no use.
        fs::remove_file(new).ok();
    }
    written.with_context(advice)
}

/// Settles what an earlier rotation left ([`settle`]), and replaces the key file by a copy of itself,
/// by the steps that a rotation takes after its commit: what keeps them from working shows while the
/// old key still holds. Answers the lock on the folder.
pub async fn prove_replaceable(settings: &Settings, store: &Store) -> Result<File> {
    let folder = settle(settings, store).await?;
    let path = settings.key_file();
    let (path, new) = (real(&path), beside(&path));
    let refuse = |why: &str| {
        anyhow!(
            "the master key file {} cannot be replaced ({why}), so no new key was made. Where the file alone is mounted into a container, mount its folder instead (and name the file in master_key_file, RECADO_MASTER_KEY_FILE); otherwise run this as the user that owns the file and its folder",
            path.display()
        )
    };
    let old = look_at(&path)?;
    if old.dev() != folder.metadata()?.dev() {
        return Err(refuse("it is a mount of its own"));
    }
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read the master key file {}", path.display()))?;
    write_beside(&new, &text, &old, &folder)?;
    if let Err(error) = fs::rename(&new, &path) {
        // A copy of what `path` goes on holding.
        fs::remove_file(&new).ok();
        return Err(refuse(&error.to_string()));
    }
    folder.sync_all()?;
    Ok(folder)
}

/// Settles what an interrupted rotation left beside the key file: the new key takes its place when
/// the database is sealed under it, and is removed when it is under the one in the file. As long as
/// neither is known, both stay. Answers the lock on the folder.
pub async fn settle(settings: &Settings, store: &Store) -> Result<File> {
    let path = settings.key_file();
    let Some(folder) = lock_folder(&path)? else {
        bail!("another `recado key` command replaces the master key right now: wait for its end");
    };
    let (path, new) = (real(&path), beside(&path));
    let cannot = || format!("cannot settle {}", new.display());
    if !new.try_exists().with_context(cannot)? {
        return Ok(folder);
    }
    // Held while the files change. The program that rotated may be gone, and its commit still run.
    let in_force = store.hold_master().await.with_context(|| {
        format!(
            "cannot find out whether the master key in {} is the one in force, so it stays: try again in a minute",
            new.display()
        )
    })?;
    let text = fs::read_to_string(&new).unwrap_or_default();
    if let Ok(key) = MasterKey::parse(text.trim())
        && in_force.is(&key)?
    {
        put_in_place(&new, &path, text.trim(), &folder)?;
        return Ok(folder);
    }
    let held = read_key(&path).map(|key| in_force.is(&key)).transpose()?;
    ensure!(
        held == Some(true),
        "the master key in force is neither in {} nor in {}, so both stay: put the key file that belongs to this database into {}",
        path.display(),
        new.display(),
        path.display()
    );
    fs::remove_file(&new)
        .and_then(|()| folder.sync_all())
        .with_context(cannot)?;
    Ok(folder)
}
