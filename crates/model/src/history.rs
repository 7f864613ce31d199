//! What a phone sends of its past: in frames, when a device is linked and when it is asked.

use serde::{Deserialize, Serialize};

use crate::{
    Address, Timestamp,
    chat::Mute,
    message::{InboundMessage, MessageStatus, Party, Timer},
};

/// What a frame is about, by WhatsApp's own names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameKind {
    /// The newest messages of each chat; comes first.
    InitialBootstrap,
    /// Status updates.
    InitialStatus,
    /// All the rest, where all of it was asked for.
    Full,
    /// Messages of the last months.
    Recent,
    /// What people call themselves.
    PushName,
    /// What nobody waits for.
    NonBlockingData,
    /// The answer to a question for older messages of one chat.
    OnDemand,
    /// The phone has none.
    NoHistory,
    MessageAccessStatus,
    /// One that this program does not know.
    Other,
}

impl FrameKind {
    pub const ALL: [Self; 10] = [
        Self::InitialBootstrap,
        Self::InitialStatus,
        Self::Full,
        Self::Recent,
        Self::PushName,
        Self::NonBlockingData,
        Self::OnDemand,
        Self::NoHistory,
        Self::MessageAccessStatus,
        Self::Other,
    ];

    /// By the number that WhatsApp gives it.
    pub fn of_code(code: i32) -> Self {
        let at = usize::try_from(code).ok();
        let known = at.filter(|at| *at + 1 < Self::ALL.len());
        known.map_or(Self::Other, |at| Self::ALL[at])
    }

    /// The word in rows, answers and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InitialBootstrap => "initial_bootstrap",
            Self::InitialStatus => "initial_status",
            Self::Full => "full",
            Self::Recent => "recent",
            Self::PushName => "push_name",
            Self::NonBlockingData => "non_blocking_data",
            Self::OnDemand => "on_demand",
            Self::NoHistory => "no_history",
            Self::MessageAccessStatus => "message_access_status",
            Self::Other => "other",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether frames of this kind carry the messages that a phone sends by itself, with a number and how far it is.
    pub fn is_counted(self) -> bool {
        matches!(self, Self::InitialBootstrap | Self::Full | Self::Recent)
    }
}

/// A frame that came, and lies sealed in the link's spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Its name in the spool.
    pub name: String,
    pub kind: FrameKind,
    /// Its number among those of its kind.
    pub chunk_order: Option<i64>,
    /// Percent.
    pub progress: Option<i64>,
    /// The question that it answers.
    pub request: Option<String>,
    /// The same for the same frame, however often it comes.
    pub digest: String,
}

/// What is told of history as it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HistoryNews {
    /// The phone has said, in a message with this id, that a frame is to be fetched.
    Announced { id: String },
    /// A frame was fetched.
    Came(Frame),
}

/// A part of a frame, as it is read.
#[derive(Clone, Debug, PartialEq)]
pub enum HistoryPart {
    /// A chat, and the next of its messages. A long one comes in several parts.
    Chat(Box<HistoryChat>),
    /// What people call themselves.
    Names(Vec<(Party, String)>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct HistoryChat {
    pub chat: Party,
    /// How the phone has it; with the first part of a chat.
    pub looks: Option<ChatLooks>,
    /// The oldest first.
    pub messages: Vec<PastMessage>,
}

/// How a phone has a chat, beside its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatLooks {
    pub archived: bool,
    pub pinned: bool,
    pub mute: Mute,
    pub marked_unread: bool,
    pub timer: Option<Timer>,
}

/// A message of the past.
#[derive(Clone, Debug, PartialEq)]
pub struct PastMessage {
    pub message: InboundMessage,
    /// Of ours: how far it got.
    pub status: MessageStatus,
    /// Of others: nobody has read it yet.
    pub unread: bool,
    /// Its place among those of its chat that have the same second.
    pub place: i64,
}

impl PastMessage {
    /// Where it stands among messages of the same time: with its second, and behind those before it.
    pub fn since(&self) -> Timestamp {
        self.message.at.plus_millis(self.place)
    }
}

/// What was in a frame, once all of it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameEnd {
    /// Chats that could not be read.
    pub skipped: usize,
    /// The phone has said that it has nothing older of any of the chats.
    pub exhausted: bool,
}

/// Why a frame could not be read to its end.
#[derive(Debug)]
pub enum FrameFault {
    /// It is not there, or it does not open.
    Gone,
    /// It is not what it should be.
    Damaged,
    /// The disk, the store: again later.
    Failed(crate::Error),
}

/// The number's own two addresses, which a frame does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAddresses {
    pub number: Address,
    pub lid: Option<Address>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_go_by_whatsapps_numbers_and_our_words() {
        for (code, kind) in [
            (0, FrameKind::InitialBootstrap),
            (2, FrameKind::Full),
            (3, FrameKind::Recent),
            (4, FrameKind::PushName),
            (6, FrameKind::OnDemand),
            (8, FrameKind::MessageAccessStatus),
            (9, FrameKind::Other),
            (-1, FrameKind::Other),
        ] {
            assert_eq!(FrameKind::of_code(code), kind, "{code}");
        }
        for kind in FrameKind::ALL {
            assert_eq!(FrameKind::parse(kind.as_str()), Some(kind));
        }
    }
}
