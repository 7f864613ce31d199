//! Groups and their members, as answers show them.

use recado_model::{
    Address,
    group::{Group, JoinRequest, Member, Outcome, Rank},
};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::describe::{Rfc3339, one_of};

fn roles(_: &mut SchemaGenerator) -> Schema {
    one_of(Rank::ALL.map(Rank::as_str))
}

fn outcomes(_: &mut SchemaGenerator) -> Schema {
    one_of([
        "ok",
        "needs_invitation",
        "not_allowed",
        "not_found",
        "not_possible",
        "left_recently",
        "already_member",
        "group_full",
        "refused",
    ])
}

/// Somebody, by every address that is known.
#[derive(Serialize, JsonSchema)]
pub struct Person {
    /// By number where it is known.
    jid: String,
    phone: Option<String>,
    lid: Option<String>,
    /// Not known yet.
    username: Option<String>,
}

impl From<&Member> for Person {
    fn from(member: &Member) -> Self {
        let number = member.number.as_ref().and_then(Address::number);
        Self {
            jid: member.shown().to_string(),
            phone: number.map(str::to_owned),
            lid: member.lid.as_ref().map(ToString::to_string),
            username: None,
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub struct MemberBody {
    #[serde(flatten)]
    person: Person,
    #[schemars(schema_with = "roles")]
    role: &'static str,
    is_admin: bool,
    is_super_admin: bool,
}

impl From<&Member> for MemberBody {
    fn from(member: &Member) -> Self {
        Self {
            person: member.into(),
            role: member.rank.as_str(),
            is_admin: member.rank.is_admin(),
            is_super_admin: member.rank == Rank::SuperAdmin,
        }
    }
}

/// A group without its members.
#[derive(Serialize, JsonSchema)]
pub struct GroupHead {
    /// The group's address.
    group_id: String,
    /// The same, as clients of the lineage read it.
    jid: String,
    name: String,
    description: Option<String>,
    /// Who made it.
    owner: Option<String>,
    created_at: Option<Rfc3339>,
    /// `lid`: its members know each other by id; `pn`: by number.
    addressing_mode: &'static str,
    /// Only admins write.
    admin_only_message: bool,
    /// Only admins change name, description and picture.
    admin_only_settings: bool,
    /// Who comes by the link waits for an admin.
    join_approval: bool,
    /// Every member adds others; `null` where WhatsApp did not say.
    members_can_add: Option<bool>,
    /// Seconds after which messages disappear; 0: they stay.
    expiration: u32,
    participants_count: u32,
    /// The community that it is a part of.
    community: Option<String>,
}

impl From<&Group> for GroupHead {
    fn from(group: &Group) -> Self {
        Self {
            group_id: group.address.to_string(),
            jid: group.address.to_string(),
            name: group.name.clone(),
            description: group.description.clone(),
            owner: group.owner.as_ref().map(ToString::to_string),
            created_at: group.created_at.map(Rfc3339),
            addressing_mode: if group.by_lid { "lid" } else { "pn" },
            admin_only_message: group.admins_write,
            admin_only_settings: group.admins_set,
            join_approval: group.approval,
            members_can_add: group.members_add,
            expiration: group.expiration,
            participants_count: group.size,
            community: group.community.as_ref().map(ToString::to_string),
        }
    }
}

/// A group with its members.
#[derive(Serialize, JsonSchema)]
pub struct GroupBody {
    #[serde(flatten)]
    head: GroupHead,
    participants: Vec<MemberBody>,
}

impl From<&Group> for GroupBody {
    fn from(group: &Group) -> Self {
        let size = match group.members.is_empty() {
            true => group.size,
            false => u32::try_from(group.members.len()).unwrap_or(u32::MAX),
        };
        Self {
            head: GroupHead {
                participants_count: size,
                ..group.into()
            },
            participants: group.members.iter().map(Into::into).collect(),
        }
    }
}

/// Lets one person in who may not be added by others.
#[derive(Serialize, JsonSchema)]
pub struct InvitationBody {
    code: String,
    expires_at: Rfc3339,
}

/// What became of one person of several.
#[derive(Serialize, JsonSchema)]
pub struct OutcomeBody {
    #[serde(flatten)]
    person: Person,
    success: bool,
    #[schemars(schema_with = "outcomes")]
    status: &'static str,
    /// WhatsApp's number, of a refusal.
    code: Option<u16>,
    /// With `needs_invitation`.
    invitation: Option<InvitationBody>,
}

impl From<&Outcome> for OutcomeBody {
    fn from(outcome: &Outcome) -> Self {
        let invitation = outcome.invitation.as_ref();
        Self {
            person: (&outcome.member).into(),
            success: outcome.is_done(),
            status: outcome.status(),
            code: outcome.refused,
            invitation: invitation.map(|invitation| InvitationBody {
                code: invitation.code.clone(),
                expires_at: Rfc3339(invitation.until),
            }),
        }
    }
}

/// Somebody who wants to join.
#[derive(Serialize, JsonSchema)]
pub struct RequestBody {
    #[serde(flatten)]
    person: Person,
    requested_at: Option<Rfc3339>,
}

impl From<&JoinRequest> for RequestBody {
    fn from(request: &JoinRequest) -> Self {
        Self {
            person: (&request.member).into(),
            requested_at: request.at.map(Rfc3339),
        }
    }
}
