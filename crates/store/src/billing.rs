//! The times that an instance is paid for: four on its row. Their meaning is in `recado_model::billing`.

use recado_model::{Billing, InstanceId, Timestamp};

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, sql},
};

impl AccountStore<'_> {
    /// The times as they are, held until the transaction ends: of two changes at once, the second
    /// sees what the first made. `None` when there is no such instance.
    pub async fn lock_billing(&mut self, id: &InstanceId) -> Result<Option<Billing>> {
        // An update that changes nothing is the lock that both databases know.
        sql(
            "UPDATE instance SET updated_at = updated_at WHERE account_id = $1 AND id = $2 \
             RETURNING subscription_id, trial_until, paid_until, cancel_at",
        )
        .bind(&self.id)
        .bind(id)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// Replaces all four. Other processes see it within a second. `false` when there is no such
    /// instance.
    pub async fn set_billing(
        &mut self,
        id: &InstanceId,
        billing: &Billing,
        now: Timestamp,
    ) -> Result<bool> {
        let changed = sql(
            "UPDATE instance SET subscription_id = $3, trial_until = $4, paid_until = $5, cancel_at = $6, updated_at = $7 \
             WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(billing.subscription_id.as_deref())
        .bind(billing.trial_until)
        .bind(billing.paid_until)
        .bind(billing.cancel_at)
        .bind(now)
        .execute(self.conn)
        .await?;
        self.conn.touch(id);
        self.conn.raise_epoch();
        Ok(changed > 0)
    }
}

pub(crate) fn from_row(row: &Row) -> Result<Billing> {
    Ok(Billing {
        subscription_id: row.opt_text("subscription_id")?,
        trial_until: row.opt_time("trial_until")?,
        paid_until: row.opt_time("paid_until")?,
        cancel_at: row.opt_time("cancel_at")?,
    })
}
