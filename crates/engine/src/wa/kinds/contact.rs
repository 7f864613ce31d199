//! Contact cards, one or several.

use recado_model::{
    ContentKind,
    content::{ContactCard, ContactCards},
};
use whatsapp_rust::waproto::{buffa::MessageField, whatsapp as wa};

use super::{Read, context, some};

pub(super) fn make(card: &ContactCard, context: Option<wa::ContextInfo>) -> wa::Message {
    wa::Message {
        contact_message: MessageField::some(wa::message::ContactMessage {
            display_name: Some(card.name.clone()),
            vcard: Some(vcard(card)),
            context_info: context::field(context),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Phones show it by `display_name` and open the list from there.
pub(super) fn make_several(cards: &ContactCards, context: Option<wa::ContextInfo>) -> wa::Message {
    let each = |card: &ContactCard| wa::message::ContactMessage {
        display_name: Some(card.name.clone()),
        vcard: Some(vcard(card)),
        ..Default::default()
    };
    wa::Message {
        contacts_array_message: MessageField::some(wa::message::ContactsArrayMessage {
            display_name: Some(cards.names.clone()),
            contacts: cards.cards.iter().map(each).collect(),
            context_info: context::field(context),
        }),
        ..Default::default()
    }
}

/// By RFC 6350, in the version that phones write. `waid` lets whoever gets it write to the number.
fn vcard(card: &ContactCard) -> String {
    let (name, phone) = (escaped(&card.name), &card.phone);
    format!(
        "BEGIN:VCARD\r\nVERSION:3.0\r\nN:;{name};;;\r\nFN:{name}\r\nTEL;type=CELL;type=VOICE;waid={phone}:+{phone}\r\nEND:VCARD\r\n"
    )
}

/// A name has no line breaks; these are what separates fields and parts of a name.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | ';' | ',') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    if let Some(card) = message.contact_message.as_option() {
        return some(ContentKind::Contact, card.display_name.clone());
    }
    let cards = message.contacts_array_message.as_option()?;
    some(ContentKind::Contact, cards.display_name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_breaks_its_card() {
        let card = ContactCard::new("Silva; Ana, \\", "+55 11 98888-0002").expect("a card");
        assert_eq!(
            vcard(&card),
            "BEGIN:VCARD\r\nVERSION:3.0\r\nN:;Silva\\; Ana\\, \\\\;;;\r\nFN:Silva\\; Ana\\, \\\\\r\n\
             TEL;type=CELL;type=VOICE;waid=5511988880002:+5511988880002\r\nEND:VCARD\r\n"
        );
        assert!(ContactCard::new("Ana\r\nTEL:1", "+5511988880002").is_err());
    }
}
