//! Settings that travel between an account's devices. The one that a phone really has is its name;
//! without it a companion would wait for it at each log-in.

use buffa::MessageField;
use wacore::appstate::{
    encode_record, expand_app_state_keys,
    hash::{HashState, generate_patch_mac},
};
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp::{
    KeyId, SyncActionValue, SyncdPatch, SyncdVersion, sync_action_value::PushNameSetting,
    syncd_mutation::SyncdOperation,
};

use crate::ambient;
use crate::core::{Core, result, text};
use crate::state::{Addr, Phone};

/// The collection that holds the push name, and its one version.
const NAMES: &str = "critical_block";
const VERSION: u64 = 1;

impl Core {
    /// Every collection is empty, but for the phone's name.
    pub(super) fn app_state(&self, addr: &Addr, id: &str, node: &Node) -> Node {
        let phone = self.phones.get(&addr.number);
        let collections = node
            .get_optional_child("sync")
            .into_iter()
            .flat_map(|sync| sync.get_children_by_tag("collection"))
            .map(|asked| {
                let name = text(asked, "name");
                let known: u64 = text(asked, "version").parse().unwrap_or_default();
                let patch = phone
                    .filter(|_| name == NAMES && known < VERSION)
                    .map(push_name_patch);
                let version = if patch.is_some() { VERSION } else { known };
                let collection = NodeBuilder::new("collection")
                    .attr("name", name)
                    .attr("version", version)
                    .attr("type", "result")
                    .attr("has_more_patches", "false");
                match patch {
                    Some(bytes) => {
                        let patch = NodeBuilder::new("patch").bytes(bytes).build();
                        let patches = NodeBuilder::new("patches").children([patch]).build();
                        collection.children([patches]).build()
                    }
                    None => collection.build(),
                }
            })
            .collect::<Vec<_>>();
        let sync = NodeBuilder::new("sync").children(collections).build();
        result(id, vec![sync])
    }
}

/// One sealed mutation, `setting_pushName`, under the key that the phone shared at pairing.
fn push_name_patch(phone: &Phone) -> Vec<u8> {
    let keys = expand_app_state_keys(&phone.app_state_key.0);
    let key_id = &phone.app_state_key_id.0;
    let value = SyncActionValue {
        timestamp: Some(ambient::now_ms()),
        push_name_setting: MessageField::some(PushNameSetting {
            name: Some(phone.name.clone()),
        }),
        ..Default::default()
    };
    let (mutation, _) = encode_record(
        SyncdOperation::SET,
        br#"["setting_pushName"]"#,
        &value,
        &keys,
        key_id,
        &ambient::bytes::<16>(),
        1,
    );
    let mut state = HashState::default();
    let mutations = vec![mutation];
    let (_, applied) = state.update_hash(&mutations, |_, _| Ok(None));
    if let Err(error) = applied {
        tracing::error!(%error, "the name could not be hashed into the settings");
    }
    state.version = VERSION;
    let mut patch = SyncdPatch {
        version: MessageField::some(SyncdVersion {
            version: Some(VERSION),
        }),
        mutations,
        snapshot_mac: Some(state.generate_snapshot_mac(NAMES, &keys.snapshot_mac)),
        key_id: MessageField::some(KeyId {
            id: Some(key_id.clone()),
        }),
        ..Default::default()
    };
    patch.patch_mac = Some(generate_patch_mac(&patch, NAMES, &keys.patch_mac, VERSION));
    buffa::Message::encode_to_vec(&patch)
}
