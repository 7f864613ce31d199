//! How long a head may take, how long a peer may leave an answer lying, and how a connection ends
//! under somebody who still sends.
//!
//! hyper has one limit from the end of an answer to the end of the next head; a connection may well be
//! idle for a minute, but who has begun a head has it ready. It asks its timer for one wait per head
//! and looks at it after each read: [`HeadTimer`] gives it a wait that becomes shorter once [`Watched`]
//! has seen the first byte. For writing hyper has no limit at all.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use hyper::rt::{Sleep, Timer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream that notes when something was read. All of a connection runs in one task, so the order of
/// the notes is that of the program.
pub struct Watched<T> {
    stream: T,
    fed: Arc<AtomicBool>,
    stall: Duration,
    /// While the peer takes nothing of what is to be written: until when.
    stalled: Option<Pin<Box<tokio::time::Sleep>>>,
    /// Once our side is closed: until when, and how much more is read.
    lingering: Option<(Pin<Box<tokio::time::Sleep>>, usize)>,
}

/// A caller who still sends the body of a refused request would lose the answer if the connection were
/// closed under it: what comes is read and dropped for a moment, up to so many bytes.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 1024 * 1024;

impl<T> Watched<T> {
    /// `stall`: for the peer to take some of what is to be written.
    pub fn new(stream: T, stall: Duration) -> Self {
        Self {
            stream,
            fed: Arc::default(),
            stall,
            stalled: None,
            lingering: None,
        }
    }

    /// The outcome of trying to write; an error once that came to nothing for too long. Without it,
    /// who never reads an answer would keep the connection for ever.
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a peer takes is real time, not the product's"
    )]
    fn unless_stalled<R>(
        &mut self,
        cx: &mut Context<'_>,
        tried: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if tried.is_ready() {
            self.stalled = None;
            return tried;
        }
        let stall = self.stall;
        let wait = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(stall)));
        ready!(wait.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.fed.store(true, Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> Watched<T> {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long a peer takes is real time, not the product's"
    )]
    fn poll_linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Self {
            stream, lingering, ..
        } = self;
        let (wait, left) =
            lingering.get_or_insert_with(|| (Box::pin(tokio::time::sleep(LINGER)), LINGER_BYTES));
        let mut dropped = [0u8; 8192];
        while *left > 0 && wait.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut dropped);
            match ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    *left = left.saturating_sub(buffer.filled().len());
                }
                Ok(()) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.unless_stalled(cx, tried)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let tried = Pin::new(&mut self.stream).poll_flush(cx);
        self.unless_stalled(cx, tried)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.lingering.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        }
        self.poll_linger(cx).map(Ok)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let tried = Pin::new(&mut self.stream).poll_write_vectored(cx, parts);
        self.unless_stalled(cx, tried)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// The timer of one connection.
pub struct HeadTimer {
    fed: Arc<AtomicBool>,
    head: Duration,
    /// Whether a head was waited for before this one.
    kept: AtomicBool,
}

impl HeadTimer {
    /// `head`: for a head from its first byte on, and for the first head altogether.
    pub fn new<T>(stream: &Watched<T>, head: Duration) -> Self {
        Self {
            fed: stream.fed.clone(),
            head,
            kept: AtomicBool::new(false),
        }
    }
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "how long a peer takes is real time, not the product's"
    )]
    fn sleep_until(&self, idle: Instant) -> Pin<Box<dyn Sleep>> {
        self.fed.store(false, Relaxed);
        let begun = !self.kept.swap(true, Relaxed);
        let deadline = match begun {
            true => idle.min(self.now() + self.head),
            false => idle,
        };
        Box::pin(HeadSleep {
            wait: Box::pin(tokio::time::sleep_until(deadline.into())),
            fed: self.fed.clone(),
            head: self.head,
            begun,
        })
    }
}

struct HeadSleep {
    wait: Pin<Box<tokio::time::Sleep>>,
    fed: Arc<AtomicBool>,
    head: Duration,
    /// The deadline is that of the head already, and later bytes do not move it.
    begun: bool,
}

impl Sleep for HeadSleep {}

impl Future for HeadSleep {
    type Output = ();

    #[expect(
        clippy::disallowed_methods,
        reason = "how long a peer takes is real time, not the product's"
    )]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if !self.begun && self.fed.load(Relaxed) {
            self.begun = true;
            let deadline = tokio::time::Instant::now() + self.head;
            self.wait.as_mut().reset(deadline);
        }
        self.wait.as_mut().poll(cx)
    }
}
