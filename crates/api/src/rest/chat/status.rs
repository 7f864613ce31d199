//! A message as whoever asks for it reads it: how far it got, what it holds, and what was done to it.

use recado_app::{MessageDetail, PollView, ReactionView, ReceiptView};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    describe::Rfc3339,
    shapes::message::{kinds, receipts, statuses},
};

#[derive(Serialize, JsonSchema)]
pub struct StatusBody {
    message_id: String,
    /// A person's or group's WhatsApp address.
    chat: String,
    #[schemars(schema_with = "kinds")]
    kind: &'static str,
    /// Sent by this number.
    is_from_me: bool,
    /// `queued`, `sending`, `sent`, `delivered` and `read`; `unconfirmed` and `failed` are over.
    #[schemars(schema_with = "statuses")]
    status: &'static str,
    /// What a person reads of it, as it is by now; `null` where there is nothing to read, and of what was
    /// deleted.
    text: Option<String>,
    /// A failed one: WhatsApp's number, or a word of ours.
    code: Option<String>,
    /// A failed one: what the code means.
    meaning: Option<String>,
    /// A failed one: what helps.
    what_to_do: Option<&'static str>,
    /// Unique in the account; `null` of what was not sent over this gateway.
    queue_id: Option<i64>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
    edited_at: Option<Rfc3339>,
    /// Deleted for everybody.
    deleted_at: Option<Rfc3339>,
    /// The signs that stand on it.
    reactions: Vec<ReactionBody>,
    /// Who has received and read it, and when.
    receipts: Vec<ReceiptBody>,
    /// Of a poll: what can be chosen, and how it stands.
    poll: Option<PollState>,
}

#[derive(Serialize, JsonSchema)]
pub struct PollState {
    /// How many options one person may choose; 0 is any number.
    selectable_options_count: u32,
    hide_participant_names: bool,
    end_time: Option<Rfc3339>,
    allow_add_option: bool,
    /// In the order of the poll.
    totals: Vec<OptionVotes>,
}

#[derive(Serialize, JsonSchema)]
pub struct OptionVotes {
    option: String,
    /// How many have chosen it.
    votes: u64,
}

#[derive(Serialize, JsonSchema)]
pub struct ReactionBody {
    /// A person's WhatsApp address.
    sender: String,
    reaction: String,
    at: Rfc3339,
}

#[derive(Serialize, JsonSchema)]
pub struct ReceiptBody {
    /// A person's WhatsApp address.
    reader: String,
    /// `read_self`: on this number's own phone.
    #[schemars(schema_with = "receipts")]
    state: &'static str,
    at: Rfc3339,
}

impl From<PollView> for PollState {
    fn from(PollView { poll, totals }: PollView) -> Self {
        let totals = totals.into_iter();
        Self {
            selectable_options_count: poll.selectable,
            hide_participant_names: poll.hide_participant_names,
            end_time: poll.end_time.map(Rfc3339),
            allow_add_option: poll.allow_add_option,
            totals: totals
                .map(|(option, votes)| OptionVotes { option, votes })
                .collect(),
        }
    }
}

impl From<ReactionView> for ReactionBody {
    fn from(view: ReactionView) -> Self {
        Self {
            sender: view.sender.to_string(),
            reaction: view.sign,
            at: Rfc3339(view.at),
        }
    }
}

impl From<ReceiptView> for ReceiptBody {
    fn from(view: ReceiptView) -> Self {
        Self {
            reader: view.reader.to_string(),
            state: view.state,
            at: Rfc3339(view.at),
        }
    }
}

impl From<MessageDetail> for StatusBody {
    fn from(detail: MessageDetail) -> Self {
        let view = detail.view;
        let (code, meaning, what_to_do) = view.why();
        Self {
            message_id: view.id.as_str().to_owned(),
            chat: view.chat.to_string(),
            kind: view.kind.as_str(),
            is_from_me: view.from_me,
            status: view.status.as_str(),
            text: detail.text,
            code,
            meaning,
            what_to_do,
            queue_id: view.queue_id,
            created_at: Rfc3339(view.created_at),
            updated_at: Rfc3339(view.updated_at),
            edited_at: detail.edited_at.map(Rfc3339),
            deleted_at: detail.deleted_at.map(Rfc3339),
            reactions: detail.reactions.into_iter().map(Into::into).collect(),
            receipts: detail.receipts.into_iter().map(Into::into).collect(),
            poll: detail.poll.map(Into::into),
        }
    }
}
