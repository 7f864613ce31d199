//! What members write to a group: to the devices of all others, with the receipts that come back.

use std::collections::HashMap;

use wacore::messages::MessageUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use super::{FORBIDDEN, No, group_id};
use crate::ambient;
use crate::core::{Core, jid, text};
use crate::state::Addr;

impl Core {
    /// Why the server does not take a message for a group.
    pub(crate) fn group_refuses(&self, from: &str, id: &str, node: &Node) -> Option<u16> {
        let group = match self.group_with(from, id) {
            Ok(group) => group,
            Err(No(code, _)) => return Some(code),
        };
        let mode = text(node, "addressing_mode");
        if !mode.is_empty() && mode != group.mode() {
            return Some(421);
        }
        let silent = group.announcement && !group.is_admin(from);
        silent.then_some(FORBIDDEN.0)
    }

    /// The name of the devices that a message of `from` to a group has to reach, its own among them.
    pub(crate) fn group_phash(&self, id: &str) -> Option<String> {
        let by_lid = self.groups.get(id)?.by_lid;
        let devices = self.devices_in(id, None);
        let devices: Vec<Jid> = devices
            .iter()
            .map(|device| self.member_jid(by_lid, device))
            .collect();
        MessageUtils::participant_list_hash(&devices).ok()
    }

    /// To every device of every member, but for the one that sends: the key for it, where there is one, and
    /// the body that all can read.
    pub(crate) fn relay_to_group(&mut self, from: &Addr, id: &str, node: &Node) {
        // The answer to one device that asked again.
        if let Some(only) = jid(node, "participant").and_then(|jid| self.resolve(&jid)) {
            let bodies: Vec<Node> = node.get_children_by_tag("enc").cloned().collect();
            if let Some(stanza) = self.group_stanza(from, id, node, bodies) {
                self.deliver(&only, stanza);
            }
            return;
        }
        let mut keys: HashMap<Addr, Node> = HashMap::new();
        if let Some(participants) = node.get_optional_child("participants") {
            for entry in participants.get_children_by_tag("to") {
                let device = jid(entry, "jid").and_then(|jid| self.resolve(&jid));
                if let (Some(device), Some(enc)) = (device, entry.get_optional_child("enc")) {
                    keys.insert(device, enc.clone());
                }
            }
        }
        let shared: Vec<Node> = node.get_children_by_tag("enc").cloned().collect();
        for device in self.devices_in(id, Some(from)) {
            let bodies = keys.remove(&device).into_iter().chain(shared.clone());
            if let Some(stanza) = self.group_stanza(from, id, node, bodies.collect()) {
                self.deliver(&device, stanza);
            }
        }
    }

    /// As its receiver sees it.
    fn group_stanza(
        &self,
        from: &Addr,
        id: &str,
        node: &Node,
        mut children: Vec<Node>,
    ) -> Option<Node> {
        let beside = ["device-identity", "meta", "reporting"].iter();
        children.extend(beside.filter_map(|tag| node.get_optional_child(tag).cloned()));
        let head = self.group_head("message", from, id)?;
        let mut builder = head
            .attr("id", text(node, "id"))
            .attr("type", text(node, "type"))
            .attr("t", ambient::now_secs());
        let edit = text(node, "edit");
        if !edit.is_empty() {
            builder = builder.attr("edit", edit);
        }
        Some(builder.children(children).build())
    }

    /// Of a stanza of a member's in a group, but for its id.
    pub(crate) fn group_head(
        &self,
        tag: &'static str,
        from: &Addr,
        id: &str,
    ) -> Option<NodeBuilder> {
        let group = self.groups.get(id)?;
        let mut builder = NodeBuilder::new(tag)
            .attr("from", group.jid())
            .attr("participant", self.member_jid(group.by_lid, from))
            .attr("addressing_mode", group.mode());
        if group.by_lid {
            builder = builder.attr("participant_pn", from.jid());
        } else if let Some(lid) = self.lid_jid(from) {
            builder = builder.attr("participant_lid", lid);
        }
        if let Some(phone) = self.phones.get(&from.number) {
            builder = builder.attr("notify", phone.name.as_str());
        }
        Some(builder)
    }

    /// A receipt about messages that `to` wrote in a group: to all devices of that person.
    pub(crate) fn emit_group_receipt(
        &mut self,
        from: &Addr,
        id: &str,
        to: &str,
        ids: &[String],
        kind: Option<&str>,
    ) {
        let Some(stanza) = self.group_receipt(from, id, ids, kind, Vec::new()) else {
            return;
        };
        for device in self.devices_of(to) {
            if device != *from {
                self.deliver(&device, stanza.clone());
                self.release_acks(&device, ids);
            }
        }
    }

    fn group_receipt(
        &self,
        from: &Addr,
        id: &str,
        ids: &[String],
        kind: Option<&str>,
        mut children: Vec<Node>,
    ) -> Option<Node> {
        let (first, rest) = ids.split_first()?;
        let mut builder = self
            .group_head("receipt", from, id)?
            .attr("id", first.as_str())
            .attr("t", ambient::now_secs());
        if let Some(kind) = kind {
            builder = builder.attr("type", kind);
        }
        if !rest.is_empty() {
            let items = rest.iter();
            let items = items.map(|id| NodeBuilder::new("item").attr("id", id.as_str()).build());
            let items: Vec<Node> = items.collect();
            children.push(NodeBuilder::new("list").children(items).build());
        }
        Some(builder.children(children).build())
    }

    /// `<receipt>` of a companion about messages in a group.
    pub(crate) fn companion_group_receipt(
        &mut self,
        from: &Addr,
        id: &str,
        (kind, ids): (&str, &[String]),
        node: &Node,
    ) {
        let author = jid(node, "participant").and_then(|jid| self.resolve(&jid));
        let Some(author) = author else {
            return;
        };
        match kind {
            "" | "delivery" => self.emit_group_receipt(from, id, &author.number, ids, None),
            "inactive" | "read" | "played" => {
                self.emit_group_receipt(from, id, &author.number, ids, Some(kind));
            }
            "retry" => {
                let children = node.children().unwrap_or_default().to_vec();
                let stanza = self.group_receipt(from, id, ids, Some(kind), children);
                if let Some(stanza) = stanza {
                    self.deliver(&author, stanza);
                }
            }
            _ => {}
        }
        if matches!(kind, "read" | "read-self" | "played" | "played-self")
            && let Some(phone) = self.phones.get_mut(&from.number)
        {
            for message in ids {
                phone.history.set_status(message, "read", |message| {
                    message.from == author.number && message.is_in_group(id)
                });
            }
            self.touch_phone(&from.number);
        }
    }

    /// Shows the others that a member types or stopped.
    pub(crate) fn type_to_group(&mut self, from: &Addr, id: &str, state: &Node, name: &str) {
        let Some(head) = self.group_head("chatstate", &Addr::phone(from.number.as_str()), id)
        else {
            return;
        };
        let stanza = head.children([state.clone()]).build();
        let number = from.number.clone();
        for device in self.devices_in(id, Some(from)) {
            if device.number == number {
                continue;
            }
            match device.is_phone() {
                false => self.deliver_now(&device, stanza.clone()),
                true => {
                    if let Some(phone) = self.phone_mut(&device.number)
                        && phone.online
                    {
                        let doing = format!("{number} in {id}@g.us");
                        phone.typing.insert(doing, name.to_owned());
                    }
                }
            }
        }
    }

    /// Whom an address means, for what is acknowledged: a person's number, or a group's address.
    pub(crate) fn party(&self, jid: &Jid) -> String {
        match group_id(jid) {
            Some(id) => format!("{id}@g.us"),
            None => self
                .resolve(jid)
                .map(|addr| addr.number)
                .unwrap_or_default(),
        }
    }
}
