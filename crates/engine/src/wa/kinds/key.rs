//! The name of an earlier message, by which another one is about it.

use recado_model::{Address, MessageId, content::Target};
use whatsapp_rust::waproto::{buffa::MessageField, whatsapp as wa};

use super::super::payload::LONGEST_ID;

/// Chat and author as that message itself named them. Of our own nobody needs to be told the author, who is
/// whoever sends this; WhatsApp would want our address as the group knows us.
pub(super) fn of(target: &Target) -> MessageField<wa::MessageKey> {
    let other = target.chat.is_group() && !target.from_me;
    MessageField::some(wa::MessageKey {
        remote_jid: Some(target.chat.to_string()),
        from_me: Some(target.from_me),
        id: Some(target.id.as_str().to_owned()),
        participant: other.then(|| target.sender.to_string()),
    })
}

/// `None` of one that nobody's program makes: a database has no room in its indexes for any.
pub(super) fn id(key: &MessageField<wa::MessageKey>) -> Option<MessageId> {
    let id = key.as_option()?.id.as_deref()?;
    (1..=LONGEST_ID)
        .contains(&id.len())
        .then(|| MessageId::from_wire(id))
}

/// Who wrote it, where that is a member of a group and not who sends this.
pub(super) fn other(key: &MessageField<wa::MessageKey>) -> Option<Address> {
    let key = key.as_option()?;
    let author = key.participant.as_deref()?;
    let fits = key.from_me != Some(true) && (1..=LONGEST_ID).contains(&author.len());
    fits.then(|| Address::from_wire(author))
}
