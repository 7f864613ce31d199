//! A medium on its way to WhatsApp's hosts, and the message that is finished by it.

use std::sync::Arc;

use recado_engine::Link;
use recado_model::{Error, MediaState, Result, Timestamp, media::FilledMedia};
use recado_store::MediumRow;

use super::files;
use crate::held::Held;

/// WhatsApp's hosts keep what was brought for days; a message that is repeated later brings it again.
const GOOD_FOR_MS: i64 = 24 * 3600 * 1000;

/// What is still to be done for a medium before its message can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing.
    Ready,
    /// Its bytes are to come.
    Wait,
    /// It is to be brought to WhatsApp.
    Bring,
    /// Its bytes are not here, and do not come.
    Never,
}

pub(crate) fn turn(row: &MediumRow, now: Timestamp) -> Turn {
    let fresh = row
        .uploaded_at
        .is_some_and(|at| now.since(at) < GOOD_FOR_MS);
    match row.state {
        _ if fresh => Turn::Ready,
        MediaState::Awaited => Turn::Wait,
        MediaState::Kept => Turn::Bring,
        MediaState::Gone | MediaState::Failed => Turn::Never,
    }
}

/// Brings the bytes to WhatsApp, and writes down the finished message: each try sends that one.
///
/// # Errors
/// [`recado_model::ErrorCode::MediaGone`] where the file is no more.
pub(crate) async fn bring(
    held: &Held,
    link: Arc<dyn Link>,
    row: &MediumRow,
    proto: &[u8],
) -> Result<()> {
    let core = &held.core;
    let (Some(object), Some(digest)) = (&row.object, &row.secret.digest) else {
        return Err(files::gone());
    };
    let key = row.secret.key();
    let file = core.media.files.file(object).await?;
    let uploaded = link.upload(row.class, &key, digest, file.path()).await?;
    let filled = FilledMedia {
        key,
        digest: digest.clone(),
        looks: row.secret.looks.clone(),
        uploaded,
        at: row.secret.keyed_at,
    };
    let proto = core.engine.fill_media(proto, &filled)?;
    let now = core.clock.now();
    let mut conn = held.write().await?;
    let mut store = conn.account(&held.account);
    if !store.fill_message(row, &proto, now).await? {
        return Err(Error::internal("a message without its content"));
    }
    conn.commit().await?;
    Ok(())
}
