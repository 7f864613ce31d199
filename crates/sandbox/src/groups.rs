//! Groups: who is in them, what they are set to, and what becomes of what is done to them.
//!
//! | file | what lives there |
//! |---|---|
//! | `acts` | what members do: add, remove, rename, set, leave |
//! | `joining` | links, invitations, requests to join |
//! | `iq` | the same as companions ask for it (`w:g2`) |
//! | `told` | the stanzas that tell of a group and of what was done to it |
//! | `relay` | messages, receipts and typing in groups |
//! | `picture` | a group's picture |

mod acts;
mod iq;
mod joining;
mod picture;
mod relay;
mod told;

use wacore_binary::Jid;

use crate::ambient;
use crate::core::{Core, Entity};
use crate::group::{
    BAD_REQUEST, CONFLICT, Description, FORBIDDEN, Group, Invitation, MemberResult, NOT_ACCEPTABLE,
    NOT_AUTHORIZED, NOT_FOUND, No, Picture, Rank, group_id,
};
use crate::state::Addr;

pub use acts::{GroupSettings, NewGroup};
pub use joining::Joined;

/// As many may be in one group.
const MOST_MEMBERS: usize = 1024;
const LONGEST_SUBJECT: usize = 100;
const LONGEST_DESCRIPTION: usize = 2048;

fn new_code() -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let letter = |byte: u8| char::from(LETTERS[usize::from(byte) % LETTERS.len()]);
    ambient::bytes::<22>().into_iter().map(letter).collect()
}

impl Core {
    pub(crate) fn touch_group(&mut self, id: &str) {
        self.dirty.insert(Entity::Group(id.to_owned()));
    }

    /// Somebody's address as the members of a group know it.
    pub(crate) fn member_jid(&self, by_lid: bool, addr: &Addr) -> Jid {
        let lid = self.lid_jid(addr).filter(|_| by_lid);
        lid.unwrap_or_else(|| addr.jid())
    }

    /// A group that somebody is in.
    fn group_with(&self, number: &str, id: &str) -> Result<&Group, No> {
        let group = self.groups.get(id).ok_or(NOT_FOUND)?;
        match group.members.contains_key(number) {
            true => Ok(group),
            false => Err(FORBIDDEN),
        }
    }

    /// A group that somebody manages.
    fn group_of_admin(&self, number: &str, id: &str) -> Result<&Group, No> {
        let group = self.group_with(number, id)?;
        match group.is_admin(number) {
            true => Ok(group),
            false => Err(FORBIDDEN),
        }
    }

    /// One whose name and description somebody may change.
    fn group_open_to(&self, number: &str, id: &str) -> Result<&Group, No> {
        let group = self.group_with(number, id)?;
        match group.locked && !group.is_admin(number) {
            true => Err(FORBIDDEN),
            false => Ok(group),
        }
    }

    /// The groups that somebody is in, by id.
    pub(crate) fn groups_of(&self, number: &str) -> impl Iterator<Item = &Group> {
        let is_in = move |group: &&Group| group.members.contains_key(number);
        self.groups.values().filter(is_in)
    }

    /// All devices of the members, but for one.
    fn devices_in(&self, id: &str, but: Option<&Addr>) -> Vec<Addr> {
        let Some(group) = self.groups.get(id) else {
            return Vec::new();
        };
        let members = group.members.keys();
        let devices = members.flat_map(|number| self.devices_of(number));
        devices.filter(|device| Some(device) != but).collect()
    }
}
