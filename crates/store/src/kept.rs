//! The keys that a process keeps in memory. How they stay those of the database: [`crate::keys`].

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use crate::{
    pepper::Pepper,
    seal::{KeyRing, MasterKey},
};

/// Asked for the master keys that might be in force now (its file, and one that is about to become
/// it), when another process replaced the one in memory. Called on the runtime: it must be quick.
pub type KeySource = Arc<dyn Fn() -> Vec<MasterKey> + Send + Sync>;

/// The keys that all accounts share. Replaced as a whole.
pub(crate) struct Keys {
    /// The counter of key changes (`meta.keys`) when the rest was read, or before.
    pub seen: i64,
    pub master: MasterKey,
    /// The record by which that master key is known; another record means another key.
    pub check: Vec<u8>,
    /// Newest first, those that do not sign yet too.
    pub peppers: Arc<[Pepper]>,
    /// The database has newer ones, which could not be read.
    pub behind: AtomicBool,
}

/// The data keys of an account in use.
#[derive(Clone)]
pub(crate) struct AccountKeys {
    pub ring: Arc<KeyRing>,
    pub seen: i64,
    pub read: Instant,
}
