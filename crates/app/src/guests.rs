//! The end of guest accounts: unpaired after ten minutes, paired and unclaimed after an hour.

use recado_model::{AccountId, Result};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{App, instances};

pub(crate) const UNPAIRED_MS: i64 = 10 * 60 * 1000;
pub(crate) const PAIRED_MS: i64 = 60 * 60 * 1000;
const LOOK_EVERY_MS: i64 = 15_000;
const AT_ONCE: usize = 8;

pub(crate) async fn run(app: App, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.core.clock.sleep_ms(LOOK_EVERY_MS) => {}
        }
        if let Err(error) = sweep(&app).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "could not end expired guests; trying again"
            );
        }
    }
}

/// Several at a time: each may wait for WhatsApp to confirm a log-out, and one that fails must not
/// hold up the rest.
async fn sweep(app: &App) -> Result<()> {
    let mut conn = app.core.store.read().await?;
    let expired = conn.system().expired_guests(app.core.clock.now()).await?;
    drop(conn);
    let mut ending = JoinSet::new();
    for account in expired {
        if ending.len() >= AT_ONCE {
            ending.join_next().await;
        }
        let app = app.clone();
        ending.spawn(async move {
            if let Err(error) = end(&app, &account).await {
                tracing::warn!(
                    account.id = %account,
                    error = &error as &dyn std::error::Error,
                    "could not end an expired guest; trying again"
                );
            }
        });
    }
    while ending.join_next().await.is_some() {}
    Ok(())
}

/// Logged out at WhatsApp, then wiped; unless it has got more time since the list was made.
async fn end(app: &App, account: &AccountId) -> Result<()> {
    let now = app.core.clock.now();
    let mut conn = app.core.store.read().await?;
    let mut store = conn.account(account);
    if store.expires_at().await?.is_none_or(|at| at > now) {
        return Ok(());
    }
    let all = store.all_instances().await?;
    drop(conn);
    for instance in all {
        instances::delete(app, account, &instance.id).await?;
    }
    let mut conn = app.core.store.write().await?;
    conn.system().end_guest(account, now).await?;
    conn.commit().await?;
    app.access.invalidate();
    tracing::info!(account.id = %account, "guest session ended");
    Ok(())
}
