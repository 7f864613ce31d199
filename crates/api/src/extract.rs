//! Bodies, path parameters and queries, with errors that name what is wrong.
//!
//! Bodies are JSON *objects*: serde would also fill a struct from an array, which no contract means.
//! `null` counts as absent, because the contracts' clients send it for what is not set; unknown
//! fields are ignored, because they forward what we do not know. A repeated field is refused, at
//! whatever depth.

mod halves;
mod values;

use std::{collections::HashSet, fmt, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header, request::Parts};
use http_body_util::{BodyExt, LengthLimitError};
use recado_model::{Error, ErrorCode};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::{Options, Shared, auth::Again, error::Fail};

pub use halves::{half_emoji, half_emoji_text};
pub use values::{
    number, object_or_empty, some_number, some_object_or_empty, some_whole, text_or_number, whole,
};

/// Deeper nesting than any body of ours has.
const MAX_DEPTH: usize = 32;

/// A JSON object that reads as `T`. An empty body is an empty object.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for Json<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Fail> {
        Ok(Self(parse(&json_body(request, shared).await?)?))
    }
}

/// A body that says it is JSON, whose caller still holds now that it is read.
async fn json_body(request: Request, shared: &Shared) -> Result<Bytes, Fail> {
    let (mut parts, body) = request.into_parts();
    let bytes = read(&parts.headers, body, shared.options.body_limit).await?;
    require_json_of(&parts.headers, &bytes)?;
    Again::look(&mut parts, shared).await?;
    Ok(bytes)
}

/// The same on the contract's instance routes, whose PHP client cannot tell an empty object from an
/// empty list: the body `[]` is `{}`.
pub struct Loose<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for Loose<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Fail> {
        let bytes = json_body(request, shared).await?;
        Ok(Self(match is_empty_list(&bytes) {
            true => typed(Map::new())?,
            false => parse(&bytes)?,
        }))
    }
}

fn is_empty_list(bytes: &[u8]) -> bool {
    let text = body_text(bytes).unwrap_or_default();
    let inner = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    inner.is_some_and(|inner| inner.trim_matches(SPACE).is_empty())
}

/// A JSON object of at most 64 KiB, said to be JSON: the bodies of the dashboard's own API, which callers
/// send who have proven nothing yet. Forms of other sites' pages cannot say so. Its types refuse unknown
/// fields.
pub struct Strict<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for Strict<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Fail> {
        Ok(Self(parse(&strict_body(request, shared).await?)?))
    }
}

async fn strict_body(request: Request, shared: &Shared) -> Result<Bytes, Fail> {
    let (mut parts, body) = request.into_parts();
    require_said_json(&parts.headers)?;
    let bytes = read(&parts.headers, body, Options::UNPROVEN_BODY_LIMIT).await?;
    Again::look(&mut parts, shared).await?;
    Ok(bytes)
}

/// A JSON object in which `null` says something. Everything else as [`Json`] has it.
pub struct WithNulls<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for WithNulls<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Fail> {
        let bytes = json_body(request, shared).await?;
        Ok(Self(typed(object_with_nulls(&bytes)?)?))
    }
}

/// The same, with everything else as [`Strict`] has it.
pub struct StrictWithNulls<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Shared> for StrictWithNulls<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Fail> {
        let bytes = strict_body(request, shared).await?;
        Ok(Self(typed(object_with_nulls(&bytes)?)?))
    }
}

/// A path parameter, or several in the order of the path.
pub struct Segment<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for Segment<T> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let Path(value) = Path::from_request_parts(parts, shared).await.map_err(|_| {
            Error::new(
                ErrorCode::InvalidRequest,
                "The path holds something unreadable.",
            )
        })?;
        Ok(Self(value))
    }
}

/// The query as `T`. Credentials are never read from it.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<Shared> for Params<T> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let Query(value) = Query::from_request_parts(parts, shared)
            .await
            .map_err(|rejection| {
                let text = format!("The query does not fit: {}", rejection.body_text());
                Error::new(ErrorCode::InvalidRequest, text)
            })?;
        Ok(Self(value))
    }
}

/// The whole body, or 413: by `Content-Length` before a byte is read, else as soon as it grows over
/// `limit`.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Fail> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if let Some(length) = announced.filter(|length| *length > limit as u64) {
        if length <= SWALLOWED {
            swallow(body).await;
        }
        return Err(too_large(limit).into());
    }
    to_bytes(body, limit).await.map_err(|error| {
        let cause = std::error::Error::source(&error);
        if cause.is_some_and(|cause| cause.is::<LengthLimitError>()) {
            return too_large(limit).into();
        }
        let text = "The body broke off before its end.";
        Error::new(ErrorCode::InvalidRequest, text)
            .with_source(error)
            .into()
    })
}

/// A body that is refused unread closes the connection, and what is still under way then makes the
/// caller's side throw the answer away. So one that is not much too large is let come, and thrown away.
const SWALLOWED: u64 = 2 * 1024 * 1024;
const SWALLOWED_WITHIN: Duration = Duration::from_secs(2);

async fn swallow(mut body: Body) {
    let rest = async { while let Some(Ok(_)) = body.frame().await {} };
    // Whoever is slower than that gets the answer as it may be.
    let _ = tokio::time::timeout(SWALLOWED_WITHIN, rest).await;
}

fn too_large(limit: usize) -> Error {
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

/// What JSON takes for space.
const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// The text of a body, without the space around it and a byte order mark before it.
pub fn body_text(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    Some(text.trim_matches(SPACE))
}

/// A body that is a JSON object, as `T`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fail> {
    typed(object(bytes)?)
}

/// The body as an object without its nulls.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, Fail> {
    object_with_nulls(bytes).map(without_nulls)
}

/// The body as an object, where `null` says something.
pub fn object_with_nulls(bytes: &[u8]) -> Result<Map<String, Value>, Fail> {
    let text = body_text(bytes).ok_or_else(|| invalid_json("it is not UTF-8"))?;
    if text.is_empty() {
        return Ok(Map::new());
    }
    if !text.starts_with('{') {
        // Valid JSON of another kind is a misunderstanding, not a typing error; say which.
        let kind = match text.as_bytes()[0] {
            b'[' => "an array",
            b'"' => "a string",
            _ => "something else",
        };
        return Err(invalid_json(&format!("it must be an object {{…}}, not {kind}")).into());
    }
    if depth(text) > MAX_DEPTH {
        return Err(invalid_json(&format!("it is nested deeper than {MAX_DEPTH} levels")).into());
    }
    serde_json::from_str::<Ordinary>(text)
        .and_then(|_| serde_json::from_str(text))
        .map_err(|error| match half_emoji(text) {
            Some(field) => {
                let error = Error::new(ErrorCode::InvalidField, half_emoji_text(&field));
                Fail::of_field(error, field)
            }
            None => invalid_json(&error.to_string()).into(),
        })
}

/// An object as `T`; the error names the field.
pub fn typed<T: DeserializeOwned>(map: Map<String, Value>) -> Result<T, Fail> {
    serde_path_to_error::deserialize(Value::Object(map)).map_err(|error| {
        let path = error.path().to_string();
        let text = error.inner().to_string();
        let field = match text
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split_once('`'))
        {
            Some((missing, _)) if path == "." => missing.to_owned(),
            Some((missing, _)) => format!("{path}.{missing}"),
            None if path == "." => String::new(),
            None => path,
        };
        let message = if text.starts_with("missing field") {
            format!("{field} is required")
        } else if field.is_empty() {
            text
        } else {
            format!("{field}: {text}")
        };
        Fail::of_field(Error::new(ErrorCode::InvalidField, message), field)
    })
}

fn invalid_json(why: &str) -> Error {
    Error::new(
        ErrorCode::InvalidJson,
        format!("The body is not valid JSON for this call: {why}."),
    )
}

fn without_nulls(map: Map<String, Value>) -> Map<String, Value> {
    map.into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect()
}

/// How deep brackets nest, those in strings aside. Counts before anything is built.
pub fn depth(text: &str) -> usize {
    let (mut now, mut most, mut quoted, mut escaped) = (0usize, 0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// JSON in which no object has a field twice: which of the two counts would be anybody's guess. And
/// without the field names that `serde_json` keeps to itself: it would read the *text* below such a name
/// as JSON, past the check of depth. Builds nothing.
pub struct Ordinary;

const PRIVATE: &str = "$serde_json::private::";

impl<'de> Deserialize<'de> for Ordinary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = Ordinary;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_bool<E>(self, _: bool) -> Result<Ordinary, E> {
                Ok(Ordinary)
            }
            fn visit_i64<E>(self, _: i64) -> Result<Ordinary, E> {
                Ok(Ordinary)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Ordinary, E> {
                Ok(Ordinary)
            }
            fn visit_f64<E>(self, _: f64) -> Result<Ordinary, E> {
                Ok(Ordinary)
            }
            fn visit_str<E>(self, _: &str) -> Result<Ordinary, E> {
                Ok(Ordinary)
            }
            fn visit_unit<E>(self) -> Result<Ordinary, E> {
                Ok(Ordinary)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Ordinary, A::Error> {
                while access.next_element::<Ordinary>()?.is_some() {}
                Ok(Ordinary)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Ordinary, A::Error> {
                let mut names = HashSet::new();
                while let Some(name) = access.next_key::<String>()? {
                    if name.starts_with(PRIVATE) {
                        let text = "a field's name begins with $serde_json::private::";
                        return Err(serde::de::Error::custom(text));
                    }
                    if names.contains(&name) {
                        let shown: String = name.chars().take(40).collect();
                        let text = format!("the field '{shown}' is repeated; it is there twice");
                        return Err(serde::de::Error::custom(text));
                    }
                    names.insert(name);
                    access.next_value::<Ordinary>()?;
                }
                Ok(Ordinary)
            }
        }
        deserializer.deserialize_any(Look)
    }
}

/// A list that is also written as one comma-separated string, as the contracts do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "expected an array of strings, or one comma-separated string"
        )]
        enum Form {
            One(String),
            Many(Vec<String>),
        }
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::One(text) => text
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            Form::Many(names) => names,
        }))
    }
}

impl schemars::JsonSchema for Names {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Names".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A list, or one comma-separated string.",
            "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "string" }],
        })
    }
}

#[cfg(test)]
mod tests;
