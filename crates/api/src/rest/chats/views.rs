//! Chats, their messages and people as answers have them.

use recado_app::{
    ChatMessageView, ChatMessages, ChatPage, ChatView, HistoryStanding, LastView, ListChats, Person,
};
use recado_model::{
    Address,
    chat::{Label, Mute},
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    describe::Rfc3339,
    shapes::message::{kinds, statuses},
};

/// A page of chats.
#[derive(Serialize, JsonSchema)]
pub struct ChatList {
    page: u32,
    page_size: u32,
    content: Vec<ChatBody>,
    /// What to pass as `before` for the page after this one; `null` at the end.
    next: Option<String>,
    /// What has come of the phone's past since it was linked.
    history: HistoryBody,
}

/// How an instance stands with what its phone sends of its past.
#[derive(Serialize, JsonSchema)]
pub struct HistoryBody {
    /// `none`: it has sent nothing. `running`: something has come of late. `incomplete`: not all has come, and nothing more does.
    #[schemars(extend("enum" = ["none", "running", "complete", "incomplete"]))]
    state: &'static str,
    /// Frames that the phone announced.
    announced: i64,
    received: i64,
    /// Those of them that are not stored yet.
    waiting: i64,
    /// Percent, as the phone says.
    progress: Option<i64>,
    /// Announced frames that did not come; known once nothing more comes.
    missing: i64,
    /// Numbers that are left out in the phone's count; known once nothing more comes.
    left_out: i64,
    /// Frames that could not be read, or not to their end.
    damaged: i64,
}

impl From<HistoryStanding> for HistoryBody {
    fn from(standing: HistoryStanding) -> Self {
        Self {
            state: standing.state(),
            announced: standing.announced,
            received: standing.came,
            waiting: standing.waiting,
            progress: standing.progress,
            missing: standing.missing,
            left_out: standing.holes,
            damaged: standing.damaged,
        }
    }
}

impl ChatList {
    pub(super) fn of(page: ChatPage, list: &ListChats) -> Self {
        Self {
            page: list.page,
            page_size: list.size,
            content: page.items.into_iter().map(Into::into).collect(),
            next: page.next,
            history: page.history.into(),
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub struct ChatBody {
    /// The number of a person, where it is known; of a group its address.
    phone: Option<String>,
    /// A person's hidden id, where it is known.
    lid: Option<String>,
    /// A person's username, where it is known.
    username: Option<String>,
    /// The WhatsApp address.
    jid: String,
    /// What the person is called: by the address book, else by themselves.
    name: Option<String>,
    is_group: bool,
    is_group_announcement: bool,
    archived: bool,
    pinned: bool,
    /// 1: it makes no sound.
    #[schemars(range(min = 0, max = 1))]
    is_muted: u8,
    /// Until when, in milliseconds; 0: it makes sound, -1: never again.
    mute_end_time: i64,
    /// The same number as `messages_unread`, as text.
    unread: String,
    /// How many messages nobody has read.
    messages_unread: i64,
    marked_as_unread: bool,
    /// How many messages came that could not be read, and did not come again.
    messages_unreadable: i64,
    /// When the person's security code changed last: another phone, or WhatsApp installed anew.
    identity_changed_at: Option<Rfc3339>,
    is_marked_spam: bool,
    /// Empty: of communities nothing is known.
    community_name: String,
    /// Empty: of communities nothing is known.
    community_jid: String,
    labels: Vec<LabelBody>,
    /// Seconds after which messages disappear; `null` where they stay.
    expiration_seconds: Option<i64>,
    last_message_time: Option<Rfc3339>,
    last_message_timestamp_ms: i64,
    /// Who wrote the last message.
    last_message_user_name: Option<String>,
    /// Their number, where it is known.
    last_message_user_phone: Option<String>,
    /// `null` where there is none, or it was cleared.
    last_message: Option<LastBody>,
}

#[derive(Serialize, JsonSchema)]
pub struct LastBody {
    message_id: String,
    is_from_me: bool,
    #[schemars(schema_with = "kinds")]
    kind: &'static str,
    /// What a person reads of it; `null` where there is nothing to read.
    text: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct LabelBody {
    id: String,
    name: String,
    /// One of WhatsApp's colours.
    #[schemars(range(min = 0, max = 19))]
    color: i32,
}

impl From<Label> for LabelBody {
    fn from(label: Label) -> Self {
        Self {
            id: label.id,
            name: label.name,
            color: label.color,
        }
    }
}

/// Somebody, by all that is known of them.
#[derive(Serialize, JsonSchema)]
pub struct PersonBody {
    /// The number, where it is known.
    phone: Option<String>,
    /// The hidden id, where it is known.
    lid: Option<String>,
    /// The username, where it is known.
    username: Option<String>,
    /// The WhatsApp address.
    jid: String,
    /// The best of the names below.
    name: Option<String>,
    /// In the address book.
    full_name: Option<String>,
    /// In the address book.
    first_name: Option<String>,
    /// As they call themselves.
    push_name: Option<String>,
    business_name: Option<String>,
    /// Whether the phone's address book has them.
    saved: bool,
    /// When their security code changed last: another phone, or WhatsApp installed anew.
    identity_changed_at: Option<Rfc3339>,
}

/// A page of what a chat shows.
#[derive(Serialize, JsonSchema)]
pub struct MessageList {
    messages: Vec<MessageBody>,
    /// What to pass as `before` for the page after this one; `null` at the end.
    next: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct MessageBody {
    message_id: String,
    /// A person's or group's WhatsApp address.
    chat: String,
    /// A person's WhatsApp address.
    sender: String,
    is_from_me: bool,
    push_name: Option<String>,
    #[schemars(schema_with = "kinds")]
    kind: &'static str,
    /// What a person reads of it, as it is by now.
    text: Option<String>,
    #[schemars(schema_with = "statuses")]
    status: &'static str,
    /// When it was written.
    at: Rfc3339,
    edited_at: Option<Rfc3339>,
    /// Deleted for everybody.
    deleted_at: Option<Rfc3339>,
}

fn text(address: Option<&Address>) -> Option<String> {
    address.map(Address::to_string)
}

/// Without the sign that keeps it apart from other addresses.
fn username(address: Option<&Address>) -> Option<String> {
    let name = address.map(|address| address.as_str().trim_start_matches('@'));
    name.map(str::to_owned)
}

impl From<Person> for PersonBody {
    fn from(person: Person) -> Self {
        Self {
            phone: person.phone().map(str::to_owned),
            lid: lid(&person),
            username: username(person.username.as_ref()),
            jid: person.address.to_string(),
            name: person.name().map(str::to_owned),
            saved: person.is_saved(),
            identity_changed_at: person.identity_changed_at.map(Rfc3339),
            full_name: person.full_name,
            first_name: person.first_name,
            push_name: person.push_name,
            business_name: person.business_name,
        }
    }
}

fn lid(person: &Person) -> Option<String> {
    let own = Some(&person.address).filter(|address| address.is_lid());
    text(person.lid.as_ref().or(own))
}

impl From<ChatView> for ChatBody {
    fn from(chat: ChatView) -> Self {
        let with = &chat.with;
        let number = with.phone().map(str::to_owned);
        let group = chat.is_group.then(|| with.address.to_string());
        let last = chat.last.as_ref();
        let at_ms = chat.last_at.map_or(0, |at| at.0);
        Self {
            phone: number.or(group),
            lid: lid(with),
            username: username(with.username.as_ref()),
            jid: with.address.to_string(),
            name: with.name().map(str::to_owned),
            is_group: chat.is_group,
            is_group_announcement: false,
            archived: chat.archived,
            pinned: chat.pinned,
            is_muted: u8::from(chat.mute != Mute::Off),
            mute_end_time: chat.mute.code(),
            unread: chat.unread.to_string(),
            messages_unread: chat.unread,
            marked_as_unread: chat.marked_unread,
            messages_unreadable: chat.unreadable,
            identity_changed_at: with.identity_changed_at.map(Rfc3339),
            is_marked_spam: false,
            community_name: String::new(),
            community_jid: String::new(),
            labels: chat.labels.into_iter().map(Into::into).collect(),
            expiration_seconds: chat.timer_secs,
            last_message_time: chat.last_at.map(Rfc3339),
            last_message_timestamp_ms: at_ms,
            last_message_user_name: last.and_then(|last| last.sender_name.clone()),
            last_message_user_phone: last
                .and_then(|last| last.sender.number())
                .map(str::to_owned),
            last_message: chat.last.map(Into::into),
        }
    }
}

impl From<LastView> for LastBody {
    fn from(last: LastView) -> Self {
        Self {
            message_id: last.id.as_str().to_owned(),
            is_from_me: last.from_me,
            kind: last.kind.as_str(),
            text: last.text,
        }
    }
}

impl From<ChatMessages> for MessageList {
    fn from(page: ChatMessages) -> Self {
        Self {
            messages: page.items.into_iter().map(Into::into).collect(),
            next: page.next,
        }
    }
}

impl From<ChatMessageView> for MessageBody {
    fn from(message: ChatMessageView) -> Self {
        Self {
            message_id: message.id.as_str().to_owned(),
            chat: message.chat.to_string(),
            sender: message.sender.to_string(),
            is_from_me: message.from_me,
            push_name: message.push_name,
            kind: message.kind.as_str(),
            text: message.text,
            status: message.status.as_str(),
            at: Rfc3339(message.at),
            edited_at: message.edited_at.map(Rfc3339),
            deleted_at: message.deleted_at.map(Rfc3339),
        }
    }
}
