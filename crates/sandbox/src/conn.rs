//! One WebSocket connection: framing, the handshake, then stanzas in both directions.

use std::collections::VecDeque;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::BytesMut;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_util::sync::CancellationToken;
use wacore_binary::consts::WA_CONN_HEADER;
use wacore_binary::util::unpack;
use wacore_noise::NoiseCipher;
use wacore_noise::framing::{FrameDecoder, encode_frame};

use crate::core::Out;
use crate::network::Network;
use crate::noise::{self, Channel, Step};
use crate::wire::Wire;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);
/// A real companion pings every 15 to 30 seconds; a connection this quiet is dead.
const IDLE_TIMEOUT: Duration = Duration::from_secs(180);
/// How many stanzas may share one write.
const BURST: usize = 64;

type Socket = WebSocketStream<Wire>;

/// Serves one connection until either side ends it.
pub(crate) async fn serve(network: Network, stream: TcpStream, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    // Whose connection it is nobody knows yet: only troubles of all accounts meet it here.
    let mut troubled = network.troubled();
    if hold(&network, &mut troubled, "", &stop).await.is_err() {
        return;
    }
    let mut wire = Wire::new(stream);
    if network.peek(|core| core.troubles.is_deaf("")) {
        throw_away(&mut wire, &stop).await;
        return;
    }
    // The defaults reserve 128 KiB a connection; hundreds of idle ones share this process.
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0);
    let socket = match tokio_tungstenite::accept_async_with_config(wire, Some(config)).await {
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
    if let Err(error) = Connection::new(network.clone(), socket, conn, troubled)
        .run(stop)
        .await
    {
        tracing::debug!(conn, error = format!("{error:#}"), "connection ended");
    }
    network.with(|core| core.disconnected(conn));
}

/// The network stops.
#[derive(Debug)]
struct Stopping;

/// Returns at once, or when the account's sockets are no longer frozen.
async fn hold(
    network: &Network,
    troubled: &mut watch::Receiver<u64>,
    number: &str,
    stop: &CancellationToken,
) -> Result<(), Stopping> {
    loop {
        troubled.borrow_and_update();
        let Some(until) = network.peek(|core| core.troubles.frozen(number)) else {
            return Ok(());
        };
        let ended = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return Err(Stopping),
            () = ended => {}
            changed = troubled.changed() => if changed.is_err() {
                return Err(Stopping);
            }
        }
    }
}

/// Reads a connection that began in a swallow, until the client gives up.
async fn throw_away(wire: &mut Wire, stop: &CancellationToken) {
    let mut bytes = [0u8; 1024];
    loop {
        let read = tokio::select! {
            () = stop.cancelled() => return,
            read = tokio::time::timeout(IDLE_TIMEOUT, wire.read(&mut bytes)) => read,
        };
        if !matches!(read, Ok(Ok(count)) if count > 0) {
            return;
        }
    }
}

struct Connection {
    network: Network,
    socket: Socket,
    conn: u64,
    /// Bytes before the first frame, until the protocol header is complete.
    prologue: Option<BytesMut>,
    frames: FrameDecoder,
    troubled: watch::Receiver<u64>,
    /// The account that logged in; empty before and while it pairs.
    number: String,
}

/// The two directions once the handshake is through.
struct Ciphers {
    write: NoiseCipher,
    read: NoiseCipher,
    sent: u32,
    received: u32,
}

/// Bytes to be written once their version is on disk.
type Waiting = VecDeque<(u64, Out)>;

impl Connection {
    fn new(network: Network, socket: Socket, conn: u64, troubled: watch::Receiver<u64>) -> Self {
        Self {
            network,
            socket,
            conn,
            prologue: Some(BytesMut::new()),
            frames: FrameDecoder::new(),
            troubled,
            number: String::new(),
        }
    }

    async fn run(mut self, stop: CancellationToken) -> Result<()> {
        let channel = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            channel = tokio::time::timeout(HANDSHAKE_TIMEOUT, self.handshake()) => {
                channel.context("the handshake took too long")??
            }
        };
        if let Some(number) = channel.payload.username
            && channel.payload.device_pairing_data.as_option().is_none()
        {
            self.number = number.to_string();
        }
        if self.hold(&stop).await.is_err() {
            return Ok(());
        }
        if self.is_deaf() {
            throw_away(self.socket.get_mut(), &stop).await;
            return Ok(());
        }
        let (sender, out) = mpsc::unbounded_channel();
        self.network.with(|core| {
            core.connected(self.conn, sender, &channel.client_key, &channel.payload);
        });
        let mut ciphers = Ciphers {
            write: channel.write,
            read: channel.read,
            sent: 0,
            received: 0,
        };
        self.exchange(&mut ciphers, out, &stop).await?;
        // The other side may have hung up first; either way the connection is over.
        if let Err(error) = self.socket.close(None).await {
            tracing::debug!(conn = self.conn, %error, "close");
        }
        Ok(())
    }

    async fn hold(&mut self, stop: &CancellationToken) -> Result<(), Stopping> {
        hold(&self.network, &mut self.troubled, &self.number, stop).await
    }

    /// Reads and writes until either side ends it.
    async fn exchange(
        &mut self,
        ciphers: &mut Ciphers,
        mut out: mpsc::UnboundedReceiver<Out>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let mut saved = self.network.shared().saved.subscribe();
        let mut waiting = Waiting::new();
        let mut over = false;
        let mut quiet_at = Instant::now() + IDLE_TIMEOUT;
        loop {
            let held = Instant::now();
            if self.hold(stop).await.is_err() || (over && waiting.is_empty()) {
                return Ok(());
            }
            // The client is not to blame for what we did not read.
            quiet_at += held.elapsed();
            let need = waiting.front().map_or(0, |(need, _)| *need);
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                changed = self.troubled.changed() => changed.context("the network is gone")?,
                order = out.recv(), if !over => {
                    let first = order.map_or_else(|| { over = true; None }, Some);
                    let rest = std::iter::from_fn(|| out.try_recv().ok()).take(BURST);
                    let orders: Vec<Out> = first.into_iter().chain(rest).collect();
                    let version = self.network.version();
                    waiting.extend(orders.into_iter().map(|order| (version, order)));
                }
                found = wait_for(&mut saved, need), if !waiting.is_empty() => {
                    found?;
                    let saved = *saved.borrow();
                    if self.write(ciphers, &mut waiting, saved).await? {
                        return Ok(());
                    }
                }
                message = self.socket.next() => {
                    quiet_at = Instant::now() + IDLE_TIMEOUT;
                    let Some(message) = message else { return Ok(()) };
                    // Stanzas of the moment of a freeze has not been read either.
                    if self.hold(stop).await.is_err() {
                        return Ok(());
                    }
                    match message? {
                        Message::Binary(data) => self.read(ciphers, &data)?,
                        Message::Close(_) => return Ok(()),
                        Message::Ping(_) => self.lose_pong().await?,
                        _ => {}
                    }
                }
                () = tokio::time::sleep_until(quiet_at) => bail!("the connection went quiet"),
            }
        }
    }

    /// Writes what is on disk. Returns whether that was the last.
    async fn write(
        &mut self,
        ciphers: &mut Ciphers,
        waiting: &mut Waiting,
        saved: u64,
    ) -> Result<bool> {
        let mut last = false;
        while let Some((need, _)) = waiting.front() {
            if *need > saved {
                break;
            }
            match waiting.pop_front() {
                Some((_, Out::Stanza(node))) => {
                    let mut data = wacore_binary::marshal(&node)?;
                    tracing::trace!(conn = self.conn, ?node, "->");
                    ciphers
                        .write
                        .encrypt_in_place_with_counter(ciphers.sent, &mut data)?;
                    ciphers.sent = ciphers.sent.checked_add(1).context("too many frames")?;
                    let frame = Message::binary(encode_frame(&data, None)?);
                    self.socket.feed(frame).await?;
                }
                Some((_, Out::Close)) => {
                    last = true;
                    break;
                }
                None => break,
            }
        }
        self.socket.flush().await?;
        Ok(last)
    }

    fn read(&mut self, ciphers: &mut Ciphers, data: &[u8]) -> Result<()> {
        self.frames.feed(data);
        while let Some(mut frame) = self.frames.decode_frame() {
            ciphers
                .read
                .decrypt_in_place_with_counter(ciphers.received, &mut frame)?;
            ciphers.received = ciphers.received.checked_add(1).context("too many frames")?;
            let data = unpack(&frame).context("bad frame")?;
            let node = wacore_binary::marshal::unmarshal_ref(&data)
                .context("bad stanza")?
                .to_owned();
            tracing::trace!(conn = self.conn, ?node, "<-");
            self.network.with(|core| core.stanza(self.conn, &node));
        }
        Ok(())
    }

    fn is_deaf(&self) -> bool {
        self.network
            .peek(|core| core.troubles.is_deaf(&self.number))
    }

    /// A ping came. The answer lies ready in the socket; a deaf server must not give it.
    async fn lose_pong(&mut self) -> Result<()> {
        self.socket.get_mut().mute = self.is_deaf();
        let flushed = self.socket.flush().await;
        self.socket.get_mut().mute = false;
        Ok(flushed?)
    }

    async fn handshake(&mut self) -> Result<Channel> {
        let hello = self.next_frame().await?;
        let key = self.network.with(|core| core.noise_key.clone());
        match noise::answer(&key, &hello)? {
            Step::Done { hello, channel } => {
                self.send_plain(&hello).await?;
                Ok(channel)
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
                Some(Ok(Message::Close(_))) | None => bail!("closed during the handshake"),
                Some(Ok(Message::Ping(_))) => self.lose_pong().await?,
                // Lost; the handshake can only time out.
                Some(Ok(_)) if self.is_deaf() => {}
                Some(Ok(Message::Binary(data))) => self.feed_prologue(&data)?,
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

async fn wait_for(saved: &mut watch::Receiver<u64>, need: u64) -> Result<()> {
    saved
        .wait_for(|saved| *saved >= need)
        .await
        .map(drop)
        .context("the network is gone")
}
