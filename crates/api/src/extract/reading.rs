//! The bytes of a body: all of them or 413, and what they say they are.

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use http_body_util::LengthLimitError;
use recado_model::{Error, ErrorCode};

use crate::error::Fail;

/// The whole body, or 413: by `Content-Length` before a byte is read, else as soon as it grows over
/// `limit`.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Fail> {
    within(headers, limit as u64)?;
    to_bytes(body, limit).await.map_err(|error| {
        let cause = std::error::Error::source(&error);
        if cause.is_some_and(|cause| cause.is::<LengthLimitError>()) {
            return too_large(limit as u64).into();
        }
        let text = "The body broke off before its end.";
        Error::new(ErrorCode::InvalidRequest, text)
            .with_source(error)
            .into()
    })
}

/// Refuses a body that says itself that it is larger than `limit`, before anything of it is read.
pub fn within(headers: &HeaderMap, limit: u64) -> Result<(), Error> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match announced.is_some_and(|length| length > limit) {
        true => Err(too_large(limit)),
        false => Ok(()),
    }
}

fn too_large(limit: u64) -> Error {
    let text = format!("The body is larger than the {limit} bytes that are accepted here.");
    Error::new(ErrorCode::PayloadTooLarge, text)
}

/// Only what says to be JSON.
pub fn require_said_json(headers: &HeaderMap) -> Result<(), Fail> {
    let says = |value: &HeaderValue| !matches!(value.as_bytes().trim_ascii(), [] | [b';', ..]);
    if !headers.get(header::CONTENT_TYPE).is_some_and(says) {
        let text = "Send the body as JSON, with Content-Type: application/json.";
        return Err(Error::new(ErrorCode::UnsupportedMediaType, text).into());
    }
    require_json(headers)
}

/// Only JSON; a missing content type is taken for it.
pub fn require_json(headers: &HeaderMap) -> Result<(), Fail> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Ok(());
    };
    let essence = value
        .to_str()
        .unwrap_or("")
        .split(';')
        .next()
        .unwrap_or("")
        .trim();
    let essence = essence.to_ascii_lowercase();
    if essence.is_empty() || essence == "application/json" || essence.ends_with("+json") {
        return Ok(());
    }
    let text = "Send the body as JSON, with Content-Type: application/json.";
    Err(Error::new(ErrorCode::UnsupportedMediaType, text).into())
}

/// The same, of a body that holds something: what is nothing is of no kind (`curl -d ''`).
pub fn require_json_of(headers: &HeaderMap, bytes: &[u8]) -> Result<(), Fail> {
    match bytes.is_empty() {
        true => Ok(()),
        false => require_json(headers),
    }
}
