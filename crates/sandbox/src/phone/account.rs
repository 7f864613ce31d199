//! Setting a phone up: its number, keys and hidden id.

use std::collections::{BTreeMap, VecDeque};

use anyhow::{Result, anyhow};
use wacore_libsignal::protocol::{KeyPair, PrivateKey};

use crate::ambient;
use crate::appstate::AppState;
use crate::blob::Blob;
use crate::core::{Core, Entity};
use crate::history::History;
use crate::ratchets::Ratchets;
use crate::sender_keys::SenderKeys;
use crate::state::{Phone, SignedPreKey};

impl Core {
    /// Makes sure that there is a phone with this number; a name that is given replaces the old.
    pub(crate) fn add_phone(&mut self, number: &str, name: &str) -> Result<()> {
        if let Some(phone) = self.phones.get_mut(number) {
            if !name.is_empty() && phone.name != name {
                name.clone_into(&mut phone.name);
                self.touch_phone(number);
                self.write_name(number);
            }
            return Ok(());
        }
        let phone = self.new_phone(number, name)?;
        self.lids.insert(phone.lid.clone(), number.to_owned());
        self.phones.insert(number.to_owned(), phone);
        self.dirty.insert(Entity::Phone(number.to_owned()));
        // Without it a companion would wait for it at each log-in.
        self.write_name(number);
        Ok(())
    }

    pub(super) fn new_phone(&self, number: &str, name: &str) -> Result<Phone> {
        let rng = &mut ambient::rng();
        let identity = KeyPair::generate(rng);
        let signed = KeyPair::generate(rng);
        let signature = identity
            .private_key
            .calculate_signature(&signed.public_key.serialize(), rng)
            .map_err(|error| anyhow!("signing the pre-key: {error}"))?;
        let lid = loop {
            let random = u64::from_be_bytes(ambient::bytes::<8>());
            let lid = (100_000_000_000_000 + random % 800_000_000_000_000).to_string();
            if !self.lids.contains_key(&lid) {
                break lid;
            }
        };
        Ok(Phone {
            number: number.to_owned(),
            name: if name.is_empty() {
                format!("Phone {number}")
            } else {
                name.to_owned()
            },
            lid,
            online: true,
            identity_private: Blob(identity.private_key.serialize().to_vec()),
            registration_id: u32::from_be_bytes(ambient::bytes::<4>()) % 0x7fff_fffe + 1,
            signed_prekey_private: Blob(signed.private_key.serialize().to_vec()),
            signed_prekey: SignedPreKey {
                id: 1,
                public: Blob(signed.public_key.public_key_bytes().to_vec()),
                signature: Blob(signature.to_vec()),
            },
            adv_raw_id: u32::from_be_bytes(ambient::bytes::<4>()),
            next_device: 1,
            app_state_key_id: Blob(ambient::bytes::<6>().to_vec()),
            app_state_key: Blob(ambient::bytes::<32>().to_vec()),
            app_state: AppState::default(),
            old_ratchets: BTreeMap::new(),
            ratchets: Ratchets::default(),
            sender_keys: SenderKeys::default(),
            keyed: BTreeMap::new(),
            refuses_groups: false,
            identities: BTreeMap::new(),
            old_messages: Vec::new(),
            inbox: VecDeque::new(),
            key_shares: BTreeMap::new(),
            history: History::of(number),
            profile: Default::default(),
            history_chunk: None,
            typing: BTreeMap::new(),
            named_by: Default::default(),
            garbles: 0,
        })
    }
}

impl Phone {
    fn identity_key(&self) -> Option<PrivateKey> {
        PrivateKey::deserialize(&self.identity_private.0).ok()
    }

    /// The identity key pair. `None` only if the state file was damaged by hand.
    pub(crate) fn identity(&self) -> Option<KeyPair> {
        let private = self.identity_key()?;
        Some(KeyPair::new(private.public_key().ok()?, private))
    }

    /// The public identity key, 32 bytes.
    pub(crate) fn identity_public(&self) -> Option<Vec<u8>> {
        Some(self.identity()?.public_key.public_key_bytes().to_vec())
    }

    /// Signs the concatenation of `parts` with the identity key.
    pub(crate) fn sign(&self, parts: &[&[u8]]) -> Option<Vec<u8>> {
        self.identity_key()?
            .calculate_signature_for_multipart_message(parts, &mut ambient::rng())
            .ok()
            .map(|signature| signature.to_vec())
    }
}
