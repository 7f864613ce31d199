//! The operator's work on subscriptions, at the command line: another process than the gateway,
//! which sees it within a second.

use recado_identity::audit::Detail;
use recado_model::{AccountId, Billing, Clock, Error, ErrorCode, InstanceId, Result, Timestamp};
use recado_store::Store;

use super::{BillingConfig, BillingStanding, provider};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// One instance of the operator's list.
#[derive(Clone, Debug)]
pub struct BillingRow {
    pub account: AccountId,
    pub account_name: String,
    pub instance: InstanceId,
    pub name: String,
    pub phone: Option<String>,
    pub billing: Billing,
    pub standing: BillingStanding,
    /// Its owner has subscribed, and no period is paid.
    pub awaits_payment: bool,
}

/// How much the operator grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Days of 24 hours after the end of what is paid or free already, or after now.
    Days(u32),
    Until(Timestamp),
}

/// All instances but those of guests, by account.
pub async fn list(
    store: &Store,
    clock: &dyn Clock,
    config: &BillingConfig,
) -> Result<Vec<BillingRow>> {
    let now = clock.now();
    let provider = provider(config);
    let rows = store.read().await?.system().billing_list().await?;
    let rows = rows.into_iter().map(|row| BillingRow {
        standing: provider.standing(&row.billing, now),
        awaits_payment: row.billing.awaits_payment(now),
        account: row.account,
        account_name: row.account_name,
        instance: row.instance,
        name: row.name,
        phone: row.phone,
        billing: row.billing,
    });
    Ok(rows.collect())
}

/// Pays for a period; takes back a cancel. Answers what the instance is paid for then.
pub async fn grant(
    store: &Store,
    clock: &dyn Clock,
    instance: &InstanceId,
    period: Period,
) -> Result<Billing> {
    change(store, clock, instance, "billing.granted", |billing, now| {
        let until = match period {
            Period::Until(until) => until,
            Period::Days(days) => {
                let from = billing.ends_at().map_or(now, |end| end.max(now));
                from.plus_millis(i64::from(days) * DAY_MS)
            }
        };
        billing.grant(until, now)
    })
    .await
}

/// Ends what is paid or free, now. The pairing is kept.
pub async fn end(store: &Store, clock: &dyn Clock, instance: &InstanceId) -> Result<Billing> {
    change(store, clock, instance, "billing.ended", |billing, now| {
        billing.end(now)
    })
    .await
}

async fn change(
    store: &Store,
    clock: &dyn Clock,
    instance: &InstanceId,
    kind: &'static str,
    step: impl Fn(&Billing, Timestamp) -> Result<Billing>,
) -> Result<Billing> {
    let unknown = || {
        Error::new(
            ErrorCode::NotFound,
            format!("There is no instance {instance}. `recado billing list` shows all."),
        )
    };
    let mut conn = store.write().await?;
    let owner = conn.system().account_of_instance(instance).await?;
    let owner = owner.ok_or_else(unknown)?;
    let mut account = conn.account(&owner);
    let known = account.lock_billing(instance).await?.ok_or_else(unknown)?;
    let now = clock.now();
    let next = step(&known, now)?;
    account.set_billing(instance, &next, now).await?;
    Detail::of_operator()
        .with("instance", instance.as_str())
        .with("until", next.ends_at().map(Timestamp::to_rfc3339))
        .write(&mut account, kind, now)
        .await?;
    conn.commit().await?;
    Ok(next)
}
