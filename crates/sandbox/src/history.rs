//! A phone's chat history: what was shown, how often it came, what is unread.

mod range;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::content::{Detail, Written};
use crate::group::group_id_of;

pub(crate) use range::Range;

/// A line in a phone's chat history, as the control API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// The WhatsApp message id.
    pub id: String,
    /// The writer: a number in digits.
    pub from: String,
    /// The receiver: a number in digits, or the address of a group.
    pub to: String,
    /// The text, or the caption, or what stands for the content of other kinds.
    pub text: String,
    /// `text`, `image`, `video`, `audio`, `document`, `sticker`, `location`, `contact`, `poll`, `vote`
    /// (`undecryptable_vote` where its poll is not here), `menu`, `tap`, `reaction`, `edit`, `revoke` or `other`.
    pub kind: String,
    /// Its content beside the text, by kind.
    #[serde(flatten)]
    pub detail: Detail,
    /// The signs on it: who put which.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reactions: BTreeMap<String, String>,
    /// The votes in it: who has chosen what.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub votes: BTreeMap<String, Vec<String>>,
    /// Its text is another one than it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub edited: bool,
    /// Gone for everybody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Of one's own in a group: who has it, `delivered` or `read`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub receipts: BTreeMap<String, String>,
    /// Outgoing: `sent`, `delivered`, `read`; in a group once all members have it. Incoming: `received`, then `read`.
    pub status: String,
    /// Unix time in milliseconds.
    pub timestamp: i64,
    /// Since when this phone shows it: Unix time in milliseconds. `timestamp` is its sender's word, in whole seconds.
    #[serde(default)]
    pub shown_at: i64,
    /// How often the network handed it to this phone; 0 for what was written on the phone itself.
    #[serde(default)]
    pub arrivals: u64,
    /// SHA-256 (hex) of the decrypted protobuf of the first arrival, without padding.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Whether all arrivals had the same bytes.
    #[serde(default = "yes")]
    pub same: bool,
    /// The device of `from` that sent it: 0 is the phone, linked devices count from 1.
    #[serde(default)]
    pub device: u16,
    /// Arrived, but the phone asked for it again and shows nothing until it comes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) hidden: bool,
    /// Its chat was cleared on this phone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) cleared: bool,
}

fn yes() -> bool {
    true
}

/// The name of a plaintext, for comparing repeats.
pub(crate) fn fingerprint(plaintext: &[u8]) -> String {
    hex::encode(Sha256::digest(plaintext))
}

impl ChatMessage {
    /// The person's own text.
    pub(crate) fn written(&self) -> Written {
        self.detail.written(&self.kind, &self.text)
    }

    /// Whether it changes an earlier one.
    pub(crate) fn is_act(&self) -> bool {
        matches!(self.kind.as_str(), "reaction" | "edit" | "revoke" | "vote")
    }

    /// Whether it was written in this group.
    pub(crate) fn is_in_group(&self, id: &str) -> bool {
        group_id_of(&self.to) == Some(id)
    }

    /// Whether it belongs to the chat of `owner` with `other`, a number or a group's address.
    pub(crate) fn is_of_chat(&self, owner: &str, other: &str) -> bool {
        if group_id_of(other).is_some() || group_id_of(&self.to).is_some() {
            return self.to == other;
        }
        let chat = [self.from.as_str(), self.to.as_str()];
        chat.contains(&owner) && chat.contains(&other)
    }

    /// The chat of something that came in: a group, or who wrote it.
    fn chat(&self) -> &str {
        match group_id_of(&self.to) {
            Some(_) => &self.to,
            None => &self.from,
        }
    }

    fn is_in_chat_of(&self, other: &Self) -> bool {
        if group_id_of(&self.to).is_some() || group_id_of(&other.to).is_some() {
            return self.to == other.to;
        }
        let chat = |message: &Self| [message.from.clone(), message.to.clone()];
        let (mut one, mut two) = (chat(self), chat(other));
        one.sort();
        two.sort();
        one == two
    }

    /// Takes what `act` does to it; whether it concerns it at all. Its author alone changes it, and in a group admins
    /// end it, too.
    fn take(&mut self, act: &Self) -> bool {
        let author = act.from == self.from;
        let (reaction, edit) = (&act.detail.reaction, &act.detail.edit);
        if self.deleted || self.is_act() || !self.is_in_chat_of(act) {
            false
        } else if let Some(sign) = reaction {
            match sign.emoji.as_str() {
                "" => self.reactions.remove(&act.from),
                emoji => self.reactions.insert(act.from.clone(), emoji.to_owned()),
            };
            true
        } else if let Some(choice) = &act.detail.vote {
            let is_poll = self.detail.poll.is_some();
            if is_poll {
                self.votes.insert(act.from.clone(), choice.options.clone());
            }
            is_poll
        } else if let Some(wording) = edit.as_ref().filter(|_| author) {
            self.text.clone_from(&wording.text);
            if let Some(medium) = &mut self.detail.media {
                medium.caption = Some(wording.text.clone());
            }
            self.edited = true;
            true
        } else if act.detail.delete.is_some() && (author || act.detail.by_admin) {
            self.text.clear();
            self.detail = Detail::default();
            self.reactions.clear();
            self.votes.clear();
            self.deleted = true;
            true
        } else {
            false
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.id == other.id && self.from == other.from && self.to == other.to
    }

    /// Whether a person still has to look at it.
    fn is_unread(&self, owner: &str) -> bool {
        (self.to == owner || group_id_of(&self.to).is_some())
            && self.from != owner
            && self.status == "received"
            && !self.hidden
            && !self.cleared
            && !self.is_act()
    }

    /// Whether phones send it to devices that they link: what was deleted is gone, and acts go with what they are about.
    pub(crate) fn is_kept(&self) -> bool {
        !self.deleted && !self.is_act() && self.kind != "timer" && self.kind != "undecryptable_vote"
    }

    /// The other side of the chat that it is in.
    pub(crate) fn partner(&self, owner: &str) -> &str {
        match self.from == owner {
            true => &self.to,
            false => &self.from,
        }
    }
}

/// The messages of one phone, oldest first, with what is needed to find them.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    owner: String,
    messages: Vec<ChatMessage>,
    /// Positions by message id.
    by_id: HashMap<String, Vec<usize>>,
    /// Positions of what is unread, by who wrote it.
    unread: BTreeMap<String, BTreeSet<usize>>,
    /// Positions of the changes of timers, by the other side.
    timers: BTreeMap<String, Vec<usize>>,
    /// Positions that were not saved since they changed.
    changed: BTreeSet<usize>,
}

impl History {
    pub(crate) fn of(owner: &str) -> Self {
        Self {
            owner: owner.to_owned(),
            ..Self::default()
        }
    }

    /// All that the phone shows.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &ChatMessage> {
        let all = self.messages.iter();
        all.filter(|message| !message.hidden && !message.cleared)
    }

    /// What it shows of its chat with `other`.
    pub(crate) fn of_chat(&self, other: &str) -> Vec<&ChatMessage> {
        let of_chat = |message: &&ChatMessage| message.partner(&self.owner) == other;
        self.shown().filter(of_chat).collect()
    }

    /// The messages of the chat with `other` that a range has are gone from this phone.
    pub(crate) fn clear(&mut self, other: &str, range: &Range) {
        for at in 0..self.messages.len() {
            let message = &mut self.messages[at];
            let is_meant = message.partner(&self.owner) == other && range.has(message);
            if is_meant && !message.cleared {
                message.cleared = true;
                self.note(at);
            }
        }
    }

    /// Those that `from` wrote and a range has are read.
    pub(crate) fn read_range(&mut self, from: &str, range: &Range) {
        for at in self.unread.get(from).cloned().unwrap_or_default() {
            if let Some(message) = self
                .messages
                .get_mut(at)
                .filter(|message| range.has(message))
            {
                "read".clone_into(&mut message.status);
                self.note(at);
            }
        }
    }

    /// Everybody who ever wrote to this phone or was written to.
    pub(crate) fn partners(&self) -> BTreeSet<String> {
        self.messages
            .iter()
            .flat_map(|message| [message.from.clone(), message.to.clone()])
            .collect()
    }

    /// The messages with this id (one in practice).
    pub(crate) fn with_id<'a>(&'a self, id: &str) -> impl Iterator<Item = &'a ChatMessage> {
        let positions = self.by_id.get(id).map(Vec::as_slice).unwrap_or_default();
        positions.iter().filter_map(|at| self.messages.get(*at))
    }

    /// Notes an arrival. As real phones do, a (chat, sender, id) that is there already is not
    /// shown a second time. Returns whether it is new.
    pub(crate) fn arrive(&mut self, message: ChatMessage) -> bool {
        let Some(at) = self.position(&message) else {
            if !message.hidden {
                self.act(&message);
            }
            self.put(message);
            return true;
        };
        let Some(known) = self.messages.get_mut(at) else {
            return false;
        };
        known.arrivals += message.arrivals;
        if known.sha256.is_none() {
            known.sha256.clone_from(&message.sha256);
        }
        known.same &= message.same && known.sha256 == message.sha256;
        if known.hidden && !message.hidden {
            known.hidden = false;
            known.shown_at = message.shown_at;
            known.text = message.text;
            known.kind = message.kind;
            known.detail = message.detail;
            let act = known.clone();
            self.act(&act);
        }
        self.note(at);
        false
    }

    /// Does to an earlier message what this one says, as phones show it.
    fn act(&mut self, act: &ChatMessage) {
        let about = act.written();
        let Some((id, _)) = about.about().filter(|_| act.is_act()) else {
            return;
        };
        for at in self.by_id.get(id).cloned().unwrap_or_default() {
            let message = self.messages.get_mut(at);
            if message.is_some_and(|message| message.take(act)) {
                self.note(at);
            }
        }
    }

    /// Puts back what a file remembers; a later line replaces an earlier one.
    pub(crate) fn restore(&mut self, message: ChatMessage) {
        match self.position(&message) {
            Some(at) => {
                self.messages[at] = message;
                self.index_unread(at);
            }
            None => self.put(message),
        }
    }

    /// Seconds, as it was set last in the chat with `other`.
    pub(crate) fn timer(&self, other: &str) -> Option<u32> {
        let positions = self.timers.get(other)?.iter();
        let mut set = positions.rev().filter_map(|at| self.messages.get(*at));
        set.find(|message| !message.hidden)?.detail.expiration
    }

    fn position(&self, message: &ChatMessage) -> Option<usize> {
        let positions = self.by_id.get(&message.id)?;
        positions
            .iter()
            .copied()
            .find(|at| self.messages.get(*at).is_some_and(|m| m.is(message)))
    }

    fn put(&mut self, message: ChatMessage) {
        let at = self.messages.len();
        self.by_id.entry(message.id.clone()).or_default().push(at);
        if message.kind == "timer" {
            let other = match message.from == self.owner {
                true => &message.to,
                false => &message.from,
            };
            self.timers.entry(other.clone()).or_default().push(at);
        }
        self.messages.push(message);
        self.note(at);
    }

    fn note(&mut self, at: usize) {
        self.changed.insert(at);
        self.index_unread(at);
    }

    fn index_unread(&mut self, at: usize) {
        let message = &self.messages[at];
        if message.is_unread(&self.owner) {
            self.unread
                .entry(message.chat().to_owned())
                .or_default()
                .insert(at);
        } else if let Some(positions) = self.unread.get_mut(message.chat()) {
            positions.remove(&at);
            if positions.is_empty() {
                self.unread.remove(message.chat());
            }
        }
    }

    /// Raises the status of the messages with this id that `which` accepts. Returns whether
    /// anything changed.
    pub(crate) fn set_status(
        &mut self,
        id: &str,
        status: &str,
        which: impl Fn(&ChatMessage) -> bool,
    ) -> bool {
        let positions = self.by_id.get(id).cloned().unwrap_or_default();
        let mut any = false;
        for at in positions {
            let Some(message) = self.messages.get_mut(at) else {
                continue;
            };
            if which(message) && message.status != status {
                status.clone_into(&mut message.status);
                self.note(at);
                any = true;
            }
        }
        any
    }

    /// Marks everything of a chat as read and returns the ids by who wrote them, oldest first.
    pub(crate) fn read_chat(&mut self, chat: &str) -> BTreeMap<String, Vec<String>> {
        let positions = self.unread.get(chat).cloned().unwrap_or_default();
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for at in positions {
            if let Some(message) = self.messages.get_mut(at) {
                "read".clone_into(&mut message.status);
                let from = ids.entry(message.from.clone()).or_default();
                from.push(message.id.clone());
            }
            self.note(at);
        }
        ids
    }

    /// A member of a group has a message of this phone, or read it. `members` are all the others.
    pub(crate) fn group_receipt(
        &mut self,
        (group, id): (&str, &str),
        from: &str,
        status: &str,
        members: usize,
    ) {
        for at in self.by_id.get(id).cloned().unwrap_or_default() {
            let Some(message) = self.messages.get_mut(at) else {
                continue;
            };
            if message.from != self.owner || !message.is_in_group(group) {
                continue;
            }
            let known = message.receipts.entry(from.to_owned()).or_default();
            if known != "read" {
                status.clone_into(known);
            }
            let receipts = message.receipts.values();
            let read = receipts.filter(|status| *status == "read").count();
            if read >= members {
                "read".clone_into(&mut message.status);
            } else if message.receipts.len() >= members {
                "delivered".clone_into(&mut message.status);
            }
            self.note(at);
        }
    }

    /// How many messages are unread, by who wrote them, or the group.
    pub(crate) fn unread(&self) -> BTreeMap<String, usize> {
        self.unread
            .iter()
            .map(|(from, positions)| (from.clone(), positions.len()))
            .collect()
    }

    pub(crate) fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Everything counts as saved.
    pub(crate) fn settle(&mut self) {
        self.changed.clear();
    }

    /// Changes since the last call, as lines of JSON.
    pub(crate) fn take_changes(&mut self) -> serde_json::Result<Vec<u8>> {
        let mut lines = Vec::new();
        for at in std::mem::take(&mut self.changed) {
            if let Some(message) = self.messages.get(at) {
                serde_json::to_writer(&mut lines, message)?;
                lines.push(b'\n');
            }
        }
        Ok(lines)
    }

    /// The whole history as lines of JSON.
    pub(crate) fn all_lines(&self) -> serde_json::Result<Vec<u8>> {
        let mut lines = Vec::new();
        for message in &self.messages {
            serde_json::to_writer(&mut lines, message)?;
            lines.push(b'\n');
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests;
