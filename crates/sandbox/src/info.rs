//! Phones as the control API tells of them and their linked devices.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::core::Core;
use crate::group::{Group, Rank};

/// A phone, as the control API lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhoneInfo {
    /// Digits.
    pub number: String,
    /// The name that others see.
    pub name: String,
    /// Whether it has a connection.
    pub online: bool,
    /// Linked devices, oldest first.
    pub companions: Vec<CompanionInfo>,
    /// People who are typing to it: number and `composing`, `recording` or `paused`.
    pub typing: std::collections::BTreeMap<String, String>,
    /// Others have to invite this person to groups, and cannot add them.
    pub refuses_groups: bool,
    /// How many messages the person has not read.
    pub unread: usize,
    /// The same by who wrote them, or the group.
    pub unread_from: std::collections::BTreeMap<String, usize>,
}

/// A linked device, as the control API lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompanionInfo {
    /// Its number within the account, 1 and up.
    pub device: u16,
    /// Whether it is connected at this moment.
    pub connected: bool,
    /// Stanzas that it has not acknowledged.
    pub queued: usize,
}

/// A finished pairing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paired {
    /// The device's number within the account.
    pub device: u16,
    /// Its full address, `number:device@s.whatsapp.net`.
    pub jid: String,
    /// Whether it has logged in since; `false` when that took too long.
    pub connected: bool,
}

pub(crate) fn info(core: &Core, number: &str) -> Option<PhoneInfo> {
    let phone = core.phones.get(number)?;
    let unread_from = phone.history.unread();
    Some(PhoneInfo {
        number: phone.number.clone(),
        name: phone.name.clone(),
        online: phone.online,
        companions: core
            .companions_of(number)
            .iter()
            .filter_map(|addr| {
                Some(CompanionInfo {
                    device: addr.device,
                    connected: core.links.contains_key(addr),
                    queued: core.companions.get(addr)?.queue.len(),
                })
            })
            .collect(),
        typing: phone.typing.clone(),
        refuses_groups: phone.refuses_groups,
        unread: unread_from.values().sum(),
        unread_from,
    })
}

/// A group, as the control API lists it. People are numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupInfo {
    /// Its address.
    pub id: String,
    /// Its name.
    pub subject: String,
    /// What it is about.
    pub description: Option<String>,
    /// Who made it.
    pub creator: String,
    /// Unix time in seconds.
    pub created: i64,
    /// `lid`: its members know each other by id; else `pn`.
    pub addressing_mode: &'static str,
    /// Who is in it.
    pub members: std::collections::BTreeMap<String, Rank>,
    /// Only admins write.
    pub announcement: bool,
    /// Only admins change name, description and picture.
    pub locked: bool,
    /// Who comes by the link waits for an admin.
    pub approval: bool,
    /// Every member adds others.
    pub members_add: bool,
    /// Seconds; 0: messages stay.
    pub expiration: u32,
    /// The end of its link.
    pub code: String,
    /// Who wants in, since when.
    pub requests: std::collections::BTreeMap<String, i64>,
    /// Its picture, if it has one.
    pub picture: Option<PictureInfo>,
}

/// A group's picture, as the control API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PictureInfo {
    /// Another one with each picture.
    pub id: String,
    /// Of its bytes, in hex.
    pub sha256: String,
    /// How many they are.
    pub length: usize,
}

pub(crate) fn group_info(group: &Group) -> GroupInfo {
    let picture = group.picture.as_ref().map(|picture| PictureInfo {
        id: picture.id.clone(),
        sha256: hex::encode(Sha256::digest(&picture.jpeg.0)),
        length: picture.jpeg.0.len(),
    });
    let description = group.description.as_ref();
    GroupInfo {
        id: group.jid().to_string(),
        subject: group.subject.clone(),
        description: description.map(|description| description.text.clone()),
        creator: group.creator.clone(),
        created: group.created,
        addressing_mode: group.mode(),
        members: group.members.clone(),
        announcement: group.announcement,
        locked: group.locked,
        approval: group.approval,
        members_add: group.members_add,
        expiration: group.expiration,
        code: group.code.clone(),
        requests: group.requests.clone(),
        picture,
    }
}
