//! App state in whole steps.
//!
//! A collection is a version with a hash over all its value MACs, and the MACs. The library moves it
//! in three calls: for a patch version, removed MACs, added MACs; for a snapshot clear, added MACs,
//! version. Were each written as it comes, a crash or an error between two of them would leave a hash
//! that fits no MACs, and no later patch would ever fit it again. So the calls of one step are held
//! here until the step is whole, and written in one transaction. The database thus always
//! has a version that fits its MACs; of a step that was cut off nothing is left, and WhatsApp sends
//! it again, because the version is the old one.
//!
//! A step is whole
//! * when the added MACs of a patch come: they are its last call;
//! * when its hash is that of the MACs before, less the removed ones: nothing is added then;
//! * when the version of a snapshot comes after its MACs;
//! * at the latest when the library goes on to a later version, or confirms this one after its last
//!   patch.
//!
//! The library works on one collection by one task at a time, and each begins by asking for the
//! version. Calls that are held then are of a task that was cut off, and are dropped.

use std::collections::{HashMap, HashSet};

use recado_store::DeviceOp;
use whatsapp_rust::wacore::{
    appstate::{hash::HashState, lthash::WAPATCH_INTEGRITY, processor::AppStateMutationMAC},
    store::error::Result,
};

use super::{Backend, app_sync::mac_key, delete, encode, key_of, put, space, told::owed};

/// The calls of one step so far.
#[derive(Default)]
pub(super) struct Held {
    /// All MACs before this step are gone.
    cleared: bool,
    version: Option<HashState>,
    removed: HashSet<Vec<u8>>,
    added: HashMap<Vec<u8>, (i64, Vec<u8>)>,
}

impl Held {
    fn add(&mut self, version: u64, macs: &[AppStateMutationMAC]) {
        let version = i64::try_from(version).unwrap_or(i64::MAX);
        for mac in macs {
            self.added
                .insert(mac.index_mac.clone(), (version, mac.value_mac.clone()));
        }
    }

    fn is_nothing(&self) -> bool {
        !self.cleared && self.removed.is_empty() && self.added.is_empty()
    }

    fn is_version_of(&self, state: &HashState) -> bool {
        self.version.as_ref().is_some_and(|held| {
            held.version < state.version
                || (held.version == state.version && held.hash == state.hash)
        })
    }

    /// In an order that means the same as the calls did. `snapshot`: it is one.
    fn ops(self, name: &str, snapshot: bool) -> Result<Vec<DeviceOp>> {
        let mut ops = Vec::with_capacity(3 + self.removed.len() + self.added.len());
        if self.cleared {
            ops.push(DeviceOp::DeletePrefix {
                space: space::SYNC_MAC,
                prefix: key_of(&[name, ""]),
            });
        }
        for index in &self.removed {
            ops.push(delete(space::SYNC_MAC, mac_key(name, index)));
        }
        for (index, (version, value)) in self.added {
            ops.push(put(space::SYNC_MAC, mac_key(name, &index), version, value));
        }
        if let Some(state) = &self.version {
            ops.push(put(space::SYNC_VERSION, name, 0, encode(state)?));
            // Of an empty collection there is nothing to tell.
            if state.version > 0 {
                ops.push(owed(name, state, snapshot));
            }
        }
        Ok(ops)
    }
}

impl Backend {
    async fn stored_version(&self, name: &str) -> Result<HashState> {
        Ok(self
            .get_json(space::SYNC_VERSION, name)
            .await?
            .unwrap_or_default())
    }

    /// A task begins.
    pub(super) async fn begin_sync(&self, name: &str) -> Result<HashState> {
        self.held.lock().await.remove(name);
        self.stored_version(name).await
    }

    pub(super) async fn hold_version(&self, name: &str, state: HashState) -> Result<()> {
        let mut all = self.held.lock().await;
        if let Some(held) = all.get(name)
            && held.version.is_some()
        {
            let whole = held.is_version_of(&state);
            let held = all.remove(name).unwrap_or_default();
            if whole {
                self.apply(held.ops(name, false)?).await?;
            }
        }
        let mut held = all.remove(name).unwrap_or_default();
        let is_snapshot = !held.added.is_empty();
        if held.is_nothing() {
            let stored = self.stored_version(name).await?;
            if stored.version > 0 && stored.version == state.version && stored.hash == state.hash {
                return self.confirmed(name).await;
            }
        }
        held.version = Some(state);
        if is_snapshot || self.is_whole(name, &held).await? {
            return self.apply(held.ops(name, is_snapshot)?).await;
        }
        all.insert(name.to_owned(), held);
        Ok(())
    }

    pub(super) async fn hold_removed(&self, name: &str, indexes: &[Vec<u8>]) -> Result<()> {
        let mut all = self.held.lock().await;
        let mut held = all.remove(name).unwrap_or_default();
        held.removed.extend(indexes.iter().cloned());
        if held.version.is_none() || self.is_whole(name, &held).await? {
            return self.apply(held.ops(name, false)?).await;
        }
        all.insert(name.to_owned(), held);
        Ok(())
    }

    pub(super) async fn hold_added(
        &self,
        name: &str,
        version: u64,
        macs: &[AppStateMutationMAC],
    ) -> Result<()> {
        let mut all = self.held.lock().await;
        let mut held = all.remove(name).unwrap_or_default();
        held.add(version, macs);
        if held.cleared && held.version.is_none() {
            // A snapshot: its version is still to come.
            all.insert(name.to_owned(), held);
            return Ok(());
        }
        self.apply(held.ops(name, false)?).await
    }

    pub(super) async fn hold_cleared(&self, name: &str) {
        let cleared = Held {
            cleared: true,
            ..Held::default()
        };
        self.held.lock().await.insert(name.to_owned(), cleared);
    }

    /// The value MACs of those of `indexes` that are known: as stored, or as they will be after a clear.
    pub(super) async fn known_macs(
        &self,
        name: &str,
        indexes: impl Iterator<Item = &[u8]>,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let all = self.held.lock().await;
        if let Some(held) = all.get(name)
            && held.cleared
        {
            return Ok(indexes
                .filter_map(|index| {
                    let (_, value) = held.added.get(index)?;
                    Some((index.to_vec(), value.clone()))
                })
                .collect());
        }
        self.stored_macs(name, indexes).await
    }

    /// Whether the version fits what is stored less what was removed.
    async fn is_whole(&self, name: &str, held: &Held) -> Result<bool> {
        let Some(state) = &held.version else {
            return Ok(false);
        };
        let mut hash = match held.cleared {
            true => HashState::default().hash,
            false => self.stored_version(name).await?.hash,
        };
        if !held.cleared && !held.removed.is_empty() {
            let removed = held.removed.iter().map(Vec::as_slice);
            let values: Vec<Vec<u8>> = self
                .stored_macs(name, removed)
                .await?
                .into_iter()
                .map(|(_, value)| value)
                .collect();
            let none: [Vec<u8>; 0] = [];
            WAPATCH_INTEGRITY.subtract_then_add_in_place(&mut hash, &values, &none);
        }
        Ok(hash == state.hash)
    }
}
