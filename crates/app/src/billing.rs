//! Subscriptions of instances: who may use one, what its owner asks for, what the operator grants.
//!
//! The states and their changes are `recado_model::billing`. The taker of the money is behind one port,
//! [`Provider`]: [`off`] (default: instances simply work) and [`manual`] (the operator grants and
//! ends periods, see [`operator`]). [`run`] closes what is no longer paid for and brings back what is.
//!
//! To add a provider: a file here with its `impl Provider`, a name in [`ProviderKind`], and its
//! settings.

mod manual;
mod off;
pub mod operator;

use std::sync::Arc;

use async_trait::async_trait;
use recado_identity::{Granted, audit::Detail};
use recado_model::{
    Billing, BillingStatus, Error, ErrorCode, Instance, Result, Timestamp, id::random_base32,
};

use crate::{App, Core};

/// Which provider the operator chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderKind {
    Off,
    Manual,
}

#[derive(Clone, Debug)]
pub struct BillingConfig {
    pub provider: ProviderKind,
    /// Of a new instance, where somebody has to pay for it.
    pub trial_ms: i64,
}

impl Default for BillingConfig {
    fn default() -> Self {
        Self {
            provider: ProviderKind::Off,
            trial_ms: 7 * 24 * 3600 * 1000,
        }
    }
}

/// Where an instance stands, as its owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BillingStanding {
    pub status: BillingStatus,
    /// When it ends, or ended, by its owner's wish.
    pub cancel_at: Option<Timestamp>,
    /// Since when it does not work any more.
    pub expired_at: Option<Timestamp>,
}

/// An owner's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Under `id`, unless it has a subscription already.
    Subscribe {
        id: String,
    },
    Cancel,
    Resume,
}

/// Where a hosted payment page sends the person afterwards.
#[derive(Clone, Debug, Default)]
pub struct ReturnTo {
    pub success_url: Option<String>,
    pub cancel_url: Option<String>,
}

/// How the owner pays. `url` and `session_id` are empty where there is no page to pay at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    pub url: String,
    pub session_id: String,
    /// `direct`, or `checkout` for a page to visit.
    pub mode: &'static str,
}

/// The party that takes the money.
#[async_trait]
pub(crate) trait Provider: Send + Sync {
    /// When the trial ends that begins now; `None` where nobody has to pay.
    fn trial(&self, now: Timestamp) -> Option<Timestamp>;

    /// Where an instance stands. Pure and cheap: it is asked on every call.
    fn standing(&self, billing: &Billing, now: Timestamp) -> BillingStanding;

    /// How a wish changes the row. Pure: it is asked before anyone outside is told, and again inside
    /// the transaction, on the row as it is then.
    fn apply(&self, wish: &Wish, billing: &Billing, now: Timestamp) -> Result<Billing>;

    /// Tells whoever is outside, before the row is changed; no transaction is held meanwhile. When
    /// they do not answer the error is a 502 or 503, and nothing has changed. The same wish again
    /// must do no more. Where nobody is outside there is nothing to tell.
    async fn tell(
        &self,
        _wish: &Wish,
        _instance: &Instance,
        _return_to: &ReturnTo,
    ) -> Result<Checkout> {
        Ok(Checkout {
            url: String::new(),
            session_id: String::new(),
            mode: "direct",
        })
    }
}

pub(crate) fn provider(config: &BillingConfig) -> Arc<dyn Provider> {
    match config.provider {
        ProviderKind::Off => Arc::new(off::Off),
        ProviderKind::Manual => Arc::new(manual::Manual {
            trial_ms: config.trial_ms,
        }),
    }
}

/// Instances that were made while nothing was charged for get their trial when that begins, not an
/// end without a warning.
pub(crate) async fn adopt(core: &Core) -> Result<()> {
    let Some(until) = core.billing.trial(core.clock.now()) else {
        return Ok(());
    };
    let mut conn = core.store.write().await?;
    let begun = conn.system().begin_trials(until).await?;
    conn.commit().await?;
    if begun > 0 {
        tracing::info!(
            instances = begun,
            until = until.to_rfc3339(),
            "billing is on now: instances without a subscription have begun their trial"
        );
    }
    Ok(())
}

pub struct Subscriptions<'a> {
    pub(crate) app: &'a App,
}

#[derive(Clone, Debug)]
pub struct Subscribed {
    pub checkout: Checkout,
    /// The same each time for one instance.
    pub subscription_id: String,
}

impl Subscriptions<'_> {
    /// When the trial of an instance ends that a shop creates, or claims, now.
    pub(crate) fn trial(&self, now: Timestamp) -> Option<Timestamp> {
        self.app.core.billing.trial(now)
    }

    /// Where the instance stands now.
    pub fn standing(&self, instance: &Instance) -> BillingStanding {
        let core = &self.app.core;
        core.billing.standing(&instance.billing, core.clock.now())
    }

    /// Refuses the use of an instance that is not paid for. Pure: asks no database. For after the
    /// proof, so that nobody learns from it who has not shown that the instance is theirs.
    pub fn require(&self, instance: &Instance) -> Result<()> {
        let text = match self.standing(instance).status {
            BillingStatus::Trialing | BillingStatus::Active => return Ok(()),
            BillingStatus::Canceled => {
                "The subscription of this instance was canceled and has ended. The shop's owner subscribes (POST /instances/{id}/subscribe) or asks the operator; the pairing is kept."
            }
            BillingStatus::Unpaid => {
                "This instance is not paid for. The shop's owner subscribes (POST /instances/{id}/subscribe) or asks the operator; the pairing is kept."
            }
        };
        Err(Error::new(ErrorCode::PaymentRequired, text))
    }

    pub async fn subscribe(&self, granted: &Granted, return_to: &ReturnTo) -> Result<Subscribed> {
        let id = match &granted.instance().billing.subscription_id {
            Some(id) => id.clone(),
            None => format!("SB{}", random_base32(&*self.app.core.rng)),
        };
        let wish = Wish::Subscribe { id };
        let (checkout, billing) = self
            .wish(granted, &wish, return_to, "billing.subscribed")
            .await?;
        Ok(Subscribed {
            checkout,
            subscription_id: billing.subscription_id.unwrap_or_default(),
        })
    }

    /// Where it stands then: still working when the end is scheduled, and where nothing is charged.
    pub async fn cancel(&self, granted: &Granted) -> Result<BillingStanding> {
        let nowhere = ReturnTo::default();
        let (_, billing) = self
            .wish(granted, &Wish::Cancel, &nowhere, "billing.canceled")
            .await?;
        let core = &self.app.core;
        Ok(core.billing.standing(&billing, core.clock.now()))
    }

    pub async fn resume(&self, granted: &Granted) -> Result<()> {
        let nowhere = ReturnTo::default();
        self.wish(granted, &Wish::Resume, &nowhere, "billing.resumed")
            .await?;
        Ok(())
    }

    /// Judged, told, and then judged again on the row as it is by then. A wish that changes nothing
    /// writes nothing, so that repeating it does not fill the audit log.
    async fn wish(
        &self,
        granted: &Granted,
        wish: &Wish,
        return_to: &ReturnTo,
        kind: &'static str,
    ) -> Result<(Checkout, Billing)> {
        let (core, instance) = (&self.app.core, granted.instance());
        let provider = &core.billing;
        provider.apply(wish, &instance.billing, core.clock.now())?;
        let checkout = provider.tell(wish, instance, return_to).await?;
        let mut conn = core.store.write().await?;
        let mut account = conn.account(granted.account());
        let known = account
            .lock_billing(&instance.id)
            .await?
            .ok_or_else(Error::forbidden)?;
        let now = core.clock.now();
        let next = provider.apply(wish, &known, now)?;
        if next != known {
            account.set_billing(&instance.id, &next, now).await?;
            Detail::of(granted.by())
                .with("instance", instance.id.as_str())
                .with("subscription", next.subscription_id.clone())
                .with("cancel_at", next.cancel_at.map(Timestamp::to_rfc3339))
                .write(&mut account, kind, now)
                .await?;
            conn.commit().await?;
        }
        Ok((checkout, next))
    }
}
