//! What subscribers see: the contract's payloads, snake_case.
//!
//! A payload is `{type, event, …}`; the realtime envelope and the webhook body are made around it. A new
//! one gets its sample in `document`.

mod document;

pub use document::document;

use recado_model::{
    AccountId, Event, EventId, EventKind, Failure, InstanceId, MessageId, MessageStatus, Rng,
    Timestamp, failure,
    message::{InboundMessage, InboundReceipt, InboundTyping, OutgoingText},
};
use serde_json::{Value, json};

/// An event of an instance, about to be committed with the change it tells of.
pub(crate) fn event(
    rng: &dyn Rng,
    account: &AccountId,
    instance: &InstanceId,
    kind: EventKind,
    mut payload: Value,
    now: Timestamp,
) -> Event {
    payload["type"] = json!(kind.as_str());
    payload["instance_id"] = json!(instance);
    Event {
        id: EventId::random(rng),
        account: account.clone(),
        instance: instance.clone(),
        kind,
        payload,
        created_at: now,
    }
}

pub(crate) fn message(message: &InboundMessage) -> Value {
    json!({ "event": message.body })
}

/// A message of ours that WhatsApp took, in the form of one that came in.
pub(crate) fn sent(
    text: &OutgoingText,
    own: &str,
    push_name: Option<&str>,
    at: Timestamp,
) -> Value {
    let content = if text.mentioned.is_empty() && text.reply_to.is_none() {
        json!({ "conversation": text.text })
    } else {
        let mut context = json!({});
        if !text.mentioned.is_empty() {
            context["mentioned_jid"] = json!(text.mentioned);
        }
        if let Some(quoted) = &text.reply_to {
            context["stanza_id"] = json!(quoted.id);
            context["participant"] = json!(quoted.sender);
            context["quoted_message"] = json!({ "conversation": quoted.text });
        }
        json!({ "extended_text_message": { "text": text.text, "context_info": context } })
    };
    json!({
        "event": {
            "info": {
                "id": text.id,
                "chat": text.to,
                "sender": own,
                "is_from_me": true,
                "is_group": text.to.ends_with("@g.us"),
                "push_name": push_name.unwrap_or_default(),
                "timestamp": at.to_rfc3339(),
                "type": "text",
            },
            "message": content,
        }
    })
}

/// A message of ours that will not be sent.
pub(crate) fn failed(row: &recado_store::MessageRow, failure: &Failure, at: Timestamp) -> Value {
    json!({
        "event": {
            "info": {
                "id": row.id,
                "chat": row.chat,
                "sender": row.sender,
                "is_from_me": true,
                "is_group": row.is_group,
                "timestamp": at.to_rfc3339(),
                "type": row.kind,
            },
            "message_id": row.id,
            "queue_id": row.queue_id,
            "status": MessageStatus::Failed.as_str(),
            "code": failure.code,
            "meaning": failure.reason,
            "what_to_do": failure::what_to_do(&failure.code),
        }
    })
}

/// `fresh`: the messages for which it is news. `None` where the receipt is no event.
pub(crate) fn receipt(receipt: &InboundReceipt, fresh: &[MessageId]) -> Option<Value> {
    let state = receipt.state.wire()?;
    Some(json!({
        "state": state,
        "event": {
            // The odd key is what the vendor's conversion makes of `MessageIDs`; its clients read it.
            "message_i_ds": fresh,
            "message_ids": fresh,
            "chat": receipt.chat,
            "sender": receipt.sender,
            "is_from_me": receipt.from_me,
            "is_group": receipt.is_group,
            "timestamp": receipt.at.to_rfc3339(),
            "type": state.to_lowercase(),
        }
    }))
}

/// A message that came and could not be read.
pub(crate) fn undecryptable(info: &Unread<'_>) -> Value {
    json!({
        "event": {
            "info": {
                "id": info.id,
                "chat": info.chat,
                "sender": info.sender,
                "is_from_me": info.from_me,
                "is_group": info.is_group,
                "timestamp": info.at.to_rfc3339(),
            },
            // Its content is on the phone alone: it does not come.
            "unavailable": info.unavailable,
        }
    })
}

/// What is known of a message that could not be read.
pub(crate) struct Unread<'a> {
    pub id: &'a MessageId,
    pub chat: &'a str,
    pub sender: &'a str,
    pub from_me: bool,
    pub is_group: bool,
    pub at: Timestamp,
    pub unavailable: bool,
}

pub(crate) fn typing(typing: &InboundTyping) -> Value {
    json!({
        "state": typing.state,
        "event": {
            "chat": typing.chat,
            "sender": typing.sender,
            "is_from_me": false,
            "is_group": typing.is_group,
            "state": typing.state,
            "media": typing.media,
        }
    })
}

pub(crate) fn connected(phone: Option<&str>, jid: Option<&str>, push_name: Option<&str>) -> Value {
    json!({ "event": { "phone": phone, "jid": jid, "push_name": push_name } })
}

pub(crate) fn disconnected(reason: recado_model::StateReason) -> Value {
    json!({ "event": { "reason": reason.as_str(), "what_to_do": reason.what_to_do() } })
}
