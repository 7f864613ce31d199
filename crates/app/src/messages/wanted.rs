//! Whether the medium of a message is still wanted: who has taken a message out of the queue wants nothing fetched
//! for it.

use recado_model::{AccountId, MessageStatus, Result};
use recado_store::MediumRow;

use crate::App;

/// Why a medium does not come whose message is over.
pub(crate) const OVER: &str = "its message is not to be sent any more";
/// Another node may have taken the message out of the queue.
const LOOK_EVERY_MS: i64 = 5_000;

/// Whether the message waits for the bytes.
pub(crate) async fn is(app: &App, account: &AccountId, row: &MediumRow) -> Result<bool> {
    let Some(key) = &row.message else {
        return Ok(true);
    };
    let mut conn = app.core.store.read().await?;
    let message = conn.account(account).message_with_key(key).await?;
    let over = |status| matches!(status, MessageStatus::Cancelled | MessageStatus::Failed);
    Ok(message.is_some_and(|message| !over(message.status)))
}

/// Goes on with `work` for as long as the message waits for what comes of it. `None`: it does not any more.
pub(crate) async fn while_it_is<T>(
    app: &App,
    account: &AccountId,
    row: &MediumRow,
    work: impl Future<Output = T>,
) -> Option<T> {
    tokio::select! {
        biased;
        done = work => Some(done),
        () = no_more(app, account, row) => None,
    }
}

async fn no_more(app: &App, account: &AccountId, row: &MediumRow) {
    let mut told = app.core.media.hear_unwanted();
    loop {
        // A fault says nothing; the next look may.
        if let Ok(false) = is(app, account, row).await {
            return;
        }
        tokio::select! {
            _ = told.changed() => {}
            () = app.core.clock.sleep_ms(LOOK_EVERY_MS) => {}
        }
    }
}
