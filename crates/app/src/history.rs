//! What phones send of their past: frames that lie in the spool, stored part by part beside what comes in now.
//!
//! The worker (`workers/history.rs`) takes the frames; here is what becomes of one; how an instance stands with
//! them is in `past`. A message of the past makes no event of its own. Each frame makes one, and so does what is missing once
//! nothing has come for a while: no frame can be asked for again.

mod storing;

pub(crate) use storing::store;

use recado_model::{AccountId, EventKind, InstanceId, Result};

use crate::{
    Core, events,
    past::{Gap, HistoryStanding},
};

/// Nothing has come for a while: what is missing of an instance is told, unless it was before.
pub(crate) async fn settle(core: &Core, account: &AccountId, instance: &InstanceId) -> Result<()> {
    let now = core.clock.now();
    let mut conn = core.store.write().await?;
    let mut store = conn.account(account);
    let mut row = store.history(instance).await?;
    row.settled = true;
    let Some(last_at) = row.last_at else {
        return Ok(());
    };
    let standing = HistoryStanding::of(&row);
    if standing.waiting > 0 {
        // They are being stored: it is looked at again with the last of them.
        return Ok(());
    }
    let gap = Gap::of(&row);
    let told = gap.as_ref().map(Gap::words).unwrap_or_default();
    if !store.settle_history(instance, last_at, &told).await? {
        return Ok(());
    }
    if let Some(gap) = gap.filter(|_| told != row.told) {
        tracing::warn!(instance.id = %instance, gap = told, "not all that a phone sent of its past has come");
        let payload = events::history_gap(&gap, &standing);
        let kind = EventKind::HistorySync;
        let event = events::event(&*core.rng, account, instance, kind, payload, now);
        store.append(&event).await?;
    }
    Ok(conn.commit().await?)
}
