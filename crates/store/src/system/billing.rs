//! Subscriptions as the operator sees them, and instances that the program must close or bring back.

use recado_model::{AccountId, Billing, InstanceId, Timestamp};

use super::System;
use crate::{billing::from_row, error::Result, sql::sql};

/// An instance for the operator's list of subscriptions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingSummary {
    pub account: AccountId,
    pub account_name: String,
    pub instance: InstanceId,
    pub name: String,
    pub phone: Option<String>,
    pub billing: Billing,
}

/// An instance whose connection may not fit what it is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingLook {
    pub account: AccountId,
    pub instance: InstanceId,
    pub billing: Billing,
    /// It was closed because it was not paid for.
    pub closed: bool,
}

impl System<'_> {
    /// For the operator: all but those of guests, who pay for nothing, by account and number.
    pub async fn billing_list(&mut self) -> Result<Vec<BillingSummary>> {
        // Reads all: the operator asks for every instance.
        let rows = sql(
            "SELECT i.account_id, a.name AS account_name, i.id, i.name, i.phone, \
             i.subscription_id, i.trial_until, i.paid_until, i.cancel_at \
             FROM instance i JOIN account a ON a.id = i.account_id WHERE a.kind = 'full' \
             ORDER BY a.created_at, a.id, i.number",
        )
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(BillingSummary {
                    account: AccountId::from_text(row.text("account_id")?),
                    account_name: row.text("account_name")?,
                    instance: InstanceId::from_text(row.text("id")?),
                    name: row.text("name")?,
                    phone: row.opt_text("phone")?,
                    billing: from_row(row)?,
                })
            })
            .collect()
    }

    /// Instances that were closed for want of payment, and those that `node` runs although its time may be over. A
    /// choice of rows only: whether it is over is for the caller to say.
    pub async fn billing_looks(&mut self, node: &str, now: Timestamp) -> Result<Vec<BillingLook>> {
        // Reads all: once in minutes, and instances are thousands at most.
        let rows = sql(
            "SELECT account_id, id, reason, subscription_id, trial_until, paid_until, cancel_at FROM instance \
             WHERE reason = 'unpaid' OR (lease_owner = $1 AND (cancel_at <= $2 OR \
             (COALESCE(trial_until, 0) <= $2 AND COALESCE(paid_until, 0) <= $2)))",
        )
        .bind(node)
        .bind(now)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(BillingLook {
                    account: AccountId::from_text(row.text("account_id")?),
                    instance: InstanceId::from_text(row.text("id")?),
                    billing: from_row(row)?,
                    closed: row.opt_text("reason")?.as_deref() == Some("unpaid"),
                })
            })
            .collect()
    }

    /// Gives a trial to all that were made while nothing was charged for. The number of them.
    pub async fn begin_trials(&mut self, until: Timestamp) -> Result<u64> {
        // Reads all: once, when payment is switched on.
        let begun = sql("UPDATE instance SET trial_until = $1 \
             WHERE trial_until IS NULL AND paid_until IS NULL AND cancel_at IS NULL")
        .bind(until)
        .execute(self.conn)
        .await?;
        self.conn.touch_all();
        Ok(begun)
    }

    /// Whose an instance is, for an operator who names it by its id alone.
    pub async fn account_of_instance(&mut self, id: &InstanceId) -> Result<Option<AccountId>> {
        sql("SELECT account_id FROM instance WHERE id = $1")
            .bind(id)
            .fetch_optional(self.conn)
            .await?
            .map(|row| row.text("account_id").map(AccountId::from_text))
            .transpose()
    }
}
