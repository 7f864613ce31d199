//! Signal bundles: companions upload theirs and fetch those of others.

use wacore::prekeys::compute_key_bundle_digest;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::blob::Blob;
use crate::bundle::{Bundle, key_node, skey_node, three_bytes};
use crate::core::{Core, Entity, child_bytes, iq_error, jid, node_bytes, result, text};
use crate::state::{Addr, PreKey, SignedPreKey};

/// A big-endian number of at most four bytes.
fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0u32, |value, byte| (value << 8) | u32::from(*byte))
}

fn signed_prekey(node: &Node) -> Option<SignedPreKey> {
    let skey = node.get_optional_child("skey")?;
    Some(SignedPreKey {
        id: number(child_bytes(skey, "id")?),
        public: Blob(child_bytes(skey, "value")?.to_vec()),
        signature: Blob(child_bytes(skey, "signature")?.to_vec()),
    })
}

impl Core {
    pub(super) fn prekey_count(&self, addr: &Addr, id: &str) -> Node {
        let count = self
            .companions
            .get(addr)
            .map_or(0, |companion| companion.prekeys.len());
        result(
            id,
            vec![
                NodeBuilder::new("count")
                    .attr("value", count as u64)
                    .build(),
            ],
        )
    }

    pub(super) fn upload_prekeys(&mut self, addr: &Addr, id: &str, node: &Node) -> Node {
        let Some(signed) = signed_prekey(node) else {
            return iq_error(id, 406, "not-acceptable");
        };
        let uploaded = node
            .get_optional_child("list")
            .into_iter()
            .flat_map(|list| list.get_children_by_tag("key"))
            .map(|key| {
                Some(PreKey {
                    id: number(child_bytes(key, "id")?),
                    public: child_bytes(key, "value")?.try_into().ok()?,
                })
            })
            .collect::<Option<Vec<_>>>();
        let Some(uploaded) = uploaded else {
            return iq_error(id, 406, "not-acceptable");
        };
        let registration_id = child_bytes(node, "registration").map(number);
        let Some(companion) = self.companions.get_mut(addr) else {
            return iq_error(id, 401, "not-authorized");
        };
        if let Some(registration_id) = registration_id {
            companion.registration_id = registration_id;
        }
        companion.signed_prekey = signed;
        companion
            .prekeys
            .retain(|known| uploaded.iter().all(|key| key.id != known.id));
        companion.prekeys.extend(uploaded);
        self.touch_companion(addr);
        self.dirty.insert(Entity::PreKeys(addr.clone()));
        result(id, Vec::new())
    }

    pub(super) fn rotate_prekey(&mut self, addr: &Addr, id: &str, node: &Node) -> Node {
        let signed = node.get_optional_child("rotate").and_then(signed_prekey);
        match (signed, self.companions.get_mut(addr)) {
            (Some(signed), Some(companion)) => {
                companion.signed_prekey = signed;
                self.touch_companion(addr);
                result(id, Vec::new())
            }
            _ => iq_error(id, 406, "not-acceptable"),
        }
    }

    /// The server's copy of a companion's own bundle, for comparison.
    pub(super) fn prekey_digest(&self, addr: &Addr, id: &str) -> Node {
        let Some(companion) = self.companions.get(addr) else {
            return iq_error(id, 404, "item-not-found");
        };
        if companion.prekeys.is_empty() {
            return iq_error(id, 404, "item-not-found");
        }
        let keys: Vec<&[u8]> = companion
            .prekeys
            .iter()
            .map(|key| key.public.as_slice())
            .collect();
        let hash = compute_key_bundle_digest(
            &companion.identity_public.0,
            &companion.signed_prekey.public.0,
            &companion.signed_prekey.signature.0,
            &keys,
        );
        let ids = companion
            .prekeys
            .iter()
            .map(|key| NodeBuilder::new("id").bytes(three_bytes(key.id)).build());
        let digest = NodeBuilder::new("digest")
            .children([
                NodeBuilder::new("registration")
                    .bytes(companion.registration_id.to_be_bytes().to_vec())
                    .build(),
                NodeBuilder::new("type").bytes(vec![5]).build(),
                NodeBuilder::new("identity")
                    .bytes(companion.identity_public.0.clone())
                    .build(),
                skey_node(&companion.signed_prekey),
                NodeBuilder::new("list").children(ids).build(),
                NodeBuilder::new("hash").bytes(hash).build(),
            ])
            .build();
        result(id, vec![digest])
    }

    /// Hands out bundles; each use of a companion's takes one of its one-time keys.
    pub(super) fn prekey_bundles(&mut self, by: &Addr, id: &str, node: &Node) -> Node {
        let asked: Vec<(wacore_binary::Jid, bool)> = node
            .get_optional_child("key")
            .into_iter()
            .flat_map(|key| key.get_children_by_tag("user"))
            .filter_map(|user| Some((jid(user, "jid")?, text(user, "reason") == "identity")))
            .collect();
        let mut users = Vec::with_capacity(asked.len());
        for (asked, identity_only) in asked {
            let user = NodeBuilder::new("user").attr("jid", &asked);
            let bundle = self
                .resolve(&asked)
                .and_then(|addr| self.bundle(&addr, !identity_only));
            let Some(bundle) = bundle else {
                tracing::debug!(device = %by, %asked, "no such device");
                let error = NodeBuilder::new("error")
                    .attr("code", "406")
                    .attr("text", "not-acceptable")
                    .build();
                users.push(user.children([error]).build());
                continue;
            };
            let mut children = vec![
                NodeBuilder::new("registration")
                    .bytes(bundle.registration_id.to_be_bytes().to_vec())
                    .build(),
                NodeBuilder::new("type").bytes(vec![5]).build(),
                NodeBuilder::new("identity").bytes(bundle.identity).build(),
                skey_node(&bundle.signed),
            ];
            if let Some(key) = bundle.prekey {
                children.push(key_node(&key));
            }
            if let Some(identity) = bundle.device_identity {
                children.push(NodeBuilder::new("device-identity").bytes(identity).build());
            }
            users.push(user.children(children).build());
        }
        result(id, vec![NodeBuilder::new("list").children(users).build()])
    }

    /// A device's bundle. Phones of this network have no one-time keys, which Signal allows:
    /// their signed pre-key is used again and again, and nothing has to be kept in step.
    pub(crate) fn bundle(&mut self, addr: &Addr, take_prekey: bool) -> Option<Bundle> {
        if addr.is_phone() {
            let phone = self.phones.get(&addr.number)?;
            return Some(Bundle {
                registration_id: phone.registration_id,
                identity: phone.identity_public()?,
                prekey: None,
                signed: phone.signed_prekey.clone(),
                device_identity: None,
            });
        }
        let companion = self.companions.get_mut(addr)?;
        let prekey = if take_prekey {
            companion.prekeys.pop_front()
        } else {
            None
        };
        let bundle = Bundle {
            registration_id: companion.registration_id,
            identity: companion.identity_public.0.clone(),
            signed: companion.signed_prekey.clone(),
            device_identity: Some(companion.device_identity.0.clone()),
            prekey,
        };
        if bundle.prekey.is_some() {
            self.dirty.insert(Entity::PreKeys(addr.clone()));
        }
        Some(bundle)
    }

    /// The bundle that a retry receipt carries, if any.
    pub(crate) fn receipt_bundle(node: &Node) -> Option<Bundle> {
        let registration_id = child_bytes(node, "registration").map(number)?;
        let keys = node.get_optional_child("keys")?;
        let prekey = keys.get_optional_child("key").and_then(|key| {
            Some(PreKey {
                id: number(child_bytes(key, "id")?),
                public: child_bytes(key, "value")?.try_into().ok()?,
            })
        });
        Some(Bundle {
            registration_id,
            identity: child_bytes(keys, "identity")?.to_vec(),
            prekey,
            signed: signed_prekey(keys)?,
            device_identity: keys
                .get_optional_child("device-identity")
                .and_then(node_bytes)
                .map(<[u8]>::to_vec),
        })
    }
}
