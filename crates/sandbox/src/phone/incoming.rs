//! Stanzas that the network hands to a phone.

use anyhow::{Context as _, Result, bail};
use wacore::messages::{MessageUtils, decode_plaintext, wrap_device_sent};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use waproto::whatsapp::message::peer_data_operation_request_message::HistorySyncOnDemandRequest;
use waproto::whatsapp::{Message, message::protocol_message::Type};

use super::chat::{Envelope, Stanza};
use super::signal::SPARE_PRE_KEY;
use crate::ambient;
use crate::bundle::{key_node, skey_node};
use crate::content::describe;
use crate::core::{Core, jid, node_bytes, text};
use crate::group::{group_id, group_id_of};
use crate::history::{ChatMessage, fingerprint};
use crate::receipts::receipt_ids;
use crate::refusal::Refusal;
use crate::state::{Addr, PreKey};
use crate::trouble::Kind;

/// How often a companion may ask for the same message, as the app has it.
const MAX_RETRIES: u64 = 5;

impl Core {
    /// Handles a stanza now, or keeps it until the phone is online.
    pub(crate) fn deliver_to_phone(&mut self, number: &str, node: Node) {
        let Some(phone) = self.phones.get_mut(number) else {
            tracing::debug!(number, "no such phone; the stanza has no addressee");
            return;
        };
        if !phone.online {
            match crate::queue::pack(&node) {
                Ok(stanza) => phone.inbox.push_back(stanza),
                Err(error) => tracing::warn!(%error, number, "dropped a stanza"),
            }
            self.touch_phone(number);
            return;
        }
        match node.tag.as_ref() {
            "message" => self.phone_message(number, &node),
            "receipt" => self.phone_receipt(number, &node),
            other => tracing::debug!(number, tag = other, "phones do not care for this"),
        }
    }

    fn phone_message(&mut self, number: &str, node: &Node) {
        let Some(from) = self.writer_of(node) else {
            return;
        };
        let id = text(node, "id");
        match self.decrypt(number, &from, node) {
            Ok((content, sha256)) => self.take_message(number, &from, node, &content, sha256),
            Err(error) => {
                tracing::debug!(number, %from, id, error = format!("{error:#}"), "cannot decrypt");
                let asked = asked_before(node);
                let t = text(node, "t");
                let named = jid(node, "from");
                self.retry_receipt(number, (&from, named), &id, &t, asked + 1);
            }
        }
        self.touch_phone(number);
    }

    /// The content and the fingerprint of its bytes.
    fn decrypt(&mut self, number: &str, from: &Addr, node: &Node) -> Result<(Message, String)> {
        let Some(phone) = self.phones.get_mut(number) else {
            bail!("no such phone");
        };
        let group = jid(node, "from").as_ref().and_then(group_id);
        let plaintext = match group {
            Some(group) => phone.open_in_group(from, &group, node)?,
            None => {
                let enc = node.get_optional_child("enc").context("no body")?;
                let body = node_bytes(enc).context("empty body")?;
                phone.open(from, &text(enc, "type"), body)?
            }
        };
        let bytes = MessageUtils::unpad_message_ref(&plaintext, 2)?;
        Ok((decode_plaintext(&plaintext, 2)?, fingerprint(bytes)))
    }

    /// Whom a message is to: a group, whom another device of the account wrote to, or this phone.
    fn chat_of(
        &self,
        number: &str,
        own: bool,
        group: Option<&str>,
        content: &Message,
    ) -> Option<String> {
        let copy = content.device_sent_message.as_option();
        match (group, copy) {
            (Some(group), _) => Some(format!("{group}@g.us")),
            (None, Some(copy)) if own => {
                let to: Jid = copy.destination_jid.as_deref()?.parse().ok()?;
                Some(self.resolve(&to)?.number)
            }
            _ => Some(number.to_owned()),
        }
    }

    /// Puts a decrypted message into the history and confirms it.
    fn take_message(
        &mut self,
        number: &str,
        from: &Addr,
        node: &Node,
        content: &Message,
        sha256: String,
    ) {
        let own = from.number == number;
        if own
            && let Some(protocol) = content.protocol_message.as_option()
            && protocol.r#type == Some(Type::APP_STATE_SYNC_KEY_REQUEST)
        {
            self.share_app_state_key(from);
            return;
        }
        if own && let Some(request) = asked_for_older(content) {
            self.tell_older(from, &text(node, "id"), request);
            return;
        }
        let group = jid(node, "from").as_ref().and_then(group_id);
        let Some(to) = self.chat_of(number, own, group.as_deref(), content) else {
            return;
        };
        let id = text(node, "id");
        let asks = !own && self.troubled_by(number, from, node, &id);
        let entry = describe(content).map(|shown| ChatMessage {
            id: id.clone(),
            from: from.number.clone(),
            to,
            text: shown.text,
            kind: shown.kind.to_owned(),
            detail: shown.detail,
            reactions: Default::default(),
            votes: Default::default(),
            receipts: Default::default(),
            edited: false,
            deleted: false,
            status: if own { "sent" } else { "received" }.to_owned(),
            timestamp: text(node, "t").parse::<i64>().unwrap_or_default() * 1000,
            shown_at: ambient::now_ms(),
            arrivals: 1,
            sha256: Some(sha256),
            same: true,
            device: from.device,
            hidden: asks,
            cleared: false,
        });
        let entry = entry.map(|mut entry| {
            self.fetch(number, &mut entry);
            self.opened(number, entry)
        });
        if let (Some(entry), Some(phone)) = (entry, self.phones.get_mut(number)) {
            phone.typing.remove(&from.number);
            if !phone.history.arrive(entry) {
                tracing::debug!(number, id, "arrived before");
            }
        }
        if asks {
            let named = jid(node, "from");
            self.retry_receipt(number, (from, named), &id, &text(node, "t"), 1);
        } else if !own {
            // Confirmed again when it came again: the first confirmation may have been lost.
            let (own, to) = (
                Addr::phone(number),
                jid(node, "from").unwrap_or_else(|| from.jid()),
            );
            match group {
                Some(group) => {
                    self.emit_group_receipt(&own, &group, &from.number, &[id], None);
                }
                None => self.emit_receipt(&own, &to, &[id], None),
            }
        }
    }

    /// Whether the phone acts as if it could not decrypt this message, which is new to it.
    fn troubled_by(&mut self, number: &str, from: &Addr, node: &Node, id: &str) -> bool {
        let known = self
            .phones
            .get(number)
            .is_some_and(|phone| phone.history.with_id(id).any(|m| m.from == from.number));
        if known || asked_before(node) > 0 {
            return false;
        }
        self.troubles.meet(Kind::RetryReceipt, number).is_some()
            || self
                .troubles
                .meet(Kind::RetryReceipt, &from.number)
                .is_some()
    }

    /// The phone asks the device that sent it a message for it, whenever that was.
    pub(crate) fn ask_for(&mut self, number: &str, id: &str, count: u64) -> Result<(), Refusal> {
        let found = self.phones.get(number).and_then(|phone| {
            let mut shown = phone.history.with_id(id).filter(|m| !m.hidden);
            shown.find(|m| m.from != number).cloned()
        });
        let Some(message) = found else {
            let text = format!("the phone shows no message {id} of somebody else");
            return Err(Refusal::Missing(text));
        };
        let sender = Addr::new(message.from, message.device);
        let there = if sender.is_phone() {
            self.phones.contains_key(&sender.number)
        } else {
            self.companions.contains_key(&sender)
        };
        if !there {
            let text = format!("the device {sender}, which sent {id}, is not linked any more");
            return Err(Refusal::Conflict(text));
        }
        let seconds = (message.timestamp / 1000).to_string();
        let group = group_id_of(&message.to).map(Jid::group);
        self.retry_receipt(number, (&sender, group), id, &seconds, count);
        Ok(())
    }

    /// Asks a device, which may have a form of its own in that chat, to send a message again; `count` is how often
    /// it was asked, now included.
    fn retry_receipt(
        &mut self,
        number: &str,
        (to, named): (&Addr, Option<Jid>),
        id: &str,
        timestamp: &str,
        count: u64,
    ) {
        let own = Addr::phone(number);
        let group = named.as_ref().and_then(group_id);
        let head = match (&group, named) {
            (Some(group), _) => self.group_head("receipt", &own, group),
            (None, Some(named)) => {
                let sender = self.jid_like(&own, &named);
                Some(NodeBuilder::new("receipt").attr("from", sender))
            }
            (None, None) => Some(NodeBuilder::new("receipt").attr("from", own.jid())),
        };
        let Some(head) = head else {
            return;
        };
        let Some(phone) = self.phones.get(number) else {
            return;
        };
        if count > MAX_RETRIES {
            return;
        }
        let Some(identity) = phone.identity_public() else {
            return;
        };
        let spare = PreKey {
            id: SPARE_PRE_KEY,
            public: match phone.signed_prekey.public.0.as_slice().try_into() {
                Ok(public) => public,
                Err(_) => return,
            },
        };
        // The app sends its keys along from the second time on, and its second time comes a
        // network's latency later. Here it would come while the client still works on the first.
        let keys = NodeBuilder::new("keys")
            .children([
                NodeBuilder::new("type").bytes(vec![5]).build(),
                NodeBuilder::new("identity").bytes(identity).build(),
                key_node(&spare),
                skey_node(&phone.signed_prekey),
            ])
            .build();
        let receipt = head
            .attr("id", id)
            .attr("type", "retry")
            .attr("t", ambient::now_secs())
            .children([
                NodeBuilder::new("retry")
                    .attr("v", "1")
                    .attr("id", id)
                    .attr("t", timestamp)
                    .attr("count", count)
                    .build(),
                NodeBuilder::new("registration")
                    .bytes(phone.registration_id.to_be_bytes().to_vec())
                    .build(),
                keys,
            ])
            .build();
        self.deliver(to, receipt);
    }

    fn phone_receipt(&mut self, number: &str, node: &Node) {
        let Some(from) = self.writer_of(node) else {
            return;
        };
        let group = jid(node, "from").as_ref().and_then(group_id);
        let status = match text(node, "type").as_str() {
            "" | "delivery" | "inactive" => "delivered",
            "read" | "played" => "read",
            "retry" => {
                self.resend(number, &from, node);
                return;
            }
            "server-error" => {
                self.upload_again(number, &from, node);
                return;
            }
            _ => return,
        };
        if let Some(group) = group {
            self.group_receipt_came(number, &group, &from.number, status, node);
            return;
        }
        let Some(phone) = self.phones.get_mut(number) else {
            return;
        };
        for id in receipt_ids(node) {
            phone.history.set_status(&id, status, |message| {
                message.from == number && message.to == from.number && message.status != "read"
            });
        }
        self.touch_phone(number);
    }

    /// A device could not decrypt what this phone wrote: open a new session and send it again.
    fn resend(&mut self, number: &str, to: &Addr, node: &Node) {
        let id = text(node, "id");
        let retry = node
            .get_optional_child("retry")
            .map(|retry| text(retry, "count").parse::<u64>().unwrap_or(1))
            .unwrap_or(1);
        if retry > MAX_RETRIES {
            tracing::debug!(number, %to, id, "asked too often");
            return;
        }
        let bundle = Self::receipt_bundle(node).or_else(|| self.bundle(to, true));
        let Some(phone) = self.phones.get_mut(number) else {
            return;
        };
        let Some(bundle) = bundle else {
            tracing::debug!(number, %to, "no bundle for this device");
            return;
        };
        if let Err(error) = phone.open_session(to, &bundle) {
            tracing::warn!(number, %to, error = format!("{error:#}"), "no new session");
            return;
        }
        if phone.key_shares.remove(&id).is_some() {
            self.share_app_state_key(to);
            return;
        }
        let Some(entry) = phone
            .history
            .with_id(&id)
            .find(|message| message.from == number)
            .cloned()
        else {
            tracing::debug!(number, %to, id, "no such message to send again");
            return;
        };
        let own = to.number == number;
        let destination = Addr::phone(entry.to.as_str());
        if !entry.deleted
            && let Some(group) = group_id_of(&entry.to).map(str::to_owned)
        {
            self.resend_in_group(number, &group, to, &entry, retry);
            return;
        }
        if entry.deleted {
            tracing::debug!(number, %to, id, "deleted meanwhile");
            return;
        }
        let content = self.content_of(number, &entry.to, &entry.written(), entry.timestamp);
        let stanza = Stanza::of(&content);
        let content = if own {
            wrap_device_sent(content, destination.jid().to_string())
        } else {
            content
        };
        let envelope = Envelope {
            id: &entry.id,
            timestamp: entry.timestamp / 1000,
            recipient: own.then_some(&destination),
            category: None,
            retry,
            stanza,
        };
        let plaintext = MessageUtils::encode_and_pad(&content);
        self.send_sealed(number, to, &plaintext, &envelope);
    }
}

impl Core {
    /// Who sent a stanza: in a group the member that it names.
    fn writer_of(&self, node: &Node) -> Option<Addr> {
        let from = jid(node, "from")?;
        match group_id(&from) {
            Some(_) => self.resolve(&jid(node, "participant")?),
            None => self.resolve(&from),
        }
    }
}

/// A question of a companion for older messages of a chat.
fn asked_for_older(content: &Message) -> Option<&HistorySyncOnDemandRequest> {
    let protocol = content.protocol_message.as_option()?;
    let asked = protocol.peer_data_operation_request_message.as_option()?;
    asked.history_sync_on_demand_request.as_option()
}

/// How often the sender was asked for this message before it sent this copy.
fn asked_before(node: &Node) -> u64 {
    node.get_optional_child("enc")
        .map(|enc| text(enc, "count").parse::<u64>().unwrap_or_default())
        .unwrap_or_default()
}
