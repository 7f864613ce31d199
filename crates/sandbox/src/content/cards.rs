//! Contact cards, one or several.

use serde::{Deserialize, Serialize};
use waproto::whatsapp::Message;
use waproto::whatsapp::message::{ContactMessage, ContactsArrayMessage};

use super::{Detail, Shown};

/// A contact card, as a chat shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// How it names the person.
    pub name: String,
    /// The number that can be written to, in digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The whole of it; made of the rest where it is not given.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vcard: String,
}

impl Card {
    fn message(&self) -> ContactMessage {
        ContactMessage {
            display_name: Some(self.name.clone()),
            vcard: Some(self.vcard()),
            ..Default::default()
        }
    }

    fn of(card: &ContactMessage) -> Self {
        let name = card.display_name.clone().unwrap_or_default();
        let vcard = card.vcard.clone().unwrap_or_default();
        let waid = vcard.split_once("waid=").map(|(_, rest)| rest);
        let phone = waid.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect());
        Self { name, phone, vcard }
    }

    fn vcard(&self) -> String {
        if !self.vcard.is_empty() {
            return self.vcard.clone();
        }
        let (name, phone) = (&self.name, self.phone.as_deref().unwrap_or_default());
        format!(
            "BEGIN:VCARD\nVERSION:3.0\nN:;{name};;;\nFN:{name}\nTEL;type=CELL;waid={phone}:+{phone}\nEND:VCARD"
        )
    }
}

/// The message as apps encode it.
pub(super) fn one(card: &Card) -> Message {
    Message {
        contact_message: buffa::MessageField::some(card.message()),
        ..Default::default()
    }
}

pub(super) fn several(cards: &[Card]) -> Message {
    Message {
        contacts_array_message: buffa::MessageField::some(ContactsArrayMessage {
            display_name: Some(format!("{} contacts", cards.len())),
            contacts: cards.iter().map(Card::message).collect(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Of a message without its wrappers.
pub(super) fn describe(content: &Message) -> Option<Shown> {
    if let Some(card) = content.contact_message.as_option() {
        return Some(of_card(card));
    }
    content.contacts_array_message.as_option().map(of_cards)
}

fn of_card(card: &ContactMessage) -> Shown {
    let card = Card::of(card);
    Shown {
        kind: "contact",
        text: card.name.clone(),
        detail: Detail {
            contact: Some(card),
            ..Detail::default()
        },
    }
}

fn of_cards(cards: &ContactsArrayMessage) -> Shown {
    Shown {
        kind: "contact",
        text: cards.display_name.clone().unwrap_or_default(),
        detail: Detail {
            contacts: Some(cards.contacts.iter().map(Card::of).collect()),
            ..Detail::default()
        },
    }
}
