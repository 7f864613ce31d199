//! `whatsapp-rust`'s storage traits over [`recado_store::DeviceStore`]: one space per kind of row,
//! every batch in one transaction.
//!
//! `signal`, `app_sync`, `protocol`, `secrets` and `device` each implement the trait of that name.
//! To store another kind: a constant in [`space`], its methods in the file of its trait, and the
//! same calls in `conformance`, which compares with the library's own in-memory backend.

mod app_sync;
#[cfg(test)]
mod conformance;
mod device;
#[cfg(test)]
mod fixture;
mod pending;
mod protocol;
mod secrets;
mod signal;
mod tc_token;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use recado_store::{DeviceOp, DeviceStore, StoreError};
use serde::{Serialize, de::DeserializeOwned};
use whatsapp_rust::wacore::store::error::{Result, StoreError as WaStoreError};

/// The spaces of the device table. A name is data at rest: renaming one loses its rows.
pub(super) mod space {
    pub const DEVICE: &str = "device";
    pub const IDENTITY: &str = "identity";
    pub const SESSION: &str = "session";
    pub const PREKEY: &str = "prekey";
    pub const SIGNED_PREKEY: &str = "signed_prekey";
    pub const SENDER_KEY: &str = "sender_key";
    pub const SENDER_KEY_DEVICE: &str = "sender_key_device";
    pub const SYNC_KEY: &str = "sync_key";
    pub const SYNC_VERSION: &str = "sync_version";
    pub const SYNC_MAC: &str = "sync_mac";
    pub const META: &str = "meta";
    pub const LID: &str = "lid";
    pub const PHONE: &str = "phone";
    pub const BASE_KEY: &str = "base_key";
    pub const DEVICE_LIST: &str = "device_list";
    pub const GROUP: &str = "group";
    pub const TC_TOKEN: &str = "tc_token";
    pub const SENT: &str = "sent";
    pub const PENDING: &str = "pending";
    pub const SECRET: &str = "secret";
}

/// Between the parts of a compound key; occurs in no JID and in no message id.
const SEPARATOR: char = '\u{1f}';

fn key_of(parts: &[&str]) -> String {
    let mut key = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            key.push(SEPARATOR);
        }
        key.push_str(part);
    }
    key
}

/// Who has the key of each of `groups` counts for nothing any more: the next message to it carries the key
/// for every member. Only while no client of the device runs, which would know better.
pub async fn forget_group_keys(
    device: &DeviceStore,
    groups: &[String],
) -> recado_model::Result<()> {
    let forget = |group: &String| DeviceOp::DeletePrefix {
        space: space::SENDER_KEY_DEVICE,
        prefix: key_of(&[group, ""]),
    };
    Ok(device.apply(groups.iter().map(forget).collect()).await?)
}

/// All rows of one linked device.
pub struct Backend {
    device: DeviceStore,
    fence: Fence,
    /// Held over a read and the write that depends on it, where one row's `update` is not enough.
    merging: tokio::sync::Mutex<()>,
    /// Decrypted messages until they are committed, where no row may hold them: the library wants to
    /// find again what it has stored.
    unwritten: Option<Unwritten>,
}

type Unwritten = std::sync::Mutex<HashMap<String, Vec<u8>>>;

impl Backend {
    pub fn new(device: DeviceStore, fence: Fence) -> Self {
        Self {
            device,
            fence,
            merging: tokio::sync::Mutex::new(()),
            unwritten: None,
        }
    }

    /// As [`crate::LinkSpec::keep_inbound`] says.
    pub fn keeping(self, keep_inbound: bool) -> Self {
        Self {
            unwritten: (!keep_inbound).then(Unwritten::default),
            ..self
        }
    }

    async fn get(&self, space: &'static str, key: &str) -> Result<Option<Vec<u8>>> {
        self.device.get(space, key).await.map_err(database)
    }

    async fn get_json<T: DeserializeOwned>(
        &self,
        space: &'static str,
        key: &str,
    ) -> Result<Option<T>> {
        match self.get(space, key).await? {
            Some(bytes) => decode(&bytes).map(Some),
            None => Ok(None),
        }
    }

    async fn apply(&self, ops: Vec<DeviceOp>) -> Result<()> {
        if ops.is_empty() {
            return Ok(());
        }
        self.fence.check()?;
        self.device.apply(ops).await.map_err(database)
    }

    async fn put(&self, space: &'static str, key: &str, n: i64, value: Vec<u8>) -> Result<()> {
        self.apply(vec![put(space, key, n, value)]).await
    }

    async fn delete(&self, space: &'static str, key: &str) -> Result<()> {
        self.apply(vec![delete(space, key)]).await
    }

    /// Deletes the rows of `space` whose `n` is below `bound`, and says how many they were.
    async fn delete_below(&self, space: &'static str, bound: i64) -> Result<u32> {
        let before = self.device.count(space).await.map_err(database)?;
        if before == 0 {
            return Ok(0);
        }
        self.apply(vec![DeviceOp::DeleteBelow { space, n: bound }])
            .await?;
        let after = self.device.count(space).await.map_err(database)?;
        Ok(u32::try_from(before.saturating_sub(after)).unwrap_or(0))
    }
}

fn put(space: &'static str, key: impl Into<String>, n: i64, value: Vec<u8>) -> DeviceOp {
    DeviceOp::Put {
        space,
        key: key.into(),
        n,
        value,
    }
}

fn delete(space: &'static str, key: impl Into<String>) -> DeviceOp {
    DeviceOp::Delete {
        space,
        key: key.into(),
    }
}

fn database(error: StoreError) -> WaStoreError {
    WaStoreError::Database(Box::new(error))
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| WaStoreError::Serialization(Box::new(error)))
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| WaStoreError::Serialization(Box::new(error)))
}

/// Once raised, the backend writes nothing more, until the link opens a new connection with a new one.
///
/// Two cases need it. A message that could not be buffered must stay undecrypted on disk: were its
/// ratchet step written without it, WhatsApp's redelivery would look like a duplicate and be dropped.
/// And a device that was wiped must not come back by a late write.
#[derive(Clone)]
pub struct Fence {
    raised: Arc<AtomicBool>,
    /// Told when the fence goes up because a message could not be buffered.
    lost: Arc<dyn Fn() + Send + Sync>,
}

impl Fence {
    pub fn new(lost: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            raised: Arc::default(),
            lost: Arc::new(lost),
        }
    }

    /// No more writes: the device is going to be wiped.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
    }

    fn raise_for_loss(&self) {
        if !self.raised.swap(true, Ordering::SeqCst) {
            (self.lost)();
        }
    }

    fn check(&self) -> Result<()> {
        if self.raised.load(Ordering::SeqCst) {
            return Err(WaStoreError::Validation(
                "this connection may no longer write its device".to_owned(),
            ));
        }
        Ok(())
    }
}
