//! The media host's files, and the copies that phones keep of what they sent and got.
//!
//! A blob's name is the SHA-256 of its bytes. Once it was forgotten it lies under another path when it comes again,
//! as WhatsApp's do, and the old path says that it is gone.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use tempfile::{NamedTempFile, TempDir};

/// Names of blobs with what they are opened to.
pub(crate) type Seen = HashMap<(String, String), Result<Opened, String>>;

/// What sealed bytes hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    pub(crate) sha256: String,
    pub(crate) length: u64,
}

/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct Shelf {
    folder: PathBuf,
    /// What was opened before: tests look at the same history again and again.
    seen: Arc<Mutex<Seen>>,
    /// Goes with the last of us, where nothing is to be kept.
    _temporary: Option<Arc<TempDir>>,
}

/// What lies under a path.
pub(crate) enum Found {
    /// This file.
    Here(PathBuf),
    /// Something did once.
    Gone,
    /// Nothing ever did.
    Nothing,
}

const PATH: &str = "/v/";

impl Shelf {
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self {
            folder,
            seen: Arc::default(),
            _temporary: None,
        }
    }

    pub(crate) fn temporary() -> Result<Self> {
        let folder = TempDir::new().context("no temporary folder for media")?;
        Ok(Self {
            folder: folder.path().to_owned(),
            seen: Arc::default(),
            _temporary: Some(Arc::new(folder)),
        })
    }

    /// A file that goes unless it is [kept](Self::keep).
    pub(crate) fn aside(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(&self.folder)
    }

    /// Keeps bytes of this SHA-256 (hex), and says under which path.
    pub(crate) fn keep(&self, file: NamedTempFile, name: &str) -> io::Result<String> {
        file.persist(self.folder.join(name))?;
        Ok(self.path_of(name))
    }

    fn path_of(&self, name: &str) -> String {
        match self.losses(name) {
            0 => format!("{PATH}{name}"),
            losses => format!("{PATH}{name}.{losses}"),
        }
    }

    /// The path of bytes that are here.
    pub(crate) fn has(&self, name: &str) -> Option<String> {
        let here = is_name(name) && self.folder.join(name).exists();
        here.then(|| self.path_of(name))
    }

    fn losses_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.lost"))
    }

    /// How often it was forgotten.
    fn losses(&self, name: &str) -> u64 {
        let noted = std::fs::read_to_string(self.losses_file(name));
        noted
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    }

    /// What lies under the last part of a path.
    pub(crate) fn find(&self, last: &str) -> Found {
        let (name, losses) = match last.split_once('.') {
            Some((name, losses)) => (name, losses.parse().ok()),
            None => (last, Some(0)),
        };
        // It becomes a file name: nothing but a hash may pass.
        let Some(losses) = losses.filter(|_| is_name(name)) else {
            return Found::Nothing;
        };
        let (file, now) = (self.folder.join(name), self.losses(name));
        match losses {
            losses if losses == now && file.exists() => Found::Here(file),
            losses if losses < now => Found::Gone,
            _ => Found::Nothing,
        }
    }

    /// Forgets what lies under the last part of a path; whether anything did.
    pub(crate) fn forget(&self, last: &str) -> io::Result<bool> {
        let Found::Here(file) = self.find(last) else {
            return Ok(false);
        };
        let name = last.split('.').next().unwrap_or_default();
        let losses = self.losses(name) + 1;
        std::fs::write(self.losses_file(name), losses.to_string())?;
        std::fs::remove_file(file)?;
        Ok(true)
    }

    /// Forgets everything; how much that was.
    pub(crate) fn forget_all(&self) -> io::Result<usize> {
        let mut count = 0;
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name();
            let Some(path) = name.to_str().and_then(|name| self.has(name)) else {
                continue;
            };
            count += usize::from(self.forget(&path[PATH.len()..])?);
        }
        Ok(count)
    }

    fn copies(&self, number: &str) -> PathBuf {
        self.folder.join("phones").join(number)
    }

    /// A phone fetches what lies under a path.
    pub(crate) fn copy(&self, number: &str, path: &str) -> Result<(), String> {
        let last = path.strip_prefix(PATH).unwrap_or_default();
        let file = match self.find(last) {
            Found::Here(file) => file,
            Found::Gone => return Err("the media host has it no more (410)".to_owned()),
            Found::Nothing => return Err("the media host never had it (404)".to_owned()),
        };
        let Some(to) = self.copy_file(number, path) else {
            return Err("the media host never had it (404)".to_owned());
        };
        // Two names of one file: blobs are replaced as a whole, never written to.
        std::fs::create_dir_all(self.copies(number))
            .and_then(|()| match std::fs::hard_link(file, to) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => Ok(()),
            })
            .map_err(|error| format!("the phone cannot keep it: {error}"))
    }

    fn copy_file(&self, number: &str, path: &str) -> Option<PathBuf> {
        let name = path.strip_prefix(PATH)?.split('.').next()?;
        is_name(name).then(|| self.copies(number).join(name))
    }

    /// The phone's own copy of what it fetched from a path, or brought there.
    pub(crate) fn copy_of(&self, number: &str, path: &str) -> Option<PathBuf> {
        self.copy_file(number, path).filter(|file| file.exists())
    }

    /// The phone uploads its copy again; where it lies then.
    pub(crate) fn upload_again(&self, number: &str, path: &str) -> Option<String> {
        let copy = self.copy_of(number, path)?;
        let name = copy.file_name()?.to_str()?.to_owned();
        match std::fs::hard_link(&copy, self.folder.join(&name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                tracing::error!(%error, "a phone cannot upload again");
                None
            }
            _ => Some(self.path_of(&name)),
        }
    }

    /// The phone deletes its copies; how many there were.
    pub(crate) fn delete_copies(&self, number: &str) -> io::Result<usize> {
        let folder = self.copies(number);
        if !folder.exists() {
            return Ok(0);
        }
        let count = std::fs::read_dir(&folder)?.count();
        std::fs::remove_dir_all(folder)?;
        Ok(count)
    }

    /// What the file holds, opened by `open` unless that was done before.
    pub(crate) fn opened(
        &self,
        file: &Path,
        key: &str,
        open: impl FnOnce() -> Result<Opened, String>,
    ) -> Result<Opened, String> {
        let name = file.file_name().and_then(|name| name.to_str());
        let place = (name.unwrap_or_default().to_owned(), key.to_owned());
        let seen = || self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = seen().get(&place) {
            return known.clone();
        }
        let found = open();
        seen().insert(place, found.clone());
        found
    }
}

fn is_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn what_was_forgotten_comes_again_elsewhere() {
        let shelf = Shelf::temporary().expect("a shelf");
        let name = "ab".repeat(32);
        let put = || {
            let mut file = shelf.aside().expect("a file");
            file.write_all(b"sealed").expect("written");
            shelf.keep(file, &name).expect("kept")
        };
        let first = put();
        assert_eq!(first, format!("/v/{name}"));
        assert_eq!(put(), first, "the same bytes are kept once");
        shelf.copy("551", &first).expect("fetched");
        assert_eq!(shelf.forget_all().expect("forgotten"), 1);
        assert!(matches!(shelf.find(&name), Found::Gone));
        assert!(shelf.copy("552", &first).is_err_and(|e| e.contains("410")));
        assert_eq!(shelf.has(&name), None);
        assert_eq!(shelf.upload_again("552", &first), None, "has no copy");
        let second = shelf.upload_again("551", &first).expect("uploaded");
        assert_ne!(second, first);
        shelf.copy("552", &second).expect("fetched");
        assert!(matches!(shelf.find(&name), Found::Gone), "the old path");
        assert_eq!(shelf.delete_copies("551").expect("deleted"), 1);
        assert_eq!(shelf.upload_again("551", &first), None);
        assert!(shelf.copy_of("552", &second).is_some(), "another phone's");
        for odd in ["", "..", "../x", "ab.1", &format!("{name}.x")] {
            assert!(matches!(shelf.find(odd), Found::Nothing), "{odd}");
        }
    }
}
