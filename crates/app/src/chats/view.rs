//! Chats and people as callers see them.

use recado_model::{
    Address, ContentKind, Direction, MessageId, MessageStatus, Timestamp,
    chat::{Label, Mute},
};
use recado_store::{ChatRow, ContactRow, MessageRow, Names};

use crate::past::HistoryStanding;

/// A page of chats, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatPage {
    pub items: Vec<ChatView>,
    pub next: Option<String>,
    /// What has come of the phone's past.
    pub history: HistoryStanding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatView {
    /// With whom; of a group its address alone.
    pub with: Person,
    pub is_group: bool,
    pub archived: bool,
    pub pinned: bool,
    /// As it is at the moment.
    pub mute: Mute,
    pub unread: i64,
    pub marked_unread: bool,
    /// Messages that came and could not be read.
    pub unreadable: i64,
    pub labels: Vec<Label>,
    /// Seconds after which its messages disappear.
    pub timer_secs: Option<i64>,
    /// Also of a message that was cleared.
    pub last_at: Option<Timestamp>,
    pub last: Option<LastView>,
}

/// The last message of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastView {
    pub id: MessageId,
    pub from_me: bool,
    pub kind: ContentKind,
    pub text: Option<String>,
    pub sender: Address,
    pub sender_name: Option<String>,
}

/// Somebody, by all that is known of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The number where it is known.
    pub address: Address,
    pub lid: Option<Address>,
    pub username: Option<Address>,
    pub full_name: Option<String>,
    pub first_name: Option<String>,
    /// As they call themselves.
    pub push_name: Option<String>,
    pub business_name: Option<String>,
    /// When their security code changed last, as far as it was seen.
    pub identity_changed_at: Option<Timestamp>,
}

impl Person {
    fn of(
        address: Address,
        (lid, username): (Option<Address>, Option<Address>),
        names: Names,
        identity_changed_at: Option<Timestamp>,
    ) -> Self {
        Self {
            identity_changed_at,
            address,
            lid,
            username,
            full_name: names.full,
            first_name: names.first,
            push_name: names.push,
            business_name: names.business,
        }
    }

    /// The best of the names.
    pub fn name(&self) -> Option<&str> {
        let names = [
            &self.full_name,
            &self.first_name,
            &self.business_name,
            &self.push_name,
        ];
        names.into_iter().find_map(|name| name.as_deref())
    }

    pub fn phone(&self) -> Option<&str> {
        self.address.number()
    }

    /// Whether the phone's address book has it.
    pub fn is_saved(&self) -> bool {
        self.full_name.is_some()
    }
}

/// A page of what a chat shows, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessages {
    pub items: Vec<ChatMessageView>,
    pub next: Option<String>,
}

/// A message as its chat shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatMessageView {
    pub id: MessageId,
    pub chat: Address,
    pub sender: Address,
    pub from_me: bool,
    pub push_name: Option<String>,
    pub kind: ContentKind,
    pub text: Option<String>,
    pub status: MessageStatus,
    pub at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
}

pub(super) fn chat(row: ChatRow, labels: Vec<Label>, now: Timestamp) -> ChatView {
    ChatView {
        labels,
        is_group: row.address.is_group(),
        with: Person::of(
            row.address,
            (row.lid, row.username),
            row.names,
            row.identity_changed_at,
        ),
        archived: row.archived,
        pinned: row.pinned,
        // Whose time is over makes sound again, and nobody tells.
        mute: match row.mute.is_on(now) {
            true => row.mute,
            false => Mute::Off,
        },
        unread: row.unread,
        marked_unread: row.marked_unread,
        unreadable: row.unreadable,
        timer_secs: row.timer_secs,
        last_at: Some(row.last_at).filter(|at| at.0 > 0),
        last: row.last.map(|last| LastView {
            id: last.id,
            from_me: last.direction == Direction::Out,
            kind: last.kind,
            text: last.text,
            sender: last.sender,
            sender_name: last.push_name,
        }),
    }
}

pub(crate) fn person(row: ContactRow) -> Person {
    Person::of(
        row.address,
        (row.lid, row.username),
        row.names,
        row.identity_changed_at,
    )
}

pub(super) fn message(row: MessageRow) -> ChatMessageView {
    ChatMessageView {
        id: row.id,
        chat: row.chat,
        sender: row.sender,
        from_me: row.direction == Direction::Out,
        push_name: row.push_name,
        kind: row.kind,
        text: row.text,
        status: row.status,
        at: row.at,
        edited_at: row.edited_at,
        deleted_at: row.deleted_at,
    }
}
