//! People on WhatsApp, as callers ask about them: who is there, what they let others see, whom this number blocks,
//! whose coming and going it hears of. Answered at once or not at all.

mod blocking;
mod describing;
mod watching;

use std::collections::HashMap;

use recado_identity::Granted;
use recado_model::{
    Address, DeviceCall, Error, ErrorCode, PhoneNumber, Result,
    call::{Describe, LookUp, Looked},
    message::Party,
};

use crate::{App, instances::require_paired};

pub use describing::{Avatar, Described};
pub(crate) use watching::WATCHED_MOST;

/// In one call.
const CHECKED_MOST: usize = 5_000;
/// In one question.
const CHUNK: usize = 200;

pub struct People<'a> {
    pub(crate) app: &'a App,
}

/// A number, or an id, that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedNumber {
    /// In digits; an id as it is.
    pub asked: String,
    /// Where it is, which may be in a corrected form. `None`: it is not on WhatsApp.
    pub address: Option<Address>,
    /// The id that goes with it.
    pub lid: Option<Address>,
}

/// What a caller asks about.
enum Asked {
    Number(PhoneNumber),
    Id(Address),
}

impl Asked {
    fn parse(text: &str) -> Result<Self> {
        match text.trim().ends_with("@lid") {
            true => Address::from_caller(text.trim()).map(Self::Id),
            false => PhoneNumber::parse(text).map(Self::Number),
        }
    }

    fn number(&self) -> Option<&PhoneNumber> {
        match self {
            Self::Number(phone) => Some(phone),
            Self::Id(_) => None,
        }
    }

    fn id(&self) -> Option<&Address> {
        match self {
            Self::Id(id) => Some(id),
            Self::Number(_) => None,
        }
    }
}

impl People<'_> {
    /// Which of these numbers and ids are on WhatsApp, each as it was asked for, in that order.
    pub async fn check(&self, granted: &Granted, phones: &[String]) -> Result<Vec<CheckedNumber>> {
        if phones.is_empty() || phones.len() > CHECKED_MOST {
            let text = format!("phone is required: a number, or a list of up to {CHECKED_MOST}");
            return Err(Error::field("phone", text));
        }
        let asked = phones.iter().map(|phone| Asked::parse(phone));
        let asked = asked.collect::<Result<Vec<_>>>()?;
        let numbers = asked.iter().filter_map(Asked::number).cloned();
        let numbers: Vec<PhoneNumber> = numbers.collect();
        let found = self.look_up(granted, &numbers).await?;
        self.learn(granted, found.values()).await?;
        let there = self.ids_there(granted, &asked).await?;
        Ok(asked
            .into_iter()
            .map(|asked| match asked {
                Asked::Number(phone) => {
                    let looked = found.get(&phone);
                    CheckedNumber {
                        address: looked.and_then(|looked| looked.address.clone()),
                        lid: looked.and_then(|looked| looked.lid.clone()),
                        asked: phone.to_string(),
                    }
                }
                Asked::Id(id) => CheckedNumber {
                    address: there.get(&id).cloned(),
                    asked: id.to_string(),
                    lid: there.contains_key(&id).then_some(id),
                },
            })
            .collect())
    }

    /// Of the ids those that somebody has, and where: by number, where that is known.
    async fn ids_there(
        &self,
        granted: &Granted,
        asked: &[Asked],
    ) -> Result<HashMap<Address, Address>> {
        let mut ids: Vec<Address> = asked.iter().filter_map(Asked::id).cloned().collect();
        ids.sort_unstable();
        ids.dedup();
        let mut there = HashMap::with_capacity(ids.len());
        for chunk in ids.chunks(describing::DESCRIBED_MOST) {
            let people = chunk.to_vec();
            let told = self.ask(granted, Describe { people }).await?;
            let told = told.into_iter();
            // Of an id that nobody has WhatsApp lists no device.
            let told = told.filter(|(_, info)| !info.devices.is_empty());
            there.extend(told.map(|(id, _)| (id.clone(), id)));
        }
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        for (id, at) in &mut there {
            if let Some(row) = store.contact_at(granted.id(), id).await? {
                *at = row.address;
            }
        }
        Ok(there)
    }

    /// By what was answered of late; the rest is asked for, some at a time.
    async fn look_up(
        &self,
        granted: &Granted,
        phones: &[PhoneNumber],
    ) -> Result<HashMap<PhoneNumber, Looked>> {
        self.require_link(granted).await?;
        let (core, id) = (&self.app.core, granted.id());
        let now = core.clock.monotonic();
        let mut found = HashMap::with_capacity(phones.len());
        let mut unknown: Vec<PhoneNumber> = Vec::new();
        for phone in phones {
            match core.numbers.looked(id, phone, now) {
                Some(looked) => drop(found.insert(phone.clone(), looked)),
                None if unknown.contains(phone) => {}
                None => unknown.push(phone.clone()),
            }
        }
        for chunk in unknown.chunks(CHUNK) {
            let phones = chunk.to_vec();
            for looked in self.ask(granted, LookUp { phones }).await? {
                core.numbers.remember(id, &looked, core.clock.monotonic());
                found.insert(looked.phone.clone(), looked);
            }
        }
        Ok(found)
    }

    /// Whoever is known here by number or id has both from now on.
    async fn learn(&self, granted: &Granted, found: impl Iterator<Item = &Looked>) -> Result<()> {
        let core = &self.app.core;
        let pairs = found.filter_map(|looked| {
            Some(Party {
                shown: looked.address.clone()?,
                alt: Some(looked.lid.clone()?),
                wire: looked.address.clone()?,
            })
        });
        let mut conn = core.store.read().await?;
        let mut store = conn.account(granted.account());
        let mut news = Vec::new();
        for party in pairs {
            if store.is_half_known(granted.id(), &party).await? {
                news.push(party);
            }
        }
        drop(conn);
        if news.is_empty() {
            return Ok(());
        }
        let now = core.clock.now();
        let mut conn = core.store.write().await?;
        let mut store = conn.account(granted.account());
        for party in &news {
            store.contact(granted.id(), party, now).await?;
        }
        conn.commit().await?;
        Ok(())
    }

    /// One person, group not meant: by number, as WhatsApp has it, or by id.
    async fn person(&self, granted: &Granted, phone: &str) -> Result<Address> {
        let address = Address::from_caller(phone)?;
        if address.is_group() {
            let text = "phone: this is a group; name a person by number or id";
            return Err(Error::new(ErrorCode::InvalidPhone, text).with_field("phone"));
        }
        self.located(granted, address).await
    }

    /// A number as WhatsApp has it; everything else as it is.
    async fn located(&self, granted: &Granted, address: Address) -> Result<Address> {
        let Some(number) = address.number() else {
            self.require_link(granted).await?;
            return Ok(address);
        };
        let phone = PhoneNumber::parse(number)?;
        let found = self.look_up(granted, std::slice::from_ref(&phone)).await?;
        let address = found.get(&phone).and_then(|looked| looked.address.clone());
        address.ok_or_else(|| crate::messages::numbers::not_there(&phone))
    }

    async fn require_link(&self, granted: &Granted) -> Result<()> {
        require_paired(granted.instance())?;
        self.app.supervisor.require_here(granted.id()).await
    }

    /// A question about people, in its turn.
    async fn ask<C: DeviceCall + Send>(&self, granted: &Granted, call: C) -> Result<C::Answer> {
        let core = &self.app.core;
        core.asking.wait(&*core.clock, granted.id()).await?;
        self.tell(granted, call).await
    }

    /// What is no question.
    async fn tell<C: DeviceCall + Send>(&self, granted: &Granted, call: C) -> Result<C::Answer> {
        let (account, id) = (granted.account(), granted.id());
        self.app.exchange.ask(account, id, call).await
    }
}
