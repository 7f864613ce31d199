//! What members do to a group.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::told::Deed;
use super::{
    BAD_REQUEST, CONFLICT, Description, FORBIDDEN, Group, Invitation, LONGEST_DESCRIPTION,
    LONGEST_SUBJECT, MOST_MEMBERS, MemberResult, NOT_ACCEPTABLE, No, Rank, new_code,
};
use crate::ambient;
use crate::core::{Core, Entity};

/// For so long an invitation holds.
const INVITED_SECS: i64 = 3 * 24 * 3600;

/// A group that somebody makes.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct NewGroup {
    /// Its name.
    pub subject: String,
    /// Numbers.
    #[serde(default)]
    pub participants: Vec<String>,
    /// What it is about.
    #[serde(default)]
    pub description: Option<String>,
    /// Its members know each other by number, as in groups of older days.
    #[serde(default)]
    pub by_number: bool,
    /// What it is set to from the start.
    #[serde(flatten)]
    pub settings: GroupSettings,
}

/// What a group is set to; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSettings {
    /// Only admins write.
    pub announcement: Option<bool>,
    /// Only admins change name, description and picture.
    pub locked: Option<bool>,
    /// Who comes by the link waits for an admin.
    pub approval: Option<bool>,
    /// Every member adds others.
    pub members_add: Option<bool>,
    /// Seconds; 0: messages stay.
    pub expiration: Option<u32>,
}

impl GroupSettings {
    fn apply(&self, group: &mut Group) {
        let set = |old: &mut bool, new: Option<bool>| *old = new.unwrap_or(*old);
        set(&mut group.announcement, self.announcement);
        set(&mut group.locked, self.locked);
        set(&mut group.approval, self.approval);
        set(&mut group.members_add, self.members_add);
        group.expiration = self.expiration.unwrap_or(group.expiration);
    }

    /// What this changes, each by itself.
    fn deeds(&self, group: &Group) -> Vec<Deed> {
        let news = |new: Option<bool>, old: bool| new.filter(|new| *new != old);
        let mut deeds = Vec::new();
        deeds.extend(news(self.announcement, group.announcement).map(Deed::Announcement));
        deeds.extend(news(self.locked, group.locked).map(Deed::Locked));
        deeds.extend(news(self.approval, group.approval).map(Deed::Approval));
        deeds.extend(news(self.members_add, group.members_add).map(Deed::MembersAdd));
        let expiration = self.expiration.filter(|new| *new != group.expiration);
        deeds.extend(expiration.map(Deed::Expiration));
        deeds
    }
}

fn good_subject(subject: &str) -> Result<(), No> {
    match subject.trim().is_empty() || subject.chars().count() > LONGEST_SUBJECT {
        true => Err(NOT_ACCEPTABLE),
        false => Ok(()),
    }
}

impl Core {
    /// Makes a group. Who may not be added is told in the results, and is not in it.
    pub(crate) fn create_group(
        &mut self,
        by: &str,
        new: &NewGroup,
    ) -> Result<(String, Vec<MemberResult>), No> {
        good_subject(&new.subject)?;
        if new.participants.len() >= MOST_MEMBERS {
            return Err(NOT_ACCEPTABLE);
        }
        let id = loop {
            let random = u64::from_be_bytes(ambient::bytes::<8>()) % 1_000_000_000_000;
            let id = format!("120363{random:012}");
            if !self.groups.contains_key(&id) {
                break id;
            }
        };
        let now = ambient::now_secs();
        let mut group = Group {
            id: id.clone(),
            subject: new.subject.clone(),
            subject_by: by.to_owned(),
            subject_at: now,
            description: new.description.clone().map(|text| Description {
                id: hex::encode_upper(ambient::bytes::<4>()),
                text,
                by: by.to_owned(),
                at: now,
            }),
            creator: by.to_owned(),
            created: now,
            by_lid: !new.by_number,
            members: BTreeMap::from([(by.to_owned(), Rank::SuperAdmin)]),
            announcement: false,
            locked: false,
            approval: false,
            members_add: true,
            expiration: 0,
            code: new_code(),
            old_codes: Vec::new(),
            requests: BTreeMap::new(),
            invitations: BTreeMap::new(),
            picture: None,
        };
        new.settings.apply(&mut group);
        self.groups.insert(id.clone(), group);
        let mut results = self.let_in(by, &id, &new.participants);
        // Whoever makes a group need not be told that they are in it.
        results.retain(|result| result.number != by);
        self.touch_group(&id);
        self.tell_group(&id, by, &Deed::Create);
        Ok((id, results))
    }

    /// Puts people in, as far as they allow it.
    fn let_in(&mut self, by: &str, id: &str, numbers: &[String]) -> Vec<MemberResult> {
        let mut results: Vec<MemberResult> = Vec::with_capacity(numbers.len());
        let unique: BTreeSet<&String> = numbers.iter().collect();
        for number in unique {
            let closed = self.phones.get(number).map(|phone| phone.refuses_groups);
            let Some(group) = self.groups.get_mut(id) else {
                break;
            };
            results.push(match closed {
                None => MemberResult::refused(number, 404),
                Some(_) if group.members.contains_key(number) => MemberResult::refused(number, 409),
                Some(_) if group.members.len() >= MOST_MEMBERS => {
                    MemberResult::refused(number, 419)
                }
                Some(true) => {
                    let invitation = Invitation {
                        code: new_code(),
                        expiration: ambient::now_secs() + INVITED_SECS,
                        by: by.to_owned(),
                    };
                    group.invitations.insert(number.clone(), invitation.clone());
                    MemberResult {
                        invitation: Some(invitation),
                        ..MemberResult::refused(number, 403)
                    }
                }
                Some(false) => {
                    group.members.insert(number.clone(), Rank::Member);
                    group.requests.remove(number);
                    MemberResult::done(number)
                }
            });
        }
        results
    }

    pub(crate) fn add_members(
        &mut self,
        by: &str,
        id: &str,
        numbers: &[String],
    ) -> Result<Vec<MemberResult>, No> {
        let group = self.group_with(by, id)?;
        if !group.is_admin(by) && !group.members_add {
            return Err(FORBIDDEN);
        }
        let results = self.let_in(by, id, numbers);
        self.touch_group(id);
        let added = done(&results);
        if !added.is_empty() {
            self.tell_group(id, by, &Deed::Add(added));
        }
        Ok(results)
    }

    pub(crate) fn remove_members(
        &mut self,
        by: &str,
        id: &str,
        numbers: &[String],
    ) -> Result<Vec<MemberResult>, No> {
        let group = self.group_of_admin(by, id)?;
        let results: Vec<MemberResult> = numbers
            .iter()
            .map(|number| match group.rank(number) {
                None => MemberResult::refused(number, 404),
                // Who made it cannot be thrown out, and one leaves by oneself.
                Some(Rank::SuperAdmin) => MemberResult::refused(number, 406),
                Some(_) => MemberResult::done(number),
            })
            .collect();
        self.take_out(by, id, done(&results));
        Ok(results)
    }

    fn take_out(&mut self, by: &str, id: &str, gone: Vec<String>) {
        if gone.is_empty() {
            return;
        }
        // They are told as well: so before they are out.
        self.tell_group(id, by, &Deed::Remove(gone.clone()));
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        for number in &gone {
            group.members.remove(number);
        }
        group.settle_admins();
        let left = group.numbers();
        if left.is_empty() {
            self.groups.remove(id);
        }
        self.touch_group(id);
        // Whoever is out must not read on: those who stay take new keys.
        for number in left {
            self.forget_sender_key(&number, id);
        }
    }

    pub(crate) fn leave_group(&mut self, by: &str, id: &str) -> Result<(), No> {
        self.group_with(by, id)?;
        self.take_out(by, id, vec![by.to_owned()]);
        Ok(())
    }

    /// Makes admins of members, or members of admins.
    pub(crate) fn set_admins(
        &mut self,
        by: &str,
        id: &str,
        numbers: &[String],
        admin: bool,
    ) -> Result<Vec<MemberResult>, No> {
        self.group_of_admin(by, id)?;
        let Some(group) = self.groups.get_mut(id) else {
            return Err(super::NOT_FOUND);
        };
        let mut changed = Vec::new();
        let mut results = Vec::new();
        for number in numbers {
            results.push(match group.members.get_mut(number) {
                None => MemberResult::refused(number, 404),
                Some(Rank::SuperAdmin) if !admin => MemberResult::refused(number, 406),
                Some(rank) => {
                    if rank.is_admin() != admin {
                        *rank = if admin { Rank::Admin } else { Rank::Member };
                        changed.push(number.clone());
                    }
                    MemberResult::done(number)
                }
            });
        }
        self.touch_group(id);
        if !changed.is_empty() {
            let deed = match admin {
                true => Deed::Promote(changed),
                false => Deed::Demote(changed),
            };
            self.tell_group(id, by, &deed);
        }
        Ok(results)
    }

    pub(crate) fn rename_group(&mut self, by: &str, id: &str, subject: &str) -> Result<(), No> {
        good_subject(subject)?;
        self.group_open_to(by, id)?;
        if let Some(group) = self.groups.get_mut(id) {
            subject.clone_into(&mut group.subject);
            by.clone_into(&mut group.subject_by);
            group.subject_at = ambient::now_secs();
        }
        self.touch_group(id);
        self.tell_group(id, by, &Deed::Subject);
        Ok(())
    }

    /// `prev` is the id of the description that is replaced.
    pub(crate) fn describe_group(
        &mut self,
        by: &str,
        id: &str,
        text: Option<&str>,
        (new, prev): (Option<&str>, Option<&str>),
    ) -> Result<(), No> {
        if text.is_some_and(|text| text.chars().count() > LONGEST_DESCRIPTION) {
            return Err(NOT_ACCEPTABLE);
        }
        let group = self.group_open_to(by, id)?;
        let known = group.description.as_ref();
        if known.map(|known| known.id.as_str()) != prev {
            return Err(CONFLICT);
        }
        let new = match new {
            Some("") => return Err(BAD_REQUEST),
            Some(new) => new.to_owned(),
            None => hex::encode_upper(ambient::bytes::<4>()),
        };
        if let Some(group) = self.groups.get_mut(id) {
            group.description = text
                .filter(|text| !text.is_empty())
                .map(|text| Description {
                    id: new.clone(),
                    text: text.to_owned(),
                    by: by.to_owned(),
                    at: ambient::now_secs(),
                });
        }
        self.touch_group(id);
        self.tell_group(id, by, &Deed::Description(new));
        Ok(())
    }

    pub(crate) fn set_group(
        &mut self,
        by: &str,
        id: &str,
        settings: &GroupSettings,
    ) -> Result<(), No> {
        let group = match settings.expiration.is_some() && *settings == only_expiration(settings) {
            // Members may set a timer where they may change the rest.
            true => self.group_open_to(by, id)?,
            false => self.group_of_admin(by, id)?,
        };
        let deeds = settings.deeds(group);
        if let Some(group) = self.groups.get_mut(id) {
            settings.apply(group);
        }
        self.touch_group(id);
        for deed in deeds {
            self.tell_group(id, by, &deed);
        }
        Ok(())
    }

    /// Whether others may add this person to groups, or have to invite them.
    pub(crate) fn refuse_groups(&mut self, number: &str, refuses: bool) {
        if let Some(phone) = self.phones.get_mut(number) {
            phone.refuses_groups = refuses;
        }
        self.dirty.insert(Entity::Phone(number.to_owned()));
    }
}

fn only_expiration(settings: &GroupSettings) -> GroupSettings {
    GroupSettings {
        expiration: settings.expiration,
        ..GroupSettings::default()
    }
}

pub(super) fn done(results: &[MemberResult]) -> Vec<String> {
    let done = results.iter().filter(|result| result.is_done());
    done.map(|result| result.number.clone()).collect()
}
