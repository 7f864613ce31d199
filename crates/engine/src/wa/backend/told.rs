//! Whether what a step of app state said has been told.
//!
//! The library writes a step first and tells of it afterwards: a process that dies in between has the version and
//! has told nobody, and WhatsApp never says it again. So with each step goes a row that says how many words of the
//! library are still to come, and the last one, which it says once all was told, takes it away. (It confirms the
//! version of a snapshot once more before it tells of it.) A collection that still has its row when a connection
//! opens is forgotten: the next sync is of all of it, and tells all again. So is one whose hash is not that of its
//! other devices, which no later patch can mend.

use recado_store::DeviceOp;
use whatsapp_rust::wacore::{appstate::hash::HashState, store::error::Result};

use super::{Backend, delete, key_of, put, space};

const ONE_WORD: u8 = 1;
const TWO_WORDS: u8 = 2;
/// No word takes it away.
const BROKEN: u8 = u8::MAX;

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

    /// Forgets what was written and perhaps not told. Whether there was anything: then a full sync is due.
    pub(in crate::wa) async fn forget_untold(&self) -> Result<bool> {
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
        Ok(!owed.is_empty())
    }
}
