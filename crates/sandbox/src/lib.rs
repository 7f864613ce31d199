//! A WhatsApp network on loopback, for building and testing without a phone.
//!
//! It is a real protocol peer: the unmodified `whatsapp-rust` client (compiled to skip the
//! certificate chain, which no network but WhatsApp's own can present) pairs, logs in and chats
//! with it end to end encrypted. Virtual phones live inside it. They are driven by
//! [`Network`] in the same process or by the control API over HTTP.
//!
//! | file | what lives there |
//! |---|---|
//! | `listen`, `conn`, `noise` | the port, a connection, the handshake |
//! | `core`, `login`, `queue` | working state, log-in, delivery with acknowledgement |
//! | `iq/`, `bundle` | questions that companions ask the server, keys among them |
//! | `profile`, `presence`, `calls` | what others see of an account, who is there, who calls |
//! | `messages`, `receipts` | what companions send to each other and to phones |
//! | `group`, `groups/` | groups, and what their members do to them |
//! | `phone/` | what a person with the app does |
//! | `trouble`, `streams`, `wire` | what goes wrong on purpose |
//! | `state`, `history`, `backlog`, `ratchets`, `sender_keys`, `blob`, `appstate`, `shown` | what survives a restart |
//! | `store`, `load`, `disk` | its files |
//! | `media`, `shelf` | the media host, its files and the phones' copies |
//! | `control`, `refusal`, `info`, `receiver` | the HTTP sides |
//!
//! To add a question that companions may ask: a line in `iq.rs` and the answer in a file of
//! its topic. To add something that people do: a function in `phone/`, a method on [`Network`]
//! and a route in `control.rs`.
#![allow(
    clippy::disallowed_methods,
    reason = "a development network: what it waits for are real sockets and real people"
)]

mod ambient;
mod appstate;
mod backlog;
mod blob;
mod bundle;
mod calls;
mod conn;
pub mod content;
mod control;
mod core;
mod disk;
mod group;
mod groups;
mod history;
mod info;
mod iq;
mod listen;
mod load;
mod login;
mod media;
mod messages;
mod network;
mod noise;
mod phone;
mod presence;
pub mod profile;
mod queue;
mod ratchets;
mod receipts;
mod receiver;
mod refusal;
mod sender_keys;
mod shelf;
mod shown;
mod state;
mod store;
mod streams;
mod trouble;
mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use group::{Invitation, MemberResult, Rank};
pub use groups::{GroupSettings, Joined, NewGroup};
pub use history::ChatMessage;
pub use info::{CompanionInfo, GroupInfo, Paired, PhoneInfo};
pub use network::{Network, PastText};
pub use receiver::{Delivery, Mode, Receiver};
pub use refusal::Refusal;
pub use shown::{ChatChange, ChatInfo, Label, SavedContact, ShownChat};
pub use state::NamedBy;
pub use trouble::{Kind, Trouble};

/// Where a sandbox listens and keeps its state.
#[derive(Debug, Clone)]
pub struct Config {
    /// Network, control API and media host. Loopback only; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The webhook receiver. Loopback only; port 0 takes a free one.
    pub receiver: SocketAddr,
    /// The folder for its state; `None` keeps everything in memory.
    pub data_dir: Option<PathBuf>,
}

/// A running sandbox. Dropping it stops it without saving the last moment; see [`Sandbox::stop`].
pub struct Sandbox {
    addr: SocketAddr,
    receiver_addr: SocketAddr,
    network: Network,
    receiver: Receiver,
    connections: CancellationToken,
    saving: CancellationToken,
    serving: TaskTracker,
    saver: TaskTracker,
}

async fn bind(address: SocketAddr, what: &str) -> Result<TcpListener> {
    if !address.ip().is_loopback() {
        bail!(
            "the sandbox's {what} can only listen on loopback, not on {address}: \
             use 127.0.0.1 or [::1]"
        );
    }
    TcpListener::bind(address)
        .await
        .with_context(|| format!("the sandbox's {what} cannot listen on {address}"))
}

/// Starts a sandbox.
///
/// # Errors
/// An address that is not loopback or not free, a folder that cannot be used, damaged state.
pub async fn start(config: Config) -> Result<Sandbox> {
    let listener = bind(config.listen, "network").await?;
    let receiver_listener = bind(config.receiver, "receiver").await?;
    let addr = listener.local_addr()?;
    let receiver_addr = receiver_listener.local_addr()?;
    let folder = config
        .data_dir
        .as_deref()
        .map(store::Folder::open)
        .transpose()?;
    let network = Network::new(
        load::load(folder.as_ref(), addr.to_string())?,
        folder.is_some(),
    );
    let receiver = Receiver::default();
    let connections = CancellationToken::new();
    let saving = CancellationToken::new();
    let serving = TaskTracker::new();
    let saver = TaskTracker::new();

    if let Some(folder) = folder {
        saver.spawn(store::keep_saved(network.clone(), folder, saving.clone()));
        // The first save writes the network's own key.
        network.with(|_| ());
    }
    let router = control::routes(network.clone())
        .merge(media::routes())
        .with_state(network.clone());
    serving.spawn(listen::run(
        listener,
        network.clone(),
        router,
        connections.clone(),
    ));
    let stop = connections.clone();
    let deliveries = receiver.clone().router();
    serving.spawn(async move {
        let serve = axum::serve(receiver_listener, deliveries);
        tokio::select! {
            () = stop.cancelled() => {}
            result = serve => if let Err(error) = result {
                tracing::error!(%error, "the receiver ended");
            }
        }
    });
    serving.close();
    saver.close();
    Ok(Sandbox {
        addr,
        receiver_addr,
        network,
        receiver,
        connections,
        saving,
        serving,
        saver,
    })
}

impl Sandbox {
    /// The address of network, control API and media host.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a client connects to instead of WhatsApp: `ws://127.0.0.1:PORT/ws/chat`.
    pub fn whatsapp_url(&self) -> String {
        format!("ws://{}/ws/chat", self.addr)
    }

    /// The origin of the control API: `http://127.0.0.1:PORT`.
    pub fn control_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// A webhook address at the receiver: `http://127.0.0.1:PORT/webhook`.
    pub fn receiver_url(&self) -> String {
        format!("http://{}/webhook", self.receiver_addr)
    }

    /// The network, for driving it in the same process.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The receiver's deliveries and its mode.
    pub fn receiver(&self) -> &Receiver {
        &self.receiver
    }

    /// Closes all connections, writes the state and returns when that is done.
    pub async fn stop(self) {
        self.connections.cancel();
        self.serving.wait().await;
        self.saving.cancel();
        self.saver.wait().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.connections.cancel();
        self.saving.cancel();
    }
}
