//! What becomes of people, as the library tells it.

use recado_model::{
    Address, Result, Timestamp,
    message::Party,
    person::{Changed, PersonChange},
};
use whatsapp_rust::{
    Client, Jid,
    types::{
        events::{ContactNumberChanged, IdentityChange, PictureUpdate},
        message::MessageSource,
    },
    wacore::time::now_millis,
};

use crate::{
    Notice,
    wa::{
        address,
        journal::{Entry, What},
    },
};

fn text(jid: &Jid) -> String {
    jid.to_non_ad_string()
}

pub(in crate::wa) fn identity(event: &IdentityChange) -> Entry {
    Entry::Person {
        who: text(&event.user),
        lid: event.lid_user.as_ref().map(text),
        at: now_millis(),
        what: What::SecurityCode,
    }
}

pub(in crate::wa) fn number(event: &ContactNumberChanged) -> Entry {
    Entry::Person {
        who: text(&event.old_jid),
        lid: event.old_lid.as_ref().map(text),
        at: event.timestamp.timestamp_millis(),
        what: What::Number {
            to: text(&event.new_jid),
            lid: event.new_lid.as_ref().map(text),
        },
    }
}

pub(in crate::wa) fn picture(event: &PictureUpdate) -> Entry {
    let id = event.picture_id.clone().filter(|_| !event.removed);
    Entry::Person {
        who: text(&event.jid),
        lid: None,
        at: event.timestamp.timestamp_millis(),
        what: What::Picture {
            id,
            by: event.author.as_ref().map(text),
        },
    }
}

/// The same for the sink.
pub(super) async fn change(
    (who, lid): (&str, Option<&str>),
    at: i64,
    what: &What,
    client: Option<&Client>,
) -> Result<Notice> {
    let (who, change) = match what {
        What::SecurityCode => (party((who, lid), client).await?, Changed::SecurityCode),
        // As WhatsApp says it: by now the id leads to the new number, whoever is asked.
        What::Number { to, lid: now } => {
            let now = stated(to, now.as_deref());
            (stated(who, lid), Changed::Number { now })
        }
        What::Picture { id, by } => {
            let by = match by {
                Some(by) => Some(party((by.as_str(), None), client).await?),
                None => None,
            };
            let id = id.clone();
            (
                party((who, None), client).await?,
                Changed::Picture { id, by },
            )
        }
    };
    Ok(Notice::Person(PersonChange {
        who,
        at: Timestamp(at),
        change,
    }))
}

fn stated(who: &str, lid: Option<&str>) -> Party {
    Party {
        alt: lid.map(Address::from_wire),
        ..Party::only(Address::from_wire(who))
    }
}

/// By number where that is known.
async fn party((who, lid): (&str, Option<&str>), client: Option<&Client>) -> Result<Party> {
    let jid = |text: &str| text.parse::<Jid>().ok();
    let (Some(client), Some(who_jid)) = (client, jid(who)) else {
        return Ok(stated(who, lid));
    };
    let source = MessageSource {
        chat: who_jid.clone(),
        sender: who_jid,
        sender_alt: lid.and_then(jid),
        ..MessageSource::default()
    };
    Ok(address::of(client, &source).await?.sender)
}
