//! What a phone shows of its chats and its address book beside the messages.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// By number, or by the address of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    #[serde(default)]
    pub(crate) chats: BTreeMap<String, ShownChat>,
    #[serde(default)]
    pub(crate) contacts: BTreeMap<String, SavedContact>,
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, Label>,
    /// What the phone could not read of what its companions wrote.
    #[serde(default)]
    pub(crate) faults: Vec<String>,
}

/// A chat as its phone shows it, beside its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownChat {
    pub archived: bool,
    pub pinned: bool,
    /// Unix time in milliseconds; 0: it makes sound, -1: never again.
    pub muted_until: i64,
    pub marked_unread: bool,
    /// Ids.
    #[serde(default)]
    pub labels: BTreeSet<String>,
}

/// Somebody in the address book.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedContact {
    pub full_name: Option<String>,
    pub first_name: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    pub name: String,
    pub color: i32,
}

/// A chat as the control API lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChatInfo {
    /// A number in digits, or the address of a group.
    pub chat: String,
    #[serde(flatten)]
    pub shown: ShownChat,
    /// How many messages the phone shows in it.
    pub messages: usize,
    /// How many of them the person has not read.
    pub unread: usize,
}

/// Something that a person does to a chat on the phone; what is not given stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatChange {
    /// A number, or the address of a group.
    pub chat: String,
    pub archived: Option<bool>,
    pub pinned: Option<bool>,
    pub muted_until: Option<i64>,
    /// `false` marks it as unread.
    pub read: Option<bool>,
    #[serde(default)]
    pub clear: bool,
    #[serde(default)]
    pub delete: bool,
    /// An id; with `labelled: false` it is taken off.
    pub label: Option<String>,
    pub labelled: Option<bool>,
}
