//! Everything but messages: the library's events to [`Notice`]s.

use recado_model::{
    StateReason, Timestamp,
    message::{InboundReceipt, InboundTyping, MessageId, ReceiptState},
};
use whatsapp_rust::{
    Client,
    types::{
        events::{ChatPresenceUpdate, ConnectFailureReason, Receipt, ServerAck},
        presence::{ChatPresence, ChatPresenceMedia, ReceiptType},
    },
};

use super::address;
use crate::Notice;

/// `None` for receipts that say nothing about our messages (retries, our own devices' business).
pub(super) async fn receipt(client: &Client, receipt: &Receipt) -> Option<Notice> {
    let state = match receipt.r#type {
        // Inactive: the other side's device has it, while nobody looks at it.
        ReceiptType::Delivered | ReceiptType::Inactive => ReceiptState::Delivered,
        ReceiptType::Read => ReceiptState::Read,
        ReceiptType::ReadSelf => ReceiptState::ReadSelf,
        ReceiptType::Played => ReceiptState::Played,
        _ => return None,
    };
    let addresses = address::of(client, &receipt.source).await;
    Some(Notice::Receipt(InboundReceipt {
        chat: addresses.chat,
        sender: addresses.sender,
        is_group: addresses.is_group,
        from_me: receipt.source.is_from_me,
        ids: receipt
            .message_ids
            .iter()
            .map(|id| MessageId::from_wire(id.clone()))
            .collect(),
        state,
        at: Timestamp(receipt.timestamp.timestamp_millis()),
    }))
}

pub(super) async fn typing(client: &Client, update: &ChatPresenceUpdate) -> Notice {
    let addresses = address::of(client, &update.source).await;
    Notice::Typing(InboundTyping {
        chat: addresses.chat,
        sender: addresses.sender,
        is_group: addresses.is_group,
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
    })
}

/// The server acknowledges every stanza; only those of messages are worth telling.
pub(super) fn server_ack(ack: &ServerAck) -> Option<Notice> {
    (ack.class.as_deref() == Some("message")).then(|| Notice::ServerAck {
        id: MessageId::from_wire(ack.id.clone()),
        refused: ack.error.clone(),
    })
}

/// What WhatsApp's refusal to let us in means, and whether trying again can help.
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
            Some(Notice::ServerAck {
                id: MessageId::from_wire("3EB0"),
                refused: None
            })
        );
    }
}
