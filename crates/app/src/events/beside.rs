//! What events tell beside a message itself: what was chosen of a menu, what became of a vote.

use recado_model::{
    MessageId,
    content::{Choice, Chosen},
};
use serde_json::{Value, json};

/// What is known beside a message itself when it comes in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside {
    /// Of an answer to a menu.
    pub choice: Option<Choice>,
    /// Of a vote.
    pub vote: Option<VoteTold>,
    /// Of a poll whose votes came before it.
    pub totals: Option<Totals>,
}

impl Beside {
    pub(super) fn put_into(&self, event: &mut Value) {
        if let Some(Choice { message, option }) = &self.choice {
            event["choice"] =
                json!({ "message_id": message, "id": option.id, "text": option.text });
        }
        if let Some(told) = &self.vote {
            event["poll_vote"] = told.json();
        }
        if let Some(totals) = &self.totals {
            event["poll"] = json!({ "totals": totals_of(totals) });
        }
    }
}

/// What became of a vote, as its event tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VoteTold {
    pub poll: MessageId,
    /// Why not, where it could not be read.
    pub read: std::result::Result<ReadVote, UnreadVote>,
}

/// A vote that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadVote {
    pub chosen: Chosen,
    /// Not where a later vote of that person is known, the poll was over, or it takes fewer options.
    pub counted: bool,
    pub totals: Totals,
}

/// Why a vote could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnreadVote {
    /// The poll is not here (yet).
    UnknownPoll,
    Deleted,
    /// It does not open under the poll's secret, or that did not come with the poll.
    NotOpened,
}

impl UnreadVote {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownPoll => "unknown_poll",
            Self::Deleted => "poll_deleted",
            Self::NotOpened => "not_opened",
        }
    }
}

/// How many have chosen each option, in the order of the poll.
pub(crate) type Totals = Vec<(String, u64)>;

impl VoteTold {
    /// What somebody chose of which poll, and how the poll stands by now.
    pub fn json(&self) -> Value {
        match &self.read {
            Ok(read) => json!({
                "poll_id": self.poll,
                "decrypted": true,
                "selected_options": read.chosen.options,
                "unknown_options": read.chosen.unknown,
                "counted": read.counted,
                "totals": totals_of(&read.totals),
            }),
            Err(why) => json!({ "poll_id": self.poll, "decrypted": false, "reason": why.as_str() }),
        }
    }
}

fn totals_of(totals: &Totals) -> Vec<Value> {
    let totals = totals.iter();
    totals
        .map(|(option, votes)| json!({ "option": option, "votes": votes }))
        .collect()
}
