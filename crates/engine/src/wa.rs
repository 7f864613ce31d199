//! WhatsApp by `whatsapp-rust`. Nothing of that library leaves this module.
//!
//! [`WaEngine`] starts links; `link` is one link's life, `core` what it is made of, `connection` one connection
//! of it, `parts` what its connections share, `pump` the task that decides about connections. `gate` is what
//! ends a connection whose store failed, `wire` its socket. `pump/watch` notices a socket that died in silence,
//! `pump/mend` brings back a link whose gate was shut, `pump/behind` finds app state that does not follow, `lost`
//! finds messages that were counted as read and are nowhere.
//! `tap` takes the library's events; `journal` keeps those that are told once, `history` what phones send of their
//! past, and `courier`
//! hands them to the sink. `inbound`, `notice`, `roster`, `kinds`, `payload`, `address` and `json` turn what arrives into our
//! types; `outbound` sends, `media` seals and opens, `hosts` brings to WhatsApp's hosts and fetches, and `calls` do what
//! else callers ask; `backend` keeps the device in the store; `http` and `runtime` are what the library runs on.
//!
//! Time in here is tokio's: the library measures by it (a named exception to the rule that time is a
//! parameter). Only what waits for hours goes by the program's clock.
#![allow(
    clippy::disallowed_methods,
    reason = "the library runs on tokio's time, and so does what is around it"
)]

mod address;
mod backend;
mod calls;
mod codes;
mod connection;
mod core;
mod courier;
mod gate;
mod history;
mod hosts;
mod http;
mod inbound;
mod journal;
mod json;
mod kinds;
mod link;
mod lost;
mod media;
mod notice;
mod outbound;
mod parts;
mod pauses;
mod payload;
mod pump;
mod roster;
mod runtime;
mod synced;
mod tap;
mod wire;

use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use recado_model::{
    AccountId, Address, Clock, Error, ErrorCode, InstanceId, MediaClass, MediaDigest, MediaKey,
    MediaRef, MessageId, Result, Rng,
    change::{Change, Edited},
    content::{Ballot, Chosen, Poll, Voting},
    history::{Frame, FrameEnd, FrameFault, HistoryPart, OwnAddresses},
    media::FilledMedia,
    message::{Draft, Rendered},
};
use recado_store::Store;
use tokio::sync::mpsc;
use url::Url;
use whatsapp_rust::transport::{
    TokioWebSocketTransportFactory, TransportFactory, default_tls_connector,
};

use self::{http::Http, link::WaLink};
use crate::{Engine, FetchFault, Link, LinkSpec, Sink};

/// The version told to the sandbox, which takes any.
const SANDBOX_VERSION: (u32, u32, u32) = (2, 3000, 1_023_000_000);

/// Which network links connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// The real one, over TLS, its certificates verified. Not in a program built with the `sandbox`
    /// feature.
    WhatsApp,
    /// A sandbox on loopback, `ws://127.0.0.1:PORT/ws/chat`. Only in a program built with the
    /// `sandbox` feature.
    Sandbox { url: String },
}

pub struct WaConfig {
    pub store: Store,
    pub network: Network,
    /// For the jitter of reconnections.
    pub rng: Arc<dyn Rng>,
    /// For what waits longer than a socket lives: see `pump/behind`.
    pub clock: Arc<dyn Clock>,
    /// The folder where receipts wait until the sink has taken them, and frames of history until they are stored; made
    /// when the first one comes.
    pub journal: PathBuf,
    pub timers: WaTimers,
}

/// How patient links are. Shortened by tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaTimers {
    /// After so long without a byte from WhatsApp a link asks for one.
    pub silence_ms: u64,
    /// How long the answer may take before the connection counts as lost.
    pub probe_ms: u64,
    /// A link that is offline for so long is opened anew.
    pub stale_ms: u64,
    /// How long the sink may take before its connection is given up.
    pub commit_ms: u64,
    /// The first pause before a link whose store failed tries the store again; it doubles.
    pub reopen_ms: u64,
    /// How long a frame of history is tried to be fetched.
    pub history_ms: u64,
}

impl Default for WaTimers {
    fn default() -> Self {
        Self {
            silence_ms: 20_000,
            probe_ms: 15_000,
            stale_ms: 180_000,
            commit_ms: 30_000,
            reopen_ms: 500,
            history_ms: 300_000,
        }
    }
}

impl WaTimers {
    fn history(&self) -> Duration {
        Duration::from_millis(self.history_ms)
    }
}

/// The parts that all links of a process share.
pub(crate) struct EngineParts {
    http: Arc<Http>,
    transport: Arc<dyn TransportFactory>,
    version: Option<(u32, u32, u32)>,
    rng: Arc<dyn Rng>,
    clock: Arc<dyn Clock>,
    timers: WaTimers,
}

pub struct WaEngine {
    store: Store,
    parts: Arc<EngineParts>,
    network: &'static str,
    journal: PathBuf,
}

/// Whether this program may talk to that network; fails with a sentence when it may not.
pub fn check(network: &Network) -> Result<()> {
    match network {
        Network::WhatsApp if cfg!(feature = "sandbox") => Err(refused(
            "This program was built with the sandbox feature, which leaves out the check of WhatsApp's certificates: it connects to a sandbox only. Use the production build for WhatsApp.",
        )),
        Network::WhatsApp => Ok(()),
        Network::Sandbox { .. } if !cfg!(feature = "sandbox") => Err(refused(
            "This program connects to WhatsApp only. For a sandbox network use the build with the sandbox feature.",
        )),
        Network::Sandbox { url } => loopback(url).map(drop),
    }
}

impl WaEngine {
    /// Fails as [`check`] does when this program may not talk to `config.network`.
    pub fn new(config: WaConfig) -> Result<Self> {
        check(&config.network)?;
        let (network, parts) = match &config.network {
            Network::WhatsApp => ("whatsapp", whatsapp(&config)?),
            Network::Sandbox { url } => ("sandbox", sandbox(url, &config)?),
        };
        Ok(Self {
            store: config.store,
            parts: Arc::new(parts),
            network,
            journal: config.journal,
        })
    }
}

fn whatsapp(config: &WaConfig) -> Result<EngineParts> {
    // One connector for all links: each holds the whole list of root certificates.
    let transport = TokioWebSocketTransportFactory::new().with_connector(default_tls_connector());
    Ok(EngineParts {
        http: Arc::new(Http::new(None, config.timers.history()).map_err(Error::internal)?),
        transport: Arc::new(transport),
        version: None,
        rng: config.rng.clone(),
        clock: config.clock.clone(),
        timers: config.timers,
    })
}

fn sandbox(url: &str, config: &WaConfig) -> Result<EngineParts> {
    let address = loopback(url)?;
    let mut media = address.clone();
    media.set_path("/");
    media.set_query(None);
    media.set_scheme("http").map_err(|()| not_loopback())?;
    Ok(EngineParts {
        http: Arc::new(Http::new(Some(media), config.timers.history()).map_err(Error::internal)?),
        transport: Arc::new(TokioWebSocketTransportFactory::new().with_url(address)),
        version: Some(SANDBOX_VERSION),
        rng: config.rng.clone(),
        clock: config.clock.clone(),
        timers: config.timers,
    })
}

/// By literal address only: a name could be made to lead elsewhere.
fn loopback(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|_| not_loopback())?;
    let is_loopback = match url.host() {
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        Some(url::Host::Domain(_)) | None => false,
    };
    if url.scheme() == "ws" && is_loopback {
        Ok(url)
    } else {
        Err(not_loopback())
    }
}

fn not_loopback() -> Error {
    refused(
        "A sandbox network must be on this machine: ws://127.0.0.1:PORT/ws/chat, with a literal loopback address.",
    )
}

impl WaEngine {
    fn files_of(&self, instance: &InstanceId) -> (PathBuf, PathBuf) {
        let journal = self.journal.join(format!("{instance}.jsonl"));
        (journal, self.frames_of(instance))
    }

    /// Where frames of history wait.
    fn frames_of(&self, instance: &InstanceId) -> PathBuf {
        self.journal.join("history").join(instance.as_str())
    }
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorCode::InvalidRequest, message)
}

#[async_trait]
impl Engine for WaEngine {
    async fn start(&self, spec: LinkSpec, sink: Arc<dyn Sink>) -> Result<Arc<dyn Link>> {
        let device = self
            .store
            .device(&spec.account, &spec.instance)
            .under(spec.lease.clone());
        let rekey = spec.rekey.iter();
        let rekey = rekey.map(|group| backend::forget_group_keys(group.as_str()));
        device.apply(rekey.collect()).await?;
        let files = self.files_of(&spec.instance);
        let link = WaLink::start(self.parts.clone(), device, spec, sink, files).await?;
        Ok(Arc::new(link))
    }

    fn compose(&self, draft: &Draft, secret: &[u8; 32]) -> Vec<u8> {
        kinds::compose(draft, secret)
    }

    fn render(&self, proto: &[u8]) -> Result<Rendered> {
        payload::render_kept(proto)
    }

    fn change(&self, proto: &[u8]) -> Option<Change> {
        kinds::change(proto)
    }

    fn edited(&self, original: &[u8], edit: &[u8]) -> Option<Edited> {
        kinds::edited(original, edit)
    }

    fn forward(&self, proto: &[u8], own: bool) -> Option<Vec<u8>> {
        kinds::forward(proto, own)
    }

    fn time(&self, proto: &[u8], seconds: u32) -> Result<Vec<u8>> {
        kinds::time(proto, seconds)
    }

    fn poll(&self, proto: &[u8]) -> Option<Poll> {
        kinds::poll(proto)
    }

    fn seal_vote(&self, poll: &[u8], voting: &Voting<'_>) -> Result<Ballot> {
        kinds::seal_vote(poll, voting)
    }

    fn open_vote(
        &self,
        poll: &[u8],
        vote: &[u8],
        id: &MessageId,
        pairs: &[(Address, Address)],
    ) -> Option<Chosen> {
        kinds::open_vote(poll, vote, id, pairs)
    }

    fn media(&self, proto: &[u8]) -> Option<MediaRef> {
        kinds::named(proto)
    }

    fn fill_media(&self, proto: &[u8], medium: &FilledMedia) -> Result<Vec<u8>> {
        kinds::fill(proto, medium)
    }

    fn seal_media(
        &self,
        class: MediaClass,
        key: &MediaKey,
        plain: &mut dyn Read,
        sealed: &mut dyn Write,
    ) -> io::Result<MediaDigest> {
        media::seal(class, key, plain, sealed)
    }

    fn open_media(
        &self,
        class: MediaClass,
        key: &MediaKey,
        sealed: &mut dyn Read,
        plain: &mut dyn Write,
    ) -> io::Result<MediaDigest> {
        media::open(class, key, sealed, plain)
    }

    fn media_reader(
        &self,
        class: MediaClass,
        key: &MediaKey,
        from: u64,
        sealed: Box<dyn Read + Send>,
    ) -> io::Result<Box<dyn Read + Send>> {
        media::reader(class, key, from, sealed)
    }

    async fn fetch_media(
        &self,
        medium: &MediaRef,
        most: u64,
        to: &Path,
    ) -> std::result::Result<MediaDigest, FetchFault> {
        hosts::fetch(&self.parts, medium, most, to).await
    }

    async fn fetch_picture(&self, url: &str) -> Result<Vec<u8>> {
        self.parts.http.picture(url).await
    }

    async fn read_history(
        &self,
        (account, instance): (&AccountId, &InstanceId),
        own: OwnAddresses,
        frame: &Frame,
        to: mpsc::Sender<HistoryPart>,
    ) -> std::result::Result<FrameEnd, FrameFault> {
        let device = self.store.device(account, instance);
        let key = history::key_of(&device).await.map_err(FrameFault::Failed)?;
        let reading = history::Reading {
            folder: self.frames_of(instance),
            key: key.ok_or(FrameFault::Gone)?,
            name: frame.name.clone(),
            kind: frame.kind,
            instance: instance.clone(),
            own,
        };
        let read = tokio::task::spawn_blocking(move || history::read(&reading, &to));
        read.await
            .map_err(|error| FrameFault::Failed(Error::internal(error)))?
    }

    fn drop_history(&self, instance: &InstanceId, frame: &str) {
        history::remove(&self.frames_of(instance).join(frame));
    }

    async fn forget(&self, account: &AccountId, instance: &InstanceId) -> Result<()> {
        self.store.device(account, instance).wipe().await?;
        let (journal, frames) = self.files_of(instance);
        journal::remove(&journal);
        history::remove(&frames);
        Ok(())
    }

    fn network(&self) -> &'static str {
        self.network
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_is_on_loopback() {
        for good in ["ws://127.0.0.1:4000/ws/chat", "ws://[::1]:4000/ws/chat"] {
            assert!(loopback(good).is_ok(), "{good}");
        }
        for bad in [
            "wss://127.0.0.1:4000/ws/chat",
            "ws://192.168.0.1:4000/ws/chat",
            "ws://localhost:4000/ws/chat",
            "ws://127.0.0.1.example.com/ws/chat",
            "ws://2130706433.example/ws",
            "http://127.0.0.1:4000",
            "nonsense",
        ] {
            assert!(loopback(bad).is_err(), "{bad}");
        }
    }
}
