//! The life of one running instance: open, follow what happens, come back, end. What it is told to do is in
//! `commands`, what its link tells in `notices`, what it writes in `changes`, what it sends in `queue`.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use recado_engine::{Link, LinkSpec};
use recado_identity::faults;
use recado_model::{
    AccountId, Address, ConnectionState, Error, Instance, InstanceId, Monotonic, Result,
    StateReason, Timestamp, account::AccountKind,
};
use recado_store::Lease;
use tokio::sync::{mpsc, oneshot, watch};

use super::{Live, flights::Flights};
use crate::{Core, held::Held, inbox::Command, ingest::Ingest};

/// What an actor is begun with.
pub(super) struct Start {
    pub core: Arc<Core>,
    pub account: AccountId,
    pub instance: InstanceId,
    pub commands: mpsc::UnboundedSender<Command>,
    pub inbox: mpsc::UnboundedReceiver<Command>,
    pub live: watch::Sender<Live>,
}

/// An instance that this process may run.
struct Leased {
    held: Held,
    instance: Instance,
    guest: bool,
}

pub(super) struct Actor {
    pub(super) core: Arc<Core>,
    pub(super) account: AccountId,
    pub(super) instance: InstanceId,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    inbox: mpsc::UnboundedReceiver<Command>,
    pub(super) live: watch::Sender<Live>,
    /// The instance under its lease, for every change.
    pub(super) held: Held,
    pub(super) link: Option<Arc<dyn Link>>,
    pub(super) online: bool,
    pub(super) own_jid: Option<Address>,
    pub(super) push_name: Option<String>,
    /// Failed openings in a row.
    pub(super) attempts: u32,
    retry_at: Option<Monotonic>,
    /// The program ends, and another node may take the instance at once.
    pub(super) handing_over: bool,
    pub(super) flights: Flights,
    /// When to look at the queue; `None` = when told.
    pub(super) look_at: Option<Monotonic>,
    pub(super) last_look: Monotonic,
    /// When the next message that waits for its time may leave, by the wall clock.
    pub(super) due_at: Option<Timestamp>,
    /// The pace: not before this.
    pub(super) next_start: Monotonic,
    /// When a connection was last opened anew because of silence or staleness, and when the next is.
    pub(super) renewed: Option<Monotonic>,
    pub(super) renew_at: Option<Monotonic>,
    /// Groups whose members may lack the key of a message that is to be repeated.
    pub(super) rekey: BTreeSet<Address>,
    pub(super) guest: bool,
    discard: Arc<AtomicBool>,
    not_kept: Arc<AtomicU64>,
}

/// How an actor came to its end. The caller who asked for it hears only when link and lease are gone, so
/// that the next actor of the instance never meets this one.
pub(super) struct End {
    /// For the row; `None` when it says so already.
    pub(super) state: Option<ConnectionState>,
    pub(super) reason: StateReason,
    pub(super) reply: Option<Reply>,
}

pub(super) enum Reply {
    Closed(oneshot::Sender<()>),
    Disconnected(oneshot::Sender<Result<bool>>, Result<bool>),
}

impl Reply {
    /// Nobody waiting any more is fine.
    fn send(self) {
        match self {
            Self::Closed(to) => drop(to.send(())),
            Self::Disconnected(to, done) => drop(to.send(done)),
        }
    }
}

/// The end that the row knows of already, and nobody waits for.
pub(super) fn over(reason: StateReason) -> End {
    End {
        state: None,
        reason,
        reply: None,
    }
}

const RETRY_FIRST_MS: i64 = 1_000;
const RETRY_MAX_MS: i64 = 5 * 60 * 1_000;

impl Start {
    /// Runs the instance to its end.
    pub async fn run(self) {
        let reason = match self.lease().await {
            Ok(Some(leased)) => {
                return Actor::new(self, leased.held, leased.guest)
                    .run(leased.instance)
                    .await;
            }
            // Gone, or another process has it.
            Ok(None) => StateReason::Starting,
            Err(error) => {
                log(&self.instance, &error, "could not start the instance");
                StateReason::ConnectFailure
            }
        };
        release(&self.core, &self.instance, false).await;
        self.live.send_modify(|live| live.end(reason, 0));
    }

    async fn lease(&self) -> Result<Option<Leased>> {
        let now = self.core.clock.now();
        let mut conn = self.core.store.write_relaxed().await?;
        let until = now.plus_millis(self.core.config.lease_ms);
        let owner = self.core.config.node.clone();
        let leasing = conn
            .system()
            .lease_instance(&self.instance, &owner, until, now)
            .await?;
        let Some(fence) = leasing else {
            return Ok(None);
        };
        let mut store = conn.account(&self.account);
        let instance = store.instance(&self.instance).await?;
        let account = store.account().await?;
        conn.commit().await?;
        // Its owner may have disconnected it since somebody asked for this start.
        let runs = instance.filter(|instance| !instance.paired || instance.wanted);
        Ok(runs.map(|instance| Leased {
            held: Held {
                core: self.core.clone(),
                account: self.account.clone(),
                instance: self.instance.clone(),
                lease: Lease { owner, fence },
            },
            guest: account.is_some_and(|account| account.kind == AccountKind::Guest),
            instance,
        }))
    }
}

/// Lets other processes have the instance at once. `tell`: it is handed over.
async fn release(core: &Core, instance: &InstanceId, tell: bool) {
    let released = async {
        let mut conn = core.store.write_relaxed().await?;
        conn.system()
            .release_lease(instance, &core.config.node)
            .await?;
        if tell {
            // Other nodes look at the epoch twice a second, and then for what they may start.
            conn.system().bump_epoch().await?;
        }
        conn.commit().await
    };
    if let Err(error) = released.await {
        log(
            instance,
            &Error::from(error),
            "could not release the lease; it runs out by itself",
        );
    }
}

fn log(instance: &InstanceId, error: &Error, what: &'static str) {
    // Every actor meets a database in trouble, over and over.
    if let Some(left_out) = faults::worth_a_line(error) {
        tracing::warn!(instance.id = %instance, error = error as &dyn std::error::Error, left_out, "{what}");
    }
}

impl Actor {
    fn new(start: Start, held: Held, guest: bool) -> Self {
        let discard = guest && start.core.config.guests != crate::Guests::Full;
        Self {
            core: start.core,
            account: start.account,
            instance: start.instance,
            commands: start.commands,
            inbox: start.inbox,
            live: start.live,
            held,
            link: None,
            online: false,
            own_jid: None,
            push_name: None,
            attempts: 0,
            retry_at: None,
            handing_over: false,
            flights: Flights::default(),
            look_at: None,
            last_look: Monotonic::default(),
            due_at: None,
            next_start: Monotonic::default(),
            renewed: None,
            renew_at: None,
            rekey: BTreeSet::new(),
            guest,
            discard: Arc::new(AtomicBool::new(discard)),
            not_kept: Arc::default(),
        }
    }

    async fn run(mut self, instance: Instance) {
        self.live.send_modify(|live| live.leased = true);
        let end = self.follow(instance).await;
        if let Some(state) = end.state {
            self.set_state(state, Some(end.reason)).await;
        }
        self.close().await;
        release(&self.core, &self.instance, self.handing_over).await;
        let not_kept = self.not_kept.load(Ordering::Relaxed);
        self.live.send_modify(|live| live.end(end.reason, not_kept));
        if let Some(reply) = end.reply {
            reply.send();
        }
    }

    async fn follow(&mut self, instance: Instance) -> End {
        self.own_jid = instance.jid.clone();
        self.push_name = instance.push_name.clone();
        self.live.send_modify(|live| {
            live.paired = instance.paired;
            live.phone = instance.phone.clone();
        });
        let now = self.core.clock.now();
        let standing = self.core.billing.standing(&instance.billing, now);
        if !standing.status.works() {
            return End {
                state: Some(ConnectionState::Disconnected),
                ..over(StateReason::Unpaid)
            };
        }
        self.set_state(ConnectionState::Connecting, Some(StateReason::Starting))
            .await;
        self.retry_at = Some(self.core.clock.monotonic());
        loop {
            let timer = [self.retry_at, self.queue_timer()]
                .into_iter()
                .flatten()
                .min();
            let due = self
                .due_at
                .filter(|_| self.online && self.flights.has_room());
            let clock = self.core.clock.clone();
            let wait = async move {
                match timer {
                    Some(at) => clock.sleep_until_monotonic(at).await,
                    None => pending().await,
                }
            };
            let clock = self.core.clock.clone();
            let wait_due = async move {
                match due {
                    Some(at) => clock.sleep_until(at).await,
                    None => pending().await,
                }
            };
            let command = tokio::select! {
                biased;
                command = self.inbox.recv() => command,
                () = wait => {
                    if self.retry_at.is_some_and(|at| at <= self.core.clock.monotonic()) {
                        self.retry_at = None;
                        self.open().await;
                    } else {
                        self.tend().await;
                    }
                    continue;
                }
                () = wait_due => {
                    self.due_at = None;
                    self.look_soon();
                    continue;
                }
            };
            let end = match command {
                None => Some(over(StateReason::Starting)),
                Some(command) => self.told(command).await,
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    async fn open(&mut self) {
        if let Err(error) = self.try_open().await {
            self.log(&error, "could not open the link; trying again");
            self.retry_later();
        }
    }

    async fn try_open(&mut self) -> Result<()> {
        let held = self.held.clone();
        let mut conn = self.core.store.read().await?;
        let mut store = conn.account(&self.account);
        let tried = store.tried_addresses(&self.instance).await?;
        let unknown = store.unknown_jobs(&self.instance).await?;
        let behaviour = store.behaviour(&self.instance).await?;
        drop(conn);
        if unknown > 0 {
            metrics::counter!("recado_jobs_unknown_total").increment(unknown.unsigned_abs());
            tracing::warn!(instance.id = %self.instance, unknown, "a newer program left messages that this one does not know how to send; they wait for it");
        }
        let groups = tried.into_iter().filter(Address::is_group);
        let spec = LinkSpec {
            account: self.account.clone(),
            instance: self.instance.clone(),
            device_name: self.core.config.device_name.clone(),
            keep_inbound: !self.discard.load(Ordering::Relaxed),
            history: behaviour.unwrap_or_default().0.history,
            lease: held.lease.clone(),
            rekey: groups.collect(),
        };
        let sink = Arc::new(Ingest {
            held,
            actor: self.commands.clone(),
            discard: self.discard.clone(),
            not_kept: self.not_kept.clone(),
        });
        self.link = Some(self.core.engine.start(spec, sink).await?);
        Ok(())
    }

    /// Back-off with jitter, so that a thousand instances do not come back in one breath.
    pub(super) fn retry_later(&mut self) {
        let wait = (RETRY_FIRST_MS << self.attempts.min(16)).min(RETRY_MAX_MS);
        let jitter = self.core.rng.below(wait as u64) as i64;
        self.attempts = self.attempts.saturating_add(1);
        let now = self.core.clock.monotonic();
        self.retry_at = Some(now.plus_millis(wait / 2 + jitter));
    }

    pub(super) async fn close(&mut self) {
        self.online = false;
        drop(self.flights.void());
        if let Some(link) = self.link.take() {
            link.stop().await;
        }
    }

    pub(super) fn log(&self, error: &Error, what: &'static str) {
        log(&self.instance, error, what);
    }
}
