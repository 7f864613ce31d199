//! A medium whose whereabouts the caller knows, as its event says them.

use std::io;

use futures_util::StreamExt;
use recado_engine::FetchFault;
use recado_identity::Granted;
use recado_model::{Error, ErrorCode, MediaRef, MessageId, Result};

use super::{Media, Span, files, shares::Place, sniff::Sniffed};

/// So much is answered in one piece.
pub const DOWNLOAD_MOST: u64 = 16 * 1024 * 1024;

/// Answers in one piece at once, and those of one account: each is in memory several times for a moment.
pub(super) const AT_ONCE: usize = 6;
pub(super) const EACH: usize = 2;
/// How long one waits for its turn, and when the caller asks again then.
const TURN_WITHIN_MS: i64 = 20_000;
const AGAIN_SECS: u64 = 10;

/// The bytes of a medium, and what they are.
#[derive(Debug)]
pub struct Downloaded {
    pub mime: String,
    pub bytes: Vec<u8>,
    /// To be kept until all of the answer was taken.
    pub turn: Turn,
}

/// The turn of a download. Dropped, it is the next one's.
#[derive(Debug)]
pub struct Turn {
    _place: Place,
}

impl Media<'_> {
    /// Fetches a medium from WhatsApp's hosts, and keeps nothing of it.
    pub async fn download(&self, granted: &Granted, wanted: MediaRef) -> Result<Downloaded> {
        let core = &self.app.core;
        let turn = self.turn(granted).await?;
        let (file, path) = core.media.files.spooled().map_err(Error::internal)?;
        drop(file);
        // The engine makes the file itself; the path takes it away again.
        std::fs::remove_file(&path).map_err(Error::internal)?;
        let fetched = core.engine.fetch_media(&wanted, DOWNLOAD_MOST, &path).await;
        fetched.map_err(refused)?;
        let (engine, class, key) = (core.engine.clone(), wanted.class, wanted.key.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let mut sealed = io::BufReader::new(std::fs::File::open(&path)?);
            let mut bytes = Vec::new();
            engine.open_media(class, &key, &mut sealed, &mut bytes)?;
            Ok::<_, io::Error>(bytes)
        });
        let bytes = opened
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)?;
        let said = wanted.mime.as_deref().unwrap_or_default();
        let mime = Sniffed::of(&bytes).received(class, said);
        Ok(Downloaded { mime, bytes, turn })
    }

    /// That of a message, which need not be fetched again.
    pub async fn download_of(&self, granted: &Granted, id: &MessageId) -> Result<Downloaded> {
        let mut opened = self.open_of(granted, id, Span::All).await?;
        if opened.length > DOWNLOAD_MOST {
            return Err(too_large());
        }
        let turn = self.turn(granted).await?;
        let mut bytes = Vec::with_capacity(usize::try_from(opened.count).unwrap_or_default());
        while let Some(piece) = opened.body.next().await {
            bytes.extend_from_slice(&piece.map_err(Error::internal)?);
        }
        Ok(Downloaded {
            mime: opened.mime,
            bytes,
            turn,
        })
    }

    async fn turn(&self, granted: &Granted) -> Result<Turn> {
        let core = &self.app.core;
        tokio::select! {
            place = core.media.downloads.take(granted.account()) => Ok(Turn { _place: place? }),
            () = core.clock.sleep_ms(TURN_WITHIN_MS) => {
                let text = "Too many downloads at once. Ask again in a moment, or take media by GET …/chat/messages/{message_id}/media, which streams them.";
                Err(Error::new(ErrorCode::RateLimited, text).with_retry_after(AGAIN_SECS))
            }
        }
    }
}

fn too_large() -> Error {
    let text = "The medium is larger than the 16 MiB that are answered in one piece. Take it by GET …/chat/messages/{message_id}/media.";
    Error::new(ErrorCode::PayloadTooLarge, text)
}

fn refused(fault: FetchFault) -> Error {
    match fault {
        FetchFault::Expired => files::gone(),
        FetchFault::TooLarge => too_large(),
        FetchFault::Wrong => Error::field(
            "media_key",
            "media_key: what WhatsApp gave does not open with it, or is not what its hashes say",
        ),
        FetchFault::Failed(error) => Error::new(
            ErrorCode::EngineUnavailable,
            "WhatsApp's hosts did not give the medium. Ask again in a moment.",
        )
        .with_source(error)
        .with_retry_after(5),
    }
}
