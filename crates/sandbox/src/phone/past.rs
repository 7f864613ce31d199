//! A phone's past, as it sends it to a device that it links, and to one that asks for more of a chat.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;
use buffa::{Message as _, MessageField};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use tokio::time::Instant;
use wacore::download::MediaType;
use wacore::messages::MessageUtils;
use wacore::upload::encrypt_media;
use wacore_binary::Jid;
use waproto::whatsapp::conversation::EndOfHistoryTransferType as End;
use waproto::whatsapp::history_sync::HistorySyncType as Inside;
use waproto::whatsapp::message::peer_data_operation_request_message::HistorySyncOnDemandRequest;
use waproto::whatsapp::message::{
    HistorySyncNotification, HistorySyncType as Outside, ProtocolMessage, protocol_message,
};
use waproto::whatsapp::web_message_info::Status;
use waproto::whatsapp::{
    Conversation, HistorySync, HistorySyncMsg, Message, MessageKey, PhoneNumberToLIDMapping,
    Pushname, Reaction, WebMessageInfo,
};

use super::chat::{Envelope, Stanza};
use crate::ambient;
use crate::core::Core;
use crate::group::group_id_of;
use crate::history::ChatMessage;
use crate::state::Addr;
use crate::trouble::Kind;

/// Messages of a frame, unless the person's phone has another number.
const CHUNK: usize = 500;
/// Of each chat the newest come first.
const FIRST_EACH: usize = 20;
/// What is older comes only to who wants all.
const RECENT_MS: i64 = 90 * 24 * 3600 * 1000;
/// The most that is given of one chat to who asks.
const ASKED_MOST: usize = 500;

/// A frame on its way.
struct Frame {
    kinds: (Outside, Inside),
    sync: HistorySync,
    request: Option<String>,
}

/// One chat as its phone has it.
struct Past<'a> {
    chat: String,
    /// The newest first.
    messages: Vec<&'a ChatMessage>,
    unread: usize,
}

/// Some of its messages, one after another.
struct Slice<'a> {
    past: &'a Past<'a>,
    messages: &'a [&'a ChatMessage],
    /// The oldest of them is the oldest that is sent.
    is_last: bool,
}

impl Core {
    /// The phone sends its past to a device that it has just linked. One without any sends nothing.
    pub(crate) fn tell_past(&mut self, to: &Addr, full: bool) {
        let mut frames = self.frames(&to.number, full);
        count(&mut frames);
        for frame in frames {
            self.send_frame(to, frame);
        }
    }

    /// The phone sends older messages of a chat to a device that asked for them by the message `id`.
    pub(crate) fn tell_older(&mut self, to: &Addr, id: &str, request: &HistorySyncOnDemandRequest) {
        let Some(chat) = self.chat_asked_for(request) else {
            tracing::debug!(device = %to, "no such chat to send older messages of");
            return;
        };
        let past = self.past(&to.number);
        let mut sync = self.sync(Inside::ON_DEMAND, []);
        if let Some(past) = past.iter().find(|past| past.chat == chat) {
            let (older, more) = older(&past.messages, request);
            let end = match more {
                true => End::COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY,
                false => End::COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY,
            };
            let people = older.iter().map(|message| message.from.as_str());
            sync = self.sync(Inside::ON_DEMAND, people.chain([chat.as_str()]));
            let conversation = self.conversation(&to.number, past, older, end);
            sync.conversations.push(conversation);
        }
        drop(past);
        let frame = Frame {
            kinds: (Outside::ON_DEMAND, Inside::ON_DEMAND),
            sync,
            request: Some(id.to_owned()),
        };
        self.send_frame(to, frame);
    }

    fn chat_asked_for(&self, request: &HistorySyncOnDemandRequest) -> Option<String> {
        let text = request.chat_jid.as_deref()?;
        let jid: Jid = text.parse().ok()?;
        match self.resolve(&jid) {
            Some(addr) => Some(addr.number),
            None => group_id_of(text).map(|_| text.to_owned()),
        }
    }

    /// What a phone shows, chat by chat.
    fn past(&self, number: &str) -> Vec<Past<'_>> {
        let Some(phone) = self.phones.get(number) else {
            return Vec::new();
        };
        let mut chats: BTreeMap<&str, Vec<&ChatMessage>> = BTreeMap::new();
        for message in phone.history.shown().filter(|one| one.is_kept()) {
            let chat = match group_id_of(&message.to) {
                Some(_) => message.to.as_str(),
                None => message.partner(number),
            };
            chats.entry(chat).or_default().push(message);
        }
        let unread = phone.history.unread();
        let mut all = Vec::with_capacity(chats.len());
        for (chat, mut messages) in chats {
            // Of one second the order in which they came counts: what comes in has no more than that.
            messages.sort_by_key(|message| message.timestamp / 1_000);
            messages.reverse();
            all.push(Past {
                chat: chat.to_owned(),
                messages,
                unread: unread.get(chat).copied().unwrap_or_default(),
            });
        }
        all
    }

    fn frames(&self, number: &str, full: bool) -> Vec<Frame> {
        let past = self.past(number);
        if past.is_empty() {
            return Vec::new();
        }
        let phone = self.phones.get(number);
        let chunk = phone.and_then(|phone| phone.history_chunk);
        let chunk = chunk.unwrap_or(CHUNK).max(1);
        let since = (ambient::now_ms() - RECENT_MS) / 1_000;
        let (mut first, mut recent, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        for past in &past {
            let slice = |messages, is_last| Slice {
                past,
                messages,
                is_last,
            };
            let split = past.messages.len().min(FIRST_EACH.max(past.unread));
            let (newest, others) = past.messages.split_at(split);
            let new = others.partition_point(|message| message.timestamp / 1_000 >= since);
            let (new, old) = others.split_at(new);
            first.push(slice(newest, others.is_empty()));
            recent.push(slice(new, old.is_empty()));
            rest.push(slice(old, true));
        }
        let bootstrap = (Outside::INITIAL_BOOTSTRAP, Inside::INITIAL_BOOTSTRAP);
        let mut frames = self.chunks(number, bootstrap, first, chunk);
        frames.push(self.names(&past));
        frames.extend(self.chunks(number, (Outside::RECENT, Inside::RECENT), recent, chunk));
        if full {
            frames.extend(self.chunks(number, (Outside::FULL, Inside::FULL), rest, chunk));
        }
        frames
    }

    /// Chats in frames of so many messages; a long chat goes over several.
    fn chunks(
        &self,
        number: &str,
        kinds: (Outside, Inside),
        chats: Vec<Slice<'_>>,
        chunk: usize,
    ) -> Vec<Frame> {
        let mut frames: Vec<(BTreeSet<&str>, Vec<Conversation>, usize)> = Vec::new();
        for Slice {
            past,
            messages,
            is_last,
        } in chats
        {
            // What comes first of a chat comes in one piece.
            let most = match kinds.1 {
                Inside::INITIAL_BOOTSTRAP => messages.len().max(1),
                _ => chunk,
            };
            let mut parts = messages.chunks(most).peekable();
            while let Some(part) = parts.next() {
                let end = match is_last && parts.peek().is_none() {
                    true => End::COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY,
                    false => End::COMPLETE_BUT_MORE_MESSAGES_REMAIN_ON_PRIMARY,
                };
                let people = part.iter().map(|message| message.from.as_str());
                let people = people.chain([past.chat.as_str()]);
                let conversation = self.conversation(number, past, part, end);
                match frames
                    .last_mut()
                    .filter(|last| last.2 + part.len() <= chunk)
                {
                    Some(last) => {
                        last.0.extend(people);
                        last.1.push(conversation);
                        last.2 += part.len();
                    }
                    None => frames.push((people.collect(), vec![conversation], part.len())),
                }
            }
        }
        let made = frames.into_iter().map(|(people, conversations, _)| {
            let mut sync = self.sync(kinds.1, people);
            sync.conversations = conversations;
            Frame {
                kinds,
                sync,
                request: None,
            }
        });
        made.collect()
    }

    /// A frame with who is who of these numbers.
    fn sync<'a>(&self, kind: Inside, people: impl IntoIterator<Item = &'a str>) -> HistorySync {
        let pairs = people.into_iter().filter_map(|number| {
            let addr = Addr::phone(number);
            Some(PhoneNumberToLIDMapping {
                pn_jid: Some(addr.jid().to_string()),
                lid_jid: Some(self.lid_jid(&addr)?.to_string()),
            })
        });
        HistorySync {
            sync_type: kind,
            phone_number_to_lid_mappings: pairs.collect(),
            ..Default::default()
        }
    }

    /// What people call themselves.
    fn names(&self, past: &[Past<'_>]) -> Frame {
        let chats: Vec<&str> = past.iter().map(|past| past.chat.as_str()).collect();
        let mut sync = self.sync(Inside::PUSH_NAME, chats.iter().copied());
        let people = chats.iter().filter_map(|chat| self.phones.get(*chat));
        sync.pushnames = people
            .map(|phone| Pushname {
                id: Some(Addr::phone(phone.number.as_str()).jid().to_string()),
                pushname: Some(phone.name.clone()),
            })
            .collect();
        Frame {
            kinds: (Outside::PUSH_NAME, Inside::PUSH_NAME),
            sync,
            request: None,
        }
    }

    fn conversation(
        &self,
        number: &str,
        past: &Past<'_>,
        messages: &[&ChatMessage],
        end: End,
    ) -> Conversation {
        let chat = past.chat.as_str();
        let phone = self.phones.get(number);
        let shown = phone.and_then(|phone| phone.app_state.shown.chats.get(chat));
        let shown = shown.cloned().unwrap_or_default();
        let newest = past.messages.first();
        let newest = newest.map(|message| seconds(message.timestamp));
        let group = group_id_of(chat).and_then(|id| self.groups.get(id));
        let lid = self.lid_jid(&Addr::phone(chat));
        let infos = messages.iter().map(|message| HistorySyncMsg {
            message: MessageField::some(self.info(number, chat, message)),
            msg_order_id: None,
        });
        Conversation {
            id: jid_of(chat),
            messages: infos.collect(),
            last_msg_timestamp: newest,
            conversation_timestamp: newest,
            unread_count: u32::try_from(past.unread).ok(),
            end_of_history_transfer: Some(true),
            end_of_history_transfer_type: Some(end),
            name: group.map(|group| group.subject.clone()),
            archived: Some(shown.archived),
            marked_as_unread: Some(shown.marked_unread),
            pinned: Some(u32::from(shown.pinned)),
            mute_end_time: Some(u64::from_ne_bytes(shown.muted_until.to_ne_bytes())),
            lid_jid: lid.map(|lid| lid.to_string()),
            ..Default::default()
        }
    }

    fn info(&self, number: &str, chat: &str, message: &ChatMessage) -> WebMessageInfo {
        let mine = message.from == number;
        let author = (group_id_of(chat).is_some() && !mine)
            .then(|| self.named(&message.from, self.goes_by_lid(chat)));
        let written = message.written();
        let content = self.content_of(number, chat, &written, message.timestamp);
        let writer = self.phones.get(&message.from);
        WebMessageInfo {
            key: MessageField::some(MessageKey {
                remote_jid: Some(jid_of(chat)),
                from_me: Some(mine),
                id: Some(message.id.clone()),
                participant: author.clone(),
            }),
            message: MessageField::some(content),
            message_timestamp: Some(seconds(message.timestamp)),
            status: Some(match message.status.as_str() {
                "read" => Status::READ,
                "sent" => Status::SERVER_ACK,
                _ => Status::DELIVERY_ACK,
            }),
            participant: author,
            push_name: writer.map(|writer| writer.name.clone()).filter(|_| !mine),
            reactions: self.reactions(number, chat, message),
            ..Default::default()
        }
    }

    /// The signs on a message, each under the id of the message that put it there.
    fn reactions(&self, number: &str, chat: &str, on: &ChatMessage) -> Vec<Reaction> {
        let Some(phone) = self.phones.get(number).filter(|_| !on.reactions.is_empty()) else {
            return Vec::new();
        };
        let shown = phone.history.shown();
        let acts: Vec<_> = shown.filter(|act| act.is_of_chat(number, chat)).collect();
        let signs = on.reactions.iter().filter_map(|(who, emoji)| {
            let put = |act: &&&ChatMessage| {
                let sign = act.detail.reaction.as_ref();
                act.from == *who && sign.is_some_and(|sign| sign.message_id == on.id)
            };
            let act = acts.iter().rev().find(put)?;
            let in_group = group_id_of(chat).is_some() && who != number;
            Some(Reaction {
                key: MessageField::some(MessageKey {
                    remote_jid: Some(jid_of(chat)),
                    from_me: Some(who == number),
                    id: Some(act.id.clone()),
                    participant: in_group.then(|| self.named(who, self.goes_by_lid(chat))),
                }),
                text: Some(emoji.clone()),
                sender_timestamp_ms: Some(act.timestamp),
                ..Default::default()
            })
        });
        signs.collect()
    }

    /// Brings a frame to the media host and tells the device where it lies; what goes wrong on purpose goes wrong here.
    fn send_frame(&mut self, to: &Addr, frame: Frame) {
        if let Err(error) = self.try_frame(to, frame) {
            tracing::error!(device = %to, error = format!("{error:#}"), "a frame of history could not be sent");
        }
    }

    fn try_frame(&mut self, to: &Addr, frame: Frame) -> Result<()> {
        let number = to.number.as_str();
        let mut met = |kind| self.troubles.meet(kind, number);
        let mut plain = frame.sync.encode_to_vec();
        if met(Kind::HistoryLies).is_some() {
            plain = lying();
        }
        let mut packed = zlib(&plain)?;
        if met(Kind::HistoryTruncated).is_some() {
            packed.truncate(packed.len() / 2);
        }
        let (lost, late) = (met(Kind::HistoryLost), met(Kind::HistoryLate));
        let times = 1 + usize::from(met(Kind::HistoryTwice).is_some());
        let sealed = encrypt_media(&packed, MediaType::History)?;
        let mut aside = self.shelf.aside()?;
        aside.as_file_mut().write_all(&sealed.data_to_upload)?;
        let path = self
            .shelf
            .keep(aside, &hex::encode(sealed.file_enc_sha256))?;
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        if lost.is_some() {
            self.shelf.forget(&name)?;
        }
        if let Some(trouble) = late {
            let after = Duration::from_millis(trouble.ms.unwrap_or_default());
            self.late.insert(name, Instant::now() + after);
        }
        let told = HistorySyncNotification {
            file_sha256: Some(sealed.file_sha256.to_vec()),
            file_length: Some(packed.len() as u64),
            media_key: Some(sealed.media_key.to_vec()),
            file_enc_sha256: Some(sealed.file_enc_sha256.to_vec()),
            direct_path: Some(path),
            sync_type: Some(frame.kinds.0),
            chunk_order: frame.sync.chunk_order,
            progress: frame.sync.progress,
            peer_data_request_session_id: frame.request,
            ..Default::default()
        };
        for _ in 0..times {
            self.send_peer(to, told.clone());
        }
        Ok(())
    }

    /// From the phone to one of its devices.
    fn send_peer(&mut self, to: &Addr, told: HistorySyncNotification) {
        let content = Message {
            protocol_message: MessageField::some(ProtocolMessage {
                r#type: Some(protocol_message::Type::HISTORY_SYNC_NOTIFICATION),
                history_sync_notification: MessageField::some(told),
                ..Default::default()
            }),
            ..Default::default()
        };
        let id = ambient::message_id();
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

fn seconds(millis: i64) -> u64 {
    u64::try_from(millis / 1_000).unwrap_or_default()
}

fn jid_of(chat: &str) -> String {
    match group_id_of(chat) {
        Some(_) => chat.to_owned(),
        None => Addr::phone(chat).jid().to_string(),
    }
}

/// Counts the frames of each kind from 1, and how far each goes.
fn count(frames: &mut [Frame]) {
    let is_counted = |frame: &Frame| frame.sync.sync_type != Inside::PUSH_NAME;
    let total = frames.iter().filter(|frame| is_counted(frame)).count();
    let mut orders: BTreeMap<i32, u32> = BTreeMap::new();
    let mut done = 0;
    for frame in frames {
        let order = orders.entry(frame.sync.sync_type as i32).or_default();
        *order += 1;
        frame.sync.chunk_order = Some(*order);
        if is_counted(frame) {
            done += 1;
            frame.sync.progress = u32::try_from(done * 100 / total.max(1)).ok();
        }
    }
}

/// Those before the one that a device has, the newest first; and whether there are more.
fn older<'a, 'b>(
    messages: &'b [&'a ChatMessage],
    request: &HistorySyncOnDemandRequest,
) -> (&'b [&'a ChatMessage], bool) {
    let id = request.oldest_msg_id.as_deref().unwrap_or_default();
    let at = request.oldest_msg_timestamp_ms.unwrap_or(i64::MAX);
    let known = messages.iter().position(|message| message.id == id);
    // One that the phone does not know is placed by its time.
    let from = match known {
        Some(at) => at + 1,
        None => messages.partition_point(|message| message.timestamp / 1_000 >= at / 1_000),
    };
    let count = request.on_demand_msg_count.unwrap_or_default();
    let count = usize::try_from(count).unwrap_or_default().min(ASKED_MOST);
    let rest = &messages[from..];
    let some = &rest[..rest.len().min(count)];
    (some, some.len() < rest.len())
}

fn zlib(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    packed.write_all(plain)?;
    packed.finish()
}

/// A chat that says to have a gibibyte, and has a few bytes.
fn lying() -> Vec<u8> {
    let mut bytes = vec![0x12, 0x80, 0x80, 0x80, 0x80, 0x04];
    bytes.extend_from_slice(b"short");
    bytes
}
