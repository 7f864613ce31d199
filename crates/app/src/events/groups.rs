//! Who came into a group, and who left it: whatsmeow's `GroupInfo`, its names by the contract's rule.

use recado_model::{
    Address, EventKind,
    group::{Deed, Done, Member},
};
use serde_json::{Value, json};

/// The event of a deed; `None` where there is none of the contract's.
pub(crate) fn group(done: &Done) -> Option<(EventKind, Value)> {
    let (kind, people) = match &done.deed {
        // Who is in a group that was made has been added to it.
        Deed::Made(group) => (EventKind::GroupParticipantsAdd, &group.members),
        Deed::Added(members) => (EventKind::GroupParticipantsAdd, members),
        Deed::Removed(members) => (EventKind::GroupParticipantsRemove, members),
        _ => return None,
    };
    Some((kind, payload(done, kind, people)))
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
