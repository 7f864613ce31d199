//! One WebSocket connection: framing, the handshake, then stanzas in both directions.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::BytesMut;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;
use wacore_binary::consts::WA_CONN_HEADER;
use wacore_binary::util::unpack;
use wacore_noise::framing::{FrameDecoder, encode_frame};

use crate::core::Out;
use crate::network::Network;
use crate::noise::{self, Session, Step};

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);
/// A real companion pings every 15 to 30 seconds; a connection this quiet is dead.
const IDLE_TIMEOUT: Duration = Duration::from_secs(180);
/// How many stanzas may share one write.
const BURST: usize = 64;

type Socket = WebSocketStream<TcpStream>;

/// Serves one connection until either side ends it.
pub(crate) async fn serve(network: Network, stream: TcpStream, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    // The defaults reserve 128 KiB a connection; hundreds of idle ones share this process.
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0);
    let socket = match tokio_tungstenite::accept_async_with_config(stream, Some(config)).await {
        Ok(socket) => socket,
        Err(error) => {
            tracing::debug!(%error, "not a WebSocket");
            return;
        }
    };
    let conn = network.with(|core| {
        core.next_conn += 1;
        core.next_conn
    });
    if let Err(error) = Connection::new(network.clone(), socket, conn)
        .run(stop)
        .await
    {
        tracing::debug!(conn, error = format!("{error:#}"), "connection ended");
    }
    network.with(|core| core.disconnected(conn));
}

struct Connection {
    network: Network,
    socket: Socket,
    conn: u64,
    /// Bytes before the first frame, until the protocol header is complete.
    prologue: Option<BytesMut>,
    frames: FrameDecoder,
}

impl Connection {
    fn new(network: Network, socket: Socket, conn: u64) -> Self {
        Self {
            network,
            socket,
            conn,
            prologue: Some(BytesMut::new()),
            frames: FrameDecoder::new(),
        }
    }

    async fn run(mut self, stop: CancellationToken) -> Result<()> {
        let session = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            session = tokio::time::timeout(HANDSHAKE_TIMEOUT, self.handshake()) => {
                session.context("the handshake took too long")??
            }
        };
        let Session {
            write,
            read,
            client_key,
            payload,
        } = session;
        let (sender, mut out) = mpsc::unbounded_channel();
        self.network
            .with(|core| core.connected(self.conn, sender, &client_key, &payload));
        let (mut sent, mut received) = (0u32, 0u32);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                order = out.recv() => {
                    let mut close = false;
                    let mut next = order;
                    let mut burst = 0;
                    while let Some(order) = next {
                        match order {
                            Out::Stanza(node) => {
                                let mut data = wacore_binary::marshal(&node)?;
                                tracing::trace!(conn = self.conn, ?node, "->");
                                write.encrypt_in_place_with_counter(sent, &mut data)?;
                                sent = sent.checked_add(1).context("too many frames")?;
                                self.socket.feed(Message::binary(encode_frame(&data, None)?)).await?;
                            }
                            Out::Close => {
                                close = true;
                                break;
                            }
                        }
                        burst += 1;
                        next = if burst < BURST { out.try_recv().ok() } else { None };
                        if next.is_none() && out.is_closed() && out.is_empty() {
                            close = true;
                        }
                    }
                    self.socket.flush().await?;
                    if close || burst == 0 {
                        break;
                    }
                }
                message = tokio::time::timeout(IDLE_TIMEOUT, self.socket.next()) => {
                    match message.context("the connection went quiet")? {
                        Some(Ok(Message::Binary(data))) => self.frames.feed(&data),
                        Some(Ok(Message::Close(_))) | None => return Ok(()),
                        Some(Ok(_)) => continue,
                        Some(Err(error)) => return Err(error.into()),
                    }
                    while let Some(mut frame) = self.frames.decode_frame() {
                        read.decrypt_in_place_with_counter(received, &mut frame)?;
                        received = received.checked_add(1).context("too many frames")?;
                        let data = unpack(&frame).context("bad frame")?;
                        let node = wacore_binary::marshal::unmarshal_ref(&data)
                            .context("bad stanza")?
                            .to_owned();
                        tracing::trace!(conn = self.conn, ?node, "<-");
                        self.network.with(|core| core.stanza(self.conn, &node));
                    }
                }
            }
        }
        // The other side may have hung up first; either way the connection is over.
        if let Err(error) = self.socket.close(None).await {
            tracing::debug!(conn = self.conn, %error, "close");
        }
        Ok(())
    }

    async fn handshake(&mut self) -> Result<Session> {
        let hello = self.next_frame().await?;
        let key = self.network.with(|core| core.noise_key.clone());
        match noise::answer(&key, &hello)? {
            Step::Done { hello, session } => {
                self.send_plain(&hello).await?;
                Ok(session)
            }
            Step::Continue { hello, pending } => {
                self.send_plain(&hello).await?;
                let finish = self.next_frame().await?;
                pending.finish(&finish)
            }
        }
    }

    async fn send_plain(&mut self, frame: &[u8]) -> Result<()> {
        let data = encode_frame(frame, None)?;
        self.socket.send(Message::binary(data)).await?;
        Ok(())
    }

    async fn next_frame(&mut self) -> Result<BytesMut> {
        loop {
            if let Some(frame) = self.frames.decode_frame() {
                return Ok(frame);
            }
            match self.socket.next().await {
                Some(Ok(Message::Binary(data))) => self.feed_prologue(&data)?,
                Some(Ok(Message::Close(_))) | None => bail!("closed during the handshake"),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }

    /// Strips the optional edge-routing intro and the protocol header off the first bytes.
    fn feed_prologue(&mut self, data: &[u8]) -> Result<()> {
        let Some(mut buffer) = self.prologue.take() else {
            self.frames.feed(data);
            return Ok(());
        };
        buffer.extend_from_slice(data);
        let mut at = 0;
        if buffer.starts_with(b"ED") {
            if buffer.len() < 7 {
                self.prologue = Some(buffer);
                return Ok(());
            }
            let length = u32::from_be_bytes([0, buffer[4], buffer[5], buffer[6]]);
            at = 7 + usize::try_from(length)?;
        }
        let body = at + WA_CONN_HEADER.len();
        if buffer.len() < body {
            self.prologue = Some(buffer);
            return Ok(());
        }
        if buffer[at..body] != WA_CONN_HEADER {
            bail!("this does not speak the expected protocol version");
        }
        self.frames.feed(&buffer[body..]);
        Ok(())
    }
}
