//! Who came into a group, and who left it: whatsmeow's `GroupInfo`, its names by the contract's rule.

use recado_model::{
    Address, EventKind,
    group::{Deed, Done, Member},
};
use serde_json::{Value, json};

/// The event of a deed; `None` where there is none.
pub(crate) fn group(done: &Done) -> Option<(EventKind, Value)> {
    let (kind, people) = match &done.deed {
        // Who is in a group that was made has been added to it.
        Deed::Made(group) => (EventKind::GroupParticipantsAdd, &group.members),
        Deed::Added(members) => (EventKind::GroupParticipantsAdd, members),
        Deed::Removed(members) => (EventKind::GroupParticipantsRemove, members),
        deed => return update(done, deed).map(|payload| (EventKind::GroupUpdate, payload)),
    };
    Some((kind, payload(done, kind, people)))
}

/// What else was done to it, in a word, with what is new.
fn update(done: &Done, deed: &Deed) -> Option<Value> {
    let people = |members: &[Member]| -> Value { members.iter().map(participant).collect() };
    let (change, field, value) = match deed {
        Deed::Promoted(members) => ("promote", "participants", people(members)),
        Deed::Demoted(members) => ("demote", "participants", people(members)),
        Deed::Requested(members) => ("join_requests", "participants", people(members)),
        Deed::Unrequested(who) => ("join_requests_withdrawn", "jids", json!(who)),
        Deed::LinkReset(code) => {
            let link = code
                .as_ref()
                .map(|code| format!("https://chat.whatsapp.com/{code}"));
            ("link", "new_invite_link", json!(link))
        }
        Deed::Named(name) => ("name", "name", json!(name)),
        Deed::Described(text) => ("description", "description", json!(text)),
        Deed::AdminsWrite(on) => ("admin_only_message", "enabled", json!(on)),
        Deed::AdminsSet(on) => ("admin_only_settings", "enabled", json!(on)),
        Deed::Approval(on) => ("approval", "enabled", json!(on)),
        Deed::MembersAdd(on) => ("members_add", "enabled", json!(on)),
        Deed::Expires(seconds) => ("expiration", "seconds", json!(seconds)),
        Deed::Ended => ("ended", "enabled", json!(true)),
        Deed::Made(_) | Deed::Added(_) | Deed::Removed(_) | Deed::Other => return None,
    };
    let by = done.by.as_ref();
    let mut event = json!({
        "jid": done.group,
        "sender": by.map(|by| &by.shown),
        "timestamp": done.at.to_rfc3339(),
        "change": change,
    });
    event[field] = value;
    Some(json!({ "event": event }))
}

fn payload(done: &Done, kind: EventKind, people: &[Member]) -> Value {
    let addresses: Vec<&Address> = people.iter().map(Member::shown).collect();
    let (mut join, mut leave) = (json!([]), json!([]));
    match kind {
        EventKind::GroupParticipantsAdd => join = json!(addresses),
        _ => leave = json!(addresses),
    }
    let by = done.by.as_ref();
    let participants: Vec<Value> = people.iter().map(participant).collect();
    json!({
        "event": {
            "jid": done.group,
            "notify": "",
            "sender": by.map(|by| &by.shown),
            "sender_pn": by.map(|by| &by.shown).filter(|by| by.number().is_some()),
            "sender_lid": by.and_then(|by| by.addresses().into_iter().find(|a| a.is_lid())),
            "timestamp": done.at.to_rfc3339(),
            "join_reason": done.reason.as_deref().unwrap_or_default(),
            "join": join,
            "leave": leave,
            "promote": [],
            "demote": [],
            // Ours: each person by every address that is known.
            "participants": participants,
        }
    })
}

fn participant(member: &Member) -> Value {
    json!({
        "jid": member.shown(),
        "phone": member.number.as_ref().and_then(Address::number),
        "lid": member.lid,
        "role": member.rank.as_str(),
    })
}
