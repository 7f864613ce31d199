//! What is still to be done when a test ends: jobs of the queue, deliveries of webhooks.

use std::{sync::PoisonError, time::Instant};

use recado_model::Clock as _;

use super::{Bed, PATIENCE};
use crate::database;

/// What a test may leave undone, on purpose.
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
            Self::Jobs => "SELECT COUNT(*) FROM job WHERE 1 = 1",
            Self::Deliveries => "SELECT COUNT(*) FROM delivery WHERE state = 'pending'",
        }
    }

    /// Which of them somebody does now, or will do without the clock's help.
    fn due(self, now: i64) -> String {
        let rows = self.rows();
        match self {
            Self::Jobs => format!("{rows} AND run_at <= {now}"),
            Self::Deliveries => format!("{rows} AND (lease_until IS NOT NULL OR next_at <= {now})"),
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
            let rows = self.count(left.rows()).await;
            if rows == 0 {
                return;
            }
            let due = self.count(&left.due(self.clock.now().as_millis())).await;
            let in_vain = due == 0 || self.gateway.is_none() || begun.elapsed() > PATIENCE;
            assert!(
                !in_vain,
                "{left:?} are left over: {rows}, of which {due} are due. A test that means it says \
                 `bed.leaves(Left::{left:?})`"
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    async fn count(&self, text: &str) -> i64 {
        database::count(&self.database(), text, None).await
    }
}
