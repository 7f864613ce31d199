//! A store with one instance, a sandbox with phones, and a sink that remembers: what the tests of
//! links stand on.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use recado_engine::{
    Engine, Link, LinkSpec, Notice, Sink,
    wa::{Network, WaConfig, WaEngine},
};
use recado_model::{
    AccountId, Error, ErrorCode, InstanceId, MessageId, Result, Rng, Timestamp,
    account::AccountKind,
    clock::OsRng,
    instance::{NewInstance, Origin},
    message::{FinishedMessage, InboundMessage, OutgoingText},
};
use recado_sandbox::{Config, Sandbox};
use recado_store::{Database, Lease, MasterKey, Options, Store};
use tokio::sync::watch;

/// Long enough for a busy machine; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const ANA: &str = "5511999990001";
pub const BIA: &str = "5511999990002";

pub fn address(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

pub struct Lab {
    pub sandbox: Sandbox,
    pub store: Store,
    pub engine: WaEngine,
    pub account: AccountId,
    _folder: tempfile::TempDir,
}

impl Lab {
    /// A network with two phones, and an engine with an empty account.
    pub async fn new() -> Self {
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
        let store = Store::open(Options {
            database: Database::Sqlite {
                path: folder.path().join("recado.db"),
            },
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
        let engine = WaEngine::new(WaConfig {
            store: store.clone(),
            network: Network::Sandbox {
                url: sandbox.whatsapp_url(),
            },
            rng,
        })
        .expect("an engine");
        Self {
            sandbox,
            store,
            engine,
            account,
            _folder: folder,
        }
    }

    /// A finished message.
    pub fn text(&self, to: &str, text: &str) -> FinishedMessage {
        let content = OutgoingText {
            id: MessageId::random(&OsRng),
            to: address(to),
            text: text.to_owned(),
            mentioned: Vec::new(),
            reply_to: None,
        };
        FinishedMessage {
            proto: self.engine.compose(&content, &[7; 32]),
            id: content.id,
            to: content.to,
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
        conn.commit().await.expect("a commit");
        instance
    }

    pub async fn start(&self, instance: &InstanceId, sink: &Arc<Recorder>) -> Arc<dyn Link> {
        let spec = LinkSpec {
            account: self.account.clone(),
            instance: instance.clone(),
            device_name: "Recado".to_owned(),
            keep_inbound: true,
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

    /// Waits until `number`'s phone shows `text`, and returns how far it got.
    pub async fn phone_shows(&self, number: &str, text: &str) {
        let shown = self.sandbox.network().wait_for(PATIENCE, |network| {
            let messages = network.messages(number).ok()?;
            messages.iter().any(|m| m.text == text).then_some(())
        });
        shown.await.expect("the phone shows it");
    }
}

/// Remembers everything; refuses batches while told to.
pub struct Recorder {
    messages: Mutex<Vec<InboundMessage>>,
    notices: Mutex<VecDeque<Notice>>,
    refusing: AtomicU32,
    changed: watch::Sender<u64>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            messages: Mutex::default(),
            notices: Mutex::default(),
            refusing: AtomicU32::new(0),
            changed: watch::Sender::new(0),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// The next `times` batches fail.
    pub fn refuse(&self, times: u32) {
        self.refusing.store(times, Ordering::SeqCst);
    }

    pub fn refusals_left(&self) -> u32 {
        self.refusing.load(Ordering::SeqCst)
    }

    pub fn messages(&self) -> Vec<InboundMessage> {
        lock(&self.messages).clone()
    }

    async fn until<T>(&self, what: &str, mut check: impl FnMut() -> Option<T>) -> T {
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

    async fn notice(&self, notice: Notice) {
        lock(&self.notices).push_back(notice);
        self.changed.send_modify(|n| *n += 1);
    }
}
