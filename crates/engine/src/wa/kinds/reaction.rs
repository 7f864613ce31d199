//! Reactions; one without a sign takes an earlier one back.

use recado_model::ContentKind;
use whatsapp_rust::waproto::whatsapp as wa;

use super::{Read, some};

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let reaction = message.reaction_message.as_option()?;
    some(ContentKind::Reaction, reaction.text.clone())
}
