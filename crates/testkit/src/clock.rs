//! Real time with jumps: WhatsApp's side runs on the real clock, retries and expiries of the program
//! are reached by jumping.

use recado_identity::clock::SystemClock;
use recado_model::{
    Clock, Timestamp,
    clock::{Monotonic, Sleep},
};
use tokio::sync::watch;

/// The system's time plus an offset; sleepers wake as a jump passes them.
#[derive(Default)]
pub struct JumpClock {
    ahead: watch::Sender<Ahead>,
}

/// How far it is ahead of the system's clocks.
#[derive(Clone, Copy, Default)]
struct Ahead {
    wall_ms: i64,
    monotonic_ms: i64,
}

impl JumpClock {
    pub fn new() -> Self {
        Self::default()
    }

    /// Time goes by. A negative `ms` sets the wall back and nothing else.
    pub fn jump_ms(&self, ms: i64) {
        self.ahead.send_modify(|ahead| {
            ahead.wall_ms += ms;
            ahead.monotonic_ms += ms.max(0);
        });
    }

    pub fn jump_secs(&self, secs: i64) {
        self.jump_ms(secs * 1000);
    }

    /// Somebody sets the wall clock, forth or back, and no time goes by.
    pub fn step_wall_ms(&self, ms: i64) {
        self.ahead.send_modify(|ahead| ahead.wall_ms += ms);
    }

    fn sleep(&self, sleep: impl Fn(Ahead) -> Sleep + Send + 'static) -> Sleep {
        let mut ahead = self.ahead.subscribe();
        Box::pin(async move {
            loop {
                let rest = sleep(*ahead.borrow_and_update());
                tokio::select! {
                    () = rest => return,
                    jumped = ahead.changed() => if jumped.is_err() {
                        // The clock is gone: the rest of the nap is real time.
                        let last = *ahead.borrow();
                        return sleep(last).await;
                    }
                }
            }
        })
    }
}

impl Clock for JumpClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.ahead.borrow().wall_ms)
    }

    fn monotonic(&self) -> Monotonic {
        let ahead = self.ahead.borrow().monotonic_ms;
        SystemClock.monotonic().plus_millis(ahead)
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        self.sleep(move |ahead| SystemClock.sleep_until(at.plus_millis(-ahead.wall_ms)))
    }

    fn sleep_until_monotonic(&self, at: Monotonic) -> Sleep {
        self.sleep(move |ahead| {
            SystemClock.sleep_until_monotonic(at.plus_millis(-ahead.monotonic_ms))
        })
    }
}
