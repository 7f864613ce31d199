//! The operator takes the money in whatever way, and grants and ends periods at the command line.

use recado_model::{Billing, Result, Timestamp};

use super::{BillingStanding, Provider, Wish};

pub(super) struct Manual {
    pub trial_ms: i64,
}

impl Provider for Manual {
    fn trial(&self, now: Timestamp) -> Option<Timestamp> {
        Some(now.plus_millis(self.trial_ms))
    }

    fn standing(&self, billing: &Billing, now: Timestamp) -> BillingStanding {
        let status = billing.status(now);
        BillingStanding {
            status,
            cancel_at: billing.cancel_at,
            expired_at: billing.ends_at().filter(|_| !status.works()),
        }
    }

    fn apply(&self, wish: &Wish, billing: &Billing, now: Timestamp) -> Result<Billing> {
        match wish {
            Wish::Subscribe { id } => Ok(billing.subscribe(id)),
            Wish::Cancel => Ok(billing.cancel(now)),
            Wish::Resume => billing.resume(now),
        }
    }
}
