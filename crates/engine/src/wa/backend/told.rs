//! Whether what a step of app state said has been told.
//!
//! The library writes a step first and tells of it afterwards: a process that dies in between has the version and
//! has told nobody, and WhatsApp never says it again. So with each step goes a row that says how many words of the
//! library are still to come, and the last one, which it says once all was told, takes it away. (It confirms the
//! version of a snapshot once more before it tells of it.) A collection that still has its row when a connection
//! opens is forgotten: the next sync is of all of it, and tells all again. So is one whose hash is not that of its
//! other devices, which no later patch can mend, and one that does not follow (`pump/behind`).

use recado_model::Timestamp;
use recado_store::{DeviceOp, DeviceStore, Result as StoreResult};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use whatsapp_rust::wacore::{appstate::hash::HashState, store::error::Result};

use super::{Backend, delete, key_of, put, space};

const ONE_WORD: u8 = 1;
const TWO_WORDS: u8 = 2;
/// No word takes it away.
const BROKEN: u8 = u8::MAX;

/// In how many connections the first fetching of all began, since it was over the last time.
const FIRST_FETCHES: &str = "first_fetches";

/// How a collection that did not follow was mended so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::wa) struct Mending {
    /// The version that is to be reached.
    pub version: u64,
    pub tries: u32,
    /// Of the last try.
    pub at: Timestamp,
    /// It does not follow yet, as far as was told.
    pub open: bool,
}

impl Mending {
    pub(in crate::wa) fn row(&self, collection: &str) -> DeviceOp {
        // Numbers and truths alone.
        let value = serde_json::to_vec(self).unwrap_or_default();
        put(space::SYNC_MENDING, collection, 0, value)
    }
}

/// The next client fetches all of this collection.
pub(in crate::wa) fn anew(collection: &str) -> DeviceOp {
    put(space::SYNC_OWED, collection, 0, vec![BROKEN])
}

async fn read<T: DeserializeOwned + Default>(
    device: &DeviceStore,
    space: &'static str,
    collection: &str,
) -> StoreResult<T> {
    let row = device.get(space, collection).await?;
    // What does not read begins anew.
    Ok(row
        .and_then(|row| serde_json::from_slice(&row).ok())
        .unwrap_or_default())
}

pub(in crate::wa) async fn version(device: &DeviceStore, collection: &str) -> StoreResult<u64> {
    let state: HashState = read(device, space::SYNC_VERSION, collection).await?;
    Ok(state.version)
}

pub(in crate::wa) async fn mending(device: &DeviceStore, collection: &str) -> StoreResult<Mending> {
    read(device, space::SYNC_MENDING, collection).await
}

/// Those that do not follow yet, as far as was told.
pub(in crate::wa) async fn mendings(device: &DeviceStore) -> StoreResult<Vec<(String, Mending)>> {
    let rows = device.scan(space::SYNC_MENDING).await?;
    let read = rows.into_iter().filter_map(|row| {
        let mending: Mending = serde_json::from_slice(&row.value).ok()?;
        mending.open.then_some((row.key, mending))
    });
    Ok(read.collect())
}

/// The first fetching of all is over.
pub(in crate::wa) fn fetched_first() -> DeviceOp {
    delete(space::META, FIRST_FETCHES)
}

/// Goes with a step.
pub(super) fn owed(name: &str, state: &HashState, snapshot: bool) -> DeviceOp {
    let words = match (state.mac_mismatch_fatal, snapshot) {
        (true, _) => BROKEN,
        (false, true) => TWO_WORDS,
        (false, false) => ONE_WORD,
    };
    put(space::SYNC_OWED, name, 0, vec![words])
}

impl Backend {
    /// The library says a version again that is stored.
    pub(super) async fn confirmed(&self, name: &str) -> Result<()> {
        let words = self.get(space::SYNC_OWED, name).await?;
        match words.as_deref() {
            Some([TWO_WORDS]) => self.put(space::SYNC_OWED, name, 0, vec![ONE_WORD]).await,
            Some([ONE_WORD]) => self.delete(space::SYNC_OWED, name).await,
            _ => Ok(()),
        }
    }

    /// Another connection begins the first fetching of all: how many did so before.
    pub(in crate::wa) async fn fetches_first(&self) -> Result<u8> {
        let row = self.get(space::META, FIRST_FETCHES).await?;
        let before = row.and_then(|row| row.first().copied()).unwrap_or_default();
        let now = before.saturating_add(1);
        self.put(space::META, FIRST_FETCHES, 0, vec![now]).await?;
        Ok(before)
    }

    /// Forgets what was written and perhaps not told: the collections that are to be fetched whole.
    pub(in crate::wa) async fn forget_untold(&self) -> Result<Vec<String>> {
        let owed = self.rows.keys(space::SYNC_OWED).await?;
        let mut ops = Vec::with_capacity(owed.len() * 2);
        for name in &owed {
            // The row itself stays until all was told: this process may die as well.
            ops.push(delete(space::SYNC_VERSION, name.as_str()));
            ops.push(DeviceOp::DeletePrefix {
                space: space::SYNC_MAC,
                prefix: key_of(&[name, ""]),
            });
        }
        self.apply(ops).await?;
        if !owed.is_empty() {
            metrics::counter!("recado_engine_app_state_told_again_total")
                .increment(owed.len() as u64);
        }
        Ok(owed)
    }
}
