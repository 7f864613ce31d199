//! What the server keeps of a group, and in which words it refuses. What becomes of it: `groups`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use wacore_binary::Jid;

use crate::blob::Blob;

/// What somebody may do in a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// Writes.
    Member,
    /// Manages.
    Admin,
    /// Made it.
    SuperAdmin,
}

impl Rank {
    pub(crate) fn is_admin(self) -> bool {
        self != Self::Member
    }

    /// As stanzas write it; nothing of a plain member.
    pub(crate) fn wire(self) -> Option<&'static str> {
        match self {
            Self::Member => None,
            Self::Admin => Some("admin"),
            Self::SuperAdmin => Some("superadmin"),
        }
    }
}

/// What a group is about, in its members' words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Description {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) by: String,
    pub(crate) at: i64,
}

/// Lets one person in who may not be added by others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// To be shown on joining.
    pub code: String,
    /// Unix time in seconds.
    pub expiration: i64,
    /// Who tried to add them.
    pub by: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Picture {
    pub(crate) id: String,
    pub(crate) jpeg: Blob,
    /// Where it lies on the media host.
    #[serde(default)]
    pub(crate) path: String,
}

/// A group, as the server knows it. People are numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    /// The address without its server part.
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) subject_by: String,
    pub(crate) subject_at: i64,
    pub(crate) description: Option<Description>,
    pub(crate) creator: String,
    pub(crate) created: i64,
    /// Its members know each other by id, and by number otherwise.
    pub(crate) by_lid: bool,
    pub(crate) members: BTreeMap<String, Rank>,
    /// Only admins write.
    pub(crate) announcement: bool,
    /// Only admins change subject, description and picture.
    pub(crate) locked: bool,
    /// Who comes by the link waits for an admin.
    pub(crate) approval: bool,
    /// Every member adds others.
    pub(crate) members_add: bool,
    /// After so many seconds messages disappear; 0: they stay.
    pub(crate) expiration: u32,
    /// The end of the link.
    pub(crate) code: String,
    pub(crate) old_codes: Vec<String>,
    /// Who wants in, since when.
    pub(crate) requests: BTreeMap<String, i64>,
    pub(crate) invitations: BTreeMap<String, Invitation>,
    pub(crate) picture: Option<Picture>,
}

/// A refusal as the server words it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct No(pub(crate) u16, pub(crate) &'static str);

pub(crate) const BAD_REQUEST: No = No(400, "bad-request");
pub(crate) const NOT_AUTHORIZED: No = No(401, "not-authorized");
pub(crate) const FORBIDDEN: No = No(403, "forbidden");
pub(crate) const NOT_FOUND: No = No(404, "item-not-found");
pub(crate) const NOT_ACCEPTABLE: No = No(406, "not-acceptable");
pub(crate) const CONFLICT: No = No(409, "conflict");

/// What became of one person of several. `Err` is WhatsApp's number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberResult {
    /// Digits; as it was asked for where nobody has it.
    pub number: String,
    /// None: it was done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<u16>,
    /// Of somebody who may not be added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Invitation>,
}

impl MemberResult {
    pub(crate) fn done(number: &str) -> Self {
        Self {
            number: number.to_owned(),
            error: None,
            invitation: None,
        }
    }

    pub(crate) fn refused(number: &str, error: u16) -> Self {
        Self {
            error: Some(error),
            ..Self::done(number)
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.error.is_none()
    }
}

impl Group {
    pub(crate) fn jid(&self) -> Jid {
        Jid::group(self.id.as_str())
    }

    pub(crate) fn rank(&self, number: &str) -> Option<Rank> {
        self.members.get(number).copied()
    }

    pub(crate) fn is_admin(&self, number: &str) -> bool {
        self.rank(number).is_some_and(Rank::is_admin)
    }

    pub(crate) fn mode(&self) -> &'static str {
        if self.by_lid { "lid" } else { "pn" }
    }

    pub(crate) fn numbers(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    /// Whether it is ended once nobody is in it; somebody has to manage it.
    pub(crate) fn settle_admins(&mut self) {
        if !self.members.values().any(|rank| rank.is_admin())
            && let Some(rank) = self.members.values_mut().next()
        {
            *rank = Rank::Admin;
        }
    }
}

/// The id of the group that an address names.
pub(crate) fn group_id(jid: &Jid) -> Option<String> {
    let named = jid.server == wacore_binary::Server::Group && !jid.user.is_empty();
    named.then(|| jid.user.to_string())
}

/// As people and histories write it: `…@g.us`.
pub(crate) fn group_id_of(text: &str) -> Option<&str> {
    text.strip_suffix("@g.us").filter(|id| !id.is_empty())
}
