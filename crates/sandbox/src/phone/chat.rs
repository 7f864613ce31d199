//! A person's acts in a chat: write, read, type, go offline, unlink devices.

use anyhow::Result;
use buffa::Message as _;
use wacore::messages::{MessageUtils, wrap_device_sent};
use wacore::proto_helpers::MessageExt as _;
use wacore::send::{media_type_from_message, stanza_type_from_message};
use wacore::types::message::EditAttribute;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use waproto::whatsapp::{Message, MessageKey};

use crate::ambient;
use crate::content::{Beside, Question, Written, describe, make};
use crate::core::Core;
use crate::group::group_id_of;
use crate::history::{ChatMessage, fingerprint};
use crate::state::{Addr, NamedBy};

/// The stanza that one encrypted body is wrapped into on its way to one device.
pub(super) struct Envelope<'a> {
    pub(super) id: &'a str,
    /// Seconds since the epoch.
    pub(super) timestamp: i64,
    /// For copies to the own account: whom the message was really for.
    pub(super) recipient: Option<&'a Addr>,
    /// `peer` for messages between the devices of one account.
    pub(super) category: Option<&'static str>,
    /// How often this was tried before.
    pub(super) retry: u64,
    pub(super) stanza: Stanza,
}

/// What the outside of a message tells of its content.
#[derive(Clone, Debug)]
pub(super) struct Stanza {
    pub(super) kind: &'static str,
    /// `creation` of a poll, `vote` of a vote.
    pub(super) poll: Option<&'static str>,
    pub(super) media: Option<&'static str>,
    pub(super) edit: String,
}

impl Stanza {
    pub(super) fn of(content: &Message) -> Self {
        let edit = EditAttribute::infer_from_message(content);
        Self {
            kind: stanza_type_from_message(content),
            media: media_type_from_message(content),
            poll: match content.poll_update_message.is_set() {
                true => Some("vote"),
                false => Some("creation"),
            }
            .filter(|_| stanza_type_from_message(content) == "poll"),
            edit: edit
                .map(|edit| edit.as_str().to_owned())
                .unwrap_or_default(),
        }
    }
}

impl Core {
    /// The messages of a chat with this id.
    pub(super) fn of_chat<'a>(
        &'a self,
        number: &'a str,
        other: &'a str,
        id: &'a str,
    ) -> impl Iterator<Item = &'a ChatMessage> {
        let phone = self.phones.get(number).into_iter();
        let with_id = phone.flat_map(move |phone| phone.history.with_id(id));
        with_id.filter(move |message| message.is_of_chat(number, other))
    }

    /// Whether the phone wrote the message of this chat with this id; `None` when there is none.
    pub(super) fn wrote(&self, number: &str, to: &str, id: &str) -> Option<bool> {
        let first = self.of_chat(number, to, id).next();
        first.map(|message| message.from == number)
    }

    /// What a person wrote, as apps encode it.
    pub(super) fn content_of(
        &self,
        number: &str,
        to: &str,
        written: &Written,
        at_ms: i64,
    ) -> Message {
        let key = written.about().map(|(id, _)| MessageKey {
            remote_jid: Some(match group_id_of(to) {
                Some(_) => to.to_owned(),
                None => Addr::phone(to).jid().to_string(),
            }),
            from_me: self.wrote(number, to, id).or(Some(false)),
            id: Some(id.to_owned()),
            participant: self.author_in(number, to, id),
        });
        make(written, key, at_ms)
    }

    /// The poll of a chat, and who made it.
    fn poll(&self, number: &str, other: &str, id: &str) -> Option<(Question, String)> {
        let mut of_chat = self.of_chat(number, other, id);
        of_chat.find_map(|message| Some((message.detail.poll.clone()?, message.from.clone())))
    }

    /// A phone by its number or its id, without device.
    pub(super) fn named(&self, number: &str, by_lid: bool) -> String {
        let phone = Addr::phone(number);
        let lid = self.lid_jid(&phone).filter(|_| by_lid);
        lid.unwrap_or_else(|| phone.jid()).to_non_ad_string()
    }

    /// With what makes it one of a kind: the secret of a poll, the encryption of a vote.
    fn prepared(&self, number: &str, to: &str, written: &Written) -> Result<Written, String> {
        Ok(match written {
            Written::Poll(question) => Written::Poll(question.clone().with_secret()),
            Written::Vote(choice) if choice.sealed.is_none() => {
                let id = &choice.poll_id;
                let early = choice.early.clone().map(|poll| (poll, number.to_owned()));
                let (poll, creator) =
                    early.or_else(|| self.poll(number, to, id)).ok_or_else(|| {
                        format!("this phone shows no poll {id} of its chat with {to}")
                    })?;
                let by_lid = choice.by_lid || self.goes_by_lid(to);
                let address = |number: &str| self.named(number, by_lid);
                let choice = choice.clone();
                Written::Vote(choice.sealed(&poll, &address(&creator), &address(number)))
            }
            Written::Tap(tap) if !tap.forged => {
                let mut of_chat = self.of_chat(number, to, &tap.message_id);
                let tapped = of_chat.find_map(|message| message.detail.menu.as_ref()?.tapped(tap));
                Written::Tap(tapped.ok_or_else(|| {
                    let (id, option) = (&tap.message_id, &tap.option_id);
                    format!("this phone shows no option {option} of {id} in its chat with {to}")
                })?)
            }
            other => other.clone(),
        })
    }

    /// Seconds after which what is written in a chat disappears, as somebody set it last.
    fn timer(&self, number: &str, other: &str) -> Option<u32> {
        if let Some(id) = group_id_of(other) {
            let group = self.groups.get(id)?;
            return Some(group.expiration).filter(|seconds| *seconds > 0);
        }
        let phone = self.phones.get(number)?;
        phone.history.timer(other).filter(|seconds| *seconds > 0)
    }

    /// A message as this phone reads it: with numbers where it names addresses; a vote that does not open chooses
    /// nothing and is marked.
    pub(super) fn opened(&self, number: &str, mut entry: ChatMessage) -> ChatMessage {
        entry.detail.by_admin = entry.detail.delete.is_some()
            && group_id_of(&entry.to)
                .and_then(|id| self.groups.get(id))
                .is_some_and(|group| group.is_admin(&entry.from));
        for address in &mut entry.detail.mentions {
            *address = self
                .number_named(address)
                .unwrap_or(std::mem::take(address));
        }
        if let Some(quote) = &mut entry.detail.quoted
            && let Some(number) = self.number_named(&quote.from)
        {
            quote.from = number;
        }
        let Some(choice) = entry.detail.vote.clone() else {
            return entry;
        };
        let other = match entry.from == number || group_id_of(&entry.to).is_some() {
            true => &entry.to,
            false => &entry.from,
        };
        let poll = self.poll(number, other, &choice.poll_id);
        let opened = poll.and_then(|(poll, creator)| {
            [false, true].into_iter().find_map(|by_lid| {
                let address = |number: &str| self.named(number, by_lid);
                choice.opened(&poll, &address(&creator), &address(&entry.from))
            })
        });
        match opened {
            Some(choice) => {
                entry.text = choice.options.join(", ");
                entry.detail.vote = Some(choice);
            }
            None => entry.kind = "undecryptable_vote".to_owned(),
        }
        entry
    }

    /// The person writes to another number. They have the chat open, so what is unread in it is
    /// read first.
    pub(crate) fn send(
        &mut self,
        number: &str,
        to: &str,
        written: &Written,
        beside: &Beside,
    ) -> Result<ChatMessage, String> {
        self.may_send(number, to)?;
        self.read_chat(number, to);
        if let Some((id, true)) = written.about()
            && self.wrote(number, to, id) != Some(true)
        {
            return Err(format!("this phone wrote no message {id} to {to}"));
        }
        let written = &self.prepared(number, to, written)?;
        let now = ambient::now_ms();
        let mut content = self.content_of(number, to, written, now);
        self.put_beside(number, to, beside, &mut content)?;
        if let Some(seconds) = self.timer(number, to) {
            content.set_ephemeral_expiration(seconds);
        }
        let shown = describe(&content).ok_or("this shows nothing")?;
        let id = match written {
            Written::Poll(Question { id: Some(id), .. }) => id.clone(),
            _ => ambient::message_id(),
        };
        let mut entry = ChatMessage {
            id,
            from: number.to_owned(),
            to: to.to_owned(),
            text: shown.text,
            kind: shown.kind.to_owned(),
            detail: shown.detail,
            reactions: Default::default(),
            votes: Default::default(),
            receipts: Default::default(),
            edited: false,
            deleted: false,
            status: "sent".to_owned(),
            timestamp: now,
            shown_at: now,
            arrivals: 0,
            sha256: Some(fingerprint(&content.encode_to_vec())),
            same: true,
            device: 0,
            hidden: false,
            cleared: false,
        };
        self.fetch(number, &mut entry);
        let entry = self.opened(number, entry);
        if let Some(phone) = self.phones.get_mut(number) {
            phone.history.arrive(entry.clone());
        }
        self.touch_phone(number);
        self.fan_out(number, &entry, &content);
        Ok(entry)
    }

    fn may_send(&self, number: &str, to: &str) -> Result<(), String> {
        if let Some(id) = group_id_of(to) {
            self.may_write_to_group(number, id)?;
        } else if !self.phones.contains_key(to) {
            return Err(format!(
                "{to} is not on this network: create it with POST /phones"
            ));
        }
        match self.phones.get(number).ok_or("no such phone")?.online {
            true => Ok(()),
            false => Err("the phone is offline: bring it online to send".to_owned()),
        }
    }

    /// To every device of the other side, and to one's own others.
    fn fan_out(&mut self, number: &str, entry: &ChatMessage, content: &Message) {
        if let Some(id) = group_id_of(&entry.to) {
            self.fan_out_in_group(number, id, entry, content);
            return;
        }
        let destination = Addr::phone(entry.to.as_str());
        let copy = wrap_device_sent(content.clone(), destination.jid().to_string());
        let plain = MessageUtils::encode_and_pad(content);
        let copy = MessageUtils::encode_and_pad(&copy);
        let mut devices = match self.has_blocked(&entry.to, number) {
            true => Vec::new(),
            false => self.devices_of(&entry.to),
        };
        if entry.to != number {
            devices.extend(self.companions_of(number));
        }
        for device in devices {
            let own = device.number == number;
            if own && device.is_phone() {
                continue;
            }
            let envelope = Envelope {
                id: &entry.id,
                timestamp: entry.timestamp / 1000,
                recipient: own.then_some(&destination),
                category: None,
                retry: 0,
                stanza: Stanza::of(content),
            };
            let plaintext = if own { &copy } else { &plain };
            self.send_sealed(number, &device, plaintext, &envelope);
        }
    }

    /// Encrypts for one device and hands it to the network.
    pub(super) fn send_sealed(
        &mut self,
        number: &str,
        device: &Addr,
        plaintext: &[u8],
        envelope: &Envelope<'_>,
    ) {
        match self.sealed_stanza(number, device, plaintext, envelope) {
            Ok(Some(stanza)) => {
                self.deliver(device, stanza);
                self.touch_phone(number);
            }
            Ok(None) => tracing::debug!(%device, "no bundle for this device"),
            Err(error) => tracing::warn!(%device, error = format!("{error:#}"), "cannot encrypt"),
        }
    }

    fn sealed_stanza(
        &mut self,
        number: &str,
        device: &Addr,
        plaintext: &[u8],
        envelope: &Envelope<'_>,
    ) -> Result<Option<Node>> {
        let Some(mut sealed) = self.sealed_for(number, device, plaintext)? else {
            return Ok(None);
        };
        if !device.is_phone() && device.number != number {
            self.garble_one(number, &mut sealed.body);
        }
        let own_lid = self.lid_jid(&Addr::phone(number));
        let Some(phone) = self.phones.get(number) else {
            return Ok(None);
        };
        let mut enc = NodeBuilder::new("enc")
            .attr("v", "2")
            .attr("type", sealed.kind);
        if let Some(media) = envelope.stanza.media {
            enc = enc.attr("mediatype", media);
        }
        if envelope.retry > 0 {
            enc = enc.attr("count", envelope.retry);
        }
        // Between the devices of one account all is as ever.
        let named_by = match device.number == number {
            true => NamedBy::default(),
            false => phone.named_by,
        };
        let own = (Addr::phone(number).jid(), own_lid);
        let (from, beside) = match own {
            (pn, Some(lid)) if named_by.is_lid() => (lid, Some(("sender_pn", pn))),
            (pn, lid) => (pn, lid.map(|lid| ("sender_lid", lid))),
        };
        let mut builder = NodeBuilder::new("message")
            .attr("from", from)
            .attr("id", envelope.id)
            .attr("type", envelope.stanza.kind)
            .attr("t", envelope.timestamp)
            .attr("notify", phone.name.as_str());
        if let Some((name, address)) = beside.filter(|_| !named_by.is_alone()) {
            builder = builder.attr(name, address);
        }
        if let Some(recipient) = envelope.recipient {
            builder = builder.attr("recipient", self.recipient_jid(recipient));
        }
        if !envelope.stanza.edit.is_empty() {
            builder = builder.attr("edit", envelope.stanza.edit.as_str());
        }
        if let Some(category) = envelope.category {
            builder = builder.attr("category", category);
        }
        let meta = envelope.stanza.poll;
        let meta = meta.map(|kind| NodeBuilder::new("meta").attr("polltype", kind).build());
        let body = enc.bytes(sealed.body).build();
        Ok(Some(
            builder.children(meta.into_iter().chain([body])).build(),
        ))
    }

    /// As the other side is named on what it writes itself.
    fn recipient_jid(&self, recipient: &Addr) -> Jid {
        let by_lid = self
            .phones
            .get(&recipient.number)
            .is_some_and(|phone| phone.named_by.is_lid());
        let lid = self.lid_jid(recipient).filter(|_| by_lid);
        lid.unwrap_or_else(|| recipient.jid())
    }

    /// Spoils a copy, where it is one of those that nobody is to read.
    fn garble_one(&mut self, number: &str, body: &mut [u8]) {
        let Some(phone) = self.phones.get_mut(number) else {
            return;
        };
        if phone.garbles > 0
            && let Some(last) = body.last_mut()
        {
            phone.garbles -= 1;
            *last ^= 0xff;
        }
    }

    /// Marks what `from` wrote as read and tells them.
    pub(crate) fn read_chat(&mut self, number: &str, from: &str) -> usize {
        let Some(phone) = self.phones.get_mut(number) else {
            return 0;
        };
        let ids = phone.history.read_chat(from);
        if ids.is_empty() {
            return 0;
        }
        self.touch_phone(number);
        let own = Addr::phone(number);
        let count = ids.values().map(Vec::len).sum();
        for (author, ids) in ids {
            for chunk in ids.chunks(256) {
                match group_id_of(from) {
                    Some(id) => self.emit_group_receipt(&own, id, &author, chunk, Some("read")),
                    None => {
                        self.emit_receipt(&own, &Jid::pn(from), chunk, Some("read"));
                        self.tell_own(&own, &Jid::pn(from), chunk, "read");
                    }
                }
            }
        }
        count
    }

    /// Says that these were read or played, whatever was written: as a program of somebody's own may.
    pub(crate) fn claim(&mut self, number: &str, from: &str, ids: &[String], word: &str) {
        self.emit_receipt(&Addr::phone(number), &Jid::pn(from), ids, Some(word));
    }

    /// Shows the other side that the person types (`composing`, `recording`) or stopped (`paused`).
    pub(crate) fn type_to(&mut self, number: &str, to: &str, state: &str) -> Result<(), String> {
        let child = match state {
            "composing" => NodeBuilder::new("composing").build(),
            "recording" => NodeBuilder::new("composing").attr("media", "audio").build(),
            "paused" => NodeBuilder::new("paused").build(),
            other => {
                return Err(format!(
                    "`{other}` is not a typing state: use composing, recording or paused"
                ));
            }
        };
        if let Some(id) = group_id_of(to) {
            self.may_write_to_group(number, id)?;
            self.type_to_group(&Addr::phone(number), id, &child, state);
            return Ok(());
        }
        let stanza = NodeBuilder::new("chatstate")
            .attr("from", Addr::phone(number).jid())
            .children([child])
            .build();
        for companion in self.companions_of(to) {
            self.deliver_now(&companion, stanza.clone());
        }
        if let Some(phone) = self.phones.get_mut(to)
            && phone.online
        {
            phone.typing.insert(number.to_owned(), state.to_owned());
        }
        Ok(())
    }

    /// Switches the phone's radio. Waiting stanzas are processed when it comes back.
    pub(crate) fn set_online(&mut self, number: &str, online: bool) {
        self.while_there(number, |core| core.switch_radio(number, online));
    }

    fn switch_radio(&mut self, number: &str, online: bool) {
        let Some(phone) = self.phones.get_mut(number) else {
            return;
        };
        phone.online = online;
        if online {
            let waiting = std::mem::take(&mut phone.inbox);
            self.read_settings(number);
            for stanza in waiting {
                match crate::queue::unpack_stanza(&stanza) {
                    Ok(node) => self.deliver_to_phone(number, node),
                    Err(error) => tracing::warn!(%error, number, "dropped a stanza"),
                }
            }
        }
        self.touch_phone(number);
    }

    /// "Log out from all devices". Returns how many there were.
    pub(crate) fn unlink_all(&mut self, number: &str) -> usize {
        let companions = self.companions_of(number);
        for companion in &companions {
            self.remove_companion(companion, true);
        }
        companions.len()
    }
}
