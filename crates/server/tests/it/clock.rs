//! Real time with jumps: WhatsApp's side runs on the real clock, retries and expiries of the program
//! are reached by jumping.

use recado_app::clock::SystemClock;
use recado_model::{Clock, Timestamp, clock::Sleep};
use tokio::sync::watch;

/// The system's time plus an offset; sleepers wake as a jump passes them.
pub struct JumpClock {
    offset: watch::Sender<i64>,
}

impl JumpClock {
    pub fn new() -> Self {
        Self {
            offset: watch::Sender::new(0),
        }
    }

    pub fn jump_ms(&self, ms: i64) {
        self.offset.send_modify(|offset| *offset += ms);
    }

    pub fn jump_secs(&self, secs: i64) {
        self.jump_ms(secs * 1000);
    }
}

impl Clock for JumpClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(*self.offset.borrow())
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let mut offset = self.offset.subscribe();
        Box::pin(async move {
            loop {
                let real = at.plus_millis(-*offset.borrow_and_update());
                if SystemClock.now() >= real {
                    return;
                }
                tokio::select! {
                    () = SystemClock.sleep_until(real) => {}
                    jumped = offset.changed() => if jumped.is_err() {
                        // The clock is gone: the rest of the nap is real time.
                        return SystemClock.sleep_until(real).await;
                    }
                }
            }
        })
    }
}
