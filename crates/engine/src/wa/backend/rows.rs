//! The way from the library's storage traits to the device rows. Every error on it, of reading as of
//! writing, shuts the connection's gate before the library hears of it: the library logs most of them
//! and goes on, or tells WhatsApp that a message cannot be read and is not wanted again.

use recado_store::{DeviceOp, DeviceStore, Entry, StoreError};
use serde::de::DeserializeOwned;
use whatsapp_rust::wacore::store::error::{Result, StoreError as WaStoreError};

use crate::wa::gate::{Gate, Shut, Trip};

pub(super) struct Rows {
    device: DeviceStore,
    gate: Gate,
    #[cfg(test)]
    faults: std::sync::Arc<Faults>,
}

/// Lets the calls after the first `n` fail, as a store does that goes away.
#[cfg(test)]
#[derive(Default)]
pub(super) struct Faults {
    left: std::sync::Mutex<Option<u32>>,
}

#[cfg(test)]
impl Faults {
    pub(super) fn after(&self, calls: Option<u32>) {
        *self.left.lock().expect("a lock") = calls;
    }

    fn next(&self) -> std::result::Result<(), StoreError> {
        let mut left = self.left.lock().expect("a lock");
        match left.as_mut() {
            None => Ok(()),
            Some(0) => Err(StoreError::Busy),
            Some(n) => {
                *n -= 1;
                Ok(())
            }
        }
    }
}

impl Rows {
    pub(super) fn new(device: DeviceStore, gate: Gate) -> Self {
        Self {
            device,
            gate,
            #[cfg(test)]
            faults: std::sync::Arc::default(),
        }
    }

    #[cfg(test)]
    pub(super) fn faults(&self) -> std::sync::Arc<Faults> {
        self.faults.clone()
    }

    /// The error of a call behind a shut gate.
    pub(super) fn shut(&self) -> WaStoreError {
        WaStoreError::Validation(Shut.to_string())
    }

    async fn guarded<T>(
        &self,
        work: impl Future<Output = std::result::Result<T, StoreError>>,
    ) -> Result<T> {
        self.gate.check().map_err(|_| self.shut())?;
        #[cfg(test)]
        self.faults.next().map_err(|error| self.failed(error))?;
        work.await.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: StoreError) -> WaStoreError {
        let why = match error {
            StoreError::Fenced => Trip::Fenced,
            _ => Trip::Store,
        };
        if self.gate.tripped().is_none() {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the device rows of a link failed; its connection ends here"
            );
        }
        self.gate.trip(why);
        WaStoreError::Database(Box::new(error))
    }

    /// For a row whose value is not what we write.
    pub(super) fn broken(&self, error: WaStoreError) -> WaStoreError {
        tracing::error!(%error, "a device row does not read");
        self.gate.trip(Trip::Store);
        error
    }

    pub(super) fn decode<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T> {
        serde_json::from_slice(bytes)
            .map_err(|error| self.broken(WaStoreError::Serialization(Box::new(error))))
    }

    pub(super) async fn get(&self, space: &'static str, key: &str) -> Result<Option<Vec<u8>>> {
        self.guarded(self.device.get(space, key)).await
    }

    pub(super) async fn get_many(
        &self,
        space: &'static str,
        keys: &[String],
    ) -> Result<Vec<(String, Vec<u8>)>> {
        self.guarded(self.device.get_many(space, keys)).await
    }

    pub(super) async fn scan(&self, space: &'static str) -> Result<Vec<Entry>> {
        self.guarded(self.device.scan(space)).await
    }

    pub(super) async fn scan_prefix(
        &self,
        space: &'static str,
        prefix: &str,
    ) -> Result<Vec<Entry>> {
        self.guarded(self.device.scan_prefix(space, prefix)).await
    }

    pub(super) async fn keys(&self, space: &'static str) -> Result<Vec<String>> {
        self.guarded(self.device.keys(space)).await
    }

    pub(super) async fn count(&self, space: &'static str) -> Result<i64> {
        self.guarded(self.device.count(space)).await
    }

    pub(super) async fn apply(&self, ops: Vec<DeviceOp>) -> Result<()> {
        if ops.is_empty() {
            return Ok(());
        }
        self.guarded(self.device.apply(ops)).await
    }

    pub(super) async fn update(
        &self,
        space: &'static str,
        key: &str,
        change: impl FnOnce(Option<Vec<u8>>) -> Option<Vec<u8>> + Send,
    ) -> Result<()> {
        self.guarded(self.device.update(space, key, change)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wa::backend::fixture::Fixture;

    #[tokio::test]
    async fn a_lost_lease_is_told_apart() {
        let fixture = Fixture::new().await;
        let gate = Gate::new(|_| ());
        let device = fixture.store.device(&fixture.account, &fixture.instance);
        let rows = Rows::new(device, gate.clone());
        let lost = rows
            .guarded(async { Err::<(), _>(StoreError::Fenced) })
            .await;
        assert!(lost.is_err());
        assert_eq!(gate.tripped(), Some(Trip::Fenced));
    }
}
