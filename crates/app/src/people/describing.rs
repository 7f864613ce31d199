//! What people let others see: the line below the name, the picture, the business.

use recado_identity::Granted;
use recado_model::{
    Address, Error, ErrorCode, PhoneNumber, Result,
    call::{Describe, FindPicture, ReadBusiness},
    person::{BusinessProfile, PersonInfo},
};

use super::People;

/// In one call: WhatsApp answers more of each than of numbers.
pub(super) const DESCRIBED_MOST: usize = 100;

/// A person, by all that is known of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    pub address: Address,
    pub info: PersonInfo,
}

/// The bytes of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Avatar {
    pub id: String,
    pub mime: &'static str,
    pub bytes: Vec<u8>,
}

impl People<'_> {
    /// Those who are not on WhatsApp are left out.
    pub async fn describe(&self, granted: &Granted, phones: &[String]) -> Result<Vec<Described>> {
        if phones.is_empty() || phones.len() > DESCRIBED_MOST {
            let text = format!("phone is required: a person, or a list of up to {DESCRIBED_MOST}");
            return Err(Error::field("phone", text));
        }
        let asked = phones.iter().map(|phone| Address::from_caller(phone));
        let asked = asked.collect::<Result<Vec<_>>>()?;
        if asked.iter().any(Address::is_group) {
            let text = "phone: this is a group; GET group/info tells of groups";
            return Err(Error::new(ErrorCode::InvalidPhone, text).with_field("phone"));
        }
        let numbers = asked.iter().filter_map(Address::number);
        let numbers = numbers
            .map(PhoneNumber::parse)
            .collect::<Result<Vec<_>>>()?;
        let found = self.look_up(granted, &numbers).await?;
        let mut people: Vec<Address> = Vec::with_capacity(asked.len());
        for address in asked {
            let there = match address.number() {
                None => Some(address),
                Some(number) => {
                    let looked = found.get(&PhoneNumber::parse(number)?);
                    looked.and_then(|looked| looked.address.clone())
                }
            };
            people.extend(there.filter(|one| !people.contains(one)));
        }
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let told = self.ask(granted, Describe { people }).await?;
        let told = told.into_iter();
        Ok(told
            .map(|(address, info)| Described { address, info })
            .collect())
    }

    /// The picture of a person or a group. [`ErrorCode::NotFound`] where there is none, or it is hidden.
    pub async fn avatar(&self, granted: &Granted, phone: &str, preview: bool) -> Result<Avatar> {
        let of = Address::from_caller(phone)?;
        let of = self.located(granted, of).await?;
        let found = self.ask(granted, FindPicture { of, preview }).await?;
        let link = found.ok_or_else(|| {
            let text = "There is no picture, or this number may not see it.";
            Error::new(ErrorCode::NotFound, text).with_field("phone")
        })?;
        let bytes = self.app.core.engine.fetch_picture(&link.url).await?;
        Ok(Avatar {
            id: link.id,
            mime: mime(&bytes),
            bytes,
        })
    }

    /// What a business says of itself; `None` of who is none.
    pub async fn business(
        &self,
        granted: &Granted,
        phone: &str,
    ) -> Result<(Address, Option<BusinessProfile>)> {
        let of = self.person(granted, phone).await?;
        let told = self.ask(granted, ReadBusiness { of: of.clone() }).await?;
        Ok((of, told))
    }
}

/// By its first bytes: WhatsApp's hosts give JPEG.
fn mime(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xff, 0xd8, ..] => "image/jpeg",
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert_eq!(mime(&[0xff, 0xd8, 0xff]), "image/jpeg");
        assert_eq!(mime(b"\x89PNG\r\n"), "image/png");
        assert_eq!(mime(b"RIFF\0\0\0\0WEBPVP8 "), "image/webp");
        assert_eq!(mime(b""), "application/octet-stream");
    }
}
