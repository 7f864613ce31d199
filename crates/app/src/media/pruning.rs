//! What goes: media that nobody has had to do with for long, those over an account's share, and files that no
//! row names.

use std::time::{Duration, SystemTime};

use recado_model::{MediaState, Result};
use recado_store::MediumOf;
use tokio_util::sync::CancellationToken;

use crate::Core;

const DAY_MS: i64 = 24 * 3600 * 1000;
const BATCH: u32 = 200;
/// A file whose row is about to be written is younger.
const ORPHANS_AFTER_MS: i64 = DAY_MS;

pub(crate) async fn prune(core: &Core, stop: &CancellationToken) -> Result<()> {
    let now = core.clock.now();
    let before = now.plus_millis(-core.config.media.keep_days * DAY_MS);
    while !stop.is_cancelled() {
        let mut conn = core.store.read().await?;
        let old = conn.system().unused_media(before, BATCH).await?;
        drop(conn);
        for medium in &old {
            end(core, medium, "its time here is over").await?;
        }
        if old.len() < BATCH as usize {
            break;
        }
    }
    let mut conn = core.store.read().await?;
    let full = conn
        .system()
        .accounts_full_of_media(core.config.media.quota_bytes)
        .await?;
    drop(conn);
    for (account, bytes) in full {
        let mut over = bytes.saturating_sub(core.config.media.quota_bytes);
        while over > 0 && !stop.is_cancelled() {
            let mut conn = core.store.read().await?;
            let oldest = conn.system().oldest_media(&account, BATCH).await?;
            drop(conn);
            if oldest.is_empty() {
                break;
            }
            for (medium, length) in oldest {
                if over == 0 {
                    break;
                }
                end(core, &medium, "the account's share was used up").await?;
                over = over.saturating_sub(length);
            }
        }
    }
    orphans(core, now.plus_millis(-ORPHANS_AFTER_MS).0).await
}

/// The row says that it is gone, and the file goes with the last row that names it.
async fn end(core: &Core, medium: &MediumOf, why: &str) -> Result<()> {
    let mut conn = core.store.write().await?;
    let mut store = conn.account(&medium.account);
    let Some(object) = store.medium(&medium.id).await?.and_then(|row| row.object) else {
        return Ok(());
    };
    store
        .end_medium(&medium.id, MediaState::Gone, Some(why))
        .await?;
    let named = conn.system().is_media_object(&object).await?;
    conn.commit().await?;
    metrics::counter!("recado_media_pruned_total").increment(1);
    match named {
        true => Ok(()),
        false => core.media.files.remove(&object).await,
    }
}

/// A process that died may have left files, and so does a message that was deleted.
async fn orphans(core: &Core, before_ms: i64) -> Result<()> {
    let before = u64::try_from(before_ms).unwrap_or_default();
    let before = SystemTime::UNIX_EPOCH + Duration::from_millis(before);
    core.media.files.sweep(before)?;
    for object in core.media.files.older_than(before_ms).await? {
        let mut conn = core.store.read().await?;
        if !conn.system().is_media_object(&object).await? {
            core.media.files.remove(&object).await?;
        }
    }
    Ok(())
}
