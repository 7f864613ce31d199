//! The memory of the network. Everything here that is not `serde(skip)` survives a restart.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::fmt;

use serde::{Deserialize, Serialize};
use wacore_binary::Jid;

use crate::appstate::AppState;
use crate::backlog::{Queue, Queued};
use crate::blob::Blob;
use crate::history::{ChatMessage, History};
use crate::ratchets::Ratchets;
use crate::sender_keys::SenderKeys;

/// One device of an account. Device 0 is the phone, all others are companions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Addr {
    pub(crate) number: String,
    pub(crate) device: u16,
}

impl Addr {
    pub(crate) fn new(number: impl Into<String>, device: u16) -> Self {
        Self {
            number: number.into(),
            device,
        }
    }

    /// The phone of `number`.
    pub(crate) fn phone(number: impl Into<String>) -> Self {
        Self::new(number, 0)
    }

    pub(crate) fn is_phone(&self) -> bool {
        self.device == 0
    }

    /// `number@s.whatsapp.net`, with the device when it is a companion.
    pub(crate) fn jid(&self) -> Jid {
        Jid::pn_device(self.number.as_str(), self.device)
    }

    /// The account, without a device.
    pub(crate) fn account(&self) -> Jid {
        Jid::pn(self.number.as_str())
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.number, self.device)
    }
}

/// Keys of the network itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Meta {
    /// Static Noise key: must survive a restart, companions resume with it (Noise IK).
    pub(crate) noise_private: Blob,
}

/// The half of a Signal bundle that stays the same.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct SignedPreKey {
    pub(crate) id: u32,
    pub(crate) public: Blob,
    pub(crate) signature: Blob,
}

/// A virtual phone: the primary device of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Phone {
    pub(crate) number: String,
    pub(crate) name: String,
    /// The account's hidden id, digits.
    pub(crate) lid: String,
    pub(crate) online: bool,
    pub(crate) identity_private: Blob,
    pub(crate) registration_id: u32,
    pub(crate) signed_prekey_private: Blob,
    pub(crate) signed_prekey: SignedPreKey,
    /// Names the generation of this account's device list.
    pub(crate) adv_raw_id: u32,
    /// Device ids and key indexes are never used twice.
    pub(crate) next_device: u16,
    pub(crate) app_state_key_id: Blob,
    pub(crate) app_state_key: Blob,
    /// Kept in a file of its own.
    #[serde(skip)]
    pub(crate) app_state: AppState,
    /// Where the ratchets were before they had files of their own.
    #[serde(default, skip_serializing, rename = "sessions")]
    pub(crate) old_ratchets: BTreeMap<String, Blob>,
    /// Each kept in a file of its own.
    #[serde(skip)]
    pub(crate) ratchets: Ratchets,
    /// Group keys, each kept in a file of its own.
    #[serde(skip)]
    pub(crate) sender_keys: SenderKeys,
    /// Which devices have this phone's key of a group, by the group's id.
    #[serde(default)]
    pub(crate) keyed: BTreeMap<String, BTreeSet<String>>,
    /// Others may not add this person to groups.
    #[serde(default)]
    pub(crate) refuses_groups: bool,
    /// Identity keys of other devices.
    pub(crate) identities: BTreeMap<String, Blob>,
    /// Where the history was before it had a file of its own.
    #[serde(default, skip_serializing, rename = "messages")]
    pub(crate) old_messages: Vec<ChatMessage>,
    /// Stanzas that wait until the phone is online.
    pub(crate) inbox: VecDeque<Blob>,
    /// Ids of the key shares sent to companions, to answer a retry of one.
    #[serde(default)]
    pub(crate) key_shares: BTreeMap<String, Addr>,
    /// Kept in a file of its own, to which lines are appended.
    #[serde(skip)]
    pub(crate) history: History,
    /// What others see of the account.
    #[serde(default)]
    pub(crate) profile: crate::profile::Profile,
    /// Messages of a frame of its past, where the person has chosen that.
    #[serde(default)]
    pub(crate) history_chunk: Option<usize>,
    /// The doings of the other side in its chat with this phone: `composing`, `recording`, `paused`.
    #[serde(skip)]
    pub(crate) typing: BTreeMap<String, String>,
    /// How what it writes to people names it.
    #[serde(default)]
    pub(crate) named_by: NamedBy,
    /// So many more copies of what it writes cannot be read by linked devices of others.
    #[serde(skip)]
    pub(crate) garbles: u32,
}

/// The address of a person on what they write, and the other one beside it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamedBy {
    /// The number, with the hidden id beside it.
    #[default]
    Number,
    /// The number alone.
    NumberAlone,
    /// The hidden id, with the number beside it.
    Lid,
    /// The hidden id alone.
    LidAlone,
}

impl NamedBy {
    pub(crate) fn is_lid(self) -> bool {
        matches!(self, Self::Lid | Self::LidAlone)
    }

    pub(crate) fn is_alone(self) -> bool {
        matches!(self, Self::NumberAlone | Self::LidAlone)
    }
}

/// A one-time pre-key that a companion uploaded.
#[derive(Clone, Debug)]
pub(crate) struct PreKey {
    pub(crate) id: u32,
    pub(crate) public: [u8; 32],
}

const PACKED_PRE_KEY: usize = 36;

/// The pre-keys of a companion in one piece, for its file.
pub(crate) fn pack_pre_keys(keys: &VecDeque<PreKey>) -> Vec<u8> {
    let mut packed = Vec::with_capacity(keys.len() * PACKED_PRE_KEY);
    for key in keys {
        packed.extend_from_slice(&key.id.to_be_bytes());
        packed.extend_from_slice(&key.public);
    }
    packed
}

/// The inverse of [`pack_pre_keys`]; `None` when it is damaged.
pub(crate) fn unpack_pre_keys(packed: &[u8]) -> Option<VecDeque<PreKey>> {
    if !packed.len().is_multiple_of(PACKED_PRE_KEY) {
        return None;
    }
    packed
        .chunks_exact(PACKED_PRE_KEY)
        .map(|chunk| {
            let (id, public) = chunk.split_first_chunk::<4>()?;
            Some(PreKey {
                id: u32::from_be_bytes(*id),
                public: public.try_into().ok()?,
            })
        })
        .collect()
}

/// A linked device, seen from the server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Companion {
    pub(crate) addr: Addr,
    pub(crate) key_index: u32,
    pub(crate) noise_public: Blob,
    pub(crate) identity_public: Blob,
    pub(crate) registration_id: u32,
    pub(crate) signed_prekey: SignedPreKey,
    /// Where the pre-keys were before they had a file of their own.
    #[serde(default, skip_serializing, rename = "prekeys")]
    pub(crate) old_prekeys: Blob,
    /// One-time keys, kept in a file of their own.
    #[serde(skip)]
    pub(crate) prekeys: VecDeque<PreKey>,
    /// The account's and the device's signature over the device's identity.
    pub(crate) device_identity: Blob,
    /// Where the queue was before it had a file of its own.
    #[serde(default, skip_serializing, rename = "queue")]
    pub(crate) old_queue: Vec<Queued>,
    /// Stanzas that it has not acknowledged, oldest first; kept in a file of its own.
    #[serde(skip)]
    pub(crate) queue: Queue,
    /// Ids of the messages that the server took from it; kept in a file of its own.
    #[serde(skip)]
    pub(crate) seen: HashSet<String>,
    /// Those of `seen` that were not saved.
    #[serde(skip)]
    pub(crate) seen_lately: Vec<String>,
    /// Which collections of the account's settings it has asked for, in this process.
    #[serde(skip)]
    pub(crate) asked_for: BTreeSet<String>,
}

impl Companion {
    /// Remembers that the server took a message.
    pub(crate) fn saw(&mut self, id: &str) {
        if self.seen.insert(id.to_owned()) {
            self.seen_lately.push(id.to_owned());
        }
    }
}
