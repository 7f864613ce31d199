//! What a person shows of themselves, whom they block, whom they call.

use super::Network;
use crate::profile::{Business, Call, Picture, Profile};
use crate::refusal::{Refusal, digits};
use crate::state::NamedBy;

impl Network {
    /// What others see of an account.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn profile(&self, number: &str) -> Result<Profile, Refusal> {
        let number = self.known(number)?;
        let profile = self.peek(|core| core.phones.get(&number).map(|phone| phone.profile.clone()));
        profile.ok_or(Refusal::UnknownPhone(number))
    }

    fn change_profile<R>(
        &self,
        number: &str,
        change: impl FnOnce(&mut Profile) -> R,
    ) -> Result<Profile, Refusal> {
        let number = self.known(number)?;
        self.with(|core| core.change_profile(&number, change));
        self.profile(&number)
    }

    /// Sets the line below the name.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn set_about(&self, number: &str, about: &str) -> Result<Profile, Refusal> {
        self.change_profile(number, |profile| {
            about.clone_into(&mut profile.about);
            profile.about_at = crate::ambient::now_secs();
        })
    }

    /// Sets the picture, with a small one of it; `None` takes it away.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`], [`Refusal::Conflict`] where the disk does not obey.
    pub fn set_picture(
        &self,
        number: &str,
        picture: Option<(&[u8], &[u8])>,
    ) -> Result<Profile, Refusal> {
        let shelf = self.shelf();
        let put = picture.map(|(bytes, preview)| Picture::put(&shelf, bytes, preview));
        let picture = put
            .transpose()
            .map_err(|error| Refusal::Conflict(format!("{error:#}")))?;
        let profile = self.change_profile(number, |profile| profile.picture = picture)?;
        let number = self.known(number)?;
        self.with(|core| core.tell_own_picture(&number));
        Ok(profile)
    }

    /// The bytes of the picture that others see.
    ///
    /// # Errors
    /// [`Refusal::Missing`] where there is none.
    pub fn picture(&self, number: &str) -> Result<Vec<u8>, Refusal> {
        let none = || Refusal::Missing("this phone has no picture".to_owned());
        let picture = self.profile(number)?.picture.ok_or_else(none)?;
        match self.shelf().find(&picture.path["/v/".len()..]) {
            crate::shelf::Found::Here(file) => std::fs::read(file).map_err(|_| none()),
            _ => Err(none()),
        }
    }

    /// Hides picture, about and when it was last there from everybody else, or shows them.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn hide(&self, number: &str, hidden: bool) -> Result<Profile, Refusal> {
        self.change_profile(number, |profile| profile.hidden = hidden)
    }

    /// Makes a business of an account, or a person.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn set_business(
        &self,
        number: &str,
        business: Option<Business>,
    ) -> Result<Profile, Refusal> {
        self.change_profile(number, |profile| profile.business = business)
    }

    /// Blocks another number, or takes that back.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`], [`Refusal::Bad`].
    pub fn block(&self, number: &str, other: &str, blocks: bool) -> Result<Profile, Refusal> {
        let other = digits(other)?;
        self.change_profile(number, |profile| match blocks {
            true => profile.blocked.insert(other),
            false => profile.blocked.remove(&other),
        })
    }

    /// The person looks at the app, or puts the phone away.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn look_at_app(&self, number: &str, looks: bool) -> Result<Profile, Refusal> {
        let number = self.known(number)?;
        self.with(|core| {
            core.while_there(&number, |core| {
                core.change_profile(&number, |profile| profile.away = !looks);
            });
        });
        self.profile(&number)
    }

    /// Whether others see somebody of the account: at the app or at a linked device.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn is_there(&self, number: &str) -> Result<bool, Refusal> {
        let number = self.known(number)?;
        Ok(self.peek(|core| core.is_there(&number)))
    }

    /// The person has WhatsApp on another phone: other keys, no linked device, and all else as it was. Those with
    /// whom it has chats are told.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] when the phone is offline.
    pub fn reinstall(&self, number: &str) -> Result<(), Refusal> {
        let number = self.online(number)?;
        self.with(|core| core.reinstall(&number))
            .map_err(Refusal::Conflict)
    }

    /// The account goes by another number from now on, with its hidden id and its profile. Those with whom it has
    /// chats are told. The old number is a stranger's, who is offline.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] when the phone is offline, or somebody has the new number.
    pub fn change_number(&self, number: &str, new: &str) -> Result<(), Refusal> {
        let (number, new) = (self.online(number)?, digits(new)?);
        if self.known(&new).is_ok() {
            return Err(Refusal::Conflict(format!("somebody has the number {new}")));
        }
        self.with(|core| core.change_number(&number, &new))
            .map_err(Refusal::Conflict)
    }

    /// How what the phone writes to people names it from now on; the copies for the linked devices of who writes to it
    /// name it so, too.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn name_by(&self, number: &str, named_by: NamedBy) -> Result<(), Refusal> {
        let number = self.known(number)?;
        self.with(|core| {
            if let Some(phone) = core.phones.get_mut(&number) {
                phone.named_by = named_by;
            }
            core.touch_phone(&number);
        });
        Ok(())
    }

    /// So many of the next copies of what the phone writes to people cannot be read by their linked devices; one that
    /// is sent again is another copy.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn garble(&self, number: &str, copies: u32) -> Result<(), Refusal> {
        let number = self.known(number)?;
        self.with(|core| {
            if let Some(phone) = core.phones.get_mut(&number) {
                phone.garbles = copies;
            }
        });
        Ok(())
    }

    /// Calls another number.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] when the phone is offline or the other is not on this network.
    pub fn call(&self, number: &str, to: &str, video: bool) -> Result<Call, Refusal> {
        let (number, to) = (self.online(number)?, digits(to)?);
        let to = self.known(&to)?;
        Ok(self.with(|core| core.call(&number, &to, video)))
    }

    /// Hangs up a call that rings.
    ///
    /// # Errors
    /// [`Refusal::Missing`] when none does.
    pub fn hang_up(&self, number: &str, id: &str) -> Result<Call, Refusal> {
        let number = self.online(number)?;
        let ended = self.with(|core| core.hang_up(&number, id));
        ended.ok_or_else(|| Refusal::Missing(format!("no call {id} of this phone rings")))
    }

    /// The calls that this phone made or got, oldest first.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn calls(&self, number: &str) -> Result<Vec<Call>, Refusal> {
        let number = self.known(number)?;
        Ok(self.peek(|core| {
            let calls = core.calls.iter();
            let mine = calls.filter(|call| call.from == number || call.to == number);
            mine.cloned().collect()
        }))
    }
}
