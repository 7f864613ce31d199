//! The files of an SQLite database, before SQLite touches them.

use std::{
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::Path,
};

use rustix::fs::{Access, AtFlags, CWD, accessat};

/// The file must be ours alone before SQLite writes to it; its `-wal` and `-shm` copy the mode.
pub(super) fn make(path: &Path) -> io::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    Ok(())
}

/// Whether each of its files that is there can be used. SQLite opens a database whose log it may only
/// read, and fails at the first change, without a word about which file it was.
///
/// Looks and does not open: closing a file would let go of the locks that this process has on it.
pub(super) fn prove(path: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        let file = Path::new(&file);
        let told = |why: String| io::Error::other(format!("{} {why}", file.display()));
        let about = match std::fs::metadata(file) {
            Ok(about) => about,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(told(format!("cannot be looked at ({error})"))),
        };
        if !about.is_file() {
            return Err(told("is no file".to_owned()));
        }
        let wanted = Access::READ_OK | Access::WRITE_OK;
        if let Err(error) = accessat(CWD, file, wanted, AtFlags::EACCESS) {
            let error = io::Error::from(error);
            let (owner, mode) = (about.uid(), about.mode() & 0o777);
            return Err(told(format!(
                "belongs to the user with the number {owner} and has the mode {mode:o} ({error})"
            )));
        }
    }
    Ok(())
}
