//! Messages that companions send: fan-out to the devices they were encrypted for.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::ambient;
use crate::core::{Core, jid, text};
use crate::state::Addr;

impl Core {
    /// `<message>` from a companion: one encrypted body per receiving device.
    pub(crate) fn companion_message(&mut self, from: &Addr, node: &Node) {
        let Some(to) = jid(node, "to") else {
            self.ack_message(from, node, Some("400"));
            return;
        };
        let Some(chat) = self.resolve(&to) else {
            tracing::debug!(device = %from, %to, "this network carries messages between people only");
            self.ack_message(from, node, Some("404"));
            return;
        };
        if !self.phones.contains_key(&chat.number) {
            self.ack_message(from, node, Some("404"));
            return;
        }
        let bodies: Vec<(Addr, Node)> = match node.get_optional_child("participants") {
            Some(participants) => participants
                .get_children_by_tag("to")
                .filter_map(|entry| {
                    let device = jid(entry, "jid").and_then(|jid| self.resolve(&jid))?;
                    Some((device, entry.get_optional_child("enc")?.clone()))
                })
                .collect(),
            // Messages to one's own phone name the device in `to` and carry one body.
            None => node
                .get_optional_child("enc")
                .map(|enc| (chat.clone(), enc.clone()))
                .into_iter()
                .collect(),
        };
        self.ack_message(from, node, None);
        let timestamp = ambient::now_secs();
        for (device, enc) in bodies {
            if device == *from || (device.number != chat.number && device.number != from.number) {
                continue;
            }
            let recipient = (device.number == from.number && chat.number != from.number)
                .then(|| to.to_non_ad());
            let stanza = self.relayed(from, node, enc, recipient, timestamp);
            self.deliver(&device, stanza);
        }
    }

    fn relayed(
        &self,
        from: &Addr,
        node: &Node,
        enc: Node,
        recipient: Option<Jid>,
        timestamp: i64,
    ) -> Node {
        let mut children = vec![enc];
        children.extend(
            ["device-identity", "meta", "reporting"]
                .iter()
                .filter_map(|tag| node.get_optional_child(tag).cloned()),
        );
        let mut builder = NodeBuilder::new("message")
            .attr("from", from.jid())
            .attr("id", text(node, "id"))
            .attr("type", text(node, "type"))
            .attr("t", timestamp);
        for (key, value) in [
            ("category", text(node, "category")),
            ("edit", text(node, "edit")),
        ] {
            if !value.is_empty() {
                builder = builder.attr(key, value);
            }
        }
        if let Some(phone) = self.phones.get(&from.number) {
            builder = builder.attr("notify", phone.name.as_str());
        }
        if let Some(lid) = self.lid_jid(from) {
            builder = builder.attr("sender_lid", lid);
        }
        if let Some(recipient) = recipient {
            builder = builder.attr("recipient", recipient);
        }
        builder.children(children).build()
    }

    /// Tells the companion that the server has (or will not take) its message.
    fn ack_message(&self, to: &Addr, node: &Node, error: Option<&'static str>) {
        let mut ack = NodeBuilder::new("ack")
            .attr("class", "message")
            .attr("id", text(node, "id"))
            .attr("t", ambient::now_secs());
        if let Some(chat) = jid(node, "to") {
            ack = ack.attr("from", chat);
        }
        if let Some(error) = error {
            ack = ack.attr("error", error);
        }
        if let Some(link) = self.links.get(to) {
            Self::send_to_conn(&link.out, ack.build());
        }
    }

    /// A companion acknowledges a stanza.
    pub(crate) fn companion_ack(&mut self, by: &Addr, node: &Node) {
        let from = jid(node, "to")
            .and_then(|jid| self.resolve(&jid))
            .map(|addr| addr.number)
            .unwrap_or_default();
        let kind = Some(text(node, "type")).filter(|kind| !kind.is_empty());
        let error = text(node, "error");
        if !error.is_empty() {
            tracing::debug!(device = %by, id = text(node, "id"), error, "rejected a stanza");
        }
        self.acknowledged(
            by,
            &text(node, "class"),
            &text(node, "id"),
            &from,
            kind.as_deref(),
        );
    }
}
