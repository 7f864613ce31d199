//! What messages do to earlier ones, done to those that are stored: of ours once WhatsApp has them, of others'
//! when they come in. In the transaction of that.
//!
//! Whoever may be about anything: only the author of a message changes or deletes it, and only in its own
//! chat. What does not fit (another's message, one that is not here) changes nothing, and is told by its event.

use recado_model::{
    ChatId, ContactId, ContentKind, InstanceId, MessageId, Result, Timestamp,
    change::{Change, Changed},
};
use recado_store::{AccountStore, MessageRow, StoreError};

use crate::Core;

/// How far somebody's clock may be ahead of ours before it is not believed.
const AHEAD_MS: i64 = 60_000;

/// Who did something, where and when.
pub(crate) struct By<'a> {
    pub instance: &'a InstanceId,
    pub chat: &'a ChatId,
    pub sender: &'a ContactId,
    /// The message that says so.
    pub id: &'a MessageId,
    pub at: Timestamp,
}

/// Whether a message of this kind is about an earlier one.
pub(crate) fn is_about_another(kind: ContentKind) -> bool {
    matches!(
        kind,
        ContentKind::Reaction | ContentKind::Edit | ContentKind::Revoke
    )
}

/// Does what `proto` says.
pub(crate) async fn apply(
    core: &Core,
    store: &mut AccountStore<'_>,
    by: &By<'_>,
    proto: &[u8],
) -> Result<()> {
    let Some(Change { target, at, what }) = core.engine.change(proto) else {
        return Ok(());
    };
    let latest = by.at.plus_millis(AHEAD_MS);
    let at = at.map_or(by.at, |at| at.max(Timestamp(0)).min(latest));
    if let Changed::Reaction(sign) = &what {
        let on = (by.chat, &target);
        store
            .put_reaction(by.instance, on, by.sender, sign.as_deref(), at)
            .await?;
        return Ok(());
    }
    let row = store
        .message_by(by.instance, by.chat, by.sender, &target)
        .await?;
    let Some(row) = row.filter(|row| !is_about_another(row.kind)) else {
        return Ok(());
    };
    match what {
        Changed::Edited => {
            note(store, by, &target).await?;
            match row.deleted_at {
                // An edit that comes after the end: what it holds goes as well.
                Some(at) => Ok(store.delete_content(&row, at).await?),
                None => edit(core, store, &row, proto, at).await,
            }
        }
        Changed::Deleted => Ok(store.delete_content(&row, by.at).await?),
        Changed::Reaction(_) => Ok(()),
    }
}

/// Its content goes when that of `target` does.
async fn note(store: &mut AccountStore<'_>, by: &By<'_>, target: &MessageId) -> Result<()> {
    let act = store
        .message_by(by.instance, by.chat, by.sender, by.id)
        .await?;
    match act {
        Some(act) => Ok(store.note_edit(&act.key, target).await?),
        None => Ok(()),
    }
}

async fn edit(
    core: &Core,
    store: &mut AccountStore<'_>,
    row: &MessageRow,
    proto: &[u8],
    at: Timestamp,
) -> Result<()> {
    let original = match store.proto(&row.key).await {
        Ok(Some(original)) => original,
        Ok(None) => return Ok(()),
        // It must not hold up what came, which WhatsApp would give again for ever.
        Err(StoreError::Sealed(error)) => {
            tracing::error!(instance.id = %row.instance, message.id = %row.id, %error, "a message that was edited cannot be read; it stays as it was");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(edited) = core.engine.edited(&original, proto) {
        store.edit_content(&row.key, &edited, at).await?;
    }
    Ok(())
}
