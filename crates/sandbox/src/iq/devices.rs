//! Linked devices: which there are, and who is told when that changes.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::ambient;
use crate::core::{Core, jid};
use crate::state::Addr;

impl Core {
    /// A companion logs itself (or a sibling) out. The IQ is answered before this is called.
    pub(super) fn remove_linked_device(&mut self, by: &Addr, node: &Node) {
        let target = node
            .get_optional_child("remove-companion-device")
            .and_then(|child| jid(child, "jid"))
            .and_then(|jid| self.resolve(&jid))
            .unwrap_or_else(|| by.clone());
        if target.number != by.number || target.is_phone() {
            tracing::debug!(device = %by, %target, "may not remove that device");
            return;
        }
        let other = target != *by;
        self.remove_companion(&target, other);
    }

    /// Tells those who may hold an old device list of this account that it changed.
    ///
    /// `change` is `add` or `remove`. Only accounts that have chatted with it can hold one.
    pub(crate) fn announce_device(&mut self, addr: &Addr, change: &'static str) {
        let Some(phone) = self.phones.get(&addr.number) else {
            return;
        };
        let mut partners = phone.history.partners();
        partners.insert(addr.number.clone());
        let groups = self.groups_of(&addr.number);
        partners.extend(groups.flat_map(|group| group.members.keys().cloned()));
        let lid = self.lid_jid(addr);
        let Some((signed, timestamp)) = self.key_index_list(&addr.number) else {
            return;
        };
        let mut device = NodeBuilder::new("device").attr("jid", addr.jid());
        if let Some(lid) = &lid {
            device = device.attr("lid", lid);
        }
        let mut index = NodeBuilder::new("key-index-list").attr("ts", timestamp);
        if change == "add" {
            let key_index = self
                .companions
                .get(addr)
                .map(|companion| companion.key_index)
                .unwrap_or_default();
            device = device.attr("key-index", key_index);
            index = index.bytes(signed);
        }
        let operation = NodeBuilder::new(change)
            .children([device.build(), index.build()])
            .build();
        let mut stanza = NodeBuilder::new("notification")
            .attr("from", addr.account())
            .attr("id", ambient::stanza_id())
            .attr("type", "devices")
            .attr("t", ambient::now_secs())
            .children([operation]);
        if let Some(lid) = lid {
            stanza = stanza.attr("lid", lid.to_non_ad());
        }
        let stanza = stanza.build();
        for partner in partners {
            for companion in self.companions_of(&partner) {
                if companion != *addr {
                    self.deliver(&companion, stanza.clone());
                }
            }
        }
    }
}
