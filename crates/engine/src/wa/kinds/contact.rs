//! Contact cards, one or several.

use recado_model::ContentKind;
use whatsapp_rust::waproto::whatsapp as wa;

use super::{Read, some};

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    if let Some(card) = message.contact_message.as_option() {
        return some(ContentKind::Contact, card.display_name.clone());
    }
    let cards = message.contacts_array_message.as_option()?;
    some(ContentKind::Contact, cards.display_name.clone())
}
