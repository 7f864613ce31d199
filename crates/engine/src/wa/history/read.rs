//! A frame taken apart: one chat at a time in memory, given on in parts of so many messages.

use std::{io, path::PathBuf};

use recado_model::{
    ContentKind, Error, InstanceId, Timestamp,
    chat::Mute,
    history::{
        ChatLooks, FrameEnd, FrameFault, FrameKind, HistoryChat, HistoryPart, OwnAddresses,
        PastMessage,
    },
    message::Timer,
};
use tokio::sync::mpsc;
use whatsapp_rust::{
    Jid,
    wacore::history_sync::{HistorySyncStream, MAX_DECOMPRESSED},
    wacore_binary::JidExt as _,
    waproto::whatsapp::{
        Conversation, HistorySync, WebMessageInfo, conversation::EndOfHistoryTransferType,
    },
};

use super::{
    message::{Place, at},
    names::Pairs,
    spool,
};

/// So many messages make a part.
const PART: usize = 50;
/// And so many names.
const NAMES: usize = 200;
/// Times below it are seconds.
const MILLIS_FROM: u64 = 100_000_000_000;

/// A frame to read.
pub(in crate::wa) struct Reading {
    pub folder: PathBuf,
    pub key: [u8; 32],
    pub name: String,
    pub kind: FrameKind,
    pub instance: InstanceId,
    pub own: OwnAddresses,
}

/// Blocks. Whoever takes the parts sets the pace, and may go: then it ends.
pub(in crate::wa) fn read(
    reading: &Reading,
    to: &mpsc::Sender<HistoryPart>,
) -> Result<FrameEnd, FrameFault> {
    let bytes = match spool::open(&reading.folder, &reading.key, &reading.name) {
        Ok(bytes) => bytes,
        Err(error) if is_lost(&error) => {
            tracing::error!(instance.id = %reading.instance, %error, "a frame of history cannot be opened; it is lost");
            return Err(FrameFault::Gone);
        }
        Err(error) => return Err(FrameFault::Failed(Error::internal(error))),
    };
    let rest = rest_of(&bytes);
    let pairs = match &rest {
        Some(rest) => Pairs::of(rest, &reading.own),
        None => Pairs::of(&HistorySync::default(), &reading.own),
    };
    let mut reader = Reader {
        reading,
        pairs,
        to,
        end: FrameEnd::default(),
        chats: 0,
        exhausted: 0,
    };
    reader.chats(&bytes)?;
    let rest = rest.ok_or(FrameFault::Damaged)?;
    reader.names(&rest);
    // An answer without any chat: there is nothing older.
    let all = reader.exhausted == reader.chats;
    reader.end.exhausted = all && (reader.chats > 0 || reading.kind == FrameKind::OnDemand);
    Ok(reader.end)
}

/// It is not there, or what is there is not what was written. Faults of the disk are others.
fn is_lost(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::InvalidData
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::Other
    )
}

/// What a frame has beside its chats, which may stand behind them. `None` where it is damaged.
fn rest_of(bytes: &[u8]) -> Option<HistorySync> {
    let mut stream = HistorySyncStream::new(bytes, MAX_DECOMPRESSED);
    loop {
        let chat = stream.next_conversation_bytes();
        match chat.map(|chat| chat.is_some()) {
            Ok(true) => {}
            Ok(false) => return stream.remainder().ok(),
            Err(_) => return None,
        }
    }
}

struct Reader<'a> {
    reading: &'a Reading,
    pairs: Pairs,
    to: &'a mpsc::Sender<HistoryPart>,
    end: FrameEnd,
    chats: usize,
    exhausted: usize,
}

impl Reader<'_> {
    fn chats(&mut self, bytes: &[u8]) -> Result<(), FrameFault> {
        let mut stream = HistorySyncStream::new(bytes, MAX_DECOMPRESSED);
        let mut conversation = Conversation::default();
        loop {
            match stream.next_conversation_into(&mut conversation) {
                Ok(true) => self.chat(&conversation)?,
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(instance.id = %self.reading.instance, %error, "a frame of history is damaged; what comes before that is kept");
                    return Err(FrameFault::Damaged);
                }
            }
        }
        self.end.skipped += stream.skipped_conversations();
        Ok(())
    }

    fn chat(&mut self, conversation: &Conversation) -> Result<(), FrameFault> {
        let Ok(jid) = conversation.id.parse::<Jid>() else {
            self.end.skipped += 1;
            return Ok(());
        };
        if !(jid.is_pn() || jid.is_lid() || jid.is_group()) {
            // Status updates, channels, lists: nothing that a chat list shows.
            return Ok(());
        }
        self.pairs.learn(
            conversation.pn_jid.as_deref().or(Some(&conversation.id)),
            conversation.lid_jid.as_deref().or(Some(&conversation.id)),
        );
        self.chats += 1;
        self.exhausted += usize::from(is_exhausted(conversation));
        let messages = self.messages(&jid, conversation);
        let chat = self.pairs.party(&jid);
        let mut looks = Some(looks(conversation));
        let mut messages = messages.into_iter().peekable();
        loop {
            let part: Vec<_> = messages.by_ref().take(PART).collect();
            self.give(HistoryPart::Chat(Box::new(HistoryChat {
                chat: chat.clone(),
                looks: looks.take(),
                messages: part,
            })))?;
            if messages.peek().is_none() {
                return Ok(());
            }
        }
    }

    /// The oldest first, and then what was put on them.
    fn messages(&self, jid: &Jid, conversation: &Conversation) -> Vec<PastMessage> {
        let infos = conversation.messages.iter();
        let infos = infos.filter_map(|one| one.message.as_option());
        let mut infos: Vec<&WebMessageInfo> = infos.filter(|info| at(info).is_some()).collect();
        // Phones give the newest first; of one second their order counts.
        if let (Some(first), Some(last)) = (infos.first(), infos.last())
            && at(first) >= at(last)
        {
            infos.reverse();
        }
        infos.sort_by_key(|info| at(info));
        let place = Place {
            instance: &self.reading.instance,
            own: &self.reading.own,
            pairs: &self.pairs,
            chat: jid,
        };
        let found = infos.iter().filter_map(|info| place.message(info));
        let mut messages: Vec<_> = found.collect();
        placed(&mut messages);
        if self.reading.kind == FrameKind::InitialBootstrap && has_newest(conversation, &messages) {
            mark_unread(&mut messages, conversation.unread_count.unwrap_or(0));
        }
        messages.extend(infos.iter().flat_map(|info| place.reactions(info)));
        messages
    }

    fn names(&self, rest: &HistorySync) {
        let named = rest.pushnames.iter().filter_map(|one| {
            let name = one.pushname.clone().filter(|name| is_name(name))?;
            let jid: Jid = one.id.as_deref()?.parse().ok()?;
            let is_person = jid.is_pn() || jid.is_lid();
            is_person.then(|| (self.pairs.party(&jid), name))
        });
        let named: Vec<_> = named.collect();
        for part in named.chunks(NAMES) {
            // Whoever is gone wants no names.
            let _ = self.give(HistoryPart::Names(part.to_vec()));
        }
    }

    fn give(&self, part: HistoryPart) -> Result<(), FrameFault> {
        let given = self.to.blocking_send(part);
        given.map_err(|_| FrameFault::Failed(Error::internal("nobody takes the frame any more")))
    }
}

/// Phones write a dash for no name.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name != "-"
}

/// Messages of one second keep the order in which they stand.
fn placed(messages: &mut [PastMessage]) {
    let mut before: Option<(Timestamp, i64)> = None;
    for past in messages {
        let at = past.message.at;
        past.place = match before {
            Some((same, place)) if same == at => place + 1,
            _ => 0,
        };
        before = Some((at, past.place));
    }
}

/// Whether the newest message of the chat is among them, and not in another frame.
fn has_newest(conversation: &Conversation, messages: &[PastMessage]) -> bool {
    let newest = conversation.last_msg_timestamp;
    let newest = newest.or(conversation.conversation_timestamp);
    let newest = newest.and_then(|seconds| i64::try_from(seconds).ok());
    let here = messages.iter().map(|past| past.message.at.0 / 1_000).max();
    newest.is_none_or(|newest| here.is_some_and(|here| here >= newest))
}

/// The last of those that others wrote.
fn mark_unread(messages: &mut [PastMessage], count: u32) {
    let shows = |past: &&mut PastMessage| {
        let kind = past.message.kind;
        let is_act = matches!(
            kind,
            ContentKind::Reaction | ContentKind::Edit | ContentKind::Revoke | ContentKind::Vote
        );
        !past.message.from_me && !is_act
    };
    let others = messages.iter_mut().rev().filter(shows);
    for past in others.take(count as usize) {
        past.unread = true;
    }
}

fn is_exhausted(conversation: &Conversation) -> bool {
    conversation.end_of_history_transfer_type
        == Some(EndOfHistoryTransferType::COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY)
}

fn looks(conversation: &Conversation) -> ChatLooks {
    let until = conversation.mute_end_time.unwrap_or(0);
    let millis = |time: u64| {
        let time = match time {
            time if time < MILLIS_FROM => time.saturating_mul(1_000),
            time => time,
        };
        i64::try_from(time).ok()
    };
    let since = conversation.ephemeral_setting_timestamp.unwrap_or(0);
    let since = u64::try_from(since).ok().and_then(millis);
    let seconds = conversation.ephemeral_expiration.filter(|secs| *secs > 0);
    ChatLooks {
        archived: conversation.archived == Some(true),
        pinned: conversation.pinned.is_some_and(|pinned| pinned > 0),
        mute: match until {
            0 => Mute::Off,
            // Of a number without a sign it is the largest.
            until => millis(until).map_or(Mute::Forever, |at| Mute::Until(Timestamp(at))),
        },
        marked_unread: conversation.marked_as_unread == Some(true),
        timer: seconds.and_then(|secs| Timer::told(secs, Timestamp(since.unwrap_or(0)))),
    }
}

#[cfg(test)]
mod tests {
    use recado_model::{
        Address, MessageId, MessageStatus,
        message::{Arrival, InboundMessage, Party, Rendered},
    };

    use super::*;

    fn past(id: &str, at: i64, from_me: bool) -> PastMessage {
        let who = Party::only(Address::from_wire("551@s.whatsapp.net"));
        PastMessage {
            message: InboundMessage {
                instance: InstanceId::from_text("RCA"),
                id: MessageId::from_wire(id),
                chat: who.clone(),
                sender: who,
                from_me,
                push_name: None,
                kind: ContentKind::Text,
                text: None,
                tap: None,
                timer: None,
                about: None,
                at: Timestamp(at),
                proto: Vec::new(),
                rendered: Rendered::default(),
                arrival: Arrival::default(),
            },
            status: MessageStatus::Sent,
            unread: false,
            place: 0,
        }
    }

    #[test]
    fn messages_of_one_second_keep_their_order() {
        let mut messages = [1, 1, 2, 2, 2].map(|at| past("A", at, false));
        placed(&mut messages);
        assert_eq!(messages.map(|past| past.place), [0, 1, 0, 1, 2]);
    }

    #[test]
    fn the_last_that_others_wrote_are_unread() {
        let mut messages = [false, false, true, false].map(|mine| past("A", 1, mine));
        mark_unread(&mut messages, 2);
        let unread = messages.map(|past| past.unread);
        assert_eq!(unread, [false, true, false, true]);
        let mut few = [past("A", 1, false)];
        mark_unread(&mut few, 9);
        assert!(few[0].unread);
    }

    #[test]
    fn bytes_that_are_no_frame_have_no_rest() {
        assert!(rest_of(b"nonsense").is_none());
        assert!(rest_of(&[]).is_none());
    }
}
