//! The receiver: a customer's webhook endpoint that keeps what it is sent, and can misbehave.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, OriginalUri, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::ambient;

/// Older deliveries make room.
const KEPT: usize = 10_000;
const LARGEST: usize = 32 * 1024 * 1024;

/// One request, as it came in.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// Counts from 1.
    pub id: u64,
    /// Unix time in milliseconds.
    pub received_at: i64,
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Names in lower case; several values of one name are joined with `, `.
    pub headers: BTreeMap<String, String>,
    /// The body as JSON, or as a string when it is none.
    pub body: Value,
    /// The body's text exactly as received, for checking signatures.
    pub raw: String,
    /// The status that it was answered with.
    pub status: u16,
}

/// How the receiver answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mode {
    /// The HTTP status of every answer, 100 to 999.
    #[serde(default = "ok")]
    pub status: u16,
    /// How long an answer takes.
    #[serde(default)]
    pub delay_ms: u64,
}

fn ok() -> u16 {
    200
}

impl Default for Mode {
    fn default() -> Self {
        Self {
            status: ok(),
            delay_ms: 0,
        }
    }
}

#[derive(Default)]
struct Inbox {
    mode: Mode,
    last: u64,
    deliveries: VecDeque<Delivery>,
}

/// The handle to the receiver. Cheap to clone.
#[derive(Clone, Default)]
pub struct Receiver {
    inbox: Arc<Mutex<Inbox>>,
    arrived: Arc<watch::Sender<u64>>,
}

impl Receiver {
    fn lock(&self) -> MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that is kept, oldest first.
    pub fn deliveries(&self) -> Vec<Delivery> {
        self.lock().deliveries.iter().cloned().collect()
    }

    /// Forgets all deliveries. Their ids are not used again.
    pub fn clear(&self) {
        self.lock().deliveries.clear();
    }

    /// Sets status and delay of all further answers.
    pub fn set_mode(&self, mode: Mode) {
        self.lock().mode = mode;
    }

    /// Waits until `check` finds what it looks for among the deliveries.
    ///
    /// # Errors
    /// When that takes longer than `limit`.
    pub async fn wait_for<T>(
        &self,
        limit: Duration,
        mut check: impl FnMut(&[Delivery]) -> Option<T>,
    ) -> Result<T> {
        let mut changes = self.arrived.subscribe();
        let wait = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = check(&self.deliveries()) {
                    return Ok(found);
                }
                changes.changed().await?;
            }
        };
        tokio::time::timeout(limit, wait)
            .await
            .map_err(|_| anyhow!("nothing of the kind was delivered within {limit:?}"))?
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/deliveries", get(list).delete(clear))
            .route("/mode", get(show_mode).post(set_mode))
            .route("/", post(take))
            .fallback(post(take))
            .layer(DefaultBodyLimit::max(LARGEST))
            .with_state(self)
    }
}

#[derive(Deserialize)]
struct Since {
    #[serde(default)]
    after: u64,
}

async fn list(State(receiver): State<Receiver>, Query(since): Query<Since>) -> Json<Vec<Delivery>> {
    let found = receiver
        .lock()
        .deliveries
        .iter()
        .filter(|delivery| delivery.id > since.after)
        .cloned()
        .collect();
    Json(found)
}

async fn clear(State(receiver): State<Receiver>) -> StatusCode {
    receiver.clear();
    StatusCode::NO_CONTENT
}

async fn show_mode(State(receiver): State<Receiver>) -> Json<Mode> {
    Json(receiver.lock().mode)
}

async fn set_mode(State(receiver): State<Receiver>, body: Bytes) -> Response {
    let refuse =
        |error: String| (StatusCode::BAD_REQUEST, Json(json!({ "error": error }))).into_response();
    let mode: Mode = match serde_json::from_slice(&body) {
        Ok(mode) => mode,
        Err(error) => return refuse(format!("expected {{status, delay_ms}}: {error}")),
    };
    if StatusCode::from_u16(mode.status).is_err() || mode.status < 200 {
        return refuse(format!("{} is not a final HTTP status", mode.status));
    }
    receiver.set_mode(mode);
    Json(mode).into_response()
}

async fn take(
    State(receiver): State<Receiver>,
    method: Method,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut kept: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        kept.entry(name.as_str().to_owned())
            .and_modify(|known| {
                known.push_str(", ");
                known.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    let raw = String::from_utf8_lossy(&body).into_owned();
    let parsed = serde_json::from_slice(&body).unwrap_or_else(|_| Value::String(raw.clone()));
    let mode = {
        let mut inbox = receiver.lock();
        let mode = inbox.mode;
        inbox.last += 1;
        let delivery = Delivery {
            id: inbox.last,
            received_at: ambient::now_ms(),
            method: method.to_string(),
            path: uri
                .path_and_query()
                .map_or_else(|| uri.path().to_owned(), ToString::to_string),
            headers: kept,
            body: parsed,
            raw,
            status: mode.status,
        };
        if inbox.deliveries.len() == KEPT {
            inbox.deliveries.pop_front();
        }
        inbox.deliveries.push_back(delivery);
        mode
    };
    receiver.arrived.send_modify(|count| *count += 1);
    if mode.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(mode.delay_ms)).await;
    }
    let status = StatusCode::from_u16(mode.status).unwrap_or(StatusCode::OK);
    (status, "").into_response()
}
