//! Nothing is charged for: every instance works. The wishes of owners are still understood, so that
//! clients made for a paid service run unchanged.

use recado_model::{Billing, BillingStatus, Result, Timestamp};

use super::{BillingStanding, Provider, Wish};

pub(super) struct Off;

impl Provider for Off {
    fn trial(&self, _: Timestamp) -> Option<Timestamp> {
        None
    }

    fn standing(&self, _: &Billing, _: Timestamp) -> BillingStanding {
        BillingStanding {
            status: BillingStatus::Active,
            cancel_at: None,
            expired_at: None,
        }
    }

    /// A subscription keeps its id, for clients that remember it. Nothing can be canceled.
    fn apply(&self, wish: &Wish, billing: &Billing, _: Timestamp) -> Result<Billing> {
        Ok(match wish {
            Wish::Subscribe { id } => billing.subscribe(id),
            Wish::Cancel | Wish::Resume => billing.clone(),
        })
    }
}
