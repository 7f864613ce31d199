//! The part of a handler's arguments and answer in the OpenAPI document: the body and the query that it
//! reads, and what it gives back.
//!
//! The route table asks the types of each handler, so that the document cannot forget a route and a
//! handler whose argument or answer does not describe itself does not compile into the table. The
//! answer that is described is the one that is written: both come from the same type.

use std::{borrow::Cow, convert::Infallible};

use axum::{
    body::{Body, Bytes},
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use recado_model::{Error, Secret, Timestamp};
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::error::{Fail, json_response};

/// The contents of a route's request and of its answer, as JSON Schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    pub body: Option<Value>,
    /// Whether the body may be a form with a file in it, or, where nothing else is said, the file itself.
    pub file: bool,
    pub query: Option<Value>,
    /// Status and body of success; `null` is no body. `None` where the type does not say.
    pub answer: Option<(u16, Value)>,
    /// The types that success may have in place of JSON, where the query asks for that: media types.
    pub pictures: Vec<&'static str>,
}

/// An argument of a handler beside its guard.
pub trait Describe {
    fn describe(_: &mut Described) {}
}

/// State of the program; nothing of the request.
impl<T> Describe for State<T> {}

/// The answer of a handler.
pub trait Answers {
    fn describe(_: &mut Described) {}
}

/// A handler, by what it gives back for the arguments `T`. Implemented for whatever
/// [`axum::handler::Handler`] is, as far as the route table goes.
pub trait Returns<T> {
    type Output: Answers;
}

/// Bytes, or a form that the type does not tell.
impl Answers for Response {}

impl Answers for StatusCode {}

impl Answers for Redirect {}

/// Of a route that only says why it is not there.
impl Answers for Fail {}

impl<A: Answers> Answers for Result<A, Fail> {
    fn describe(into: &mut Described) {
        A::describe(into);
    }
}

/// 200 with `T` as JSON.
pub struct Answer<T>(pub T);

impl<T: JsonSchema> Answers for Answer<T> {
    fn describe(into: &mut Described) {
        into.answer = Some((200, answer_schema::<T>()));
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        json_response(StatusCode::OK, &self.0)
    }
}

/// 200 with `T` as JSON, given piece by piece. `held` goes when all of it was taken, or the caller has gone: until
/// then it is in memory.
pub struct Large<T, H> {
    pub answer: T,
    pub held: H,
}

/// So much of a large answer is handed over at a time.
const PIECE: usize = 64 * 1024;

impl<T: JsonSchema, H> Answers for Large<T, H> {
    fn describe(into: &mut Described) {
        Answer::<T>::describe(into);
    }
}

impl<T: Serialize, H: Send + 'static> IntoResponse for Large<T, H> {
    fn into_response(self) -> Response {
        let text = match serde_json::to_vec(&self.answer) {
            Ok(text) => Bytes::from(text),
            Err(error) => return Fail::from(Error::internal(error)).into_response(),
        };
        drop(self.answer);
        let length = HeaderValue::from(text.len());
        let left = (text, self.held);
        let pieces = stream::unfold(left, async |(mut text, held)| {
            let piece = text.split_to(text.len().min(PIECE));
            let none = piece.is_empty();
            (!none).then_some((Ok::<_, Infallible>(piece), (text, held)))
        });
        let json = HeaderValue::from_static("application/json");
        let headers = [
            (header::CONTENT_TYPE, json),
            (header::CONTENT_LENGTH, length),
        ];
        (headers, Body::from_stream(pieces)).into_response()
    }
}

/// 202 with `T` as JSON: it is taken, and happens later or elsewhere.
pub struct Taken<T>(pub T);

impl<T: JsonSchema> Answers for Taken<T> {
    fn describe(into: &mut Described) {
        into.answer = Some((202, answer_schema::<T>()));
    }
}

impl<T: Serialize> IntoResponse for Taken<T> {
    fn into_response(self) -> Response {
        json_response(StatusCode::ACCEPTED, &self.0)
    }
}

/// 204 and nothing else.
pub struct NoContent;

impl Answers for NoContent {
    fn describe(into: &mut Described) {
        into.answer = Some((204, Value::Null));
    }
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// An answer that may set a cookie beside it.
pub struct WithCookie<A> {
    /// The whole value of `Set-Cookie`; `None` leaves the caller's cookie as it is.
    pub cookie: Option<HeaderValue>,
    pub answer: A,
}

impl<A: Answers> Answers for WithCookie<A> {
    fn describe(into: &mut Described) {
        A::describe(into);
    }
}

impl<A: IntoResponse> IntoResponse for WithCookie<A> {
    fn into_response(self) -> Response {
        let mut response = self.answer.into_response();
        if let Some(cookie) = self.cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// A time in an answer: RFC 3339.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rfc3339(pub Timestamp);

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339())
    }
}

impl JsonSchema for Rfc3339 {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Rfc3339".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// A secret in the answer of the call that asks for it. Until it is written it stays redacted, and it is
/// wiped afterwards.
#[derive(Clone, Debug)]
pub struct Exposed(pub Secret);

impl Serialize for Exposed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

impl JsonSchema for Exposed {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Exposed".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// The schema of a text that is one of `names`.
pub(crate) fn one_of(names: impl IntoIterator<Item = &'static str>) -> Schema {
    let names: Vec<_> = names.into_iter().collect();
    json_schema!({ "type": "string", "enum": names })
}

/// The schema of a request. Without references, so that each operation is readable by itself.
pub(crate) fn schema<T: JsonSchema>() -> Value {
    let mut schema = generate::<T>(SchemaSettings::draft2020_12());
    what_may_not_be_empty_is_required(&mut schema);
    schema
}

/// Handlers take a missing text for `""`, since clients write that for it, and then say what is missing. So a
/// member that is empty by default and may not be empty has to be given.
fn what_may_not_be_empty_is_required(schema: &mut Value) {
    let Value::Object(object) = schema else {
        return;
    };
    let Some(Value::Object(members)) = object.get_mut("properties") else {
        return;
    };
    let least = |member: &Value, key: &str| member[key].as_u64().unwrap_or_default();
    let mut needed = Vec::new();
    for (name, member) in members {
        if let Some(items) = member.get_mut("items") {
            what_may_not_be_empty_is_required(items);
        }
        let is_needed = match &member["default"] {
            Value::String(text) => text.is_empty() && least(member, "minLength") > 0,
            Value::Array(items) => items.is_empty() && least(member, "minItems") > 0,
            _ => false,
        };
        if let (true, Value::Object(member)) = (is_needed, member) {
            member.remove("default");
            needed.push(Value::from(name.as_str()));
        }
    }
    if let (false, Value::Array(required)) = (
        needed.is_empty(),
        object.entry("required").or_insert_with(|| json!([])),
    ) {
        required.extend(needed);
    }
}

/// The schema of an answer: what may be left out is not required and never `null`, what is always there
/// and may be `null` says so.
fn answer_schema<T: JsonSchema>() -> Value {
    let mut schema = generate::<T>(SchemaSettings::draft2020_12().for_serialize());
    left_out_is_not_null(&mut schema);
    schema
}

/// schemars knows that a member is skipped, not that it is skipped where it is `None`.
fn left_out_is_not_null(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let required = object.get("required").cloned().unwrap_or(json!([]));
            let always = |name: &str| {
                let names = required.as_array().into_iter().flatten();
                names.into_iter().any(|known| known == name)
            };
            if let Some(Value::Object(members)) = object.get_mut("properties") {
                let skipped = members.iter_mut().filter(|(name, _)| !always(name));
                skipped.for_each(|(_, member)| drop_null(member));
            }
            object.values_mut().for_each(left_out_is_not_null);
        }
        Value::Array(items) => items.iter_mut().for_each(left_out_is_not_null),
        _ => {}
    }
}

/// Takes `null` out of what `schema` allows.
pub(crate) fn drop_null(schema: &mut Value) {
    let Value::Object(object) = schema else {
        return;
    };
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [one] = &types[..] {
            object["type"] = one.clone();
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({ "type": "null" }));
        if let [Value::Object(one)] = &choices[..] {
            let one = one.clone();
            object.remove("anyOf");
            // The member's description says more than that of its type.
            for (key, value) in one {
                object.entry(key).or_insert(value);
            }
        }
    }
}

fn generate<T: JsonSchema>(settings: SchemaSettings) -> Value {
    let settings = settings.with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut value = schema.to_value();
    if let Value::Object(object) = &mut value {
        object.remove("title");
        if object.get("type") == Some(&json!("object")) {
            object.entry("properties").or_insert_with(|| json!({}));
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, JsonSchema)]
    struct Body {
        token: Exposed,
        ended_at: Option<Rfc3339>,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }

    fn body() -> Body {
        Body {
            token: Exposed(Secret::new("ct_1")),
            ended_at: Some(Rfc3339(Timestamp::from_millis(0))),
            note: None,
        }
    }

    fn described<A: Answers>() -> (u16, Value) {
        let mut described = Described::default();
        A::describe(&mut described);
        described.answer.expect("an answer")
    }

    #[tokio::test]
    async fn what_is_written_is_what_is_described() {
        let schema = json!({
            "type": "object",
            "properties": {
                "token": { "type": "string" },
                "ended_at": { "type": ["string", "null"], "format": "date-time" },
                "note": { "type": "string" },
            },
            "required": ["token", "ended_at"],
        });
        assert_eq!(described::<Answer<Body>>(), (200, schema.clone()));
        assert_eq!(described::<Taken<Body>>(), (202, schema));

        let response = Answer(body()).into_response();
        assert_eq!(response.status(), 200);
        let bytes = axum::body::to_bytes(response.into_body(), 1000).await;
        assert_eq!(
            &bytes.expect("bytes")[..],
            br#"{"token":"ct_1","ended_at":"1970-01-01T00:00:00.000Z"}"#
        );
        assert_eq!(Taken(body()).into_response().status(), 202);
    }

    #[test]
    fn a_cookie_goes_beside_the_answer() {
        type Given = Result<WithCookie<NoContent>, Fail>;
        assert_eq!(described::<Given>(), (204, Value::Null));
        for cookie in [None, Some(HeaderValue::from_static("a=b"))] {
            let given = WithCookie {
                cookie: cookie.clone(),
                answer: NoContent,
            };
            let response = given.into_response();
            assert_eq!(response.status(), 204);
            assert_eq!(response.headers().get(header::SET_COOKIE), cookie.as_ref());
        }
    }

    #[test]
    fn a_secret_shows_itself_only_in_the_answer() {
        assert!(!format!("{:?}", body().token).contains("ct_1"));
    }
}
