//! The content of a message: one variant a kind, and one file a kind for what may be in it.
//!
//! To add a kind: the list is in ARCHITECTURE.md, "A kind of message".

mod act;
mod contact;
mod forward;
mod link;
mod location;
mod media;
mod menu;
mod poll;
mod text;

use serde::Serialize;

use crate::MessageId;

pub use act::{Edit, Reaction, Revoke, Target};
pub use contact::{ContactCard, ContactCards};
pub use forward::Forward;
pub use link::{Link, checked_picture};
pub use location::Location;
pub use media::{Media, MediaForm, found_name, media_name};
pub use menu::{Choice, Heading, Menu, MenuOption, NativeList, NativeMenu, Row, Section, Tap};
pub use poll::{Ballot, Chosen, NewPoll, Poll, Vote, Voting};
pub use text::Text;

/// The content of a message of ours; already validated. Serialised only to tell one content from another.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    Text(Text),
    Link(Link),
    Menu(Menu),
    Location(Location),
    Contact(ContactCard),
    Contacts(ContactCards),
    Media(Media),
    Poll(Poll),
    Vote(Vote),
    Forward(Forward),
    Reaction(Reaction),
    Edit(Edit),
    Revoke(Revoke),
}

impl Content {
    /// The options that can be chosen of it.
    pub fn options(&self) -> &[MenuOption] {
        match self {
            Self::Menu(menu) => &menu.options,
            _ => &[],
        }
    }

    /// The earlier message whose words are in it: they go when that is deleted.
    pub fn repeats(&self) -> Option<&MessageId> {
        match self {
            Self::Edit(edit) => Some(&edit.target.id),
            Self::Vote(vote) => Some(&vote.target.id),
            _ => None,
        }
    }

    pub fn kind(&self) -> ContentKind {
        match self {
            Self::Text(_) | Self::Link(_) | Self::Menu(_) => ContentKind::Text,
            Self::Location(_) => ContentKind::Location,
            Self::Contact(_) | Self::Contacts(_) => ContentKind::Contact,
            Self::Media(media) => media.form.kind(),
            Self::Poll(_) => ContentKind::Poll,
            Self::Vote(_) => ContentKind::Vote,
            Self::Forward(forward) => forward.kind,
            Self::Reaction(_) => ContentKind::Reaction,
            Self::Edit(_) => ContentKind::Edit,
            Self::Revoke(_) => ContentKind::Revoke,
        }
    }

    /// The text that a person would read of it, where there is anything to read.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            Self::Link(link) => Some(link.text.as_str()),
            Self::Menu(menu) => Some(menu.text.as_str()),
            Self::Location(location) => location.text(),
            Self::Contact(card) => Some(&card.name),
            Self::Contacts(cards) => Some(&cards.names),
            Self::Media(media) => media.caption.as_deref().or(media.file_name.as_deref()),
            Self::Poll(poll) => Some(&poll.name),
            Self::Vote(vote) => vote.text.as_deref(),
            Self::Forward(forward) => forward.text.as_deref(),
            Self::Reaction(reaction) => reaction.sign.as_deref(),
            Self::Edit(edit) => Some(edit.text.as_str()),
            Self::Revoke(_) => None,
        }
    }
}

/// Kinds of messages, of ours and of others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ContentKind {
    Text,
    Image,
    Video,
    Audio,
    Document,
    Sticker,
    Location,
    Contact,
    Poll,
    Vote,
    Reaction,
    Edit,
    Revoke,
    /// Kinds that have no word here, and those that WhatsApp invents.
    Other,
}

impl ContentKind {
    pub const ALL: [Self; 14] = [
        Self::Text,
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::Document,
        Self::Sticker,
        Self::Location,
        Self::Contact,
        Self::Poll,
        Self::Vote,
        Self::Reaction,
        Self::Edit,
        Self::Revoke,
        Self::Other,
    ];

    /// `kind` in rows, lists and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
            Self::Location => "location",
            Self::Contact => "contact",
            Self::Poll => "poll",
            Self::Vote => "vote",
            Self::Reaction => "reaction",
            Self::Edit => "edit",
            Self::Revoke => "revoke",
            Self::Other => "other",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
