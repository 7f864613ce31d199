//! Bodies with a medium: JSON that holds it, or a form with a file, which is sealed while it comes.

use std::io;

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request},
};
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use http::{HeaderMap, header, request::Parts};
use multer::{Constraints, Multipart, SizeLimit};
use recado_app::{Media, Receiving, Spooled, too_slow};
use recado_model::{Error, ErrorCode, MediaClass, Result, content::MediaForm};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use super::{
    body::is_empty_list,
    json::{parse, typed},
    reading::{read, require_json_of, within},
};
use crate::{
    ApiState,
    again::{Again, Whose},
    describe::{Describe, Described, schema},
    error::Fail,
};

/// 16 MiB as base64 with line breaks, and the rest of a body.
const JSON_MOST: usize = 24 * 1024 * 1024;
/// The texts of a form together.
const TEXTS_MOST: usize = 1024 * 1024;
const PARTS_MOST: usize = 40;

/// A body that holds a medium of some form.
pub trait MediaKind {
    const FORM: MediaForm;
}

/// A body as `T`, with the file of a form apart.
pub struct MediaBody<T> {
    pub body: T,
    pub file: Option<FilePart>,
}

/// What a form held as a file.
pub struct FilePart {
    pub spooled: Spooled,
    /// As the form calls it.
    pub name: Option<String>,
}

impl<T: DeserializeOwned + MediaKind + Send> FromRequest<ApiState> for MediaBody<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Fail> {
        let (mut parts, body) = request.into_parts();
        let media = state.app.media();
        let field = T::FORM.field();
        let taken = match boundary(&parts.headers)? {
            Some(boundary) => {
                let most = media.most(T::FORM) + TEXTS_MOST as u64;
                let within = within(&parts.headers, most);
                within.map_err(|error| error.with_field(field))?;
                let Whose(account) = Whose::of(&parts)?;
                let receiving = media.receive(account)?;
                let bytes = receiving.paced(streamed(body));
                of_form(&media, form(bytes, boundary, most)).await?
            }
            None => {
                let bytes = read(&parts.headers, body, JSON_MOST).await?;
                require_json_of(&parts.headers, &bytes)?;
                let body = match is_empty_list(&bytes) {
                    true => typed(Map::new())?,
                    false => parse(&bytes)?,
                };
                Self { body, file: None }
            }
        };
        Again::look(&mut parts, state).await?;
        Ok(taken)
    }
}

fn streamed(body: Body) -> BoxStream<'static, io::Result<Bytes>> {
    body.into_data_stream().map_err(io::Error::other).boxed()
}

impl<T: JsonSchema> Describe for MediaBody<T> {
    fn describe(into: &mut Described) {
        into.body = Some(schema::<T>());
        into.file = true;
    }
}

/// The boundary of a form; `None` of another body.
fn boundary(headers: &HeaderMap) -> Result<Option<String>> {
    let said = headers.get(header::CONTENT_TYPE);
    let said = said
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    match said.get(..19) {
        Some(kind) if kind.eq_ignore_ascii_case("multipart/form-data") => {
            let boundary = multer::parse_boundary(said);
            boundary
                .map(Some)
                .map_err(|_| wrong_form("it names no boundary"))
        }
        _ => Ok(None),
    }
}

fn form(
    bytes: BoxStream<'static, io::Result<Bytes>>,
    boundary: String,
    most: u64,
) -> Multipart<'static> {
    let limits = SizeLimit::new().whole_stream(most);
    let limits = Constraints::new().size_limit(limits);
    Multipart::with_constraints(bytes, boundary, limits)
}

fn wrong_form(why: &str) -> Error {
    let text = format!("The body is not a valid multipart/form-data form: {why}.");
    Error::new(ErrorCode::InvalidRequest, text)
}

fn broken(field: &'static str, error: multer::Error) -> Error {
    if let Some(slow) = too_slow(&error) {
        return slow.with_field(field);
    }
    match error {
        multer::Error::StreamSizeExceeded { limit } => {
            let text = format!("The form is larger than the {limit} bytes that are accepted here.");
            Error::new(ErrorCode::PayloadTooLarge, text)
        }
        error => wrong_form(&error.to_string()),
    }
}

async fn of_form<T: DeserializeOwned + MediaKind>(
    media: &Media<'_>,
    mut form: Multipart<'static>,
) -> Result<MediaBody<T>, Fail> {
    let (mut texts, mut file, mut count, mut size) = (Map::new(), None, 0, 0);
    let field_of = T::FORM.field();
    let broken = |error| broken(field_of, error);
    while let Some(mut field) = form.next_field().await.map_err(broken)? {
        count += 1;
        if count > PARTS_MOST {
            return Err(wrong_form("it has too many parts").into());
        }
        let name = field.name().unwrap_or_default().to_owned();
        if field.file_name().is_some() || name == "file" {
            if file.is_some() {
                return Err(Error::field(field_of, "the form has two files; send one").into());
            }
            let name = field.file_name().map(str::to_owned);
            let bytes = field.map_err(io::Error::other);
            let spooled = media.spool(T::FORM, field_of, bytes).await?;
            file = Some(FilePart { spooled, name });
            continue;
        }
        let mut text = Vec::new();
        while let Some(chunk) = field.chunk().await.map_err(broken)? {
            size += chunk.len();
            if size > TEXTS_MOST {
                return Err(wrong_form("its texts are too long").into());
            }
            text.extend_from_slice(&chunk);
        }
        let text = String::from_utf8(text).map_err(|_| wrong_form("a text is not UTF-8"))?;
        if let ("mentioned_ids" | "mentionedIds", Some(Value::Array(all))) =
            (name.as_str(), texts.get_mut(&name))
        {
            all.extend(listed(text));
            continue;
        }
        if texts.contains_key(&name) {
            let text = format!("the field '{name}' is there twice");
            return Err(Fail::of_field(
                Error::new(ErrorCode::InvalidField, text),
                name,
            ));
        }
        let value = value_of(&name, text);
        texts.insert(name, value);
    }
    Ok(MediaBody {
        body: typed(texts)?,
        file,
    })
}

/// A list in a form: its part as often as there are values, a JSON array, or with commas between them.
fn listed(text: String) -> Vec<Value> {
    if let Ok(Value::Array(all)) = serde_json::from_str(&text) {
        return all;
    }
    let names = text.split(',').map(str::trim);
    let names = names.filter(|name| !name.is_empty());
    names.map(|name| Value::String(name.to_owned())).collect()
}

/// A form knows texts alone.
fn value_of(name: &str, text: String) -> Value {
    match (name, text.trim().to_ascii_lowercase().as_str()) {
        ("ptt" | "view_once" | "viewOnce", "true" | "1" | "on" | "yes") => Value::Bool(true),
        ("ptt" | "view_once" | "viewOnce", "false" | "0" | "off" | "no" | "") => Value::Bool(false),
        ("mentioned_ids" | "mentionedIds", _) => Value::Array(listed(text)),
        ("delay", "") => Value::from(0),
        ("delay", digits) => match digits.parse::<Number>() {
            Ok(number) => Value::Number(number),
            Err(_) => Value::String(text),
        },
        _ => Value::String(text),
    }
}

/// A file and nothing else: the file of a form, or all of the body. Nothing of it is read before it is opened.
pub struct Bytewise {
    parts: Parts,
    body: Body,
    state: ApiState,
}

impl FromRequest<ApiState> for Bytewise {
    type Rejection = Fail;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Fail> {
        let (parts, body) = request.into_parts();
        let state = state.clone();
        Ok(Self { parts, body, state })
    }
}

/// What the one file of a body is called there.
const FILE: &str = "file";

/// The file of a form, which is its first part.
async fn file_of(
    mut form: Multipart<'static>,
) -> Result<(Option<String>, BoxStream<'static, io::Result<Bytes>>)> {
    let missing = || Error::field(FILE, "file is required: the part of the form that holds it");
    let field = form.next_field().await;
    let field = field.map_err(|error| broken(FILE, error))?;
    let field = field.ok_or_else(missing)?;
    if field.name() != Some(FILE) && field.file_name().is_none() {
        return Err(missing());
    }
    let name = field.file_name().map(str::to_owned);
    Ok((name, field.map_err(io::Error::other).boxed()))
}

impl Describe for Bytewise {
    fn describe(into: &mut Described) {
        into.file = true;
    }
}

/// The file of a body, on its way in.
pub struct Incoming {
    /// As the form calls it.
    pub name: Option<String>,
    pub stream: BoxStream<'static, io::Result<Bytes>>,
    pub sender: Sender,
    /// Its place, for as long as it comes.
    pub receiving: Receiving,
}

/// Who sent a file, once it has come.
pub struct Sender {
    parts: Parts,
    state: ApiState,
}

impl Bytewise {
    /// Begins to read: a file of this class, or of any.
    ///
    /// # Errors
    /// 413 for one that says itself that it is too large, 429 for an account that has its share of files on their
    /// way in.
    pub async fn open(self, class: Option<MediaClass>) -> Result<Incoming, Fail> {
        let Self { parts, body, state } = self;
        let boundary = boundary(&parts.headers)?;
        let texts = boundary.as_ref().map_or(0, |_| TEXTS_MOST as u64);
        let most = state.app.media().most_of(class) + texts;
        let within = within(&parts.headers, most);
        within.map_err(|error| error.with_field(FILE))?;
        let Whose(account) = Whose::of(&parts)?;
        let receiving = state.app.media().receive(account)?;
        let bytes = receiving.paced(streamed(body));
        let (name, stream) = match boundary {
            None => (None, bytes),
            Some(boundary) => file_of(form(bytes, boundary, most)).await?,
        };
        Ok(Incoming {
            name,
            stream,
            sender: Sender { parts, state },
            receiving,
        })
    }
}

impl Sender {
    /// The guard looks again: a file may take its time.
    pub async fn look_again(mut self) -> Result<(), Fail> {
        Again::look(&mut self.parts, &self.state).await
    }
}
