//! What a phone writes about chats and people for its companions: what the person does to them.

use buffa::{Message as _, MessageField};
use wacore::appstate::{
    encode_record, expand_app_state_keys,
    hash::generate_patch_mac,
    schemas::{self, Schema},
};
use waproto::whatsapp::{
    KeyId, SyncActionValue, SyncdPatch,
    sync_action_value::{
        ArchiveChatAction, ClearChatAction, ContactAction, DeleteChatAction,
        LabelAssociationAction, LabelEditAction, MarkChatAsReadAction, MuteAction, PinAction,
        PushNameSetting, SyncActionMessage, SyncActionMessageRange,
    },
    syncd_mutation::SyncdOperation,
};

use crate::ambient;
use crate::core::Core;
use crate::shown::{ChatChange, Label, SavedContact};
use crate::state::{Addr, Phone};

impl Core {
    /// What a person does to a chat on the phone.
    pub(crate) fn change_chat(&mut self, number: &str, change: &ChatChange) -> Result<(), String> {
        let chat = change.chat.clone();
        let jid = chat_jid(&chat);
        if let Some(archived) = change.archived {
            let value = SyncActionValue {
                archive_chat_action: MessageField::some(ArchiveChatAction {
                    archived: Some(archived),
                    message_range: MessageField::some(self.range(number, &chat)),
                }),
                ..Default::default()
            };
            self.write_setting(number, &schemas::ARCHIVE, &[&jid], value)?;
        }
        if let Some(pinned) = change.pinned {
            let value = SyncActionValue {
                pin_action: MessageField::some(PinAction {
                    pinned: Some(pinned),
                }),
                ..Default::default()
            };
            self.write_setting(number, &schemas::PIN, &[&jid], value)?;
        }
        if let Some(until) = change.muted_until {
            let value = SyncActionValue {
                mute_action: MessageField::some(MuteAction {
                    muted: Some(until != 0),
                    mute_end_timestamp: Some(until),
                    ..Default::default()
                }),
                ..Default::default()
            };
            self.write_setting(number, &schemas::MUTE, &[&jid], value)?;
        }
        if let Some(read) = change.read {
            self.mark(number, &chat, read)?;
        }
        if let Some(label) = &change.label {
            let value = SyncActionValue {
                label_association_action: MessageField::some(LabelAssociationAction {
                    labeled: Some(change.labelled != Some(false)),
                    ..Default::default()
                }),
                ..Default::default()
            };
            self.write_setting(number, &schemas::LABEL_JID, &[label, &jid], value)?;
        }
        self.empty(number, change)
    }

    fn mark(&mut self, number: &str, chat: &str, read: bool) -> Result<(), String> {
        let range = self.range(number, chat);
        if read && !chat.contains('@') {
            self.read_chat(number, chat);
        }
        let value = SyncActionValue {
            mark_chat_as_read_action: MessageField::some(MarkChatAsReadAction {
                read: Some(read),
                message_range: MessageField::some(range),
            }),
            ..Default::default()
        };
        let jid = chat_jid(chat);
        self.write_setting(number, &schemas::MARK_CHAT_AS_READ, &[&jid], value)
    }

    fn empty(&mut self, number: &str, change: &ChatChange) -> Result<(), String> {
        let jid = chat_jid(&change.chat);
        let range = MessageField::some(self.range(number, &change.chat));
        if change.clear {
            let value = SyncActionValue {
                clear_chat_action: MessageField::some(ClearChatAction {
                    message_range: range.clone(),
                }),
                ..Default::default()
            };
            self.write_setting(number, &schemas::CLEAR_CHAT, &[&jid, "1", "0"], value)?;
        }
        if change.delete {
            let value = SyncActionValue {
                delete_chat_action: MessageField::some(DeleteChatAction {
                    message_range: range,
                }),
                ..Default::default()
            };
            self.write_setting(number, &schemas::DELETE_CHAT, &[&jid, "1"], value)?;
        }
        Ok(())
    }

    /// Saves somebody in the phone's address book.
    pub(crate) fn save_contact(
        &mut self,
        number: &str,
        who: &str,
        saved: &SavedContact,
    ) -> Result<(), String> {
        let lid = self.lid_jid(&Addr::phone(who));
        let value = SyncActionValue {
            contact_action: MessageField::some(ContactAction {
                full_name: saved.full_name.clone(),
                first_name: saved.first_name.clone(),
                lid_jid: lid.map(|lid| lid.to_non_ad_string()),
                save_on_primary_addressbook: Some(true),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.write_setting(number, &schemas::CONTACT, &[&chat_jid(who)], value)
    }

    /// Makes or renames a label.
    pub(crate) fn edit_label(
        &mut self,
        number: &str,
        id: &str,
        label: &Label,
    ) -> Result<(), String> {
        let value = SyncActionValue {
            label_edit_action: MessageField::some(LabelEditAction {
                name: Some(label.name.clone()),
                color: Some(label.color),
                deleted: Some(false),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.write_setting(number, &schemas::LABEL_EDIT, &[id], value)
    }

    /// Deletes a label: no chat has it any more.
    pub(crate) fn delete_label(&mut self, number: &str, id: &str) -> Result<(), String> {
        let value = SyncActionValue {
            label_edit_action: MessageField::some(LabelEditAction {
                deleted: Some(true),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.write_setting(number, &schemas::LABEL_EDIT, &[id], value)
    }

    /// The name that others see, for the companions.
    pub(crate) fn write_name(&mut self, number: &str) {
        let Some(phone) = self.phones.get(number) else {
            return;
        };
        let value = SyncActionValue {
            push_name_setting: MessageField::some(PushNameSetting {
                name: Some(phone.name.clone()),
            }),
            ..Default::default()
        };
        if let Err(error) = self.write_setting(number, &schemas::SETTING_PUSH_NAME, &[], value) {
            tracing::error!(
                error,
                number,
                "the name could not be written into the settings"
            );
        }
    }

    /// The next patch of this collection cannot be read by anybody.
    pub(crate) fn spoil_settings(&mut self, number: &str, name: &str, snapshot: bool) {
        if let Some(phone) = self.phones.get_mut(number) {
            phone.app_state.spoils.insert(name.to_owned(), snapshot);
            self.touch_app_state(number);
        }
    }

    /// The messages that an act of the phone is about: all that it shows.
    fn range(&self, number: &str, chat: &str) -> SyncActionMessageRange {
        let phone = self.phones.get(number);
        let shown = phone
            .map(|phone| phone.history.of_chat(chat))
            .unwrap_or_default();
        let newest = shown.iter().map(|message| message.timestamp / 1_000).max();
        let newest = newest.unwrap_or_else(ambient::now_secs);
        let last = shown
            .iter()
            .filter(|message| message.timestamp / 1_000 == newest);
        SyncActionMessageRange {
            last_message_timestamp: Some(newest),
            messages: last
                .map(|message| SyncActionMessage {
                    key: MessageField::some(waproto::whatsapp::MessageKey {
                        id: Some(message.id.clone()),
                        remote_jid: Some(chat_jid(chat)),
                        from_me: Some(message.from == number),
                        ..Default::default()
                    }),
                    timestamp: Some(newest),
                })
                .collect(),
            ..Default::default()
        }
    }

    /// The phone writes a record, tells its companions, and shows it itself.
    fn write_setting(
        &mut self,
        number: &str,
        schema: &Schema,
        args: &[&str],
        mut value: SyncActionValue,
    ) -> Result<(), String> {
        self.read_settings(number);
        value.timestamp = Some(ambient::now_ms());
        let mut index = vec![schema.name.to_owned()];
        index.extend(args.iter().map(|arg| (*arg).to_owned()));
        let phone = self.phones.get(number).ok_or("no such phone")?;
        let name = schema.collection.as_str();
        let (base, patch) = sealed(phone, (name, schema.version as i32), &index, &value)?;
        self.take_patch(&Addr::phone(number), (name, base), &patch)
            .map_err(|refused| format!("the server did not take it: {refused:?}"))?;
        if let Some(phone) = self.phones.get_mut(number) {
            let spoils = phone.app_state.spoils.remove(name);
            let collection = phone.app_state.of(name);
            collection.read = base + 1;
            if let Some(snapshot) = spoils {
                collection.spoil(snapshot)?;
            }
        }
        self.apply_setting(number, &index, &value);
        self.touch_app_state(number);
        Ok(())
    }
}

/// A patch of one record on top of a collection, and the version that it is on.
fn sealed(
    phone: &Phone,
    (name, version): (&str, i32),
    index: &[String],
    value: &SyncActionValue,
) -> Result<(u64, Vec<u8>), String> {
    let keys = expand_app_state_keys(&phone.app_state_key.0);
    let key_id = &phone.app_state_key_id.0;
    let index = serde_json::to_vec(index).map_err(|error| error.to_string())?;
    let (set, iv) = (SyncdOperation::SET, ambient::bytes::<16>());
    let (mutation, _) = encode_record(set, &index, value, &keys, key_id, &iv, version);
    let nothing = Default::default();
    let collection = phone.app_state.get(name).unwrap_or(&nothing);
    let mut state = collection.state();
    let base = state.version;
    let mutations = vec![mutation];
    let (_, hashed) = state.update_hash(&mutations, |index, _| Ok(collection.value_mac(index)));
    hashed.map_err(|error| error.to_string())?;
    state.version = base + 1;
    let mut patch = SyncdPatch {
        mutations,
        snapshot_mac: Some(state.generate_snapshot_mac(name, &keys.snapshot_mac)),
        key_id: MessageField::some(KeyId {
            id: Some(key_id.clone()),
        }),
        ..Default::default()
    };
    let mac = generate_patch_mac(&patch, name, &keys.patch_mac, state.version);
    patch.patch_mac = Some(mac);
    Ok((base, patch.encode_to_vec()))
}

/// A number, or the address of a group.
fn chat_jid(chat: &str) -> String {
    match chat.contains('@') {
        true => chat.to_owned(),
        false => Addr::phone(chat).account().to_string(),
    }
}
