//! Bodies: only a JSON object with each field once, not too deep, is read, and
//! never as something deeper than what was written.
#![no_main]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use libfuzzer_sys::fuzz_target;
use recado_api::extract::{Names, depth, object, parse};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

/// What the documents promise.
const MAX_DEPTH: usize = 32;

fuzz_target!(|data: &[u8]| {
    // A byte order mark before it is as nothing.
    let json = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
    let shape = serde_json::from_slice::<Shape>(json);
    let is_object = serde_json::from_slice::<BTreeMap<String, IgnoredAny>>(json).is_ok();
    let blank = json.iter().all(|byte| b" \t\r\n".contains(byte));
    match object(data) {
        Ok(map) if blank => assert!(map.is_empty()),
        Ok(map) => {
            let shape = shape.expect("taken, so it is JSON");
            assert!(is_object, "taken, but it is no object");
            assert!(!shape.repeats, "a repeated field was taken");
            assert!(shape.levels <= MAX_DEPTH, "too deep, but taken");
            assert!(map.values().all(|value| !value.is_null()));
            let read = levels(&Value::Object(map));
            assert!(read <= shape.levels, "read as deeper than it is written");
        }
        Err(_) => {
            assert!(!blank, "an empty body is an empty object");
            // Refused for a reason: no object, too deep, or a field twice.
            if let (Ok(shape), true) = (shape, is_object) {
                assert!(shape.repeats || shape.levels > MAX_DEPTH || raw(data));
            }
        }
    }
    let _ = parse::<BTreeMap<String, Names>>(data);
    let _ = parse::<BTreeMap<String, Vec<u64>>>(data);
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(depth(text) <= text.len());
    }
});

/// The library keeps a field name to itself; a body that has it may be refused.
fn raw(data: &[u8]) -> bool {
    String::from_utf8_lossy(data).contains("$serde_json::private::")
}

fn levels(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(levels).max().unwrap_or(0),
        Value::Array(list) => 1 + list.iter().map(levels).max().unwrap_or(0),
        _ => 0,
    }
}

/// What a text holds, by a reader that builds nothing: levels of nesting, repeated fields and all.
#[derive(Default)]
struct Shape {
    levels: usize,
    /// A field of an object comes twice, at whatever depth.
    repeats: bool,
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = Shape;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_bool<E>(self, _: bool) -> Result<Shape, E> {
                Ok(Shape::default())
            }
            fn visit_i64<E>(self, _: i64) -> Result<Shape, E> {
                Ok(Shape::default())
            }
            fn visit_u64<E>(self, _: u64) -> Result<Shape, E> {
                Ok(Shape::default())
            }
            fn visit_f64<E>(self, _: f64) -> Result<Shape, E> {
                Ok(Shape::default())
            }
            fn visit_str<E>(self, _: &str) -> Result<Shape, E> {
                Ok(Shape::default())
            }
            fn visit_unit<E>(self) -> Result<Shape, E> {
                Ok(Shape::default())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Shape, A::Error> {
                let (mut inner, mut repeats) = (0, false);
                while let Some(shape) = access.next_element::<Shape>()? {
                    inner = inner.max(shape.levels);
                    repeats |= shape.repeats;
                }
                Ok(Shape {
                    levels: inner + 1,
                    repeats,
                })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Shape, A::Error> {
                let (mut names, mut inner, mut repeats) = (BTreeSet::new(), 0, false);
                while let Some((name, shape)) = access.next_entry::<String, Shape>()? {
                    inner = inner.max(shape.levels);
                    repeats |= shape.repeats | !names.insert(name);
                }
                Ok(Shape {
                    levels: inner + 1,
                    repeats,
                })
            }
        }
        deserializer.deserialize_any(Look)
    }
}
