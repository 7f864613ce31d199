//! Identities, Signal sessions, pre-keys and sender keys.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use recado_store::DeviceOp;
use whatsapp_rust::{
    traits::SignalStore,
    wacore::store::error::{Result, StoreError as WaStoreError},
};

use super::{Backend, delete, put, space};

/// Zero-padded, so that keys sort as numbers do.
fn id_key(id: u32) -> String {
    format!("{id:010}")
}

impl Backend {
    fn id_of(&self, key: &str) -> Result<u32> {
        key.parse().map_err(|_| {
            self.rows.broken(WaStoreError::Validation(format!(
                "a key row is named '{key}', not by a number"
            )))
        })
    }
}

#[async_trait]
impl SignalStore for Backend {
    async fn put_identity(&self, address: &str, key: [u8; 32]) -> Result<()> {
        self.put(space::IDENTITY, address, 0, key.to_vec()).await
    }

    async fn put_identities_batch(&self, identities: &[(Arc<str>, [u8; 32])]) -> Result<()> {
        let ops = identities
            .iter()
            .map(|(address, key)| put(space::IDENTITY, &**address, 0, key.to_vec()))
            .collect();
        self.apply(ops).await
    }

    async fn load_identity(&self, address: &str) -> Result<Option<[u8; 32]>> {
        match self.get(space::IDENTITY, address).await? {
            None => Ok(None),
            Some(bytes) => <[u8; 32]>::try_from(bytes.as_slice())
                .map(Some)
                .map_err(|_| {
                    self.rows.broken(WaStoreError::Validation(format!(
                        "an identity key has {} bytes, not 32",
                        bytes.len()
                    )))
                }),
        }
    }

    async fn delete_identity(&self, address: &str) -> Result<()> {
        self.delete(space::IDENTITY, address).await
    }

    async fn get_session(&self, address: &str) -> Result<Option<Bytes>> {
        Ok(self
            .get(space::SIGNAL_SESSION, address)
            .await?
            .map(Bytes::from))
    }

    async fn put_session(&self, address: &str, session: &[u8]) -> Result<()> {
        self.put(space::SIGNAL_SESSION, address, 0, session.to_vec())
            .await
    }

    async fn put_sessions_batch(&self, sessions: &[(Arc<str>, Bytes)]) -> Result<()> {
        let ops = sessions
            .iter()
            .map(|(address, session)| put(space::SIGNAL_SESSION, &**address, 0, session.to_vec()))
            .collect();
        self.apply(ops).await
    }

    async fn delete_session(&self, address: &str) -> Result<()> {
        self.delete(space::SIGNAL_SESSION, address).await
    }

    async fn has_signal_state_for_user(&self, user: &str) -> Result<bool> {
        for space in [space::SIGNAL_SESSION, space::IDENTITY] {
            let rows = self.rows.scan_prefix(space, user).await?;
            // `551` is a prefix of `5511…` too: only a whole user part counts.
            if rows
                .iter()
                .any(|row| matches!(row.key.as_bytes().get(user.len()), Some(b'@' | b':')))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn store_prekey(&self, id: u32, record: &[u8], uploaded: bool) -> Result<()> {
        self.put(
            space::PREKEY,
            &id_key(id),
            i64::from(uploaded),
            record.to_vec(),
        )
        .await
    }

    async fn store_prekeys_batch(&self, keys: &[(u32, Bytes)], uploaded: bool) -> Result<()> {
        let ops = keys
            .iter()
            .map(|(id, record)| {
                put(
                    space::PREKEY,
                    id_key(*id),
                    i64::from(uploaded),
                    record.to_vec(),
                )
            })
            .collect();
        self.apply(ops).await
    }

    async fn load_prekey(&self, id: u32) -> Result<Option<Bytes>> {
        Ok(self.get(space::PREKEY, &id_key(id)).await?.map(Bytes::from))
    }

    async fn load_prekeys_batch(&self, ids: &[u32]) -> Result<Vec<(u32, Bytes)>> {
        let keys: Vec<String> = ids.iter().copied().map(id_key).collect();
        let rows = self.rows.get_many(space::PREKEY, &keys).await?;
        rows.into_iter()
            .map(|(key, record)| Ok((self.id_of(&key)?, Bytes::from(record))))
            .collect()
    }

    async fn mark_prekeys_uploaded(&self, _ids: &[u32]) -> Result<()> {
        // Nothing reads the mark through these traits (the device row holds the watermark), and
        // writing it could bring back a key that was used up in between.
        Ok(())
    }

    async fn remove_prekey(&self, id: u32) -> Result<()> {
        self.delete(space::PREKEY, &id_key(id)).await
    }

    async fn get_max_prekey_id(&self) -> Result<u32> {
        let keys = self.rows.keys(space::PREKEY).await?;
        let mut max = 0;
        for key in keys {
            max = max.max(self.id_of(&key)?);
        }
        Ok(max)
    }

    async fn store_signed_prekey(&self, id: u32, record: &[u8]) -> Result<()> {
        self.put(space::SIGNED_PREKEY, &id_key(id), 0, record.to_vec())
            .await
    }

    async fn load_signed_prekey(&self, id: u32) -> Result<Option<Vec<u8>>> {
        self.get(space::SIGNED_PREKEY, &id_key(id)).await
    }

    async fn load_all_signed_prekeys(&self) -> Result<Vec<(u32, Vec<u8>)>> {
        let rows = self.rows.scan(space::SIGNED_PREKEY).await?;
        rows.into_iter()
            .map(|row| Ok((self.id_of(&row.key)?, row.value)))
            .collect()
    }

    async fn remove_signed_prekey(&self, id: u32) -> Result<()> {
        self.delete(space::SIGNED_PREKEY, &id_key(id)).await
    }

    async fn put_sender_key(&self, address: &str, record: &[u8]) -> Result<()> {
        self.put(space::SENDER_KEY, address, 0, record.to_vec())
            .await
    }

    async fn put_sender_keys_batch(&self, sender_keys: &[(Arc<str>, Bytes)]) -> Result<()> {
        let ops: Vec<DeviceOp> = sender_keys
            .iter()
            .map(|(address, record)| put(space::SENDER_KEY, &**address, 0, record.to_vec()))
            .collect();
        self.apply(ops).await
    }

    async fn get_sender_key(&self, address: &str) -> Result<Option<Vec<u8>>> {
        self.get(space::SENDER_KEY, address).await
    }

    async fn delete_sender_key(&self, address: &str) -> Result<()> {
        self.apply(vec![delete(space::SENDER_KEY, address)]).await
    }
}
