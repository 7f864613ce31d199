//! The life of one running instance: open, follow what happens, come back, end.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use recado_engine::{Link, LinkSpec, Notice};
use recado_model::{
    AccountId, ConnectionState, Error, ErrorCode, EventKind, Instance, InstanceId, Result,
    StateReason, Timestamp, account::AccountKind, instance::Pairing,
};
use tokio::sync::{mpsc, watch};

use super::{Command, Live, Qr};
use crate::{Core, events, guests, ingest::Ingest};

pub(super) struct Actor {
    pub(super) core: Arc<Core>,
    pub(super) account: AccountId,
    pub(super) instance: InstanceId,
    commands: mpsc::UnboundedSender<Command>,
    inbox: mpsc::UnboundedReceiver<Command>,
    live: watch::Sender<Live>,
    pub(super) link: Option<Arc<dyn Link>>,
    pub(super) online: bool,
    pub(super) own_jid: String,
    pub(super) push_name: Option<String>,
    /// Failed openings in a row.
    attempts: u32,
    retry_at: Option<Timestamp>,
    /// When to look at the queue; `None` = when told.
    pub(super) send_at: Option<Timestamp>,
    guest: bool,
    discard: Arc<AtomicBool>,
}

/// How an actor came to its end.
enum End {
    /// The row already says why.
    Told,
    State(ConnectionState, StateReason),
}

/// What the row must learn.
#[derive(Debug)]
enum Change {
    Paired(Pairing),
    Online {
        news: bool,
    },
    Offline {
        state: ConnectionState,
        reason: StateReason,
        was: bool,
    },
    LoggedOut(StateReason),
}

const RETRY_FIRST_MS: i64 = 1_000;
const RETRY_MAX_MS: i64 = 5 * 60 * 1_000;

impl Actor {
    pub fn new(
        core: Arc<Core>,
        account: AccountId,
        instance: InstanceId,
        commands: mpsc::UnboundedSender<Command>,
        inbox: mpsc::UnboundedReceiver<Command>,
        live: watch::Sender<Live>,
    ) -> Self {
        Self {
            core,
            account,
            instance,
            commands,
            inbox,
            live,
            link: None,
            online: false,
            own_jid: String::new(),
            push_name: None,
            attempts: 0,
            retry_at: None,
            send_at: None,
            guest: false,
            discard: Arc::default(),
        }
    }

    pub async fn run(mut self) {
        let over = match self.begin().await {
            Ok(Some(instance)) => match self.follow(instance).await {
                End::Told => self
                    .live
                    .borrow()
                    .over
                    .unwrap_or(StateReason::DisconnectedByOwner),
                End::State(state, reason) => {
                    self.set_state(state, Some(reason)).await;
                    reason
                }
            },
            // Gone, or another process has it.
            Ok(None) => StateReason::Starting,
            Err(error) => {
                self.log(&error, "could not start the instance");
                StateReason::ConnectFailure
            }
        };
        self.close().await;
        self.release().await;
        self.live.send_modify(|live| {
            live.qr = None;
            live.over = Some(over);
        });
    }

    async fn begin(&mut self) -> Result<Option<Instance>> {
        let now = self.core.clock.now();
        let mut conn = self.core.store.write_relaxed().await?;
        let until = now.plus_millis(self.core.config.lease_ms);
        if conn
            .system()
            .lease_instance(&self.instance, &self.core.config.node, until, now)
            .await?
            .is_none()
        {
            return Ok(None);
        }
        let mut store = conn.account(&self.account);
        let instance = store.instance(&self.instance).await?;
        let account = store.account().await?;
        conn.commit().await?;
        self.guest = account.is_some_and(|account| account.kind == AccountKind::Guest);
        self.discard.store(
            self.guest && self.core.config.guests != crate::Guests::Full,
            Ordering::Relaxed,
        );
        Ok(instance)
    }

    async fn follow(&mut self, instance: Instance) -> End {
        self.own_jid = instance.jid.clone().unwrap_or_default();
        self.push_name = instance.push_name.clone();
        let auto_read = instance.auto_read_messages;
        self.live.send_modify(|live| {
            live.paired = instance.paired;
            live.phone = instance.phone.clone();
        });
        self.set_state(ConnectionState::Connecting, Some(StateReason::Starting))
            .await;
        self.retry_at = Some(self.core.clock.now());
        loop {
            let timer = [self.retry_at, self.send_at.filter(|_| self.online)]
                .into_iter()
                .flatten()
                .min();
            let clock = self.core.clock.clone();
            let wait = async move {
                match timer {
                    Some(at) => clock.sleep_until(at).await,
                    None => pending().await,
                }
            };
            let command = tokio::select! {
                biased;
                command = self.inbox.recv() => command,
                () = wait => {
                    if self.retry_at.is_some_and(|at| at <= self.core.clock.now()) {
                        self.retry_at = None;
                        self.open(auto_read).await;
                    } else if let Err(error) = self.send_next().await {
                        self.log(&error, "the send queue stopped for a moment");
                        self.send_at = Some(self.core.clock.now().plus_millis(RETRY_FIRST_MS));
                    }
                    continue;
                }
            };
            let end = match command {
                None => Some(End::Told),
                Some(Command::Notice(notice)) => self.noticed(notice).await,
                Some(other) => self.told(other).await,
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    async fn open(&mut self, auto_read: bool) {
        let spec = LinkSpec {
            account: self.account.clone(),
            instance: self.instance.clone(),
            device_name: self.core.config.device_name.clone(),
        };
        let sink = Arc::new(Ingest {
            core: self.core.clone(),
            account: self.account.clone(),
            instance: self.instance.clone(),
            actor: self.commands.clone(),
            auto_read,
            discard: self.discard.clone(),
        });
        match self.core.engine.start(spec, sink).await {
            Ok(link) => self.link = Some(link),
            Err(error) => {
                self.log(&error, "could not open the link; trying again");
                self.retry_later();
            }
        }
    }

    /// Back-off with jitter, so that a thousand instances do not come back in one breath.
    fn retry_later(&mut self) {
        let wait = (RETRY_FIRST_MS << self.attempts.min(16)).min(RETRY_MAX_MS);
        let jitter = self.core.rng.below(wait as u64) as i64;
        self.attempts = self.attempts.saturating_add(1);
        self.retry_at = Some(self.core.clock.now().plus_millis(wait / 2 + jitter));
    }

    async fn told(&mut self, command: Command) -> Option<End> {
        match command {
            Command::Notice(_) => None,
            Command::Wake => {
                let now = self.core.clock.now();
                self.send_at = Some(self.send_at.map_or(now, |at| at.max(now)));
                None
            }
            Command::PairCode { phone, reply } => {
                match self.link.clone() {
                    // On its own: WhatsApp may take its time, and the actor has other things to hear.
                    Some(link) => drop(tokio::spawn(async move {
                        let _ = reply.send(link.pair_code(&phone).await);
                    })),
                    None => drop(reply.send(Err(Error::new(
                        ErrorCode::EngineUnavailable,
                        "There is no connection to WhatsApp yet. Ask again in a moment.",
                    )))),
                }
                None
            }
            Command::MarkRead { chat, sender, id } => {
                if let Some(link) = self.link.clone().filter(|_| self.online) {
                    let instance = self.instance.clone();
                    tokio::spawn(async move {
                        if let Err(error) = link.mark_read(&chat, sender.as_deref(), &[id]).await {
                            tracing::debug!(instance.id = %instance, error = &error as &dyn std::error::Error, "could not mark as read");
                        }
                    });
                }
                None
            }
            Command::Disconnect { reply } => {
                self.close().await;
                let done = self.disconnected_by_owner().await;
                let _ = reply.send(done);
                self.over(StateReason::DisconnectedByOwner)
            }
            Command::Logout { reply } => {
                if let Some(link) = self.link.take()
                    && let Err(error) = link.logout().await
                {
                    self.log(
                        &error,
                        "WhatsApp did not confirm the log-out; the device is wiped here",
                    );
                }
                let _ = reply.send(());
                self.over(StateReason::LoggedOutByOwner)
            }
            Command::Stop { reply } => {
                self.close().await;
                // Comes back at the next start.
                self.set_state(ConnectionState::Connecting, Some(StateReason::Starting))
                    .await;
                self.release().await;
                let _ = reply.send(());
                self.over(StateReason::Starting)
            }
        }
    }

    async fn noticed(&mut self, notice: Notice) -> Option<End> {
        match notice {
            Notice::Qr { code, valid_ms } => {
                let until = self.core.clock.now().plus_millis(valid_ms);
                if self.live.borrow().state != ConnectionState::QrPending {
                    self.set_state(ConnectionState::QrPending, None).await;
                }
                self.live
                    .send_modify(|live| live.qr = Some(Qr { code, until }));
                None
            }
            Notice::QrExhausted => Some(End::State(
                ConnectionState::Disconnected,
                StateReason::QrExpired,
            )),
            Notice::PairFailed { message } => {
                tracing::warn!(instance.id = %self.instance, message, "pairing failed");
                None
            }
            Notice::Paired {
                phone,
                jid,
                lid,
                push_name,
                business_name,
            } => {
                self.own_jid = jid.clone();
                self.push_name = push_name.clone();
                let pairing = Pairing {
                    phone: phone.clone(),
                    jid,
                    lid,
                    push_name,
                    business_name,
                };
                self.persist(Change::Paired(pairing)).await;
                self.live.send_modify(|live| {
                    live.qr = None;
                    live.paired = true;
                    live.phone = Some(phone);
                });
                None
            }
            Notice::Online { push_name } => {
                let news = !std::mem::replace(&mut self.online, true);
                self.attempts = 0;
                self.push_name = push_name.or(self.push_name.take());
                self.persist(Change::Online { news }).await;
                self.live.send_modify(|live| {
                    live.qr = None;
                    live.state = ConnectionState::Connected;
                });
                self.send_at = Some(self.core.clock.now());
                None
            }
            Notice::Offline { reason, retrying } => {
                let was = std::mem::replace(&mut self.online, false);
                let state = match reason {
                    _ if retrying || reason.is_transient() => ConnectionState::Connecting,
                    StateReason::TemporaryBan
                    | StateReason::AccountLocked
                    | StateReason::ClientOutdated => ConnectionState::Blocked,
                    _ => ConnectionState::Disconnected,
                };
                self.live.send_modify(|live| live.state = state);
                self.persist(Change::Offline { state, reason, was }).await;
                if retrying {
                    return None;
                }
                self.close().await;
                if reason.is_transient() && self.live.borrow().paired {
                    self.retry_later();
                    return None;
                }
                self.over(reason)
            }
            Notice::LoggedOut { reason } => {
                self.online = false;
                self.persist(Change::LoggedOut(reason)).await;
                self.over(reason)
            }
            // Handled where they arrive.
            Notice::Receipt(_) | Notice::Typing(_) | Notice::ServerAck { .. } => None,
        }
    }

    fn over(&mut self, reason: StateReason) -> Option<End> {
        self.live.send_modify(|live| live.over = Some(reason));
        Some(End::Told)
    }

    async fn close(&mut self) {
        self.online = false;
        if let Some(link) = self.link.take() {
            link.stop().await;
        }
    }

    async fn release(&self) {
        let released = async {
            let mut conn = self.core.store.write_relaxed().await?;
            conn.system()
                .release_lease(&self.instance, &self.core.config.node)
                .await?;
            conn.commit().await
        };
        if let Err(error) = released.await {
            self.log(
                &Error::from(error),
                "could not release the lease; it runs out by itself",
            );
        }
    }

    async fn paired(&self, pairing: &Pairing) -> Result<()> {
        let now = self.core.clock.now();
        let mut conn = self.core.store.write().await?;
        let mut store = conn.account(&self.account);
        store.set_paired(&self.instance, pairing, now).await?;
        store.set_wanted(&self.instance, true, now).await?;
        let detail = serde_json::json!({ "instance": self.instance }).to_string();
        store.audit("instance.paired", &detail, now).await?;
        if self.guest {
            let until = now.plus_millis(guests::PAIRED_MS);
            conn.system()
                .set_account_expiry(&self.account, Some(until))
                .await?;
        }
        Ok(conn.commit().await?)
    }

    async fn came_online(&self, news: bool) -> Result<()> {
        let now = self.core.clock.now();
        let mut conn = self.core.store.write().await?;
        let mut store = conn.account(&self.account);
        store
            .set_state(&self.instance, ConnectionState::Connected, None, now)
            .await?;
        if let Some(name) = &self.push_name {
            store.set_push_name(&self.instance, name, now).await?;
        }
        if news {
            let phone = self.live.borrow().phone.clone();
            let payload = events::connected(
                phone.as_deref(),
                Some(&self.own_jid),
                self.push_name.as_deref(),
            );
            let event = events::event(
                &*self.core.rng,
                &self.account,
                &self.instance,
                EventKind::Connected,
                payload,
                now,
            );
            store.append(&event).await?;
        }
        conn.commit().await?;
        self.core.deliveries.notify_one();
        Ok(())
    }

    async fn went_offline(
        &self,
        state: ConnectionState,
        reason: StateReason,
        was: bool,
    ) -> Result<()> {
        let now = self.core.clock.now();
        let mut conn = self.core.store.write().await?;
        let mut store = conn.account(&self.account);
        store
            .set_state(&self.instance, state, Some(reason), now)
            .await?;
        if was {
            self.append_disconnected(&mut store, reason, now).await?;
        }
        conn.commit().await?;
        self.core.deliveries.notify_one();
        Ok(())
    }

    async fn logged_out(&self, reason: StateReason) -> Result<()> {
        let now = self.core.clock.now();
        let mut conn = self.core.store.write().await?;
        let mut store = conn.account(&self.account);
        store
            .set_unpaired(&self.instance, ConnectionState::LoggedOut, reason, now)
            .await?;
        self.append_disconnected(&mut store, reason, now).await?;
        let detail =
            serde_json::json!({ "instance": self.instance, "reason": reason.as_str() }).to_string();
        store.audit("instance.logged_out", &detail, now).await?;
        conn.commit().await?;
        self.core.deliveries.notify_one();
        Ok(())
    }

    async fn disconnected_by_owner(&self) -> Result<()> {
        let now = self.core.clock.now();
        let reason = StateReason::DisconnectedByOwner;
        let mut conn = self.core.store.write().await?;
        let mut store = conn.account(&self.account);
        store.set_wanted(&self.instance, false, now).await?;
        store
            .set_state(
                &self.instance,
                ConnectionState::Disconnected,
                Some(reason),
                now,
            )
            .await?;
        self.append_disconnected(&mut store, reason, now).await?;
        conn.commit().await?;
        self.core.deliveries.notify_one();
        Ok(())
    }

    async fn append_disconnected(
        &self,
        store: &mut recado_store::AccountStore<'_>,
        reason: StateReason,
        now: Timestamp,
    ) -> Result<()> {
        let payload = events::disconnected(reason);
        let event = events::event(
            &*self.core.rng,
            &self.account,
            &self.instance,
            EventKind::Disconnected,
            payload,
            now,
        );
        store.append(&event).await?;
        Ok(())
    }

    async fn set_state(&self, state: ConnectionState, reason: Option<StateReason>) {
        self.live.send_modify(|live| live.state = state);
        let done = async {
            let mut conn = self.core.store.write_relaxed().await?;
            let now = self.core.clock.now();
            conn.account(&self.account)
                .set_state(&self.instance, state, reason, now)
                .await?;
            conn.commit().await
        };
        if let Err(error) = done.await {
            self.log(&Error::from(error), "could not store the state");
        }
    }

    /// Writes what must not be lost; the database may be busy for a moment.
    async fn persist(&self, change: Change) {
        for wait in [100, 500, 2_000, 10_000] {
            match self.write(&change).await {
                Ok(()) => return,
                Err(error) => self.log(&error, "could not store a change of state; trying again"),
            }
            self.core.clock.sleep_ms(wait).await;
        }
        if let Err(error) = self.write(&change).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(instance.id = %self.instance, error, "gave up storing a change of state");
        }
    }

    async fn write(&self, change: &Change) -> Result<()> {
        match change {
            Change::Paired(pairing) => self.paired(pairing).await,
            Change::Online { news } => self.came_online(*news).await,
            Change::Offline { state, reason, was } => {
                self.went_offline(*state, *reason, *was).await
            }
            Change::LoggedOut(reason) => self.logged_out(*reason).await,
        }
    }

    fn log(&self, error: &Error, what: &'static str) {
        tracing::warn!(instance.id = %self.instance, error = error as &dyn std::error::Error, "{what}");
    }
}
