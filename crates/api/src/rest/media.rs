//! Media by themselves: taken once for many messages, and given out.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use recado_api_macros::operation;
use recado_app::{App, Opened, Span};
use recado_identity::Granted;
use recado_model::{Caller, Error, MediaClass, MessageId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Envelope, enveloped};
use crate::{
    auth::{
        InstanceAccess, Public,
        least::{Developer, Viewer},
    },
    describe::Answer,
    error::Fail,
    extract::{Bytewise, Incoming, Params, Ranged, Segment},
};

#[derive(Deserialize, JsonSchema)]
pub struct UploadQuery {
    /// What it is to be sent as: image, video, audio, document or sticker. Without it the bytes decide.
    #[serde(default, rename = "type")]
    #[schemars(extend("enum" = ["image", "video", "audio", "document", "sticker"]))]
    class: Option<String>,
    /// Of a body that is no form.
    #[serde(default)]
    file_name: Option<String>,
}

/// A medium that was taken.
#[derive(Serialize, JsonSchema)]
pub struct Uploaded {
    /// For `media_id` of sends.
    media_id: String,
    /// image, video, audio, document or sticker.
    #[serde(rename = "type")]
    class: &'static str,
    /// As its bytes say.
    mimetype: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_name: Option<String>,
    /// Bytes.
    size: u64,
    /// Of the bytes, in hexadecimal.
    sha256: String,
}

/// Takes a medium once, for many messages to name.
///
/// As the file of a form (multipart/form-data, part `file`), or as the whole body. It is kept for as long as
/// messages use it, and some weeks longer.
#[operation]
pub async fn upload(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Params(query): Params<UploadQuery>,
    bytes: Bytewise,
) -> Result<Answer<Envelope<Uploaded>>, Fail> {
    let class = match query.class.as_deref().filter(|class| !class.is_empty()) {
        None => None,
        Some(class) => Some(MediaClass::parse(class).ok_or_else(|| {
            Error::field("type", "type is image, video, audio, document or sticker")
        })?),
    };
    let Incoming {
        name,
        stream,
        sender,
        receiving,
    } = bytes.open(class).await?;
    let name = query.file_name.or(name);
    let media = app.media();
    let taken = media
        .take_in(granted.account(), class, name, stream)
        .await?;
    drop(receiving);
    sender.look_again().await?;
    let stored = media.store(&granted, taken).await?;
    Ok(enveloped(Uploaded {
        media_id: stored.id.to_string(),
        class: stored.class.as_str(),
        mimetype: stored.mime,
        file_name: stored.file_name,
        size: stored.length,
        sha256: hex::encode(stored.sha256),
    }))
}

/// Gives the medium of a message, or a part of it (`Range`).
#[operation]
pub async fn read(
    InstanceAccess { granted, .. }: InstanceAccess<Viewer>,
    State(app): State<App>,
    Segment((_, id)): Segment<(String, String)>,
    ranged: Ranged,
) -> Result<Response, Fail> {
    let id = MessageId::from_wire(id);
    serve(&app, Wanted::Of(&granted, &id), ranged).await
}

/// Gives the medium that a link of an event leads to, or a part of it (`Range`).
///
/// The link itself is the proof; it holds for some days, and ends with its medium.
#[operation]
pub async fn by_link(
    _: Public,
    State(app): State<App>,
    Segment(token): Segment<String>,
    ranged: Ranged,
) -> Result<Response, Fail> {
    serve(&app, Wanted::Link(&token), ranged).await
}

/// By whoever asked, for an hour.
const KEPT: &str = "private, max-age=3600";

/// Which medium is asked for.
enum Wanted<'a> {
    Of(&'a Granted<Caller>, &'a MessageId),
    Link(&'a str),
}

impl Wanted<'_> {
    async fn open(&self, app: &App, span: Span) -> recado_model::Result<Opened> {
        match *self {
            Self::Of(granted, id) => app.media().open_of(granted, id, span).await,
            Self::Link(token) => app.media().open_link(token, span).await,
        }
    }
}

async fn serve(app: &App, wanted: Wanted<'_>, ranged: Ranged) -> Result<Response, Fail> {
    let mut opened = wanted.open(app, ranged.span).await?;
    let tag = format!("\"{}\"", hex::encode(opened.sha256));
    if ranged.has(&tag) {
        let same = [
            (header::ETAG, tag),
            (header::CACHE_CONTROL, KEPT.to_owned()),
        ];
        return Ok((StatusCode::NOT_MODIFIED, same).into_response());
    }
    let mut part = ranged.span != Span::All;
    if part && ranged.if_range.is_some_and(|known| known != tag) {
        opened = wanted.open(app, Span::All).await?;
        part = false;
    }
    let mut response = Body::from_stream(opened.body).into_response();
    if part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    let (first, count, length) = (opened.first, opened.count, opened.length);
    let (mime, shown) = served_as(&opened.mime);
    let mut put = |name: HeaderName, text: &str| {
        // None of them holds what a header may not.
        if let Ok(value) = HeaderValue::from_str(text) {
            response.headers_mut().insert(name, value);
        }
    };
    put(header::CONTENT_TYPE, mime);
    put(header::CONTENT_LENGTH, &count.to_string());
    put(header::ACCEPT_RANGES, "bytes");
    put(header::ETAG, &tag);
    put(header::CACHE_CONTROL, KEPT);
    put(
        header::CONTENT_SECURITY_POLICY,
        "sandbox; default-src 'none'",
    );
    put(
        header::CONTENT_DISPOSITION,
        &disposition(shown, opened.file_name.as_deref()),
    );
    if part {
        let last = (first + count).saturating_sub(1);
        put(
            header::CONTENT_RANGE,
            &format!("bytes {first}-{last}/{length}"),
        );
    }
    Ok(response)
}

/// The type under which bytes are given, and whether a browser may show them by itself.
fn served_as(mime: &str) -> (&str, bool) {
    let essence = mime.split(';').next().unwrap_or_default().trim();
    let shown = matches!(
        essence,
        "image/jpeg"
            | "image/png"
            | "image/webp"
            | "image/gif"
            | "video/mp4"
            | "video/3gpp"
            | "audio/mpeg"
            | "audio/mp4"
            | "audio/ogg"
            | "audio/aac"
            | "audio/amr"
            | "audio/wav"
    );
    let runs = matches!(essence, "text/html" | "image/svg+xml" | "application/pdf")
        || essence.contains("xml")
        || essence.contains("javascript")
        || essence.contains("ecmascript");
    match runs && essence != "application/pdf" && !essence.contains("openxml") {
        true => ("application/octet-stream", false),
        false => (mime, shown),
    }
}

/// What RFC 5987 lets stand as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn disposition(shown: bool, name: Option<&str>) -> String {
    let kind = if shown { "inline" } else { "attachment" };
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        return kind.to_owned();
    };
    let ascii: String = name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '/' | '%' | ';' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        })
        .collect();
    let encoded = utf8_percent_encode(name, PLAIN);
    format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_runs_is_given_as_what_it_is() {
        for runs in [
            "text/html",
            "text/html; charset=utf-8",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/javascript",
            "text/xml",
        ] {
            assert_eq!(served_as(runs), ("application/octet-stream", false));
        }
        assert_eq!(served_as("image/png"), ("image/png", true));
        let opus = "audio/ogg; codecs=opus";
        assert_eq!(served_as(opus), (opus, true));
        assert_eq!(served_as("application/pdf"), ("application/pdf", false));
    }

    #[test]
    fn a_name_reaches_the_header_whole() {
        assert_eq!(disposition(true, None), "inline");
        assert_eq!(
            disposition(false, Some("março \"1\".pdf")),
            "attachment; filename=\"mar_o _1_.pdf\"; filename*=UTF-8''mar%C3%A7o%20%221%22.pdf"
        );
    }
}
