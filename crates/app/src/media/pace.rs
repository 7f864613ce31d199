//! The least rate at which bytes come from somebody else. Only the time counts in which they are waited for.

use std::{error::Error as StdError, io, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream, stream::BoxStream};
use recado_model::Clock;

/// The longest silence.
const SILENT_MS: i64 = 20_000;
/// So much comes in this time, or all that is left.
const LEAST: usize = 64 * 1024;
const WITHIN_MS: i64 = 30_000;

/// Why a stream was ended.
#[derive(Debug, thiserror::Error)]
#[error("the bytes come too slowly")]
pub(crate) struct TooSlow;

/// Whether that is behind an error, however it was wrapped on its way.
pub(crate) fn is_too_slow(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<TooSlow>() {
            return true;
        }
        // One of I/O is its own source's source.
        let inner = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        cause = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    false
}

/// A stream under way, and how it has kept its pace since its last [`LEAST`] bytes.
struct Paced<S> {
    from: S,
    clock: Arc<dyn Clock>,
    came: usize,
    waited_ms: i64,
    ended: bool,
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Paced<S> {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.ended {
            return None;
        }
        let began = self.clock.monotonic();
        let longest = SILENT_MS.min(WITHIN_MS - self.waited_ms);
        let chunk = tokio::select! {
            biased;
            chunk = self.from.next() => chunk,
            () = self.clock.sleep_ms(longest) => {
                self.ended = true;
                return Some(Err(io::Error::new(io::ErrorKind::TimedOut, TooSlow)));
            }
        };
        self.waited_ms += self.clock.monotonic().since(began);
        self.came += chunk
            .as_ref()
            .and_then(|chunk| chunk.as_ref().ok())
            .map_or(0, Bytes::len);
        if self.came >= LEAST {
            (self.came, self.waited_ms) = (0, 0);
        }
        chunk
    }
}

/// The same bytes; where they come too slowly, an error in their place.
pub(crate) fn paced<S>(clock: Arc<dyn Clock>, from: S) -> BoxStream<'static, io::Result<Bytes>>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
{
    let paced = Paced {
        from,
        clock,
        came: 0,
        waited_ms: 0,
        ended: false,
    };
    stream::unfold(paced, async |mut paced| {
        let chunk = paced.next().await?;
        Some((chunk, paced))
    })
    .fuse()
    .boxed()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use recado_model::ManualClock;
    use tokio::sync::mpsc;

    use super::*;

    /// Feeds chunks of so many bytes, so much time before each; the index of the chunk before which it was ended.
    fn ended_at(chunks: &[(i64, usize)]) -> Option<usize> {
        let clock = Arc::new(ManualClock::default());
        let (give, mut take) = mpsc::unbounded_channel();
        let from = stream::poll_fn(move |context| take.poll_recv(context));
        let mut paced = paced(clock.clone(), from);
        for (at, (ms, bytes)) in chunks.iter().enumerate() {
            assert!(paced.next().now_or_never().is_none(), "nothing has come");
            clock.advance_ms(*ms);
            match paced.next().now_or_never() {
                None => {}
                Some(Some(Err(error))) if is_too_slow(&error) => return Some(at),
                other => panic!("{other:?}"),
            }
            give.send(Ok(Bytes::from(vec![0; *bytes]))).expect("taken");
            paced.next().now_or_never().expect("a chunk");
        }
        None
    }

    #[test]
    fn what_is_silent_or_drips_is_ended() {
        assert_eq!(ended_at(&[(19_000, 1), (10_000, 1)]), None);
        assert_eq!(ended_at(&[(20_000, 1)]), Some(0), "silence");
        assert_eq!(
            ended_at(&[(9_000, 1), (9_000, 1), (9_000, 1), (9_000, 1)]),
            Some(3)
        );
        let steady = [(9_000, 30_000); 12];
        assert_eq!(ended_at(&steady), None);
        assert_eq!(ended_at(&[(15_000, 30_000), (15_000, 30_000)]), Some(1));
    }

    #[test]
    fn it_is_found_behind_whatever_wraps_it() {
        let slow = || io::Error::new(io::ErrorKind::TimedOut, TooSlow);
        assert!(is_too_slow(&slow()));
        assert!(is_too_slow(&io::Error::other(slow())));
        assert!(!is_too_slow(&io::Error::other("broken")));
    }
}
