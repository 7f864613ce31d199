//! Messages that companions send: fan-out to the devices they were encrypted for.

use std::time::Duration;

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::ambient;
use crate::core::{Core, Entity, HeldAck, Sender, jid, text};
use crate::group::group_id;
use crate::state::Addr;
use crate::trouble::{AckWay, Kind};

/// Whether this is a message that somebody wrote: not one between the devices of one account, and
/// not the answer to a retry receipt. Troubles meet and count only these.
pub(crate) fn is_from_a_person(node: &Node) -> bool {
    node.tag == "message" && text(node, "category") != "peer" && !is_resent(node)
}

/// The answer to a retry receipt has its count in the encrypted body.
fn is_resent(node: &Node) -> bool {
    let direct = node.get_optional_child("enc").into_iter();
    let fanned = node
        .get_optional_child("participants")
        .into_iter()
        .flat_map(|participants| participants.get_children_by_tag("to"))
        .filter_map(|to| to.get_optional_child("enc"));
    direct
        .chain(fanned)
        .any(|enc| !text(enc, "count").is_empty())
}

/// Where a message goes.
enum Goal {
    Person(Addr),
    Group(String),
}

impl Core {
    /// Where a message goes, or why the server does not take it.
    fn goal(&self, from: &Addr, to: &Jid, node: &Node) -> Result<Goal, u16> {
        if let Some(group) = group_id(to) {
            return match self.group_refuses(&from.number, &group, node) {
                Some(code) => Err(code),
                None => Ok(Goal::Group(group)),
            };
        }
        let chat = self.resolve(to).ok_or(404u16)?;
        match self.phones.contains_key(&chat.number) {
            true => Ok(Goal::Person(chat)),
            false => Err(404),
        }
    }

    /// `<message>` from a companion: one encrypted body per receiving device.
    pub(crate) fn companion_message(&mut self, from: &Addr, node: &Node) {
        let person = is_from_a_person(node);
        let met = |core: &mut Self, kind| {
            person
                .then(|| core.troubles.meet(kind, &from.number))
                .flatten()
        };
        if let Some(trouble) = met(self, Kind::Refuse) {
            self.ack_message(from, node, trouble.code);
            return;
        }
        let Some(to) = jid(node, "to") else {
            self.ack_message(from, node, Some(400));
            return;
        };
        let goal = match self.goal(from, &to, node) {
            Ok(goal) => goal,
            Err(code) => {
                tracing::debug!(device = %from, %to, code, "a message is not taken");
                self.ack_message(from, node, Some(code));
                return;
            }
        };
        let id = text(node, "id");
        let repeat = self
            .companions
            .get(from)
            .is_some_and(|companion| companion.seen.contains(&id));
        if repeat && let Some(trouble) = met(self, Kind::DropRepeats) {
            if trouble.code.is_some() {
                self.ack_message(from, node, None);
            }
            return;
        }
        if person && let Some(companion) = self.companions.get_mut(from) {
            companion.saw(&id);
            self.dirty.insert(Entity::Seen(from.clone()));
        }
        self.ack_in_its_way(from, node, &goal, person);
        match goal {
            Goal::Person(chat) => self.relay(from, node, &to, &chat),
            Goal::Group(group) => self.relay_to_group(from, &group, node),
        }
    }

    /// Acknowledges now, or as the troubles want it.
    fn ack_in_its_way(&mut self, from: &Addr, node: &Node, goal: &Goal, person: bool) {
        let mut way = AckWay::default();
        if person {
            way = self.troubles.ack_way(&from.number);
        }
        let Some(out) = self.links.get(from).map(|link| link.out.clone()) else {
            return;
        };
        if way.never {
            return;
        }
        let mut ack = message_ack(node, None);
        // Nobody confirms a message to oneself.
        let confirmed = match goal {
            Goal::Person(chat) => chat.number != from.number,
            Goal::Group(group) => {
                if let Some(hash) = self.group_phash(group) {
                    ack.attrs.insert("phash", hash);
                }
                true
            }
        };
        if way.after_receipt && confirmed {
            let held = HeldAck {
                out,
                ack,
                delay: way.delay,
            };
            self.held_acks
                .insert((from.clone(), text(node, "id")), held);
        } else {
            send_later(out, ack, way.delay);
        }
    }

    /// The receipt of a message went out: now its acknowledgement may follow.
    pub(crate) fn release_acks(&mut self, to: &Addr, ids: &[String]) {
        if self.held_acks.is_empty() {
            return;
        }
        for id in ids {
            if let Some(held) = self.held_acks.remove(&(to.clone(), id.clone())) {
                send_later(held.out, held.ack, held.delay);
            }
        }
    }

    /// No acknowledgement waits any longer.
    pub(crate) fn release_all_acks(&mut self) {
        for (_, held) in self.held_acks.drain() {
            send_later(held.out, held.ack, Duration::ZERO);
        }
    }

    fn relay(&mut self, from: &Addr, node: &Node, to: &Jid, chat: &Addr) {
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
        let timestamp = ambient::now_secs();
        for (device, enc) in bodies {
            // Who is blocked is told nothing, and nothing comes of it.
            if device.number != from.number && self.has_blocked(&device.number, &from.number) {
                continue;
            }
            if device == *from || (device.number != chat.number && device.number != from.number) {
                continue;
            }
            let recipient = (device.number == from.number && chat.number != from.number)
                .then(|| to.to_non_ad());
            let stanza = self.relayed(from, node, enc, (to, recipient), timestamp);
            self.deliver(&device, stanza);
        }
    }

    /// As its receiver sees it. `recipient` is for copies to the sender's own account.
    fn relayed(
        &self,
        from: &Addr,
        node: &Node,
        enc: Node,
        (to, recipient): (&Jid, Option<Jid>),
        timestamp: i64,
    ) -> Node {
        let mut children = vec![enc];
        children.extend(
            ["device-identity", "meta", "reporting"]
                .iter()
                .filter_map(|tag| node.get_optional_child(tag).cloned()),
        );
        let mut builder = NodeBuilder::new("message")
            .attr("from", self.jid_like(from, to))
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
        // Beside the form that the chat has, the other one.
        if to.is_lid() {
            builder = builder.attr("sender_pn", from.account());
        } else if let Some(lid) = self.lid_jid(from) {
            builder = builder.attr("sender_lid", lid);
        }
        if let Some(recipient) = recipient {
            if let Some(addr) = self.resolve(&recipient).filter(|_| recipient.is_lid()) {
                builder = builder.attr("peer_recipient_pn", addr.account());
            }
            builder = builder.attr("recipient", recipient);
        }
        builder.children(children).build()
    }

    /// Tells the companion that the server has (or will not take) its message.
    fn ack_message(&self, to: &Addr, node: &Node, error: Option<u16>) {
        if let Some(link) = self.links.get(to) {
            Self::send_to_conn(&link.out, message_ack(node, error));
        }
    }

    /// A companion acknowledges a stanza.
    pub(crate) fn companion_ack(&mut self, by: &Addr, node: &Node) {
        let from = jid(node, "to")
            .map(|jid| self.party(&jid))
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

fn message_ack(node: &Node, error: Option<u16>) -> Node {
    let mut ack = NodeBuilder::new("ack")
        .attr("class", "message")
        .attr("id", text(node, "id"))
        .attr("t", ambient::now_secs());
    if let Some(chat) = jid(node, "to") {
        ack = ack.attr("from", chat);
    }
    if let Some(error) = error {
        ack = ack.attr("error", u32::from(error));
    }
    ack.build()
}

/// Sends on this very connection, or not at all when it has ended by then.
fn send_later(out: Sender, ack: Node, delay: Duration) {
    if delay.is_zero() {
        Core::send_to_conn(&out, ack);
        return;
    }
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        Core::send_to_conn(&out, ack);
    });
}
