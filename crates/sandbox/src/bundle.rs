//! A Signal bundle, and its stanza.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::state::{PreKey, SignedPreKey};

/// The keys by which a Signal session with a device is opened.
pub(crate) struct Bundle {
    pub(crate) registration_id: u32,
    pub(crate) identity: Vec<u8>,
    pub(crate) prekey: Option<PreKey>,
    pub(crate) signed: SignedPreKey,
    /// Companions only: who vouches for the identity.
    pub(crate) device_identity: Option<Vec<u8>>,
}

pub(crate) fn three_bytes(id: u32) -> Vec<u8> {
    id.to_be_bytes()[1..].to_vec()
}

/// `<key>` of a bundle: a one-time key.
pub(crate) fn key_node(key: &PreKey) -> Node {
    NodeBuilder::new("key")
        .children([
            NodeBuilder::new("id").bytes(three_bytes(key.id)).build(),
            NodeBuilder::new("value").bytes(key.public.to_vec()).build(),
        ])
        .build()
}

/// `<skey>` of a bundle.
pub(crate) fn skey_node(signed: &SignedPreKey) -> Node {
    NodeBuilder::new("skey")
        .children([
            NodeBuilder::new("id").bytes(three_bytes(signed.id)).build(),
            NodeBuilder::new("value")
                .bytes(signed.public.0.clone())
                .build(),
            NodeBuilder::new("signature")
                .bytes(signed.signature.0.clone())
                .build(),
        ])
        .build()
}
