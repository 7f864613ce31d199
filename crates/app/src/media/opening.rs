//! A medium given out: to whoever holds a link to it, or to the owner of its message.

use std::io::{self, Read};

use bytes::Bytes;
use futures_util::{Stream, stream};
use recado_identity::Granted;
use recado_model::{
    AccountId, Error, ErrorCode, MediaId, MediaState, MessageId, Result, Timestamp,
};
use recado_store::MediumRow;
use tokio::sync::mpsc;

use super::{Media, files, links::Token};
use crate::Core;

const BLOCK: u64 = 16;
const PIECE: usize = 64 * 1024;
/// Pieces between the thread that opens and whoever takes.
const AHEAD: usize = 2;
/// How long whoever asks first waits for a medium that is to be fetched.
const FETCH_WITHIN_MS: i64 = 45_000;
const LOOK_EVERY_MS: i64 = 100;
/// A use of a medium is written down when the last one was longer ago.
const USED_EVERY_MS: i64 = 3600 * 1000;

/// What of the bytes is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    All,
    /// From the first to the last, both counted; without a last one to the end.
    From(u64, Option<u64>),
    /// So many at the end.
    Last(u64),
}

/// An opened medium.
pub struct Opened {
    pub mime: String,
    pub file_name: Option<String>,
    /// Of all of it.
    pub length: u64,
    pub sha256: [u8; 32],
    /// The first byte that comes, and how many do.
    pub first: u64,
    pub count: u64,
    pub body: Box<dyn Stream<Item = io::Result<Bytes>> + Send + Unpin>,
}

impl Media<'_> {
    /// By a link. What does not hold, whatever the reason, is one answer.
    pub async fn open_link(&self, token: &str, span: Span) -> Result<Opened> {
        let core = &self.app.core;
        let token = Token::read(token).ok_or_else(no_link)?;
        let mut conn = core.store.read().await?;
        let owner = conn.system().owner_of_medium(&token.id).await?;
        let owner = owner.ok_or_else(no_link)?;
        let row = conn.account(&owner.account).medium(&token.id).await?;
        drop(conn);
        let row = row.filter(|row| token.holds(&row.secret.link_key));
        let row = row.filter(|_| token.until > core.clock.now());
        let row = row.ok_or_else(no_link)?;
        self.open(&owner.account, row, span).await
    }

    /// That of a message.
    pub async fn open_of(&self, granted: &Granted, id: &MessageId, span: Span) -> Result<Opened> {
        let none = || {
            let text = "This message has no medium here, or there is no such message.";
            Error::new(ErrorCode::NotFound, text)
        };
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let message = store.message(granted.id(), id).await?;
        let message = message.ok_or_else(none)?;
        let row = store.medium_of(&message.key).await?.ok_or_else(none)?;
        drop(conn);
        self.open(granted.account(), row, span).await
    }

    async fn open(&self, account: &AccountId, row: MediumRow, span: Span) -> Result<Opened> {
        let core = &self.app.core;
        let row = match row.state {
            MediaState::Awaited => fetched(core, account, row).await?,
            _ => row,
        };
        let (Some(object), Some(digest)) = (&row.object, &row.secret.digest) else {
            return Err(ended(&row));
        };
        let (first, count) = bounds(span, digest.length)?;
        let body = plain(core, &row, object, first, count).await?;
        let now = core.clock.now();
        // A picture in a page is asked for over and over; to the hour is as well.
        if now.since(row.used_at) >= USED_EVERY_MS {
            used(core, account, &row, now).await;
        }
        Ok(Opened {
            length: digest.length,
            sha256: digest.sha256,
            mime: row.mime,
            file_name: row.file_name,
            first,
            count,
            body: Box::new(body),
        })
    }
}

/// Asks the worker for the bytes, and waits for them.
async fn fetched(core: &Core, account: &AccountId, row: MediumRow) -> Result<MediumRow> {
    let now = core.clock.now();
    let mut conn = core.store.write_relaxed().await?;
    conn.account(account).want_medium(&row.id, now).await?;
    conn.commit().await?;
    if let Some(origin) = row.secret.origin() {
        core.media.bell(origin).notify_one();
    }
    let end = core.clock.monotonic().plus_millis(FETCH_WITHIN_MS);
    let tried = row.attempts;
    loop {
        let row = look(core, account, &row.id).await?;
        if row.state != MediaState::Awaited {
            return Ok(row);
        }
        // One more may go by in asking the phone to bring it to WhatsApp again.
        if row.attempts > tried + 1 || core.clock.monotonic() > end {
            let why = row.error.as_deref().unwrap_or("it is not here yet");
            let text =
                format!("The medium cannot be had now: {why}. It is tried again; ask later.");
            tracing::debug!(medium.id = %row.id, why, "a medium cannot be had now");
            let error = Error::new(ErrorCode::Unavailable, text).with_retry_after(30);
            return Err(error.expected());
        }
        core.clock.sleep_ms(LOOK_EVERY_MS).await;
    }
}

async fn look(core: &Core, account: &AccountId, id: &MediaId) -> Result<MediumRow> {
    let mut conn = core.store.read().await?;
    let row = conn.account(account).medium(id).await?;
    row.ok_or_else(no_link)
}

/// Only saves it from being pruned soon: a fault is no reason to give nothing.
async fn used(core: &Core, account: &AccountId, row: &MediumRow, now: Timestamp) {
    let noted = async {
        let mut conn = core.store.write_relaxed().await?;
        conn.account(account).use_medium(&row.id, now).await?;
        conn.commit().await
    };
    if let Err(error) = noted.await {
        tracing::debug!(
            error = &error as &dyn std::error::Error,
            "the use of a medium was not noted"
        );
    }
}

fn bounds(span: Span, length: u64) -> Result<(u64, u64)> {
    let none = || Err(Error::out_of_range(length));
    match span {
        Span::All => Ok((0, length)),
        Span::From(first, last) => {
            let last = last.unwrap_or(u64::MAX).min(length.saturating_sub(1));
            match first < length && first <= last {
                true => Ok((first, last - first + 1)),
                false => none(),
            }
        }
        Span::Last(count) => match count.min(length) {
            0 => none(),
            count => Ok((length - count, count)),
        },
    }
}

/// The plain bytes from `first` on, `count` of them, opened while they are taken.
async fn plain(
    core: &Core,
    row: &MediumRow,
    object: &str,
    first: u64,
    count: u64,
) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + Unpin + use<>> {
    let block = first / BLOCK * BLOCK;
    let sealed = core.media.files.read(object, block.saturating_sub(BLOCK));
    let sealed = sealed.await?;
    let (class, key, engine) = (row.class, row.secret.key(), core.engine.clone());
    let (give, take) = mpsc::channel(AHEAD);
    let work = move || {
        let mut plain = engine.media_reader(class, &key, block, sealed)?;
        io::copy(&mut plain.by_ref().take(first - block), &mut io::sink())?;
        let mut left = count;
        while left > 0 {
            let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
            plain.read_exact(&mut piece)?;
            left -= piece.len() as u64;
            // Whoever took it has gone.
            if give.blocking_send(Ok(Bytes::from(piece))).is_err() {
                return Ok(());
            }
        }
        Ok::<_, io::Error>(())
    };
    let broken = tokio::task::spawn_blocking(work);
    let stream = stream::unfold((take, Some(broken)), async |(mut take, broken)| {
        match take.recv().await {
            Some(piece) => Some((piece, (take, broken))),
            // The end, or a fault: then what came so far must not pass for all of it.
            None => match broken?.await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some((Err(error), (take, None))),
                Err(error) => Some((Err(io::Error::other(error)), (take, None))),
            },
        }
    });
    Ok(Box::pin(stream))
}

/// Foreign, forged, expired and never made are one answer.
fn no_link() -> Error {
    Error::new(
        ErrorCode::NotFound,
        "There is no medium under this link, or its time is over.",
    )
}

fn ended(row: &MediumRow) -> Error {
    match (row.state, &row.error) {
        (MediaState::Failed, Some(why)) => Error::new(
            ErrorCode::MediaGone,
            format!("The medium could not be had: {why}."),
        ),
        _ => files::gone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_stays_within_the_bytes() {
        for (span, bounds_of) in [
            (Span::All, Some((0, 10))),
            (Span::From(0, Some(0)), Some((0, 1))),
            (Span::From(3, Some(99)), Some((3, 7))),
            (Span::From(9, None), Some((9, 1))),
            (Span::From(10, None), None),
            (Span::From(5, Some(4)), None),
            (Span::Last(3), Some((7, 3))),
            (Span::Last(99), Some((0, 10))),
            (Span::Last(0), None),
        ] {
            assert_eq!(bounds(span, 10).ok(), bounds_of, "{span:?}");
        }
        assert_eq!(bounds(Span::All, 0).ok(), Some((0, 0)));
        assert!(bounds(Span::From(0, None), 0).is_err());
    }
}
