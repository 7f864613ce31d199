//! The demo's data folder.

use std::fs::{File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::tools;

/// Held by one demo at a time.
pub struct Folder {
    path: PathBuf,
    // Held open: the lock goes with it, however this process ends.
    _lock: File,
}

impl Folder {
    /// Makes or finds the folder and locks it. Everything in it is for its owner only.
    pub fn open(given: Option<&Path>) -> Result<Self> {
        let path = match given {
            Some(path) => std::path::absolute(path)?,
            None => tools::root().join("data").join("demo"),
        };
        let advice = || {
            format!(
                "cannot use the data folder {}: choose another with --data DIR",
                path.display()
            )
        };
        for folder in [path.clone(), path.join("logs"), path.join("sandbox")] {
            std::fs::create_dir_all(&folder).with_context(advice)?;
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
            .with_context(advice)?;
        let lock = File::create(path.join("demo.lock")).with_context(advice)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!(
                "another demo is running on {}: stop it, or choose another folder with --data DIR",
                path.display()
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(advice),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn memory(&self) -> PathBuf {
        self.path.join("demo.json")
    }

    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// One name per folder, so that two demos on two folders do not swap each other's program.
    pub fn program_name(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.path.hash(&mut hasher);
        format!("recado-sandbox-{:016x}", hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_demo_at_a_time() {
        let temp = tempfile::tempdir().expect("temp folder");
        let first = Folder::open(Some(temp.path())).expect("first");
        let second = Folder::open(Some(temp.path()));
        assert!(second.is_err_and(|e| e.to_string().contains("another demo is running")));
        drop(first);
        assert!(Folder::open(Some(temp.path())).is_ok());
    }
}
