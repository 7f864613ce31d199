//! The line of an instance as its owner sees it: what waits, and what is taken out before it was tried.

use recado_identity::Granted;
use recado_model::{
    Address, ContentKind, Error, ErrorCode, Lane, MessageId, MessageStatus, Result, Timestamp,
};
use recado_store::QueuedRow;

use super::{Messages, life::Life};

/// A page of what waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuePage {
    pub items: Vec<QueuedView>,
    /// Of the whole line.
    pub total: u64,
}

/// A message that WhatsApp does not have yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedView {
    pub id: MessageId,
    pub chat: Address,
    pub kind: ContentKind,
    pub status: MessageStatus,
    pub queue_id: Option<i64>,
    pub created_at: Timestamp,
    /// Set while it waits for its time.
    pub not_before: Option<Timestamp>,
    pub valid_until: Option<Timestamp>,
    /// Tries so far that ended without WhatsApp taking it.
    pub attempts: u32,
}

/// What a purge came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    pub cancelled: u64,
    /// Those that may be on the wire stay.
    pub kept: u64,
}

/// In one transaction of a purge: others write between two of them.
const BATCH: u32 = 200;

impl Messages<'_> {
    /// What waits, in the order of the line. `page` counts from 1.
    pub async fn queue(
        &self,
        granted: &Granted,
        lane: Lane,
        page: u32,
        size: u32,
    ) -> Result<QueuePage> {
        let now = self.app.core.clock.now();
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let rows = store.queued(granted.id(), lane, page, size).await?;
        let total = store.queued_count(granted.id(), lane).await?;
        Ok(QueuePage {
            items: rows.into_iter().map(|row| view(row, now)).collect(),
            total: total.unsigned_abs(),
        })
    }

    /// Takes a message out of the line; its status is `cancelled` from then on.
    ///
    /// # Errors
    /// 404 for one that is not in this line, 409 for one that may be on the wire.
    pub async fn cancel(&self, granted: &Granted, lane: Lane, id: &MessageId) -> Result<()> {
        let core = &self.app.core;
        let mut conn = core.store.write().await?;
        let mut store = conn.account(granted.account());
        // The actor holds the instance while it begins a try: one of the two is first.
        store.lock_instance(granted.id()).await?;
        let waits = store.queued_message(granted.id(), lane, id).await?;
        let waits = waits.ok_or_else(|| not_there(lane))?;
        if waits.tried {
            return Err(Error::new(
                ErrorCode::Conflict,
                "This was handed to WhatsApp already and may arrive. Once it is sent, DELETE /instances/{id}/chat/messages/{message_id} takes it back for everybody.",
            ));
        }
        let life = self.life(granted);
        let cancelled = life.cancelled(&mut store, id).await?;
        conn.commit().await?;
        core.media.tell_unwanted();
        if cancelled {
            core.told_progress(granted.id(), id, MessageStatus::Cancelled);
        }
        // What waited behind it may go.
        self.app.supervisor.wake(granted.id());
        Ok(())
    }

    /// The same with all of a line that was not tried yet.
    pub async fn purge(&self, granted: &Granted, lane: Lane) -> Result<Purged> {
        let core = &self.app.core;
        let mut cancelled = 0;
        loop {
            let mut conn = core.store.write().await?;
            let mut store = conn.account(granted.account());
            store.lock_instance(granted.id()).await?;
            let waiting = store.untried(granted.id(), lane, BATCH).await?;
            let life = self.life(granted);
            for id in &waiting {
                life.cancelled(&mut store, id).await?;
            }
            let kept = match waiting.is_empty() {
                true => store.queued_count(granted.id(), lane).await?,
                false => 0,
            };
            conn.commit().await?;
            core.media.tell_unwanted();
            cancelled += waiting.len() as u64;
            for id in &waiting {
                core.told_progress(granted.id(), id, MessageStatus::Cancelled);
            }
            if waiting.is_empty() {
                self.app.supervisor.wake(granted.id());
                let kept = kept.unsigned_abs();
                return Ok(Purged { cancelled, kept });
            }
        }
    }

    fn life<'a>(&'a self, granted: &'a Granted) -> Life<'a> {
        Life {
            core: &self.app.core,
            account: granted.account(),
            instance: granted.id(),
            now: self.app.core.clock.now(),
        }
    }
}

fn view(row: QueuedRow, now: Timestamp) -> QueuedView {
    QueuedView {
        id: row.message,
        chat: row.to,
        kind: row.kind,
        status: row.status,
        queue_id: row.queue_id,
        created_at: row.created_at,
        not_before: Some(row.run_at).filter(|at| *at > now),
        valid_until: row.valid_until,
        attempts: row.attempts,
    }
}

fn not_there(lane: Lane) -> Error {
    let text = match lane {
        Lane::Messages => {
            "No message with this id waits in the queue: GET /instances/{id}/queue/messages lists them."
        }
        Lane::Operations => {
            "No operation with this id waits in the queue: GET /instances/{id}/queue/operations lists them."
        }
    };
    Error::new(ErrorCode::NotFound, text)
}
