//! What the devices of an account tell each other of chats, people and settings: collections of sealed records, each
//! with a version, patches that lead from one version to the next, and a snapshot of all of it.
//!
//! The server keeps them and can read none of it: it knows versions, the MACs of indexes, and which record took the
//! place of which. What a phone reads of them is in `phone/settings.rs`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use buffa::{Message as _, MessageField};
use serde::{Deserialize, Serialize};
use wacore::appstate::hash::HashState;
use wacore::download::MediaType;
use wacore::upload::encrypt_media;
use waproto::whatsapp::{
    ExternalBlobReference, KeyId, SyncdMutation, SyncdPatch, SyncdRecord, SyncdSnapshot,
    SyncdVersion, syncd_mutation::SyncdOperation,
};

use crate::blob::Blob;
use crate::shelf::Shelf;
use crate::shown::Shown;

/// All that there are.
pub(crate) const COLLECTIONS: [&str; 5] = [
    "critical_block",
    "critical_unblock_low",
    "regular_low",
    "regular_high",
    "regular",
];

/// Whoever has nothing gets a snapshot once there are more patches than this.
const PATCHES_FOR_NEW: usize = 8;
/// Patches in one answer.
const PAGE: usize = 20;
/// Patches that are kept; whoever needs older ones gets the snapshot.
const KEPT: usize = 500;
/// A value ends with its MAC.
const MAC: usize = 32;

/// The collections of an account, and what its phone has read of them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AppState {
    collections: BTreeMap<String, Collection>,
    #[serde(default)]
    pub(crate) shown: Shown,
    /// Collections whose next patch is spoilt, and whether their snapshot is, too.
    #[serde(default)]
    pub(crate) spoils: BTreeMap<String, bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Collection {
    pub(crate) version: u64,
    /// Up to which version the phone has read it.
    pub(crate) read: u64,
    /// The last ones; that of `version` is the last.
    patches: Vec<Blob>,
    /// Sealed, by the MAC of their index in hex.
    records: BTreeMap<String, Blob>,
    /// Of the last patch: they are the snapshot's, too.
    mac: Blob,
    key_id: Blob,
    /// Over all records.
    hash: Blob,
    /// A patch that nobody can read is kept up to this version: whoever has nothing gets the snapshot.
    #[serde(default)]
    broken: u64,
}

/// The answer to a device that has a version.
pub(crate) struct News {
    pub(crate) version: u64,
    pub(crate) snapshot: Option<Vec<u8>>,
    pub(crate) patches: Vec<Vec<u8>>,
    pub(crate) more: bool,
}

/// Why a patch was not taken.
#[derive(Debug)]
pub(crate) enum Refused {
    /// It is on another version.
    Conflict,
    /// It is none.
    Bad,
}

impl AppState {
    pub(crate) fn get(&self, name: &str) -> Option<&Collection> {
        self.collections.get(name)
    }

    pub(crate) fn of(&mut self, name: &str) -> &mut Collection {
        self.collections.entry(name.to_owned()).or_default()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.collections.keys().cloned().collect()
    }
}

impl Collection {
    /// As it is after `version`, with the hash of its records.
    pub(crate) fn state(&self) -> HashState {
        HashState {
            version: self.version,
            hash: self.hash.0.as_slice().try_into().unwrap_or([0; 128]),
            ..HashState::default()
        }
    }

    /// The MAC of the value that stands under an index.
    pub(crate) fn value_mac(&self, index: &[u8]) -> Option<Vec<u8>> {
        let record = self.records.get(&hex::encode(index))?;
        let record = SyncdRecord::decode_from_slice(&record.0).ok()?;
        let value = record.value.blob.as_ref()?;
        value.len().checked_sub(MAC).map(|at| value[at..].to_vec())
    }

    /// Takes a patch on `base`.
    pub(crate) fn take(&mut self, base: u64, bytes: &[u8]) -> Result<(), Refused> {
        if base != self.version {
            return Err(Refused::Conflict);
        }
        let mut patch = SyncdPatch::decode_from_slice(bytes).map_err(|_| Refused::Bad)?;
        if patch.mutations.is_empty() || patch.mutations.iter().any(|one| index_of(one).is_none()) {
            return Err(Refused::Bad);
        }
        let mut state = self.state();
        let (_, hashed) = state.update_hash(&patch.mutations, |index, _| Ok(self.value_mac(index)));
        hashed.map_err(|_| Refused::Bad)?;
        let version = self.version + 1;
        patch.version = MessageField::some(SyncdVersion {
            version: Some(version),
        });
        for mutation in &patch.mutations {
            let index = hex::encode(index_of(mutation).unwrap_or_default());
            match is_removal(mutation) {
                true => self.records.remove(&index),
                false => {
                    let record = SyncdRecord::clone(&mutation.record);
                    self.records.insert(index, Blob(record.encode_to_vec()))
                }
            };
        }
        self.hash = Blob(state.hash.to_vec());
        self.mac = Blob(patch.snapshot_mac.clone().unwrap_or_default());
        self.key_id = Blob(patch.key_id.id.clone().unwrap_or_default());
        self.version = version;
        self.patches.push(Blob(patch.encode_to_vec()));
        if self.patches.len() > KEPT {
            self.patches.remove(0);
        }
        Ok(())
    }

    /// Spoils the MAC of the last patch: no device that lacks it ever gets over it. With `snapshot` whoever begins
    /// anew reads nothing either, until there is a further patch.
    pub(crate) fn spoil(&mut self, snapshot: bool) -> Result<(), String> {
        let last = self.patches.last_mut().ok_or("nothing was written there")?;
        let mut patch = SyncdPatch::decode_from_slice(&last.0).map_err(|e| e.to_string())?;
        spoil_mac(&mut patch.patch_mac);
        if snapshot {
            spoil_mac(&mut patch.snapshot_mac);
            self.mac = Blob(patch.snapshot_mac.clone().unwrap_or_default());
        }
        last.0 = patch.encode_to_vec();
        self.broken = self.version;
        Ok(())
    }

    /// The patches after `version`; `None` where they are not kept any more.
    pub(crate) fn after(&self, version: u64) -> Option<&[Blob]> {
        let first = self.version - self.patches.len() as u64;
        let skip = version.checked_sub(first)?;
        self.patches.get(usize::try_from(skip).ok()?..)
    }

    /// What a device lacks that has `version`, or that begins anew.
    pub(crate) fn news(&self, name: &str, version: u64, anew: bool, shelf: &Shelf) -> Result<News> {
        let known = if anew { 0 } else { version.min(self.version) };
        let patches = self
            .after(known)
            .filter(|patches| known > 0 || self.broken == 0 && patches.len() <= PATCHES_FOR_NEW);
        let Some(patches) = patches else {
            return Ok(News {
                version: self.version,
                snapshot: Some(self.snapshot(name, shelf)?),
                patches: Vec::new(),
                more: false,
            });
        };
        let page = patches.len().min(PAGE);
        Ok(News {
            version: known + page as u64,
            snapshot: None,
            patches: patches[..page]
                .iter()
                .map(|patch| patch.0.clone())
                .collect(),
            more: patches.len() > page,
        })
    }

    /// Brings all of it to the media host, and says where it lies.
    fn snapshot(&self, name: &str, shelf: &Shelf) -> Result<Vec<u8>> {
        let records: Result<Vec<_>, _> = self
            .records
            .values()
            .map(|record| SyncdRecord::decode_from_slice(&record.0))
            .collect();
        let snapshot = SyncdSnapshot {
            version: MessageField::some(SyncdVersion {
                version: Some(self.version),
            }),
            records: records.with_context(|| format!("a record of {name} is damaged"))?,
            mac: Some(self.mac.0.clone()),
            key_id: MessageField::some(KeyId {
                id: Some(self.key_id.0.clone()),
            }),
        };
        let plain = snapshot.encode_to_vec();
        let sealed = encrypt_media(&plain, MediaType::AppState)?;
        let mut aside = shelf.aside()?;
        std::io::Write::write_all(aside.as_file_mut(), &sealed.data_to_upload)?;
        let direct_path = shelf.keep(aside, &hex::encode(sealed.file_enc_sha256))?;
        Ok(ExternalBlobReference {
            media_key: Some(sealed.media_key.to_vec()),
            direct_path: Some(direct_path),
            handle: Some(format!("{name}-{}", self.version)),
            file_size_bytes: Some(plain.len() as u64),
            file_sha256: Some(sealed.file_sha256.to_vec()),
            file_enc_sha256: Some(sealed.file_enc_sha256.to_vec()),
        }
        .encode_to_vec())
    }
}

fn spoil_mac(mac: &mut Option<Vec<u8>>) {
    if let Some(first) = mac.as_mut().and_then(|mac| mac.first_mut()) {
        *first ^= 0xff;
    }
}

fn index_of(mutation: &SyncdMutation) -> Option<&[u8]> {
    mutation
        .record
        .as_option()?
        .index
        .as_option()?
        .blob
        .as_deref()
}

pub(crate) fn is_removal(mutation: &SyncdMutation) -> bool {
    mutation
        .operation
        .is_some_and(|operation| operation == SyncdOperation::REMOVE)
}
