//! Everything but messages: the library's events to [`Notice`]s.

use recado_model::{
    Address, Result, StateReason, Timestamp,
    message::{InboundReceipt, InboundTyping, MessageId, Party, ReceiptState},
};
use whatsapp_rust::{
    Client, Jid, OwnedNodeRef,
    types::{
        events::{
            ChatPresenceUpdate, ConnectFailureReason, DecryptFailMode, Receipt, ServerAck,
            UndecryptableMessage,
        },
        message::MessageSource,
        presence::{ChatPresence, ChatPresenceMedia, ReceiptType},
    },
    wacore_binary::JidExt as _,
};

use super::{
    address::{self, Addresses},
    journal::{Entry, Source, State},
    payload::LONGEST_ID,
};
use crate::Notice;

fn from(source: &MessageSource) -> Source {
    Source {
        chat: source.chat.to_string(),
        sender: source.sender.to_string(),
        sender_alt: source.sender_alt.as_ref().map(Jid::to_string),
        group: source.is_group || source.chat.is_group(),
        me: source.is_from_me,
    }
}

/// `None` for receipts that say nothing about our messages (our own devices' business).
pub(super) fn receipt(receipt: &Receipt) -> Option<Entry> {
    let state = match receipt.r#type {
        // Of a device that cannot take it. (Those that ask again come as stanzas: see below.)
        ReceiptType::Sent => State::Accepted,
        // Inactive: the other side's device has it, while nobody looks at it.
        ReceiptType::Delivered | ReceiptType::Inactive => State::Delivered,
        ReceiptType::Read => State::Read,
        ReceiptType::ReadSelf => State::ReadSelf,
        ReceiptType::Played => State::Played,
        _ => return None,
    };
    let fits = |id: &&String| id.len() <= LONGEST_ID;
    Some(Entry::Receipt {
        from: from(&receipt.source),
        ids: receipt.message_ids.iter().filter(fits).cloned().collect(),
        state,
        at: receipt.timestamp.timestamp_millis(),
    })
}

/// A device that asks for a message again proves that the server took it. The library answers it
/// without an event, so the stanza itself is looked at.
pub(super) fn asked_again(node: &OwnedNodeRef) -> Option<Entry> {
    let node = node.get();
    if node.tag.as_ref() != "receipt" {
        return None;
    }
    let mut attrs = node.attrs();
    if attrs.optional_string("type").as_deref() != Some("retry") {
        return None;
    }
    let from = attrs.optional_jid("from")?;
    let sender = attrs.optional_jid("participant");
    // Another device of our own asks: the chat is named apart.
    let chat = attrs.optional_jid("recipient");
    let at = attrs.optional_u64("t").and_then(|t| i64::try_from(t).ok());
    let id = node
        .get_optional_child("retry")
        .and_then(|retry| retry.attrs().optional_string("id").map(Into::into))
        .or_else(|| attrs.optional_string("id").map(Into::into))
        .filter(|id: &String| id.len() <= LONGEST_ID)?;
    Some(Entry::Receipt {
        from: Source {
            group: from.is_group(),
            me: chat.is_some(),
            sender: sender.as_ref().unwrap_or(&from).to_string(),
            chat: chat.unwrap_or(from).to_string(),
            sender_alt: None,
        },
        ids: vec![id],
        state: State::Accepted,
        at: at.unwrap_or_default().saturating_mul(1000),
    })
}

pub(super) fn undecryptable(event: &UndecryptableMessage) -> Entry {
    Entry::Undecryptable {
        from: from(&event.info.source),
        id: event.info.id.clone(),
        at: event.info.timestamp.timestamp_millis(),
        unavailable: event.is_unavailable,
        hidden: event.decrypt_fail_mode == DecryptFailMode::Hide,
    }
}

/// Without a client, by what the stanza said alone.
pub(super) async fn of(entry: Entry, client: Option<&Client>) -> Result<Notice> {
    Ok(match entry {
        Entry::Receipt {
            from,
            ids,
            state,
            at,
        } => {
            let addresses = addresses(&from, client).await?;
            Notice::Receipt(InboundReceipt {
                chat: addresses.chat,
                sender: addresses.sender,
                from_me: from.me,
                ids: ids.into_iter().map(MessageId::from_wire).collect(),
                state: match state {
                    State::Accepted => ReceiptState::Accepted,
                    State::Delivered => ReceiptState::Delivered,
                    State::Read => ReceiptState::Read,
                    State::ReadSelf => ReceiptState::ReadSelf,
                    State::Played => ReceiptState::Played,
                },
                at: Timestamp(at),
            })
        }
        Entry::Ack { id, refused } => Notice::ServerAck {
            id: MessageId::from_wire(id),
            refused,
        },
        Entry::Undecryptable {
            from,
            id,
            at,
            unavailable,
            hidden,
        } => {
            let addresses = addresses(&from, client).await?;
            Notice::Undecryptable {
                chat: addresses.chat,
                sender: addresses.sender,
                from_me: from.me,
                id: MessageId::from_wire(id),
                at: Timestamp(at),
                unavailable,
                hidden,
            }
        }
    })
}

async fn addresses(from: &Source, client: Option<&Client>) -> Result<Addresses> {
    let jid = |text: &str| text.parse::<Jid>().ok();
    let (Some(chat), Some(sender)) = (jid(&from.chat), jid(&from.sender)) else {
        // They were addresses when they were noted; better told as they are than not at all.
        let party = |text: &String| Party::only(Address::from_wire(text));
        return Ok(Addresses {
            chat: party(&from.chat),
            sender: party(&from.sender),
        });
    };
    let source = MessageSource {
        chat,
        sender,
        sender_alt: from.sender_alt.as_deref().and_then(jid),
        is_from_me: from.me,
        is_group: from.group,
        ..MessageSource::default()
    };
    match client {
        Some(client) => address::of(client, &source).await,
        None => Ok(address::as_stated(&source)),
    }
}

pub(super) async fn typing(client: &Client, update: &ChatPresenceUpdate) -> Result<Notice> {
    let addresses = address::of(client, &update.source).await?;
    Ok(Notice::Typing(InboundTyping {
        chat: addresses.chat,
        sender: addresses.sender,
        state: match update.state {
            ChatPresence::Composing => "composing",
            ChatPresence::Paused => "paused",
        }
        .to_owned(),
        media: match update.media {
            ChatPresenceMedia::Text => "",
            ChatPresenceMedia::Audio => "audio",
        }
        .to_owned(),
    }))
}

/// The server acknowledges every stanza; only those of messages are worth telling.
pub(super) fn server_ack(ack: &ServerAck) -> Option<Entry> {
    (ack.class.as_deref() == Some("message")).then(|| Entry::Ack {
        id: ack.id.clone(),
        refused: ack.error.clone(),
    })
}

/// The meaning of WhatsApp's refusal to let us in, and whether trying again can help.
pub(super) fn refusal(reason: ConnectFailureReason) -> (StateReason, bool) {
    match reason {
        ConnectFailureReason::ClientOutdated | ConnectFailureReason::BadUserAgent => {
            (StateReason::ClientOutdated, false)
        }
        ConnectFailureReason::TempBanned => (StateReason::TemporaryBan, false),
        ConnectFailureReason::AccountLocked => (StateReason::AccountLocked, false),
        _ => (StateReason::ConnectFailure, true),
    }
}

/// Why the phone's side ended the pairing.
pub(super) fn logged_out(reason: ConnectFailureReason) -> StateReason {
    match reason {
        ConnectFailureReason::AccountLocked => StateReason::AccountLocked,
        _ => StateReason::LoggedOutByPhone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hopeless_refusals_end_the_attempts() {
        assert_eq!(
            refusal(ConnectFailureReason::ServiceUnavailable),
            (StateReason::ConnectFailure, true)
        );
        assert_eq!(
            refusal(ConnectFailureReason::BadUserAgent),
            (StateReason::ClientOutdated, false)
        );
        assert_eq!(
            logged_out(ConnectFailureReason::AccountLocked),
            StateReason::AccountLocked
        );
        assert_eq!(
            logged_out(ConnectFailureReason::LoggedOut),
            StateReason::LoggedOutByPhone
        );
    }

    fn stanza(node: whatsapp_rust::wacore_binary::Node) -> OwnedNodeRef {
        let bytes = whatsapp_rust::wacore_binary::marshal::marshal(&node).expect("encodes");
        let bytes = whatsapp_rust::wacore_binary::util::unpack(&bytes).expect("unpacks");
        OwnedNodeRef::new(bytes.into_owned()).expect("decodes")
    }

    #[test]
    fn a_device_that_asks_again_proves_that_the_server_has_it() {
        use whatsapp_rust::NodeBuilder;

        let asking = |kind: &'static str| {
            let retry = NodeBuilder::new("retry")
                .attr("id", "3EB0AA")
                .attr("count", "1");
            let receipt = NodeBuilder::new("receipt")
                .attr("from", "120363000000000001@g.us")
                .attr("participant", "222:7@lid")
                .attr("id", "3EB0AA")
                .attr("type", kind)
                .attr("t", "1700000000");
            stanza(receipt.children([retry.build()]).build())
        };
        assert_eq!(asked_again(&asking("read")), None);
        assert_eq!(
            asked_again(&asking("retry")),
            Some(Entry::Receipt {
                from: Source {
                    chat: "120363000000000001@g.us".to_owned(),
                    sender: "222:7@lid".to_owned(),
                    sender_alt: None,
                    group: true,
                    me: false,
                },
                ids: vec!["3EB0AA".to_owned()],
                state: State::Accepted,
                at: 1_700_000_000_000,
            })
        );
    }

    #[test]
    fn acknowledgements_of_other_stanzas_are_not_told() {
        let ack = |class: &str| {
            ServerAck::builder()
                .id("3EB0".to_owned())
                .class(class.to_owned())
                .build()
        };
        assert!(server_ack(&ack("receipt")).is_none());
        assert_eq!(
            server_ack(&ack("message")),
            Some(Entry::Ack {
                id: "3EB0".to_owned(),
                refused: None
            })
        );
    }
}
