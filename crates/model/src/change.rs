//! The effect of a message on an earlier one of its chat, read off its content, whoever wrote it.

use crate::{Address, MessageId, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Of the message that it is about.
    pub target: MessageId,
    /// By the clock of who did it, which may say anything.
    pub at: Option<Timestamp>,
    pub what: Changed,
}

impl Change {
    /// The message whose words this one holds, too: they go when that is deleted.
    pub fn repeats(&self) -> Option<&MessageId> {
        matches!(self.what, Changed::Edited | Changed::Voted).then_some(&self.target)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// The sign of who sent it; `None` takes it back.
    Reaction(Option<String>),
    /// It has another text: its author alone may say so.
    Edited,
    /// It is gone for everybody: as its author says.
    Deleted,
    /// The same, as an admin of the group says of what this person wrote.
    DeletedByAdmin(Address),
    /// A vote in a poll, of who sent it.
    Voted,
}

/// The content of a message after an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    pub text: Option<String>,
    /// The encoded protobuf.
    pub proto: Vec<u8>,
}
