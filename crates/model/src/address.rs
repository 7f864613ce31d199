//! WhatsApp's addresses, typed: where a message goes, and who wrote it.
//!
//! A person has up to three: a number, an opaque id (LID) and a username. Which of them a message came
//! under is chance; that they are one person is known by the alias rows of `store/src/contacts.rs`.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode, PhoneNumber, Result, text::shows_nothing};

/// The kind of thing that an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// A person, by phone number.
    Number,
    /// A person, by the id that WhatsApp gives those whose number it does not tell.
    Lid,
    /// A person, by the name that they chose.
    Username,
    Group,
    Channel,
    /// Everybody's status posts.
    Status,
    Broadcast,
    /// Of a kind that has no word here: bots and the like. Kept as it came.
    Other,
}

/// An address without device part: `5511999999999@s.whatsapp.net`, `…@lid`, `…@g.us`, …
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Address(String);

const NUMBER: &str = "@s.whatsapp.net";
const LID: &str = "@lid";
const GROUP: &str = "@g.us";
const CHANNEL: &str = "@newsletter";
const BROADCAST: &str = "@broadcast";
const STATUS: &str = "status@broadcast";
/// The server name that older programs write for a number.
const OLD_NUMBER: &str = "@c.us";
/// No address of WhatsApp's begins with it.
const USERNAME: char = '@';

impl Address {
    pub fn of_number(phone: &PhoneNumber) -> Self {
        Self(format!("{phone}{NUMBER}"))
    }

    pub fn of_username(name: &str) -> Self {
        Self(format!("{USERNAME}{name}"))
    }

    /// As WhatsApp or a row of ours wrote it. The device part goes: it names no other person.
    pub fn from_wire(text: impl Into<String>) -> Self {
        let mut text: String = text.into();
        if let Some(number) = text.strip_suffix(OLD_NUMBER) {
            text = format!("{number}{NUMBER}");
        }
        if let Some((user, server)) = text.split_once('@')
            && let Some((person, _)) = user.split_once(':')
        {
            text = format!("{person}@{server}");
        }
        Self(text)
    }

    /// As a caller writes it: a number in any usual spelling, or a full address of a person or group.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPhone`] for the field `phone`, with what is wrong.
    pub fn from_caller(text: &str) -> Result<Self> {
        let text: String = text.chars().filter(|c| !shows_nothing(*c)).collect();
        let text = text.trim();
        if let Some(group) = text.strip_suffix(GROUP) {
            return match is_group_name(group) {
                true => Ok(Self(text.to_owned())),
                false => Err(no_group()),
            };
        }
        if text.strip_suffix(LID).is_some_and(is_lid) {
            return Ok(Self(text.to_owned()));
        }
        Ok(Self::of_number(&PhoneNumber::parse(text)?))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn kind(&self) -> AddressKind {
        let text = self.0.as_str();
        let has = |server: &str| text.len() > server.len() && text.ends_with(server);
        match text {
            STATUS => AddressKind::Status,
            _ if text.starts_with(USERNAME) => AddressKind::Username,
            _ if has(NUMBER) => AddressKind::Number,
            _ if has(LID) => AddressKind::Lid,
            _ if has(GROUP) => AddressKind::Group,
            _ if has(CHANNEL) => AddressKind::Channel,
            _ if has(BROADCAST) => AddressKind::Broadcast,
            _ => AddressKind::Other,
        }
    }

    pub fn is_group(&self) -> bool {
        self.kind() == AddressKind::Group
    }

    pub fn is_lid(&self) -> bool {
        self.kind() == AddressKind::Lid
    }

    /// One person, however addressed; a bot is one, too.
    pub fn is_person(&self) -> bool {
        matches!(
            self.kind(),
            AddressKind::Number | AddressKind::Lid | AddressKind::Username | AddressKind::Other
        )
    }

    /// The digits of a person that is addressed by number.
    pub fn number(&self) -> Option<&str> {
        self.0
            .strip_suffix(NUMBER)
            .filter(|number| !number.is_empty())
    }
}

fn is_group_name(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
}

fn is_lid(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn no_group() -> Error {
    let text = "phone: a group address looks like 120363000000000000@g.us";
    Error::new(ErrorCode::InvalidPhone, text).with_field("phone")
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        Self::from_wire(text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_callers_write() {
        for (typed, address) in [
            ("+55 11 99999-9999", "5511999999999@s.whatsapp.net"),
            ("120363000000000000@g.us", "120363000000000000@g.us"),
            (
                "\u{202a}120363000000000000@g.us\u{202c}",
                "120363000000000000@g.us",
            ),
            ("12345678901234@lid", "12345678901234@lid"),
        ] {
            let read = Address::from_caller(typed).expect(typed);
            assert_eq!(read.as_str(), address);
        }
        for bad in [
            "",
            "@g.us",
            "evil@g.us",
            "x@lid",
            "1@evil.example",
            "5511999999999@s.whatsapp.net@g.us",
        ] {
            assert!(Address::from_caller(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_whatsapp_writes() {
        for (wire, address, kind) in [
            (
                "5511999999999:7@s.whatsapp.net",
                "5511999999999@s.whatsapp.net",
                AddressKind::Number,
            ),
            (
                "5511999999999@c.us",
                "5511999999999@s.whatsapp.net",
                AddressKind::Number,
            ),
            ("222:3@lid", "222@lid", AddressKind::Lid),
            ("@maria", "@maria", AddressKind::Username),
            ("120363@g.us", "120363@g.us", AddressKind::Group),
            (
                "120363@newsletter",
                "120363@newsletter",
                AddressKind::Channel,
            ),
            ("status@broadcast", "status@broadcast", AddressKind::Status),
            ("17@broadcast", "17@broadcast", AddressKind::Broadcast),
            (
                "867051314767696@bot",
                "867051314767696@bot",
                AddressKind::Other,
            ),
        ] {
            let read = Address::from_wire(wire);
            assert_eq!((read.as_str(), read.kind()), (address, kind));
        }
        let person = Address::from_wire("5511999999999@s.whatsapp.net");
        assert_eq!(person.number(), Some("5511999999999"));
        assert!(person.is_person() && !person.is_group() && !person.is_lid());
    }
}
