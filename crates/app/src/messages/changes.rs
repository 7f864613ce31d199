//! What messages do to earlier ones, done to those that are stored: of ours once WhatsApp has them, of others'
//! when they come in. In the transaction of that.
//!
//! Whoever may be about anything: only the author of a message changes or deletes it, or deletes it as an admin of
//! its group, and only in its own chat. What does not fit (another's message, one that is not here) changes nothing, and is told by its event.

use recado_model::{
    Address, ContentKind, Direction, MessageId, MessageStatus, Result, Timestamp,
    change::{Change, Changed},
};
use recado_store::{AccountStore, MessageRow, StoreError};

use super::{
    by::{By, at_of},
    votes,
};
use crate::{Core, events::VoteTold};

/// How long WhatsApp's programs take an edit for.
pub(crate) const EDIT_WINDOW_MS: i64 = 20 * 60 * 1000;
/// An edit is written a while before it arrives.
const EDIT_TOLERANCE_MS: i64 = 5 * 60 * 1000;

/// Whether a message of this kind is about an earlier one.
pub(crate) fn is_about_another(kind: ContentKind) -> bool {
    matches!(
        kind,
        ContentKind::Reaction | ContentKind::Edit | ContentKind::Revoke | ContentKind::Vote
    )
}

/// What was done by a change.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// What became of a vote.
    pub vote: Option<VoteTold>,
    /// Acts of ours on a message that is gone, which wait to be sent.
    pub waiting: Vec<MessageRow>,
}

/// Does what `proto` says.
pub(crate) async fn apply(
    core: &Core,
    store: &mut AccountStore<'_>,
    by: &By<'_>,
    proto: &[u8],
) -> Result<Done> {
    let mut done = Done::default();
    let Some(change) = core.engine.change(proto) else {
        return Ok(done);
    };
    let at = at_of(&change, by.at);
    let Change { target, what, .. } = change;
    match what {
        Changed::Reaction(sign) => {
            let on = (by.chat, &target);
            store
                .put_reaction(by.instance, on, by.sender, sign.as_deref(), at)
                .await?;
        }
        Changed::Voted => {
            let told = votes::count(core, store, by, &target, (proto, at)).await?;
            done.vote = Some(told);
        }
        Changed::DeletedByAdmin(author) => {
            let row = of_member(store, by, (&author, &target)).await?;
            let row = row.filter(|row| !is_about_another(row.kind) && !is_unsent(row));
            if let Some(row) = row.filter(|row| row.deleted_at.is_none()) {
                store.delete_content(&row, by.at).await?;
                done.waiting = store.waiting_about(&row).await?;
            }
        }
        Changed::Edited | Changed::Deleted => {
            let row = store
                .message_by(by.instance, by.chat, by.sender, &target)
                .await?;
            let row = row.filter(|row| !is_about_another(row.kind) && !is_unsent(row));
            match row.map(|row| (row.deleted_at, row)) {
                None => {}
                // An edit that comes after the end: what it holds goes as well.
                Some((Some(at), row)) => store.delete_content(&row, at).await?,
                Some((None, row)) if what == Changed::Deleted => {
                    store.delete_content(&row, by.at).await?;
                    done.waiting = store.waiting_about(&row).await?;
                }
                Some((None, row)) if is_late(&row, by, at) => {
                    tracing::info!(instance.id = %by.instance, message.id = %by.id, "an edit came later than WhatsApp takes one; it changes nothing");
                }
                Some((None, row)) => edit(core, store, &row, proto, at).await?,
            }
        }
    }
    Ok(done)
}

/// The message of a group that this member wrote, where whoever did it may end it: its author, or an admin.
async fn of_member(
    store: &mut AccountStore<'_>,
    by: &By<'_>,
    (author, target): (&Address, &MessageId),
) -> Result<Option<MessageRow>> {
    let own = store.addresses_of(by.instance, by.sender).await?;
    let may = own.contains(author)
        || store
            .is_group_admin(by.instance, by.chat, by.sender)
            .await?;
    if !may {
        return Ok(None);
    }
    let rows = store
        .messages_with_id(by.instance, Some(by.chat), target)
        .await?;
    for row in rows {
        let known = store.addresses_of(by.instance, &row.sender_id).await?;
        if known.contains(author) {
            return Ok(Some(row));
        }
    }
    Ok(None)
}

/// Nobody can have it yet, so nobody can have changed it.
fn is_unsent(row: &MessageRow) -> bool {
    row.direction == Direction::Out && row.status == MessageStatus::Queued && !row.tried
}

/// Whether phones pass over an edit. What somebody else says of the time of it counts for nothing: WhatsApp's
/// time of both does. Of our own the edit may come back to us late.
fn is_late(row: &MessageRow, by: &By<'_>, at: Timestamp) -> bool {
    let (edited, written) = match row.direction {
        Direction::In => (by.at, row.at),
        Direction::Out => (at.min(by.at), row.sent_at.unwrap_or(row.at)),
    };
    edited.since(written) > EDIT_WINDOW_MS + EDIT_TOLERANCE_MS
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
