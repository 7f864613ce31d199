//! Polls and votes. A vote is encrypted under the secret of its poll, so a phone shows it only if it has that.

use serde::{Deserialize, Serialize};
use wacore::poll::{
    PollVoteCiphertext, compute_option_hash, decrypt_poll_vote_with_secret,
    encrypt_poll_vote_with_secret,
};
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp::message::{PollCreationMessage, PollEncValue, PollUpdateMessage};
use waproto::whatsapp::{Message, MessageContextInfo, MessageKey, message};

use super::{Detail, Shown};
use crate::ambient;

/// A question with options, as a chat shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The question.
    pub name: String,
    /// What can be chosen.
    pub options: Vec<String>,
    /// How many of them one person may choose; 0 is any number.
    #[serde(default = "one")]
    pub selectable_options_count: u32,
    /// Whether participants are not shown who has chosen what.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hide_participant_names: bool,
    /// Unix time in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    /// Whether participants may add options.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_add_option: bool,
    /// Under which its votes are encrypted, in hex; made when the poll is written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub secret: String,
    /// The id that its message is to have, as a program of one's own may choose it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

fn one() -> u32 {
    1
}

/// What somebody chooses of a poll.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The message that the poll is.
    pub poll_id: String,
    /// The words of the options; none take the vote back.
    #[serde(default)]
    pub options: Vec<String>,
    /// The vote as it was encrypted, in hex: payload and initialisation vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<(String, String)>,
    /// The poll, where it is one of this phone's own that it has not written yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early: Option<Question>,
    /// Encrypted as phones do that know each other by id, and not by number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_lid: bool,
}

impl Question {
    /// With a secret of its own.
    pub(crate) fn with_secret(mut self) -> Self {
        if self.secret.is_empty() {
            self.secret = hex::encode(ambient::bytes::<32>());
        }
        self
    }
}

impl Choice {
    /// Encrypted as `voter`, an address, for the poll of `creator`, another one.
    pub(crate) fn sealed(mut self, poll: &Question, creator: &str, voter: &str) -> Self {
        let options = self.options.iter();
        let hashes: Vec<Vec<u8>> = options.map(|o| compute_option_hash(o).to_vec()).collect();
        let secret = hex::decode(&poll.secret).unwrap_or_default();
        let sealed = encrypt_poll_vote_with_secret(&hashes, &secret, &self.poll_id, creator, voter);
        self.sealed = sealed
            .ok()
            .map(|(payload, iv)| (hex::encode(payload), hex::encode(iv)));
        self
    }

    /// Decrypted with the secret of its poll; `None` where it does not open.
    pub(crate) fn opened(&self, poll: &Question, creator: &str, voter: &str) -> Option<Self> {
        let mut opened = self.clone();
        let (payload, iv) = self.sealed.as_ref()?;
        let (payload, iv) = (hex::decode(payload).ok()?, hex::decode(iv).ok()?);
        let secret = hex::decode(&poll.secret).ok()?;
        let ciphertext = PollVoteCiphertext {
            enc_payload: &payload,
            enc_iv: &iv,
        };
        let hashes =
            decrypt_poll_vote_with_secret(ciphertext, &secret, &self.poll_id, creator, voter);
        let hashes = hashes.ok()?;
        let chosen = |option: &&String| {
            let hash = compute_option_hash(option);
            hashes.iter().any(|chosen| chosen.as_slice() == hash)
        };
        opened.options = poll.options.iter().filter(chosen).cloned().collect();
        Some(opened)
    }
}

pub(super) fn poll(question: &Question) -> Message {
    let option = |name: &String| message::poll_creation_message::Option {
        option_name: Some(name.clone()),
        ..Default::default()
    };
    let poll = buffa::MessageField::some(PollCreationMessage {
        name: Some(question.name.clone()),
        options: question.options.iter().map(option).collect(),
        selectable_options_count: Some(question.selectable_options_count),
        poll_content_type: Some(message::PollContentType::TEXT),
        end_time: question.end_time,
        hide_participant_name: question.hide_participant_names.then_some(true),
        allow_add_option: question.allow_add_option.then_some(true),
        ..Default::default()
    });
    let mut message = Message {
        message_context_info: buffa::MessageField::some(MessageContextInfo {
            message_secret: hex::decode(&question.secret).ok(),
            ..Default::default()
        }),
        ..Default::default()
    };
    match question.selectable_options_count {
        1 => message.poll_creation_message_v3 = poll,
        _ => message.poll_creation_message = poll,
    }
    message
}

pub(super) fn vote(choice: &Choice, key: buffa::MessageField<MessageKey>, now_ms: i64) -> Message {
    let (payload, iv) = choice.sealed.clone().unwrap_or_default();
    Message {
        poll_update_message: buffa::MessageField::some(PollUpdateMessage {
            poll_creation_message_key: key,
            vote: buffa::MessageField::some(PollEncValue {
                enc_payload: hex::decode(payload).ok(),
                enc_iv: hex::decode(iv).ok(),
            }),
            sender_timestamp_ms: Some(now_ms),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// A poll, or a vote that is still encrypted.
pub(super) fn describe(whole: &Message) -> Option<Shown> {
    let content = whole.get_base_message();
    if let Some(update) = content.poll_update_message.as_option() {
        return of_vote(update);
    }
    let forms = [
        &content.poll_creation_message,
        &content.poll_creation_message_v2,
        &content.poll_creation_message_v3,
    ];
    let poll = forms.into_iter().find_map(|form| form.as_option())?;
    let mut contexts = [whole, content]
        .into_iter()
        .filter_map(|message| message.message_context_info.as_option());
    let secret = contexts.find_map(|context| context.message_secret.clone());
    let options = poll.options.iter();
    let question = Question {
        name: poll.name.clone().unwrap_or_default(),
        options: options.filter_map(|o| o.option_name.clone()).collect(),
        selectable_options_count: poll.selectable_options_count.unwrap_or_default(),
        hide_participant_names: poll.hide_participant_name.unwrap_or_default(),
        end_time: poll.end_time,
        allow_add_option: poll.allow_add_option.unwrap_or_default(),
        secret: hex::encode(secret.unwrap_or_default()),
        id: None,
    };
    Some(Shown {
        kind: "poll",
        text: question.name.clone(),
        detail: Detail {
            poll: Some(question),
            ..Detail::default()
        },
    })
}

fn of_vote(update: &PollUpdateMessage) -> Option<Shown> {
    let key = update.poll_creation_message_key.as_option()?;
    let vote = update.vote.as_option()?;
    let hex = |bytes: &Option<Vec<u8>>| hex::encode(bytes.as_deref().unwrap_or_default());
    let choice = Choice {
        poll_id: key.id.clone().unwrap_or_default(),
        options: Vec::new(),
        sealed: Some((hex(&vote.enc_payload), hex(&vote.enc_iv))),
        early: None,
        by_lid: false,
    };
    Some(Shown {
        kind: "vote",
        text: String::new(),
        detail: Detail {
            vote: Some(choice),
            ..Detail::default()
        },
    })
}
