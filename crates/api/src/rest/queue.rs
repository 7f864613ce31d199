//! The queue of an instance: what WhatsApp does not have yet, and taking it back.
//!
//! Messages are what a chat shows by itself; operations are what is done to messages: reactions, edits and
//! deletions.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, QueuedView};
use recado_model::{Lane, MessageId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Envelope, enveloped};
use crate::{
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::{Answer, Rfc3339},
    error::Fail,
    extract::{Loose, Params, Segment, some_whole},
    shapes::message::{kinds, statuses},
};

const DEFAULT_SIZE: i64 = 50;
const MOST: i64 = 200;

/// Clients that set nothing send 0.
#[derive(Deserialize, JsonSchema)]
pub struct PageQuery {
    /// From 1.
    #[serde(default)]
    page: Option<i64>,
    /// 1 to 200, else 50.
    #[serde(default, alias = "size")]
    page_size: Option<i64>,
}

/// The same in the body: clients put there what a list is asked with.
#[derive(Deserialize, JsonSchema)]
pub struct PageBody {
    #[serde(default, deserialize_with = "some_whole")]
    page: Option<i64>,
    #[serde(
        default,
        alias = "size",
        alias = "pageSize",
        deserialize_with = "some_whole"
    )]
    page_size: Option<i64>,
}

impl PageQuery {
    fn or(self, body: PageBody) -> Self {
        Self {
            page: self.page.or(body.page),
            page_size: self.page_size.or(body.page_size),
        }
    }

    fn page(&self) -> u32 {
        self.page.unwrap_or(1).clamp(1, i64::from(u32::MAX)) as u32
    }

    fn size(&self) -> u32 {
        let given = self.page_size.filter(|size| *size > 0);
        given.unwrap_or(DEFAULT_SIZE).min(MOST) as u32
    }
}

/// A page of the queue, in the order in which it goes out.
#[derive(Serialize, JsonSchema)]
pub struct QueueBody {
    page: u32,
    page_size: u32,
    total: u64,
    content: Vec<QueuedBody>,
}

#[derive(Serialize, JsonSchema)]
pub struct QueuedBody {
    message_id: String,
    /// Where it goes: a person's or group's WhatsApp address.
    chat: String,
    #[schemars(schema_with = "kinds")]
    kind: &'static str,
    /// `queued`, or `sending` once it may be on the wire.
    #[schemars(schema_with = "statuses")]
    status: &'static str,
    /// Unique in the account.
    queue_id: Option<i64>,
    created_at: Rfc3339,
    /// While it waits for its time (`delay`).
    not_before: Option<Rfc3339>,
    valid_until: Option<Rfc3339>,
    /// Tries that ended without WhatsApp taking it.
    attempts: u32,
}

impl From<QueuedView> for QueuedBody {
    fn from(view: QueuedView) -> Self {
        Self {
            message_id: view.id.as_str().to_owned(),
            chat: view.chat.to_string(),
            kind: view.kind.as_str(),
            status: view.status.as_str(),
            queue_id: view.queue_id,
            created_at: Rfc3339(view.created_at),
            not_before: view.not_before.map(Rfc3339),
            valid_until: view.valid_until.map(Rfc3339),
            attempts: view.attempts,
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub struct PurgedBody {
    details: &'static str,
    /// Taken out of the queue.
    cancelled: u64,
    /// Those that may be on the wire already stay.
    kept: u64,
}

#[derive(Serialize, JsonSchema)]
pub struct CancelledBody {
    details: &'static str,
    message_id: String,
    #[schemars(extend("const" = "cancelled"))]
    status: &'static str,
}

async fn list(
    (access, app): (&InstanceAccess<Viewer>, &App),
    lane: Lane,
    query: &PageQuery,
) -> Result<Answer<Envelope<QueueBody>>, Fail> {
    let (page, size) = (query.page(), query.size());
    let messages = app.messages();
    let found = messages.queue(&access.granted, lane, page, size).await?;
    Ok(enveloped(QueueBody {
        page,
        page_size: size,
        total: found.total,
        content: found.items.into_iter().map(Into::into).collect(),
    }))
}

async fn purge(
    (access, app): (&InstanceAccess<Developer>, &App),
    lane: Lane,
) -> Result<Answer<Envelope<PurgedBody>>, Fail> {
    let purged = app.messages().purge(&access.granted, lane).await?;
    Ok(enveloped(PurgedBody {
        details: "The queue is purged.",
        cancelled: purged.cancelled,
        kept: purged.kept,
    }))
}

async fn remove(
    (access, app): (&InstanceAccess<Developer>, &App),
    lane: Lane,
    id: String,
) -> Result<Answer<Envelope<CancelledBody>>, Fail> {
    let message = MessageId::from_wire(id.clone());
    let messages = app.messages();
    messages.cancel(&access.granted, lane, &message).await?;
    Ok(enveloped(CancelledBody {
        details: "It is taken out of the queue.",
        message_id: id,
        status: "cancelled",
    }))
}

/// Lists the messages that WhatsApp does not have yet.
///
/// In the order in which they go out; those with a `delay` at the end.
#[operation]
pub async fn list_messages(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
    Params(query): Params<PageQuery>,
    Loose(body): Loose<PageBody>,
) -> Result<Answer<Envelope<QueueBody>>, Fail> {
    list((&access, &app), Lane::Messages, &query.or(body)).await
}

/// Takes all messages out of the queue that were not tried yet.
///
/// They read `cancelled` from then on. Those that may be on the wire already stay.
#[operation]
pub async fn purge_messages(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
) -> Result<Answer<Envelope<PurgedBody>>, Fail> {
    purge((&access, &app), Lane::Messages).await
}

/// Takes one message out of the queue.
///
/// It reads `cancelled` from then on. One that may be on the wire already is a 409.
#[operation]
pub async fn remove_message(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, id)): Segment<(String, String)>,
) -> Result<Answer<Envelope<CancelledBody>>, Fail> {
    remove((&access, &app), Lane::Messages, id).await
}

/// Lists the reactions, edits and deletions that WhatsApp does not have yet.
///
/// In the order in which they go out.
#[operation]
pub async fn list_operations(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
    Params(query): Params<PageQuery>,
    Loose(body): Loose<PageBody>,
) -> Result<Answer<Envelope<QueueBody>>, Fail> {
    list((&access, &app), Lane::Operations, &query.or(body)).await
}

/// Takes all operations out of the queue that were not tried yet.
///
/// They read `cancelled` from then on. Those that may be on the wire already stay.
#[operation]
pub async fn purge_operations(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
) -> Result<Answer<Envelope<PurgedBody>>, Fail> {
    purge((&access, &app), Lane::Operations).await
}

/// Takes one operation out of the queue.
///
/// It reads `cancelled` from then on. One that may be on the wire already is a 409.
#[operation]
pub async fn remove_operation(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, id)): Segment<(String, String)>,
) -> Result<Answer<Envelope<CancelledBody>>, Fail> {
    remove((&access, &app), Lane::Operations, id).await
}
