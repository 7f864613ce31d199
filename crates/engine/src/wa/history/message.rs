//! A message of a frame in our types, and what was put on it.

use recado_model::{
    InstanceId, MessageId, MessageStatus, Timestamp,
    history::{OwnAddresses, PastMessage},
    message::{Arrival, InboundMessage, Party, Rendered},
};
use whatsapp_rust::{
    Jid,
    wacore_binary::JidExt as _,
    waproto::{
        buffa::{Message as _, MessageField},
        whatsapp::{
            self as wa, MessageKey, Reaction, WebMessageInfo, message::ReactionMessage,
            web_message_info::Status,
        },
    },
};

use super::{
    super::{
        kinds,
        payload::{self, LONGEST_ID},
    },
    names::Pairs,
};

/// Where messages are, and by whom.
pub(super) struct Place<'a> {
    pub instance: &'a InstanceId,
    pub own: &'a OwnAddresses,
    pub pairs: &'a Pairs,
    pub chat: &'a Jid,
}

/// When it was written. Messages without a time cannot be put in any order.
pub(super) fn at(info: &WebMessageInfo) -> Option<Timestamp> {
    let seconds = info.message_timestamp.filter(|seconds| *seconds > 0)?;
    let millis = i64::try_from(seconds).ok()?.checked_mul(1_000)?;
    Some(Timestamp(millis))
}

impl Place<'_> {
    /// `None` of what a chat does not show, and of what was deleted.
    pub(super) fn message(&self, info: &WebMessageInfo) -> Option<PastMessage> {
        let key = info.key.as_option()?;
        let whole = info.message.as_option()?;
        let mut past = self.content(key, info.participant.as_deref(), (whole, at(info)?))?;
        past.message.push_name = info.push_name.clone().filter(|name| !name.is_empty());
        past.status = match info.status {
            Some(Status::DELIVERY_ACK) => MessageStatus::Delivered,
            Some(Status::READ | Status::PLAYED) => MessageStatus::Read,
            _ => MessageStatus::Sent,
        };
        Some(past)
    }

    /// The signs on a message, as those who put them wrote them.
    pub(super) fn reactions(&self, info: &WebMessageInfo) -> Vec<PastMessage> {
        let on = info.key.as_option();
        let signs = info.reactions.iter();
        signs
            .filter_map(|sign| self.reaction(on?, sign, at(info)?))
            .collect()
    }

    fn reaction(&self, on: &MessageKey, sign: &Reaction, from: Timestamp) -> Option<PastMessage> {
        let key = sign.key.as_option()?;
        let text = sign.text.clone().filter(|text| !text.is_empty())?;
        let whole = wa::Message {
            reaction_message: MessageField::some(ReactionMessage {
                key: MessageField::some(on.clone()),
                text: Some(text),
                sender_timestamp_ms: sign.sender_timestamp_ms,
                ..Default::default()
            }),
            ..Default::default()
        };
        // No sign is older than what it is on.
        let at = sign.sender_timestamp_ms.map_or(from, Timestamp).max(from);
        self.content(key, None, (&whole, at))
    }

    fn content(
        &self,
        key: &MessageKey,
        participant: Option<&str>,
        (whole, at): (&wa::Message, Timestamp),
    ) -> Option<PastMessage> {
        let id = key.id.as_deref();
        let id = id.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)?;
        let (message, _) = payload::unwrap(whole);
        let read = kinds::read(message)?;
        let mut content = message.clone();
        payload::without_keys(&mut content);
        payload::keep_secret(whole, &mut content);
        let from_me = key.from_me == Some(true);
        let message = InboundMessage {
            instance: self.instance.clone(),
            id: MessageId::from_wire(id),
            chat: self.pairs.party(self.chat),
            sender: self.sender(key, participant)?,
            from_me,
            push_name: None,
            kind: read.kind,
            text: read.text,
            tap: None,
            timer: None,
            about: kinds::changes(&content).and_then(|change| change.repeats().cloned()),
            at,
            proto: content.encode_to_vec(),
            rendered: Rendered::default(),
            arrival: Arrival::default(),
        };
        Some(PastMessage {
            message,
            status: MessageStatus::Sent,
            unread: false,
            place: 0,
        })
    }

    fn sender(&self, key: &MessageKey, participant: Option<&str>) -> Option<Party> {
        if key.from_me == Some(true) {
            return Some(Party {
                alt: self.own.lid.clone(),
                ..Party::only(self.own.number.clone())
            });
        }
        let named = key.participant.as_deref().or(participant);
        let named = named.filter(|named| !named.is_empty());
        match named {
            Some(named) => Some(self.pairs.party(&named.parse().ok()?)),
            // In a chat with a person there is nobody else.
            None => (!self.chat.is_group()).then(|| self.pairs.party(self.chat)),
        }
    }
}
