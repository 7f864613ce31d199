//! Events: what happened on an instance, as subscribers see it.

use serde_json::Value;

use crate::{
    clock::Timestamp,
    error::{Error, ErrorCode},
    id::{AccountId, EventId, InstanceId},
};

/// The contract's names, exact and complete, and ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// Only ever a subscription, never an event.
    All,
    Connected,
    Disconnected,
    /// Incoming and outgoing messages alike.
    Message,
    ReadReceipt,
    Presence,
    HistorySync,
    ChatPresence,
    GroupParticipantsAdd,
    GroupParticipantsRemove,
    /// Ours: a message will not be sent, and why.
    MessageFailed,
    /// Ours: a message came that could not be read, and was asked for again. Only for those who name it.
    UndecryptableMessage,
    /// Ours: what the phone does is not heard of any more, or is again. Only for those who name it.
    AppStateSyncFailed,
    /// Ours: somebody has another security code. Only for those who name it.
    IdentityChange,
    /// Ours: somebody has another number. Only for those who name it.
    ContactNumberChanged,
    /// Ours: somebody, or a group, has another picture. Only for those who name it.
    PictureUpdate,
    /// Ours: something else was done to a group. Only for those who name it.
    GroupUpdate,
    /// Ours: somebody calls. Only for those who name it.
    CallOffer,
    /// Ours: a call is over. Only for those who name it.
    CallTerminate,
    /// Ours: somebody called, and nobody took it. Only for those who name it.
    MissedCall,
}

impl EventKind {
    pub const ALL: [Self; 20] = [
        Self::All,
        Self::Connected,
        Self::Disconnected,
        Self::Message,
        Self::ReadReceipt,
        Self::Presence,
        Self::HistorySync,
        Self::ChatPresence,
        Self::GroupParticipantsAdd,
        Self::GroupParticipantsRemove,
        Self::MessageFailed,
        Self::UndecryptableMessage,
        Self::AppStateSyncFailed,
        Self::IdentityChange,
        Self::ContactNumberChanged,
        Self::PictureUpdate,
        Self::GroupUpdate,
        Self::CallOffer,
        Self::CallTerminate,
        Self::MissedCall,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Connected => "Connected",
            Self::Disconnected => "Disconnected",
            Self::Message => "Message",
            Self::ReadReceipt => "ReadReceipt",
            Self::Presence => "Presence",
            Self::HistorySync => "HistorySync",
            Self::ChatPresence => "ChatPresence",
            Self::GroupParticipantsAdd => "GroupParticipantsAdd",
            Self::GroupParticipantsRemove => "GroupParticipantsRemove",
            Self::MessageFailed => "MessageFailed",
            Self::UndecryptableMessage => "UndecryptableMessage",
            Self::AppStateSyncFailed => "AppStateSyncFailed",
            Self::IdentityChange => "IdentityChange",
            Self::ContactNumberChanged => "ContactNumberChanged",
            Self::PictureUpdate => "PictureUpdate",
            Self::GroupUpdate => "GroupUpdate",
            Self::CallOffer => "CallOffer",
            Self::CallTerminate => "CallTerminate",
            Self::MissedCall => "MissedCall",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Names as a caller sends them, in whatever case; the error lists the valid ones.
    pub fn parse_list<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>, Error> {
        let mut kinds = Vec::new();
        for name in names
            .into_iter()
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            let is_it = |kind: &Self| kind.as_str().eq_ignore_ascii_case(name);
            let kind = Self::ALL.into_iter().find(is_it).ok_or_else(|| {
                let known: Vec<_> = Self::ALL.iter().map(|kind| kind.as_str()).collect();
                let shown: String = name.chars().take(40).collect();
                Error::new(
                    ErrorCode::InvalidEvents,
                    format!(
                        "'{shown}' is not an event name; known are {}",
                        known.join(", ")
                    ),
                )
            })?;
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        Ok(kinds)
    }

    /// `Message,ReadReceipt`: the form of the contract's string fields and of the store.
    pub fn join(kinds: &[Self]) -> String {
        kinds
            .iter()
            .map(|kind| kind.as_str())
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Whether a subscription to `subscribed` wants `self`.
    pub fn is_wanted_by(self, subscribed: &[Self]) -> bool {
        // `All` means what the contract's clients know, and what nobody may miss.
        let in_all = !matches!(
            self,
            Self::UndecryptableMessage
                | Self::AppStateSyncFailed
                | Self::IdentityChange
                | Self::ContactNumberChanged
                | Self::PictureUpdate
                | Self::GroupUpdate
                | Self::CallOffer
                | Self::CallTerminate
                | Self::MissedCall
        );
        subscribed.contains(&self) || in_all && subscribed.contains(&Self::All)
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub id: EventId,
    pub account: AccountId,
    pub instance: InstanceId,
    pub kind: EventKind,
    /// The contract's payload: `{type, event: {...}, ...}`, snake_case.
    pub payload: Value,
    pub created_at: Timestamp,
}
