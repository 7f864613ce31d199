//! What the account's devices tell each other of chats and people (app state): the library's events to entries of the
//! journal, and those to [`Synced`].

use recado_model::{
    Address, MessageId, Result, Timestamp,
    chat::{ChatAct, ChatUpdate, ContactUpdate, Label, Labelling, MessageRange, Mute, Synced},
    message::Party,
};
use whatsapp_rust::{
    Client, Jid, OwnedNodeRef,
    types::{
        events::{Event, LabelEditUpdate},
        message::MessageSource,
    },
    wacore::{appstate::patch_decode::WAPatchName, types::LearningSource},
    waproto::whatsapp::sync_action_value::SyncActionMessageRange,
};

use super::{address, journal::Entry, payload::LONGEST_ID};

/// Times below it are seconds.
const MILLIS_FROM: i64 = 100_000_000_000;
/// Of one act; WhatsApp's programs name a handful.
const NAMED_MOST: usize = 256;
/// Ids of labels are short numbers, names a few words.
const LABEL_MOST: usize = 40;
const LABEL_NAME_MOST: usize = 1_000;

/// `None` of an event that is none of these, or says nothing.
pub(super) fn entry(event: &Event) -> Option<Entry> {
    let (jid, at, act, range) = match event {
        Event::ArchiveUpdate(told) => {
            let act = ChatAct::Archive(told.action.archived?);
            (&told.jid, told.timestamp, act, None)
        }
        Event::PinUpdate(told) => {
            let act = ChatAct::Pin(told.action.pinned?);
            (&told.jid, told.timestamp, act, None)
        }
        Event::MuteUpdate(told) => {
            let (muted, until) = (told.action.muted?, told.action.mute_end_timestamp);
            (
                &told.jid,
                told.timestamp,
                ChatAct::Mute(mute(muted, until)),
                None,
            )
        }
        Event::MarkChatAsReadUpdate(told) => {
            let act = ChatAct::Read(told.action.read?);
            let range = told.action.message_range.as_option();
            (&told.jid, told.timestamp, act, range)
        }
        Event::ClearChatUpdate(told) => {
            let media = told.delete_media;
            let range = told.action.message_range.as_option();
            (&told.jid, told.timestamp, ChatAct::Clear { media }, range)
        }
        Event::DeleteChatUpdate(told) => {
            let media = told.delete_media;
            let range = told.action.message_range.as_option();
            (&told.jid, told.timestamp, ChatAct::Delete { media }, range)
        }
        Event::ContactUpdate(told) => {
            let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
            let alt = [&told.action.pn_jid, &told.action.lid_jid];
            let is_other = |alt: &String| *alt != told.jid.to_string();
            return Some(Entry::Contact {
                who: told.jid.to_string(),
                alt: alt.into_iter().filter_map(text).find(is_other),
                full_name: text(&told.action.full_name),
                first_name: text(&told.action.first_name),
            });
        }
        Event::LabelEditUpdate(told) => return label(told),
        Event::LabelAssociationUpdate(told) => {
            let fits = told.label_id.len() <= LABEL_MOST;
            return fits.then(|| Entry::Labelled {
                chat: told.chat_jid.to_string(),
                label: told.label_id.clone(),
                on: told.action.labeled == Some(true),
            });
        }
        _ => return None,
    };
    let until = range.and_then(|range| range.last_message_timestamp);
    let until = until.filter(|until| *until > 0).map(|until| match until {
        until if until < MILLIS_FROM => until.saturating_mul(1_000),
        until => until,
    });
    Some(Entry::Chat {
        chat: jid.to_string(),
        act,
        until: until.unwrap_or_else(|| at.timestamp_millis()),
        ids: range.map(ids).unwrap_or_default(),
    })
}

/// The versions of collections that WhatsApp speaks of, in its notices and in its answers.
pub(super) fn versions(node: &OwnedNodeRef) -> Vec<(String, u64)> {
    let node = node.get();
    let all = match node.tag.as_ref() {
        "notification"
            if node.attrs().optional_string("type").as_deref() == Some("server_sync") =>
        {
            node.children()
        }
        "iq" => node
            .get_optional_child("sync")
            .and_then(|sync| sync.children()),
        _ => None,
    };
    let collections = all.unwrap_or_default().iter();
    let collections = collections.filter(|child| child.tag.as_ref() == "collection");
    let read = collections.filter_map(|collection| {
        let mut attrs = collection.attrs();
        let name = attrs.optional_string("name")?.to_string();
        let version = attrs
            .optional_u64("version")
            .filter(|version| *version > 0)?;
        is_known(&name).then_some((name, version))
    });
    read.collect()
}

/// Whether the library fetches a collection of that name.
fn is_known(name: &str) -> bool {
    !matches!(
        name.parse::<WAPatchName>(),
        Err(()) | Ok(WAPatchName::Unknown)
    )
}

/// -1 is for ever; 0, and nothing, as well where it is muted.
fn mute(muted: bool, until: Option<i64>) -> Mute {
    match until.unwrap_or_default() {
        _ if !muted => Mute::Off,
        until if until <= 0 => Mute::Forever,
        until if until < MILLIS_FROM => Mute::Until(Timestamp(until.saturating_mul(1_000))),
        until => Mute::Until(Timestamp(until)),
    }
}

fn ids(range: &SyncActionMessageRange) -> Vec<String> {
    let keys = range
        .messages
        .iter()
        .filter_map(|message| message.key.as_option());
    let ids = keys.filter_map(|key| key.id.clone());
    ids.filter(|id| id.len() <= LONGEST_ID)
        .take(NAMED_MOST)
        .collect()
}

fn label(told: &LabelEditUpdate) -> Option<Entry> {
    let action = &told.action;
    let name = action.name.clone().unwrap_or_default();
    let fits = told.label_id.len() <= LABEL_MOST && name.len() <= LABEL_NAME_MOST;
    let is_deleted = action.deleted == Some(true);
    fits.then(|| Entry::Label {
        id: told.label_id.clone(),
        name: (!is_deleted).then_some(name),
        color: action.color.unwrap_or_default(),
    })
}

/// `None` of an entry of another kind.
pub(super) async fn of(entry: &Entry, client: Option<&Client>) -> Result<Option<Synced>> {
    Ok(Some(match entry {
        Entry::Chat {
            chat,
            act,
            until,
            ids,
        } => Synced::Chat(ChatUpdate {
            chat: party(chat, None, client).await?,
            act: *act,
            range: MessageRange {
                until: Timestamp(*until),
                ids: ids.iter().map(MessageId::from_wire).collect(),
            },
        }),
        Entry::Contact {
            who,
            alt,
            full_name,
            first_name,
        } => Synced::Contact(ContactUpdate {
            who: party(who, alt.as_deref(), client).await?,
            full_name: full_name.clone(),
            first_name: first_name.clone(),
        }),
        Entry::Label { id, name, color } => match name.clone() {
            Some(name) => Synced::Label(Label {
                id: id.clone(),
                name,
                color: *color,
            }),
            None => Synced::LabelDeleted(id.clone()),
        },
        Entry::Labelled { chat, label, on } => Synced::Labelled(Labelling {
            chat: party(chat, None, client).await?,
            label: label.clone(),
            on: *on,
        }),
        _ => return Ok(None),
    }))
}

async fn party(text: &str, alt: Option<&str>, client: Option<&Client>) -> Result<Party> {
    let jid = |text: &str| text.parse::<Jid>().ok();
    let Some(who) = jid(text) else {
        return Ok(Party::only(Address::from_wire(text)));
    };
    let alt = alt.and_then(jid);
    if let (Some(client), Some(alt)) = (client, &alt) {
        learn(client, &who, alt).await;
    }
    let source = MessageSource {
        chat: who.clone(),
        sender: who,
        sender_alt: alt,
        ..MessageSource::default()
    };
    Ok(match client {
        Some(client) => address::of(client, &source).await?.chat,
        None => address::as_stated(&source).chat,
    })
}

/// The library passes over what the address book says of who is who.
async fn learn(client: &Client, one: &Jid, other: &Jid) {
    let (lid, number) = match (one.is_lid(), other.is_lid()) {
        (true, false) => (one, other),
        (false, true) => (other, one),
        _ => return,
    };
    let learnt = client
        .add_lid_pn_mapping(&lid.user, &number.user, LearningSource::Other)
        .await;
    if let Err(error) = learnt {
        tracing::debug!(%error, "who is who could not be told to the library");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mute_is_read_in_each_of_its_forms() {
        for (muted, until, expected) in [
            (false, Some(-1), Mute::Off),
            (true, Some(-1), Mute::Forever),
            (true, None, Mute::Forever),
            (
                true,
                Some(1_700_000_000),
                Mute::Until(Timestamp(1_700_000_000_000)),
            ),
            (
                true,
                Some(1_700_000_000_123),
                Mute::Until(Timestamp(1_700_000_000_123)),
            ),
        ] {
            assert_eq!(mute(muted, until), expected);
        }
    }
}
