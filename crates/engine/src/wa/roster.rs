//! Groups and their members as WhatsApp's stanzas name them: the library's own readers leave out who may add
//! members, which WhatsApp writes as bytes.

use recado_model::{
    Address, Timestamp,
    group::{Group, Member, Rank},
};
use whatsapp_rust::{
    Jid,
    anyhow::Result,
    features::ParticipantType,
    wacore::{
        iq::groups::GroupInfoResponse, protocol::ProtocolNode as _, types::message::AddressingMode,
    },
    wacore_binary::NodeRef,
};

/// A time of WhatsApp's.
pub(super) fn seconds(at: u64) -> Option<Timestamp> {
    let at = i64::try_from(at).ok()?;
    at.checked_mul(1000).map(Timestamp)
}

/// `<group>` as a group.
pub(super) fn whole(node: &NodeRef<'_>) -> Result<Group> {
    let info = GroupInfoResponse::try_from_node_ref(node)?;
    let address = |jid: &Jid| Address::from_wire(jid.to_non_ad_string());
    let add_mode = node.get_optional_child("member_add_mode");
    let add_mode = add_mode.and_then(|mode| mode.content_as_string());
    let members: Vec<_> = info
        .participants
        .iter()
        .map(|one| {
            let rank = match one.participant_type {
                ParticipantType::SuperAdmin => Rank::SuperAdmin,
                ParticipantType::Admin => Rank::Admin,
                _ => Rank::Member,
            };
            member(&one.jid, one.phone_number.as_ref(), one.lid.as_ref(), rank)
        })
        .collect();
    let count = u32::try_from(members.len()).unwrap_or(u32::MAX);
    let owner = info.creator_pn.as_ref().or(info.creator.as_ref());
    Ok(Group {
        address: address(&info.id),
        name: info.subject.as_str().to_owned(),
        description: info.description.clone(),
        owner: owner.map(address),
        created_at: info.creation_time.and_then(seconds),
        by_lid: info.addressing_mode == AddressingMode::Lid,
        admins_write: info.is_announcement,
        admins_set: info.is_locked,
        approval: info.membership_approval,
        members_add: add_mode.map(|mode| mode == "all_member_add"),
        expiration: info
            .ephemeral
            .and_then(|ephemeral| ephemeral.expiration)
            .unwrap_or_default(),
        size: match members.is_empty() {
            true => info.size.unwrap_or_default(),
            false => count,
        },
        community: info.parent_group_jid.as_ref().map(address),
        members,
    })
}

/// Somebody by the address in an answer, and the number beside it.
pub(super) fn member(named: &Jid, number: Option<&Jid>, lid: Option<&Jid>, rank: Rank) -> Member {
    let address = |jid: &Jid| Address::from_wire(jid.to_non_ad_string());
    let is_lid = named.is_lid();
    Member {
        address: address(named),
        number: match is_lid {
            true => number.map(address),
            false => Some(address(named)),
        },
        lid: match is_lid {
            true => Some(address(named)),
            false => lid.map(address),
        },
        rank,
    }
}
