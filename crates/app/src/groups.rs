//! Groups: listed from what was told of them, changed at WhatsApp, and changed here at once when that went well.

use recado_identity::Granted;
use recado_model::{
    Address, DeviceCall, Error, ErrorCode, InstanceId, PhoneNumber, Result, Timestamp,
    call::{
        GroupAct, GroupDescribe, GroupJoin, GroupLeave, GroupLink, GroupList, GroupLook, GroupMake,
        GroupPicture, GroupPreview, GroupRename, GroupRequests, GroupSet,
    },
    group::{self, Act, Deed, Group, JoinRequest, Joined, Made, Member, Outcome, Rank, Settings},
    message::{Party, Timer},
};
use recado_store::AccountStore;

use crate::{App, instances::require_paired, messages::numbers};

/// Of a group's picture.
const LARGEST_PICTURE: usize = 1024 * 1024;

pub struct Groups<'a> {
    pub(crate) app: &'a App,
}

/// A page of the groups that an instance is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupsPage {
    /// Without their members.
    pub groups: Vec<Group>,
    pub total: u64,
}

/// A group that somebody wants to make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewGroup {
    pub name: String,
    pub description: Option<String>,
    pub participants: Vec<String>,
    pub jpeg: Option<Vec<u8>>,
}

/// What became of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeGroup {
    pub group: Group,
    pub outcomes: Vec<Outcome>,
    /// Why it has no picture, though one was given.
    pub picture_fault: Option<String>,
}

impl Groups<'_> {
    /// In the order of their names. Asks WhatsApp for all of them the first time.
    pub async fn list(&self, granted: &Granted, page: u32, size: u32) -> Result<GroupsPage> {
        self.ensure_listed(granted).await?;
        let skip = u64::from(page.saturating_sub(1)) * u64::from(size);
        let found = self.page(granted, skip, size).await?;
        let stale: Vec<Address> = found
            .0
            .iter()
            .filter(|(_, stale)| *stale)
            .map(|(group, _)| group.address.clone())
            .collect();
        if stale.is_empty() {
            return Ok(into_page(found));
        }
        for address in stale {
            match self.look(granted, &address).await {
                Ok(_) => {}
                // It is gone meanwhile; what cannot be asked for is told as it was known.
                Err(error) if error.code == ErrorCode::NotFound => {}
                Err(error) => tracing::debug!(
                    instance.id = %granted.id(),
                    error = &error as &dyn std::error::Error,
                    "a group could not be asked for"
                ),
            }
        }
        self.page(granted, skip, size).await.map(into_page)
    }

    async fn page(
        &self,
        granted: &Granted,
        skip: u64,
        size: u32,
    ) -> Result<(Vec<(Group, bool)>, u64)> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let page = store.group_page(granted.id(), skip, size).await?;
        let groups = page.groups.into_iter();
        let groups = groups.map(|row| (row.group, row.stale)).collect();
        Ok((groups, page.total))
    }

    async fn ensure_listed(&self, granted: &Granted) -> Result<()> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        if store.knows_groups(granted.id()).await? {
            return Ok(());
        }
        drop(conn);
        let groups = self.ask(granted, GroupList {}).await?;
        let now = self.app.core.clock.now();
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(granted.account());
        store.put_all_groups(granted.id(), &groups, now).await?;
        for group in &groups {
            keep_timer(&mut store, granted.id(), group, now).await?;
        }
        Ok(conn.commit().await?)
    }

    async fn ask<C: DeviceCall + Send>(&self, granted: &Granted, call: C) -> Result<C::Answer> {
        require_paired(granted.instance())?;
        self.app.supervisor.require_here(granted.id()).await?;
        self.app
            .exchange
            .ask(granted.account(), granted.id(), call)
            .await
    }

    /// One group with its members.
    pub async fn get(&self, granted: &Granted, group_id: &str) -> Result<Group> {
        let address = group::address(group_id)?;
        self.ensure_listed(granted).await?;
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let known = store.group(granted.id(), &address).await?;
        drop(conn);
        match known {
            Some(row) if !row.stale => Ok(row.group),
            _ => self.look(granted, &address).await,
        }
    }

    /// Asks WhatsApp.
    async fn look(&self, granted: &Granted, address: &Address) -> Result<Group> {
        let call = GroupLook {
            group: address.clone(),
        };
        let found = self.ask(granted, call).await;
        let found = match found {
            Err(error) if is_no_member(&error) => {
                self.forget(granted, address).await?;
                return Err(group::not_in_it());
            }
            found => found?,
        };
        let now = self.app.core.clock.now();
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(granted.account());
        store.put_group(granted.id(), &found, now).await?;
        keep_timer(&mut store, granted.id(), &found, now).await?;
        conn.commit().await?;
        Ok(found)
    }

    async fn forget(&self, granted: &Granted, address: &Address) -> Result<()> {
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(granted.account());
        store.drop_group(granted.id(), address).await?;
        Ok(conn.commit().await?)
    }

    /// Does something to a group, and notes here what came of it. A refusal says whether the number is in the
    /// group at all.
    async fn change<C: DeviceCall + Send>(
        &self,
        granted: &Granted,
        address: &Address,
        call: C,
        deeds: impl FnOnce(&C::Answer) -> Vec<Deed>,
    ) -> Result<C::Answer> {
        let answer = match self.ask(granted, call).await {
            Err(error) if error.code == ErrorCode::NotGroupAdmin => {
                // WhatsApp has one word for both.
                self.look(granted, address).await?;
                return Err(error);
            }
            answer => answer?,
        };
        let deeds = deeds(&answer);
        if deeds.is_empty() {
            return Ok(answer);
        }
        let now = self.app.core.clock.now();
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(granted.account());
        let own = own_addresses(granted);
        for deed in &deeds {
            store
                .apply_to_group(granted.id(), address, deed, &own, now)
                .await?;
        }
        conn.commit().await?;
        Ok(answer)
    }

    /// Where WhatsApp says that these numbers are.
    async fn people(&self, granted: &Granted, given: &[String]) -> Result<Vec<Address>> {
        let given = group::people(given)?;
        let mut people = Vec::with_capacity(given.len());
        // Of a few a wrong number is told by name; of many WhatsApp tells it in the results.
        let few = given.len() <= 10;
        for person in given {
            people.push(match person.number() {
                Some(number) if few => {
                    let phone = PhoneNumber::parse(number)?;
                    let found = numbers::address_of(self.app, granted, &phone).await;
                    match found {
                        // The result of that one says so.
                        Err(error) if error.code == ErrorCode::NotOnWhatsapp => person,
                        found => found?,
                    }
                }
                _ => person,
            });
        }
        Ok(people)
    }

    /// Makes a group. Who cannot be added is told in the outcomes.
    pub async fn create(&self, granted: &Granted, new: NewGroup) -> Result<MadeGroup> {
        let name = group::name("group_name", &new.name)?;
        let description = match &new.description {
            Some(text) => group::description("group_description", text)?,
            None => None,
        };
        if let Some(jpeg) = &new.jpeg {
            require_jpeg("group_image", jpeg)?;
        }
        let people = match new.participants.is_empty() {
            true => Vec::new(),
            false => self.people(granted, &new.participants).await?,
        };
        let call = GroupMake {
            name,
            description,
            people,
        };
        self.ensure_listed(granted).await?;
        let Made {
            mut group,
            outcomes,
        } = self.ask(granted, call).await?;
        for outcome in outcomes.iter().filter(|outcome| outcome.is_done()) {
            // Who came in by the second try.
            if !group
                .members
                .iter()
                .any(|m| m.address == outcome.member.address)
            {
                group.members.push(outcome.member.clone());
            }
        }
        let now = self.app.core.clock.now();
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(granted.account());
        store.put_group(granted.id(), &group, now).await?;
        conn.commit().await?;
        let mut picture_fault = None;
        if let Some(jpeg) = new.jpeg {
            let call = GroupPicture {
                group: group.address.clone(),
                jpeg,
            };
            // The group is made: that its picture is not must not look as if it were not.
            if let Err(error) = self.ask(granted, call).await {
                picture_fault = Some(error.message.into_owned());
            }
        }
        Ok(MadeGroup {
            group,
            outcomes,
            picture_fault,
        })
    }

    /// Adds people, removes them, makes them admins or members again, lets them in or does not.
    pub async fn act(
        &self,
        granted: &Granted,
        group_id: &str,
        act: Act,
        participants: &[String],
    ) -> Result<Vec<Outcome>> {
        let address = group::address(group_id)?;
        let people = self.people(granted, participants).await?;
        let call = GroupAct {
            group: address.clone(),
            act,
            people,
        };
        self.change(granted, &address, call, |outcomes| {
            let done: Vec<Member> = outcomes
                .iter()
                .filter(|outcome| outcome.is_done())
                .map(|outcome| outcome.member.clone())
                .collect();
            if done.is_empty() {
                return Vec::new();
            }
            match act {
                Act::Add | Act::Approve => vec![Deed::Added(done)],
                Act::Remove => vec![Deed::Removed(done)],
                Act::Promote => vec![Deed::Promoted(done)],
                Act::Demote => vec![Deed::Demoted(done)],
                Act::Reject => Vec::new(),
            }
        })
        .await
    }

    pub async fn rename(&self, granted: &Granted, group_id: &str, name: &str) -> Result<()> {
        let address = group::address(group_id)?;
        let name = group::name("name", name)?;
        let deed = Deed::Named(name.clone());
        let call = GroupRename {
            group: address.clone(),
            name,
        };
        self.change(granted, &address, call, |()| vec![deed]).await
    }

    pub async fn describe(&self, granted: &Granted, group_id: &str, text: &str) -> Result<()> {
        let address = group::address(group_id)?;
        let text = group::description("description", text)?;
        let deed = Deed::Described(text.clone());
        let call = GroupDescribe {
            group: address.clone(),
            text,
        };
        self.change(granted, &address, call, |()| vec![deed]).await
    }

    pub async fn set(&self, granted: &Granted, group_id: &str, settings: Settings) -> Result<()> {
        let address = group::address(group_id)?;
        let deeds = settings.deeds();
        let call = GroupSet {
            group: address.clone(),
            settings,
        };
        self.change(granted, &address, call, |()| deeds).await
    }

    /// A JPEG; an empty one takes the picture away. Its id, if WhatsApp tells one.
    pub async fn set_picture(
        &self,
        granted: &Granted,
        group_id: &str,
        jpeg: Vec<u8>,
    ) -> Result<Option<String>> {
        let address = group::address(group_id)?;
        if !jpeg.is_empty() {
            require_jpeg("image", &jpeg)?;
        }
        let call = GroupPicture {
            group: address.clone(),
            jpeg,
        };
        let id = self.change(granted, &address, call, |_| Vec::new()).await?;
        Ok(Some(id).filter(|id| !id.is_empty()))
    }

    /// With `reset` a new one.
    pub async fn link(&self, granted: &Granted, group_id: &str, reset: bool) -> Result<String> {
        let address = group::address(group_id)?;
        let call = GroupLink {
            group: address.clone(),
            reset,
        };
        self.change(granted, &address, call, |_| Vec::new()).await
    }

    /// The group that a link leads to, without joining it.
    pub async fn preview(&self, granted: &Granted, link: &str) -> Result<Group> {
        let code = group::code(link)?;
        self.ask(granted, GroupPreview { code }).await
    }

    pub async fn join(&self, granted: &Granted, link: &str) -> Result<Joined> {
        let code = group::code(link)?;
        self.ensure_listed(granted).await?;
        let joined = self.ask(granted, GroupJoin { code }).await?;
        if !joined.pending {
            self.look(granted, &joined.group).await?;
        }
        Ok(joined)
    }

    pub async fn leave(&self, granted: &Granted, group_id: &str) -> Result<()> {
        let address = group::address(group_id)?;
        let call = GroupLeave {
            group: address.clone(),
        };
        let own = own_addresses(granted);
        let own = own.into_iter().map(|address| Member {
            number: None,
            lid: None,
            address,
            rank: Rank::Member,
        });
        let deed = Deed::Removed(own.collect());
        self.change(granted, &address, call, |()| vec![deed]).await
    }

    /// Who wants to join.
    pub async fn requests(&self, granted: &Granted, group_id: &str) -> Result<Vec<JoinRequest>> {
        let address = group::address(group_id)?;
        let call = GroupRequests {
            group: address.clone(),
        };
        self.change(granted, &address, call, |_| Vec::new()).await
    }
}

/// What is written in a group from now on disappears as the group has it.
pub(crate) async fn keep_timer(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    group: &Group,
    now: Timestamp,
) -> Result<()> {
    if group.expiration == 0 {
        return Ok(());
    }
    let party = Party::only(group.address.clone());
    let chat = store.chat(instance, &party, now).await?;
    let timer = Timer {
        seconds: group.expiration,
        since: now,
    };
    Ok(store.set_chat_timer(&chat, timer, now).await?)
}

fn into_page((groups, total): (Vec<(Group, bool)>, u64)) -> GroupsPage {
    GroupsPage {
        groups: groups.into_iter().map(|(group, _)| group).collect(),
        total,
    }
}

/// Of a question about a group that every member may ask.
fn is_no_member(error: &Error) -> bool {
    matches!(error.code, ErrorCode::NotGroupAdmin | ErrorCode::NotFound)
}

fn own_addresses(granted: &Granted) -> Vec<Address> {
    let instance = granted.instance();
    let both = [instance.jid.clone(), instance.lid.clone()];
    both.into_iter().flatten().collect()
}

/// WhatsApp takes no other pictures here.
fn require_jpeg(field: &'static str, bytes: &[u8]) -> Result<()> {
    if bytes.len() > LARGEST_PICTURE {
        let text = format!("{field} has 1 MiB at most");
        return Err(Error::new(ErrorCode::PayloadTooLarge, text).with_field(field));
    }
    match bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorCode::UnsupportedMediaType,
            format!("{field} is a JPEG: WhatsApp takes no other pictures of groups"),
        )
        .with_field(field)),
    }
}
