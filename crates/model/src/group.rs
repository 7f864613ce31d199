//! Groups, as their members see them, and what is done to them.

use serde::{Deserialize, Serialize};

use crate::{
    Address, Error, ErrorCode, Result, Timestamp,
    message::Party,
    text::{is_blank, shows_nothing},
};

/// What somebody may do in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    Member,
    Admin,
    /// Made it, and cannot be removed.
    SuperAdmin,
}

impl Rank {
    pub const ALL: [Self; 3] = [Self::Member, Self::Admin, Self::SuperAdmin];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::SuperAdmin => "superadmin",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rank| rank.as_str() == text)
    }

    pub fn is_admin(self) -> bool {
        self != Self::Member
    }
}

/// One of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// As the group names them.
    pub address: Address,
    /// By number, where it is known.
    pub number: Option<Address>,
    pub lid: Option<Address>,
    pub rank: Rank,
}

impl Member {
    /// By number where that is known.
    pub fn shown(&self) -> &Address {
        self.number.as_ref().unwrap_or(&self.address)
    }

    /// Whether any of their addresses is this one.
    pub fn is(&self, address: &Address) -> bool {
        self.address == *address
            || self.number.as_ref() == Some(address)
            || self.lid.as_ref() == Some(address)
    }
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    pub address: Address,
    pub name: String,
    pub description: Option<String>,
    /// Who made it.
    pub owner: Option<Address>,
    pub created_at: Option<Timestamp>,
    /// Its members know each other by id.
    pub by_lid: bool,
    /// Only admins write.
    pub admins_write: bool,
    /// Only admins change name, description and picture.
    pub admins_set: bool,
    /// Who comes by the link waits for an admin.
    pub approval: bool,
    /// Every member adds others. `None` where WhatsApp did not say.
    pub members_add: Option<bool>,
    /// After so many seconds messages disappear; 0: they stay.
    pub expiration: u32,
    /// How many are in it.
    pub size: u32,
    /// The community that it is a part of.
    pub community: Option<Address>,
    /// Empty of one that is looked at from outside.
    pub members: Vec<Member>,
}

/// What was done to a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It was made, with this number in it.
    Made(Box<Group>),
    Added(Vec<Member>),
    Removed(Vec<Member>),
    Promoted(Vec<Member>),
    Demoted(Vec<Member>),
    Named(String),
    Described(Option<String>),
    AdminsWrite(bool),
    AdminsSet(bool),
    Approval(bool),
    MembersAdd(bool),
    Expires(u32),
    /// People want to come in, or no longer.
    Requested(Vec<Member>),
    Unrequested(Vec<Address>),
    /// The link that led in is over; the code of the new one, where WhatsApp says it.
    LinkReset(Option<String>),
    /// It is no more.
    Ended,
    /// Something that is not told apart: all of it is to be asked for.
    Other,
}

/// Something was done to a group, by somebody, at some time.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    pub group: Address,
    pub by: Option<Party>,
    pub at: Timestamp,
    /// `invite`: they came by themselves.
    pub reason: Option<String>,
    pub deed: Deed,
}

/// What is set; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub admins_write: Option<bool>,
    pub admins_set: Option<bool>,
    pub approval: Option<bool>,
    pub members_add: Option<bool>,
    pub expiration: Option<u32>,
}

impl Settings {
    /// Each by itself.
    pub fn deeds(&self) -> Vec<Deed> {
        let mut deeds = Vec::new();
        deeds.extend(self.admins_write.map(Deed::AdminsWrite));
        deeds.extend(self.admins_set.map(Deed::AdminsSet));
        deeds.extend(self.approval.map(Deed::Approval));
        deeds.extend(self.members_add.map(Deed::MembersAdd));
        deeds.extend(self.expiration.map(Deed::Expires));
        deeds
    }
}

/// What is done to people of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    Add,
    Remove,
    Promote,
    Demote,
    /// Who wants to join is let in, or is not.
    Approve,
    Reject,
}

/// What became of one person of several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    pub member: Member,
    /// WhatsApp's number; `None`: it was done.
    pub refused: Option<u16>,
    /// Of somebody who may not be added by others.
    pub invitation: Option<Invitation>,
}

/// Lets one person in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    pub code: String,
    pub until: Timestamp,
}

impl Outcome {
    pub fn is_done(&self) -> bool {
        self.refused.is_none()
    }

    /// In a word that stays the same.
    pub fn status(&self) -> &'static str {
        match self.refused {
            None => "ok",
            Some(401 | 403) if self.invitation.is_some() => "needs_invitation",
            Some(401 | 403) => "not_allowed",
            Some(404) => "not_found",
            Some(406) => "not_possible",
            Some(408) => "left_recently",
            Some(409) => "already_member",
            Some(419) => "group_full",
            Some(_) => "refused",
        }
    }
}

/// Somebody who wants to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRequest {
    pub member: Member,
    pub at: Option<Timestamp>,
}

/// What came of joining.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    pub group: Address,
    /// An admin has to let us in.
    pub pending: bool,
}

/// A group that was made, and who could not be added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    pub group: Group,
    pub outcomes: Vec<Outcome>,
}

/// WhatsApp's own limits.
pub const MOST_MEMBERS: usize = 1_024;
pub const LONGEST_NAME: usize = 100;
pub const LONGEST_DESCRIPTION: usize = 2_048;

/// A group's address as callers write it: `…@g.us`, or its digits alone.
pub fn address(text: &str) -> Result<Address> {
    let text: String = text.chars().filter(|c| !shows_nothing(*c)).collect();
    let text = text.trim();
    if text.is_empty() {
        let text = "group_id is required: the group's address, as group/list has it";
        return Err(Error::field("group_id", text));
    }
    let whole = match text.contains('@') {
        true => text.to_owned(),
        false => format!("{text}@g.us"),
    };
    match Address::from_caller(&whole) {
        Ok(address) if address.is_group() => Ok(address),
        _ => {
            let text = "group_id: a group's address looks like 120363000000000000@g.us";
            Err(Error::field("group_id", text))
        }
    }
}

/// The code of a link, alone or at its end.
pub fn code(text: &str) -> Result<String> {
    let text: String = text.chars().filter(|c| !shows_nothing(*c)).collect();
    let text = text.trim();
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    let bare = bare.trim_end_matches('/');
    let code = match bare.split_once("chat.whatsapp.com/") {
        Some((_, rest)) => rest.strip_prefix("invite/").unwrap_or(rest),
        None => bare,
    };
    let good = (8..=64).contains(&code.len())
        && code
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    match good {
        true => Ok(code.to_owned()),
        false => Err(Error::field(
            "link",
            "link is required: a group's link, https://chat.whatsapp.com/…, or its code",
        )),
    }
}

/// A name that shows something.
pub fn name(field: &'static str, text: &str) -> Result<String> {
    let text = text.trim();
    if is_blank(text) || text.chars().count() > LONGEST_NAME {
        let text = format!("{field} is required: 1 to {LONGEST_NAME} characters");
        return Err(Error::field(field, text));
    }
    Ok(text.to_owned())
}

/// What a group is about; an empty one is none.
pub fn description(field: &'static str, text: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() > LONGEST_DESCRIPTION {
        let text = format!("{field} has {LONGEST_DESCRIPTION} characters at most");
        return Err(Error::field(field, text));
    }
    Ok(Some(text.to_owned()).filter(|text| !is_blank(text)))
}

/// The people that a caller names, each once.
pub fn people(given: &[String]) -> Result<Vec<Address>> {
    if given.is_empty() {
        let text = "participants is required: numbers, or addresses of people";
        return Err(Error::field("participants", text));
    }
    if given.len() > MOST_MEMBERS {
        let text = format!("participants: {MOST_MEMBERS} at most");
        return Err(Error::field("participants", text));
    }
    let mut people: Vec<Address> = Vec::with_capacity(given.len());
    let mut seen = std::collections::HashSet::new();
    for text in given {
        let address = Address::from_caller(text);
        let address = address.map_err(|error| error.renamed("phone", "participants"))?;
        if !address.is_person() {
            let text = "participants: a group is made of people, not of groups";
            return Err(Error::field("participants", text));
        }
        if seen.insert(address.clone()) {
            people.push(address);
        }
    }
    Ok(people)
}

/// This number is not in the group, or there is none.
pub fn not_in_it() -> Error {
    Error::new(
        ErrorCode::NotFound,
        "group_id: this number is in no such group. Take the address as group/list has it.",
    )
    .with_field("group_id")
}

/// WhatsApp leaves it to admins.
pub fn not_admin() -> Error {
    Error::new(
        ErrorCode::NotGroupAdmin,
        "This number is no admin of the group, and WhatsApp leaves this to admins.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_name_groups_codes_and_people() {
        for text in ["120363000000000000@g.us", " 120363000000000000 "] {
            let read = address(text).expect(text);
            assert_eq!(read.as_str(), "120363000000000000@g.us");
        }
        for bad in ["", "x", "5511999999999@s.whatsapp.net", "1@lid", "a@g.us"] {
            let error = address(bad).expect_err(bad);
            assert_eq!(error.field, Some("group_id"), "{bad}");
        }
        for text in [
            "https://chat.whatsapp.com/AbCdEfGhIjKl",
            "chat.whatsapp.com/invite/AbCdEfGhIjKl?mode=r_t",
            "AbCdEfGhIjKl",
        ] {
            assert_eq!(code(text).expect(text), "AbCdEfGhIjKl");
        }
        for bad in ["", "https://evil.example/../x", "a b c d e f g h"] {
            assert!(code(bad).is_err(), "{bad}");
        }
        let given = ["+55 11 99999-9999", "5511999999999", "222@lid"].map(str::to_owned);
        assert_eq!(people(&given).expect("people").len(), 2);
        for bad in [vec![], vec!["120363@g.us".to_owned()], vec!["x".to_owned()]] {
            let error = people(&bad).expect_err("bad");
            assert_eq!(error.field, Some("participants"));
        }
    }

    #[test]
    fn names_show_something() {
        assert_eq!(name("name", " Team ").expect("a name"), "Team");
        assert!(name("name", "\u{200b}").is_err());
        assert!(name("name", &"x".repeat(101)).is_err());
        assert_eq!(description("description", "").expect("none"), None);
        assert!(description("description", &"x".repeat(2_049)).is_err());
    }
}
