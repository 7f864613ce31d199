//! Chats: listed and read, and what is done to them on all devices of the number.

mod acts;
mod history;
mod views;

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, ListChats};
use schemars::JsonSchema;
use serde::Deserialize;

pub use acts::StatusOk;
pub(super) use acts::done;
pub use acts::{
    archive, clear, delete, mark_read, mark_unread, mute, pin, set_expiration, unarchive, unmute,
    unpin,
};
pub use history::ask_for_older;
pub use views::{LabelBody, PersonBody};

use views::{ChatBody, ChatList, MessageList};

use crate::{
    auth::{InstanceAccess, least::Viewer},
    describe::Answer,
    error::Fail,
    extract::{Params, Segment, flag},
};

const DEFAULT_SIZE: i64 = 50;
const MOST: i64 = 200;

/// Clients that set nothing send 0.
#[derive(Deserialize, JsonSchema)]
pub struct ListQuery {
    /// From 1.
    #[serde(default)]
    page: Option<i64>,
    /// 1 to 200, else 50.
    #[serde(default, alias = "size")]
    page_size: Option<i64>,
    /// `next` of the page before, in place of `page`: it skips no chat, whatever comes in meanwhile.
    #[serde(default)]
    before: Option<String>,
    /// Part of a name or number.
    #[serde(default)]
    #[schemars(length(max = 100))]
    search: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    archived: Option<bool>,
    /// Those with something that nobody has read, or marked as unread.
    #[serde(default, deserialize_with = "flag")]
    unread: Option<bool>,
    /// The id of a label: those that have it.
    #[serde(default)]
    label: Option<String>,
    /// Groups alone, or people alone.
    #[serde(default, deserialize_with = "flag")]
    groups: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
pub struct MessagesQuery {
    /// 1 to 200, else 50.
    #[serde(default, alias = "page_size")]
    limit: Option<i64>,
    /// `next` of the page before.
    #[serde(default)]
    before: Option<String>,
}

/// Of what is 0 or not given the usual size.
pub(super) fn size(given: Option<i64>) -> u32 {
    let given = given.filter(|size| *size > 0);
    given.unwrap_or(DEFAULT_SIZE).min(MOST) as u32
}

/// `""` is nothing.
pub(super) fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

/// Lists chats, the one with the newest message first.
///
/// `next` of a page is what to pass as `before` for the one after it.
#[operation]
pub async fn list(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
    Params(query): Params<ListQuery>,
) -> Result<Answer<ChatList>, Fail> {
    let list = ListChats {
        search: query.search,
        archived: query.archived,
        unread: query.unread,
        groups: query.groups,
        label: given(query.label),
        page: query.page.unwrap_or(1).clamp(1, i64::from(u32::MAX)) as u32,
        size: size(query.page_size),
        before: given(query.before),
    };
    let page = app.chats().list(&access.granted, &list).await?;
    Ok(Answer(ChatList::of(page, &list)))
}

/// Tells how a chat stands.
///
/// `phone` is a number, or the address of a person or group.
#[operation]
pub async fn get(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
    Segment((_, phone)): Segment<(String, String)>,
) -> Result<Answer<ChatBody>, Fail> {
    let chat = app.chats().get(&access.granted, &phone).await?;
    Ok(Answer(chat.into()))
}

/// Lists what a chat shows, newest first.
///
/// `next` of a page is what to pass as `before` for the one after it. Reactions, edits, deletions and votes are
/// read with the message that they are about.
#[operation]
pub async fn messages(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
    Segment((_, phone)): Segment<(String, String)>,
    Params(query): Params<MessagesQuery>,
) -> Result<Answer<MessageList>, Fail> {
    let (limit, before) = (size(query.limit), given(query.before));
    let chats = app.chats();
    let page = chats
        .messages(&access.granted, &phone, limit, before.as_deref())
        .await?;
    Ok(Answer(page.into()))
}
