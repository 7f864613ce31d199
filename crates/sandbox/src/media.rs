//! The media host: keeps encrypted blobs and gives them back. It can read none of them.

use std::io;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header::CONTENT_LENGTH};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tokio_util::io::ReaderStream;

use crate::network::Network;
use crate::shelf::Found;

/// WhatsApp's own limit for documents.
const LARGEST: usize = 2 * 1024 * 1024 * 1024;

/// The routes that companions find through `media_conn` and in messages, and those that make it forget.
pub(crate) fn routes() -> Router<Network> {
    Router::new()
        .route("/mms/{kind}/{token}", post(upload).put(upload))
        .route("/v/{name}", get(download))
        .route("/media", delete(forget_all))
        .route("/media/{name}", delete(forget))
        .layer(axum::extract::DefaultBodyLimit::disable())
}

#[derive(Deserialize)]
struct UploadQuery {
    resume: Option<String>,
}

async fn upload(
    State(network): State<Network>,
    Path((_kind, token)): Path<(String, String)>,
    Query(query): Query<UploadQuery>,
    body: Body,
) -> Response {
    // The token of an upload is the hash of its bytes.
    let token = BASE64_URL_SAFE_NO_PAD.decode(token).map(hex::encode);
    let Ok(token) = token else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if query.resume.is_some() {
        return match network.shelf().has(&token) {
            Some(path) => complete(&network, &path, &token),
            // Nothing is ever half there: start from the first byte.
            None => Json(json!({ "resume": "0" })).into_response(),
        };
    }
    match take(&network, body, &token).await {
        Ok(path) => complete(&network, &path, &token),
        Err(Fault::Broken) => StatusCode::BAD_REQUEST.into_response(),
        Err(Fault::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(Fault::Disk(error)) => {
            tracing::error!(%error, "cannot keep a media file");
            StatusCode::INSUFFICIENT_STORAGE.into_response()
        }
    }
}

fn complete(network: &Network, path: &str, name: &str) -> Response {
    let host = network.peek(|core| core.media_host.clone());
    Json(json!({
        "url": format!("https://{host}{path}"),
        "direct_path": path,
        "handle": name,
        "resume": "complete",
    }))
    .into_response()
}

enum Fault {
    /// It ended early, or its bytes are others than the token says.
    Broken,
    TooLarge,
    Disk(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// Part by part to the disk.
async fn take(network: &Network, body: Body, token: &str) -> Result<String, Fault> {
    let shelf = network.shelf();
    let aside = shelf.aside()?;
    let mut file = tokio::fs::File::from_std(aside.reopen()?);
    let (mut hash, mut length) = (Sha256::new(), 0);
    let mut parts = body.into_data_stream();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| Fault::Broken)?;
        length += part.len();
        if length > LARGEST {
            return Err(Fault::TooLarge);
        }
        hash.update(&part);
        file.write_all(&part).await?;
    }
    file.flush().await?;
    let name = hex::encode(hash.finalize());
    if name != token {
        return Err(Fault::Broken);
    }
    Ok(shelf.keep(aside, &name)?)
}

async fn download(State(network): State<Network>, Path(name): Path<String>) -> Response {
    let late = network.peek(|core| core.late.get(&name).copied());
    if late.is_some_and(|late| late > tokio::time::Instant::now()) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let file = match network.shelf().find(&name) {
        Found::Here(file) => file,
        Found::Gone => return StatusCode::GONE.into_response(),
        Found::Nothing => return StatusCode::NOT_FOUND.into_response(),
    };
    let opened = async {
        let file = tokio::fs::File::open(file).await?;
        let length = file.metadata().await?.len();
        io::Result::Ok((file, length))
    };
    match opened.await {
        Ok((file, length)) => (
            [(CONTENT_LENGTH, length)],
            Body::from_stream(ReaderStream::with_capacity(file, 64 * 1024)),
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot read a media file");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn forgotten(count: io::Result<usize>) -> Response {
    match count {
        Ok(count) => Json(json!({ "forgotten": count })).into_response(),
        Err(error) => {
            let error = json!({ "error": error.to_string() });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(error)).into_response()
        }
    }
}

async fn forget_all(State(network): State<Network>) -> Response {
    forgotten(network.forget_media())
}

async fn forget(State(network): State<Network>, Path(name): Path<String>) -> Response {
    match network.shelf().forget(&name) {
        Ok(false) => {
            let error =
                json!({ "error": "nothing lies under this name, the last part of a direct path" });
            (StatusCode::NOT_FOUND, Json(error)).into_response()
        }
        found => forgotten(found.map(usize::from)),
    }
}
