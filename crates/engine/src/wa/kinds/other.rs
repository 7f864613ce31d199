//! Kinds that have no word here: settings of a chat that people see, and what WhatsApp invents.

use recado_model::ContentKind;
use whatsapp_rust::waproto::whatsapp::{self as wa, message::protocol_message::Type};

use super::{Read, some};

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let seen = match message.protocol_message.as_option() {
        // The rest is said among devices.
        Some(protocol) => matches!(
            protocol.r#type,
            Some(Type::EPHEMERAL_SETTING | Type::SHARE_PHONE_NUMBER | Type::LIMIT_SHARING)
        ),
        None => is_anything(message),
    };
    seen.then(|| some(ContentKind::Other, None)).flatten()
}

/// Whether anything is left beside the key material that rides along with messages.
fn is_anything(message: &wa::Message) -> bool {
    let mut rest = message.clone();
    rest.sender_key_distribution_message = Default::default();
    rest.fast_ratchet_key_sender_key_distribution_message = Default::default();
    rest.group_root_key_share = Default::default();
    rest.root_secret_distribute_message = Default::default();
    rest.message_context_info = Default::default();
    rest != wa::Message::default()
}
