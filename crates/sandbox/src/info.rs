//! Phones as the control API tells of them and their linked devices.

use serde::Serialize;

use crate::core::Core;

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
    /// How many messages the person has not read.
    pub unread: usize,
    /// The same by who wrote them.
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
        unread: unread_from.values().sum(),
        unread_from,
    })
}
