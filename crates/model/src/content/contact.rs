//! A contact card: somebody's name and number, to be kept in an address book.

use serde::Serialize;

use crate::{
    Error, PhoneNumber, Result,
    text::{is_blank, require_seen},
};

/// In characters.
const NAME_MOST: usize = 255;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContactCard {
    pub name: String,
    /// Its holder need not be on WhatsApp.
    pub phone: PhoneNumber,
}

impl ContactCard {
    /// # Errors
    /// For the field that does not fit: `contact_name` or `contact_phone`.
    pub fn new(name: &str, phone: &str) -> Result<Self> {
        let name = name.trim();
        require_seen("contact_name", name)?;
        let wrong = match name {
            name if is_blank(name) => "contact_name is required: how the card names the person",
            name if name.chars().count() > NAME_MOST => "contact_name has at most 255 characters",
            _ => "",
        };
        if !wrong.is_empty() {
            return Err(Error::field("contact_name", wrong));
        }
        if phone.trim().is_empty() {
            let text = "contact_phone is required: the number on the card, with country code";
            return Err(Error::field("contact_phone", text));
        }
        let phone = PhoneNumber::parse(phone);
        Ok(Self {
            name: name.to_owned(),
            phone: phone.map_err(|error| error.renamed("phone", "contact_phone"))?,
        })
    }
}
