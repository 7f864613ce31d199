//! How a link comes back whose gate was shut: the client is dropped, and a new one with empty caches
//! opens once the store takes a write again. A thousand links lose one database together, so each
//! waits a little differently.

use std::time::Duration;

use recado_model::StateReason;
use recado_store::{DeviceOp, StoreError};
use tokio::time::Instant;

use super::Pump;
use crate::{
    Notice,
    wa::{backend::space, gate::Trip, pauses::grown},
};

/// While the store is away. A try is one small write, and whoever waits for a message waits for it.
const STORE_MOST: Duration = Duration::from_secs(5);
/// While the store works and messages are not taken.
const COMMIT_MOST: Duration = Duration::from_secs(60);
/// A link that was online for so long has taken what waited for it: its next failure is another one.
const SETTLED: Duration = Duration::from_secs(10);
/// How long a try of the store may take.
const PROBE: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Mending {
    /// Whether the store must take a write before a client opens.
    doubtful: bool,
    /// The store said that the instance is another process's.
    fenced: bool,
    failures: u32,
    online_since: Option<Instant>,
    most: Duration,
    /// The rows that the next client must not know.
    forgotten: Vec<DeviceOp>,
}

/// The store's answer.
enum Store {
    Works,
    Fails,
    Fenced,
}

impl Mending {
    pub(super) fn forget(&mut self, rows: Vec<DeviceOp>) {
        for row in rows {
            if !self.forgotten.contains(&row) {
                self.forgotten.push(row);
            }
        }
    }

    pub(super) fn came_online(&mut self) {
        self.online_since = Some(Instant::now());
    }

    fn failed(&mut self, most: Duration) -> u32 {
        let settled = self
            .online_since
            .take()
            .is_some_and(|since| since.elapsed() > SETTLED);
        self.failures = if settled { 1 } else { self.failures + 1 };
        self.doubtful = true;
        self.most = most;
        self.failures
    }
}

impl Pump {
    /// The gate of the connection is shut: whatever it still does is for nothing.
    pub(super) async fn tripped(&mut self, epoch: u64) {
        let Some(connection) = self.link.connection_of(epoch) else {
            return;
        };
        let Some(why) = connection.gate.tripped() else {
            return;
        };
        drop(connection);
        tracing::warn!(instance.id = %self.link.parts.spec.instance, why = why.name(), "a connection was given up; another one follows");
        if why == Trip::Fenced {
            self.fenced().await;
            return;
        }
        self.offline(StateReason::ConnectionLost).await;
        self.drop_client(epoch).await;
        match why {
            Trip::Renewed | Trip::Lost | Trip::Behind => self.reopen_at = Some(Instant::now()),
            Trip::Commit => self.mend_later(COMMIT_MOST),
            _ => self.mend_later(STORE_MOST),
        }
    }

    pub(super) fn mend_later(&mut self, most: Duration) {
        let failures = self.mending.failed(most);
        let first = Duration::from_millis(self.link.parts.engine.timers.reopen_ms);
        self.reopen_at = Some(self.after(grown(first, most, failures)));
    }

    async fn drop_client(&self, epoch: u64) {
        let link = self.link.clone();
        let dropped = tokio::spawn(async move { link.close_connection(epoch).await }).await;
        if let Err(error) = dropped {
            tracing::error!(instance.id = %self.link.parts.spec.instance, %error, "dropping a client failed");
        }
    }

    async fn fenced(&mut self) {
        self.mending.fenced = true;
        self.wanted = false;
        self.online = false;
        self.watch.stop();
        self.reopen_at = None;
        if let Some(connection) = self.link.any_connection() {
            self.drop_client(connection.epoch).await;
        }
        self.tell(Notice::Fenced).await;
    }

    /// `planned`: by our own timer, so a link that was closed meanwhile stays closed.
    pub(super) async fn reopen(&mut self, planned: bool) {
        self.reopen_at = None;
        if self.mending.fenced || (planned && !self.wanted) {
            return;
        }
        if self.online {
            self.offline(StateReason::ConnectionLost).await;
        }
        if self.mending.doubtful || !self.mending.forgotten.is_empty() {
            match self.try_store().await {
                Store::Works => {
                    self.mending.doubtful = false;
                    self.mending.forgotten.clear();
                }
                Store::Fails => {
                    self.wanted = true;
                    self.mend_later(self.mending.most.max(STORE_MOST));
                    return;
                }
                Store::Fenced => {
                    self.fenced().await;
                    return;
                }
            }
        }
        self.open().await;
    }

    async fn open(&mut self) {
        let link = self.link.clone();
        let opened = tokio::spawn(async move { link.reopen().await }).await;
        self.opened();
        match opened {
            Ok(Ok(())) => {}
            Ok(Err(failed)) if failed.tripped == Some(Trip::Fenced) => self.fenced().await,
            Ok(Err(failed)) => {
                let error = failed.error;
                tracing::warn!(instance.id = %self.link.parts.spec.instance, %error, "a link could not be opened; trying again");
                self.mend_later(STORE_MOST);
            }
            Err(error) => {
                tracing::error!(instance.id = %self.link.parts.spec.instance, %error, "opening a link failed; trying again");
                self.mend_later(STORE_MOST);
            }
        }
    }

    /// A real write where the connection would write: of a device row that is gone again at once, and
    /// of a line in the journal. The rows to be forgotten go with it.
    async fn try_store(&self) -> Store {
        let mut ops = vec![
            DeviceOp::Put {
                space: space::PROBE,
                key: "probe".to_owned(),
                n: 0,
                value: vec![0],
            },
            DeviceOp::Delete {
                space: space::PROBE,
                key: "probe".to_owned(),
            },
        ];
        ops.extend(self.mending.forgotten.iter().cloned());
        let written = tokio::time::timeout(PROBE, self.link.parts.device.apply(ops)).await;
        match written {
            Ok(Ok(())) => {}
            Ok(Err(StoreError::Fenced)) => return Store::Fenced,
            Ok(Err(error)) => {
                tracing::debug!(instance.id = %self.link.parts.spec.instance, %error, "the store takes no write yet");
                return Store::Fails;
            }
            Err(_) => return Store::Fails,
        }
        match self.link.parts.journal.probe() {
            Ok(()) => Store::Works,
            Err(error) => {
                tracing::debug!(instance.id = %self.link.parts.spec.instance, %error, "the journal takes no line yet");
                Store::Fails
            }
        }
    }
}

#[cfg(all(test, feature = "sandbox"))]
mod tests {
    use std::{net::SocketAddr, sync::Arc};

    use async_trait::async_trait;
    use recado_model::{
        Result,
        clock::{ManualClock, OsRng},
        message::{InboundMessage, MessageId},
    };
    use tokio::sync::mpsc;

    use super::*;
    use crate::{
        Engine as _, Link as _, LinkSpec, Sink,
        wa::{Network, WaConfig, WaEngine, WaTimers, backend::fixture::Fixture, link::WaLink},
    };

    struct Notices(mpsc::UnboundedSender<Notice>);

    #[async_trait]
    impl Sink for Notices {
        async fn messages(&self, _batch: Vec<InboundMessage>) -> Result<()> {
            Ok(())
        }

        async fn has(&self, _id: &MessageId) -> Result<bool> {
            Ok(true)
        }

        async fn notice(&self, notice: Notice) -> Result<()> {
            let _ = self.0.send(notice);
            Ok(())
        }
    }

    async fn link(fixture: &Fixture, url: String) -> (WaLink, mpsc::UnboundedReceiver<Notice>) {
        let folder = std::env::temp_dir();
        let engine = WaEngine::new(WaConfig {
            store: fixture.store.clone(),
            network: Network::Sandbox { url },
            rng: Arc::new(OsRng),
            clock: Arc::new(ManualClock::default()),
            journal: folder.clone(),
            timers: WaTimers {
                reopen_ms: 50,
                ..WaTimers::default()
            },
        })
        .expect("an engine");
        let spec = LinkSpec {
            account: fixture.account.clone(),
            instance: fixture.instance.clone(),
            device_name: "Recado".to_owned(),
            keep_inbound: true,
            history: Default::default(),
            lease: recado_store::Lease {
                owner: "here".to_owned(),
                fence: 1,
            },
            rekey: Vec::new(),
        };
        let device = fixture.store.device(&fixture.account, &fixture.instance);
        let (to, notices) = mpsc::unbounded_channel();
        let files = engine.files_of(&spec.instance);
        let sink = Arc::new(Notices(to));
        let started = WaLink::start(engine.parts.clone(), device, spec, sink, files).await;
        assert_eq!(engine.network(), "sandbox");
        (started.expect("a link"), notices)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_fenced_link_stays_closed_and_a_renewed_one_does_not() {
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let config = recado_sandbox::Config {
            listen: any,
            receiver: any,
            data_dir: None,
        };
        let sandbox = recado_sandbox::start(config).await.expect("a sandbox");
        let fixture = Fixture::new().await;
        let (link, mut notices) = link(&fixture, sandbox.whatsapp_url()).await;
        let mut qr = async || {
            loop {
                match notices.recv().await.expect("a notice") {
                    Notice::Qr { .. } => return,
                    Notice::Offline { retrying, .. } => assert!(retrying),
                    other => panic!("{other:?}"),
                }
            }
        };
        qr().await;
        link.renew(&[]).await;
        qr().await;
        let connection = link.core.connection().expect("a connection");
        connection.gate.trip(Trip::Fenced);
        assert!(link.core.connection().is_none(), "at once");
        assert_eq!(notices.recv().await, Some(Notice::Fenced));
        assert!(link.core.any_connection().is_none());
        link.renew(&[]).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(link.core.any_connection().is_none(), "nor when asked to");
        link.stop().await;
    }
}
