//! The way out of one connection, which can be shut once and never opened again.
//!
//! A client whose store failed is ahead of its database: what it has in memory (ratchets, keys, what
//! it takes for done) is nowhere else. Whatever it still said to WhatsApp would rest on that, and a
//! message delivered again would look like a repetition and be acknowledged. So the first error shuts
//! the gate *before* the library hears of it: from then on this client writes no byte (`wire.rs`) and
//! no row (`backend/rows.rs`), and the link goes on with a new one that knows what the database knows.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

/// Why a gate was shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trip {
    /// The device rows could not be read or written.
    Store,
    /// Another process has the instance by now.
    Fenced,
    /// The sink did not take messages.
    Commit,
    /// A receipt could not be noted.
    Journal,
    /// A message was counted as read and is nowhere: see `lost`.
    Lost,
    /// Somebody asked for a new client.
    Renewed,
    /// App state does not follow: see `pump/behind`.
    Behind,
    /// The connection is closed in good order, or its device is going to be wiped.
    Over,
}

impl Trip {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Fenced => "fenced",
            Self::Commit => "commit",
            Self::Journal => "journal",
            Self::Lost => "lost",
            Self::Renewed => "renewed",
            Self::Behind => "behind",
            Self::Over => "over",
        }
    }
}

/// The answer of a shut gate.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this connection is over and may no longer speak or write")]
pub struct Shut;

/// Cheap to clone; all clones are the same gate.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    why: OnceLock<Trip>,
    shut: CancellationToken,
    told: Box<dyn Fn(Trip) + Send + Sync>,
}

impl Gate {
    /// `told` hears of the trip, once, before whoever caused it goes on. It must not block.
    pub fn new(told: impl Fn(Trip) + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner {
            why: OnceLock::new(),
            shut: CancellationToken::new(),
            told: Box::new(told),
        }))
    }

    /// Shuts it. Only the first reason counts.
    pub fn trip(&self, why: Trip) {
        if self.0.why.set(why).is_ok() {
            self.0.shut.cancel();
            metrics::counter!("recado_engine_gates_shut_total", "why" => why.name()).increment(1);
            (self.0.told)(why);
        }
    }

    pub fn tripped(&self) -> Option<Trip> {
        self.0.why.get().copied()
    }

    pub fn check(&self) -> Result<(), Shut> {
        match self.tripped() {
            Some(_) => Err(Shut),
            None => Ok(()),
        }
    }

    /// Waits until it is shut.
    pub(super) async fn shut(&self) {
        self.0.shut.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn it_shuts_once_and_keeps_its_first_reason() {
        let told = Arc::new(AtomicU32::new(0));
        let counter = told.clone();
        let gate = Gate::new(move |why| {
            assert_eq!(why, Trip::Commit);
            counter.fetch_add(1, Ordering::SeqCst);
        });
        assert!(gate.check().is_ok());
        let other = gate.clone();
        gate.trip(Trip::Commit);
        other.trip(Trip::Store);
        assert_eq!(told.load(Ordering::SeqCst), 1);
        assert_eq!(other.tripped(), Some(Trip::Commit));
        assert!(other.check().is_err());
        other.shut().await;
    }
}
