//! Chats as phones keep them: put away, pinned, silenced, read, cleared; and the names of their address book.

use serde::{Deserialize, Serialize};

use crate::{Address, MessageId, Timestamp, message::Party};

/// Something done to a chat, by its owner here or on another device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatAct {
    Archive(bool),
    Pin(bool),
    Mute(Mute),
    /// `false` marks it as unread.
    Read(bool),
    /// What is in it goes, and it stays.
    Clear {
        media: bool,
    },
    /// It goes, with what is in it.
    Delete {
        media: bool,
    },
}

/// Until when a chat makes no sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mute {
    Off,
    Until(Timestamp),
    Forever,
}

const FOREVER: i64 = -1;

impl Mute {
    /// As rows have it, and answers.
    pub fn code(self) -> i64 {
        match self {
            Self::Off => 0,
            Self::Until(at) => at.0,
            Self::Forever => FOREVER,
        }
    }

    pub fn of_code(code: i64) -> Self {
        match code {
            0 => Self::Off,
            FOREVER => Self::Forever,
            at => Self::Until(Timestamp(at)),
        }
    }

    pub fn is_on(self, now: Timestamp) -> bool {
        match self {
            Self::Off => false,
            Self::Until(at) => at > now,
            Self::Forever => true,
        }
    }
}

/// The messages that an act is about: all before the second of `until`, and in it those of `ids`, or where there
/// are none those that are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRange {
    pub until: Timestamp,
    pub ids: Vec<MessageId>,
}

impl MessageRange {
    /// WhatsApp counts in whole seconds.
    pub fn second(&self) -> Timestamp {
        Timestamp(self.until.0 - self.until.0.rem_euclid(1_000))
    }
}

/// A device of the account has done something to a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatUpdate {
    pub chat: Party,
    pub act: ChatAct,
    pub range: MessageRange,
}

/// A device of the account has saved somebody in the address book.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactUpdate {
    pub who: Party,
    pub full_name: Option<String>,
    pub first_name: Option<String>,
}

/// A label of the account's, by which its owner sorts chats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// A number on phones, from 1.
    pub id: String,
    pub name: String,
    /// One of WhatsApp's colours.
    pub color: i32,
}

/// What a device of the account tells the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Synced {
    Chat(ChatUpdate),
    Contact(ContactUpdate),
    Label(Label),
    /// By its id.
    LabelDeleted(String),
    Labelled(Labelling),
}

/// A device of the account has put a label on a chat, or taken it off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelling {
    pub chat: Party,
    /// The label's id.
    pub label: String,
    pub on: bool,
}

/// A collection of what the account's devices tell each other of chats and people that does not follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncTrouble {
    /// WhatsApp's name of it.
    pub collection: String,
    pub cause: TroubleCause,
    /// How often it was fetched anew.
    pub tries: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleCause {
    /// What came cannot be read, or fits nothing that was there.
    Broken,
    /// WhatsApp does not hand it out.
    Refused,
}

impl TroubleCause {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::Refused => "refused",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        [Self::Broken, Self::Refused]
            .into_iter()
            .find(|cause| cause.as_str() == text)
    }

    /// One sentence for the person who owns the number.
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::Broken => {
                "Nothing: the gateway asks WhatsApp for all of it anew. If it stays so for a day, log out and link the phone again."
            }
            Self::Refused => {
                "WhatsApp does not hand this out. Messages go on. If it stays so for a day, log out and link the phone again."
            }
        }
    }
}

/// One of the last messages of a chat, for the devices that are told what an act is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMessage {
    pub id: MessageId,
    pub from_me: bool,
    /// In groups, who wrote it.
    pub sender: Option<Address>,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_survives_its_row() {
        let now = Timestamp(1_000);
        for (mute, on) in [
            (Mute::Off, false),
            (Mute::Forever, true),
            (Mute::Until(Timestamp(1_001)), true),
            (Mute::Until(Timestamp(1_000)), false),
        ] {
            assert_eq!(Mute::of_code(mute.code()), mute);
            assert_eq!(mute.is_on(now), on);
        }
    }

    #[test]
    fn a_range_begins_with_its_second() {
        for (until, second) in [(1_999, 1_000), (2_000, 2_000), (0, 0)] {
            let range = MessageRange {
                until: Timestamp(until),
                ids: Vec::new(),
            };
            assert_eq!(range.second(), Timestamp(second));
        }
    }
}
