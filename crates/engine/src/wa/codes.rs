//! The link code that was given out last.

use std::sync::{Mutex, PoisonError};

use recado_model::PhoneNumber;
use tokio::time::Instant;

#[derive(Default)]
pub(super) struct Codes {
    /// Until when it may still be typed in.
    until: Mutex<Option<Instant>>,
    /// Held while one is asked for.
    pub(super) given: tokio::sync::Mutex<Option<Given>>,
}

/// A link code that was given out.
pub(super) struct Given {
    /// Of its connection.
    pub epoch: u64,
    pub phone: PhoneNumber,
    pub code: String,
}

impl Codes {
    pub(super) fn lives_until(&self, until: Instant) {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// Until when the code may still be typed in, when that is not over.
    pub(super) fn until(&self) -> Option<Instant> {
        self.until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .filter(|until| *until > Instant::now())
    }
}
