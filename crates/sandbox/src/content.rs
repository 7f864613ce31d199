//! Contents of messages: what a person can write on a phone, and what a chat shows of what comes.
//!
//! Polls and votes are in `polls`, buttons and lists in `menus`, contact cards in `cards`.
//!
//! To add a kind: a variant of [`Written`] with its arm in [`make`], a field of [`Detail`], and a line in
//! [`describe`].

mod beside;
mod cards;
mod medium;
mod menus;
mod polls;

use serde::{Deserialize, Serialize};
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp::{Message, MessageKey, message, message::protocol_message::Type};

pub use beside::{Beside, Quote};
pub use cards::Card;
pub(crate) use medium::Family;
pub use medium::{Medium, Said};
pub use menus::{Offer, Tap, Tappable};
pub use polls::{Choice, Question};

/// Something that a person writes: one of `{"text": …}`, `{"location": {…}}`, `{"contact": {…}}`, `{"contacts": […]}`,
/// `{"poll": {…}}`, and `{"image": {…}}`, `video`, `audio`, `document`, `sticker`; or does to an earlier message of the
/// chat: `{"reaction": {…}}`, `{"edit": {…}}`, `{"delete": {…}}`, `{"vote": {…}}` and `{"tap": {…}}`;
/// or to the chat: `{"timer": …}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// A text that shows something.
    Text(String),
    /// A place on the map.
    Location(Spot),
    /// Somebody's name and number.
    Contact(Card),
    /// Several of them.
    Contacts(Vec<Card>),
    /// A question with options.
    Poll(Question),
    /// What one chooses of a poll.
    Vote(Choice),
    /// A tap on a button, or on a row of a list.
    Tap(Tap),
    /// After so many seconds messages of the chat disappear; 0: they stay.
    Timer(u32),
    /// A picture.
    Image(Medium),
    /// A film.
    Video(Medium),
    /// A sound, or a voice note.
    Audio(Medium),
    /// A file.
    Document(Medium),
    /// A sticker.
    Sticker(Medium),
    /// A sign on a message.
    Reaction(Sign),
    /// Another text for a message of one's own.
    Edit(Wording),
    /// The end of a message of one's own, for everybody.
    Delete(Gone),
}

/// A sign on an earlier message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sign {
    /// Of that message.
    pub message_id: String,
    /// None takes it back.
    #[serde(default)]
    pub emoji: String,
}

/// Another text for an earlier message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// Of that message.
    pub message_id: String,
    /// What it says from now on.
    pub text: String,
    /// Also of what somebody else wrote, as a program of one's own may say.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forged: bool,
}

/// The end of an earlier message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Of that message.
    pub message_id: String,
    /// As of an edit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forged: bool,
}

impl Written {
    /// The earlier message that this is about, and whether only its author may do that.
    pub(crate) fn about(&self) -> Option<(&str, bool)> {
        match self {
            Self::Reaction(sign) => Some((&sign.message_id, false)),
            Self::Edit(wording) => Some((&wording.message_id, !wording.forged)),
            Self::Delete(gone) => Some((&gone.message_id, !gone.forged)),
            Self::Vote(choice) => Some((&choice.poll_id, false)),
            Self::Tap(tap) => Some((&tap.message_id, false)),
            _ => None,
        }
    }

    /// The medium in it.
    pub(crate) fn medium(&self) -> Option<(Family, &Medium)> {
        match self {
            Self::Image(medium) => Some((Family::Image, medium)),
            Self::Video(medium) => Some((Family::Video, medium)),
            Self::Audio(medium) => Some((Family::Audio, medium)),
            Self::Document(medium) => Some((Family::Document, medium)),
            Self::Sticker(medium) => Some((Family::Sticker, medium)),
            _ => None,
        }
    }
}

/// A place on the map, as a chat shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spot {
    /// Degrees.
    pub latitude: f64,
    /// Degrees.
    pub longitude: f64,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// The part of a message beside its text: the field of its kind, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// Of a location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Spot>,
    /// Of a contact card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Card>,
    /// Of several contact cards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacts: Option<Vec<Card>>,
    /// Whom it mentions: numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<String>,
    /// What it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted: Option<Quote>,
    /// Whether it was passed on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forwarded: bool,
    /// Of a picture, a film, a sound, a file or a sticker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Medium>,
    /// Of a sign.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<Sign>,
    /// Of an edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<Wording>,
    /// Of a deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<Gone>,
    /// An admin of the group ends it: whoever wrote the message.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_admin: bool,
    /// Of a poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Question>,
    /// Of a vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vote: Option<Choice>,
    /// After so many seconds it disappears, or, of a `timer`, what is written after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiration: Option<u32>,
    /// Of buttons and lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub menu: Option<Offer>,
    /// Of a tap on one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tap: Option<Tap>,
}

impl Detail {
    /// The person's own text, or what a message of this kind has beside it.
    pub(crate) fn written(&self, kind: &str, text: &str) -> Written {
        let place = self.location.clone().map(Written::Location);
        let medium = || Some(Family::parse(kind)?.written(self.media.clone()?));
        place
            .or_else(medium)
            .or_else(|| self.contact.clone().map(Written::Contact))
            .or_else(|| self.contacts.clone().map(Written::Contacts))
            .or_else(|| self.reaction.clone().map(Written::Reaction))
            .or_else(|| self.edit.clone().map(Written::Edit))
            .or_else(|| self.delete.clone().map(Written::Delete))
            .or_else(|| self.poll.clone().map(Written::Poll))
            .or_else(|| self.vote.clone().map(Written::Vote))
            .or_else(|| self.tap.clone().map(Written::Tap))
            .unwrap_or_else(|| Written::Text(text.to_owned()))
    }
}

/// A message as a chat shows it.
pub(crate) struct Shown {
    pub(crate) kind: &'static str,
    /// The text, or what stands for it.
    pub(crate) text: String,
    pub(crate) detail: Detail,
}

impl Written {
    /// Why a phone does not send it.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        match self {
            Self::Text(text) if text.is_empty() => Some("`text` is empty"),
            Self::Location(place)
                if !(-90.0..=90.0).contains(&place.latitude)
                    || !(-180.0..=180.0).contains(&place.longitude) =>
            {
                Some("`location` has a latitude of -90 to 90 and a longitude of -180 to 180")
            }
            Self::Contact(card) if card.name.is_empty() => Some("`contact` has a `name`"),
            Self::Edit(wording) if wording.text.is_empty() => Some("`edit` has a `text`"),
            Self::Poll(question) if question.options.len() < 2 => {
                Some("`poll` has a `name` and two `options` or more")
            }
            Self::Contacts(cards) if cards.is_empty() => Some("`contacts` has none"),
            _ => None,
        }
    }
}

/// The message as apps encode it; `key` names the earlier one that it is about.
pub(crate) fn make(written: &Written, key: Option<MessageKey>, now_ms: i64) -> Message {
    let key = key.map_or_else(buffa::MessageField::none, buffa::MessageField::some);
    let protocol = |kind, edited| Message {
        protocol_message: buffa::MessageField::some(message::ProtocolMessage {
            r#type: Some(kind),
            key: key.clone(),
            edited_message: edited,
            timestamp_ms: Some(now_ms),
            ..Default::default()
        }),
        ..Default::default()
    };
    match written {
        Written::Poll(question) => polls::poll(question),
        Written::Vote(choice) => polls::vote(choice, key, now_ms),
        Written::Tap(tap) => menus::tap(tap),
        Written::Timer(seconds) => Message {
            protocol_message: buffa::MessageField::some(message::ProtocolMessage {
                r#type: Some(Type::EPHEMERAL_SETTING),
                ephemeral_expiration: Some(*seconds),
                ..Default::default()
            }),
            ..Default::default()
        },
        Written::Image(medium) => medium::make(Family::Image, medium),
        Written::Video(medium) => medium::make(Family::Video, medium),
        Written::Audio(medium) => medium::make(Family::Audio, medium),
        Written::Document(medium) => medium::make(Family::Document, medium),
        Written::Sticker(medium) => medium::make(Family::Sticker, medium),
        Written::Reaction(sign) => Message {
            reaction_message: buffa::MessageField::some(message::ReactionMessage {
                key,
                text: Some(sign.emoji.clone()),
                sender_timestamp_ms: Some(now_ms),
                ..Default::default()
            }),
            ..Default::default()
        },
        Written::Edit(wording) => {
            let text = Message {
                conversation: Some(wording.text.clone()),
                ..Default::default()
            };
            protocol(Type::MESSAGE_EDIT, buffa::MessageField::some(text))
        }
        Written::Delete(_) => protocol(Type::REVOKE, buffa::MessageField::none()),
        Written::Text(text) => Message {
            conversation: Some(text.clone()),
            ..Default::default()
        },
        Written::Location(place) => Message {
            location_message: buffa::MessageField::some(message::LocationMessage {
                degrees_latitude: Some(place.latitude),
                degrees_longitude: Some(place.longitude),
                name: place.name.clone(),
                address: place.address.clone(),
                ..Default::default()
            }),
            ..Default::default()
        },
        Written::Contact(card) => cards::one(card),
        Written::Contacts(all) => cards::several(all),
    }
}

/// `None` for messages that are not for people.
pub(crate) fn describe(content: &Message) -> Option<Shown> {
    let mut shown = shown(content)?;
    shown.detail.forwarded = content.is_forwarded();
    shown.detail.mentions = beside::mentions(content.get_base_message());
    shown.detail.quoted = beside::quote(content.get_base_message());
    let expires = content.get_base_message().get_ephemeral_expiration();
    shown.detail.expiration = shown.detail.expiration.or(expires);
    Some(shown)
}

fn shown(content: &Message) -> Option<Shown> {
    if let Some(shown) = polls::describe(content) {
        return Some(shown);
    }
    if let Some(shown) = medium::describe(content) {
        return Some(shown);
    }
    let content = content.get_base_message();
    if let Some(protocol) = content.protocol_message.as_option()
        && protocol.r#type == Some(Type::EPHEMERAL_SETTING)
    {
        let seconds = protocol.ephemeral_expiration.unwrap_or_default();
        return Some(Shown {
            kind: "timer",
            text: seconds.to_string(),
            detail: Detail {
                expiration: Some(seconds),
                ..Detail::default()
            },
        });
    }
    if content.interactive_message.is_set() || content.interactive_response_message.is_set() {
        // What it does not know, a phone does not show.
        return menus::describe(content);
    }
    if let Some(place) = content.location_message.as_option() {
        return Some(of_place(place));
    }
    if let Some(shown) = cards::describe(content) {
        return Some(shown);
    }
    let (kind, text) = named(content)?;
    Some(Shown {
        kind,
        detail: of_act(content, &text),
        text,
    })
}

/// What is done to an earlier message.
fn of_act(content: &Message, text: &str) -> Detail {
    let id = |key: &buffa::MessageField<MessageKey>| {
        key.as_option()
            .and_then(|key| key.id.clone())
            .unwrap_or_default()
    };
    if let Some(reaction) = content.reaction_message.as_option() {
        return Detail {
            reaction: Some(Sign {
                message_id: id(&reaction.key),
                emoji: text.to_owned(),
            }),
            ..Detail::default()
        };
    }
    let Some(protocol) = content.protocol_message.as_option() else {
        return Detail::default();
    };
    let message_id = id(&protocol.key);
    match protocol.r#type {
        Some(Type::MESSAGE_EDIT) => Detail {
            edit: Some(Wording {
                message_id,
                text: text.to_owned(),
                forged: false,
            }),
            ..Detail::default()
        },
        _ => Detail {
            delete: Some(Gone {
                message_id,
                forged: false,
            }),
            ..Detail::default()
        },
    }
}

fn of_place(place: &message::LocationMessage) -> Shown {
    let place = Spot {
        latitude: place.degrees_latitude.unwrap_or_default(),
        longitude: place.degrees_longitude.unwrap_or_default(),
        name: place.name.clone(),
        address: place.address.clone(),
    };
    let at = format!("{},{}", place.latitude, place.longitude);
    Shown {
        kind: "location",
        text: place.name.clone().unwrap_or(at),
        detail: Detail {
            location: Some(place),
            ..Detail::default()
        },
    }
}

/// The kind, and what stands for the content.
fn named(content: &Message) -> Option<(&'static str, String)> {
    let key_id = |key: Option<&MessageKey>| key.and_then(|key| key.id.clone()).unwrap_or_default();
    if let Some(protocol) = content.protocol_message.as_option() {
        return match protocol.r#type {
            Some(Type::REVOKE) => Some(("revoke", key_id(protocol.key.as_option()))),
            Some(Type::MESSAGE_EDIT) => Some((
                "edit",
                protocol
                    .edited_message
                    .as_option()
                    .and_then(|edited| edited.text_content().or(edited.get_caption()))
                    .unwrap_or_default()
                    .to_owned(),
            )),
            _ => None,
        };
    }
    Some(if let Some(body) = content.text_content() {
        ("text", body.to_owned())
    } else if let Some(contacts) = content.contacts_array_message.as_option() {
        ("contact", contacts.display_name.clone().unwrap_or_default())
    } else if let Some(reaction) = content.reaction_message.as_option() {
        ("reaction", reaction.text.clone().unwrap_or_default())
    } else {
        ("other", String::new())
    })
}
