//! Argon2id on a bounded pool.
//!
//! A hash takes 19 MiB and tens of milliseconds on purpose. Unbounded, a flood of log-ins takes the gateway
//! down; so few run at a time, few wait, and the rest hears "try again in a moment" before anything was
//! computed. The pool's threads stand back behind the others: callers with API credentials do not pay for a
//! flood.

mod argon;
mod pool;
#[cfg(test)]
mod tests;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::Block;
use recado_model::{Clock, Error, ErrorCode, Result, Rng, Secret};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use self::{argon::Stored, pool::Pool};
use super::{Blocklist, Password};

/// How many hashes at once, and who may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HasherConfig {
    /// Hashes at the same time, each with a thread and 19 MiB of its own. At least 1.
    pub threads: usize,
    /// How many more may wait for their turn.
    pub queue: usize,
    /// For how long, in milliseconds, until the hash begins.
    pub wait_ms: i64,
}

impl Default for HasherConfig {
    /// Half of the cores. A queue of eight is served in 0.2 s where cores are free, and on a machine ten times
    /// slower in time. Where callers with credentials keep every core busy a hash takes about half a second,
    /// and three seconds let six through: as long as people wait for a page, so the others hear it then.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            threads: (cores / 2).max(1),
            queue: 8,
            wait_ms: 3_000,
        }
    }
}

/// The outcome of comparing a password with the hash that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordVerdict {
    pub holds: bool,
    /// It holds, and the hash was made with other parameters than new ones are: replace it with
    /// [`Hasher::hash`] of the same password.
    pub upgrade: bool,
}

/// The pool. One for the program; its threads end when it is dropped.
pub struct Hasher {
    pool: Pool,
    /// One for each thread.
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    config: HasherConfig,
    clock: Arc<dyn Clock>,
    /// The hash that unknown users are compared with.
    dummy: String,
}

impl Hasher {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn new(config: HasherConfig, clock: Arc<dyn Clock>, rng: &dyn Rng) -> Result<Self> {
        let threads = config.threads.max(1);
        Ok(Self {
            pool: Pool::start(threads)?,
            places: Arc::new(Semaphore::new(threads)),
            waiting: AtomicUsize::new(0),
            config,
            clock,
            dummy: argon::dummy(rng)?,
        })
    }

    /// The PHC string (`$argon2id$…`) to keep.
    ///
    /// # Errors
    /// `unavailable` when too many wait already, or when the wait was too long.
    pub async fn hash(&self, password: &Password, rng: &dyn Rng) -> Result<String> {
        let salt = argon::salt(rng);
        let password = password.clone();
        self.run(move |memory| argon::hash(&password, &salt, memory))
            .await?
    }

    /// [`Password::choose`], then [`Hasher::hash`], in one turn.
    ///
    /// # Errors
    /// Those of both.
    pub async fn choose(
        &self,
        text: &str,
        context: &[&str],
        blocked: &Blocklist,
        rng: &dyn Rng,
    ) -> Result<String> {
        // A password that is wrong at first sight needs no turn.
        Password::parse(text)?;
        let salt = argon::salt(rng);
        let text = Secret::new(text);
        let context: Vec<String> = context.iter().copied().map(String::from).collect();
        let blocked = blocked.clone();
        self.run(move |memory| {
            let context: Vec<&str> = context.iter().map(String::as_str).collect();
            let password = Password::choose(text.expose(), &context, &blocked)?;
            argon::hash(&password, &salt, memory)
        })
        .await?
    }

    /// Compares with the hash that is kept, `None` for a user who does not exist. That one costs the same
    /// and never holds, and so does a hash that cannot be read (which goes to the log): nobody learns from
    /// the time of an answer who has an account here.
    ///
    /// # Errors
    /// `unavailable` as for [`Hasher::hash`].
    pub async fn verify(&self, password: &Password, kept: Option<&str>) -> Result<PasswordVerdict> {
        let stored = kept.map(Stored::parse);
        if let Some(Err(error)) = &stored {
            tracing::error!(%error, "a password hash in the database cannot be read; its user cannot sign in");
        }
        let (known, stored) = match stored {
            Some(Ok(stored)) => (true, stored),
            _ => (false, Stored::parse(&self.dummy).map_err(Error::internal)?),
        };
        let password = password.clone();
        let equal = self
            .run(move |memory| Ok((stored.matches(&password, memory)?, stored.is_current())))
            .await?;
        equal.map(|(equal, current)| PasswordVerdict {
            holds: equal && known,
            upgrade: equal && known && !current,
        })
    }

    /// How many hashes it has begun.
    pub fn begun(&self) -> u64 {
        self.pool.begun()
    }

    /// Runs `work` on a thread of the pool, when its turn comes.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T> {
        let place = self.place().await?;
        let (answer, answered) = oneshot::channel();
        self.pool.push(Box::new(move |memory| {
            let result = work(memory);
            // The place belongs to the work, not to the caller: one who goes away does not free a thread.
            drop(place);
            // Nobody listens any more: fine.
            let _ = answer.send(result);
        }));
        answered
            .await
            .map_err(|_| Error::internal("a password hash was given up half-way"))
    }

    async fn place(&self) -> Result<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let _waiting = Waiting::begin(&self.waiting, self.config.queue).ok_or_else(busy)?;
        tokio::select! {
            biased;
            place = self.places.clone().acquire_owned() => place.map_err(Error::internal),
            () = self.clock.sleep_ms(self.config.wait_ms) => Err(busy()),
        }
    }
}

/// One place in the queue; left when dropped, however the wait ended.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        waiting
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| {
                (n < most).then_some(n + 1)
            })
            .ok()
            .map(|_| Self(waiting))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn busy() -> Error {
    metrics::counter!("recado_password_pool_busy_total").increment(1);
    Error::new(
        ErrorCode::Unavailable,
        "Many people are signing in at once. Try again in a moment.",
    )
    .with_retry_after(1)
}

/// The PHC string of a password, outside the pool: for the command line, where nobody floods.
///
/// # Errors
/// None that a caller can cause.
pub async fn hash(password: &Password, rng: &dyn Rng) -> Result<String> {
    let salt = argon::salt(rng);
    let password = password.clone();
    tokio::task::spawn_blocking(move || argon::hash(&password, &salt, &mut Vec::new()))
        .await
        .map_err(Error::internal)?
}
