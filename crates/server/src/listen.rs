//! The listener: takes connections, holds them to their limits, and lets them finish.
//!
//! `axum::serve` has neither a time limit for heads nor a cap on connections, hence this loop over
//! hyper. HTTP/1.1 only: a TLS proxy stands in front, and those speak that to what is behind them.

pub mod files;
mod head;

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::{Router, extract::ConnectInfo};
use hyper::{
    Request,
    body::Incoming,
    server::conn::http1::Builder,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::JoinHandle,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use head::{HeadTimer, Watched};

/// The bounds of a connection: bytes and times.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionLimits {
    /// Open at once; more wait in the kernel's backlog until one of these ends.
    pub connections: usize,
    /// For a head, from its first byte to its last; for the first one, from the connection on.
    pub head: Duration,
    /// Between an answer and the next request. Longer than the minute for which proxies usually keep a
    /// connection: if we ended it first, a request that is just on its way would be lost.
    pub idle: Duration,
    /// For the peer to take some more of an answer that waits for it.
    pub stall: Duration,
    /// For requests under way once the program stops.
    pub drain: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(30),
            drain: Duration::from_secs(10),
        }
    }
}

/// The bytes of a request that hyper may buffer. Well over the 16 KiB that the API accepts as a head, so that a
/// caller who is somewhat over it hears so in words; one who is far over it gets a bare 431, as does
/// one with more than hyper's 100 headers.
const BUFFER: usize = 64 * 1024;
/// Before the next try when the system has no room for another connection.
const PAUSE: Duration = Duration::from_millis(500);

/// Where connections come from.
pub trait Accept: Send + 'static {
    fn accept(&mut self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        Self::accept(self).await
    }
}

/// Serves until `stop`, then closes the listener and what is idle, lets requests under way finish
/// for [`ConnectionLimits::drain`], and ends.
pub fn serve<A: Accept>(
    mut listener: A,
    router: Router,
    limits: ConnectionLimits,
    stop: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let open = TaskTracker::new();
        let end = CancellationToken::new();
        let room = Arc::new(Semaphore::new(limits.connections));
        let accepting = async {
            while let Ok(place) = room.clone().acquire_owned().await {
                let (stream, peer) = next(&mut listener).await;
                // Tokens of their own: each connection asks its token at every turn, and one shared
                // by all would be a lock shared by all.
                let (stop, end) = (stop.child_token(), end.child_token());
                let router = router.clone();
                open.spawn(async move {
                    connection(stream, peer, router, limits, stop, end).await;
                    drop(place);
                });
            }
        };
        stop.run_until_cancelled(accepting).await;
        drop(listener);
        open.close();
        if tokio::time::timeout(limits.drain, open.wait())
            .await
            .is_err()
        {
            tracing::warn!(open = open.len(), "some requests did not finish in time");
            end.cancel();
            open.wait().await;
        }
    })
}

/// The next connection, however long it takes until there is one.
#[expect(
    clippy::disallowed_methods,
    reason = "the system's resources recover in real time"
)]
async fn next(listener: &mut impl Accept) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // Gone before it was its turn: nothing of ours is short.
            Err(error) if is_peers(error.kind()) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot take connections; allow the program more open files (ulimit -n), or lower limits.connections");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

fn is_peers(kind: ErrorKind) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        kind,
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// One connection, to its end. `stop` lets it finish what is under way, `end` does not.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: ConnectionLimits,
    stop: CancellationToken,
    end: CancellationToken,
) {
    // Without it, answers in several writes wait for the peer's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "could not set TCP_NODELAY");
    }
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    });
    let stream = Watched::new(stream, limits.stall);
    let timer = HeadTimer::new(&stream, limits.head);
    let served = Builder::new()
        .timer(timer)
        .header_read_timeout(limits.idle)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut served = pin!(served);
    let ended = tokio::select! {
        biased;
        ended = served.as_mut() => Some(ended),
        () = stop.cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => Some(ended),
        None => {
            served.as_mut().graceful_shutdown();
            end.run_until_cancelled(served).await
        }
    };
    if let Some(Err(error)) = ended {
        // A peer that broke off, sent no HTTP, or was too slow: its own affair.
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests;
