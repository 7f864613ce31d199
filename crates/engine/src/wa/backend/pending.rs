//! Waiting messages: inbound ones that are decrypted but not yet committed, and sent messages kept for
//! a retry.
//!
//! Their `n` is the second they were stored, by the library's own clock: the bounds they are swept by
//! are made from it, and two clocks must not disagree about what is old.

use std::sync::PoisonError;

use recado_store::DeviceOp;
use whatsapp_rust::wacore::{
    store::{
        error::{Result, StoreError as WaStoreError},
        traits::{PendingInboundKey, PendingInboundRow, ProtocolStore as _},
    },
    time::now_secs,
};

use super::{Backend, delete, forget_reading, key_of, put, space};

impl Backend {
    /// Keeps decrypted messages until they are committed. When that fails, nothing else of this
    /// connection is written: were the ratchet's step written without its message, WhatsApp's
    /// redelivery would look like a repetition and be dropped.
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
        self.apply(ops).await
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

    /// A repeat of which nothing is kept: fine when the sink has it. Else it is lost, and its connection
    /// ends here, before it is acknowledged.
    pub(super) async fn judge_repeat(&self, chat: &str, sender: &str, id: &str) -> Result<()> {
        let Some(judge) = &self.lost else {
            return Ok(());
        };
        let failed = |error| WaStoreError::Database(Box::new(error));
        if !judge.is_lost(id).await.map_err(failed)? {
            return Ok(());
        }
        let mut rows = Vec::new();
        for user in self.users_of(sender).await? {
            rows.extend(forget_reading(chat, &user));
        }
        judge.ask_again(id, rows);
        Err(self.rows.shut())
    }

    /// Under which names a person's devices may be known: by number and by LID.
    async fn users_of(&self, address: &str) -> Result<Vec<String>> {
        let (name, server) = address.split_once('@').unwrap_or((address, ""));
        let user = name
            .split([':', '.', '_'])
            .next()
            .unwrap_or(name)
            .to_owned();
        let mapped = match server {
            "lid" => self.get_lid_mapping(&user).await?,
            _ => self.get_pn_mapping(&user).await?,
        };
        let also = mapped.map(|entry| {
            if server == "lid" {
                entry.phone_number
            } else {
                entry.lid
            }
        });
        Ok([user].into_iter().chain(also).collect())
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

    /// The row stays, though the library's word is "take": it stores what it took again at once, and a
    /// crash between the two must not lose what the next retry receipt asks for. It goes by its age.
    pub(super) async fn sent(&self, chat: &str, id: &str) -> Result<Option<Vec<u8>>> {
        self.get(space::SENT, &key_of(&[chat, id])).await
    }
}
