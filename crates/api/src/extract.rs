//! Bodies, path parameters and queries, with errors that name what is wrong.
//!
//! Bodies are JSON *objects*: serde would also fill a struct from an array, which no contract means.
//! `null` counts as absent, because the contracts' clients send it for what is not set; unknown
//! fields are ignored, because they forward what we do not know. A repeated field is refused, at
//! whatever depth.

mod body;
mod encoded;
mod halves;
mod json;
mod parts;
mod ranged;
mod reading;
mod values;

use axum::extract::{FromRequestParts, Path, Query};
use http::request::Parts;
use recado_model::{Error, ErrorCode};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};

use crate::{
    ApiState,
    describe::{Describe, Described, schema},
    error::Fail,
};

pub use body::{Json, Loose, Strict, StrictWithNulls, WithNulls};
pub use encoded::{bytes_of, data_url, name_in_url};
pub use halves::{half_emoji, half_emoji_text};
pub use json::{Extent, Ordinary, body_text, object, object_with_nulls, parse, typed};
pub use parts::{Bytewise, Incoming, MediaBody, MediaKind};
pub use ranged::Ranged;
pub use reading::{read, require_json, require_json_of, require_said_json};
pub use values::{
    decimal, flag, number, object_or_empty, some_number, some_object_or_empty, some_switch,
    some_whole, text_or_number, whole,
};

/// A path parameter, or several in the order of the path.
pub struct Segment<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<ApiState> for Segment<T> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let Path(value) = Path::from_request_parts(parts, state).await.map_err(|_| {
            Error::new(
                ErrorCode::InvalidRequest,
                "The path holds something unreadable.",
            )
        })?;
        Ok(Self(value))
    }
}

/// It is read off the path itself.
impl<T> Describe for Segment<T> {}

/// The query as `T`. Credentials are never read from it.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<ApiState> for Params<T> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let Query(value) = Query::from_request_parts(parts, state)
            .await
            .map_err(|rejection| {
                let text = format!("The query does not fit: {}", rejection.body_text());
                Error::new(ErrorCode::InvalidRequest, text)
            })?;
        Ok(Self(value))
    }
}

impl<T: JsonSchema> Describe for Params<T> {
    fn describe(into: &mut Described) {
        into.query = Some(schema::<T>());
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

impl JsonSchema for Names {
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

/// One text, or a list of them; numbers are taken for texts, and `null` for none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OneOrMany(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct One(#[serde(deserialize_with = "text_or_number")] String);
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "expected a string, or an array of strings")]
        enum Form {
            One(One),
            Many(Vec<One>),
        }
        Ok(Self(match Form::deserialize(deserializer)? {
            Form::One(One(text)) if text.trim().is_empty() => Vec::new(),
            Form::One(One(text)) => vec![text],
            Form::Many(all) => all.into_iter().map(|One(text)| text).collect(),
        }))
    }
}

impl JsonSchema for OneOrMany {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OneOrMany".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "One text, or a list of them.",
            "anyOf": [{ "type": "array", "items": { "type": "string" } }, { "type": "string" }],
        })
    }
}

#[cfg(test)]
mod tests;
