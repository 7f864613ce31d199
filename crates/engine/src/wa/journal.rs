//! News that WhatsApp tells once and we must not forget: receipts, acknowledgements, and messages that
//! could not be read, on disk before the library goes on and acknowledges them.
//!
//! One file per instance, a line per entry, written with one system call from the task that received
//! it: no wait on the database there. The entries are handed to the sink in their order
//! (`courier.rs`); when all are taken, the file is empty and its handle is dropped. What a crash left
//! in it is handed over first at the next start. An entry may so be handed over twice, never not at
//! all. (A line is safe from the end of our process, not from the machine's: that would need a wait
//! for the disk, and what is lost then is a receipt.)

use std::{
    collections::VecDeque,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use recado_model::{chat::ChatAct, group::Deed, history::FrameKind};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

/// Above this, what has been taken is cut out of a file that never gets empty.
const COMPACT_ABOVE: u64 = 256 * 1024;

/// One thing that was told. Addresses as they arrived: looking the number behind one up takes time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub(super) enum Entry {
    Receipt {
        from: Source,
        ids: Vec<String>,
        state: State,
        at: i64,
    },
    Ack {
        id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    Undecryptable {
        from: Source,
        id: String,
        at: i64,
        /// Its content was never meant for linked devices.
        unavailable: bool,
        hidden: bool,
    },
    /// Something was done to a group. Addresses as they came.
    Group {
        group: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<String>,
        at: i64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        deed: Deed,
    },
    /// Something became of somebody. Addresses as they came.
    Person {
        who: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lid: Option<String>,
        at: i64,
        what: What,
    },
    /// A device of the account has done something to a chat.
    Chat {
        chat: String,
        act: ChatAct,
        /// Milliseconds: the messages that it is about, as `recado_model::chat::MessageRange`.
        until: i64,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        ids: Vec<String>,
    },
    /// The phone has said that a frame of history is to be fetched.
    HistoryAnnounced { id: String },
    /// A frame of history lies in the spool.
    HistoryFrame {
        name: String,
        digest: String,
        kind: FrameKind,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        progress: Option<u32>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<String>,
    },
    /// A device of the account has saved somebody.
    Contact {
        who: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alt: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        full_name: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        first_name: Option<String>,
    },
    /// A device of the account has made or changed a label; without a name it has deleted it.
    Label {
        id: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        color: i32,
    },
    /// A device of the account has put a label on a chat, or taken it off.
    Labelled {
        chat: String,
        label: String,
        on: bool,
    },
}

impl Entry {
    pub(super) fn is_frame(&self) -> bool {
        matches!(self, Self::HistoryFrame { .. })
    }

    /// Whether it is of those that come by the thousand when a device gets all of them.
    fn is_synced(&self) -> bool {
        matches!(
            self,
            Self::Chat { .. } | Self::Contact { .. } | Self::Label { .. } | Self::Labelled { .. }
        )
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum What {
    SecurityCode,
    /// The number that they have now, and the id that goes with it.
    Number {
        to: String,
        lid: Option<String>,
    },
    Picture {
        id: Option<String>,
        by: Option<String>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Source {
    pub chat: String,
    pub sender: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender_alt: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub group: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub me: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Accepted,
    Delivered,
    Read,
    ReadSelf,
    Played,
}

fn is_false(value: &bool) -> bool {
    !value
}

pub(super) struct Journal {
    path: PathBuf,
    inner: Mutex<Inner>,
    more: Notify,
    /// How many entries there were before the oldest that waits.
    settled: watch::Sender<u64>,
}

/// So many entries of one kind are handed over together.
const TOGETHER: usize = 200;

#[derive(Default)]
struct Inner {
    file: Option<File>,
    len: u64,
    waiting: VecDeque<(u64, Entry)>,
    /// How many entries there were, for their numbers.
    count: u64,
}

impl Journal {
    /// With what a former process left in the file. Reads it: not for an async worker.
    pub(super) fn open(path: PathBuf) -> Self {
        let (waiting, len) = match left_over(&path) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "receipts of the last run could not be read");
                Default::default()
            }
        };
        Self {
            path,
            inner: Mutex::new(Inner {
                file: None,
                len,
                count: waiting.len() as u64,
                waiting: (0..).zip(waiting).collect(),
            }),
            more: Notify::new(),
            settled: watch::Sender::new(0),
        }
    }

    /// On disk once it returns `Ok`.
    pub(super) fn note(&self, entry: Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(&entry).map_err(io::Error::other)?;
        line.push(b'\n');
        let mut inner = self.lock();
        inner.write(&self.path, &line)?;
        let number = inner.count;
        inner.count += 1;
        inner.waiting.push_back((number, entry));
        if inner.len > COMPACT_ABOVE {
            inner.compact(&self.path);
        }
        drop(inner);
        self.more.notify_one();
        Ok(())
    }

    /// The oldest entry that was not taken, and its number; waits for one.
    pub(super) async fn next(&self) -> (u64, Entry) {
        loop {
            if let Some(entry) = self.lock().waiting.front() {
                return entry.clone();
            }
            self.more.notified().await;
        }
    }

    /// The same, with those after it where all of them are news of chats and people: a device that gets all of
    /// them at once is told by the thousand.
    pub(super) async fn next_together(&self) -> (u64, Vec<Entry>) {
        let (number, first) = self.next().await;
        if !first.is_synced() {
            return (number, vec![first]);
        }
        let inner = self.lock();
        // Otherwise all was forgotten meanwhile.
        if inner.waiting.front().is_none_or(|(n, _)| *n != number) {
            return (number, vec![first]);
        }
        let run = inner.waiting.iter().map(|(_, entry)| entry);
        let run = run.take_while(|entry| entry.is_synced()).take(TOGETHER);
        (number, run.cloned().collect())
    }

    /// The entry of that number is the sink's now, and so are `count - 1` after it. (Unless all was forgotten
    /// meanwhile.)
    pub(super) fn taken(&self, number: u64, count: usize) {
        let mut inner = self.lock();
        let end = number + count as u64;
        while inner
            .waiting
            .front()
            .is_some_and(|(n, _)| (number..end).contains(n))
        {
            inner.waiting.pop_front();
        }
        inner.settle(&self.path);
        let settled = inner.settled();
        drop(inner);
        self.settled.send_replace(settled);
    }

    /// Returns once the sink has all that was noted until now.
    pub(super) async fn settled(&self) {
        let (count, settled) = {
            let inner = self.lock();
            (inner.count, inner.settled())
        };
        if settled >= count {
            return;
        }
        let mut settled = self.settled.subscribe();
        // The sender lives as long as we do.
        drop(settled.wait_for(|settled| *settled >= count).await);
    }

    /// Whether a line can be written at the moment: writes one that says nothing.
    pub(super) fn probe(&self) -> io::Result<()> {
        let mut inner = self.lock();
        inner.write(&self.path, b"\n")?;
        inner.settle(&self.path);
        Ok(())
    }

    /// Forgets everything: the device is wiped.
    pub(super) fn wipe(&self) {
        let mut inner = self.lock();
        *inner = Inner {
            count: inner.count,
            ..Inner::default()
        };
        remove(&self.path);
        let settled = inner.settled();
        drop(inner);
        self.settled.send_replace(settled);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The journal of an instance of which no link runs.
pub(super) fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::error!(path = %path.display(), %error, "a journal could not be deleted");
        }
        _ => {}
    }
}

impl Inner {
    /// How many entries wait no more.
    fn settled(&self) -> u64 {
        self.waiting
            .front()
            .map_or(self.count, |(number, _)| *number)
    }

    fn write(&mut self, path: &Path, line: &[u8]) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(append_to(path)?),
        };
        let written = file.write(line);
        if let Ok(written) = written
            && written == line.len()
        {
            self.len += line.len() as u64;
            return Ok(());
        }
        // Half a line must not become the beginning of the next one.
        let cut = file.set_len(self.len);
        self.file = None;
        written?;
        cut?;
        Err(io::ErrorKind::WriteZero.into())
    }

    /// Empties the file and lets go of it, once nothing waits.
    fn settle(&mut self, path: &Path) {
        if !self.waiting.is_empty() || self.len == 0 {
            return;
        }
        let emptied = match self.file.take() {
            Some(file) => file.set_len(0),
            None => append_to(path).and_then(|file| file.set_len(0)),
        };
        match emptied {
            Ok(()) => self.len = 0,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a journal could not be emptied; its entries may be handed over again");
            }
        }
    }

    fn compact(&mut self, path: &Path) {
        let fresh = path.with_extension("new");
        let mut lines = Vec::new();
        for (_, entry) in &self.waiting {
            // It has been a line before.
            if serde_json::to_writer(&mut lines, entry).is_ok() {
                lines.push(b'\n');
            }
        }
        if lines.len() as u64 > COMPACT_ABOVE / 2 {
            return;
        }
        let replaced = append_to(&fresh).and_then(|mut file| {
            file.set_len(0)?;
            file.write_all(&lines)?;
            fs::rename(&fresh, path)?;
            Ok(file)
        });
        match replaced {
            Ok(file) => {
                self.file = Some(file);
                self.len = lines.len() as u64;
            }
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "a journal could not be shortened");
            }
        }
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    let open = || {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
    };
    match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(folder)?;
            }
            open()
        }
        opened => opened,
    }
}

/// The whole lines of the file, which is cut after the last of them.
fn left_over(path: &Path) -> io::Result<(VecDeque<Entry>, u64)> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Default::default()),
        Err(error) => return Err(error),
    };
    let whole = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    if whole < bytes.len() {
        // The process ended in the middle of a write: nothing was acknowledged on the strength of it.
        OpenOptions::new()
            .write(true)
            .open(path)?
            .set_len(whole as u64)?;
    }
    let mut entries = VecDeque::new();
    for line in bytes[..whole].split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice(line) {
            Ok(entry) => entries.push_back(entry),
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "a line of a journal is damaged and left out");
            }
        }
    }
    Ok((entries, whole as u64))
}

#[cfg(test)]
mod tests;
