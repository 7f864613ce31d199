//! Time and randomness as parameters, so that tests decide both.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// Milliseconds since the Unix epoch, UTC. What the store keeps and the API renders as RFC 3339.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }
    pub const fn as_millis(self) -> i64 {
        self.0
    }
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1000)
    }
    pub const fn plus_millis(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
    pub const fn plus_secs(self, secs: i64) -> Self {
        self.plus_millis(secs.saturating_mul(1000))
    }
    /// Milliseconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
    /// `2026-01-31T12:00:00.000Z`.
    pub fn to_rfc3339(self) -> String {
        let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH);
        at.format(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z"
        ))
        .unwrap_or_default()
    }
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000)
            .ok()
            .map(Self)
    }
}

pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The only source of time in the program.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
    /// Completes once `now() >= at`.
    fn sleep_until(&self, at: Timestamp) -> Sleep;
    fn sleep_ms(&self, ms: i64) -> Sleep {
        self.sleep_until(self.now().plus_millis(ms))
    }
}

/// The only source of randomness in the program. Must be cryptographically secure in production.
pub trait Rng: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);

    /// Uniform in `0..bound` (`bound > 0`); rejection sampling, so unbiased.
    fn below(&self, bound: u64) -> u64 {
        let zone = u64::MAX - u64::MAX % bound;
        loop {
            let mut bytes = [0u8; 8];
            self.fill(&mut bytes);
            let n = u64::from_le_bytes(bytes);
            if n < zone {
                return n % bound;
            }
        }
    }
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRng;

impl Rng for OsRng {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where randomness comes from"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        // A system that cannot give random bytes cannot make any secret: going on would be worse.
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// A clock that moves only when a test moves it; sleepers wake as it passes them.
#[derive(Default)]
pub struct ManualClock {
    inner: std::sync::Arc<Mutex<ManualInner>>,
}

#[derive(Default)]
struct ManualInner {
    now: Timestamp,
    sleepers: Vec<(Timestamp, Waker)>,
}

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        let clock = Self::default();
        clock.set(now);
        clock
    }
    pub fn set(&self, now: Timestamp) {
        let woken: Vec<Waker> = {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.now = now;
            let (due, later) = std::mem::take(&mut inner.sleepers)
                .into_iter()
                .partition::<Vec<_>, _>(|(at, _)| *at <= now);
            inner.sleepers = later;
            due.into_iter().map(|(_, waker)| waker).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }
    pub fn advance_ms(&self, ms: i64) {
        self.set(self.now().plus_millis(ms));
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .now
    }
    fn sleep_until(&self, at: Timestamp) -> Sleep {
        Box::pin(ManualSleep {
            at,
            inner: self.inner.clone(),
        })
    }
}

struct ManualSleep {
    at: Timestamp,
    inner: std::sync::Arc<Mutex<ManualInner>>,
}

impl Future for ManualSleep {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.now >= self.at {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        // One entry per waker is enough; a second poll must not grow the list.
        inner
            .sleepers
            .retain(|(at, known)| *at != self.at || !known.will_wake(&waker));
        inner.sleepers.push((self.at, waker));
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_render_and_parse() {
        let at = Timestamp(1_767_225_600_123);
        assert_eq!(at.to_rfc3339(), "2026-01-01T00:00:00.123Z");
        assert_eq!(Timestamp::parse_rfc3339(&at.to_rfc3339()), Some(at));
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }
}
