//! What a phone remembers from before: put there, and how it is sent.

use serde::{Deserialize, Serialize};

use super::Network;
use crate::ambient;
use crate::content::Detail;
use crate::history::ChatMessage;
use crate::refusal::{Refusal, chat_of, digits};

/// A text of the past, as the control API takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PastText {
    /// A number, or the address of a group.
    pub chat: String,
    /// Who wrote it: this phone's own number, or another. `None`: the other side of the chat.
    #[serde(default)]
    pub from: Option<String>,
    pub text: String,
    /// Unix time in milliseconds.
    pub timestamp: i64,
    #[serde(default)]
    pub id: Option<String>,
    /// Of others: the person has not read it.
    #[serde(default)]
    pub unread: bool,
}

impl Network {
    /// Puts texts into a phone's history, as if they had been written then. Nobody else is told.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`], [`Refusal::Bad`] for a chat that is none.
    pub fn remember(&self, number: &str, texts: &[PastText]) -> Result<Vec<ChatMessage>, Refusal> {
        let number = self.known(number)?;
        let messages = texts.iter().map(|text| message(&number, text));
        let messages = messages.collect::<Result<Vec<_>, _>>()?;
        self.with(|core| {
            if let Some(phone) = core.phones.get_mut(&number) {
                for message in &messages {
                    phone.history.arrive(message.clone());
                }
            }
            core.touch_phone(&number);
        });
        Ok(messages)
    }

    /// From now on the phone sends its past in frames of so many messages.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`], [`Refusal::Bad`] for none.
    pub fn set_history_chunk(&self, number: &str, messages: usize) -> Result<(), Refusal> {
        let number = self.known(number)?;
        if messages == 0 {
            return Err(Refusal::Bad("`chunk` is 1 or more".to_owned()));
        }
        self.with(|core| {
            if let Some(phone) = core.phones.get_mut(&number) {
                phone.history_chunk = Some(messages);
            }
            core.touch_phone(&number);
        });
        Ok(())
    }
}

fn message(number: &str, text: &PastText) -> Result<ChatMessage, Refusal> {
    let chat = chat_of(&text.chat)?;
    let from = match &text.from {
        Some(from) => digits(from)?,
        None if chat.contains('@') => {
            return Err(Refusal::Bad(
                "`from` is missing: who of the group".to_owned(),
            ));
        }
        None => chat.clone(),
    };
    let mine = from == number;
    let to = match mine || chat.contains('@') {
        true => chat,
        false => number.to_owned(),
    };
    let status = match (mine, text.unread) {
        (true, _) => "delivered",
        (false, true) => "received",
        (false, false) => "read",
    };
    Ok(ChatMessage {
        id: text.id.clone().unwrap_or_else(ambient::message_id),
        from,
        to,
        text: text.text.clone(),
        kind: "text".to_owned(),
        detail: Detail::default(),
        reactions: Default::default(),
        votes: Default::default(),
        edited: false,
        deleted: false,
        receipts: Default::default(),
        status: status.to_owned(),
        timestamp: text.timestamp,
        shown_at: text.timestamp,
        arrivals: 1,
        sha256: None,
        same: true,
        device: 0,
        hidden: false,
        cleared: false,
    })
}
