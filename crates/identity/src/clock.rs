//! The real clock, and who notices that somebody set it.

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

/// Notices steps of the wall clock, for who keeps wall times that must not be an hour late: looked at
/// often, it compares how far both clocks went.
pub struct Steps {
    wall: Timestamp,
    monotonic: Monotonic,
    stepped_ms: i64,
}

/// Less is no step: clocks are slewed, and two are never read in the same moment.
const STEP_MS: i64 = 2_000;

impl Steps {
    pub fn new(clock: &dyn Clock) -> Self {
        let (wall, monotonic) = both(clock);
        Self {
            wall,
            monotonic,
            stepped_ms: 0,
        }
    }

    /// The time on the wall, and how far it was set since [`Steps::settled`]; negative is back.
    pub fn look(&mut self, clock: &dyn Clock) -> (Timestamp, i64) {
        let (wall, monotonic) = both(clock);
        let step = wall.since(self.wall) - monotonic.since(self.monotonic);
        if step.abs() >= STEP_MS {
            self.stepped_ms += step;
        }
        (self.wall, self.monotonic) = (wall, monotonic);
        (wall, self.stepped_ms)
    }

    /// Everything that the steps so far have touched is put right.
    pub fn settled(&mut self) {
        self.stepped_ms = 0;
    }
}

/// Both clocks in one moment: a program that is stopped between two looks must not see a step.
fn both(clock: &dyn Clock) -> (Timestamp, Monotonic) {
    loop {
        let before = clock.monotonic();
        let (wall, after) = (clock.now(), clock.monotonic());
        if after.since(before) < STEP_MS / 2 {
            return (wall, after);
        }
    }
}

#[cfg(test)]
mod tests {
    use recado_model::ManualClock;

    use super::*;

    #[test]
    fn a_step_is_told_from_time_that_goes_by() {
        let start = Timestamp(1_767_225_600_000);
        let clock = ManualClock::at(start);
        let mut steps = Steps::new(&clock);
        clock.advance_ms(7_200_000);
        assert_eq!(steps.look(&clock), (start.plus_secs(7_200), 0));
        clock.step_wall_ms(-3_600_000);
        clock.advance_ms(5_000);
        assert_eq!(steps.look(&clock), (start.plus_secs(3_605), -3_600_000));
        // Until it is settled it is not forgotten.
        assert_eq!(steps.look(&clock).1, -3_600_000);
        steps.settled();
        assert_eq!(steps.look(&clock).1, 0);
        clock.step_wall_ms(STEP_MS - 1);
        assert_eq!(steps.look(&clock).1, 0, "slewed");
    }
}
