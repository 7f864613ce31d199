//! `docs/events.md`: every kind, with a sample made by the very functions that make events.

use recado_model::{
    Address, ChatId, ContactId, ContentKind, Direction, EventKind, Failure, InstanceId, MessageId,
    MessageKey, MessageStatus, StateReason, Timestamp,
    chat::{SyncTrouble, TroubleCause},
    failure,
    group::{Deed, Done, Member, Rank},
    history::{Frame, FrameEnd, FrameKind},
    message::{
        Arrival, InboundMessage, InboundReceipt, InboundTyping, Party, ReceiptState, Rendered,
    },
    person::{CallStep, Changed, InboundCall, InboundPresence, PersonChange},
};
use recado_store::{FrameState, MessageRow};
use serde_json::{Value, json};

use super::{
    Beside, Counts, Unread, app_state, call, call_ended, connected, disconnected, failed, group,
    history, identity, message, missed, number_changed, picture, presence, receipt, typing,
    undecryptable,
};
use crate::past::HistoryStanding;

const AT: Timestamp = Timestamp(1_767_225_600_000);
const INSTANCE: &str = "RCABCDEFGHIJKLMNOPQRSTUVWXYZ";
const HEAD: &str = "# Events\n\nMade from the program; do not edit.\n\nA webhook receives each event as the JSON below, by POST, signed after Standard Webhooks 1.0.0\n(`webhook-id`, `webhook-timestamp`, `webhook-signature`; the secret is the `signing_secret` that\n`POST /instances/{id}/webhook` answers), with the instance in `X-Instance-ID`. Delivery is at least\nonce: drop what you have seen by `webhook-id`. Anything but a 2xx is tried again, ten times over\nabout three days; 410 ends it at once.\n";

/// What is done to a message is told as the contract has it; the names of our own for it are to come.
const RESERVED: &str = "\n## Names that are reserved\n\nWhat is done to an earlier message (a reaction, an edit, a deletion, a vote) is a `Message` event in the contract's\nshape: the id of the earlier one is in `message.reaction_message.key.id`, `message.protocol_message.key.id` (an edit\nhas `edited_message` beside it) or `message.poll_update_message.poll_creation_message_key.id`. `MessageEdited`,\n`MessageDeleted`, `Reaction` and `PollVote` are reserved for events that say the same by themselves. They will go to\nthose who name them; `All` keeps meaning the contract's events and `MessageFailed`. They cannot be subscribed to yet.\n";

type Sample = (EventKind, &'static str, Value);

fn ana() -> Party {
    Party {
        alt: Some(Address::from_wire("222222222222222@lid")),
        ..Party::only(Address::from_wire("5511999999999@s.whatsapp.net"))
    }
}

fn own() -> Address {
    Address::from_wire("5511888888888@s.whatsapp.net")
}

fn id() -> MessageId {
    MessageId::from_wire("3EB0C431D2A1F7E0B5A9D3C2E1F00A1B")
}

/// The whole document.
pub fn document() -> String {
    let mut out = String::from(HEAD);
    let samples = messages().into_iter().chain(groups());
    let samples = samples.chain(connection()).chain(unsent());
    let samples = samples.chain(people()).chain(changes()).chain([past()]);
    for (kind, text, mut payload) in samples {
        payload["type"] = json!(kind.as_str());
        payload["instance_id"] = json!(INSTANCE);
        out.push_str(&format!(
            "\n## {}\n\n{text}\n\n```json\n{payload:#}\n```\n",
            kind.as_str()
        ));
    }
    let apart: Vec<_> = EventKind::ALL
        .into_iter()
        .filter(|kind| !kind.is_wanted_by(&[EventKind::All]))
        .map(|kind| format!("`{}`", kind.as_str()))
        .collect();
    let quiet: Vec<_> = EventKind::ALL
        .into_iter()
        .filter(|kind| *kind != EventKind::All && !out.contains(&format!("## {}\n", kind.as_str())))
        .map(|kind| format!("`{}`", kind.as_str()))
        .collect();
    out.push_str(&format!(
        "\n## Names that can be subscribed to and are not emitted yet\n\n{}. `All` subscribes to everything but {}.\n",
        quiet.join(", "),
        apart.join(", ")
    ));
    out.push_str(RESERVED);
    out
}

fn messages() -> [Sample; 3] {
    let incoming = InboundMessage {
        instance: InstanceId::from_text(INSTANCE),
        id: id(),
        chat: ana(),
        sender: ana(),
        from_me: false,
        push_name: Some("Ana".into()),
        kind: ContentKind::Text,
        text: Some("Hello".into()),
        tap: None,
        timer: None,
        about: None,
        at: AT,
        proto: Vec::new(),
        rendered: Rendered {
            message: json!({ "conversation": "Hello" }),
            stanza_type: "text".into(),
            media_type: String::new(),
        },
        arrival: Arrival::default(),
    };
    let seen = InboundReceipt {
        chat: ana(),
        sender: ana(),
        from_me: false,
        ids: vec![id()],
        state: ReceiptState::Read,
        at: AT,
    };
    let types = InboundTyping {
        chat: ana(),
        sender: ana(),
        state: "composing".into(),
        media: String::new(),
    };
    [
        (
            EventKind::Message,
            "A message came in, or one of yours was taken by WhatsApp (`is_from_me`). `message` holds WhatsApp's own\nfields, in snake_case: `conversation`, `extended_text_message`, `image_message`, `location_message`, … One that\ncame in has more fields of WhatsApp's in `info`, and beside it the wrappers that it came in (`is_ephemeral`, …).\nAn answer to buttons or a list (a tap, or the number of an option) has `choice: {message_id, id, text}` beside\n`message`: what was chosen of which message. A vote has `poll_vote: {poll_id, decrypted, selected_options,\nunknown_options, counted, totals: [{option, votes}]}`: what that person has chosen of which poll by now, and how the\npoll stands; `[]` is a vote that was taken back. `unknown_options` is how many more options were chosen that were\nadded to the poll later. `counted` is false where a later vote of that person is known, the poll was over, or takes fewer\noptions. A vote that cannot be read has `poll_vote: {poll_id, decrypted: false, reason}`, where `reason` is\n`unknown_poll`, `poll_deleted` or `not_opened`. One that came before its poll counts with it: the event of that poll\nhas `poll: {totals}`.\nOne that came in with a medium has `media_url` beside `event`: a link to its bytes, for whoever has it, for some days\n(`media.link_days`). `media_error` says why they are not fetched, or not yet.",
            message(&incoming, &Beside::default()),
        ),
        (
            EventKind::ReadReceipt,
            "`state` is `Delivered`, `Read` (by the recipient) or `ReadSelf` (on your own phone).",
            receipt(&seen, &seen.ids).unwrap_or_default(),
        ),
        (
            EventKind::ChatPresence,
            "Someone types (`composing`), records (`media` is `audio`) or stops (`paused`).",
            typing(&types),
        ),
    ]
}

fn past() -> Sample {
    let frame = Frame {
        name: String::new(),
        kind: FrameKind::Recent,
        chunk_order: Some(2),
        progress: Some(60),
        request: None,
        digest: String::new(),
    };
    let counts = Counts {
        chats: 20,
        messages: 312,
        fresh: 310,
        names: 0,
    };
    let standing = HistoryStanding {
        announced: 4,
        came: 3,
        progress: Some(60),
        open: true,
        ..HistoryStanding::default()
    };
    let end = FrameEnd::default();
    (
        EventKind::HistorySync,
        "A frame of what the phone sends of its past is stored: when it was linked, as the setting `history` wants it, and\nwhen it was asked (`POST chats/{phone}/history`: `request_id` is the one that was answered). Messages of the past make\nno `Message` events. `sync_type` is `initial_bootstrap`, `recent`, `full`, `push_name`, `on_demand` or another of\nWhatsApp's. `chunk_order` counts the frames of a type; `progress` is the phone's own, in percent; both may be `null`.\n`new_messages` were not here before. `exhausted`: the phone has nothing older of any of these chats. `damaged`: not all of\nit could be read. `history` is how it stands by now: `announced` frames by the phone, of which so many were `received`\nand so many are still `waiting`; `state` is `none`, `running`, `complete` or `incomplete`.\nOnce nothing has come for a quarter of an hour and something is missing, it is told with `sync_type: null` and\n`gap: {missing, left_out, damaged, progress}`: frames that were announced and did not come, numbers that are left out, frames\nthat could not be read, and the last `progress` where that is below 100, else `null`. A frame cannot be asked for again.",
        history(&frame, FrameState::Stored, end, &counts, &standing),
    )
}

fn people() -> [Sample; 4] {
    let seen = InboundPresence {
        who: ana(),
        available: false,
        last_seen: Some(AT),
    };
    let rings = InboundCall {
        id: "A1B2C3D4E5F60718293A4B5C6D7E8F90".into(),
        who: ana(),
        creator: "222222222222222@lid".into(),
        from: "222222222222222@lid".into(),
        video: false,
        group: None,
        at: AT,
        step: CallStep::Offer,
    };
    [
        (
            EventKind::Presence,
            "Somebody whom you asked to hear of (`POST user/presence`) came (`state` is `online`) or went (`offline`).\n`last_seen` is `null` where they hide it. WhatsApp tells it only to numbers that show themselves: the setting\n`presence: available`.",
            presence(&seen),
        ),
        (
            EventKind::CallOffer,
            "Somebody calls. `rejected`: it was declined at once, as the setting `reject_calls` wants it. Told while it rings\nor not at all. Sent only to those who name it.",
            call(&rings, true),
        ),
        (
            EventKind::CallTerminate,
            "A call is over. `reason` is WhatsApp's word, where it says one: `accepted_elsewhere`, `rejected_elsewhere`,\n`timeout`. Sent only to those who name it.",
            call_ended(&rings, Some("timeout")),
        ),
        (
            EventKind::MissedCall,
            "Somebody called, and nobody took it: it was neither taken nor declined on any device, nor by the setting. Also of a\ncall that rang while the instance was offline. Sent only to those who name it.",
            missed(&rings),
        ),
    ]
}

/// What becomes of people, and of pictures.
fn changes() -> [Sample; 3] {
    let change = |change| PersonChange {
        who: ana(),
        at: AT,
        change,
    };
    let now = Party {
        alt: ana().alt,
        ..Party::only(Address::from_wire("5511777777777@s.whatsapp.net"))
    };
    let number = Changed::Number { now: now.clone() };
    let id = Some("1767225600".to_owned());
    let picture_changed = Changed::Picture {
        id: id.clone(),
        by: None,
    };
    [
        (
            EventKind::IdentityChange,
            "Somebody has another security code: another phone, or WhatsApp installed anew. Chats show it as\n`identity_changed_at`. Sent only to those who name it.",
            identity(&change(Changed::SecurityCode)),
        ),
        (
            EventKind::ContactNumberChanged,
            "Somebody has another number. Their chat goes on under it, and the old one leads to it as well. Sent only to those\nwho name it.",
            number_changed(&change(number), &now),
        ),
        (
            EventKind::PictureUpdate,
            "Somebody has another picture, or a group (`is_group`; `author` is who set it). `removed`: there is none any more.\n`POST user/avatar` has it. Sent only to those who name it.",
            picture(&change(picture_changed), id.as_deref(), None),
        ),
    ]
}

fn groups() -> Vec<Sample> {
    let ana = ana();
    let member = Member {
        address: Address::from_wire("222222222222222@lid"),
        number: Some(ana.shown.clone()),
        lid: ana.alt.clone(),
        rank: Rank::Member,
    };
    let done = |deed| Done {
        group: Address::from_wire("120363000000000000@g.us"),
        by: Some(Party::only(own())),
        at: AT,
        reason: None,
        deed,
    };
    let texts = [
        "People came into a group: by somebody, or by themselves (`join_reason` is `invite`). Also of a group that was just\nmade, with all that are in it. The fields are whatsmeow's `GroupInfo`; `join` names people by number where it is known,\n`participants`, ours, by all their addresses. `sender` is who did it.",
        "People left a group, or were removed: `leave` names them. Whoever left is the `sender`. This number may be among them.",
        "Something else was done to a group; `change` says what, and beside it is what is new: `name`, `description`,\n`admin_only_message`, `admin_only_settings`, `approval`, `members_add` (with `enabled`), `expiration` (`seconds`), `link`\n(`new_invite_link`), `promote`, `demote` and `join_requests` (`participants`), `join_requests_withdrawn` (`jids`),\n`ended`. Sent only to those who name it.",
    ];
    let deeds = [
        done(Deed::Added(vec![member.clone()])),
        done(Deed::Removed(vec![member.clone()])),
        done(Deed::Requested(vec![member])),
    ];
    let told = deeds.iter().filter_map(group);
    told.zip(texts)
        .map(|((kind, payload), text)| (kind, text, payload))
        .collect()
}

fn connection() -> [Sample; 2] {
    [
        (
            EventKind::Connected,
            "The instance is online.",
            connected(Some("5511888888888"), Some(&own()), Some("Shop")),
        ),
        (
            EventKind::Disconnected,
            "It is not; `what_to_do` says what helps.",
            disconnected(StateReason::LoggedOutByPhone),
        ),
    ]
}

fn unsent() -> [Sample; 3] {
    let row = MessageRow {
        key: MessageKey::from_text(""),
        instance: InstanceId::from_text(INSTANCE),
        id: id(),
        chat_id: ChatId::from_text(""),
        chat: ana().shown,
        sender_id: ContactId::from_text(""),
        sender: own(),
        wire_chat: ana().wire,
        wire_sender: own(),
        direction: Direction::Out,
        push_name: None,
        kind: ContentKind::Text,
        text: None,
        status: MessageStatus::Failed,
        failure: None,
        queue_id: Some(17),
        digest: None,
        tried: true,
        at: AT,
        sent_at: None,
        edited_at: None,
        deleted_at: None,
        created_at: AT,
        updated_at: AT,
    };
    let unread = Unread {
        id: &MessageId::from_wire("3EB0D542E3B2A8F1C6BAE4D3F2A11B2C"),
        chat: &ana(),
        sender: &ana(),
        from_me: false,
        at: AT,
        unavailable: false,
    };
    let trouble = SyncTrouble {
        collection: "regular_high".into(),
        cause: TroubleCause::Broken,
        tries: 1,
    };
    [
        (
            EventKind::MessageFailed,
            "A message of yours will not be sent: `code` (WhatsApp's number, or a word of ours), `meaning` and `what_to_do` say why. Sent to those who name it or take `All`.",
            failed(&row, &Failure::of(failure::NOT_ON_WHATSAPP), AT),
        ),
        (
            EventKind::UndecryptableMessage,
            "A message came that could not be read, and was asked for again; what comes then is a `Message` with the same id. With `unavailable` it does not come: the phone alone has it. Sent only to those who name it.",
            undecryptable(&unread),
        ),
        (
            EventKind::AppStateSyncFailed,
            "What the phone does to chats, labels and its address book is not heard of any more (`state` is `failing`), of one\nof WhatsApp's collections: `cause` is `broken` where what came cannot be read, `refused` where WhatsApp does not hand\nit out. The gateway fetches all of it anew, with growing pauses, and what was missed comes then (`recovered`).\n`GET session/status` shows it meanwhile as `sync_troubles`. Sent only to those who name it.",
            app_state(&trouble.collection, Some(&trouble)),
        ),
    ]
}
