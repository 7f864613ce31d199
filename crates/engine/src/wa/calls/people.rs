//! What people and businesses let others see, and whom this number has blocked.

use recado_model::{
    Address, Error, ErrorCode, PhoneNumber, Result,
    call::FindPicture,
    person::{Blocked, BusinessCategory, BusinessHours, BusinessProfile, PersonInfo, PictureLink},
};
use whatsapp_rust::{BlockingError, Client, Jid, wacore::iq::business::BusinessProfile as Told};

use super::{
    super::{address::jid, core::LinkCore},
    ASK, within,
};

impl LinkCore {
    pub(super) async fn describe(&self, people: &[Address]) -> Result<Vec<(Address, PersonInfo)>> {
        let client = self.online()?;
        let jids: Vec<Jid> = people
            .iter()
            .map(|person| jid("phone", person))
            .collect::<Result<_>>()?;
        let found = within(ASK, client.contacts().get_user_info(&jids)).await?;
        let told = people.iter().zip(jids).filter_map(|(person, jid)| {
            let info = found.get(&jid.to_non_ad())?;
            let lid = info.lid.as_ref().map(address);
            let info = PersonInfo {
                about: info.status.clone().filter(|about| !about.is_empty()),
                picture_id: info.picture_id.clone(),
                verified_name: info
                    .verified_name
                    .as_ref()
                    .and_then(|name| name.name.clone()),
                lid: lid.or_else(|| person.is_lid().then(|| person.clone())),
                devices: info.devices.clone(),
            };
            Some((person.clone(), info))
        });
        Ok(told.collect())
    }

    pub(super) async fn find_picture(&self, call: &FindPicture) -> Result<Option<PictureLink>> {
        let client = self.online()?;
        let of = jid("phone", &call.of)?;
        let contacts = client.contacts();
        let found = within(ASK, contacts.get_profile_picture(&of, call.preview)).await?;
        Ok(found.map(|picture| PictureLink {
            id: picture.id,
            url: picture.url,
        }))
    }

    pub(super) async fn read_business(&self, of: &Address) -> Result<Option<BusinessProfile>> {
        let client = self.online()?;
        let of = jid("phone", of)?;
        let found = within(ASK, client.get_business_profile(&of)).await?;
        Ok(found.map(business))
    }

    pub(super) async fn read_blocked(&self) -> Result<Vec<Blocked>> {
        let client = self.online()?;
        let entries = within(ASK, client.blocking().get_blocklist()).await?;
        let mut blocked = Vec::with_capacity(entries.len());
        for entry in entries {
            let known = client.get_lid_pn_entry(&entry.jid).await;
            let known = known.map_err(Error::internal)?;
            let address = address(&entry.jid);
            let number = match address.number() {
                Some(_) => Some(address.clone()),
                None => known.map(|pair| number(&pair.phone_number)),
            };
            blocked.push(Blocked { address, number });
        }
        Ok(blocked)
    }

    pub(super) async fn block(&self, who: &Address, blocks: bool) -> Result<()> {
        let client = self.online()?;
        let jid = jid("phone", who)?;
        learn(self, &client, who, &jid).await?;
        let blocking = client.blocking();
        let done = match blocks {
            true => tokio::time::timeout(ASK, blocking.block(&jid)).await,
            false => tokio::time::timeout(ASK, blocking.unblock(&jid)).await,
        };
        match done {
            Ok(Err(BlockingError::InvalidJid(_))) => Err(Error::field(
                "phone",
                "phone: WhatsApp does not tell both the number and the id of this person, and blocks by both",
            )),
            Ok(done) => within(ASK, async { done }).await,
            Err(_) => Err(super::too_slow()),
        }
    }
}

/// WhatsApp blocks by number and id: of a number that was never written to, the id is asked for.
async fn learn(link: &LinkCore, client: &Client, who: &Address, jid: &Jid) -> Result<()> {
    let known = client.get_lid_pn_entry(jid).await;
    if known.map_err(Error::internal)?.is_some() {
        return Ok(());
    }
    let Some(number) = who.number() else {
        return Ok(());
    };
    let phone = PhoneNumber::parse(number)?;
    let looked = link.look_up(std::slice::from_ref(&phone)).await?;
    match looked
        .first()
        .is_some_and(|looked| looked.address.is_some())
    {
        true => Ok(()),
        false => Err(Error::new(
            ErrorCode::NotOnWhatsapp,
            format!("phone {phone} is not on WhatsApp. Check the number with its country code."),
        )
        .with_field("phone")),
    }
}

fn address(jid: &Jid) -> Address {
    Address::from_wire(jid.to_non_ad_string())
}

fn number(digits: &str) -> Address {
    Address::from_wire(Jid::pn(digits.to_owned()).to_string())
}

fn business(told: Told) -> BusinessProfile {
    let hours = told.business_hours;
    BusinessProfile {
        description: told.description,
        address: told.address,
        email: told.email,
        websites: told.website,
        categories: told
            .categories
            .into_iter()
            .map(|category| BusinessCategory {
                id: category.id,
                name: category.name,
            })
            .collect(),
        timezone: hours.timezone,
        hours: hours
            .business_config
            .unwrap_or_default()
            .into_iter()
            .map(|hours| BusinessHours {
                day: hours.day_of_week.as_str().to_owned(),
                mode: hours.mode.as_str().to_owned(),
                opens: hours.open_time,
                closes: hours.close_time,
            })
            .collect(),
    }
}
