//! App-state sync: keys, versions and mutation MACs.

use std::collections::HashMap;

use async_trait::async_trait;
use recado_store::DeviceOp;
use whatsapp_rust::{
    traits::{AppStateSyncKey, AppSyncStore},
    wacore::{
        appstate::{hash::HashState, processor::AppStateMutationMAC},
        store::error::{Result, StoreError as WaStoreError},
    },
};

use super::{Backend, SEPARATOR, database, delete, encode, key_of, put, space};

const LATEST_SYNC_KEY: &str = "latest_sync_key";

fn mac_key(name: &str, index_mac: &[u8]) -> String {
    key_of(&[name, &hex::encode(index_mac)])
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
        Ok(self
            .get_json(space::SYNC_VERSION, name)
            .await?
            .unwrap_or_default())
    }

    async fn set_version(&self, name: &str, state: HashState) -> Result<()> {
        self.put(space::SYNC_VERSION, name, 0, encode(&state)?)
            .await
    }

    async fn put_mutation_macs(
        &self,
        name: &str,
        version: u64,
        mutations: &[AppStateMutationMAC],
    ) -> Result<()> {
        let version = i64::try_from(version).unwrap_or(i64::MAX);
        let ops = mutations
            .iter()
            .map(|mac| {
                put(
                    space::SYNC_MAC,
                    mac_key(name, &mac.index_mac),
                    version,
                    mac.value_mac.clone(),
                )
            })
            .collect();
        self.apply(ops).await
    }

    async fn get_mutation_mac(&self, name: &str, index_mac: &[u8]) -> Result<Option<Vec<u8>>> {
        self.get(space::SYNC_MAC, &mac_key(name, index_mac)).await
    }

    async fn get_mutation_macs(
        &self,
        name: &str,
        index_macs: &[[u8; 32]],
    ) -> Result<HashMap<[u8; 32], Vec<u8>>> {
        let keys: Vec<String> = index_macs.iter().map(|mac| mac_key(name, mac)).collect();
        let rows = self
            .device
            .get_many(space::SYNC_MAC, &keys)
            .await
            .map_err(database)?;
        rows.into_iter()
            .map(|(key, value)| {
                let mac = key
                    .rsplit(SEPARATOR)
                    .next()
                    .and_then(|text| hex::decode(text).ok())
                    .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok())
                    .ok_or_else(|| {
                        WaStoreError::Validation("a mutation MAC row has a broken key".to_owned())
                    })?;
                Ok((mac, value))
            })
            .collect()
    }

    async fn delete_mutation_macs(&self, name: &str, index_macs: &[Vec<u8>]) -> Result<()> {
        let ops = index_macs
            .iter()
            .map(|mac| delete(space::SYNC_MAC, mac_key(name, mac)))
            .collect();
        self.apply(ops).await
    }

    async fn clear_mutation_macs(&self, name: &str) -> Result<()> {
        self.apply(vec![DeviceOp::DeletePrefix {
            space: space::SYNC_MAC,
            prefix: key_of(&[name, ""]),
        }])
        .await
    }

    async fn get_latest_sync_key_id(&self) -> Result<Option<Vec<u8>>> {
        self.get(space::META, LATEST_SYNC_KEY).await
    }
}
