//! What a message is made of and what is read of it, kind by kind.

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
    let own = Revoke {
        target: Target {
            from_me: true,
            ..target()
        },
    };
    for (content, at, what) in [
        (
            Content::Reaction(sign),
            Some(Timestamp(1)),
            Changed::Reaction(Some("\u{1f44d}".into())),
        ),
        (Content::Edit(edit), Some(Timestamp(1)), Changed::Edited),
        (
            Content::Revoke(revoke),
            None,
            Changed::DeletedByAdmin(target().sender),
        ),
        (Content::Revoke(own), None, Changed::Deleted),
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
