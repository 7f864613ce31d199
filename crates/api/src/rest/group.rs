//! Groups: what there are, what they are called and set to. Who is in them is in `members`.
//!
//! The contract's clients have one type for all that they send here, so any of its fields may come on any route;
//! each reads its own.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, NewGroup};
use recado_model::{
    Error, Result,
    group::{Act, Settings},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::Answer,
    error::Fail,
    extract::{Loose, Names, Params, bytes_of, some_switch, some_whole},
};

use super::{Envelope, enveloped};

pub mod bodies;
pub mod members;

use bodies::{GroupBody, GroupHead, OutcomeBody};

const DEFAULT_SIZE: i64 = 50;
const MOST: i64 = 200;

/// Clients that set nothing send 0.
#[derive(Deserialize, JsonSchema)]
pub struct PageQuery {
    /// From 1.
    #[serde(default)]
    page: Option<i64>,
    /// 1 to 200, else 50.
    #[serde(default, alias = "size", alias = "pageSize")]
    page_size: Option<i64>,
}

/// Which group.
#[derive(Deserialize, JsonSchema)]
pub struct GroupQuery {
    /// Its address, as `group/list` has it.
    #[serde(default, alias = "groupId", alias = "jid")]
    group_id: String,
}

#[derive(Deserialize, JsonSchema)]
pub struct LinkQuery {
    /// The group's address, as `group/list` has it.
    #[serde(default, alias = "groupId", alias = "jid")]
    group_id: String,
    /// A new link; the old one is over.
    #[serde(default)]
    #[schemars(with = "Option<bool>")]
    reset: Option<String>,
}

/// `true`, `True` and `1`, as the clients of several languages write it.
fn is_set(text: Option<&str>) -> Result<bool> {
    match text.unwrap_or_default().trim().to_lowercase().as_str() {
        "" | "0" | "false" => Ok(false),
        "1" | "true" => Ok(true),
        _ => Err(Error::field("reset", "reset is true or false")),
    }
}

/// A page of groups, by their names.
#[derive(Serialize, JsonSchema)]
pub struct GroupsBody {
    page: u32,
    page_size: u32,
    total: u64,
    /// Without their members: `group/info` has those.
    groups: Vec<GroupHead>,
}

/// Lists the groups that this number is in.
///
/// The first call of a link asks WhatsApp for all of them; from then on what happens to them is followed, and
/// the list is answered also while the instance is offline.
#[operation]
pub async fn list(
    InstanceAccess { granted, .. }: InstanceAccess<Viewer>,
    State(app): State<App>,
    Params(query): Params<PageQuery>,
) -> Result<Answer<Envelope<GroupsBody>>, Fail> {
    let page = query.page.unwrap_or(1).clamp(1, i64::from(u32::MAX)) as u32;
    let size = query.page_size.filter(|size| *size > 0);
    let size = size.unwrap_or(DEFAULT_SIZE).min(MOST) as u32;
    let found = app.groups().list(&granted, page, size).await?;
    Ok(enveloped(GroupsBody {
        page,
        page_size: size,
        total: found.total,
        groups: found.groups.iter().map(Into::into).collect(),
    }))
}

/// Shows a group with its members.
#[operation]
pub async fn info(
    InstanceAccess { granted, .. }: InstanceAccess<Viewer>,
    State(app): State<App>,
    Params(query): Params<GroupQuery>,
) -> Result<Answer<Envelope<GroupBody>>, Fail> {
    let group = app.groups().get(&granted, &query.group_id).await?;
    Ok(enveloped((&group).into()))
}

#[derive(Serialize, JsonSchema)]
pub struct InviteBody {
    invite_link: String,
}

/// Gives the link by which people join a group.
///
/// With `reset` a new one; the old one leads nowhere from then on. WhatsApp leaves it to admins.
#[operation]
pub async fn invite_link(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Params(query): Params<LinkQuery>,
) -> Result<Answer<Envelope<InviteBody>>, Fail> {
    let reset = is_set(query.reset.as_deref())?;
    let invite_link = app.groups().link(&granted, &query.group_id, reset).await?;
    Ok(enveloped(InviteBody { invite_link }))
}

/// All that the clients' one type holds; each route reads its own part.
#[derive(Deserialize, JsonSchema)]
pub struct ChangeBody {
    /// The group's address, as `group/list` has it.
    #[serde(default, alias = "groupId", alias = "jid")]
    group_id: String,
    /// A JPEG in base64, or as a data URL; empty takes the picture away.
    #[serde(default)]
    image: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 100))]
    name: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 2_048))]
    description: Option<String>,
    /// Only admins write.
    #[serde(default, alias = "adminOnlyMessage", deserialize_with = "some_switch")]
    #[schemars(with = "Option<bool>")]
    admin_only_message: Option<bool>,
    /// Only admins change name, description and picture.
    #[serde(default, alias = "adminOnlySettings", deserialize_with = "some_switch")]
    #[schemars(with = "Option<bool>")]
    admin_only_settings: Option<bool>,
    /// Ours: who comes by the link waits for an admin.
    #[serde(default, alias = "joinApproval", deserialize_with = "some_switch")]
    #[schemars(with = "Option<bool>")]
    join_approval: Option<bool>,
    /// Ours: every member adds others.
    #[serde(default, alias = "membersCanAdd", deserialize_with = "some_switch")]
    #[schemars(with = "Option<bool>")]
    members_can_add: Option<bool>,
    /// Ours: seconds after which messages disappear, 0, 86400, 604800 or 7776000.
    #[serde(default, deserialize_with = "some_whole")]
    expiration: Option<i64>,
    #[serde(default, alias = "groupName")]
    #[schemars(length(max = 100))]
    group_name: Option<String>,
    #[serde(default, alias = "groupDescription")]
    #[schemars(length(max = 2_048))]
    group_description: Option<String>,
    /// A JPEG in base64, or as a data URL.
    #[serde(default, alias = "groupImage")]
    group_image: Option<String>,
    /// Numbers, or addresses of people.
    #[serde(default)]
    participants: Option<Names>,
}

impl ChangeBody {
    fn people(&self) -> Vec<String> {
        let given = self.participants.clone();
        given.map(|Names(names)| names).unwrap_or_default()
    }

    fn settings(&self) -> Result<Settings> {
        let expiration = match self.expiration {
            None => None,
            Some(seconds @ (0 | 86_400 | 604_800 | 7_776_000)) => u32::try_from(seconds).ok(),
            Some(_) => {
                let text = "expiration is 0, 86400, 604800 or 7776000 seconds";
                return Err(Error::field("expiration", text));
            }
        };
        let ours = Settings {
            approval: self.join_approval,
            members_add: self.members_can_add,
            expiration,
            ..Settings::default()
        };
        let theirs = self.admin_only_message.is_some() || self.admin_only_settings.is_some();
        // The Go client leaves out what is false; who names only a setting of ours leaves theirs as they are.
        if !theirs && ours != Settings::default() {
            return Ok(ours);
        }
        Ok(Settings {
            admins_write: Some(self.admin_only_message.unwrap_or(false)),
            admins_set: Some(self.admin_only_settings.unwrap_or(false)),
            ..ours
        })
    }
}

/// What was done, in words.
#[derive(Serialize, JsonSchema)]
pub struct Details {
    details: &'static str,
}

fn details(details: &'static str) -> Answer<Envelope<Details>> {
    enveloped(Details { details })
}

/// A group that was made.
#[derive(Serialize, JsonSchema)]
pub struct CreatedBody {
    #[serde(flatten)]
    group: GroupBody,
    /// What became of each of the participants.
    results: Vec<OutcomeBody>,
    /// Why the picture is not there, where one was given.
    image_error: Option<String>,
}

/// Makes a group.
///
/// It is made with whoever can be added; `results` says what became of each, and why not.
#[operation]
pub async fn create(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<CreatedBody>>, Fail> {
    let image = body.group_image.as_deref().or(body.image.as_deref());
    let image = image.filter(|image| !image.trim().is_empty());
    let jpeg = image
        .map(|image| bytes_of("group_image", image))
        .transpose()?;
    let participants = body.people();
    let new = NewGroup {
        name: body.group_name.or(body.name).unwrap_or_default(),
        description: body.group_description.or(body.description),
        participants,
        jpeg,
    };
    let made = app.groups().create(&granted, new).await?;
    Ok(enveloped(CreatedBody {
        group: (&made.group).into(),
        results: made.outcomes.iter().map(Into::into).collect(),
        image_error: made.picture_fault,
    }))
}

/// Gives a group a picture, or takes it away.
#[operation]
pub async fn photo(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<PhotoBody>>, Fail> {
    let image = body.image.or(body.group_image);
    let Some(image) = image else {
        let text = "image is required: a JPEG in base64; empty takes the picture away";
        return Err(Error::field("image", text).into());
    };
    let jpeg = match image.trim() {
        "" => Vec::new(),
        image => bytes_of("image", image)?,
    };
    let set = app.groups();
    let picture_id = set.set_picture(&granted, &body.group_id, jpeg).await?;
    Ok(enveloped(PhotoBody {
        details: "The group's picture is set.",
        picture_id,
    }))
}

#[derive(Serialize, JsonSchema)]
pub struct PhotoBody {
    details: &'static str,
    /// Another one with each picture.
    picture_id: Option<String>,
}

/// Gives a group another name.
#[operation]
pub async fn name(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<Details>>, Fail> {
    let name = body.name.or(body.group_name).unwrap_or_default();
    app.groups().rename(&granted, &body.group_id, &name).await?;
    Ok(details("The group's name is set."))
}

/// Says what a group is about; an empty text takes it back.
#[operation]
pub async fn description(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<Details>>, Fail> {
    let text = body.description.or(body.group_description);
    let text = text.unwrap_or_default();
    app.groups()
        .describe(&granted, &body.group_id, &text)
        .await?;
    Ok(details("The group's description is set."))
}

/// Sets who writes, who changes, who joins and who adds.
///
/// `admin_only_message` and `admin_only_settings` that are left out are false, unless only settings of ours are
/// given: `join_approval`, `members_can_add` and `expiration`, of which each that is left out stays.
#[operation]
pub async fn settings(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<Details>>, Fail> {
    let settings = body.settings()?;
    app.groups().set(&granted, &body.group_id, settings).await?;
    Ok(details("The group is set."))
}

/// What became of each.
#[derive(Serialize, JsonSchema)]
pub struct ResultsBody {
    details: &'static str,
    results: Vec<OutcomeBody>,
}

/// What one word does to several people of a group.
async fn act(
    (access, app): (&InstanceAccess<Developer>, &App),
    body: &ChangeBody,
    act: Act,
    (all, some): (&'static str, &'static str),
) -> Result<Answer<Envelope<ResultsBody>>, Fail> {
    let groups = app.groups();
    let people = body.people();
    let outcomes = groups
        .act(&access.granted, &body.group_id, act, &people)
        .await?;
    let done = outcomes.iter().all(|outcome| outcome.is_done());
    Ok(enveloped(ResultsBody {
        details: if done { all } else { some },
        results: outcomes.iter().map(Into::into).collect(),
    }))
}

/// Makes members of a group admins.
#[operation]
pub async fn add_admin(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<ResultsBody>>, Fail> {
    let words = (
        "They are admins.",
        "Not all of them are admins: see results.",
    );
    act((&access, &app), &body, Act::Promote, words).await
}

/// Makes admins of a group members again.
#[operation]
pub async fn remove_admin(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeBody>,
) -> Result<Answer<Envelope<ResultsBody>>, Fail> {
    let words = (
        "They are no admins any more.",
        "Some of them are admins still: see results.",
    );
    act((&access, &app), &body, Act::Demote, words).await
}
