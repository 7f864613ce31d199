//! A contact card: somebody's name and number, to be kept in an address book.

use serde::Serialize;

use crate::{
    Error, PhoneNumber, Result,
    text::{is_blank, require_seen},
};

/// In characters.
const NAME_MOST: usize = 255;
const CARDS_MOST: usize = 100;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContactCard {
    pub name: String,
    /// Its holder need not be on WhatsApp.
    pub phone: PhoneNumber,
}

/// Several cards in one message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContactCards {
    pub cards: Vec<ContactCard>,
    /// The names, as a person reads them.
    #[serde(skip)]
    pub names: String,
}

impl ContactCards {
    /// Of pairs of name and number.
    ///
    /// # Errors
    /// For the field `contacts`: none, too many, or one that is no card.
    pub fn new(given: &[(String, String)]) -> Result<Self> {
        let wrong = |text: String| Error::field("contacts", text);
        if !(1..=CARDS_MOST).contains(&given.len()) {
            return Err(wrong(format!("contacts: 1 to {CARDS_MOST} cards")));
        }
        let mut cards = Vec::with_capacity(given.len());
        for (at, (name, phone)) in given.iter().enumerate() {
            let card = ContactCard::new(name, phone);
            let number = at + 1;
            let named = |error: Error| wrong(format!("contacts: card {number}: {}", error.message));
            cards.push(card.map_err(named)?);
        }
        let names: Vec<&str> = cards.iter().map(|card| card.name.as_str()).collect();
        Ok(Self {
            names: names.join(", "),
            cards,
        })
    }
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
