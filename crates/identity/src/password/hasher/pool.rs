//! The threads that hash, each with memory that it keeps while there is work.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::Block;
use recado_model::{Error, Result};

/// After so long without work a thread gives its memory back: a gateway hashes a few passwords a day.
const IDLE: Duration = Duration::from_secs(30);
/// A tenth of the weight of the other threads where a core is contended, everything where it is not.
#[cfg(target_os = "linux")]
pub const NICE: i32 = 10;

pub type Job = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

pub struct Pool {
    core: Arc<PoolCore>,
}

#[derive(Default)]
struct PoolCore {
    jobs: Mutex<Jobs>,
    bell: Condvar,
    begun: AtomicU64,
}

#[derive(Default)]
struct Jobs {
    queue: VecDeque<Job>,
    closed: bool,
}

impl Pool {
    pub fn start(threads: usize) -> Result<Self> {
        // First the pool, then its threads: when one cannot start, dropping it ends the others.
        let pool = Self {
            core: Arc::default(),
        };
        for n in 0..threads {
            let core = pool.core.clone();
            std::thread::Builder::new()
                .name(format!("password-{n}"))
                .spawn(move || core.work())
                .map_err(Error::internal)?;
        }
        Ok(pool)
    }

    /// The caller sees to it that there are no more jobs than threads.
    pub fn push(&self, job: Job) {
        self.core.lock().queue.push_back(job);
        self.core.bell.notify_one();
    }

    pub fn begun(&self) -> u64 {
        self.core.begun.load(Ordering::Relaxed)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.core.lock().closed = true;
        self.core.bell.notify_all();
    }
}

impl PoolCore {
    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        stand_back();
        let mut memory = Vec::new();
        while let Some(job) = self.next(&mut memory) {
            self.begun.fetch_add(1, Ordering::Relaxed);
            // The asker hears of it: the job's answer is dropped unsent. The thread is needed again.
            let _ = catch_unwind(AssertUnwindSafe(|| job(&mut memory)));
        }
    }

    fn next(&self, memory: &mut Vec<Block>) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if let Some(job) = jobs.queue.pop_front() {
                return Some(job);
            }
            if jobs.closed {
                return None;
            }
            if memory.is_empty() {
                jobs = self.bell.wait(jobs).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (woken, waited) = self
                .bell
                .wait_timeout(jobs, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            jobs = woken;
            if waited.timed_out() && jobs.queue.is_empty() {
                drop(jobs);
                *memory = Vec::new();
                jobs = self.lock();
            }
        }
    }
}

/// Lowers the priority of the calling thread. Elsewhere than on Linux `nice` is about the whole process.
fn stand_back() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICE) {
        tracing::debug!(%error, "the password threads run at the priority of all others");
    }
}
