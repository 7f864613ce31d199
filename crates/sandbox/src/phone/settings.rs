//! What a phone reads of what its companions write about chats and people; what it writes itself is in
//! `writing`, the key to it all in `sharing`.

mod sharing;
mod writing;

use buffa::{Message as _, MessageField};
use wacore::appstate::{decode_record, expand_app_state_keys, processor::validate_patch_macs};
use wacore_binary::Jid;
use waproto::whatsapp::{
    SyncActionValue, SyncdPatch, sync_action_value::SyncActionMessageRange,
    syncd_mutation::SyncdOperation,
};

use crate::appstate::is_removal;
use crate::core::{Core, Entity};
use crate::history::Range;
use crate::shown::{Label, SavedContact, ShownChat};
use crate::state::Phone;

/// Indexes with their values.
type Told = Vec<(Vec<String>, SyncActionValue)>;

const FOREVER: i64 = -1;
/// A phone remembers so many things that it could not read.
const FAULTS: usize = 50;

impl Core {
    pub(crate) fn touch_app_state(&mut self, number: &str) {
        self.dirty.insert(Entity::AppState(number.to_owned()));
    }

    /// The phone reads what its companions wrote since it last did; one that is offline does so later.
    pub(crate) fn read_settings(&mut self, number: &str) {
        let Some(phone) = self.phones.get(number).filter(|phone| phone.online) else {
            return;
        };
        for name in phone.app_state.names() {
            while let Some((version, told)) = self.next_patch(number, &name) {
                let told = match told {
                    Ok(told) => told,
                    Err(fault) => {
                        tracing::warn!(number, name, version, fault, "a phone cannot read this");
                        self.note_fault(number, format!("{name} {version}: {fault}"));
                        Vec::new()
                    }
                };
                if let Some(phone) = self.phones.get_mut(number) {
                    phone.app_state.of(&name).read = version;
                }
                for (index, value) in told {
                    self.apply_setting(number, &index, &value);
                }
                self.touch_app_state(number);
            }
        }
    }

    fn note_fault(&mut self, number: &str, fault: String) {
        if let Some(phone) = self.phones.get_mut(number) {
            let faults = &mut phone.app_state.shown.faults;
            faults.push(fault);
            let over = faults.len().saturating_sub(FAULTS);
            faults.drain(..over);
        }
    }

    /// The oldest patch that the phone has not read, opened.
    fn next_patch(&self, number: &str, name: &str) -> Option<(u64, Result<Told, String>)> {
        let phone = self.phones.get(number)?;
        let collection = phone.app_state.get(name)?;
        let read = collection.read;
        if read >= collection.version {
            return None;
        }
        let Some(patch) = collection.after(read).and_then(<[_]>::first) else {
            // It was offline for longer than patches are kept.
            let lost = "older patches are not kept".to_owned();
            return Some((collection.version, Err(lost)));
        };
        let is_last = read + 1 == collection.version;
        Some((read + 1, open(phone, (name, is_last), &patch.0)))
    }

    /// Shows what a mutation says.
    fn apply_setting(&mut self, number: &str, index: &[String], value: &SyncActionValue) {
        let part = |at: usize| index.get(at).map(String::as_str).unwrap_or_default();
        if part(0) == "setting_pushName" {
            let name = value.push_name_setting.as_option();
            if let Some(name) = name.and_then(|setting| setting.name.clone())
                && let Some(phone) = self.phones.get_mut(number)
            {
                phone.name = name;
                self.touch_phone(number);
            }
            return;
        }
        if part(0) == "label_edit" {
            self.apply_label(number, part(1), value);
            return;
        }
        let named = if part(0) == "label_jid" {
            part(2)
        } else {
            part(1)
        };
        let Some(chat) = self.chat_named(named) else {
            return;
        };
        if part(0) == "contact" {
            self.apply_contact(number, chat, value);
            return;
        }
        let range = |range: &MessageField<SyncActionMessageRange>| Range::of(range.as_option());
        let ranges = (
            &value.clear_chat_action,
            &value.delete_chat_action,
            &value.mark_chat_as_read_action,
        );
        match ranges {
            (clear, _, _) if clear.is_set() => {
                self.clear_chat(number, &chat, &range(&clear.message_range))
            }
            (_, delete, _) if delete.is_set() => {
                self.clear_chat(number, &chat, &range(&delete.message_range));
                self.forget_chat(number, &chat);
            }
            (_, _, read) if read.is_set() => {
                let is_read = read.read == Some(true);
                if is_read && let Some(phone) = self.phones.get_mut(number) {
                    phone.history.read_range(&chat, &range(&read.message_range));
                    self.touch_phone(number);
                }
                if let Some(shown) = self.chat_shown(number, &chat) {
                    shown.marked_unread = !is_read;
                }
            }
            _ => self.apply_marks(number, &chat, (part(1), value)),
        }
    }

    fn apply_marks(&mut self, number: &str, chat: &str, (label, value): (&str, &SyncActionValue)) {
        let label = label.to_owned();
        let Some(shown) = self.chat_shown(number, chat) else {
            return;
        };
        if let Some(action) = value.archive_chat_action.as_option() {
            shown.archived = action.archived == Some(true);
        } else if let Some(action) = value.pin_action.as_option() {
            shown.pinned = action.pinned == Some(true);
        } else if let Some(action) = value.mute_action.as_option() {
            let until = action.mute_end_timestamp.filter(|until| *until != 0);
            shown.muted_until = match action.muted {
                Some(true) => until.unwrap_or(FOREVER),
                _ => 0,
            };
        } else if let Some(action) = value.label_association_action.as_option() {
            match action.labeled {
                Some(true) => shown.labels.insert(label),
                _ => shown.labels.remove(&label),
            };
        }
    }

    fn apply_label(&mut self, number: &str, id: &str, value: &SyncActionValue) {
        let (Some(phone), Some(edit)) = (
            self.phones.get_mut(number),
            value.label_edit_action.as_option(),
        ) else {
            return;
        };
        let shown = &mut phone.app_state.shown;
        if edit.deleted == Some(true) {
            for chat in shown.chats.values_mut() {
                chat.labels.remove(id);
            }
        }
        let labels = &mut shown.labels;
        match edit.deleted {
            Some(true) => labels.remove(id),
            _ => labels.insert(
                id.to_owned(),
                Label {
                    name: edit.name.clone().unwrap_or_default(),
                    color: edit.color.unwrap_or_default(),
                },
            ),
        };
    }

    fn apply_contact(&mut self, number: &str, who: String, value: &SyncActionValue) {
        let (Some(phone), Some(action)) = (
            self.phones.get_mut(number),
            value.contact_action.as_option(),
        ) else {
            return;
        };
        let saved = SavedContact {
            full_name: action.full_name.clone(),
            first_name: action.first_name.clone(),
        };
        phone.app_state.shown.contacts.insert(who, saved);
    }

    fn chat_shown(&mut self, number: &str, chat: &str) -> Option<&mut ShownChat> {
        let phone = self.phones.get_mut(number)?;
        let chats = &mut phone.app_state.shown.chats;
        Some(chats.entry(chat.to_owned()).or_default())
    }

    fn forget_chat(&mut self, number: &str, chat: &str) {
        if let Some(phone) = self.phones.get_mut(number) {
            phone.app_state.shown.chats.remove(chat);
        }
    }

    fn clear_chat(&mut self, number: &str, chat: &str, range: &Range) {
        if let Some(phone) = self.phones.get_mut(number) {
            phone.history.clear(chat, range);
        }
        self.touch_phone(number);
    }

    /// A chat as phones call it: by number, or the address of a group.
    fn chat_named(&self, text: &str) -> Option<String> {
        let jid: Jid = text.parse().ok()?;
        match self.resolve(&jid) {
            Some(addr) => Some(addr.number),
            None => text.ends_with("@g.us").then(|| text.to_owned()),
        }
    }
}

/// What a patch says, once its MACs hold. The hash over all records is known of the last patch alone.
fn open(phone: &Phone, (name, is_last): (&str, bool), bytes: &[u8]) -> Result<Told, String> {
    let patch = SyncdPatch::decode_from_slice(bytes).map_err(|error| error.to_string())?;
    if patch.external_mutations.is_set() {
        return Err("mutations that lie elsewhere are not fetched here".to_owned());
    }
    if patch.key_id.id.as_ref() != Some(&phone.app_state_key_id.0) {
        return Err("it is under another key".to_owned());
    }
    let keys = expand_app_state_keys(&phone.app_state_key.0);
    if is_last && let Some(collection) = phone.app_state.get(name) {
        let state = collection.state();
        let is_first = state.version == 1;
        let verdict = validate_patch_macs(&patch, &state, &keys, name, is_first, false);
        let verdict = verdict.map_err(|error| error.to_string())?;
        if verdict.snapshot_mac_diverged {
            return Err("its snapshot MAC is not that of what is here".to_owned());
        }
    }
    let mut told = Vec::with_capacity(patch.mutations.len());
    for mutation in &patch.mutations {
        let removal = is_removal(mutation);
        let operation = match removal {
            true => SyncdOperation::REMOVE,
            false => SyncdOperation::SET,
        };
        let key_id = mutation.record.key_id.id.clone().unwrap_or_default();
        let opened = decode_record(operation, &mutation.record, &keys, &key_id, true);
        let (opened, _) = opened.map_err(|error| error.to_string())?;
        if !removal && let Some(value) = opened.action_value {
            told.push((opened.index, value));
        }
    }
    Ok(told)
}
