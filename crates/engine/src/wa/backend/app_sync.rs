//! App-state sync: keys, versions and mutation MACs. Changes of a collection go through `held`.

use std::collections::HashMap;

use async_trait::async_trait;
use whatsapp_rust::{
    traits::{AppStateSyncKey, AppSyncStore},
    wacore::{
        appstate::{hash::HashState, processor::AppStateMutationMAC},
        store::error::{Result, StoreError as WaStoreError},
    },
};

use super::{Backend, SEPARATOR, encode, key_of, put, space};

const LATEST_SYNC_KEY: &str = "latest_sync_key";

pub(super) fn mac_key(name: &str, index_mac: &[u8]) -> String {
    key_of(&[name, &hex::encode(index_mac)])
}

impl Backend {
    /// `(index MAC, value MAC)` of those that are in the database.
    pub(super) async fn stored_macs(
        &self,
        name: &str,
        indexes: impl Iterator<Item = &[u8]>,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let keys: Vec<String> = indexes.map(|index| mac_key(name, index)).collect();
        let rows = self.rows.get_many(space::SYNC_MAC, &keys).await?;
        rows.into_iter()
            .map(|(key, value)| {
                let index = key
                    .rsplit(SEPARATOR)
                    .next()
                    .and_then(|text| hex::decode(text).ok())
                    .ok_or_else(|| self.broken_mac())?;
                Ok((index, value))
            })
            .collect()
    }

    fn broken_mac(&self) -> WaStoreError {
        self.rows.broken(WaStoreError::Validation(
            "a mutation MAC row has a broken key".to_owned(),
        ))
    }
}

#[async_trait]
impl AppSyncStore for Backend {
    async fn get_sync_key(&self, key_id: &[u8]) -> Result<Option<AppStateSyncKey>> {
        self.get_json(space::SYNC_KEY, &hex::encode(key_id)).await
    }

    async fn set_sync_key(&self, key_id: &[u8], key: AppStateSyncKey) -> Result<()> {
        self.apply(vec![
            put(space::SYNC_KEY, hex::encode(key_id), 0, encode(&key)?),
            put(space::META, LATEST_SYNC_KEY, 0, key_id.to_vec()),
        ])
        .await
    }

    async fn get_version(&self, name: &str) -> Result<HashState> {
        self.begin_sync(name).await
    }

    async fn set_version(&self, name: &str, state: HashState) -> Result<()> {
        self.hold_version(name, state).await
    }

    async fn put_mutation_macs(
        &self,
        name: &str,
        version: u64,
        mutations: &[AppStateMutationMAC],
    ) -> Result<()> {
        self.hold_added(name, version, mutations).await
    }

    async fn get_mutation_mac(&self, name: &str, index_mac: &[u8]) -> Result<Option<Vec<u8>>> {
        let found = self.known_macs(name, std::iter::once(index_mac)).await?;
        Ok(found.into_iter().next().map(|(_, value)| value))
    }

    async fn get_mutation_macs(
        &self,
        name: &str,
        index_macs: &[[u8; 32]],
    ) -> Result<HashMap<[u8; 32], Vec<u8>>> {
        let indexes = index_macs.iter().map(<[u8; 32]>::as_slice);
        let found = self.known_macs(name, indexes).await?;
        found
            .into_iter()
            .map(|(index, value)| {
                let index = <[u8; 32]>::try_from(index).map_err(|_| self.broken_mac())?;
                Ok((index, value))
            })
            .collect()
    }

    async fn delete_mutation_macs(&self, name: &str, index_macs: &[Vec<u8>]) -> Result<()> {
        self.hold_removed(name, index_macs).await
    }

    async fn clear_mutation_macs(&self, name: &str) -> Result<()> {
        self.hold_cleared(name).await;
        Ok(())
    }

    async fn get_latest_sync_key_id(&self) -> Result<Option<Vec<u8>>> {
        self.get(space::META, LATEST_SYNC_KEY).await
    }
}
