//! A phone's group keys: its own of each group, and those that members gave it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use async_trait::async_trait;
use wacore_libsignal::protocol::error::Result as SignalResult;
use wacore_libsignal::protocol::{SenderKeyName, SenderKeyRecord, SenderKeyStore};

/// The keys of a phone by group and device: `group:device`.
#[derive(Clone, Default)]
pub(crate) struct SenderKeys {
    records: BTreeMap<String, SenderKeyRecord>,
    /// Those that were not saved since they changed.
    changed: BTreeSet<String>,
}

impl std::fmt::Debug for SenderKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.records.keys()).finish()
    }
}

impl SenderKeys {
    /// Puts back what a file remembers.
    pub(crate) fn restore(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let record =
            SenderKeyRecord::deserialize(bytes).map_err(|error| anyhow!("Signal: {error}"))?;
        self.records.insert(name.to_owned(), record);
        Ok(())
    }

    pub(crate) fn knows(&self, name: &SenderKeyName) -> bool {
        self.records.contains_key(name.cache_key())
    }

    pub(crate) fn forget(&mut self, name: &SenderKeyName) {
        if self.records.remove(name.cache_key()).is_some() {
            self.changed.insert(name.cache_key().to_owned());
        }
    }

    /// Everything counts as saved.
    pub(crate) fn settle(&mut self) {
        self.changed.clear();
    }

    /// Those that changed since the last call; `None` for one that is gone.
    pub(crate) fn take_changes(&mut self) -> Result<Vec<(String, Option<Vec<u8>>)>> {
        std::mem::take(&mut self.changed)
            .into_iter()
            .map(|name| {
                let record = self.records.get(&name);
                let bytes = record.map(SenderKeyRecord::serialize).transpose();
                Ok((name, bytes.map_err(|error| anyhow!("Signal: {error}"))?))
            })
            .collect()
    }
}

#[async_trait]
impl SenderKeyStore for SenderKeys {
    async fn store_sender_key(
        &mut self,
        name: &SenderKeyName,
        mut record: SenderKeyRecord,
    ) -> SignalResult<()> {
        // As of sessions: nothing leaves the network before the key that encrypted it is on disk.
        record.waive_counter_lease()?;
        self.changed.insert(name.cache_key().to_owned());
        self.records.insert(name.cache_key().to_owned(), record);
        Ok(())
    }

    async fn load_sender_key(&self, name: &SenderKeyName) -> SignalResult<Option<SenderKeyRecord>> {
        Ok(self.records.get(name.cache_key()).cloned())
    }
}
