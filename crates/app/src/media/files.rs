//! Where media lie: the store, whose files are sealed as WhatsApp seals them, and the spool, which holds those
//! that are under way. Nothing in either is in the clear.
//!
//! A file of the store has the name `<account>/<SHA-256 of its sealed bytes>`, and stays the same.

use std::{
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    GetOptions, GetResultPayload, ObjectStore, buffered::BufWriter, local::LocalFileSystem,
    path::Path as ObjectPath,
};
use recado_model::{AccountId, Error, ErrorCode, MediaDigest, Result};
use tempfile::TempPath;
use tokio::io::{AsyncWriteExt, BufReader};
use tokio_util::io::StreamReader;

use crate::config::MediaConfig;

/// A prefix that says whose a file of the spool is: a node tidies up after itself alone.
const SPOOLED: &str = "medium-";

/// A file goes into the store in such parts. One is filled while another is written, so that twice as much is in memory
/// for each file.
const PART: usize = 1024 * 1024;
/// Read at once: each read is a call to another thread.
const READ: usize = 256 * 1024;

pub(crate) struct MediaFiles {
    store: Arc<dyn ObjectStore>,
    spool: PathBuf,
    /// What this node's files in the spool begin with.
    own: String,
}

/// A file with sealed bytes; one of the spool ends with this.
pub(crate) enum SealedFile {
    Kept(PathBuf),
    Spooled(TempPath),
}

impl SealedFile {
    pub fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Spooled(path) => path,
        }
    }
}

impl MediaFiles {
    /// Opens store and spool, and removes what this node left in the spool when it ended.
    pub fn open(config: &MediaConfig, node: &str) -> Result<Self> {
        let (store, spool) = (config.dir.join("store"), config.dir.join("spool"));
        for folder in [&store, &spool] {
            std::fs::create_dir_all(folder).map_err(|error| no_folder(folder, error))?;
        }
        let local = LocalFileSystem::new_with_prefix(&store).map_err(Error::internal)?;
        let node: String = node
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
            .collect();
        let files = Self {
            store: Arc::new(local.with_automatic_cleanup(true)),
            spool,
            own: format!("{SPOOLED}{node}-"),
        };
        files
            .tidy(|name| name.starts_with(&files.own))
            .map_err(Error::internal)?;
        Ok(files)
    }

    fn tidy(&self, mine: impl Fn(&str) -> bool) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.spool)? {
            let entry = entry?;
            if entry.file_name().to_str().is_some_and(&mine) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Removes what nodes that are no more have left in the spool: nothing is under way for so long.
    pub fn sweep(&self, before: SystemTime) -> Result<()> {
        let sweep = || {
            for entry in std::fs::read_dir(&self.spool)? {
                let entry = entry?;
                if entry.metadata()?.modified()? < before {
                    std::fs::remove_file(entry.path())?;
                }
            }
            Ok::<_, io::Error>(())
        };
        match sweep() {
            // Whoever had it under way took it away meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            swept => swept.map_err(faulty),
        }
    }

    /// A new file in the spool. It goes with its path, wherever that is dropped.
    pub fn spooled(&self) -> io::Result<(std::fs::File, TempPath)> {
        let file = tempfile::Builder::new()
            .prefix(&self.own)
            .tempfile_in(&self.spool)?;
        Ok(file.into_parts())
    }

    /// Puts sealed bytes into the store: under which name they lie there.
    pub async fn keep(
        &self,
        account: &AccountId,
        digest: &MediaDigest,
        sealed: &Path,
    ) -> Result<String> {
        let name = format!("{account}/{}", hex::encode(digest.sealed_sha256));
        let at = ObjectPath::from(name.as_str());
        if self.store.head(&at).await.is_ok() {
            return Ok(name);
        }
        let from = tokio::fs::File::open(sealed).await.map_err(faulty)?;
        let mut from = BufReader::with_capacity(READ, from);
        let to = BufWriter::with_capacity(self.store.clone(), at, PART);
        let mut to = to.with_max_concurrency(1);
        let copied = tokio::io::copy_buf(&mut from, &mut to).await;
        let done = match copied {
            Ok(_) => to.shutdown().await,
            Err(error) => {
                // The first fault is the one to tell of.
                let _ = to.abort().await;
                Err(error)
            }
        };
        done.map_err(faulty)?;
        // What is accepted must not be lost with the power.
        if let SealedFile::Kept(path) = self.file(&name).await? {
            let file = tokio::fs::File::open(path).await.map_err(faulty)?;
            file.sync_all().await.map_err(faulty)?;
        }
        Ok(name)
    }

    /// A file of the store as a path, for what must read one.
    ///
    /// # Errors
    /// [`ErrorCode::MediaGone`] where it is not there.
    pub async fn file(&self, object: &str) -> Result<SealedFile> {
        let found = self.get(object).await?;
        let stream = match found {
            GetResultPayload::File(_, path) => return Ok(SealedFile::Kept(path)),
            GetResultPayload::Stream(stream) => stream,
        };
        let (file, path) = self.spooled().map_err(faulty)?;
        let mut to = tokio::fs::File::from_std(file);
        let mut from = StreamReader::new(stream.map_err(io::Error::from));
        tokio::io::copy(&mut from, &mut to).await.map_err(faulty)?;
        to.flush().await.map_err(faulty)?;
        Ok(SealedFile::Spooled(path))
    }

    /// The sealed bytes from `from` on, for a thread that may block.
    pub async fn read(&self, object: &str, from: u64) -> Result<Box<dyn Read + Send>> {
        let found = self.file(object).await?;
        let mut file = std::fs::File::open(found.path()).map_err(faulty)?;
        file.seek(SeekFrom::Start(from)).map_err(faulty)?;
        // One of the spool goes with `found`; what is open can be read to its end.
        Ok(Box::new(file))
    }

    async fn get(&self, object: &str) -> Result<GetResultPayload> {
        let at = ObjectPath::from(object);
        match self.store.get_opts(&at, GetOptions::default()).await {
            Ok(found) => Ok(found.payload),
            Err(object_store::Error::NotFound { .. }) => Err(gone()),
            Err(error) => Err(Error::internal(error)),
        }
    }

    /// One that is not there is as good.
    pub async fn remove(&self, object: &str) -> Result<()> {
        match self.store.delete(&ObjectPath::from(object)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(Error::internal(error)),
        }
    }

    /// The names of all files that were last written before `before_ms` (Unix time).
    pub async fn older_than(&self, before_ms: i64) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut all = self.store.list(None);
        while let Some(meta) = all.next().await {
            let meta = meta.map_err(Error::internal)?;
            if meta.last_modified.timestamp_millis() < before_ms {
                found.push(meta.location.to_string());
            }
        }
        Ok(found)
    }
}

fn no_folder(folder: &Path, error: io::Error) -> Error {
    let text = format!("cannot make the folder for media {}", folder.display());
    Error::internal(io::Error::new(error.kind(), format!("{text}: {error}")))
}

fn faulty(error: io::Error) -> Error {
    Error::internal(error)
}

pub(crate) fn gone() -> Error {
    Error::new(
        ErrorCode::MediaGone,
        "The medium is gone: its time here is over, and nobody has it any more.",
    )
}
