//! One port for everything: WebSocket connections are told from plain HTTP by their first bytes.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::conn;
use crate::network::Network;

const CHAT: &[u8] = b"GET /ws/chat";
/// How many plain HTTP connections may wait for the server to pick them up.
const WAITING: usize = 64;

/// Accepts connections until `stop`.
pub(crate) async fn run(
    listener: TcpListener,
    network: Network,
    router: Router,
    stop: CancellationToken,
) {
    let address = match listener.local_addr() {
        Ok(address) => address,
        Err(error) => {
            tracing::error!(%error, "the listener has no address");
            return;
        }
    };
    let tasks = TaskTracker::new();
    let (sender, receiver) = mpsc::channel(WAITING);
    let plain = Plain { receiver, address };
    let stopped = stop.clone();
    tasks.spawn(async move {
        let serve = axum::serve(plain, router);
        tokio::select! {
            () = stopped.cancelled() => {}
            result = serve => if let Err(error) = result {
                tracing::error!(%error, "the control API ended");
            }
        }
    });
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let (network, sender, stop) = (network.clone(), sender.clone(), stop.clone());
                tasks.spawn(async move {
                    let chat = tokio::select! {
                        () = stop.cancelled() => return,
                        chat = is_chat(&stream) => chat,
                    };
                    match chat {
                        Ok(true) => conn::serve(network, stream, stop).await,
                        Ok(false) => {
                            if sender.send((stream, peer)).await.is_err() {
                                tracing::debug!("a request came while stopping");
                            }
                        }
                        Err(error) => tracing::debug!(%error, "a connection ended at once"),
                    }
                });
            }
            Err(error) => {
                // Out of file handles, as a rule: give connections a moment to end.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
    tasks.close();
    tasks.wait().await;
}

/// Looks at the first bytes without taking them.
async fn is_chat(stream: &TcpStream) -> io::Result<bool> {
    let mut head = [0u8; CHAT.len()];
    loop {
        let seen = stream.peek(&mut head).await?;
        if seen == 0 || !CHAT.starts_with(&head[..seen]) {
            return Ok(false);
        }
        if seen == head.len() {
            return Ok(true);
        }
        // Half a request line: rare enough for a short wait instead of a buffer of our own.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
}

/// Hands the connections that are not WebSockets to the HTTP server.
struct Plain {
    receiver: mpsc::Receiver<(TcpStream, SocketAddr)>,
    address: SocketAddr,
}

impl Listener for Plain {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        match self.receiver.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}
