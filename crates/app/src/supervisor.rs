//! One actor per running instance: it owns the link and sends the queue in order.
//!
//! An instance that is not connected and not pairing has no actor and costs nothing. The instance
//! lease in the store is the lock between processes: an actor starts only what it holds.

mod actor;
mod calls;
mod changes;
mod commands;
mod flights;
mod leaving;
mod look_ups;
mod notices;
mod presence;
mod queue;
mod rounds;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use recado_model::{
    AccountId, ConnectionState, Error, ErrorCode, InstanceId, PhoneNumber, Result, StateReason,
    Timestamp, call::PairCode, instance::LinkingCode,
};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::task::TaskTracker;

use self::actor::Start;
use crate::{Core, exchange::Exchange, inbox::Command};

/// The part of a running instance that callers may watch.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub state: ConnectionState,
    pub qr: Option<LiveQr>,
    pub paired: bool,
    pub phone: Option<String>,
    /// The actor holds the instance's lease.
    pub leased: bool,
    /// Messages that came to a guest and were not kept; counted when the actor is done.
    pub not_kept: u64,
    /// Set when the actor is done, with the reason.
    pub over: Option<StateReason>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            state: ConnectionState::Connecting,
            qr: None,
            paired: false,
            phone: None,
            leased: false,
            not_kept: 0,
            over: None,
        }
    }
}

impl Live {
    fn end(&mut self, reason: StateReason, not_kept: u64) {
        self.qr = None;
        self.not_kept = not_kept;
        self.over = Some(reason);
    }
}

#[derive(Clone, Debug)]
pub(crate) struct LiveQr {
    pub code: String,
    pub until: Timestamp,
}

#[derive(Clone)]
pub(crate) struct Handle {
    /// Tells one actor of an instance from its successor.
    serial: u64,
    /// Whose instance it is for that actor; a claimed instance changes hands.
    pub(crate) account: AccountId,
    pub(crate) commands: mpsc::UnboundedSender<Command>,
    live: watch::Receiver<Live>,
}

impl Handle {
    fn is_running(&self) -> bool {
        !self.commands.is_closed() && self.live.borrow().over.is_none()
    }
}

#[derive(Default)]
struct Actors {
    running: HashMap<InstanceId, Handle>,
    serial: u64,
    /// Being deleted or moved, by so many: nothing starts them.
    leaving: HashMap<InstanceId, u32>,
    /// Set once the program is stopping: nothing starts any more.
    closed: bool,
}

#[derive(Clone)]
pub(crate) struct Supervisor {
    pub(crate) core: Arc<Core>,
    actors: Arc<Mutex<Actors>>,
    tasks: TaskTracker,
    /// Rung when there may be something to start.
    look: Arc<Notify>,
}

/// How long a caller waits for an actor to close its link.
const CLOSE_WAIT_MS: i64 = 15_000;
/// How long a link may take to be online: for the answer to a claim, and for a log-out.
const ONLINE_WAIT_MS: i64 = 5_000;

impl Supervisor {
    pub fn new(core: Arc<Core>) -> Self {
        Self {
            core,
            actors: Arc::default(),
            tasks: TaskTracker::new(),
            look: Arc::default(),
        }
    }

    /// Rows that say more than is true after a crash: states without a link, leases without a holder.
    /// Before anything else runs: later it would take what was just given out.
    pub async fn recover(&self) -> Result<()> {
        let mut conn = self.core.store.write().await?;
        conn.system()
            .reset_node(&self.core.config.node, self.core.clock.now())
            .await?;
        Ok(conn.commit().await?)
    }

    /// The live view of an instance, started when it was not running.
    pub fn ensure(
        &self,
        account: &AccountId,
        instance: &InstanceId,
    ) -> Result<watch::Receiver<Live>> {
        let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        if actors.closed {
            return Err(Error::new(
                ErrorCode::Unavailable,
                "The gateway is shutting down. Try again in a moment.",
            )
            .with_retry_after(5));
        }
        if actors.leaving.contains_key(instance) {
            return Err(Error::new(
                ErrorCode::Conflict,
                "The instance is being deleted or claimed.",
            ));
        }
        if let Some(handle) = actors
            .running
            .get(instance)
            .filter(|handle| handle.is_running())
        {
            // A caller who was judged before the instance was claimed must not see the shop's link.
            return match handle.account == *account {
                true => Ok(handle.live.clone()),
                false => Err(Error::forbidden()),
            };
        }
        actors.serial += 1;
        let serial = actors.serial;
        let (commands, inbox) = mpsc::unbounded_channel();
        let (live, watching) = watch::channel(Live::default());
        let handle = Handle {
            serial,
            account: account.clone(),
            commands: commands.clone(),
            live: watching.clone(),
        };
        actors.running.insert(instance.clone(), handle);
        let start = Start {
            core: self.core.clone(),
            account: account.clone(),
            instance: instance.clone(),
            commands,
            inbox,
            live,
        };
        let (all, id) = (self.actors.clone(), instance.clone());
        self.tasks.spawn(async move {
            start.run().await;
            let mut actors = all.lock().unwrap_or_else(PoisonError::into_inner);
            if actors
                .running
                .get(&id)
                .is_some_and(|handle| handle.serial == serial)
            {
                actors.running.remove(&id);
            }
        });
        Ok(watching)
    }

    /// Starts the link and waits a while for it.
    pub async fn online(&self, account: &AccountId, id: &InstanceId) -> Result<Live> {
        let mut live = self.ensure(account, id)?;
        let there =
            live.wait_for(|live| live.state == ConnectionState::Connected || live.over.is_some());
        tokio::select! {
            there = there => drop(there),
            () = self.core.clock.sleep_ms(ONLINE_WAIT_MS) => {}
        }
        Ok(live.borrow().clone())
    }

    /// Tells a running instance that its queue has something. One that is just coming back reads its
    /// queue when it starts, and another node looks at the queues of its instances by itself.
    pub fn wake(&self, instance: &InstanceId) {
        if let Some(handle) = self.handle(instance) {
            drop(handle.commands.send(Command::Wake));
        }
    }

    /// Tells a running instance that it shows itself in another way from now on.
    pub fn appear(&self, instance: &InstanceId) {
        if let Some(handle) = self.handle(instance) {
            drop(handle.commands.send(Command::Appear));
        }
    }

    /// Looks for instances to start now, not at the next round.
    pub fn look_now(&self) {
        self.look.notify_one();
    }

    /// Tells a running instance that it is no longer paid for.
    pub fn unpaid(&self, instance: &InstanceId) {
        if let Some(handle) = self.handle(instance) {
            drop(handle.commands.send(Command::Unpaid));
        }
    }

    pub async fn pair_code(
        &self,
        account: &AccountId,
        instance: &InstanceId,
        phone: &PhoneNumber,
    ) -> Result<LinkingCode> {
        let late = || {
            Error::new(
                ErrorCode::EngineUnavailable,
                "WhatsApp gave no link code in time. Ask again in a moment.",
            )
            .with_retry_after(5)
        };
        self.require_here(instance).await?;
        let mut live = self.ensure(account, instance)?;
        // The code can be asked for once WhatsApp has greeted us, which the first QR shows.
        let greeted = live.wait_for(|live| live.qr.is_some() || live.paired || live.over.is_some());
        tokio::select! {
            greeted = greeted => drop(greeted.map_err(|_| late())?),
            () = self.core.clock.sleep_ms(CLOSE_WAIT_MS) => return Err(late()),
        }
        let call = PairCode {
            phone: phone.clone(),
        };
        let exchange: &dyn Exchange = self;
        tokio::select! {
            answer = exchange.ask(account, instance, call) => answer,
            () = self.core.clock.sleep_ms(2 * CLOSE_WAIT_MS) => Err(late()),
        }
    }

    /// Whether there is a pairing, which is kept.
    pub async fn disconnect(&self, account: &AccountId, instance: &InstanceId) -> Result<bool> {
        // First: an actor of ours may not have noticed yet that it lost the instance.
        self.require_here(instance).await?;
        if let Some(handle) = self.handle(instance) {
            let (reply, answer) = oneshot::channel();
            if handle.commands.send(Command::Disconnect { reply }).is_ok()
                && let Ok(done) = answer.await
            {
                return done;
            }
        }
        let mut conn = self.core.store.write().await?;
        let now = self.core.clock.now();
        let mut store = conn.account(account);
        let paired = store
            .instance(instance)
            .await?
            .is_some_and(|row| row.paired);
        // An instance that was never paired, or is logged out, is disconnected as it is; its row says why.
        if paired {
            store.set_wanted(instance, false, now).await?;
            let reason = Some(StateReason::DisconnectedByOwner);
            let state = ConnectionState::Disconnected;
            store.set_state(instance, state, reason, now).await?;
        }
        conn.commit().await?;
        Ok(paired)
    }

    /// Ends the pairing and the actor, best effort: WhatsApp may not answer. A paired instance that is
    /// not running is only forgotten; its entry on the phone fades by itself.
    pub async fn logout(&self, instance: &InstanceId) {
        let Some(handle) = self.handle(instance) else {
            return;
        };
        let (reply, answer) = oneshot::channel();
        if handle.commands.send(Command::Logout { reply }).is_ok() {
            tokio::select! {
                _ = answer => {}
                () = self.core.clock.sleep_ms(CLOSE_WAIT_MS) => {
                    tracing::warn!(instance.id = %instance, "the link did not close in time");
                }
            }
        }
    }

    pub async fn stop_all(&self) {
        let handles: Vec<_> = {
            let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
            actors.closed = true;
            actors.running.values().cloned().collect()
        };
        let waiting: Vec<_> = handles
            .into_iter()
            .filter_map(|handle| {
                let (reply, answer) = oneshot::channel();
                handle
                    .commands
                    .send(Command::Stop { reply })
                    .is_ok()
                    .then_some(answer)
            })
            .collect();
        let all = async {
            for answer in waiting {
                // An actor that ended meanwhile has closed its link too.
                let _ = answer.await;
            }
            self.tasks.close();
            self.tasks.wait().await;
        };
        tokio::select! {
            () = all => {}
            () = self.core.clock.sleep_ms(CLOSE_WAIT_MS) => {
                tracing::warn!("some links did not close in time; their sockets end with the program");
            }
        }
    }

    pub(crate) fn handle(&self, instance: &InstanceId) -> Option<Handle> {
        let actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        actors
            .running
            .get(instance)
            .filter(|handle| handle.is_running())
            .cloned()
    }
}
