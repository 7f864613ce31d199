//! The end of guest accounts: unpaired after ten minutes, paired and unclaimed after an hour.

use recado_model::{AccountId, Result};
use tokio_util::sync::CancellationToken;

use crate::{App, instances};

pub(crate) const UNPAIRED_MS: i64 = 10 * 60 * 1000;
pub(crate) const PAIRED_MS: i64 = 60 * 60 * 1000;
const LOOK_EVERY_MS: i64 = 15_000;

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

async fn sweep(app: &App) -> Result<()> {
    let expired = app
        .core
        .store
        .read()
        .await?
        .system()
        .expired_guests(app.core.clock.now())
        .await?;
    for account in expired {
        end(app, &account).await?;
    }
    Ok(())
}

/// Logged out at WhatsApp, then wiped.
async fn end(app: &App, account: &AccountId) -> Result<()> {
    let all = app
        .core
        .store
        .read()
        .await?
        .account(account)
        .all_instances()
        .await?;
    for instance in all {
        instances::delete(app, account, &instance.id).await?;
    }
    let mut conn = app.core.store.write().await?;
    conn.system().delete_account(account).await?;
    conn.commit().await?;
    app.access.invalidate();
    tracing::info!(account.id = %account, "guest session ended");
    Ok(())
}
