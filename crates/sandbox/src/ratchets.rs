//! A phone's ratchets: the Signal session with each other device.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow};
use async_trait::async_trait;
use wacore_libsignal::protocol::error::Result as SignalResult;
use wacore_libsignal::protocol::{ProtocolAddress, SessionRecord, SessionStore};

/// The ratchets of a phone by the other device's address.
#[derive(Clone, Default)]
pub(crate) struct Ratchets {
    records: BTreeMap<String, SessionRecord>,
    /// Those that were not saved since they changed.
    changed: BTreeSet<String>,
}

impl std::fmt::Debug for Ratchets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.records.keys()).finish()
    }
}

impl Ratchets {
    /// Puts back what a file remembers.
    pub(crate) fn restore(&mut self, with: &str, bytes: &[u8]) -> Result<()> {
        let mut record =
            SessionRecord::deserialize(bytes).map_err(|error| anyhow!("Signal: {error}"))?;
        // The library leases 64 counters at a time and, when a record is read from its bytes,
        // skips all that are leased: it takes the bytes for older than what was sent. Ours never
        // are. Nothing leaves the network before the session that encrypted it is on disk.
        record.waive_counter_lease();
        self.records.insert(with.to_owned(), record);
        Ok(())
    }

    pub(crate) fn knows(&self, with: &str) -> bool {
        self.records.contains_key(with)
    }

    /// Has a session written that is not in a file of its own.
    pub(crate) fn note(&mut self, with: &str) {
        self.changed.insert(with.to_owned());
    }

    pub(crate) fn forget(&mut self, with: &str) {
        if self.records.remove(with).is_some() {
            self.note(with);
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
            .map(|with| {
                let record = self.records.get(&with);
                let bytes = record.map(SessionRecord::serialize).transpose();
                Ok((with, bytes.map_err(|error| anyhow!("Signal: {error}"))?))
            })
            .collect()
    }
}

#[async_trait]
impl SessionStore for Ratchets {
    async fn load_session(&self, address: &ProtocolAddress) -> SignalResult<Option<SessionRecord>> {
        Ok(self.records.get(address.name()).cloned())
    }

    async fn has_session(&self, address: &ProtocolAddress) -> SignalResult<bool> {
        Ok(self.records.contains_key(address.name()))
    }

    async fn store_session(
        &mut self,
        address: &ProtocolAddress,
        mut record: SessionRecord,
    ) -> SignalResult<()> {
        // A new session comes with a lease; see `restore`.
        record.waive_counter_lease();
        self.note(address.name());
        self.records.insert(address.name().to_owned(), record);
        Ok(())
    }
}
