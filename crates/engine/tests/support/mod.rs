//! A store with one instance, a sandbox with phones, and a sink that remembers: what the tests of
//! links stand on.

pub mod proxy;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use recado_engine::{
    Engine, Link, LinkSpec, Notice, Sink,
    wa::{Network, WaConfig, WaEngine, WaTimers},
};
use recado_model::{
    AccountId, Address, Content, Error, ErrorCode, InstanceId, MessageId, Result, Rng, StateReason,
    Timestamp,
    account::AccountKind,
    clock::{ManualClock, OsRng},
    content::Text,
    instance::{NewInstance, Origin},
    message::{Draft, FinishedMessage, InboundMessage},
};
use recado_sandbox::{ChatMessage, Config, Sandbox};
use recado_store::{Entry, Lease, MasterKey, Options, Store};
pub use recado_testkit::database::Kind;
use recado_testkit::database::{self, TestDatabase};
use tokio::sync::watch;

use self::proxy::Proxy;

/// Long enough for a busy machine; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const ANA: &str = "5511999990001";
pub const BIA: &str = "5511999990002";

pub fn address(number: &str) -> Address {
    Address::from_wire(format!("{number}@s.whatsapp.net"))
}

pub struct Lab {
    pub sandbox: Sandbox,
    pub store: Store,
    pub engine: WaEngine,
    pub account: AccountId,
    pub clock: Arc<ManualClock>,
    /// Between the engine and the network.
    pub proxy: Proxy,
    folder: tempfile::TempDir,
    /// Last: dropped without `close`, it fails the test.
    database: TestDatabase,
}

/// Impatient, so that tests need not be patient.
pub const QUICK: WaTimers = WaTimers {
    silence_ms: 1_500,
    probe_ms: 1_500,
    stale_ms: 10_000,
    commit_ms: 1_000,
    reopen_ms: 100,
    history_ms: 2_000,
};

impl Lab {
    /// A network with two phones, and an engine with an empty account.
    pub async fn new() -> Self {
        Self::with(Kind::Sqlite, WaTimers::default()).await
    }

    pub async fn with(kind: Kind, timers: WaTimers) -> Self {
        let any: SocketAddr = "127.0.0.1:0".parse().expect("an address");
        let sandbox = recado_sandbox::start(Config {
            listen: any,
            receiver: any,
            data_dir: None,
        })
        .await
        .expect("a sandbox");
        sandbox.network().add_phone(ANA, "Ana").expect("Ana");
        sandbox.network().add_phone(BIA, "Bia").expect("Bia");
        let folder = tempfile::tempdir().expect("a folder");
        let rng: Arc<dyn Rng> = Arc::new(OsRng);
        let database = TestDatabase::new(kind).await;
        let store = Store::open(Options {
            database: database.database().clone(),
            master_key: MasterKey::generate(rng.as_ref()).0,
            rng: rng.clone(),
            migrate: true,
            init: true,
        })
        .await
        .expect("a store");
        let account = AccountId::random(rng.as_ref());
        let mut conn = store.write().await.expect("a connection");
        conn.system()
            .create_account(&account, "Acme", AccountKind::Full, None, Timestamp(1))
            .await
            .expect("an account");
        conn.commit().await.expect("a commit");
        let proxy = Proxy::before(sandbox.addr()).await;
        let clock = Arc::new(ManualClock::default());
        let engine = WaEngine::new(WaConfig {
            store: store.clone(),
            network: Network::Sandbox {
                url: format!("ws://{}/ws/chat", proxy.addr()),
            },
            rng,
            clock: clock.clone(),
            journal: folder.path().join("journal"),
            timers,
        })
        .expect("an engine");
        Self {
            sandbox,
            store,
            engine,
            account,
            clock,
            proxy,
            folder,
            database,
        }
    }

    pub fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// Runs SQL beside the store.
    pub async fn raw(&self, text: &'static str) {
        database::run(self.database.database(), text).await;
    }

    /// Takes the database away.
    pub async fn close(self) {
        self.store.close().await;
        self.database.close().await;
    }

    /// A finished message.
    pub fn text(&self, to: &str, text: &str) -> FinishedMessage {
        let draft = Draft {
            content: Content::Text(Text::new(text).expect("a text")),
            mentioned: Vec::new(),
            reply_to: None,
            expires: None,
            at: recado_model::Timestamp(1),
        };
        FinishedMessage {
            proto: self.engine.compose(&draft, &[7; 32]),
            id: MessageId::random(&OsRng),
            to: address(to),
            refresh_group: false,
        }
    }

    pub async fn instance(&self) -> InstanceId {
        let instance = InstanceId::random(&OsRng);
        let mut conn = self.store.write().await.expect("a connection");
        conn.account(&self.account)
            .create_instance(
                &instance,
                Origin::Api,
                &NewInstance::default(),
                Timestamp(1),
            )
            .await
            .expect("an instance");
        let (forever, now) = (Timestamp(i64::MAX), Timestamp(1));
        let mut system = conn.system();
        let fence = system.lease_instance(&instance, "here", forever, now).await;
        assert_eq!(fence.expect("a lease"), Some(1));
        conn.commit().await.expect("a commit");
        instance
    }

    pub async fn start(&self, instance: &InstanceId, sink: &Arc<Recorder>) -> Arc<dyn Link> {
        let spec = LinkSpec {
            account: self.account.clone(),
            instance: instance.clone(),
            device_name: "Recado".to_owned(),
            keep_inbound: true,
            history: Default::default(),
            lease: Lease {
                owner: "here".to_owned(),
                fence: 1,
            },
            rekey: Vec::new(),
        };
        self.engine.start(spec, sink.clone()).await.expect("a link")
    }

    pub async fn has_device(&self, instance: &InstanceId) -> bool {
        self.store
            .device(&self.account, instance)
            .exists()
            .await
            .expect("an answer")
    }

    /// The ratchets that are written, by whose they are.
    pub async fn ratchets(&self, instance: &InstanceId) -> Vec<Entry> {
        let device = self.store.device(&self.account, instance);
        device.scan("session").await.expect("sessions")
    }

    /// Ana's phone scans the QR of a fresh link; returns once it is online.
    pub async fn paired(&self) -> (InstanceId, Arc<dyn Link>, Arc<Recorder>) {
        let instance = self.instance().await;
        let sink = Arc::new(Recorder::default());
        let link = self.start(&instance, &sink).await;
        self.scan(&sink).await;
        (instance, link, sink)
    }

    pub async fn scan(&self, sink: &Recorder) {
        let code = sink
            .expect("a QR", |notice| match notice {
                Notice::Qr { code, .. } => Some(code.clone()),
                _ => None,
            })
            .await;
        let paired = self.sandbox.network().scan(ANA, &code).await;
        paired.expect("the scan works");
        sink.online().await;
    }

    /// The message as the phone has it once it has come so often.
    pub async fn phone_has(&self, number: &str, id: &MessageId, arrivals: u64) -> ChatMessage {
        let has = self.sandbox.network().wait_for(PATIENCE, |network| {
            let messages = network.messages(number).ok()?;
            let mut found = messages.into_iter();
            found.find(|m| m.id == id.as_str() && m.arrivals >= arrivals)
        });
        has.await.expect("the phone has it")
    }

    /// Waits until `number`'s phone shows `text`.
    pub async fn phone_shows(&self, number: &str, text: &str) {
        let shown = self.sandbox.network().wait_for(PATIENCE, |network| {
            let messages = network.messages(number).ok()?;
            messages.iter().any(|m| m.text == text).then_some(())
        });
        shown.await.expect("the phone shows it");
    }
}

/// Remembers everything; refuses batches and receipts while told to.
pub struct Recorder {
    messages: Mutex<Vec<InboundMessage>>,
    notices: Mutex<VecDeque<Notice>>,
    refusing: AtomicU32,
    refusing_receipts: AtomicBool,
    /// Says of every message that it is here already.
    knowing: bool,
    /// So many times it cannot say whether it has a message.
    doubting: AtomicU32,
    changed: watch::Sender<u64>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            messages: Mutex::default(),
            notices: Mutex::default(),
            refusing: AtomicU32::new(0),
            refusing_receipts: AtomicBool::new(false),
            knowing: false,
            doubting: AtomicU32::new(0),
            changed: watch::Sender::new(0),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    pub fn knowing() -> Self {
        Self {
            knowing: true,
            ..Self::default()
        }
    }

    /// Cannot say the next time whether it has a message.
    pub fn doubting() -> Self {
        Self {
            doubting: AtomicU32::new(1),
            ..Self::default()
        }
    }

    /// The next `times` batches fail.
    pub fn refuse(&self, times: u32) {
        self.refusing.store(times, Ordering::SeqCst);
    }

    /// What is told once is not taken while so.
    pub fn refuse_receipts(&self, refuse: bool) {
        self.refusing_receipts.store(refuse, Ordering::SeqCst);
    }

    pub fn notices(&self) -> Vec<Notice> {
        lock(&self.notices).iter().cloned().collect()
    }

    pub fn refusals_left(&self) -> u32 {
        self.refusing.load(Ordering::SeqCst)
    }

    pub fn messages(&self) -> Vec<InboundMessage> {
        lock(&self.messages).clone()
    }

    pub async fn until<T>(&self, what: &str, mut check: impl FnMut() -> Option<T>) -> T {
        let mut changes = self.changed.subscribe();
        let wait = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = check() {
                    return found;
                }
                changes.changed().await.expect("the sender is ours");
            }
        };
        match tokio::time::timeout(PATIENCE, wait).await {
            Ok(found) => found,
            Err(_) => panic!("waited for {what}; notices: {:?}", lock(&self.notices)),
        }
    }

    /// The first notice that `pick` takes; it and all before it are used up.
    pub async fn expect<T>(&self, what: &str, pick: impl Fn(&Notice) -> Option<T>) -> T {
        self.until(what, || {
            let mut notices = lock(&self.notices);
            let (at, found) = notices
                .iter()
                .enumerate()
                .find_map(|(at, notice)| Some((at, pick(notice)?)))?;
            notices.drain(..=at);
            Some(found)
        })
        .await
    }

    /// Takes nothing: whether `pick` matches one that was not used up.
    pub fn has(&self, pick: impl Fn(&Notice) -> bool) -> bool {
        lock(&self.notices).iter().any(pick)
    }

    pub async fn online(&self) {
        self.expect("being online", |notice| {
            matches!(notice, Notice::Online { .. }).then_some(())
        })
        .await;
    }

    /// The link told that it lost its connection and will be back.
    pub async fn offline(&self) {
        self.expect("being offline", |notice| match notice {
            Notice::Offline { reason, retrying } => {
                assert!(retrying);
                assert_eq!(*reason, StateReason::ConnectionLost);
                Some(())
            }
            _ => None,
        })
        .await;
    }

    /// Waits until one of endless refusals was used.
    pub async fn refused(&self) {
        self.until("a refusal", || {
            (self.refusing.load(Ordering::SeqCst) < u32::MAX).then_some(())
        })
        .await;
    }

    pub async fn received(&self, count: usize) -> Vec<InboundMessage> {
        self.until("messages", || {
            let messages = lock(&self.messages);
            (messages.len() >= count).then(|| messages.clone())
        })
        .await
    }
}

#[async_trait]
impl Sink for Recorder {
    async fn messages(&self, batch: Vec<InboundMessage>) -> Result<()> {
        let refused = self
            .refusing
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        let outcome = if refused.is_ok() {
            Err(Error::new(ErrorCode::Unavailable, "the disk is full"))
        } else {
            lock(&self.messages).extend(batch);
            Ok(())
        };
        self.changed.send_modify(|n| *n += 1);
        outcome
    }

    async fn has(&self, id: &MessageId) -> Result<bool> {
        if self.doubting.swap(0, Ordering::SeqCst) > 0 {
            return Err(Error::internal("the store is away"));
        }
        let here = lock(&self.messages).iter().any(|message| message.id == *id);
        Ok(self.knowing || here)
    }

    async fn notice(&self, notice: Notice) -> Result<()> {
        let once = matches!(notice, Notice::Receipt(_) | Notice::ServerAck { .. });
        if once && self.refusing_receipts.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorCode::Unavailable, "the disk is full"));
        }
        lock(&self.notices).push_back(notice);
        self.changed.send_modify(|n| *n += 1);
        Ok(())
    }
}
