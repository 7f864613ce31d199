//! The control API: people's thumbs, over HTTP on loopback.

mod chats;
mod groups;
mod past;
mod people;

use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::content::{Beside, Written};
use crate::network::Network;
use crate::refusal::Refusal;
use crate::trouble::Kind;

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match self {
            Self::UnknownPhone(_) | Self::Missing(_) => StatusCode::NOT_FOUND,
            Self::Bad(_) => StatusCode::BAD_REQUEST,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::Timeout(_) => StatusCode::GATEWAY_TIMEOUT,
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}

/// A JSON body whose defects are answered in this API's own shape.
struct Body<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let bytes = axum::body::Bytes::from_request(request, state)
            .await
            .map_err(|error| Refusal::Bad(error.to_string()))?;
        // Parsed whatever the content type says: curl's default is a form.
        Json::<T>::from_bytes(&bytes)
            .map(|Json(body)| Self(body))
            .map_err(|rejection: JsonRejection| Refusal::Bad(rejection.body_text()))
    }
}

/// Of a message with a medium in base64.
const MEDIUM: usize = 128 * 1024 * 1024;

type Told = Result<Json<Value>, Refusal>;

fn answer(value: impl serde::Serialize) -> Told {
    serde_json::to_value(value)
        .map(Json)
        .map_err(|error| Refusal::Conflict(error.to_string()))
}

/// The routes of the control API. An answer is sent once everything that it tells is on disk.
pub(crate) fn routes(network: Network) -> Router<Network> {
    let phones = Router::new()
        .route("/phones", get(list).post(create))
        .route("/phones/{number}", get(show))
        .route("/phones/{number}/scan", post(scan))
        .route("/phones/{number}/pair", post(pair))
        .route(
            "/phones/{number}/messages",
            get(messages)
                .post(send)
                .layer(DefaultBodyLimit::max(MEDIUM)),
        )
        .route("/phones/{number}/media", delete(delete_media))
        .route("/phones/{number}/read", post(read))
        .route("/phones/{number}/typing", post(typing))
        .route("/phones/{number}/offline", post(offline))
        .route("/phones/{number}/online", post(online))
        .route("/phones/{number}/logout", post(logout))
        .route("/phones/{number}/retry", post(retry))
        .merge(people::routes())
        .merge(groups::routes())
        .merge(chats::routes())
        .merge(past::routes())
        .route_layer(from_fn_with_state(network, after_saving));
    Router::new()
        .route("/health", get(health))
        .route("/trouble", get(troubles).post(trouble).delete(calm))
        .merge(phones)
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
}

async fn after_saving(State(network): State<Network>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    network.kept().await;
    response
}

async fn unknown() -> Response {
    let error = "no such route: see GET /health, /phones, /trouble and below";
    (StatusCode::NOT_FOUND, Json(json!({ "error": error }))).into_response()
}

async fn wrong_method() -> Response {
    let error = "this route does not take that method";
    (
        StatusCode::METHOD_NOT_ALLOWED,
        Json(json!({ "error": error })),
    )
        .into_response()
}

async fn health(State(network): State<Network>) -> Told {
    let phones = network.phones();
    let companions = phones.iter().flat_map(|phone| &phone.companions);
    let (linked, connected) = companions.fold((0, 0), |(linked, connected), companion| {
        (linked + 1, connected + usize::from(companion.connected))
    });
    answer(json!({
        "status": "ok",
        "network": "sandbox",
        "version": env!("CARGO_PKG_VERSION"),
        "phones": phones.len(),
        "companions": linked,
        "connected": connected,
    }))
}

#[derive(Deserialize)]
struct NewPhone {
    number: String,
    #[serde(default)]
    name: String,
}

async fn create(State(network): State<Network>, Body(body): Body<NewPhone>) -> Told {
    answer(network.add_phone(&body.number, &body.name)?)
}

async fn list(State(network): State<Network>) -> Told {
    answer(network.phones())
}

async fn show(State(network): State<Network>, Path(number): Path<String>) -> Told {
    answer(network.phone(&number)?)
}

#[derive(Deserialize)]
struct Scan {
    qr: String,
}

async fn scan(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Scan>,
) -> Told {
    answer(network.scan(&number, &body.qr).await?)
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

async fn pair(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Code>,
) -> Told {
    answer(network.pair(&number, &body.code).await?)
}

#[derive(Deserialize)]
struct NewMessage {
    to: String,
    #[serde(flatten)]
    beside: Beside,
    #[serde(flatten)]
    written: Written,
}

async fn send(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<NewMessage>,
) -> Told {
    // Sealing a medium takes its time.
    let sent = tokio::task::spawn_blocking(move || {
        network.send_beside(&number, &body.to, &body.written, &body.beside)
    });
    answer(
        sent.await
            .map_err(|error| Refusal::Conflict(error.to_string()))??,
    )
}

#[derive(Deserialize)]
struct Wanted {
    /// 1: with the bytes of media.
    #[serde(default)]
    media: u8,
}

async fn messages(
    State(network): State<Network>,
    Path(number): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Told {
    answer(network.looked(&number, wanted.media != 0).await?)
}

async fn delete_media(State(network): State<Network>, Path(number): Path<String>) -> Told {
    answer(json!({ "deleted": network.delete_media(&number)? }))
}

#[derive(Deserialize)]
struct Read {
    from: String,
    /// Says it of these, whether they were ever written or not.
    ids: Option<Vec<String>>,
    /// Says that these were played.
    #[serde(default)]
    played: bool,
}

async fn read(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Read>,
) -> Told {
    let count = match body.ids {
        Some(ids) => {
            match body.played {
                true => network.claim_played(&number, &body.from, &ids)?,
                false => network.claim_read(&number, &body.from, &ids)?,
            }
            ids.len()
        }
        None if body.played => {
            let text = "`played` says it of `ids`";
            return Err(Refusal::Bad(text.to_owned()));
        }
        None => network.read(&number, &body.from)?,
    };
    answer(json!({ "read": count }))
}

#[derive(Deserialize)]
struct Typing {
    to: String,
    #[serde(default = "composing")]
    state: String,
}

fn composing() -> String {
    "composing".to_owned()
}

async fn typing(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Typing>,
) -> Told {
    network.typing(&number, &body.to, &body.state)?;
    answer(json!({ "to": body.to, "state": body.state }))
}

async fn offline(State(network): State<Network>, Path(number): Path<String>) -> Told {
    network.set_online(&number, false)?;
    answer(network.phone(&number)?)
}

async fn online(State(network): State<Network>, Path(number): Path<String>) -> Told {
    network.set_online(&number, true)?;
    answer(network.phone(&number)?)
}

async fn logout(State(network): State<Network>, Path(number): Path<String>) -> Told {
    let count = network.logout(&number)?;
    answer(json!({ "unlinked": count }))
}

#[derive(Deserialize)]
struct Retry {
    id: String,
    #[serde(default = "first")]
    count: u64,
}

fn first() -> u64 {
    1
}

async fn retry(
    State(network): State<Network>,
    Path(number): Path<String>,
    Body(body): Body<Retry>,
) -> Told {
    network.ask_again(&number, &body.id, body.count)?;
    answer(json!({ "id": body.id, "count": body.count }))
}

async fn troubles(State(network): State<Network>) -> Told {
    answer(json!({ "troubles": network.troubles() }))
}

async fn trouble(State(network): State<Network>, Body(body): Body<Value>) -> Told {
    let (trouble, hit) = network.trouble(&body)?;
    let mut shown = serde_json::to_value(&trouble).unwrap_or_default();
    if trouble.kind == Kind::StreamError {
        shown["hit"] = json!(hit);
    }
    answer(shown)
}

async fn calm(State(network): State<Network>) -> Told {
    network.clear_troubles();
    troubles(State(network)).await
}
