//! The device itself: its keys, its identity and what the next login needs, as one row.

use async_trait::async_trait;
use whatsapp_rust::{
    traits::DeviceStore,
    wacore::{
        stats::StorageResourceReport,
        store::{Device, error::Result},
    },
};

use super::{Backend, encode, space};

const KEY: &str = "device";
/// The library tells devices in one file apart by a number; here each has a store of its own.
const DEVICE_ID: i32 = 1;

#[async_trait]
impl DeviceStore for Backend {
    async fn save(&self, device: &Device) -> Result<()> {
        self.put(space::DEVICE, KEY, 0, encode(device)?).await
    }

    async fn load(&self) -> Result<Option<Device>> {
        self.get_json(space::DEVICE, KEY).await
    }

    async fn exists(&self) -> Result<bool> {
        Ok(self.get(space::DEVICE, KEY).await?.is_some())
    }

    async fn create(&self) -> Result<i32> {
        if !self.exists().await? {
            self.save(&Device::new()).await?;
        }
        Ok(DEVICE_ID)
    }

    async fn resource_report(&self) -> StorageResourceReport {
        // The rows live in the database that all instances share.
        StorageResourceReport {
            memory_bytes: Some(0),
            ..StorageResourceReport::default()
        }
    }
}
