//! The real clock.

use std::{
    sync::LazyLock,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use recado_model::{
    Clock, Timestamp,
    clock::{Monotonic, Sleep},
};

/// The operating system's time, and the runtime's timer.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The longest that one who waits for a wall time sleeps before looking at the wall again: it may have
/// been set, and nobody is told.
const LOOK_AGAIN_MS: i64 = 2_000;

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where real time enters the program"
)]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where real time enters the program"
)]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn monotonic(&self) -> Monotonic {
        let went_by = START.elapsed().as_millis();
        Monotonic::from_millis(i64::try_from(went_by).unwrap_or(i64::MAX))
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let clock = *self;
        Box::pin(async move {
            loop {
                let left = at.since(clock.now());
                if left <= 0 {
                    return;
                }
                clock.sleep_ms(left.min(LOOK_AGAIN_MS)).await;
            }
        })
    }

    fn sleep_until_monotonic(&self, at: Monotonic) -> Sleep {
        let wait = u64::try_from(at.since(self.monotonic())).unwrap_or(0);
        Box::pin(tokio::time::sleep(Duration::from_millis(wait)))
    }
}
