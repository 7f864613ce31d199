//! What was done to groups, as the library tells it.

use recado_model::{
    Address, Timestamp,
    group::{Deed, Done, Member, Rank},
    message::Party,
};
use whatsapp_rust::{
    Jid, OwnedNodeRef,
    types::events::GroupUpdate,
    wacore::stanza::groups::{
        GroupNotificationAction as Action, GroupParticipantInfo, GroupParticipantType,
    },
    wacore_binary::{Node, marshal::marshal, util::unpack},
};

use crate::{
    Notice,
    wa::{journal::Entry, roster::whole},
};

fn address(jid: &Jid) -> Address {
    Address::from_wire(jid.to_non_ad_string())
}

fn members(people: &[GroupParticipantInfo]) -> Vec<Member> {
    let member = |one: &GroupParticipantInfo| {
        let is_lid = one.jid.is_lid();
        Member {
            address: address(&one.jid),
            number: match is_lid {
                true => one.phone_number.as_ref().map(address),
                false => Some(address(&one.jid)),
            },
            lid: match is_lid {
                true => Some(address(&one.jid)),
                false => one.lid.as_ref().map(address),
            },
            rank: match one.r#type {
                Some(GroupParticipantType::SuperAdmin) => Rank::SuperAdmin,
                Some(GroupParticipantType::Admin) => Rank::Admin,
                _ => Rank::Member,
            },
        }
    };
    people.iter().map(member).collect()
}

/// The group inside of `<create>`, which the library hands on as it came.
fn made(raw: &Node) -> Option<Deed> {
    let bytes = marshal(raw).ok()?;
    let bytes = unpack(&bytes).ok()?.into_owned();
    let raw = OwnedNodeRef::new(bytes).ok()?;
    let group = raw.get().get_optional_child("group")?;
    Some(Deed::Made(Box::new(whole(group).ok()?)))
}

/// `None` of what changes nothing that is kept here.
fn deed(action: &Action) -> Option<(Deed, Option<String>)> {
    let plain = |deed| Some((deed, None));
    match action {
        Action::Add {
            participants,
            reason,
        } => Some((Deed::Added(members(participants)), reason.clone())),
        Action::Remove {
            participants,
            reason,
        } => Some((Deed::Removed(members(participants)), reason.clone())),
        Action::Promote { participants } => plain(Deed::Promoted(members(participants))),
        Action::Demote { participants } => plain(Deed::Demoted(members(participants))),
        Action::Subject { subject, .. } => plain(Deed::Named(subject.clone())),
        Action::Description { description, .. } => plain(Deed::Described(description.clone())),
        Action::Locked { .. } => plain(Deed::AdminsSet(true)),
        Action::Unlocked => plain(Deed::AdminsSet(false)),
        Action::Announce => plain(Deed::AdminsWrite(true)),
        Action::NotAnnounce => plain(Deed::AdminsWrite(false)),
        Action::Ephemeral { expiration, .. } => plain(Deed::Expires(*expiration)),
        Action::MembershipApprovalMode { enabled } => plain(Deed::Approval(*enabled)),
        Action::MemberAddMode { mode } => plain(Deed::MembersAdd(mode == "all_member_add")),
        Action::CreatedMembershipRequests { requests, .. } => {
            plain(Deed::Requested(members(requests)))
        }
        Action::RevokedMembershipRequests { participants } => plain(Deed::Unrequested(
            participants.iter().map(address).collect(),
        )),
        Action::Invite { code } => plain(Deed::LinkReset(Some(code.clone()))),
        Action::RevokeInvite => plain(Deed::LinkReset(None)),
        Action::Create { raw } => plain(made(raw).unwrap_or(Deed::Other)),
        Action::Delete { .. } => plain(Deed::Ended),
        // Somebody has another number, or the group another community.
        Action::Modify { .. } | Action::Link { .. } | Action::Unlink { .. } => plain(Deed::Other),
        _ => None,
    }
}

/// `None` of what changes nothing that is kept here.
pub(in crate::wa) fn group(update: &GroupUpdate) -> Option<Entry> {
    let (deed, reason) = deed(&update.action)?;
    Some(Entry::Group {
        group: update.group_jid.to_non_ad_string(),
        by: update.participant.as_ref().map(Jid::to_non_ad_string),
        number: update.participant_pn.as_ref().map(Jid::to_non_ad_string),
        at: update.timestamp.timestamp_millis(),
        reason,
        deed,
    })
}

/// The same for the sink. The author is told by number where the stanza has it.
pub(super) fn done(
    group: &str,
    (by, number): (Option<&str>, Option<&str>),
    at: i64,
    reason: Option<String>,
    deed: Deed,
) -> Notice {
    let by = by.map(|by| {
        let wire = Address::from_wire(by);
        match number {
            Some(number) => Party {
                shown: Address::from_wire(number),
                alt: Some(wire.clone()),
                wire,
            },
            None => Party::only(wire),
        }
    });
    Notice::Group(Done {
        group: Address::from_wire(group),
        by,
        at: Timestamp(at),
        reason,
        deed,
    })
}
