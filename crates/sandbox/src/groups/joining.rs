//! How people come in by themselves: the link, an invitation, a request that an admin decides on.

use serde::Serialize;

use super::acts::done;
use super::told::Deed;
use super::{
    FORBIDDEN, Group, MOST_MEMBERS, MemberResult, NOT_ACCEPTABLE, NOT_AUTHORIZED, NOT_FOUND, No,
    Rank, new_code,
};
use crate::ambient;
use crate::core::Core;

/// What came of a wish to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Joined {
    /// The group's address.
    pub group: String,
    /// An admin has to let them in.
    pub pending: bool,
}

impl Core {
    /// The end of the link; with `reset` a new one, and the old one is over.
    pub(crate) fn invite_code(&mut self, by: &str, id: &str, reset: bool) -> Result<String, No> {
        let group = self.group_with(by, id)?;
        if !group.is_admin(by) {
            return Err(NOT_AUTHORIZED);
        }
        if !reset {
            return Ok(group.code.clone());
        }
        let code = new_code();
        if let Some(group) = self.groups.get_mut(id) {
            let old = std::mem::replace(&mut group.code, code.clone());
            group.old_codes.push(old);
        }
        self.touch_group(id);
        self.tell_group(id, by, &Deed::Invite(code.clone()));
        Ok(code)
    }

    /// The group that a link leads to.
    pub(crate) fn group_by_code(&self, code: &str) -> Result<&Group, No> {
        let mut groups = self.groups.values();
        if let Some(group) = groups.find(|group| group.code == code) {
            return Ok(group);
        }
        let was = |group: &Group| group.old_codes.iter().any(|old| old == code);
        match self.groups.values().any(was) {
            true => Err(No(410, "gone")),
            false => Err(NOT_ACCEPTABLE),
        }
    }

    pub(crate) fn join_by_code(&mut self, by: &str, code: &str) -> Result<Joined, No> {
        let group = self.group_by_code(code)?;
        let (id, address) = (group.id.clone(), group.jid().to_string());
        if group.members.contains_key(by) {
            return Err(No(304, "not-modified"));
        }
        if group.approval {
            self.ask_to_join(by, &id);
            return Ok(Joined {
                group: address,
                pending: true,
            });
        }
        if group.members.len() >= MOST_MEMBERS {
            return Err(No(419, "resource-limit"));
        }
        self.comes_in(by, &id, by);
        Ok(Joined {
            group: address,
            pending: false,
        })
    }

    fn ask_to_join(&mut self, by: &str, id: &str) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let news = group
            .requests
            .insert(by.to_owned(), ambient::now_secs())
            .is_none();
        self.touch_group(id);
        if news {
            self.tell_group(id, by, &Deed::Requested(vec![by.to_owned()]));
        }
    }

    /// Lets in whom nobody added.
    fn comes_in(&mut self, number: &str, id: &str, by: &str) {
        if let Some(group) = self.groups.get_mut(id) {
            group.members.insert(number.to_owned(), Rank::Member);
            group.requests.remove(number);
            group.invitations.remove(number);
        }
        self.touch_group(id);
        self.tell_group(id, by, &Deed::Joined(vec![number.to_owned()]));
    }

    /// Joins by an invitation that was made for this person.
    pub(crate) fn accept_invitation(
        &mut self,
        by: &str,
        id: &str,
        code: &str,
    ) -> Result<Joined, No> {
        let group = self.groups.get(id).ok_or(NOT_FOUND)?;
        let holds = group.invitations.get(by).is_some_and(|invitation| {
            invitation.code == code && invitation.expiration >= ambient::now_secs()
        });
        if !holds {
            return Err(NOT_ACCEPTABLE);
        }
        let address = group.jid().to_string();
        self.comes_in(by, id, by);
        Ok(Joined {
            group: address,
            pending: false,
        })
    }

    /// Who wants in, and since when.
    pub(crate) fn join_requests(&self, by: &str, id: &str) -> Result<Vec<(String, i64)>, No> {
        let group = self.group_of_admin(by, id)?;
        let requests = group.requests.iter();
        Ok(requests.map(|(who, at)| (who.clone(), *at)).collect())
    }

    pub(crate) fn decide(
        &mut self,
        by: &str,
        id: &str,
        numbers: &[String],
        approve: bool,
    ) -> Result<Vec<MemberResult>, No> {
        let group = self.group_of_admin(by, id)?;
        let results: Vec<MemberResult> = numbers
            .iter()
            .map(|number| match group.requests.contains_key(number) {
                true => MemberResult::done(number),
                false => MemberResult::refused(number, 404),
            })
            .collect();
        let decided = done(&results);
        if approve {
            for number in &decided {
                self.comes_in(number, id, by);
            }
            return Ok(results);
        }
        self.drop_requests(by, id, decided);
        Ok(results)
    }

    /// The one who asked takes it back.
    pub(crate) fn cancel_request(&mut self, by: &str, id: &str) -> Result<(), No> {
        let group = self.groups.get(id).ok_or(NOT_FOUND)?;
        if !group.requests.contains_key(by) {
            return Err(FORBIDDEN);
        }
        self.drop_requests(by, id, vec![by.to_owned()]);
        Ok(())
    }

    fn drop_requests(&mut self, by: &str, id: &str, numbers: Vec<String>) {
        if numbers.is_empty() {
            return;
        }
        if let Some(group) = self.groups.get_mut(id) {
            for number in &numbers {
                group.requests.remove(number);
            }
        }
        self.touch_group(id);
        self.tell_group(id, by, &Deed::Unrequested(numbers));
    }
}
