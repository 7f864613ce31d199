//! The payloads that subscribers see: the contract's, snake_case.
//!
//! A message is told in one form whichever way it went: the engine renders what it holds, the rest is
//! written here. A payload is `{type, event, …}`; the realtime envelope and the webhook body are made around it. A new
//! one gets its sample in `document`.

mod beside;
mod document;
mod groups;
mod history;
mod people;

pub(crate) use beside::{Beside, ReadVote, Totals, UnreadVote, VoteTold};
pub use document::document;
pub(crate) use groups::group;
pub(crate) use history::{Counts, history, history_gap};
pub(crate) use people::{identity, number_changed, picture};

use recado_model::{
    AccountId, Address, Event, EventId, EventKind, Failure, InstanceId, MessageId, MessageStatus,
    Rng, Timestamp,
    chat::SyncTrouble,
    failure,
    message::{Arrival, InboundMessage, InboundReceipt, InboundTyping, Party, Rendered},
    person::{InboundCall, InboundPresence},
};
use recado_store::MessageRow;
use serde_json::{Map, Value, json};

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

/// A message that came in, or that the phone sent.
pub(crate) fn message(message: &InboundMessage, beside: &Beside) -> Value {
    let told = Told {
        id: &message.id,
        chat: &message.chat.shown,
        sender: &message.sender.shown,
        sender_alt: message.sender.alt.as_ref(),
        recipient_alt: message.chat.alt.as_ref().filter(|_| message.from_me),
        from_me: message.from_me,
        push_name: message.push_name.as_deref(),
        at: message.at,
    };
    let mut payload = told.payload(&message.rendered, &message.arrival);
    beside.put_into(&mut payload["event"]);
    payload
}

/// A message of ours that WhatsApp took.
pub(crate) fn sent(
    row: &MessageRow,
    rendered: Rendered,
    cast: Option<&VoteTold>,
    at: Timestamp,
) -> Value {
    let told = Told {
        id: &row.id,
        chat: &row.chat,
        sender: &row.sender,
        sender_alt: None,
        recipient_alt: None,
        from_me: true,
        push_name: row.push_name.as_deref(),
        at,
    };
    let mut payload = told.payload(&rendered, &Arrival::default());
    if let Some(told) = cast {
        payload["event"]["poll_vote"] = told.json();
    }
    payload
}

/// A message as its event tells of it, whichever way it went.
struct Told<'a> {
    id: &'a MessageId,
    chat: &'a Address,
    sender: &'a Address,
    sender_alt: Option<&'a Address>,
    /// Of the person we wrote to.
    recipient_alt: Option<&'a Address>,
    from_me: bool,
    push_name: Option<&'a str>,
    at: Timestamp,
}

impl Told<'_> {
    fn payload(&self, rendered: &Rendered, arrival: &Arrival) -> Value {
        let mut info = json!({
            "id": self.id,
            "chat": self.chat,
            "sender": self.sender,
            "sender_alt": self.sender_alt.map(Address::as_str).unwrap_or_default(),
            "recipient_alt": self.recipient_alt.map(Address::as_str).unwrap_or_default(),
            "is_from_me": self.from_me,
            "is_group": self.chat.is_group(),
            "push_name": self.push_name.unwrap_or_default(),
            "timestamp": self.at.to_rfc3339(),
            "type": rendered.stanza_type,
            "media_type": rendered.media_type,
        });
        put_into(&mut info, &arrival.info);
        let mut event = json!({ "info": info, "message": rendered.message });
        put_into(&mut event, &arrival.flags);
        json!({ "event": event })
    }
}

fn put_into(object: &mut Value, fields: &Map<String, Value>) {
    for (name, value) in fields {
        object[name] = value.clone();
    }
}

/// A message of ours that will not be sent.
pub(crate) fn failed(row: &MessageRow, failure: &Failure, at: Timestamp) -> Value {
    json!({
        "event": {
            "info": {
                "id": row.id,
                "chat": row.chat,
                "sender": row.sender,
                "is_from_me": true,
                "is_group": row.chat.is_group(),
                "timestamp": at.to_rfc3339(),
                "type": row.kind.as_str(),
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
            "chat": receipt.chat.shown,
            "sender": receipt.sender.shown,
            "is_from_me": receipt.from_me,
            "is_group": receipt.chat.shown.is_group(),
            "timestamp": receipt.at.to_rfc3339(),
            "type": state.to_lowercase(),
        }
    }))
}

/// What the account's devices tell each other does not follow, or follows again (`None`).
pub(crate) fn app_state(collection: &str, trouble: Option<&SyncTrouble>) -> Value {
    json!({
        "state": if trouble.is_some() { "failing" } else { "recovered" },
        "event": {
            "collection": collection,
            "cause": trouble.map(|trouble| trouble.cause.as_str()),
            "tries": trouble.map(|trouble| trouble.tries),
            "what_to_do": trouble.map(|trouble| trouble.cause.what_to_do()),
        }
    })
}

/// A message that came and could not be read.
pub(crate) fn undecryptable(info: &Unread<'_>) -> Value {
    json!({
        "event": {
            "info": {
                "id": info.id,
                "chat": info.chat.shown,
                "sender": info.sender.shown,
                "is_from_me": info.from_me,
                "is_group": info.chat.shown.is_group(),
                "timestamp": info.at.to_rfc3339(),
            },
            // Its content is on the phone alone: it does not come.
            "unavailable": info.unavailable,
        }
    })
}

/// The few things that are known of a message that could not be read.
pub(crate) struct Unread<'a> {
    pub id: &'a MessageId,
    pub chat: &'a Party,
    pub sender: &'a Party,
    pub from_me: bool,
    pub at: Timestamp,
    pub unavailable: bool,
}

pub(crate) fn typing(typing: &InboundTyping) -> Value {
    json!({
        "state": typing.state,
        "event": {
            "chat": typing.chat.shown,
            "sender": typing.sender.shown,
            "is_from_me": false,
            "is_group": typing.chat.shown.is_group(),
            "state": typing.state,
            "media": typing.media,
        }
    })
}

/// Somebody came or went.
pub(crate) fn presence(presence: &InboundPresence) -> Value {
    let seen = presence.last_seen.map(Timestamp::to_rfc3339);
    json!({
        "state": if presence.available { "online" } else { "offline" },
        "event": {
            "from": presence.who.shown,
            "phone": presence.who.shown.number(),
            "lid": lid(&presence.who),
            "unavailable": !presence.available,
            "last_seen": seen,
        }
    })
}

/// Somebody calls.
pub(crate) fn call(call: &InboundCall, declined: bool) -> Value {
    let mut payload = basics(call);
    payload["event"]["is_video"] = json!(call.video);
    payload["event"]["rejected"] = json!(declined);
    payload
}

/// A call is over.
pub(crate) fn call_ended(call: &InboundCall, reason: Option<&str>) -> Value {
    let mut payload = basics(call);
    payload["event"]["reason"] = json!(reason.unwrap_or_default());
    payload
}

/// Somebody called, and nobody took it.
pub(crate) fn missed(call: &InboundCall) -> Value {
    let mut payload = basics(call);
    payload["event"]["is_video"] = json!(call.video);
    payload
}

fn basics(call: &InboundCall) -> Value {
    json!({
        "event": {
            "call_id": call.id,
            "from": call.who.shown,
            "phone": call.who.shown.number(),
            "lid": lid(&call.who),
            "call_creator": Address::from_wire(call.creator.as_str()),
            "group_jid": call.group,
            "timestamp": call.at.to_rfc3339(),
        }
    })
}

fn lid(who: &Party) -> Option<&Address> {
    who.addresses().into_iter().find(|address| address.is_lid())
}

pub(crate) fn connected(
    phone: Option<&str>,
    jid: Option<&Address>,
    push_name: Option<&str>,
) -> Value {
    json!({ "event": { "phone": phone, "jid": jid, "push_name": push_name } })
}

pub(crate) fn disconnected(reason: recado_model::StateReason) -> Value {
    json!({ "event": { "reason": reason.as_str(), "what_to_do": reason.what_to_do() } })
}
