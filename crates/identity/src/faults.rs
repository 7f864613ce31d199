//! Faults that last, a full disk or a database that is gone: every call and every worker meets them over
//! and over, and one line a minute says so.

use std::{
    error::Error as StdError,
    sync::{Mutex, PoisonError},
};

use recado_model::{Clock, Monotonic};
use recado_store::StoreError;

use crate::clock::SystemClock;

/// So long after a line the next ones are only counted.
const EVERY_MS: i64 = 60_000;

/// Lets one thing through a minute, and counts what it holds back.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HeldBack>);

#[derive(Debug, Default)]
struct HeldBack {
    last: Option<Monotonic>,
    back: u64,
}

impl Throttle {
    pub const fn new() -> Self {
        Self(Mutex::new(HeldBack {
            last: None,
            back: 0,
        }))
    }

    /// `None`: held back. Else how many were since the last one that was not.
    pub fn pass(&self, now: Monotonic) -> Option<u64> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.last.is_some_and(|last| now.since(last) < EVERY_MS) {
            held.back += 1;
            return None;
        }
        held.last = Some(now);
        Some(std::mem::take(&mut held.back))
    }
}

/// One for the process: it is one database that is in trouble, wherever that shows. By real time, as the
/// log is.
static STORAGE: Throttle = Throttle::new();

/// Whether somewhere behind it the database is in trouble that lasts.
pub fn is_lasting(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(store) = error.downcast_ref::<StoreError>() {
            return store.is_lasting();
        }
        cause = error.source();
    }
    false
}

/// Whether an error is worth a line in the log: of those that last, one a minute. `Some` with how many
/// lines were left out since the last one.
pub fn worth_a_line(error: &(dyn StdError + 'static)) -> Option<u64> {
    match is_lasting(error) {
        true => STORAGE.pass(SystemClock.monotonic()),
        false => Some(0),
    }
}

/// A warning about what a worker tries again and again.
pub fn warn(error: &(dyn StdError + 'static), what: &str) {
    if let Some(left_out) = worth_a_line(error) {
        tracing::warn!(error, left_out, "{what}");
    }
}

#[cfg(test)]
mod tests {
    use recado_model::Error;

    use super::*;

    #[test]
    fn one_a_minute() {
        let (throttle, at) = (Throttle::new(), Monotonic::from_millis);
        assert_eq!(throttle.pass(at(5)), Some(0));
        for n in 0..170 {
            assert_eq!(throttle.pass(at(6 + n)), None);
        }
        assert_eq!(throttle.pass(at(60_004)), None);
        assert_eq!(throttle.pass(at(60_005)), Some(171));
        assert_eq!(throttle.pass(at(120_005)), Some(0));
    }

    #[test]
    fn what_lasts_is_told_from_what_one_call_met() {
        assert!(is_lasting(&Error::from(StoreError::Busy)));
        assert!(!is_lasting(&Error::from(StoreError::NoParent)));
        assert!(!is_lasting(&Error::unauthorized()));
    }
}
