//! What a handler's arguments say to the OpenAPI document: the body and the query that it reads.
//!
//! The route table asks the types of each handler, so that the document cannot forget a route and a
//! handler whose argument does not describe itself does not compile into the table.

use axum::{Extension, extract::State};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

use crate::{
    Shared,
    edge::ClientIp,
    extract::{Json, Params, Segment},
};

/// What a request of a route may hold, as JSON Schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    pub body: Option<Value>,
    pub query: Option<Value>,
}

/// An argument of a handler beside its guard.
pub trait Describe {
    fn describe(_: &mut Described) {}
}

impl Describe for State<Shared> {}

/// Where the request comes from; nothing that it holds.
impl Describe for Extension<ClientIp> {}

/// Path parameters are read off the path itself.
impl<T> Describe for Segment<T> {}

impl<T: JsonSchema> Describe for Json<T> {
    fn describe(into: &mut Described) {
        into.body = Some(schema::<T>());
    }
}

impl<T: JsonSchema> Describe for Params<T> {
    fn describe(into: &mut Described) {
        into.query = Some(schema::<T>());
    }
}

/// Without references, so that each operation is readable by itself.
pub(crate) fn schema<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut value = schema.to_value();
    if let Value::Object(object) = &mut value {
        object.remove("title");
        object.entry("properties").or_insert_with(|| json!({}));
    }
    value
}
