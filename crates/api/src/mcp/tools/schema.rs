//! Input schemas from argument types, in the plain form that every client reads.

use std::sync::Arc;

use rmcp::model::{JsonObject, Tool};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

/// The schema of `Args`: no references, no `null` alternatives, no number formats (clients that
/// validate print a warning for each format that they do not know).
pub(super) fn of<Args: JsonSchema>() -> Arc<JsonObject> {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<Args>();
    let mut value = schema.to_value();
    plain(&mut value);
    let mut object = match value {
        Value::Object(object) => object,
        _ => JsonObject::new(),
    };
    object.remove("title");
    object.remove("description");
    object.entry("properties").or_insert_with(|| json!({}));
    Arc::new(object)
}

/// Adds the contract's optional `confirm`.
pub(super) fn add_confirm(tool: &mut Tool) {
    let mut schema = (*tool.input_schema).clone();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let text = "Pasar true para confirmar la ejecución de esta acción peligrosa";
        properties.insert(
            "confirm".into(),
            json!({ "type": "boolean", "description": text }),
        );
    }
    tool.input_schema = Arc::new(schema);
}

fn plain(value: &mut Value) {
    match value {
        Value::Object(object) => {
            object.remove("format");
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            drop_null_type(object);
            drop_null_variant(object);
            object.values_mut().for_each(plain);
        }
        Value::Array(items) => items.iter_mut().for_each(plain),
        _ => {}
    }
}

/// `["string", "null"]` → `"string"`, and no `null` among the values of an enum.
fn drop_null_type(object: &mut JsonObject) {
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".into(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
}

/// `anyOf: [X, null]` → `X`, its own words kept.
fn drop_null_variant(object: &mut JsonObject) {
    let Some(Value::Array(variants)) = object.get_mut("anyOf") else {
        return;
    };
    variants.retain(|variant| variant.get("type").is_none_or(|kind| kind != "null"));
    if let [Value::Object(only)] = variants.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
        drop_null_type(object);
    }
}
