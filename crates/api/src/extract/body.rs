//! Extractors of bodies.

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Map;

use crate::{
    ApiState, Options,
    again::Again,
    describe::{Describe, Described, schema},
    error::Fail,
};

use super::{
    json::{SPACE, body_text, object_with_nulls, parse, typed},
    reading::{read, require_json_of, require_said_json},
};

/// A JSON object that reads as `T`. An empty body is an empty object.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<ApiState> for Json<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Fail> {
        Ok(Self(parse(&json_body(request, state).await?)?))
    }
}

/// A body that says it is JSON, whose caller still holds now that it is read.
async fn json_body(request: Request, state: &ApiState) -> Result<Bytes, Fail> {
    let (mut parts, body) = request.into_parts();
    let bytes = read(&parts.headers, body, state.options.body_limit).await?;
    require_json_of(&parts.headers, &bytes)?;
    Again::look(&mut parts, state).await?;
    Ok(bytes)
}

/// The same on the contract's instance routes, whose PHP client cannot tell an empty object from an
/// empty list: the body `[]` is `{}`.
pub struct Loose<T>(pub T);

impl<T: DeserializeOwned> FromRequest<ApiState> for Loose<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Fail> {
        let bytes = json_body(request, state).await?;
        Ok(Self(match is_empty_list(&bytes) {
            true => typed(Map::new())?,
            false => parse(&bytes)?,
        }))
    }
}

pub(super) fn is_empty_list(bytes: &[u8]) -> bool {
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

impl<T: DeserializeOwned> FromRequest<ApiState> for Strict<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Fail> {
        Ok(Self(parse(&strict_body(request, state).await?)?))
    }
}

async fn strict_body(request: Request, state: &ApiState) -> Result<Bytes, Fail> {
    let (mut parts, body) = request.into_parts();
    require_said_json(&parts.headers)?;
    let bytes = read(&parts.headers, body, Options::UNPROVEN_BODY_LIMIT).await?;
    Again::look(&mut parts, state).await?;
    Ok(bytes)
}

/// A JSON object in which `null` says something. Everything else as [`Json`] has it.
pub struct WithNulls<T>(pub T);

impl<T: DeserializeOwned> FromRequest<ApiState> for WithNulls<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Fail> {
        let bytes = json_body(request, state).await?;
        Ok(Self(typed(object_with_nulls(&bytes)?)?))
    }
}

/// The same, with everything else as [`Strict`] has it.
pub struct StrictWithNulls<T>(pub T);

impl<T: DeserializeOwned> FromRequest<ApiState> for StrictWithNulls<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Fail> {
        let bytes = strict_body(request, state).await?;
        Ok(Self(typed(object_with_nulls(&bytes)?)?))
    }
}

macro_rules! bodies {
    ($($body:ident),*) => {$(
        impl<T: JsonSchema> Describe for $body<T> {
            fn describe(into: &mut Described) {
                into.body = Some(schema::<T>());
            }
        }
    )*};
}
bodies!(Json, Loose, Strict, WithNulls, StrictWithNulls);
