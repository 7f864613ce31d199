//! The media host: keeps encrypted blobs and gives them back. It can read none of them.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::network::Network;

/// WhatsApp's own limit for documents is 2 GB; this one keeps a test machine alive.
const LARGEST: usize = 128 * 1024 * 1024;

/// The routes that companions find through `media_conn` and in messages.
pub(crate) fn routes() -> Router<Network> {
    Router::new()
        .route("/mms/{kind}/{token}", post(upload).put(upload))
        .route("/v/{name}", get(download))
        .layer(axum::extract::DefaultBodyLimit::max(LARGEST))
}

#[derive(Deserialize)]
struct UploadQuery {
    resume: Option<String>,
}

async fn upload(
    State(network): State<Network>,
    Path((_kind, _token)): Path<(String, String)>,
    Query(query): Query<UploadQuery>,
    body: Bytes,
) -> Response {
    if query.resume.is_some() {
        // Nothing is ever half there: start from the first byte.
        return Json(json!({ "resume": "0" })).into_response();
    }
    let name = hex::encode(Sha256::digest(&body));
    let (host, folder) = network.collect(|core| {
        if core.media_dir.is_none() {
            core.media.insert(name.clone(), body.clone());
        }
        (core.media_host.clone(), core.media_dir.clone())
    });
    if let Some(folder) = folder {
        let aside = folder.join(format!("{name}.new"));
        let written = match tokio::fs::write(&aside, &body).await {
            Ok(()) => tokio::fs::rename(&aside, folder.join(&name)).await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::error!(%error, "cannot keep a media file");
            return StatusCode::INSUFFICIENT_STORAGE.into_response();
        }
    }
    let path = format!("/v/{name}");
    Json(json!({
        "url": format!("https://{host}{path}"),
        "direct_path": path,
        "handle": name,
    }))
    .into_response()
}

async fn download(State(network): State<Network>, Path(name): Path<String>) -> Response {
    // The name becomes a file name: nothing but the hash that `upload` made may pass.
    if name.len() != 64 || !name.bytes().all(|b| b.is_ascii_hexdigit()) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let (kept, folder) =
        network.collect(|core| (core.media.get(&name).cloned(), core.media_dir.clone()));
    if let Some(body) = kept {
        return body.into_response();
    }
    let Some(folder) = folder else {
        return StatusCode::NOT_FOUND.into_response();
    };
    match tokio::fs::read(folder.join(&name)).await {
        Ok(body) => body.into_response(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            StatusCode::NOT_FOUND.into_response()
        }
        Err(error) => {
            tracing::error!(%error, "cannot read a media file");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
