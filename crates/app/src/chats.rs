//! Chats: listed, read, and what is done to them on all devices of the account.
//!
//! The phone is who keeps chats. What a caller does is told to it and to the other devices, and comes back as their
//! word (`synced`), which is what changes the rows: so there is one order of all that was done, wherever that was.

mod older;
pub(crate) mod synced;
pub(crate) mod view;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use recado_identity::Granted;
use recado_model::{
    Address, ChatId, Direction, Error, ErrorCode, MessageKey, PhoneNumber, Result, Timestamp,
    call::{ChangeChat, MarkRead, SetTimer},
    chat::{ChatAct, MessageRange},
    message::{Party, Timer},
};
use recado_store::{AccountStore, ChatQuery, ChatRow, MessagePlace, MessageRow};

use crate::{App, instances::require_paired, messages::numbers, past::HistoryStanding};

pub use older::AskedHistory;
pub use view::{ChatMessageView, ChatMessages, ChatPage, ChatView, LastView, Person};

pub struct Chats<'a> {
    pub(crate) app: &'a App,
}

/// Which chats a caller wants to see.
#[derive(Clone, Debug, Default)]
pub struct ListChats {
    pub search: Option<String>,
    pub archived: Option<bool>,
    pub unread: Option<bool>,
    pub groups: Option<bool>,
    /// The id of a label that they have.
    pub label: Option<String>,
    /// From 1.
    pub page: u32,
    pub size: u32,
    /// `next` of the page before, in place of a number.
    pub before: Option<String>,
}

/// So many of the newest messages are named when something is done to a chat.
const NAMED: u32 = 10;
/// So many read receipts at most for a chat that is read as a whole.
const READ_MOST: u32 = 1_000;
/// In one read receipt.
const READ_AT_ONCE: usize = 256;
const SEARCH_MOST: usize = 100;

impl Chats<'_> {
    /// A page of chats, the newest first.
    pub async fn list(&self, granted: &Granted, list: &ListChats) -> Result<ChatPage> {
        let after = list.before.as_deref().map(chat_place).transpose()?;
        let query = ChatQuery {
            search: searched(list.search.as_deref())?,
            archived: list.archived,
            unread: list.unread,
            groups: list.groups,
            label: list.label.clone(),
            skip: match after {
                Some(_) => 0,
                None => list.page.saturating_sub(1).saturating_mul(list.size),
            },
            after,
            // One more tells whether there is a next page.
            limit: list.size + 1,
        };
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let mut rows = store.chats(granted.id(), &query).await?;
        let more = rows.len() > list.size as usize;
        rows.truncate(list.size as usize);
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| encoded(&format!("{}.{}", row.last_at.0, row.id)));
        let history = store.history(granted.id()).await?;
        let now = self.app.core.clock.now();
        let ids: Vec<ChatId> = rows.iter().map(|row| row.id.clone()).collect();
        let mut labels = store.labels_of(granted.id(), &ids).await?;
        let shown = rows.into_iter().map(|row| {
            let labels = labels.remove(&row.id).unwrap_or_default();
            view::chat(row, labels, now)
        });
        Ok(ChatPage {
            history: HistoryStanding::of(&history),
            items: shown.collect(),
            next,
        })
    }

    /// One chat.
    ///
    /// # Errors
    /// 404 for one that is not in the list.
    pub async fn get(&self, granted: &Granted, who: &str) -> Result<ChatView> {
        let (chat, row) = self.find(granted, who).await?;
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let ids = std::slice::from_ref(&chat);
        let mut labels = store.labels_of(granted.id(), ids).await?;
        let labels = labels.remove(&chat).unwrap_or_default();
        Ok(view::chat(row, labels, self.app.core.clock.now()))
    }

    /// What a chat shows, the newest first.
    pub async fn messages(
        &self,
        granted: &Granted,
        who: &str,
        limit: u32,
        before: Option<&str>,
    ) -> Result<ChatMessages> {
        let before = before.map(message_place).transpose()?;
        let (chat, _) = self.find(granted, who).await?;
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let mut rows = store
            .messages_of_chat(granted.id(), &chat, before.as_ref(), limit + 1)
            .await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| {
            encoded(&format!(
                "{}.{}.{}",
                row.at.0,
                row.created_at.0,
                row.key.as_str()
            ))
        });
        Ok(ChatMessages {
            items: rows.into_iter().map(view::message).collect(),
            next,
        })
    }

    /// Does something to a chat on all devices of the account.
    ///
    /// # Errors
    /// 404 for one that is not in the list, 409 without a connection.
    pub async fn change(&self, granted: &Granted, who: &str, act: ChatAct) -> Result<()> {
        let address = Address::from_caller(who)?;
        require_paired(granted.instance())?;
        self.app.supervisor.require_here(granted.id()).await?;
        let (chat, row) = self.find_at(granted, address).await?;
        let (account, instance) = (granted.account(), granted.id());
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(account);
        let last = store.last_messages(instance, &chat, NAMED).await?;
        let unread = match act {
            ChatAct::Read(true) => store.unread_messages(instance, &chat, READ_MOST).await?,
            _ => Vec::new(),
        };
        drop(conn);
        for call in receipts(unread) {
            self.app.exchange.ask(account, instance, call).await?;
        }
        let call = ChangeChat {
            chat: row.address.clone(),
            lid: row.lid.clone(),
            act,
            last,
        };
        self.app.exchange.ask(account, instance, call).await?;
        self.see_to_it(granted, &chat, act).await
    }

    /// The device's own word of it may be lost with its connection: then what was asked for counts.
    async fn see_to_it(&self, granted: &Granted, chat: &ChatId, act: ChatAct) -> Result<()> {
        let now = self.app.core.clock.now();
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let row = store.listed_chat(granted.id(), chat).await?;
        if row.is_none_or(|row| is_done(&row, act)) {
            return Ok(());
        }
        drop(conn);
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(granted.account());
        store.lock_instance(granted.id()).await?;
        let range = MessageRange {
            until: now,
            ids: Vec::new(),
        };
        store.apply_to_chat(granted.id(), chat, act, &range).await?;
        conn.commit().await?;
        Ok(())
    }

    /// From now on what is written in a chat disappears after so many seconds; 0: it stays.
    pub async fn set_timer(&self, granted: &Granted, who: &str, seconds: u32) -> Result<()> {
        let mut address = Address::from_caller(who)?;
        require_paired(granted.instance())?;
        self.app.supervisor.require_here(granted.id()).await?;
        if let Some(number) = address.number() {
            let phone = PhoneNumber::parse(number)?;
            address = numbers::address_of(self.app, granted, &phone).await?;
        }
        let call = SetTimer {
            chat: address.clone(),
            seconds,
        };
        let (account, instance) = (granted.account(), granted.id());
        self.app.exchange.ask(account, instance, call).await?;
        let now = self.app.core.clock.now();
        let timer = Timer {
            seconds,
            since: now,
        };
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(account);
        store.lock_instance(instance).await?;
        let chat = store.chat(instance, &Party::only(address), now).await?;
        store.set_chat_timer(&chat, timer, now).await?;
        conn.commit().await?;
        Ok(())
    }

    pub(crate) async fn find(&self, granted: &Granted, who: &str) -> Result<(ChatId, ChatRow)> {
        self.find_at(granted, Address::from_caller(who)?).await
    }

    /// By the address as it was given; a number also in the form that WhatsApp has it in.
    async fn find_at(&self, granted: &Granted, address: Address) -> Result<(ChatId, ChatRow)> {
        if let Some(found) = self.known(granted, &address).await? {
            return Ok(found);
        }
        let number = address.number().map(PhoneNumber::parse).transpose()?;
        if let Some(number) = number
            && let Ok(other) = numbers::address_of(self.app, granted, &number).await
            && other != address
            && let Some(found) = self.known(granted, &other).await?
        {
            return Ok(found);
        }
        Err(no_chat())
    }

    async fn known(
        &self,
        granted: &Granted,
        address: &Address,
    ) -> Result<Option<(ChatId, ChatRow)>> {
        let mut conn = self.app.core.store.read().await?;
        let mut store: AccountStore<'_> = conn.account(granted.account());
        let Some(chat) = store.known_chat(granted.id(), address).await? else {
            return Ok(None);
        };
        let row = store.listed_chat(granted.id(), &chat).await?;
        Ok(row.map(|row| (chat, row)))
    }
}

fn no_chat() -> Error {
    let text = "phone: this instance has no chat with it. GET /instances/{id}/chats lists those that it has.";
    Error::new(ErrorCode::NotFound, text).with_field("phone")
}

/// Whether a chat is as it was wanted.
fn is_done(row: &ChatRow, act: ChatAct) -> bool {
    match act {
        ChatAct::Archive(on) => row.archived == on,
        ChatAct::Pin(on) => row.pinned == on,
        ChatAct::Mute(mute) => row.mute == mute,
        ChatAct::Read(false) => row.marked_unread,
        // Something may have come since: what it is about is in the device's own word alone.
        ChatAct::Read(true) | ChatAct::Clear { .. } | ChatAct::Delete { .. } => true,
    }
}

/// To each sender, with chat and sender as the messages named them.
fn receipts(unread: Vec<MessageRow>) -> Vec<MarkRead> {
    let mut calls: Vec<MarkRead> = Vec::new();
    for row in unread {
        if row.direction != Direction::In {
            continue;
        }
        let sender = row.wire_chat.is_group().then_some(row.wire_sender);
        let fits = |call: &&mut MarkRead| {
            call.chat == row.wire_chat && call.sender == sender && call.ids.len() < READ_AT_ONCE
        };
        match calls.iter_mut().find(fits) {
            Some(call) => call.ids.push(row.id),
            None => calls.push(MarkRead {
                chat: row.wire_chat,
                sender,
                ids: vec![row.id],
            }),
        }
    }
    calls
}

/// What is looked for; `None` of nothing.
pub(crate) fn searched(text: Option<&str>) -> Result<Option<String>> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    match text {
        Some(text) if text.chars().count() > SEARCH_MOST => {
            Err(Error::field("search", "search has at most 100 characters"))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

pub(crate) fn encoded(place: &str) -> String {
    URL_SAFE_NO_PAD.encode(place)
}

pub(crate) fn decoded(text: &str) -> Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let place = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    place.ok_or_else(no_place)
}

pub(crate) fn no_place() -> Error {
    Error::field("before", "before is the next of the page before this one")
}

fn chat_place(text: &str) -> Result<(Timestamp, ChatId)> {
    let place = decoded(text)?;
    let (at, id) = place.split_once('.').ok_or_else(no_place)?;
    let at = at.parse().map_err(|_| no_place())?;
    Ok((Timestamp(at), ChatId::from_text(id)))
}

fn message_place(text: &str) -> Result<MessagePlace> {
    let place = decoded(text)?;
    let mut parts = place.splitn(3, '.');
    let mut time = || {
        let part = parts.next().and_then(|part| part.parse().ok());
        part.map(Timestamp).ok_or_else(no_place)
    };
    let (at, created_at) = (time()?, time()?);
    let key = parts.next().ok_or_else(no_place)?;
    Ok(MessagePlace {
        at,
        created_at,
        key: MessageKey::from_text(key),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_way() {
        let place = message_place(&encoded("17.-4.MKABC")).expect("a place");
        assert_eq!((place.at, place.created_at), (Timestamp(17), Timestamp(-4)));
        assert_eq!(place.key.as_str(), "MKABC");
        let (at, id) = chat_place(&encoded("5.CHX")).expect("a place");
        assert_eq!((at, id.as_str()), (Timestamp(5), "CHX"));
        for bad in ["", "?", "AAAA", &encoded("x.y"), &encoded("1.2")] {
            assert!(message_place(bad).is_err(), "{bad}");
        }
    }
}
