//! Bytes on their way into the spool: sealed while they come, never whole in memory.

use std::{
    io::{self, BufReader, BufWriter, Read, Write},
    path::Path,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use recado_engine::Engine;
use recado_model::{Error, ErrorCode, MediaClass, MediaDigest, MediaKey, Result};
use tempfile::TempPath;
use tokio::sync::mpsc;

use super::{
    files::MediaFiles,
    sniff::{HEAD, Sniffed},
};

/// Chunks between whoever gives and whoever seals.
const AHEAD: usize = 4;

/// A medium that lies in the spool, sealed.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub class: MediaClass,
    pub key: MediaKey,
    pub digest: MediaDigest,
    pub sniffed: Sniffed,
    pub file: TempPath,
}

/// How bytes did not come.
#[derive(Debug)]
pub(crate) enum Broken {
    /// More than so many.
    TooLarge(u64),
    /// Whoever gives them broke off.
    Source(io::Error),
    /// Whoever gives them is too slow.
    Slow(Error),
    /// Our disk, or a bug.
    Ours(Error),
}

impl Broken {
    /// What a caller is told whose own bytes these are.
    pub fn of_field(self, field: &'static str) -> Error {
        match self {
            Self::TooLarge(most) => Error::new(
                ErrorCode::PayloadTooLarge,
                format!("{field} is larger than the {most} bytes that this kind may have"),
            )
            .with_field(field),
            Self::Source(error) => {
                Error::field(field, format!("{field} broke off before its end")).with_source(error)
            }
            Self::Slow(error) => error.renamed("The body", field),
            Self::Ours(error) => error,
        }
    }

    fn of_source(error: io::Error) -> Self {
        match super::too_slow(&error) {
            Some(slow) => Self::Slow(slow),
            None => Self::Source(error),
        }
    }
}

/// The first bytes of a stream, and the stream itself, which still gives all of them.
pub(crate) async fn peeked<S>(mut stream: S) -> (Vec<u8>, impl Stream<Item = io::Result<Bytes>>)
where
    S: Stream<Item = io::Result<Bytes>> + Unpin,
{
    let (mut head, mut taken) = (Vec::new(), Vec::new());
    while head.len() < HEAD {
        match stream.next().await {
            None => break,
            Some(chunk) => {
                if let Ok(bytes) = &chunk {
                    let room = HEAD - head.len();
                    head.extend_from_slice(&bytes[..bytes.len().min(room)]);
                }
                let broken = chunk.is_err();
                taken.push(chunk);
                if broken {
                    break;
                }
            }
        }
    }
    (head, futures_util::stream::iter(taken).chain(stream))
}

/// Seals all that `stream` gives, at most `most` bytes, under a new key.
pub(crate) async fn seal<S>(
    engine: &Arc<dyn Engine>,
    files: &MediaFiles,
    class: MediaClass,
    key: MediaKey,
    stream: S,
    most: u64,
) -> Result<Sealed, Broken>
where
    S: Stream<Item = io::Result<Bytes>> + Unpin,
{
    let (head, mut stream) = peeked(stream).await;
    let (file, path) = files
        .spooled()
        .map_err(|error| Broken::Ours(Error::internal(error)))?;
    let (give, take) = mpsc::channel(AHEAD);
    let (engine, sealing) = (engine.clone(), key.clone());
    let work = tokio::task::spawn_blocking(move || {
        let mut to = BufWriter::with_capacity(64 * 1024, &file);
        let mut from = Chunks::new(take);
        let digest = engine.seal_media(class, &sealing, &mut from, &mut to)?;
        to.flush()?;
        drop(to);
        // Its path goes back with it: should nobody wait any more, it is removed here.
        Ok::<_, io::Error>((digest, path))
    });
    let mut broken = None;
    let mut total = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                broken = Some(Broken::of_source(error));
                break;
            }
        };
        total += chunk.len() as u64;
        if total > most {
            broken = Some(Broken::TooLarge(most));
            break;
        }
        // The other side stopped: its own error says why.
        if give.send(Ok(chunk)).await.is_err() {
            break;
        }
    }
    if broken.is_some() {
        // Nobody takes it any more, or it ends the work.
        let _ = give.send(Err(io::ErrorKind::BrokenPipe.into())).await;
    }
    drop(give);
    let worked = work.await.map_err(Error::internal);
    if let Some(broken) = broken {
        return Err(broken);
    }
    let (digest, file) = worked
        .and_then(|done| done.map_err(Error::internal))
        .map_err(Broken::Ours)?;
    Ok(Sealed {
        class,
        key,
        digest,
        sniffed: Sniffed::of(&head),
        file,
    })
}

/// The first plain bytes of a sealed file.
pub(crate) async fn head_of(
    engine: &Arc<dyn Engine>,
    class: MediaClass,
    key: &MediaKey,
    file: &Path,
) -> Result<Sniffed> {
    let (engine, key, file) = (engine.clone(), key.clone(), file.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        let sealed = BufReader::new(std::fs::File::open(file)?);
        let mut plain = engine.media_reader(class, &key, 0, Box::new(sealed))?;
        let mut head = Vec::new();
        plain.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
        Ok::<_, io::Error>(Sniffed::of(&head))
    });
    read.await
        .map_err(Error::internal)?
        .map_err(Error::internal)
}

/// Chunks of a channel, as a thread that may block reads them.
struct Chunks {
    from: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Chunks {
    fn new(from: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self {
            from,
            current: Bytes::new(),
        }
    }
}

impl Read for Chunks {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.from.blocking_recv() {
                Some(chunk) => self.current = chunk?,
                None => return Ok(0),
            }
        }
        let n = into.len().min(self.current.len());
        into[..n].copy_from_slice(&self.current.split_to(n));
        Ok(n)
    }
}
