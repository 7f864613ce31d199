//! How fast an instance asks WhatsApp about people: who asks about thousands in a minute is taken for one who
//! collects numbers, and loses his own.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use recado_model::{Clock, Error, ErrorCode, InstanceId, Monotonic, Result};

/// Questions at once, after a rest.
const BURST: i64 = 60;
/// Then one in so much time.
const EVERY_MS: i64 = 1_000;
/// A caller waits no longer for his turn.
const PATIENCE_MS: i64 = 10_000;
/// Instances whose rest is over are forgotten from here on.
const KEPT: usize = 1_000;

/// When each instance would be fully rested.
#[derive(Default)]
pub(crate) struct Asking {
    rested: Mutex<HashMap<InstanceId, Monotonic>>,
}

impl Asking {
    /// Takes a turn, and says how long to wait for it; `None` where that is more than `most_ms`, and none is taken.
    fn turn(&self, instance: &InstanceId, now: Monotonic, most_ms: i64) -> Option<i64> {
        let mut all = self.rested.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > KEPT {
            all.retain(|_, rested| *rested > now);
        }
        let rested = all.get(instance).copied().filter(|rested| *rested > now);
        let next = rested.unwrap_or(now).plus_millis(EVERY_MS);
        let wait = (next.since(now) - BURST * EVERY_MS).max(0);
        if wait > most_ms {
            return None;
        }
        all.insert(instance.clone(), next);
        Some(wait)
    }

    /// Whether a question may be asked at once.
    pub fn may(&self, instance: &InstanceId, now: Monotonic) -> bool {
        self.turn(instance, now, 0).is_some()
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// [`ErrorCode::RateLimited`] where it is too far away.
    pub async fn wait(&self, clock: &dyn Clock, instance: &InstanceId) -> Result<()> {
        match self.turn(instance, clock.monotonic(), PATIENCE_MS) {
            Some(0) => Ok(()),
            Some(wait) => {
                clock.sleep_ms(wait).await;
                Ok(())
            }
            None => Err(Error::new(
                ErrorCode::RateLimited,
                "This number has asked WhatsApp about many people. Wait a moment: whoever asks faster risks the number.",
            )
            .with_retry_after((PATIENCE_MS / 1_000).unsigned_abs())),
        }
    }
}

#[cfg(test)]
mod tests {
    use recado_model::clock::OsRng;

    use super::*;

    #[test]
    fn a_burst_then_one_in_a_second() {
        let (asking, at) = (Asking::default(), Monotonic::from_millis);
        let one = InstanceId::random(&OsRng);
        for _ in 0..BURST {
            assert!(asking.may(&one, at(0)));
        }
        assert!(!asking.may(&one, at(0)));
        assert!(asking.may(&InstanceId::random(&OsRng), at(0)), "another's");
        assert_eq!(asking.turn(&one, at(0), PATIENCE_MS), Some(EVERY_MS));
        assert!(!asking.may(&one, at(1_000)));
        assert!(asking.may(&one, at(2_000)));
        for _ in 0..10 {
            assert!(asking.turn(&one, at(2_000), PATIENCE_MS).is_some());
        }
        assert_eq!(asking.turn(&one, at(2_000), PATIENCE_MS), None);
        assert!(asking.may(&one, at(80_000)), "rested");
    }
}
