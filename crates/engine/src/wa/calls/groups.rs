//! Groups: made, looked at, managed, joined, left.

mod query;
mod refusal;

use recado_model::{
    Address, Error, Result, Timestamp,
    call::{GroupAct, GroupDescribe, GroupLink, GroupMake, GroupPicture, GroupRename, GroupSet},
    group::{Act, Group, Invitation, JoinRequest, Joined, Made, Member, Outcome, Rank},
};
use whatsapp_rust::{
    Client, Jid,
    features::{
        GroupCreateOptions, GroupDescription, GroupError, GroupParticipantOptions, GroupSubject,
        JoinGroupResult, MemberAddMode, MembershipApprovalMode, ParticipantChangeResponse,
        PreviousDescription,
    },
};

use super::{
    super::{address::jid, core::LinkCore, roster::member},
    ASK, too_slow,
};
use query::{All, Look, Preview, Requests};

/// WhatsApp's answers, and refusals in words of ours.
async fn asked<T>(work: impl Future<Output = std::result::Result<T, GroupError>>) -> Result<T> {
    match tokio::time::timeout(ASK, work).await {
        Ok(answer) => answer.map_err(refusal::of),
        Err(_) => Err(too_slow()),
    }
}

async fn queried<S>(client: &Client, spec: S) -> Result<S::Response>
where
    S: whatsapp_rust::wacore::iq::spec::IqSpec,
{
    asked(async { client.execute(spec).await.map_err(GroupError::from) }).await
}

fn group_of(address: &Address) -> Result<Jid> {
    jid("group_id", address)
}

fn people_of(people: &[Address]) -> Result<Vec<Jid>> {
    let people = people.iter().map(|person| jid("participants", person));
    people.collect()
}

fn outcome(response: &ParticipantChangeResponse) -> Outcome {
    let refused = response.error.as_deref();
    let until = |expiration: u64| Timestamp(i64::try_from(expiration).unwrap_or(0) * 1000);
    Outcome {
        member: member(
            &response.jid,
            response.phone_number.as_ref(),
            None,
            Rank::Member,
        ),
        // What is no number is a refusal all the same.
        refused: refused
            .filter(|error| *error != "200")
            .map(|error| error.parse().unwrap_or(400)),
        invitation: response.add_request.as_ref().map(|request| Invitation {
            code: request.code.clone(),
            until: until(request.expiration),
        }),
    }
}

impl LinkCore {
    pub(super) async fn group_list(&self) -> Result<Vec<Group>> {
        let client = self.online()?;
        let mut groups = queried(&client, All).await?;
        for group in &mut groups {
            name_numbers(&client, group).await?;
        }
        Ok(groups)
    }

    pub(super) async fn group_look(&self, group: &Address) -> Result<Group> {
        let client = self.online()?;
        look(&client, &group_of(group)?).await
    }

    pub(super) async fn group_make(&self, call: &GroupMake) -> Result<Made> {
        let client = self.online()?;
        let people = people_of(&call.people)?;
        let given = people.iter().cloned().map(GroupParticipantOptions::new);
        let mut options = GroupCreateOptions::new(call.name.clone());
        options.participants = given.collect();
        let described = call.description.as_deref().map(GroupDescription::new);
        options.description = described.transpose().map_err(|error| {
            Error::field("group_description", "WhatsApp does not take this").with_source(error)
        })?;
        let made = asked(client.groups().create_group(options)).await?;
        // The answer names also those who could not be added: who is in it is asked for.
        let group = look(&client, &made.metadata.id).await?;
        let mut outcomes = Vec::with_capacity(people.len());
        let mut missing = Vec::new();
        for (person, given) in people.into_iter().zip(&call.people) {
            match group.members.iter().find(|member| member.is(given)) {
                Some(member) => outcomes.push(Outcome {
                    member: member.clone(),
                    refused: None,
                    invitation: None,
                }),
                None => missing.push(person),
            }
        }
        if !missing.is_empty() {
            // Asked for again by themselves, WhatsApp says why, and how they may come in.
            let groups = client.groups();
            let add = groups.add_participants(&made.metadata.id, &missing);
            outcomes.extend(asked(add).await?.iter().map(outcome));
        }
        Ok(Made { group, outcomes })
    }

    pub(super) async fn group_act(&self, call: &GroupAct) -> Result<Vec<Outcome>> {
        let client = self.online()?;
        let groups = client.groups();
        let (group, people) = (group_of(&call.group)?, people_of(&call.people)?);
        let answer = match call.act {
            Act::Add => asked(groups.add_participants(&group, &people)).await,
            Act::Remove => asked(groups.remove_participants(&group, &people)).await,
            Act::Promote => asked(groups.promote_participants(&group, &people)).await,
            Act::Demote => asked(groups.demote_participants(&group, &people)).await,
            Act::Approve => asked(groups.approve_membership_requests(&group, &people)).await,
            Act::Reject => asked(groups.reject_membership_requests(&group, &people)).await,
        };
        Ok(answer?.iter().map(outcome).collect())
    }

    pub(super) async fn group_rename(&self, call: &GroupRename) -> Result<()> {
        let client = self.online()?;
        let name = GroupSubject::new(call.name.as_str())
            .map_err(|error| Error::field("name", "the name is too long").with_source(error))?;
        let group = group_of(&call.group)?;
        asked(client.groups().set_subject(&group, name)).await
    }

    pub(super) async fn group_describe(&self, call: &GroupDescribe) -> Result<()> {
        let client = self.online()?;
        let text = call.text.as_deref().map(GroupDescription::new);
        let text = text.transpose().map_err(|error| {
            Error::field("description", "the description is too long").with_source(error)
        })?;
        let group = group_of(&call.group)?;
        let previous = PreviousDescription::Resolve;
        asked(client.groups().set_description(&group, text, previous)).await
    }

    pub(super) async fn group_set(&self, call: &GroupSet) -> Result<()> {
        let client = self.online()?;
        let (groups, group, set) = (client.groups(), group_of(&call.group)?, &call.settings);
        if let Some(on) = set.admins_write {
            asked(groups.set_announce(&group, on)).await?;
        }
        if let Some(on) = set.admins_set {
            asked(groups.set_locked(&group, on)).await?;
        }
        if let Some(on) = set.approval {
            let mode = match on {
                true => MembershipApprovalMode::On,
                false => MembershipApprovalMode::Off,
            };
            asked(groups.set_membership_approval(&group, mode)).await?;
        }
        if let Some(all) = set.members_add {
            let mode = match all {
                true => MemberAddMode::AllMemberAdd,
                false => MemberAddMode::AdminAdd,
            };
            asked(groups.set_member_add_mode(&group, mode)).await?;
        }
        if let Some(seconds) = set.expiration {
            asked(groups.set_ephemeral(&group, seconds)).await?;
        }
        Ok(())
    }

    pub(super) async fn group_picture(&self, call: &GroupPicture) -> Result<String> {
        let client = self.online()?;
        let group = group_of(&call.group)?;
        let groups = client.groups();
        let set = groups.set_profile_picture(&group, call.jpeg.clone());
        Ok(asked(set).await?.id)
    }

    pub(super) async fn group_link(&self, call: &GroupLink) -> Result<String> {
        let client = self.online()?;
        let group = group_of(&call.group)?;
        asked(client.groups().get_invite_link(&group, call.reset)).await
    }

    pub(super) async fn group_preview(&self, code: &str) -> Result<Group> {
        let client = self.online()?;
        let preview = queried(&client, Preview(code.to_owned())).await;
        preview.map_err(refusal::of_link)
    }

    pub(super) async fn group_join(&self, code: &str) -> Result<Joined> {
        let client = self.online()?;
        let joined = asked(client.groups().join_with_invite_code(code)).await;
        let joined = joined.map_err(refusal::of_link)?;
        Ok(Joined {
            group: Address::from_wire(joined.group_jid().to_string()),
            pending: matches!(joined, JoinGroupResult::PendingApproval(_)),
        })
    }

    pub(super) async fn group_requests(&self, group: &Address) -> Result<Vec<JoinRequest>> {
        let client = self.online()?;
        let group = group_of(group)?;
        let mut requests = queried(&client, Requests(group)).await?;
        for request in &mut requests {
            name_number(&client, &mut request.member).await?;
        }
        Ok(requests)
    }

    pub(super) async fn group_leave(&self, group: &Address) -> Result<()> {
        let client = self.online()?;
        let group = group_of(group)?;
        asked(client.groups().leave(&group)).await
    }
}

async fn look(client: &Client, group: &Jid) -> Result<Group> {
    let mut group = queried(client, Look(group.clone())).await?;
    name_numbers(client, &mut group).await?;
    Ok(group)
}

/// The number behind an id, where the client knows it.
async fn number_behind(client: &Client, lid: &Jid) -> Result<Option<Jid>> {
    if !lid.is_lid() {
        return Ok(None);
    }
    let entry = client.get_lid_pn_entry(lid).await;
    let entry = entry.map_err(Error::internal)?;
    Ok(entry.map(|entry| Jid::pn(entry.phone_number.to_string())))
}

/// WhatsApp leaves numbers out that the client may know from elsewhere.
async fn name_numbers(client: &Client, group: &mut Group) -> Result<()> {
    for member in &mut group.members {
        name_number(client, member).await?;
    }
    Ok(())
}

async fn name_number(client: &Client, member: &mut Member) -> Result<()> {
    if member.number.is_none()
        && let Ok(lid) = member.address.as_str().parse::<Jid>()
    {
        let number = number_behind(client, &lid).await?;
        member.number = number.map(|number| Address::from_wire(number.to_string()));
    }
    Ok(())
}
