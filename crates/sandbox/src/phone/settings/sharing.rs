//! The key of an account's settings, handed to its companions.

use buffa::MessageField;
use wacore::messages::MessageUtils;
use waproto::whatsapp::{Message, message};

use super::super::chat::{Envelope, Stanza};
use crate::ambient;
use crate::core::Core;
use crate::state::{Addr, Phone};

impl Core {
    /// Gives a companion the key of the account's settings.
    pub(crate) fn share_app_state_key(&mut self, to: &Addr) {
        let Some(phone) = self.phones.get_mut(&to.number) else {
            return;
        };
        let content = Message {
            protocol_message: MessageField::some(message::ProtocolMessage {
                r#type: Some(message::protocol_message::Type::APP_STATE_SYNC_KEY_SHARE),
                app_state_sync_key_share: MessageField::some(message::AppStateSyncKeyShare {
                    keys: vec![app_state_key(phone)],
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let id = ambient::message_id();
        phone.key_shares.insert(id.clone(), to.clone());
        let envelope = Envelope {
            id: &id,
            timestamp: ambient::now_secs(),
            recipient: None,
            category: Some("peer"),
            retry: 0,
            stanza: Stanza::of(&content),
        };
        let plaintext = MessageUtils::encode_and_pad(&content);
        self.send_sealed(&to.number, to, &plaintext, &envelope);
    }
}

fn app_state_key(phone: &Phone) -> message::AppStateSyncKey {
    message::AppStateSyncKey {
        key_id: MessageField::some(message::AppStateSyncKeyId {
            key_id: Some(phone.app_state_key_id.0.clone()),
        }),
        key_data: MessageField::some(message::AppStateSyncKeyData {
            key_data: Some(phone.app_state_key.0.clone()),
            fingerprint: MessageField::some(message::AppStateSyncKeyFingerprint {
                raw_id: Some(phone.adv_raw_id),
                current_index: Some(0),
                device_indexes: vec![0],
            }),
            timestamp: Some(ambient::now_ms()),
        }),
    }
}
