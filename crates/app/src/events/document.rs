//! `docs/events.md`: every kind, with a sample made by the very functions that make events.

use recado_model::{
    Direction, EventKind, Failure, InstanceId, MessageId, MessageStatus, StateReason, Timestamp,
    failure,
    message::{InboundReceipt, InboundTyping, ReceiptState},
};
use recado_store::MessageRow;
use serde_json::{Value, json};

use super::{Unread, connected, disconnected, failed, receipt, typing, undecryptable};

const AT: Timestamp = Timestamp(1_767_225_600_000);
const CHAT: &str = "5511999999999@s.whatsapp.net";
const OWN: &str = "5511888888888@s.whatsapp.net";
const INSTANCE: &str = "RCABCDEFGHIJKLMNOPQRSTUVWXYZ";
const HEAD: &str = "# Events\n\nMade from the program; do not edit.\n\nA webhook receives each event as the JSON below, by POST, signed after Standard Webhooks 1.0.0\n(`webhook-id`, `webhook-timestamp`, `webhook-signature`; the secret is the `signing_secret` that\n`POST /instances/{id}/webhook` answers), with the instance in `X-Instance-ID`. Delivery is at least\nonce: drop what you have seen by `webhook-id`. Anything but a 2xx is tried again, ten times over\nabout three days; 410 ends it at once.\n";

type Sample = (EventKind, &'static str, Value);

fn id() -> MessageId {
    MessageId::from_wire("3EB0C431D2A1F7E0B5A9D3C2E1F00A1B")
}

/// The whole document.
pub fn document() -> String {
    let mut out = String::from(HEAD);
    let samples = messages().into_iter().chain(connection()).chain(unsent());
    for (kind, text, mut payload) in samples {
        payload["type"] = json!(kind.as_str());
        payload["instance_id"] = json!(INSTANCE);
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
        "\n## Names that can be subscribed to and are not emitted yet\n\n{}. `All` subscribes to everything but `UndecryptableMessage`.\n",
        quiet.join(", ")
    ));
    out
}

fn messages() -> [Sample; 3] {
    let incoming = json!({ "event": {
        "info": {
            "id": id(), "chat": CHAT, "sender": CHAT, "is_from_me": false, "is_group": false,
            "push_name": "Ana", "timestamp": AT.to_rfc3339(), "type": "text",
        },
        "message": { "conversation": "Hello" },
    }});
    let seen = InboundReceipt {
        chat: CHAT.into(),
        sender: CHAT.into(),
        is_group: false,
        from_me: false,
        ids: vec![id()],
        state: ReceiptState::Read,
        at: AT,
    };
    let types = InboundTyping {
        chat: CHAT.into(),
        sender: CHAT.into(),
        is_group: false,
        state: "composing".into(),
        media: String::new(),
    };
    [
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
    ]
}

fn connection() -> [Sample; 2] {
    [
        (
            EventKind::Connected,
            "The instance is online.",
            connected(Some("5511888888888"), Some(OWN), Some("Shop")),
        ),
        (
            EventKind::Disconnected,
            "It is not; `what_to_do` says what helps.",
            disconnected(StateReason::LoggedOutByPhone),
        ),
    ]
}

fn unsent() -> [Sample; 2] {
    let row = MessageRow {
        instance: InstanceId::from_text(INSTANCE),
        id: id(),
        chat: CHAT.into(),
        sender: OWN.into(),
        direction: Direction::Out,
        is_group: false,
        push_name: None,
        kind: "text".into(),
        text: None,
        status: MessageStatus::Failed,
        failure: None,
        queue_id: Some(17),
        digest: None,
        tried: true,
        at: AT,
        created_at: AT,
        updated_at: AT,
    };
    let unread = Unread {
        id: &MessageId::from_wire("3EB0D542E3B2A8F1C6BAE4D3F2A11B2C"),
        chat: CHAT,
        sender: CHAT,
        from_me: false,
        is_group: false,
        at: AT,
        unavailable: false,
    };
    [
        (
            EventKind::MessageFailed,
            "A message of yours will not be sent: `code` (WhatsApp's number, or a word of ours), `meaning` and `what_to_do` say why. Sent to those who name it or take `All`.",
            failed(&row, &Failure::of(failure::NOT_ON_WHATSAPP), AT),
        ),
        (
            EventKind::UndecryptableMessage,
            "A message came that could not be read, and was asked for again; what comes then is a `Message` with the same id. With `unavailable` it does not come: the phone alone has it. Sent only to those who name it.",
            undecryptable(&unread),
        ),
    ]
}
