//! Everything but messages: the library's events to [`Notice`]s.

mod groups;
mod people;

use recado_model::{
    Address, Result, StateReason, Timestamp,
    history::{Frame, HistoryNews},
    message::{InboundReceipt, InboundTyping, MessageId, Party, ReceiptState},
    person::{CallStep, InboundCall, InboundPresence},
};
use whatsapp_rust::{
    Client, Jid, OwnedNodeRef,
    types::{
        call::{CallAction, IncomingCall, MissedCall},
        events::{
            ChatPresenceUpdate, ConnectFailureReason, DecryptFailMode, PresenceUpdate, Receipt,
            ServerAck, UndecryptableMessage,
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
    synced,
};
use crate::Notice;

pub(super) use groups::group;
pub(super) use people::{identity, number, picture};

fn from(source: &MessageSource) -> Source {
    Source {
        chat: source.chat.to_string(),
        sender: source.sender.to_string(),
        sender_alt: source.sender_alt.as_ref().map(Jid::to_string),
        group: source.is_group || source.chat.is_group(),
        me: source.is_from_me,
    }
}

/// A device of our own has read what somebody wrote. The library drops the one word that tells where: `recipient`; so
/// the stanza itself is looked at.
pub(super) fn read_elsewhere(node: &OwnedNodeRef) -> Option<Entry> {
    let node = node.get();
    if node.tag.as_ref() != "receipt" {
        return None;
    }
    let mut attrs = node.attrs();
    let kind = attrs.optional_string("type")?.to_string();
    if !matches!(
        kind.as_str(),
        "read" | "read-self" | "played" | "played-self"
    ) {
        return None;
    }
    let sender = attrs.optional_jid("from")?;
    let chat = attrs.optional_jid("recipient")?;
    let first = attrs.optional_string("id")?.to_string();
    let at = attrs.optional_u64("t").and_then(|t| i64::try_from(t).ok());
    let mut ids = vec![first];
    if let Some(list) = node.get_optional_child("list") {
        let items = list.children().unwrap_or_default().iter();
        let items =
            items.filter_map(|item| item.attrs().optional_string("id").map(|id| id.to_string()));
        ids.extend(items);
    }
    ids.retain(|id| id.len() <= LONGEST_ID);
    Some(Entry::Receipt {
        from: Source {
            group: chat.is_group(),
            me: true,
            sender: sender.to_string(),
            chat: chat.to_string(),
            sender_alt: None,
        },
        ids,
        state: State::ReadSelf,
        at: at.unwrap_or_default().saturating_mul(1000),
    })
}

/// `None` for receipts that say nothing about our messages (our own devices' business). `is_own` knows our addresses.
pub(super) fn receipt(receipt: &Receipt, is_own: impl Fn(&Jid) -> bool) -> Option<Entry> {
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
    let mut source = from(&receipt.source);
    let reads = matches!(state, State::Read | State::ReadSelf | State::Played);
    let mut state = state;
    if reads && is_own(&receipt.source.sender) {
        if !source.group {
            // Its stanza says where: see `read_elsewhere`.
            return None;
        }
        (source.me, state) = (true, State::ReadSelf);
    }
    Some(Entry::Receipt {
        from: source,
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

/// Without a client, by what the stanza said alone. `None` of nothing that anybody need know.
pub(super) async fn of(entries: &[Entry], client: Option<&Client>) -> Result<Option<Notice>> {
    let mut all = Vec::new();
    for entry in entries {
        match synced::of(entry, client).await? {
            Some(synced) => all.push(synced),
            None => return of_one(entry.clone(), client).await,
        }
    }
    Ok((!all.is_empty()).then_some(Notice::Synced(all)))
}

async fn of_one(entry: Entry, client: Option<&Client>) -> Result<Option<Notice>> {
    Ok(Some(match entry {
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
        Entry::Group {
            group,
            by,
            number,
            at,
            reason,
            deed,
        } => groups::done(&group, (by.as_deref(), number.as_deref()), at, reason, deed),
        Entry::HistoryAnnounced { id } => Notice::History(HistoryNews::Announced { id }),
        Entry::HistoryFrame {
            name,
            digest,
            kind,
            order,
            progress,
            request,
        } => Notice::History(HistoryNews::Came(Frame {
            name,
            kind,
            chunk_order: order.map(i64::from),
            progress: progress.map(i64::from),
            request,
            digest,
        })),
        Entry::Person { who, lid, at, what } => {
            people::change((who.as_str(), lid.as_deref()), at, &what, client).await?
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
        // Told together.
        Entry::Chat { .. }
        | Entry::Contact { .. }
        | Entry::Label { .. }
        | Entry::Labelled { .. } => return Ok(None),
    }))
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

/// Somebody who is watched came or went.
pub(super) async fn presence(client: &Client, update: &PresenceUpdate) -> Result<Notice> {
    Ok(Notice::Presence(InboundPresence {
        who: party(client, &update.from, None).await?,
        available: !update.unavailable,
        last_seen: update
            .last_seen
            .map(|seen| Timestamp(seen.timestamp_millis())),
    }))
}

/// Of all that calls consist of, what begins and ends them.
pub(super) fn is_told(call: &IncomingCall) -> bool {
    matches!(
        call.action,
        CallAction::Offer { .. } | CallAction::OfferNotice { .. } | CallAction::Terminate { .. }
    ) && call.action.call_id().len() <= LONGEST_ID
}

pub(super) async fn call(client: &Client, call: &IncomingCall) -> Result<Option<Notice>> {
    let (step, video, group, number) = match &call.action {
        CallAction::Offer {
            is_video,
            group_jid,
            caller_pn,
            ..
        } => (
            CallStep::Offer,
            *is_video,
            group_jid.as_ref(),
            caller_pn.as_ref(),
        ),
        CallAction::OfferNotice {
            is_video, is_group, ..
        } => {
            let group = is_group.then_some(&call.from);
            (CallStep::Offer, *is_video, group, None)
        }
        CallAction::Terminate { reason, .. } => (CallStep::End(reason.clone()), false, None, None),
        _ => return Ok(None),
    };
    let creator = call.action.call_creator();
    let who = match call.from.is_group() {
        true => creator,
        false => &call.from,
    };
    let address = |jid: &Jid| Address::from_wire(jid.to_non_ad_string());
    Ok(Some(Notice::Call(InboundCall {
        id: call.action.call_id().to_owned(),
        who: party(client, who, number).await?,
        // With its device: the caller's own device is to be told.
        creator: creator.to_string(),
        from: call.from.to_string(),
        video,
        group: group.map(address),
        at: Timestamp(call.timestamp.timestamp_millis()),
        step,
    })))
}

/// A call that was over before this device heard of it.
pub(super) async fn missed(client: &Client, call: &MissedCall) -> Result<Notice> {
    Ok(Notice::Call(InboundCall {
        id: call.call_id.clone(),
        who: party(client, &call.from, None).await?,
        creator: call.from.to_string(),
        from: call.from.to_string(),
        video: false,
        group: None,
        at: Timestamp(call.timestamp.timestamp_millis()),
        step: CallStep::Missed,
    }))
}

/// A person that a stanza names by number or id, and perhaps by the number beside it.
async fn party(client: &Client, jid: &Jid, number: Option<&Jid>) -> Result<Party> {
    let source = MessageSource {
        chat: jid.to_non_ad(),
        sender: jid.to_non_ad(),
        sender_alt: number.map(Jid::to_non_ad),
        ..MessageSource::default()
    };
    Ok(address::of(client, &source).await?.sender)
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
    fn what_a_device_of_ours_has_read_is_told_with_its_chat() {
        use whatsapp_rust::NodeBuilder;

        let read = |kind: &'static str, recipient: Option<&'static str>| {
            let item = NodeBuilder::new("item").attr("id", "3EB0BB").build();
            let mut receipt = NodeBuilder::new("receipt")
                .attr("from", "5511888888888@s.whatsapp.net")
                .attr("id", "3EB0AA")
                .attr("type", kind)
                .attr("t", "1700000000");
            if let Some(recipient) = recipient {
                receipt = receipt.attr("recipient", recipient);
            }
            let list = NodeBuilder::new("list").children([item]).build();
            stanza(receipt.children([list]).build())
        };
        let ana = Some("222@lid");
        assert_eq!(read_elsewhere(&read("read", None)), None, "somebody else's");
        assert_eq!(read_elsewhere(&read("sender", ana)), None);
        for kind in ["read", "read-self"] {
            let Some(Entry::Receipt {
                from,
                ids,
                state,
                at,
            }) = read_elsewhere(&read(kind, ana))
            else {
                panic!("{kind} is told");
            };
            assert_eq!((from.chat.as_str(), from.me), ("222@lid", true));
            assert_eq!(ids, ["3EB0AA", "3EB0BB"]);
            assert_eq!((state, at), (State::ReadSelf, 1_700_000_000_000));
        }
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
