//! What becomes of a message of ours after it was accepted: the one place that moves it on.
//!
//! Each step is made inside the caller's transaction, with its event and what it means for the job;
//! what may follow what is `MessageStatus::reached_from`. After the commit the caller tells whoever
//! waits ([`crate::Core::told_progress`]).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use recado_model::{
    AccountId, Error, EventKind, Failure, InstanceId, MessageId, MessageStatus, Result, Timestamp,
    message::OutgoingText,
};
use recado_store::{AccountStore, MessageRow};
use serde::{Deserialize, Serialize};

use crate::{Core, events};

/// A message of ours as it is kept, sealed, from its acceptance on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// Of this form; another one is a newer program's.
    v: u32,
    pub content: OutgoingText,
    /// The own name at that time, for the event.
    pub push_name: Option<String>,
    /// The finished message, base64.
    proto: String,
}

const FORM: u32 = 1;

impl Kept {
    pub fn new(content: OutgoingText, push_name: Option<String>, proto: &[u8]) -> Self {
        Self {
            v: FORM,
            content,
            push_name,
            proto: STANDARD.encode(proto),
        }
    }

    pub fn write(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(Error::internal)
    }

    pub fn read(bytes: &[u8]) -> Result<Self> {
        let kept: Self = serde_json::from_slice(bytes).map_err(Error::internal)?;
        match kept.v {
            FORM => Ok(kept),
            v => Err(Error::internal(format!("a kept message has form {v}"))),
        }
    }

    pub fn proto(&self) -> Result<Vec<u8>> {
        STANDARD.decode(&self.proto).map_err(Error::internal)
    }
}

/// One instance's messages, at one moment.
pub(crate) struct Life<'a> {
    pub core: &'a Core,
    pub account: &'a AccountId,
    pub instance: &'a InstanceId,
    pub now: Timestamp,
}

impl Life<'_> {
    /// A try begins: from here on the message may have been on the wire.
    pub async fn tried(&self, store: &mut AccountStore<'_>, job: &recado_store::Job) -> Result<()> {
        store.try_job(&job.id).await?;
        let sending = MessageStatus::Sending;
        store
            .move_message(self.instance, &job.message, sending, None, self.now)
            .await?;
        Ok(())
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
        let payload = match self.kept(store, id).await? {
            Some((row, kept)) => events::sent(
                &kept.content,
                &row.sender,
                kept.push_name.as_deref(),
                self.now,
            ),
            None => return Ok(true),
        };
        self.append(store, EventKind::Message, payload).await?;
        Ok(true)
    }

    /// A receipt of the recipient's: first, it is sent.
    pub async fn seen(
        &self,
        store: &mut AccountStore<'_>,
        id: &MessageId,
        status: MessageStatus,
    ) -> Result<bool> {
        let sent = self.sent(store, id).await?;
        if status == MessageStatus::Sent {
            return Ok(sent);
        }
        Ok(store
            .move_message(self.instance, id, status, None, self.now)
            .await?)
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

    /// The row of a message of ours and what was kept of it. `None`: nothing can be read of it.
    async fn kept(
        &self,
        store: &mut AccountStore<'_>,
        id: &MessageId,
    ) -> Result<Option<(MessageRow, Kept)>> {
        let row = store.message(self.instance, id).await?;
        let bytes = store.outgoing(self.instance, id).await?;
        let (Some(row), Some(bytes)) = (row, bytes) else {
            return Ok(None);
        };
        Ok(Some((row, Kept::read(&bytes)?)))
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
