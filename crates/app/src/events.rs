//! What subscribers see: the contract's payloads, snake_case.
//!
//! A payload is `{type, event, …}`; the realtime envelope and the webhook body are made around it.

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

/// `docs/events.md`: every kind, with a sample made by the very functions above.
pub fn document() -> String {
    use recado_model::message::ReceiptState;

    let at = Timestamp(1_767_225_600_000);
    let (chat, own) = (
        "5511999999999@s.whatsapp.net",
        "5511888888888@s.whatsapp.net",
    );
    let id = MessageId::from_wire("3EB0C431D2A1F7E0B5A9D3C2E1F00A1B");
    let incoming = json!({ "event": {
        "info": {
            "id": id, "chat": chat, "sender": chat, "is_from_me": false, "is_group": false,
            "push_name": "Ana", "timestamp": at.to_rfc3339(), "type": "text",
        },
        "message": { "conversation": "Hello" },
    }});
    let seen = InboundReceipt {
        chat: chat.into(),
        sender: chat.into(),
        is_group: false,
        from_me: false,
        ids: vec![id.clone()],
        state: ReceiptState::Read,
        at,
    };
    let types = InboundTyping {
        chat: chat.into(),
        sender: chat.into(),
        is_group: false,
        state: "composing".into(),
        media: String::new(),
    };
    let lost = recado_model::StateReason::LoggedOutByPhone;
    let refused = recado_store::MessageRow {
        instance: InstanceId::from_text("RCABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        id,
        chat: chat.into(),
        sender: own.into(),
        direction: recado_model::Direction::Out,
        is_group: false,
        push_name: None,
        kind: "text".into(),
        text: None,
        status: MessageStatus::Failed,
        failure: None,
        queue_id: Some(17),
        digest: None,
        at,
        created_at: at,
        updated_at: at,
    };
    let unread_id = MessageId::from_wire("3EB0D542E3B2A8F1C6BAE4D3F2A11B2C");
    let unread = Unread {
        id: &unread_id,
        chat,
        sender: chat,
        from_me: false,
        is_group: false,
        at,
        unavailable: false,
    };
    let samples = [
        (
            EventKind::Message,
            "A message came in, or one of yours was taken by WhatsApp (`is_from_me`).",
            incoming,
        ),
        (
            EventKind::ReadReceipt,
            "`state` is `Delivered`, `Read` (by the recipient) or `ReadSelf` (on your own phone).",
            receipt(&seen, &seen.ids).unwrap_or_default(),
        ),
        (
            EventKind::ChatPresence,
            "Someone types (`composing`), records (`media` is `audio`) or stops (`paused`).",
            typing(&types),
        ),
        (
            EventKind::Connected,
            "The instance is online.",
            connected(Some("5511888888888"), Some(own), Some("Shop")),
        ),
        (
            EventKind::Disconnected,
            "It is not; `what_to_do` says what helps.",
            disconnected(lost),
        ),
        (
            EventKind::MessageFailed,
            "A message of yours will not be sent: `code` (WhatsApp's number, or a word of ours), `meaning` and `what_to_do` say why. Sent to those who name it or take `All`.",
            failed(&refused, &Failure::of(failure::NOT_ON_WHATSAPP), at),
        ),
        (
            EventKind::UndecryptableMessage,
            "A message came that could not be read, and was asked for again; what comes then is a `Message` with the same id. With `unavailable` it does not come: the phone alone has it. Sent only to those who name it.",
            undecryptable(&unread),
        ),
    ];
    let mut out = String::from(
        "# Events\n\nMade from the program; do not edit.\n\nA webhook receives each event as the JSON below, by POST, signed after Standard Webhooks 1.0.0\n(`webhook-id`, `webhook-timestamp`, `webhook-signature`; the secret is the `signing_secret` that\n`POST /instances/{id}/webhook` answers), with the instance in `X-Instance-ID`. Delivery is at least\nonce: drop what you have seen by `webhook-id`. Anything but a 2xx is tried again, ten times over\nabout three days; 410 ends it at once.\n",
    );
    for (kind, text, mut payload) in samples {
        payload["type"] = json!(kind.as_str());
        payload["instance_id"] = json!("RCABCDEFGHIJKLMNOPQRSTUVWXYZ");
        out.push_str(&format!(
            "\n## {}\n\n{text}\n\n```json\n{payload:#}\n```\n",
            kind.as_str()
        ));
    }
    let quiet: Vec<_> = EventKind::ALL
        .into_iter()
        .filter(|kind| *kind != EventKind::All && !out.contains(&format!("## {}\n", kind.as_str())))
        .map(|kind| format!("`{}`", kind.as_str()))
        .collect();
    out.push_str(&format!(
        "\n## Names that can be subscribed to and are not emitted yet\n\n{}. `All` subscribes to everything.\n",
        quiet.join(", ")
    ));
    out
}
