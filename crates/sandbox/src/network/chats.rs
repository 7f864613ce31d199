//! Chats, people and labels as a phone shows them, and what a person does to them.

use std::collections::{BTreeMap, BTreeSet};

use super::Network;
use crate::appstate::COLLECTIONS;
use crate::refusal::{Refusal, digits};
use crate::shown::{ChatChange, ChatInfo, Label, SavedContact, ShownChat};

impl Network {
    /// The chats of a phone: those with messages, and those of which it has anything else.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn chats(&self, number: &str) -> Result<Vec<ChatInfo>, Refusal> {
        let number = self.known(number)?;
        Ok(self.peek(|core| {
            let Some(phone) = core.phones.get(&number) else {
                return Vec::new();
            };
            let unread = phone.history.unread();
            let mut messages: BTreeMap<String, usize> = BTreeMap::new();
            for message in phone.history.shown() {
                let other = match message.from == number {
                    true => &message.to,
                    false => &message.from,
                };
                *messages.entry(other.clone()).or_default() += 1;
            }
            let shown = &phone.app_state.shown.chats;
            let all: BTreeSet<&String> = messages.keys().chain(shown.keys()).collect();
            all.into_iter()
                .map(|chat| ChatInfo {
                    chat: chat.clone(),
                    shown: shown.get(chat).cloned().unwrap_or_default(),
                    messages: messages.get(chat).copied().unwrap_or_default(),
                    unread: unread.get(chat).copied().unwrap_or_default(),
                })
                .collect()
        }))
    }

    /// Whether each device that is linked to it has asked for all of the account's settings. What the phone does
    /// before that may go unheard: the library leaves out a notice that comes while it fetches.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn settings_are_fetched(&self, number: &str) -> Result<bool, Refusal> {
        let number = self.known(number)?;
        Ok(self.peek(|core| {
            let linked = core.companions_of(&number).into_iter();
            let mut linked = linked.filter_map(|addr| core.companions.get(&addr));
            linked.all(|companion| companion.asked_for.len() == COLLECTIONS.len())
        }))
    }

    /// One chat of a phone, as it is whether there is anything of it or not.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn chat(&self, number: &str, chat: &str) -> Result<ChatInfo, Refusal> {
        let found = self.chats(number)?.into_iter().find(|one| one.chat == chat);
        Ok(found.unwrap_or_else(|| ChatInfo {
            chat: chat.to_owned(),
            shown: ShownChat::default(),
            messages: 0,
            unread: 0,
        }))
    }

    /// Does something to a chat on the phone, which tells its companions.
    ///
    /// # Errors
    /// [`Refusal::Bad`] for a chat that is none, [`Refusal::Conflict`] when the phone is offline.
    pub fn change_chat(&self, number: &str, change: &ChatChange) -> Result<ChatInfo, Refusal> {
        let number = self.online(number)?;
        let chat = chat_named(&change.chat)?;
        let change = ChatChange {
            chat: chat.clone(),
            ..change.clone()
        };
        self.with(|core| core.change_chat(&number, &change))
            .map_err(Refusal::Conflict)?;
        self.chat(&number, &chat)
    }

    /// The address book of a phone, by number.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn contacts(&self, number: &str) -> Result<BTreeMap<String, SavedContact>, Refusal> {
        let number = self.known(number)?;
        Ok(self.peek(|core| {
            let phone = core.phones.get(&number);
            phone
                .map(|phone| phone.app_state.shown.contacts.clone())
                .unwrap_or_default()
        }))
    }

    /// Saves somebody in the phone's address book, which tells its companions.
    ///
    /// # Errors
    /// As [`Network::change_chat`].
    pub fn save_contact(
        &self,
        number: &str,
        who: &str,
        saved: &SavedContact,
    ) -> Result<(), Refusal> {
        let number = self.online(number)?;
        let who = digits(who)?;
        self.with(|core| core.save_contact(&number, &who, saved))
            .map_err(Refusal::Conflict)
    }

    /// The labels of a phone, by id.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn labels(&self, number: &str) -> Result<BTreeMap<String, Label>, Refusal> {
        let number = self.known(number)?;
        Ok(self.peek(|core| {
            let phone = core.phones.get(&number);
            phone
                .map(|phone| phone.app_state.shown.labels.clone())
                .unwrap_or_default()
        }))
    }

    /// Makes or renames a label, of which the phone tells its companions.
    ///
    /// # Errors
    /// As [`Network::change_chat`].
    pub fn edit_label(&self, number: &str, id: &str, label: &Label) -> Result<(), Refusal> {
        let number = self.online(number)?;
        if id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Refusal::Bad("`id` is a number".to_owned()));
        }
        self.with(|core| core.edit_label(&number, id, label))
            .map_err(Refusal::Conflict)
    }

    /// Deletes a label, of which the phone tells its companions.
    ///
    /// # Errors
    /// As [`Network::change_chat`].
    pub fn delete_label(&self, number: &str, id: &str) -> Result<(), Refusal> {
        let number = self.online(number)?;
        self.with(|core| core.delete_label(&number, id))
            .map_err(Refusal::Conflict)
    }

    /// The next thing that the phone writes into a collection of its settings is a patch whose MAC does not hold. No
    /// linked device gets over it; with `snapshot` nor does one that begins anew, until there is a further patch.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`], and [`Refusal::Bad`] for a collection that is none.
    pub fn spoil_settings(
        &self,
        number: &str,
        collection: &str,
        snapshot: bool,
    ) -> Result<(), Refusal> {
        let number = self.known(number)?;
        if !COLLECTIONS.contains(&collection) {
            let all = COLLECTIONS.join(", ");
            return Err(Refusal::Bad(format!("`collection` is one of {all}")));
        }
        self.with(|core| core.spoil_settings(&number, collection, snapshot));
        Ok(())
    }

    /// What the phone could not read of what its companions wrote.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn faults(&self, number: &str) -> Result<Vec<String>, Refusal> {
        let number = self.known(number)?;
        Ok(self.peek(|core| {
            let phone = core.phones.get(&number);
            phone
                .map(|phone| phone.app_state.shown.faults.clone())
                .unwrap_or_default()
        }))
    }
}

/// A number in digits, or the address of a group.
fn chat_named(text: &str) -> Result<String, Refusal> {
    match text.strip_suffix("@g.us") {
        Some(group)
            if !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit() || b == b'-') =>
        {
            Ok(text.to_owned())
        }
        _ => digits(text),
    }
}
