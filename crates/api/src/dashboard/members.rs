//! The members of the account, and the people who were invited.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_identity::members::{InvitationView, MemberView};
use recado_model::{LinkId, UserId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    auth::{
        Confirmed, Member,
        least::{Admin, Viewer},
    },
    describe::{Answer, NoContent, Rfc3339},
    error::Fail,
    extract::{Segment, Strict},
};

use super::{language, role, roles};

#[derive(Serialize, JsonSchema)]
pub struct MemberListBody {
    members: Vec<MemberBody>,
    /// To those who may invite; empty to others.
    invitations: Vec<InvitationBody>,
}

#[derive(Serialize, JsonSchema)]
pub struct MemberBody {
    user_id: String,
    email: String,
    #[schemars(schema_with = "roles")]
    role: &'static str,
    second_factor: bool,
    created_at: Rfc3339,
    /// The one who asks.
    you: bool,
}

#[derive(Serialize, JsonSchema)]
pub struct InvitationBody {
    id: String,
    email: String,
    #[schemars(schema_with = "roles")]
    role: &'static str,
    created_at: Rfc3339,
    expires_at: Rfc3339,
}

impl From<MemberView> for MemberBody {
    fn from(member: MemberView) -> Self {
        Self {
            user_id: member.user.to_string(),
            email: member.email,
            role: member.role.as_str(),
            second_factor: member.second_factor,
            created_at: Rfc3339(member.created_at),
            you: member.you,
        }
    }
}

impl From<InvitationView> for InvitationBody {
    fn from(invitation: InvitationView) -> Self {
        Self {
            id: invitation.id.to_string(),
            email: invitation.email,
            role: invitation.role.as_str(),
            created_at: Rfc3339(invitation.created_at),
            expires_at: Rfc3339(invitation.expires_at),
        }
    }
}

/// Lists who is in the account, and who was invited.
#[operation]
pub async fn list(
    Member { person, .. }: Member<Viewer>,
    State(app): State<App>,
) -> Result<Answer<MemberListBody>, Fail> {
    let list = app.members().list(&person).await?;
    Ok(Answer(MemberListBody {
        members: list.members.into_iter().map(MemberBody::from).collect(),
        invitations: list
            .invitations
            .into_iter()
            .map(InvitationBody::from)
            .collect(),
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteBody {
    #[schemars(length(max = 254))]
    email: String,
    #[schemars(schema_with = "roles")]
    role: String,
    /// Of the letter; the inviter's own when it is left out.
    #[serde(default)]
    #[schemars(extend("enum" = ["en", "pt-BR", "es"]))]
    language: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct InvitedBody {
    #[serde(flatten)]
    invitation: InvitationBody,
    /// `file`: no mail server is configured, the letter lies in the operator's mail folder.
    #[schemars(extend("enum" = ["smtp", "file"]))]
    sent: &'static str,
}

/// Invites somebody to the account by e-mail.
#[operation]
pub async fn invite(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(app): State<App>,
    Strict(body): Strict<InviteBody>,
) -> Result<Answer<InvitedBody>, Fail> {
    let (role, language) = (role(&body.role)?, language(body.language)?);
    let members = app.members();
    let invitation = members
        .invite(&person, &body.email, role, language)
        .await?
        .into();
    let sent = app.config().users.mail.kind();
    Ok(Answer(InvitedBody { invitation, sent }))
}

/// Takes an invitation back.
#[operation]
pub async fn withdraw(
    Member { person, .. }: Member<Admin>,
    State(app): State<App>,
    Segment(lid): Segment<LinkId>,
) -> Result<NoContent, Fail> {
    app.members().withdraw(&person, &lid).await?;
    Ok(NoContent)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleBody {
    #[schemars(schema_with = "roles")]
    role: String,
}

/// Gives a member another role.
#[operation]
pub async fn set_role(
    Member { person, .. }: Member<Admin, Confirmed>,
    State(app): State<App>,
    Segment(uid): Segment<UserId>,
    Strict(body): Strict<RoleBody>,
) -> Result<NoContent, Fail> {
    let role = role(&body.role)?;
    app.members().set_role(&person, &uid, role).await?;
    Ok(NoContent)
}

/// Takes a member out of the account.
///
/// Another by an admin, oneself by anybody.
// The service tells them apart.
#[operation]
pub async fn remove(
    Member { person, .. }: Member<Viewer, Confirmed>,
    State(app): State<App>,
    Segment(uid): Segment<UserId>,
) -> Result<NoContent, Fail> {
    app.members().remove(&person, &uid).await?;
    Ok(NoContent)
}
