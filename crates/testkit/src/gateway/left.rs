//! Work that is still to be done when a test ends: jobs of the queue, deliveries of webhooks.

use std::{sync::PoisonError, time::Instant};

use super::{Bed, PATIENCE};
use crate::database;

/// Work that a test may leave undone, on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Messages that wait in the queue.
    Jobs,
    /// Deliveries that no receiver has taken.
    Deliveries,
}

impl Left {
    const ALL: [Self; 2] = [Self::Jobs, Self::Deliveries];

    fn rows(self) -> &'static str {
        match self {
            Self::Jobs => "SELECT COUNT(*) FROM job",
            Self::Deliveries => "SELECT COUNT(*) FROM delivery WHERE state = 'pending'",
        }
    }
}

impl Bed {
    /// The test ends with such work undone, and means it.
    pub fn leaves(&self, left: Left) {
        let mut named = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        named.push(left);
    }

    /// Waits until what is due is done; fails when anything else is left.
    pub(super) async fn settle(&self) {
        for left in Left::ALL {
            if !self.may_leave(left) {
                self.settled(left).await;
            }
        }
    }

    fn may_leave(&self, left: Left) -> bool {
        let named = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        named.contains(&left)
    }

    async fn settled(&self, left: Left) {
        let begun = Instant::now();
        loop {
            let rows = database::count(&self.database(), left.rows(), None).await;
            if rows == 0 {
                return;
            }
            assert!(
                self.gateway.is_some() && begun.elapsed() < PATIENCE,
                "{left:?} are left over: {rows}. A test that means it says `bed.leaves(Left::{left:?})`"
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}
