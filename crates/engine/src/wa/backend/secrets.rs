//! Message secrets: what later poll votes, edits and bot answers are decrypted with.

use std::collections::HashMap;

use async_trait::async_trait;
use whatsapp_rust::{
    traits::{MsgSecretEntry, MsgSecretStore},
    wacore::store::{
        error::{Result, StoreError as WaStoreError},
        traits::{merge_msg_secret_expiry, merge_msg_secret_message_ts},
    },
};

use super::{Backend, key_of, put, space};

/// 32 bytes of secret, then the deadline and the parent's time as big-endian seconds.
const SECRET_LEN: usize = 32;
const ROW_LEN: usize = SECRET_LEN + 16;

struct SecretRow {
    secret: [u8; SECRET_LEN],
    /// 0: never.
    expires_at: i64,
    /// 0: unknown.
    message_ts: i64,
}

impl SecretRow {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ROW_LEN);
        bytes.extend_from_slice(&self.secret);
        bytes.extend_from_slice(&self.expires_at.to_be_bytes());
        bytes.extend_from_slice(&self.message_ts.to_be_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self> {
        let broken =
            || WaStoreError::Validation("a message secret row has a wrong length".to_owned());
        if bytes.len() != ROW_LEN {
            return Err(broken());
        }
        let (secret, rest) = bytes.split_at(SECRET_LEN);
        let (expires_at, message_ts) = rest.split_at(8);
        Ok(Self {
            secret: secret.try_into().map_err(|_| broken())?,
            expires_at: i64::from_be_bytes(expires_at.try_into().map_err(|_| broken())?),
            message_ts: i64::from_be_bytes(message_ts.try_into().map_err(|_| broken())?),
        })
    }

    /// The number that the row is swept by: one without a deadline must never be below any bound.
    fn n(&self) -> i64 {
        if self.expires_at == 0 {
            i64::MAX
        } else {
            self.expires_at
        }
    }
}

impl Backend {
    fn secret_row(&self, bytes: &[u8]) -> Result<SecretRow> {
        SecretRow::decode(bytes).map_err(|error| self.rows.broken(error))
    }
}

#[async_trait]
impl MsgSecretStore for Backend {
    async fn put_msg_secrets(&self, entries: Vec<MsgSecretEntry>) -> Result<usize> {
        if entries.is_empty() {
            return Ok(0);
        }
        let stored = entries.len();
        let keys: Vec<String> = entries
            .iter()
            .map(|entry| key_of(&[&entry.chat, &entry.sender, &entry.msg_id]))
            .collect();
        let _merging = self.merging.lock().await;
        let mut rows: HashMap<String, SecretRow> = self
            .rows
            .get_many(space::SECRET, &keys)
            .await?
            .into_iter()
            .map(|(key, bytes)| Ok((key, self.secret_row(&bytes)?)))
            .collect::<Result<_>>()?;
        for (key, entry) in keys.iter().zip(entries) {
            let (expires_at, message_ts) = match rows.get(key) {
                Some(known) => (
                    merge_msg_secret_expiry(known.expires_at, entry.expires_at),
                    merge_msg_secret_message_ts(known.message_ts, entry.message_ts),
                ),
                None => (entry.expires_at, entry.message_ts),
            };
            rows.insert(
                key.clone(),
                SecretRow {
                    secret: entry.secret,
                    expires_at,
                    message_ts,
                },
            );
        }
        let ops = rows
            .into_iter()
            .map(|(key, row)| put(space::SECRET, key, row.n(), row.encode()))
            .collect();
        self.apply(ops).await?;
        Ok(stored)
    }

    async fn get_msg_secret(
        &self,
        chat: &str,
        sender: &str,
        msg_id: &str,
    ) -> Result<Option<Vec<u8>>> {
        Ok(self
            .get_msg_secret_with_ts(chat, sender, msg_id)
            .await?
            .map(|(secret, _)| secret))
    }

    async fn get_msg_secret_with_ts(
        &self,
        chat: &str,
        sender: &str,
        msg_id: &str,
    ) -> Result<Option<(Vec<u8>, i64)>> {
        match self
            .get(space::SECRET, &key_of(&[chat, sender, msg_id]))
            .await?
        {
            None => Ok(None),
            Some(bytes) => {
                let row = self.secret_row(&bytes)?;
                Ok(Some((row.secret.to_vec(), row.message_ts)))
            }
        }
    }

    async fn delete_expired_msg_secrets(&self, cutoff_timestamp: i64) -> Result<u32> {
        // A deadline at the cut-off has passed; `delete_below` is exclusive.
        self.delete_below(space::SECRET, cutoff_timestamp.saturating_add(1))
            .await
    }
}
