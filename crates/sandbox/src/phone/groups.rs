//! A phone in groups: one body for all, encrypted under a key of its own that each device gets once.

use anyhow::{Context as _, Result, anyhow, bail};
use buffa::MessageField;
use futures_util::FutureExt as _;
use wacore::messages::{MessageUtils, decode_plaintext};
use wacore::proto_helpers::MessageExt as _;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use wacore_libsignal::protocol::error::Result as SignalResult;
use wacore_libsignal::protocol::{
    SenderKeyDistributionMessage, SenderKeyName, create_sender_key_distribution_message,
    group_decrypt, group_encrypt, process_sender_key_distribution_message,
};
use waproto::whatsapp::{ContextInfo, Message, message};

use super::chat::Stanza;
use super::signal::Sealed;
use crate::ambient;
use crate::content::Beside;
use crate::core::{Core, node_bytes, text};
use crate::group::group_id_of;
use crate::history::ChatMessage;
use crate::receipts::receipt_ids;
use crate::state::{Addr, Phone};

fn key_name(group: &str, of: &Addr) -> SenderKeyName {
    SenderKeyName::from_parts(group, &of.to_string())
}

/// The store of group keys never waits.
fn ready<T>(future: impl Future<Output = SignalResult<T>>) -> Result<T> {
    match future.now_or_never() {
        Some(result) => result.map_err(|error| anyhow!("Signal: {error}")),
        None => bail!("Signal: an in-memory store had to wait"),
    }
}

/// What hands a group key over.
fn distribution(group: &str, key: Vec<u8>) -> MessageField<message::SenderKeyDistributionMessage> {
    MessageField::some(message::SenderKeyDistributionMessage {
        group_id: Some(format!("{group}@g.us")),
        axolotl_sender_key_distribution_message: Some(key),
    })
}

impl Phone {
    /// Decrypts what a member's device sent to a group, taking the key that may come with it.
    pub(super) fn open_in_group(
        &mut self,
        from: &Addr,
        group: &str,
        node: &Node,
    ) -> Result<Vec<u8>> {
        let (mut direct, mut shared, mut fault) = (None, None, None);
        for enc in node.get_children_by_tag("enc") {
            let body = node_bytes(enc).context("empty body")?;
            match text(enc, "type").as_str() {
                "skmsg" => shared = Some(body),
                kind => match self.open_key(from, group, kind, body) {
                    Ok(plaintext) => direct = Some(plaintext),
                    // The key may be known from before.
                    Err(error) => fault = Some(error),
                },
            }
        }
        let Some(body) = shared else {
            // An answer to a retry receipt is for this device alone.
            return direct.ok_or_else(|| fault.unwrap_or_else(|| anyhow!("no body")));
        };
        let name = key_name(group, from);
        let opened = ready(group_decrypt(body, &mut self.sender_keys, &name));
        opened.map_err(|error| fault.unwrap_or(error))
    }

    fn open_key(&mut self, from: &Addr, group: &str, kind: &str, body: &[u8]) -> Result<Vec<u8>> {
        let plaintext = self.open(from, kind, body)?;
        let content = decode_plaintext(&plaintext, 2)?;
        if let Some(handed) = content.sender_key_distribution_message.as_option()
            && let Some(key) = &handed.axolotl_sender_key_distribution_message
        {
            let key = SenderKeyDistributionMessage::try_from(key.as_slice())
                .map_err(|error| anyhow!("Signal: {error}"))?;
            let name = key_name(group, from);
            ready(process_sender_key_distribution_message(
                &name,
                &key,
                &mut self.sender_keys,
            ))?;
        }
        Ok(plaintext)
    }

    /// Its own key of a group, for those who do not have it.
    fn group_key(&mut self, group: &str) -> Result<Vec<u8>> {
        let name = key_name(group, &Addr::phone(self.number.as_str()));
        if !self.sender_keys.knows(&name) {
            self.keyed.remove(group);
        }
        let key = ready(create_sender_key_distribution_message(
            &name,
            &mut self.sender_keys,
            &mut ambient::rng(),
        ))?;
        Ok(key.into_serialized().into_vec())
    }

    fn seal_in_group(&mut self, group: &str, plaintext: &[u8]) -> Result<Vec<u8>> {
        let name = key_name(group, &Addr::phone(self.number.as_str()));
        let sealed = ready(group_encrypt(
            &mut self.sender_keys,
            &name,
            plaintext,
            &mut ambient::rng(),
        ))?;
        Ok(sealed.into_serialized().into_vec())
    }
}

impl Core {
    /// Of another member's message the address that the group knows its author by.
    pub(super) fn author_in(&self, number: &str, to: &str, id: &str) -> Option<String> {
        group_id_of(to)?;
        let author = self.of_chat(number, to, id).next()?.from.clone();
        (author != number).then(|| self.named(&author, self.goes_by_lid(to)))
    }

    pub(super) fn goes_by_lid(&self, to: &str) -> bool {
        let group = group_id_of(to).and_then(|id| self.groups.get(id));
        group.is_some_and(|group| group.by_lid)
    }

    pub(super) fn may_write_to_group(&self, number: &str, id: &str) -> Result<(), String> {
        let group = self.groups.get(id);
        let group = group.ok_or_else(|| format!("there is no group {id}@g.us"))?;
        match group.rank(number) {
            None => Err(format!("this phone is not in the group {id}@g.us")),
            Some(_) if group.announcement && !group.is_admin(number) => {
                Err("only admins write in this group".to_owned())
            }
            Some(_) => Ok(()),
        }
    }

    /// Whom a message mentions, and what it answers.
    pub(super) fn put_beside(
        &self,
        number: &str,
        to: &str,
        beside: &Beside,
        content: &mut Message,
    ) -> Result<(), String> {
        if beside.mentions.is_empty() && beside.quoted.is_none() {
            return Ok(());
        }
        let by_lid = self.goes_by_lid(to);
        let mentions = beside.mentions.iter();
        let mut context = ContextInfo {
            mentioned_jid: mentions.map(|number| self.named(number, by_lid)).collect(),
            ..Default::default()
        };
        if let Some(id) = &beside.quoted {
            let quoted = self.of_chat(number, to, id).next();
            let quoted =
                quoted.ok_or_else(|| format!("this phone shows no message {id} of this chat"))?;
            context.stanza_id = Some(id.clone());
            context.participant = Some(self.named(&quoted.from, by_lid));
            context.quoted_message = MessageField::some(Message {
                conversation: Some(quoted.text.clone()),
                ..Default::default()
            });
        }
        match content.set_context_info(context) {
            true => Ok(()),
            false => Err("this kind of message has no room for mentions and quotes".to_owned()),
        }
    }

    /// Encrypts for one device, opening a session where there is none. `None`: the device has no keys.
    pub(super) fn sealed_for(
        &mut self,
        number: &str,
        device: &Addr,
        plaintext: &[u8],
    ) -> Result<Option<Sealed>> {
        let phone = self.phones.get(number);
        let open = phone.is_some_and(|phone| phone.has_session(device));
        let bundle = match open {
            true => None,
            false => self.bundle(device, true),
        };
        let Some(phone) = self.phones.get_mut(number) else {
            return Ok(None);
        };
        if !open {
            let Some(bundle) = bundle else {
                return Ok(None);
            };
            phone.open_session(device, &bundle)?;
        }
        phone.seal(device, plaintext).map(Some)
    }

    /// The next message in the group is written under a new key.
    pub(crate) fn forget_sender_key(&mut self, number: &str, group: &str) {
        if let Some(phone) = self.phones.get_mut(number) {
            let name = key_name(group, &Addr::phone(number));
            if phone.sender_keys.knows(&name) {
                phone.sender_keys.forget(&name);
                phone.keyed.remove(group);
                self.touch_phone(number);
            }
        }
    }

    /// To every device of every member; those that do not have this phone's key get it along.
    pub(super) fn fan_out_in_group(
        &mut self,
        number: &str,
        group: &str,
        entry: &ChatMessage,
        content: &Message,
    ) {
        let plain = MessageUtils::encode_and_pad(content);
        let Some(phone) = self.phones.get_mut(number) else {
            return;
        };
        let sealed = phone.group_key(group).and_then(|key| {
            let body = phone.seal_in_group(group, &plain)?;
            Ok((key, body))
        });
        let (key, body) = match sealed {
            Ok(sealed) => sealed,
            Err(error) => {
                tracing::warn!(number, error = format!("{error:#}"), "cannot encrypt");
                return;
            }
        };
        let key = Message {
            sender_key_distribution_message: distribution(group, key),
            ..Default::default()
        };
        let key = MessageUtils::encode_and_pad(&key);
        let stanza = Stanza::of(content);
        let shared = enc("skmsg", body, &stanza, 0);
        for device in self.devices_in_group(group, number) {
            let mut bodies = Vec::new();
            let named = device.to_string();
            let phone = self.phones.get(number);
            let keyed = phone.and_then(|phone| phone.keyed.get(group));
            if !keyed.is_some_and(|keyed| keyed.contains(&named)) {
                match self.sealed_for(number, &device, &key) {
                    Ok(Some(sealed)) => bodies.push(enc(sealed.kind, sealed.body, &stanza, 0)),
                    Ok(None) => tracing::debug!(%device, "no bundle for this device"),
                    Err(error) => tracing::warn!(%device, error = format!("{error:#}"), "no key"),
                }
                if let Some(phone) = self.phones.get_mut(number) {
                    phone
                        .keyed
                        .entry(group.to_owned())
                        .or_default()
                        .insert(named);
                }
            }
            bodies.push(shared.clone());
            self.deliver_in_group(number, group, &device, (entry, &stanza), bodies);
        }
        self.touch_phone(number);
    }

    fn devices_in_group(&self, group: &str, number: &str) -> Vec<Addr> {
        let own = Addr::phone(number);
        let members = self.groups.get(group).into_iter();
        let members = members.flat_map(|group| group.members.keys());
        let devices = members.flat_map(|member| self.devices_of(member));
        devices.filter(|device| *device != own).collect()
    }

    fn deliver_in_group(
        &mut self,
        number: &str,
        group: &str,
        device: &Addr,
        (entry, stanza): (&ChatMessage, &Stanza),
        mut children: Vec<Node>,
    ) {
        let Some(head) = self.group_head("message", &Addr::phone(number), group) else {
            return;
        };
        let mut builder = head
            .attr("id", entry.id.as_str())
            .attr("type", stanza.kind)
            .attr("t", entry.timestamp / 1000);
        if !stanza.edit.is_empty() {
            builder = builder.attr("edit", stanza.edit.as_str());
        }
        if let Some(kind) = stanza.poll {
            children.insert(0, NodeBuilder::new("meta").attr("polltype", kind).build());
        }
        self.deliver(device, builder.children(children).build());
    }

    /// A device could not decrypt what this phone wrote in a group: it gets it alone, with the key.
    pub(super) fn resend_in_group(
        &mut self,
        number: &str,
        group: &str,
        to: &Addr,
        entry: &ChatMessage,
        retry: u64,
    ) {
        let mut content = self.content_of(number, &entry.to, &entry.written(), entry.timestamp);
        let stanza = Stanza::of(&content);
        let Some(phone) = self.phones.get_mut(number) else {
            return;
        };
        if let Ok(key) = phone.group_key(group) {
            content.sender_key_distribution_message = distribution(group, key);
        }
        let plain = MessageUtils::encode_and_pad(&content);
        match self.sealed_for(number, to, &plain) {
            Ok(Some(sealed)) => {
                let body = enc(sealed.kind, sealed.body, &stanza, retry);
                self.deliver_in_group(number, group, to, (entry, &stanza), vec![body]);
                self.touch_phone(number);
            }
            Ok(None) => tracing::debug!(device = %to, "no bundle for this device"),
            Err(error) => {
                tracing::warn!(device = %to, error = format!("{error:#}"), "cannot encrypt");
            }
        }
    }

    pub(super) fn group_receipt_came(
        &mut self,
        number: &str,
        group: &str,
        from: &str,
        status: &str,
        node: &Node,
    ) {
        let members = self.groups.get(group).map_or(0, |group| {
            let others = group.members.keys().filter(|member| *member != number);
            others.count()
        });
        let Some(phone) = self.phones.get_mut(number) else {
            return;
        };
        for id in receipt_ids(node) {
            phone
                .history
                .group_receipt((group, &id), from, status, members.max(1));
        }
        self.touch_phone(number);
    }

    /// The number that an address in a message means.
    pub(super) fn number_named(&self, text: &str) -> Option<String> {
        let jid = text.parse::<Jid>().ok()?;
        Some(self.resolve(&jid)?.number)
    }
}

fn enc(kind: &'static str, body: Vec<u8>, stanza: &Stanza, retry: u64) -> Node {
    let mut enc = NodeBuilder::new("enc").attr("v", "2").attr("type", kind);
    if let Some(media) = stanza.media {
        enc = enc.attr("mediatype", media);
    }
    if retry > 0 {
        enc = enc.attr("count", retry);
    }
    enc.bytes(body).build()
}
