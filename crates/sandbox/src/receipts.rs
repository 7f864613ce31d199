//! Receipts: delivered, read, and "please send that again".

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::ambient;
use crate::core::{Core, jid, text};
use crate::group::group_id;
use crate::state::Addr;

/// All message ids that a receipt speaks of.
pub(crate) fn receipt_ids(node: &Node) -> Vec<String> {
    let mut ids = vec![text(node, "id")];
    if let Some(list) = node.get_optional_child("list") {
        ids.extend(
            list.get_children_by_tag("item")
                .map(|item| text(item, "id")),
        );
    }
    ids
}

/// A receipt stanza as its receiver sees it.
fn receipt(from: Jid, ids: &[String], kind: Option<&str>, timestamp: i64) -> Option<Node> {
    let (first, rest) = ids.split_first()?;
    let mut builder = NodeBuilder::new("receipt")
        .attr("from", from)
        .attr("id", first.as_str())
        .attr("t", timestamp);
    if let Some(kind) = kind {
        builder = builder.attr("type", kind);
    }
    if !rest.is_empty() {
        let items = rest
            .iter()
            .map(|id| NodeBuilder::new("item").attr("id", id.as_str()).build())
            .collect::<Vec<_>>();
        builder = builder.children([NodeBuilder::new("list").children(items).build()]);
    }
    Some(builder.build())
}

impl Core {
    /// Sends a receipt to all devices of the account of `to`, in the form in which that names it.
    pub(crate) fn emit_receipt(
        &mut self,
        from: &Addr,
        to: &Jid,
        ids: &[String],
        kind: Option<&str>,
    ) {
        let stanza = receipt(self.jid_like(from, to), ids, kind, ambient::now_secs());
        let (Some(stanza), Some(account)) = (stanza, self.resolve(to)) else {
            return;
        };
        for device in self.devices_of(&account.number) {
            if device != *from {
                self.deliver(&device, stanza.clone());
                self.release_acks(&device, ids);
            }
        }
    }

    /// Tells the other companions of an account what one of its devices has read of `chat`.
    pub(crate) fn tell_own(&mut self, by: &Addr, chat: &Jid, ids: &[String], kind: &str) {
        let own = self.jid_like(by, chat);
        let Some(mut stanza) = receipt(own, ids, Some(kind), ambient::now_secs()) else {
            return;
        };
        stanza.attrs.insert("recipient", chat.to_non_ad_string());
        for companion in self.companions_of(&by.number) {
            if companion != *by {
                self.deliver(&companion, stanza.clone());
            }
        }
    }

    /// `<receipt>` from a companion.
    pub(crate) fn companion_receipt(&mut self, from: &Addr, node: &Node) {
        let kind = text(node, "type");
        let mut ack = NodeBuilder::new("ack")
            .attr("class", "receipt")
            .attr("id", text(node, "id"))
            .attr("t", ambient::now_secs());
        if let Some(to) = jid(node, "to") {
            ack = ack.attr("from", to);
        }
        if !kind.is_empty() {
            ack = ack.attr("type", kind.as_str());
        }
        if let Some(link) = self.links.get(from) {
            Self::send_to_conn(&link.out, ack.build());
        }
        let Some(to) = jid(node, "to") else {
            return;
        };
        // It has heard a call ring: nobody else's business.
        if node.get_optional_child("offer").is_some() {
            return;
        }
        let ids = receipt_ids(node);
        let party = self.party(&to);
        for id in &ids {
            self.acknowledged(from, "message", id, &party, None);
        }
        if let Some(group) = group_id(&to) {
            self.companion_group_receipt(from, &group, (&kind, &ids), node);
            return;
        }
        let Some(target) = self.resolve(&to) else {
            return;
        };
        match kind.as_str() {
            "" | "delivery" => self.emit_receipt(from, &to, &ids, None),
            // A companion in the background: what its peer sees is an ordinary delivery.
            "inactive" => self.emit_receipt(from, &to, &ids, Some("inactive")),
            "read" | "played" => {
                self.emit_receipt(from, &to, &ids, Some(&kind));
                self.tell_own(from, &to, &ids, &kind);
                self.mark_read_here(&from.number, &target.number, &ids);
            }
            "read-self" | "played-self" => {
                self.tell_own(from, &to, &ids, &kind);
                self.mark_read_here(&from.number, &target.number, &ids);
            }
            "retry" => self.relay_request(from, &target, node),
            // To the phone of one's own account alone.
            "server-error" if target == Addr::phone(from.number.as_str()) => {
                self.relay_request(from, &target, node);
            }
            _ => {}
        }
    }

    /// Messages that one device of an account has read are read on its phone.
    fn mark_read_here(&mut self, account: &str, chat: &str, ids: &[String]) {
        let Some(phone) = self.phones.get_mut(account) else {
            return;
        };
        for id in ids {
            phone
                .history
                .set_status(id, "read", |message| message.from == chat);
        }
        self.touch_phone(account);
    }

    /// A companion could not decrypt a message, or fetch a medium: tell the device that can help.
    fn relay_request(&mut self, from: &Addr, target: &Addr, node: &Node) {
        let sender = match jid(node, "to") {
            Some(to) => self.jid_like(from, &to),
            None => from.jid(),
        };
        let mut builder = NodeBuilder::new("receipt")
            .attr("from", sender)
            .attr("id", text(node, "id"))
            .attr("type", text(node, "type"))
            .attr("t", ambient::now_secs());
        for key in ["category", "recipient"] {
            let value = text(node, key);
            if !value.is_empty() {
                builder = builder.attr(key, value);
            }
        }
        let children = node.children().unwrap_or_default().to_vec();
        let stanza = builder.children(children).build();
        self.deliver(target, stanza);
    }
}
