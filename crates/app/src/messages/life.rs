//! The life of a message of ours after it was accepted: the one place that moves it on.
//!
//! Each step is made inside the caller's transaction, with its event and what it means for the job;
//! what may follow what is `MessageStatus::reached_from`. After the commit the caller tells whoever
//! waits ([`crate::Core::told_progress`]).

use recado_model::{
    AccountId, EventKind, Failure, InstanceId, MessageId, MessageStatus, Result, Timestamp,
    failure, message::Rendered,
};
use recado_store::{AccountStore, MessageRow, StoreError};

use super::{
    by::By,
    changes::{self, is_about_another},
    wanted,
};
use crate::{Core, events};

/// One instance's messages, at one moment.
pub(crate) struct Life<'a> {
    pub core: &'a Core,
    pub account: &'a AccountId,
    pub instance: &'a InstanceId,
    pub now: Timestamp,
}

impl Life<'_> {
    /// A try begins: from here on the message may have been on the wire. `false`: it was taken out of the line
    /// a moment ago.
    pub async fn tried(
        &self,
        store: &mut AccountStore<'_>,
        job: &recado_store::Job,
    ) -> Result<bool> {
        if !store.try_job(&job.id).await? {
            return Ok(false);
        }
        let sending = MessageStatus::Sending;
        store
            .move_message(self.instance, &job.message, sending, None, self.now)
            .await?;
        Ok(true)
    }

    /// Its owner takes it out of the line. It was never tried.
    pub async fn cancelled(&self, store: &mut AccountStore<'_>, id: &MessageId) -> Result<bool> {
        store.finish_job(self.instance, id).await?;
        let cancelled = MessageStatus::Cancelled;
        let moved = store
            .move_message(self.instance, id, cancelled, None, self.now)
            .await?;
        if let Some(row) = store.message(self.instance, id).await? {
            store.end_awaited(&row.key, wanted::OVER).await?;
        }
        Ok(moved)
    }

    /// WhatsApp's server has it, as its acknowledgement or any receipt says. `false` when that was
    /// known, or the message is not ours.
    pub async fn sent(&self, store: &mut AccountStore<'_>, id: &MessageId) -> Result<bool> {
        // Whatever the row says, there is nothing left to do for a message that is there.
        store.finish_job(self.instance, id).await?;
        let sent = MessageStatus::Sent;
        if !store
            .move_message(self.instance, id, sent, None, self.now)
            .await?
        {
            return Ok(false);
        }
        self.tell(store, id).await?;
        Ok(true)
    }

    /// WhatsApp has it: its event, and what it does to an earlier message.
    async fn tell(&self, store: &mut AccountStore<'_>, id: &MessageId) -> Result<()> {
        let row = store.message(self.instance, id).await?;
        let (Some(row), Some((proto, rendered))) = (row, self.rendered(store, id).await?) else {
            return Ok(());
        };
        let mut vote = None;
        if is_about_another(row.kind) {
            let by = By {
                instance: self.instance,
                chat: &row.chat_id,
                sender: &row.sender_id,
                id,
                at: self.now,
            };
            let done = changes::apply(self.core, store, &by, &proto).await?;
            self.pointless(store, done.waiting).await?;
            vote = done.vote;
        }
        let payload = events::sent(&row, rendered, vote.as_ref(), self.now);
        self.append(store, EventKind::Message, payload).await
    }

    /// The content of the message, for its event. `None` where that cannot be read any more: WhatsApp has it all
    /// the same, and its acknowledgement must not come again for ever.
    async fn rendered(
        &self,
        store: &mut AccountStore<'_>,
        id: &MessageId,
    ) -> Result<Option<(Vec<u8>, Rendered)>> {
        let rendered = match store.finished(self.instance, id).await {
            Ok(Some(proto)) => {
                let rendered = self.core.engine.render(&proto);
                rendered.map(|rendered| (proto, rendered))
            }
            Ok(None) => return Ok(None),
            Err(error @ StoreError::Sealed(_)) => Err(error.into()),
            Err(error) => return Err(error.into()),
        };
        if let Err(error) = &rendered {
            let error = error as &dyn std::error::Error;
            tracing::error!(instance.id = %self.instance, message.id = %id, error, "a message that was sent cannot be read; it has no event");
        }
        Ok(rendered.ok())
    }

    /// A receipt of the recipient's: first, it is sent. `false` also for a message that was never tried: nobody
    /// can have it, and whoever says so made it up.
    pub async fn seen(
        &self,
        store: &mut AccountStore<'_>,
        id: &MessageId,
        status: MessageStatus,
    ) -> Result<bool> {
        let row = store.message(self.instance, id).await?;
        let before = row.as_ref().map(|row| row.status);
        let waits = |status| {
            matches!(
                status,
                MessageStatus::Queued | MessageStatus::Failed | MessageStatus::Cancelled
            )
        };
        if row.is_some_and(|row| !row.tried && waits(row.status)) {
            tracing::warn!(instance.id = %self.instance, message.id = %id, "a receipt for a message that was never sent");
            return Ok(false);
        }
        let sent = self.sent(store, id).await?;
        if status == MessageStatus::Sent {
            return Ok(sent);
        }
        let moved = store
            .move_message(self.instance, id, status, None, self.now)
            .await?;
        // It was told to have failed, and has arrived all the same.
        if moved && before == Some(MessageStatus::Failed) {
            self.tell(store, id).await?;
        }
        Ok(moved)
    }

    /// What these were to say is gone with the message that they are about.
    pub async fn pointless(
        &self,
        store: &mut AccountStore<'_>,
        waiting: Vec<MessageRow>,
    ) -> Result<()> {
        for row in waiting {
            match row.tried {
                true => self.unconfirmed(store, &row.id).await?,
                false => {
                    let failure = Failure::of(failure::DELETED);
                    self.failed(store, &row.id, &failure).await?
                }
            };
        }
        Ok(())
    }

    /// It is over without having been sent.
    pub async fn failed(
        &self,
        store: &mut AccountStore<'_>,
        id: &MessageId,
        failure: &Failure,
    ) -> Result<bool> {
        store.finish_job(self.instance, id).await?;
        let failed = MessageStatus::Failed;
        if !store
            .move_message(self.instance, id, failed, Some(failure), self.now)
            .await?
        {
            return Ok(false);
        }
        let Some(row) = store.message(self.instance, id).await? else {
            return Ok(true);
        };
        store.end_awaited(&row.key, wanted::OVER).await?;
        let payload = events::failed(&row, failure, self.now);
        self.append(store, EventKind::MessageFailed, payload)
            .await?;
        tracing::warn!(instance.id = %self.instance, message.id = %id, code = failure.code, "message failed");
        Ok(true)
    }

    /// Two tries got no answer at all. It may have arrived, so nothing is told to have failed.
    pub async fn unconfirmed(&self, store: &mut AccountStore<'_>, id: &MessageId) -> Result<bool> {
        store.finish_job(self.instance, id).await?;
        let unconfirmed = MessageStatus::Unconfirmed;
        Ok(store
            .move_message(self.instance, id, unconfirmed, None, self.now)
            .await?)
    }

    async fn append(
        &self,
        store: &mut AccountStore<'_>,
        kind: EventKind,
        payload: serde_json::Value,
    ) -> Result<()> {
        let (rng, now) = (&*self.core.rng, self.now);
        let event = events::event(rng, self.account, self.instance, kind, payload, now);
        store.append(&event).await?;
        Ok(())
    }
}
