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
    /// The library lets two saves overlap, and a database with several connections may commit them in the
    /// other order. One at a time, and what was before a pairing never replaces it: the device would show a
    /// QR code after the next start, and its owner would know of nothing.
    async fn save(&self, device: &Device) -> Result<()> {
        let mut paired = self.saving.lock().await;
        if *paired && device.pn.is_none() {
            return Ok(());
        }
        self.put(space::DEVICE, KEY, 0, encode(device)?).await?;
        *paired = device.pn.is_some();
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wa::{backend::fixture::Fixture, gate::Gate};

    #[tokio::test]
    async fn what_was_before_a_pairing_never_replaces_it() {
        let fixture = Fixture::new().await;
        let backend = fixture.backend(Gate::new(|_| {}));
        let before = Device::new();
        let mut after = before.clone();
        after.pn = Some(
            "5511999990001:4@s.whatsapp.net"
                .parse()
                .expect("an address"),
        );
        backend.save(&before).await.expect("saved");
        backend.save(&after).await.expect("saved");
        // It was on its way when the phone scanned.
        backend.save(&before).await.expect("left out");
        let stored = backend.load().await.expect("read").expect("a device");
        assert_eq!(stored.pn, after.pn);
        // And what comes after it does.
        after.push_name = "Shop".to_owned();
        backend.save(&after).await.expect("saved");
        let stored = backend.load().await.expect("read").expect("a device");
        assert_eq!(stored.push_name, "Shop");
    }
}
