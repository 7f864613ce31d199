//! What people do to groups, as the control API and tests have them do it.

use super::Network;
use crate::core::Core;
use crate::group::{MemberResult, No, group_id_of};
use crate::groups::{GroupSettings, Joined, NewGroup};
use crate::info::{GroupInfo, group_info};
use crate::refusal::{Refusal, chat_of, digits};

/// The server's refusal, in words.
fn refused(No(code, why): No) -> Refusal {
    Refusal::Conflict(format!("the network refuses it: {code} {why}"))
}

fn id_of(group: &str) -> Result<String, Refusal> {
    let address = chat_of(group)?;
    let id = group_id_of(&address).map(str::to_owned);
    id.ok_or_else(|| Refusal::Bad(format!("`{group}` is not a group: it ends in @g.us")))
}

fn all_digits(numbers: &[String]) -> Result<Vec<String>, Refusal> {
    numbers.iter().map(|number| digits(number)).collect()
}

impl Network {
    /// All groups, by id.
    pub fn groups(&self) -> Vec<GroupInfo> {
        self.peek(|core| core.groups.values().map(group_info).collect())
    }

    /// One group.
    ///
    /// # Errors
    /// [`Refusal::Missing`].
    pub fn group(&self, group: &str) -> Result<GroupInfo, Refusal> {
        let id = id_of(group)?;
        self.peek(|core| core.groups.get(&id).map(group_info))
            .ok_or_else(|| Refusal::Missing(format!("there is no group {id}@g.us")))
    }

    /// The groups that the phone is in.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn groups_of(&self, number: &str) -> Result<Vec<GroupInfo>, Refusal> {
        let number = self.known(number)?;
        Ok(self.peek(|core| core.groups_of(&number).map(group_info).collect()))
    }

    /// The phone does something to a group.
    fn in_group<T>(
        &self,
        number: &str,
        group: &str,
        act: impl FnOnce(&mut Core, &str, &str) -> Result<T, No>,
    ) -> Result<T, Refusal> {
        let (number, id) = (self.online(number)?, id_of(group)?);
        self.with(|core| act(core, &number, &id)).map_err(refused)
    }

    /// The phone makes a group. Who could not be added is told beside it.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] with the server's word, or when the phone is offline.
    pub fn create_group(
        &self,
        number: &str,
        new: &NewGroup,
    ) -> Result<(GroupInfo, Vec<MemberResult>), Refusal> {
        let number = self.online(number)?;
        let new = NewGroup {
            participants: all_digits(&new.participants)?,
            ..new.clone()
        };
        let made = self.with(|core| core.create_group(&number, &new));
        let (id, results) = made.map_err(refused)?;
        Ok((self.group(&format!("{id}@g.us"))?, results))
    }

    /// The phone does one of `add`, `remove`, `promote`, `demote`, `approve` and `reject` to people.
    ///
    /// # Errors
    /// [`Refusal::Bad`] for another word, else as [`Network::create_group`].
    pub fn change_members(
        &self,
        number: &str,
        group: &str,
        act: &str,
        participants: &[String],
    ) -> Result<Vec<MemberResult>, Refusal> {
        let them = all_digits(participants)?;
        let act = act.to_owned();
        if !["add", "remove", "promote", "demote", "approve", "reject"].contains(&act.as_str()) {
            return Err(Refusal::Bad(format!("`{act}` is nothing to do to members")));
        }
        self.in_group(number, group, move |core, by, id| match act.as_str() {
            "add" => core.add_members(by, id, &them),
            "remove" => core.remove_members(by, id, &them),
            "promote" => core.set_admins(by, id, &them, true),
            "demote" => core.set_admins(by, id, &them, false),
            act => core.decide(by, id, &them, act == "approve"),
        })
    }

    /// Gives a group another name.
    ///
    /// # Errors
    /// As [`Network::create_group`].
    pub fn rename_group(&self, number: &str, group: &str, subject: &str) -> Result<(), Refusal> {
        self.in_group(number, group, |core, by, id| {
            core.rename_group(by, id, subject)
        })
    }

    /// Says what a group is about; nothing takes it back.
    ///
    /// # Errors
    /// As [`Network::create_group`].
    pub fn describe_group(&self, number: &str, group: &str, text: &str) -> Result<(), Refusal> {
        self.in_group(number, group, |core, by, id| {
            let known = core
                .groups
                .get(id)
                .and_then(|group| group.description.as_ref());
            let prev = known.map(|known| known.id.clone());
            core.describe_group(by, id, Some(text), (None, prev.as_deref()))
        })
    }

    /// Sets a group.
    ///
    /// # Errors
    /// As [`Network::create_group`].
    pub fn set_group(
        &self,
        number: &str,
        group: &str,
        settings: &GroupSettings,
    ) -> Result<(), Refusal> {
        self.in_group(number, group, |core, by, id| {
            core.set_group(by, id, settings)
        })
    }

    /// Gives a group a picture, or none.
    ///
    /// # Errors
    /// As [`Network::create_group`].
    pub fn set_group_picture(
        &self,
        number: &str,
        group: &str,
        jpeg: Option<&[u8]>,
    ) -> Result<Option<String>, Refusal> {
        self.in_group(number, group, |core, by, id| {
            core.set_group_picture(by, id, jpeg)
        })
    }

    /// The end of a group's link; with `reset` of a new one.
    ///
    /// # Errors
    /// As [`Network::create_group`].
    pub fn invite_code(&self, number: &str, group: &str, reset: bool) -> Result<String, Refusal> {
        self.in_group(number, group, |core, by, id| {
            core.invite_code(by, id, reset)
        })
    }

    /// Comes in by a link.
    ///
    /// # Errors
    /// As [`Network::create_group`].
    pub fn join(&self, number: &str, code: &str) -> Result<Joined, Refusal> {
        let number = self.online(number)?;
        let code = code.rsplit('/').next().unwrap_or_default();
        self.with(|core| core.join_by_code(&number, code))
            .map_err(refused)
    }

    /// Comes in by an invitation.
    ///
    /// # Errors
    /// As [`Network::create_group`].
    pub fn accept_invitation(
        &self,
        number: &str,
        group: &str,
        code: &str,
    ) -> Result<Joined, Refusal> {
        self.in_group(number, group, |core, by, id| {
            core.accept_invitation(by, id, code)
        })
    }

    /// Takes a wish to join back.
    ///
    /// # Errors
    /// As [`Network::create_group`].
    pub fn cancel_request(&self, number: &str, group: &str) -> Result<(), Refusal> {
        self.in_group(number, group, Core::cancel_request)
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// As [`Network::create_group`].
    pub fn leave_group(&self, number: &str, group: &str) -> Result<(), Refusal> {
        self.in_group(number, group, Core::leave_group)
    }

    /// Whether others have to invite this person, and cannot add them.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn refuse_groups(&self, number: &str, refuses: bool) -> Result<(), Refusal> {
        let number = self.known(number)?;
        self.with(|core| core.refuse_groups(&number, refuses));
        Ok(())
    }
}
