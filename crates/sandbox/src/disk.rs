//! Writing several files as one: a batch is noted in a journal before it is carried out, so a
//! process that is killed in the middle finishes it at its next start.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

/// One file's part in a batch. Names are relative to the folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Put(String, Vec<u8>),
    Remove(String),
    /// Whole lines, added at the end.
    Append(String, Vec<u8>),
}

const PUT: u8 = b'P';
const REMOVE: u8 = b'R';
const APPEND: u8 = b'A';

impl Change {
    fn parts(&self) -> (u8, &str, &[u8]) {
        match self {
            Self::Put(name, content) => (PUT, name, content),
            Self::Remove(name) => (REMOVE, name, &[]),
            Self::Append(name, lines) => (APPEND, name, lines),
        }
    }

    fn carry_out(&self, folder: &Path) -> Result<()> {
        let (_, name, content) = self.parts();
        let path = folder.join(name);
        let done = match self {
            Self::Put(..) => replace(&path, content),
            Self::Remove(_) => match fs::remove_file(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            },
            Self::Append(..) => append(&path, content),
        };
        done.with_context(|| format!("cannot write {}", path.display()))
    }
}

fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let aside = path.with_extension("new");
    fs::write(&aside, content)?;
    fs::rename(&aside, path)
}

fn append(path: &Path, lines: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .open(path)?;
    // A line that was cut off by a kill must not swallow the first of ours.
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0u8];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    file.write_all(lines)
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("journal")
}

/// Carries out all of `changes` or, after a kill in the middle, leaves that to [`finish`].
pub(crate) fn commit(folder: &Path, changes: &[Change]) -> Result<()> {
    // One file that is replaced is whole anyway.
    if let [change @ (Change::Put(..) | Change::Remove(_))] = changes {
        return change.carry_out(folder);
    }
    if changes.is_empty() {
        return Ok(());
    }
    let mut noted = Vec::new();
    for change in changes {
        let (what, name, content) = change.parts();
        noted.push(what);
        for part in [name.as_bytes(), content] {
            noted.extend_from_slice(&u64::try_from(part.len())?.to_be_bytes());
            noted.extend_from_slice(part);
        }
    }
    let journal = journal(folder);
    replace(&journal, &noted).with_context(|| format!("cannot write {}", journal.display()))?;
    carry_out(folder, changes)
}

fn carry_out(folder: &Path, changes: &[Change]) -> Result<()> {
    for change in changes {
        change.carry_out(folder)?;
    }
    fs::remove_file(journal(folder)).context("cannot remove the journal")
}

/// Finishes what an earlier process began. Doing a part twice does no harm.
pub(crate) fn finish(folder: &Path) -> Result<()> {
    let mut noted = Vec::new();
    match File::open(journal(folder)) {
        Ok(mut file) => file.read_to_end(&mut noted)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).context("cannot read the journal"),
    };
    let mut changes = Vec::new();
    let mut rest = noted.as_slice();
    while let Some((what, after)) = rest.split_first() {
        rest = after;
        let name = String::from_utf8(part(&mut rest)?.to_vec())?;
        let content = part(&mut rest)?.to_vec();
        changes.push(match *what {
            PUT => Change::Put(name, content),
            REMOVE => Change::Remove(name),
            APPEND => Change::Append(name, content),
            _ => bail!("the journal is damaged"),
        });
    }
    carry_out(folder, &changes)
}

fn part<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8]> {
    let (length, after) = rest
        .split_first_chunk::<8>()
        .context("the journal is cut off")?;
    let length = usize::try_from(u64::from_be_bytes(*length))?;
    let (part, after) = after
        .split_at_checked(length)
        .context("the journal is cut off")?;
    *rest = after;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_that_was_cut_off_is_finished() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        let batch = [
            Change::Put("a.json".to_owned(), b"new".to_vec()),
            Change::Append("b.log".to_owned(), b"two\n".to_vec()),
            Change::Remove("c.json".to_owned()),
        ];
        fs::write(path.join("a.json"), "old").expect("write");
        // The kill hit in the middle of the second part.
        fs::write(path.join("b.log"), "one\nt").expect("write");
        fs::write(path.join("c.json"), "gone soon").expect("write");
        fs::create_dir(path.join("x")).expect("a folder");
        let elsewhere = path.join("x");
        // The journal of a batch is what `commit` leaves when it cannot go on.
        fs::create_dir(elsewhere.join("a.json")).expect("in the way");
        commit(&elsewhere, &batch).expect_err("something is in the way");
        fs::rename(journal(&elsewhere), journal(path)).expect("move");

        finish(path).expect("finished");
        let read = |name: &str| fs::read_to_string(path.join(name)).expect("read");
        assert_eq!(read("a.json"), "new");
        assert_eq!(read("b.log"), "one\nt\ntwo\n");
        assert!(!path.join("c.json").exists() && !journal(path).exists());
        finish(path).expect("nothing to do");
    }
}
