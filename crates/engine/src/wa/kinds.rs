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
mod tests {
    use recado_model::{
        change::Changed,
        content::{ContactCard, Edit, Location, Reaction, Revoke, Target, Text, Vote},
        message::Quoted,
    };
    use whatsapp_rust::waproto::{
        buffa::{Message as _, MessageField},
        whatsapp::message::protocol_message::Type,
    };

    use super::*;

    fn draft(content: Content) -> Draft {
        Draft {
            content,
            mentioned: Vec::new(),
            reply_to: None,
            expires: None,
            at: Timestamp(1),
        }
    }

    fn target() -> Target {
        Target {
            id: MessageId::from_wire("3EB0AA"),
            chat: Address::from_wire("120363@g.us"),
            sender: Address::from_wire("222@lid"),
            from_me: false,
        }
    }

    fn bytes(content: Content) -> Vec<u8> {
        make(&draft(content)).encode_to_vec()
    }

    #[test]
    fn acts_name_what_they_are_about() {
        let sign = Reaction::new(target(), "+1").expect("a sign");
        let made = make(&draft(Content::Reaction(sign.clone())));
        let made = made.reaction_message.as_option().expect("a reaction");
        assert_eq!(made.text.as_deref(), Some("\u{1f44d}"));
        let key = made.key.as_option().expect("a key");
        assert_eq!(key.remote_jid.as_deref(), Some("120363@g.us"));
        assert_eq!(key.participant.as_deref(), Some("222@lid"));
        assert_eq!(key.from_me, Some(false));
        let text = Text::new("new").expect("a text");
        let edit = Edit {
            target: Target {
                from_me: true,
                ..target()
            },
            text,
        };
        let revoke = Revoke { target: target() };
        for (content, at, what) in [
            (
                Content::Reaction(sign),
                Some(Timestamp(1)),
                Changed::Reaction(Some("\u{1f44d}".into())),
            ),
            (Content::Edit(edit), Some(Timestamp(1)), Changed::Edited),
            (Content::Revoke(revoke), None, Changed::Deleted),
        ] {
            let expected = Change {
                target: target().id,
                at,
                what,
            };
            assert_eq!(change(&bytes(content)), Some(expected));
        }
        assert_eq!(change(&bytes(text_of("hello"))), None);
        let long = Reaction {
            target: Target {
                id: MessageId::from_wire("x".repeat(256)),
                ..target()
            },
            sign: None,
        };
        assert_eq!(change(&bytes(Content::Reaction(long))), None, "of nobody's");
    }

    fn question() -> Poll {
        Poll {
            name: "Lunch?".into(),
            options: vec!["Pizza".into(), "Salad".into()],
            selectable: 1,
            hide_participant_names: false,
            end_time: Some(Timestamp(2)),
            allow_add_option: false,
        }
    }

    #[test]
    fn a_vote_opens_under_its_poll_for_its_voter_alone() {
        let asked = draft(Content::Poll(question()));
        let (poll, other) = (compose(&asked, &[7; 32]), compose(&asked, &[8; 32]));
        assert_eq!(super::poll(&poll), Some(question()));
        let [number, lid, stranger] =
            ["1@s.whatsapp.net", "111@lid", "3@s.whatsapp.net"].map(Address::from_wire);
        let voting = Voting {
            id: &target().id,
            creator: &number,
            voter: &lid,
            options: &["Salad".into()],
        };
        let ballot = seal_vote(&poll, &voting).expect("a vote");
        let vote = draft(Content::Vote(Vote::new(target(), voting.options, ballot)));
        let vote = compose(&vote, &[9; 32]);
        let made = wa::Message::decode_from_slice(&vote).expect("decodes");
        assert!(!made.message_context_info.is_set(), "nobody answers to it");
        let told = change(&vote).expect("a vote");
        assert_eq!((told.what, told.at), (Changed::Voted, Some(Timestamp(1))));
        let pairs = [
            (number.clone(), number.clone()),
            (number.clone(), lid.clone()),
        ];
        let open = |poll: &[u8], id: &MessageId, pairs: &[_]| open_vote(poll, &vote, id, pairs);
        let chosen = open(&poll, &target().id, &pairs).expect("opens");
        assert_eq!(
            (chosen.options, chosen.unknown),
            (vec!["Salad".to_owned()], 0)
        );
        assert_eq!(open(&other, &target().id, &pairs), None, "another secret");
        assert_eq!(open(&poll, &MessageId::from_wire("X"), &pairs), None);
        assert_eq!(
            open(&poll, &target().id, &[(number.clone(), stranger)]),
            None
        );
        let secretless = bytes(Content::Poll(question()));
        assert!(seal_vote(&secretless, &voting).is_err());
        assert_eq!(open(&secretless, &target().id, &pairs), None);
    }

    #[test]
    fn an_option_that_was_added_later_is_counted_and_has_no_words() {
        let poll = compose(&draft(Content::Poll(question())), &[7; 32]);
        let number = Address::from_wire("1@s.whatsapp.net");
        let voting = Voting {
            id: &target().id,
            creator: &number,
            voter: &number,
            options: &["Soup".into(), "Pizza".into()],
        };
        let ballot = seal_vote(&poll, &voting).expect("a vote");
        let vote = bytes(Content::Vote(Vote::new(target(), voting.options, ballot)));
        let pairs = [(number.clone(), number.clone())];
        let chosen = open_vote(&poll, &vote, &target().id, &pairs).expect("opens");
        assert_eq!(
            (chosen.options, chosen.unknown),
            (vec!["Pizza".to_owned()], 1)
        );
    }

    #[test]
    fn an_edit_changes_the_text_and_nothing_else() {
        let edit = bytes(Content::Edit(Edit {
            target: target(),
            text: Text::new("new").expect("a text"),
        }));
        let mut plain = make(&draft(text_of("old")));
        plain.message_context_info = MessageField::some(wa::MessageContextInfo {
            message_secret: Some(vec![7; 32]),
            ..Default::default()
        });
        let after = edited(&plain.encode_to_vec(), &edit).expect("fits");
        assert_eq!(after.text.as_deref(), Some("new"));
        plain.conversation = Some("new".into());
        assert_eq!(after.proto, plain.encode_to_vec(), "its secret stays");
        let reply = make(&Draft {
            reply_to: Some(Quoted {
                id: MessageId::from_wire("3EB0BB"),
                sender: Address::from_wire("222@lid"),
                proto: None,
                text: "asked".into(),
            }),
            ..draft(text_of("old"))
        });
        let after = edited(&reply.encode_to_vec(), &edit).expect("fits");
        let after = wa::Message::decode_from_slice(&after.proto).expect("decodes");
        let after = after.extended_text_message.as_option().expect("a reply");
        assert_eq!(after.text.as_deref(), Some("new"));
        let context = after.context_info.as_option().expect("a context");
        assert_eq!(context.stanza_id.as_deref(), Some("3EB0BB"));
        assert_eq!(edited(&bytes(place()), &edit), None, "no text");
        let image = |caption: &str| wa::Message {
            image_message: MessageField::some(wa::message::ImageMessage {
                caption: Some(caption.into()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let caption = wa::Message {
            protocol_message: MessageField::some(wa::message::ProtocolMessage {
                r#type: Some(Type::MESSAGE_EDIT),
                edited_message: MessageField::some(image("new")),
                ..Default::default()
            }),
            ..Default::default()
        };
        let after = edited(&image("old").encode_to_vec(), &caption.encode_to_vec());
        assert_eq!(after.expect("fits").proto, image("new").encode_to_vec());
    }

    fn text_of(body: &str) -> Content {
        Content::Text(Text::new(body).expect("a text"))
    }

    fn place() -> Content {
        let name = Some("Sé".to_owned());
        Content::Location(Location::new(-23.55, -46.633, name, None).expect("a place"))
    }

    #[test]
    fn what_we_make_is_read_as_what_it_is() {
        let card = ContactCard::new("Ana", "+5511988880002").expect("a card");
        for content in [text_of("hello"), place(), Content::Contact(card)] {
            let (kind, shown) = (content.kind(), content.text().map(str::to_owned));
            let read = read(&make(&draft(content))).expect("content");
            assert_eq!((read.kind, read.text), (kind, shown));
        }
    }

    #[test]
    fn plain_texts_stay_plain_and_replies_quote() {
        let plain = make(&draft(text_of("hello")));
        assert_eq!(plain.conversation.as_deref(), Some("hello"));
        let quoted = Quoted {
            id: MessageId::from_wire("3EB0BB"),
            sender: Address::from_wire("5511888888888@s.whatsapp.net"),
            proto: Some(make(&draft(place())).encode_to_vec()),
            text: "Sé".into(),
        };
        let made = make(&Draft {
            content: text_of("there?"),
            mentioned: vec![Address::from_wire("5511888888888@s.whatsapp.net")],
            reply_to: Some(quoted.clone()),
            expires: None,
            at: Timestamp(1),
        });
        let made = made.extended_text_message.as_option().expect("a text");
        assert_eq!(made.text.as_deref(), Some("there?"));
        let context = made.context_info.as_option().expect("a context");
        assert_eq!(context.stanza_id.as_deref(), Some("3EB0BB"));
        assert_eq!(context.mentioned_jid, ["5511888888888@s.whatsapp.net"]);
        let inner = context.quoted_message.as_option().expect("a quote");
        assert!(inner.location_message.is_set(), "what it quotes, whole");
        // A message that is not kept any more is quoted by its text, whatever answers it.
        let made = make(&Draft {
            reply_to: Some(Quoted {
                proto: None,
                ..quoted
            }),
            ..draft(place())
        });
        let made = made.location_message.as_option().expect("a place");
        let context = made.context_info.as_option().expect("a context");
        let inner = context.quoted_message.as_option().expect("a quote");
        assert_eq!(inner.conversation.as_deref(), Some("Sé"));
    }

    #[test]
    fn kinds_and_texts() {
        let text = wa::Message {
            conversation: Some("hello".into()),
            ..Default::default()
        };
        let image = wa::Message {
            image_message: MessageField::some(wa::message::ImageMessage {
                caption: Some("look".into()),
                ..Default::default()
            }),
            ..Default::default()
        };
        let protocol = |kind, edited| wa::Message {
            protocol_message: MessageField::some(wa::message::ProtocolMessage {
                r#type: Some(kind),
                edited_message: edited,
                ..Default::default()
            }),
            ..Default::default()
        };
        let revoke = protocol(Type::REVOKE, MessageField::none());
        let edit = protocol(Type::MESSAGE_EDIT, MessageField::some(text.clone()));
        let setting = protocol(Type::EPHEMERAL_SETTING, MessageField::none());
        for (message, kind, text) in [
            (&text, ContentKind::Text, Some("hello")),
            (&image, ContentKind::Image, Some("look")),
            (&revoke, ContentKind::Revoke, None),
            (&edit, ContentKind::Edit, Some("hello")),
            (&setting, ContentKind::Other, None),
        ] {
            let read = read(message).expect("content");
            assert_eq!((read.kind, read.text.as_deref()), (kind, text));
        }
    }

    #[test]
    fn what_devices_say_to_each_other_is_no_message() {
        let keys = wa::Message {
            sender_key_distribution_message: MessageField::some(
                wa::message::SenderKeyDistributionMessage {
                    group_id: Some("120363@g.us".into()),
                    ..Default::default()
                },
            ),
            ..Default::default()
        };
        assert_eq!(read(&keys), None);
        let sync = wa::Message {
            protocol_message: MessageField::some(wa::message::ProtocolMessage {
                r#type: Some(Type::APP_STATE_SYNC_KEY_SHARE),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(read(&sync), None);
        assert_eq!(read(&wa::Message::default()), None);
    }
}
