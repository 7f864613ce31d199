//! Whether calls can be answered: the database takes a write. Asked by probes as often as they like, tried
//! at most once a second.

use std::{borrow::Cow, time::Duration};

use recado_model::{Clock, Error, ErrorCode, Monotonic, Result};
use recado_store::Store;
use tokio::sync::Mutex;

/// An outcome is believed for so long.
const BELIEVE_MS: i64 = 1_000;
/// Probes have short patience; so long the one writer of SQLite may be busy.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Default)]
pub struct Ready(Mutex<Option<Tried>>);

struct Tried {
    at: Monotonic,
    outcome: std::result::Result<(), Refusal>,
}

/// The part of an error that is kept.
#[derive(Clone)]
struct Refusal {
    code: ErrorCode,
    message: Cow<'static, str>,
    retry_after_secs: Option<u64>,
}

impl Ready {
    /// Callers who ask during a try wait for it.
    pub async fn look(&self, store: &Store, clock: &dyn Clock) -> Result<()> {
        let mut last = self.0.lock().await;
        let now = clock.monotonic();
        if let Some(tried) = last.as_ref()
            && now.since(tried.at) < BELIEVE_MS
        {
            return tried.outcome.clone().map_err(Refusal::again);
        }
        let outcome = match tokio::time::timeout(PATIENCE, store.prove_write()).await {
            Ok(outcome) => outcome.map_err(Error::from),
            Err(_) => Err(Error::new(
                ErrorCode::Unavailable,
                "The database does not take a write in time.",
            )
            .with_retry_after(1)),
        };
        *last = Some(Tried {
            at: clock.monotonic(),
            outcome: match &outcome {
                Ok(()) => Ok(()),
                Err(error) => Err(Refusal::of(error)),
            },
        });
        outcome
    }
}

impl Refusal {
    fn of(error: &Error) -> Self {
        Self {
            code: error.code,
            message: error.message.clone(),
            retry_after_secs: error.retry_after_secs,
        }
    }

    fn again(self) -> Error {
        let error = Error::new(self.code, self.message);
        match self.retry_after_secs {
            Some(secs) => error.with_retry_after(secs),
            None => error,
        }
    }
}
