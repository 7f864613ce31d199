//! What waits: inbound messages that are decrypted but not yet committed, and sent messages kept for
//! a retry.
//!
//! Their `n` is the second they were stored, by the library's own clock: the bounds they are swept by
//! are made from it, and two clocks must not disagree about what is old.

use std::sync::PoisonError;

use recado_store::DeviceOp;
use whatsapp_rust::wacore::{
    store::{
        error::Result,
        traits::{PendingInboundKey, PendingInboundRow},
    },
    time::now_secs,
};

use super::{Backend, database, delete, key_of, put, space};

impl Backend {
    /// Keeps decrypted messages until they are committed. When that fails, nothing else of this
    /// connection may be written: see [`super::Fence`].
    pub(super) async fn keep_pending(&self, rows: &[PendingInboundRow<'_>]) -> Result<()> {
        if let Some(unwritten) = &self.unwritten {
            let mut unwritten = unwritten.lock().unwrap_or_else(PoisonError::into_inner);
            for row in rows {
                let key = key_of(&[row.chat, row.sender, row.id]);
                unwritten.insert(key, row.message.to_vec());
            }
            return Ok(());
        }
        let now = now_secs();
        let ops = rows
            .iter()
            .map(|row| {
                put(
                    space::PENDING,
                    key_of(&[row.chat, row.sender, row.id]),
                    now,
                    row.message.to_vec(),
                )
            })
            .collect();
        let kept = self.apply(ops).await;
        if kept.is_err() {
            self.fence.raise_for_loss();
        }
        kept
    }

    pub(super) async fn pending(
        &self,
        chat: &str,
        sender: &str,
        id: &str,
    ) -> Result<Option<Vec<u8>>> {
        let key = key_of(&[chat, sender, id]);
        if let Some(unwritten) = &self.unwritten {
            let unwritten = unwritten.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(unwritten.get(&key).cloned());
        }
        self.get(space::PENDING, &key).await
    }

    pub(super) async fn drop_pending(&self, keys: &[PendingInboundKey<'_>]) -> Result<()> {
        if let Some(unwritten) = &self.unwritten {
            let mut unwritten = unwritten.lock().unwrap_or_else(PoisonError::into_inner);
            for key in keys {
                unwritten.remove(&key_of(&[key.chat, key.sender, key.id]));
            }
            return Ok(());
        }
        let ops: Vec<DeviceOp> = keys
            .iter()
            .map(|key| delete(space::PENDING, key_of(&[key.chat, key.sender, key.id])))
            .collect();
        self.apply(ops).await
    }

    pub(super) async fn keep_sent(&self, chat: &str, id: &str, payload: &[u8]) -> Result<()> {
        self.put(
            space::SENT,
            &key_of(&[chat, id]),
            now_secs(),
            payload.to_vec(),
        )
        .await
    }

    /// Reads and removes in one step, so that one retry receipt is answered once.
    pub(super) async fn take_sent(&self, chat: &str, id: &str) -> Result<Option<Vec<u8>>> {
        self.fence.check()?;
        let mut taken = None;
        self.device
            .update(space::SENT, &key_of(&[chat, id]), |payload| {
                taken = payload;
                None
            })
            .await
            .map_err(database)?;
        Ok(taken)
    }
}
