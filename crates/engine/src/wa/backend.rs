//! `whatsapp-rust`'s storage traits over [`recado_store::DeviceStore`]: one space per kind of row,
//! every batch in one transaction.
//!
//! `signal`, `app_sync`, `protocol`, `secrets` and `device` each implement the trait of that name;
//! `rows` is the way to the database, which shuts the connection's gate at the first error.
//! To store another kind: a constant in [`space`], its methods in the file of its trait, and the
//! same calls in `conformance`, which compares with the library's own in-memory backend.

mod app_sync;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod crashes;
mod device;
#[cfg(test)]
pub(super) mod fixture;
mod held;
mod pending;
mod protocol;
mod rows;
mod secrets;
mod signal;
mod tc_token;
pub(super) mod told;

use std::collections::HashMap;

use recado_store::{DeviceOp, DeviceStore};
use serde::{Serialize, de::DeserializeOwned};
use whatsapp_rust::wacore::store::error::{Result, StoreError as WaStoreError};

use self::{held::Held, rows::Rows};
use crate::wa::{gate::Gate, lost::Judge};

/// The spaces of the device table. A name is data at rest: renaming one loses its rows.
pub(super) mod space {
    pub const DEVICE: &str = "device";
    pub const IDENTITY: &str = "identity";
    pub const SIGNAL_SESSION: &str = "session";
    pub const PREKEY: &str = "prekey";
    pub const SIGNED_PREKEY: &str = "signed_prekey";
    pub const SENDER_KEY: &str = "sender_key";
    pub const SENDER_KEY_DEVICE: &str = "sender_key_device";
    pub const SYNC_KEY: &str = "sync_key";
    pub const SYNC_VERSION: &str = "sync_version";
    pub const SYNC_MAC: &str = "sync_mac";
    pub const SYNC_OWED: &str = "sync_owed";
    pub const SYNC_MENDING: &str = "sync_mending";
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
    /// Holds nothing: see `mend`.
    pub const PROBE: &str = "probe";
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

/// All rows of one linked device.
pub struct Backend {
    rows: Rows,
    /// Held over a save of the device; whether the last one was of a paired one.
    saving: tokio::sync::Mutex<bool>,
    /// Held over a read and the write that depends on it, where one row's `update` is not enough.
    merging: tokio::sync::Mutex<()>,
    /// Steps of app state whose other halves are still to come.
    held: tokio::sync::Mutex<HashMap<String, Held>>,
    /// Decrypted messages until they are committed, where no row may hold them: the library wants to
    /// find again what it has stored.
    unwritten: Option<Unwritten>,
    /// Judges repeats; without it each is taken for one.
    lost: Option<Judge>,
}

type Unwritten = std::sync::Mutex<HashMap<String, Vec<u8>>>;

impl Backend {
    pub fn new(device: DeviceStore, gate: Gate) -> Self {
        Self {
            rows: Rows::new(device, gate),
            saving: tokio::sync::Mutex::new(false),
            merging: tokio::sync::Mutex::new(()),
            held: tokio::sync::Mutex::default(),
            unwritten: None,
            lost: None,
        }
    }

    /// As [`crate::LinkSpec::keep_inbound`] says.
    pub fn keeping(self, keep_inbound: bool) -> Self {
        Self {
            unwritten: (!keep_inbound).then(Unwritten::default),
            ..self
        }
    }

    pub(super) fn judging(self, judge: Judge) -> Self {
        Self {
            lost: Some(judge),
            ..self
        }
    }

    async fn get(&self, space: &'static str, key: &str) -> Result<Option<Vec<u8>>> {
        self.rows.get(space, key).await
    }

    async fn get_json<T: DeserializeOwned>(
        &self,
        space: &'static str,
        key: &str,
    ) -> Result<Option<T>> {
        match self.get(space, key).await? {
            Some(bytes) => self.rows.decode(&bytes).map(Some),
            None => Ok(None),
        }
    }

    async fn apply(&self, ops: Vec<DeviceOp>) -> Result<()> {
        self.rows.apply(ops).await
    }

    async fn put(&self, space: &'static str, key: &str, n: i64, value: Vec<u8>) -> Result<()> {
        self.apply(vec![put(space, key, n, value)]).await
    }

    async fn delete(&self, space: &'static str, key: &str) -> Result<()> {
        self.apply(vec![delete(space, key)]).await
    }

    /// Deletes the rows of `space` whose `n` is below `bound`, and says how many they were.
    async fn delete_below(&self, space: &'static str, bound: i64) -> Result<u32> {
        let before = self.rows.count(space).await?;
        if before == 0 {
            return Ok(0);
        }
        self.apply(vec![DeviceOp::DeleteBelow { space, n: bound }])
            .await?;
        let after = self.rows.count(space).await?;
        Ok(u32::try_from(before.saturating_sub(after)).unwrap_or(0))
    }
}

/// Which devices of a group have its key: after this, the next message brings it to all of them.
pub(super) fn forget_group_keys(group: &str) -> DeviceOp {
    DeviceOp::DeletePrefix {
        space: space::SENDER_KEY_DEVICE,
        prefix: key_of(&[group, ""]),
    }
}

/// How messages of this person (in this group, when `chat` is one) are read, of all its devices: what
/// comes next from there cannot be read, and is asked for again. `user` is the address without server.
pub(super) fn forget_reading(chat: &str, user: &str) -> Vec<DeviceOp> {
    let of = |space, prefix| DeviceOp::DeletePrefix { space, prefix };
    let mut ops = Vec::new();
    for next in ['@', ':', '_'] {
        ops.push(of(space::SIGNAL_SESSION, format!("{user}{next}")));
        ops.push(of(space::SENDER_KEY, format!("{chat}:{user}{next}")));
    }
    ops
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

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| WaStoreError::Serialization(Box::new(error)))
}
