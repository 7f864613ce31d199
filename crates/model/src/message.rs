//! Messages: what goes out, what came in, and how far each got.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    address::Address,
    clock::Timestamp,
    content::{Content, ContentKind, Tap},
    id::InstanceId,
};

pub use crate::message_id::MessageId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    In,
    Out,
}

impl Direction {
    pub const ALL: [Self; 2] = [Self::In, Self::Out];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|direction| direction.as_str() == text)
    }
}

/// How far an outgoing message got. The table of its life is `docs/messages.md`; what may follow what
/// is [`MessageStatus::reached_from`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageStatus {
    /// Accepted, and kept until WhatsApp has it.
    Queued,
    /// Written to WhatsApp's socket at least once, not acknowledged by its server.
    Sending,
    /// Two tries got no answer at all: it may have arrived. A late answer still raises it.
    Unconfirmed,
    /// WhatsApp's server has it.
    Sent,
    Delivered,
    Read,
    /// Over, with a code and a reason. Only a receipt, which proves that it arrived, raises it.
    Failed,
    /// Taken out of the queue by its owner; it was never tried.
    Cancelled,
    /// Inbound.
    Received,
}

impl MessageStatus {
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Sending,
        Self::Unconfirmed,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Failed,
        Self::Cancelled,
        Self::Received,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Unconfirmed => "unconfirmed",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Received => "received",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// The statuses from which a message of ours may come to this one. A message never goes back,
    /// but for one that is over and is asked for again under its own id.
    pub fn reached_from(self) -> &'static [Self] {
        match self {
            Self::Queued => &[Self::Failed, Self::Unconfirmed, Self::Cancelled],
            Self::Sending => &[Self::Queued],
            Self::Unconfirmed => &[Self::Queued, Self::Sending],
            Self::Sent => &[Self::Queued, Self::Sending, Self::Unconfirmed],
            // A receipt proves the arrival, whatever was said before.
            Self::Delivered => &[
                Self::Queued,
                Self::Sending,
                Self::Unconfirmed,
                Self::Sent,
                Self::Failed,
            ],
            Self::Read => &[
                Self::Queued,
                Self::Sending,
                Self::Unconfirmed,
                Self::Sent,
                Self::Delivered,
                Self::Failed,
            ],
            Self::Failed => &[Self::Queued, Self::Sending, Self::Unconfirmed],
            Self::Cancelled => &[Self::Queued],
            Self::Received => &[],
        }
    }

    /// WhatsApp's server has it, or even the recipient.
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Sent | Self::Delivered | Self::Read)
    }

    /// Nothing of ours waits any more: it was sent, has failed, or nobody knows.
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Queued | Self::Sending)
    }
}

/// A message as WhatsApp is to get it: made once, stored, and repeated byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedMessage {
    pub id: MessageId,
    pub to: Address,
    /// The encoded protobuf, with the message's own secret in it.
    pub proto: Vec<u8>,
    /// Ask for the group's members anew first: WhatsApp said that ours are out of date.
    pub refresh_group: bool,
}

/// The draft of a [`FinishedMessage`].
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub content: Content,
    pub mentioned: Vec<Address>,
    pub reply_to: Option<Quoted>,
    /// Seconds after which it disappears, by the chat's timer.
    pub expires: Option<u32>,
    /// When it was accepted.
    pub at: Timestamp,
}

/// The message that a reply quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    pub id: MessageId,
    /// As its message came: a reply must name its sender in the same way.
    pub sender: Address,
    /// The encoded protobuf. `None` of a message whose content is not kept: `text` stands for it.
    pub proto: Option<Vec<u8>>,
    pub text: String,
}

/// A message's content as subscribers see it, whoever wrote it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// `message` of the event: WhatsApp's own fields, snake_case.
    pub message: Value,
    /// `text`, `media`, `poll`, `reaction`, …: WhatsApp's word for the stanza.
    pub stanza_type: String,
    /// `image`, `ptt`, `location`, …; empty for what is no media.
    pub media_type: String,
}

/// Facts about a message that came in, which only WhatsApp tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arrival {
    /// Fields of `info` in the event, beside those that every message has.
    pub info: Map<String, Value>,
    /// Fields beside `info` and `message`: the wrappers that it came in.
    pub flags: Map<String, Value>,
}

/// A message on its way in, or one of our own that was sent from the phone.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundMessage {
    pub instance: InstanceId,
    pub id: MessageId,
    pub chat: Party,
    pub sender: Party,
    pub from_me: bool,
    pub push_name: Option<String>,
    pub kind: ContentKind,
    /// The readable text, where there is one.
    pub text: Option<String>,
    /// The option of a menu that was tapped.
    pub tap: Option<Tap>,
    /// What it says of the chat's timer.
    pub timer: Option<Timer>,
    /// The earlier message whose words are in it: they go when that is deleted.
    pub about: Option<MessageId>,
    pub at: Timestamp,
    /// The encoded protobuf without wrappers: quotes, votes and media need it.
    pub proto: Vec<u8>,
    pub rendered: Rendered,
    pub arrival: Arrival,
}

/// The timer of a chat, after which its messages disappear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timer {
    /// 0: they stay.
    pub seconds: u32,
    /// Since when it holds, as the sender says.
    pub since: Timestamp,
}

impl Timer {
    /// A day, a week and ninety days: what WhatsApp's programs let people choose.
    const KNOWN: [u32; 3] = [86_400, 604_800, 7_776_000];

    /// `None` of a time that nobody can choose: whoever writes to us must not make our messages vanish in a second.
    pub fn told(seconds: u32, since: Timestamp) -> Option<Self> {
        let is_known = seconds == 0 || Self::KNOWN.contains(&seconds);
        is_known.then_some(Self { seconds, since })
    }
}

/// A chat, or who wrote something, by all that is known of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    /// The number where it is known, else the address as it came.
    pub shown: Address,
    /// A person's other address, where it is known.
    pub alt: Option<Address>,
    /// As the message named it.
    pub wire: Address,
}

impl Party {
    /// Known by this address alone.
    pub fn only(address: Address) -> Self {
        Self {
            shown: address.clone(),
            alt: None,
            wire: address,
        }
    }

    /// Every address of the party, each once, the shown one first.
    pub fn addresses(&self) -> Vec<&Address> {
        let mut all = vec![&self.shown];
        for address in self.alt.iter().chain([&self.wire]) {
            if !all.contains(&address) {
                all.push(address);
            }
        }
        all
    }
}

/// A receipt for one or more of our messages.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundReceipt {
    pub chat: Party,
    pub sender: Party,
    pub from_me: bool,
    pub ids: Vec<MessageId>,
    pub state: ReceiptState,
    pub at: Timestamp,
}

/// The meaning of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiptState {
    /// The server has the message, and nobody has it yet: a device asks for it again, or cannot take
    /// it. No delivery, and no event.
    Accepted,
    Delivered,
    Read,
    ReadSelf,
    Played,
}

impl ReceiptState {
    /// `state` of a `ReadReceipt` event. The contract knows three names; a played voice note counts
    /// as read, and `None` is no event.
    pub fn wire(self) -> Option<&'static str> {
        match self {
            Self::Accepted => None,
            Self::Delivered => Some("Delivered"),
            Self::Read | Self::Played => Some("Read"),
            Self::ReadSelf => Some("ReadSelf"),
        }
    }
}

/// The sign that a chat shows of somebody who writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TypingState {
    Composing,
    Recording,
    Paused,
}

/// Someone types or records.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundTyping {
    pub chat: Party,
    pub sender: Party,
    /// `composing` or `paused`.
    pub state: String,
    /// `audio` while recording, else empty.
    pub media: String,
}
