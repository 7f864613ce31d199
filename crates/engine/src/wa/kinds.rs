//! Kinds of messages: one file each, for both ways.
//!
//! A file says what a message of its kind is made of (`make`, of ours) and what a person reads in one
//! (`read`, of anybody's). To add one: ARCHITECTURE.md, "A kind of message".

mod audio;
mod contact;
mod context;
mod document;
mod edit;
mod forward;
mod image;
mod key;
mod link;
mod location;
mod medium;
mod menu;
mod other;
mod poll;
mod reaction;
mod revoke;
mod sticker;
mod text;
mod timer;
mod video;
mod vote;

use recado_model::{
    Address, Content, ContentKind, Error, MediaClass, MediaRef, MessageId, Result, Timestamp,
    change::{Change, Edited},
    content::{Ballot, Chosen, Media, Poll, Tap, Voting},
    media::FilledMedia,
    message::{Draft, Timer},
};
use whatsapp_rust::{
    wacore::reporting_token::REPORTING_TOKEN_VERSION,
    waproto::{
        buffa::{Message as _, MessageField},
        whatsapp as wa,
    },
};

use super::payload;

/// The essence of a message: its kind, and the text a person would read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub kind: ContentKind,
    pub text: Option<String>,
}

/// Each knows its own kind; `other` is asked last.
const READERS: [fn(&wa::Message) -> Option<Read>; 14] = [
    text::read,
    menu::read,
    image::read,
    video::read,
    audio::read,
    document::read,
    sticker::read,
    location::read,
    contact::read,
    poll::read,
    vote::read,
    reaction::read,
    edit::read,
    revoke::read,
];

/// `None` for what only devices say to each other (keys, sync, receipts in message form): no person
/// ever sees it, so neither do subscribers. Takes the message without its wrappers.
pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let known = READERS.iter().find_map(|read| read(message));
    known.or_else(|| other::read(message))
}

/// The finished message: with its secret, or the engine would give each try another one, and a phone that
/// asks for a resend none.
pub(super) fn compose(draft: &Draft, secret: &[u8; 32]) -> Vec<u8> {
    let mut message = make(draft);
    timer::set(&mut message, draft.expires);
    // Nobody answers to a reaction or a vote; programs send none with theirs.
    if message.reaction_message.is_set() || message.poll_update_message.is_set() {
        return message.encode_to_vec();
    }
    message.message_context_info = MessageField::some(wa::MessageContextInfo {
        message_secret: Some(secret.to_vec()),
        // The engine adds it on the way out, and does not keep it: a resend would lack it.
        reporting_token_version: Some(REPORTING_TOKEN_VERSION),
        ..Default::default()
    });
    message.encode_to_vec()
}

/// The message as WhatsApp is to get it, but for its secret.
fn make(draft: &Draft) -> wa::Message {
    let context = context::of(draft);
    match &draft.content {
        Content::Text(text) => text::make(text, context),
        Content::Link(link) => link::make(link, context),
        Content::Menu(menu) => menu::make(menu, context),
        Content::Location(location) => location::make(location, context),
        Content::Contact(card) => contact::make(card, context),
        Content::Contacts(cards) => contact::make_several(cards, context),
        Content::Media(media) => make_media(media, context),
        Content::Poll(poll) => poll::make(poll, context),
        Content::Vote(vote) => vote::make(vote, draft.at),
        Content::Forward(forward) => forward::make(forward),
        Content::Reaction(reaction) => reaction::make(reaction, draft.at),
        Content::Edit(edit) => edit::make(edit, context, draft.at),
        Content::Revoke(revoke) => revoke::make(revoke),
    }
}

/// Without what only the upload tells: [`fill`] adds it.
fn make_media(media: &Media, context: Option<wa::ContextInfo>) -> wa::Message {
    let make = match media.form.class() {
        MediaClass::Image => image::make,
        MediaClass::Video => video::make,
        MediaClass::Audio => audio::make,
        MediaClass::Document => document::make,
        MediaClass::Sticker => sticker::make,
    };
    make(media, context)
}

/// The medium that a message names, in whatever wrappers.
pub(super) fn named(proto: &[u8]) -> Option<MediaRef> {
    let message = wa::Message::decode_from_slice(proto).ok()?;
    let (message, _) = payload::unwrap(&message);
    let kinds = [
        image::named,
        video::named,
        audio::named,
        document::named,
        sticker::named,
    ];
    kinds.into_iter().find_map(|named| named(message))
}

/// A message of ours with all that is known of its medium once that is sealed and uploaded.
pub(super) fn fill(proto: &[u8], medium: &FilledMedia) -> Result<Vec<u8>> {
    let mut message = wa::Message::decode_from_slice(proto).map_err(Error::internal)?;
    let inner = medium::inner(&mut message);
    let kinds = [
        image::fill,
        video::fill,
        audio::fill,
        document::fill,
        sticker::fill,
    ];
    let filled = kinds.into_iter().find_map(|fill| fill(inner, medium));
    filled.ok_or_else(|| Error::internal("a message without a medium is to be filled with one"))?;
    Ok(message.encode_to_vec())
}

/// What a message does to an earlier one.
pub(super) fn change(proto: &[u8]) -> Option<Change> {
    changes(&wa::Message::decode_from_slice(proto).ok()?)
}

/// The same of a message without its wrappers.
pub(super) fn changes(message: &wa::Message) -> Option<Change> {
    let all = [reaction::change, edit::change, revoke::change, vote::change];
    all.into_iter().find_map(|change| change(message))
}

/// The option of a menu that a message without its wrappers taps.
pub(super) fn tap(message: &wa::Message) -> Option<Tap> {
    menu::tap(message)
}

/// What a message without its wrappers says of its chat's timer.
pub(super) fn timer(message: &wa::Message, at: Timestamp) -> Option<Timer> {
    timer::told(message, at)
}

/// A message made ready to be passed on.
pub(super) fn forward(proto: &[u8], own: bool) -> Option<Vec<u8>> {
    forward::ready(proto, own)
}

/// A finished message with the timer of its chat.
pub(super) fn time(proto: &[u8], seconds: u32) -> Result<Vec<u8>> {
    let mut message = wa::Message::decode_from_slice(proto).map_err(Error::internal)?;
    timer::set(&mut message, Some(seconds));
    Ok(message.encode_to_vec())
}

/// What can be chosen of a poll.
pub(super) fn poll(proto: &[u8]) -> Option<Poll> {
    poll::sheet(&wa::Message::decode_from_slice(proto).ok()?)
}

pub(super) fn seal_vote(poll: &[u8], voting: &Voting<'_>) -> Result<Ballot> {
    vote::seal(poll, voting)
}

pub(super) fn open_vote(
    poll: &[u8],
    vote: &[u8],
    id: &MessageId,
    pairs: &[(Address, Address)],
) -> Option<Chosen> {
    vote::open(poll, vote, id, pairs)
}

/// What a message holds after an edit of it.
pub(super) fn edited(original: &[u8], message: &[u8]) -> Option<Edited> {
    let original = wa::Message::decode_from_slice(original).ok()?;
    edit::applied(original, &wa::Message::decode_from_slice(message).ok()?)
}

fn some(kind: ContentKind, text: Option<String>) -> Option<Read> {
    let text = text.filter(|text| !text.is_empty());
    Some(Read { kind, text })
}

#[cfg(test)]
mod tests;
