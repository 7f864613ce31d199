//! Time and randomness as parameters, so that tests decide both.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

/// Milliseconds since the Unix epoch, UTC. The store keeps this, and the API renders it as RFC 3339.
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

/// Milliseconds since some start of this process: never goes back, whatever is done to the wall clock.
/// For pauses, back-off, pacing and how long something took. A type of its own, so that it is never
/// mixed with a [`Timestamp`]; it means nothing to another process and is never stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(i64);

impl Monotonic {
    pub const fn from_millis(ms: i64) -> Self {
        Self(ms)
    }
    pub const fn as_millis(self) -> i64 {
        self.0
    }
    pub const fn plus_millis(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
    /// Milliseconds from `earlier` to `self`; negative when `self` is the earlier one.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The only source of time in the program.
///
/// [`Clock::now`] is the wall: for what is stored, shown, or due at a time that outlives the process. It
/// may step, an hour back or forth. Whatever only waits or measures goes by [`Clock::monotonic`].
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
    fn monotonic(&self) -> Monotonic;
    /// Completes once `now() >= at`; a step of the wall clock, either way, is noticed within seconds.
    fn sleep_until(&self, at: Timestamp) -> Sleep;
    /// Completes once `monotonic() >= at`.
    fn sleep_until_monotonic(&self, at: Monotonic) -> Sleep;
    /// So long, whatever the wall clock does meanwhile.
    fn sleep_ms(&self, ms: i64) -> Sleep {
        self.sleep_until_monotonic(self.monotonic().plus_millis(ms))
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
    wall: Timestamp,
    monotonic: Monotonic,
    sleepers: Vec<(Until, Waker)>,
}

/// The moment that a sleeper waits for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    Wall(Timestamp),
    Monotonic(Monotonic),
}

impl ManualInner {
    fn has_come(&self, until: Until) -> bool {
        match until {
            Until::Wall(at) => self.wall >= at,
            Until::Monotonic(at) => self.monotonic >= at,
        }
    }
}

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        let clock = Self::default();
        clock.step_wall_ms(now.as_millis());
        clock
    }

    /// Time goes by until the wall shows `now`. When that is in the past, the wall alone is set back.
    pub fn set(&self, now: Timestamp) {
        self.advance_ms(now.since(self.now()));
    }

    /// Time goes by. A negative `ms` sets the wall back and nothing else: no time goes by backwards.
    pub fn advance_ms(&self, ms: i64) {
        self.turn(ms, ms.max(0));
    }

    /// Somebody sets the wall clock, forth or back, and no time goes by.
    pub fn step_wall_ms(&self, ms: i64) {
        self.turn(ms, 0);
    }

    fn turn(&self, wall_ms: i64, monotonic_ms: i64) {
        let woken: Vec<Waker> = {
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            inner.wall = inner.wall.plus_millis(wall_ms);
            inner.monotonic = inner.monotonic.plus_millis(monotonic_ms);
            let (due, later) = std::mem::take(&mut inner.sleepers)
                .into_iter()
                .partition::<Vec<_>, _>(|(until, _)| inner.has_come(*until));
            inner.sleepers = later;
            due.into_iter().map(|(_, waker)| waker).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    fn sleep(&self, until: Until) -> Sleep {
        Box::pin(ManualSleep {
            until,
            inner: self.inner.clone(),
        })
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wall
    }
    fn monotonic(&self) -> Monotonic {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .monotonic
    }
    fn sleep_until(&self, at: Timestamp) -> Sleep {
        self.sleep(Until::Wall(at))
    }
    fn sleep_until_monotonic(&self, at: Monotonic) -> Sleep {
        self.sleep(Until::Monotonic(at))
    }
}

struct ManualSleep {
    until: Until,
    inner: std::sync::Arc<Mutex<ManualInner>>,
}

impl Future for ManualSleep {
    type Output = ();
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.has_come(self.until) {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        // One entry per waker is enough; a second poll must not grow the list.
        inner
            .sleepers
            .retain(|(until, known)| *until != self.until || !known.will_wake(&waker));
        inner.sleepers.push((self.until, waker));
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    #[test]
    fn timestamps_render_and_parse() {
        let at = Timestamp(1_767_225_600_123);
        assert_eq!(at.to_rfc3339(), "2026-01-01T00:00:00.123Z");
        assert_eq!(Timestamp::parse_rfc3339(&at.to_rfc3339()), Some(at));
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    fn is_over(sleep: &mut Sleep) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        sleep.as_mut().poll(&mut context).is_ready()
    }

    #[test]
    fn a_pause_is_as_long_as_it_is_whatever_is_done_to_the_wall() {
        for step in [HOUR_MS, -HOUR_MS] {
            let clock = ManualClock::at(Timestamp(1_767_225_600_000));
            let mut pause = clock.sleep_ms(1_000);
            clock.step_wall_ms(step);
            assert!(!is_over(&mut pause), "no time went by, step {step}");
            clock.advance_ms(999);
            assert!(!is_over(&mut pause), "step {step}");
            clock.advance_ms(1);
            assert!(is_over(&mut pause), "step {step}");
        }
    }

    #[test]
    fn what_is_due_at_a_wall_time_is_due_by_the_wall() {
        let start = Timestamp(1_767_225_600_000);
        let clock = ManualClock::at(start);
        let mut due = clock.sleep_until(start.plus_millis(1_000));
        clock.step_wall_ms(-HOUR_MS);
        clock.advance_ms(1_000);
        assert!(!is_over(&mut due));
        clock.step_wall_ms(HOUR_MS);
        assert!(is_over(&mut due));
        let before = clock.monotonic();
        clock.advance_ms(-HOUR_MS);
        assert_eq!(clock.monotonic(), before, "no time goes by backwards");
    }
}
