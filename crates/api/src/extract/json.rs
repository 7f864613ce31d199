//! JSON text as an object, and an object as a type, with errors that name what is wrong.

use std::{collections::HashSet, fmt};

use recado_model::{Error, ErrorCode};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::error::Fail;

use super::{half_emoji, half_emoji_text};

/// Deeper nesting than any body of ours has.
const MAX_DEPTH: usize = 32;

/// More values than any body of ours has; their tree takes a hundred times the memory of their text.
const MAX_VALUES: usize = 20_000;

/// The characters that JSON takes for space.
pub(super) const SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

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
    Extent::of(text).judge().map_err(|why| invalid_json(&why))?;
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

/// An object as `T`; the error names the field. Where a field is there under two of its names and one is
/// `""`, which some clients write for what they were not given, the other counts.
pub fn typed<T: DeserializeOwned>(mut map: Map<String, Value>) -> Result<T, Fail> {
    drop_empty_doubles::<T>(&mut map);
    serde_path_to_error::deserialize(Value::Object(map)).map_err(|error| {
        let path = error.path().to_string();
        let text = error.inner().to_string();
        if let Some(field) = doubled(&text) {
            let message =
                format!("{field} is there twice, under two of its names; send one of them");
            let error = Error::new(ErrorCode::InvalidField, message);
            return Fail::of_field(error, field.to_owned());
        }
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

/// The field that serde found under two names.
fn doubled(text: &str) -> Option<&str> {
    let (field, _) = text.strip_prefix("duplicate field `")?.split_once('`')?;
    Some(field)
}

/// More fields than any body of ours has, under all of their names.
const NAMES_MOST: usize = 64;

fn drop_empty_doubles<T: DeserializeOwned>(map: &mut Map<String, Value>) {
    let empty = |value: &Value| value.as_str().is_some_and(str::is_empty);
    if map.len() > NAMES_MOST || !map.values().any(empty) {
        return;
    }
    let empties = map.iter().filter(|(_, value)| empty(value));
    let empties: Vec<String> = empties.map(|(name, _)| name.clone()).collect();
    for name in empties {
        if map.keys().any(|other| are_one::<T>(&name, other)) {
            map.remove(&name);
        }
    }
}

/// Whether both are names of one text of `T`.
fn are_one<T: DeserializeOwned>(name: &str, other: &str) -> bool {
    let both = [name, other].map(|name| (name.to_owned(), Value::String(String::new())));
    let outcome = serde_json::from_value::<T>(Value::Object(Map::from_iter(both)));
    name != other && outcome.is_err_and(|error| doubled(&error.to_string()).is_some())
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

/// How large a tree a text would become. Counts before anything is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How deep brackets nest.
    pub depth: usize,
    /// Values and names, or somewhat fewer: what begins a list or an object, and what a comma stands before.
    pub values: usize,
}

impl Extent {
    /// Of what is not within strings.
    pub fn of(text: &str) -> Self {
        let (mut depth, mut values, mut quoted, mut escaped) = (0usize, 0, false, false);
        let mut deepest = 0;
        for byte in text.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b'{' | b'[' if !quoted => {
                    depth += 1;
                    values += 1;
                    deepest = deepest.max(depth);
                }
                b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
                b',' if !quoted => values += 1,
                _ => {}
            }
        }
        Self {
            depth: deepest,
            values,
        }
    }

    /// # Errors
    /// Why it is more than anybody means.
    pub fn judge(self) -> Result<(), String> {
        if self.depth > MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
        }
        if self.values > MAX_VALUES {
            return Err(format!("it holds more than {MAX_VALUES} values"));
        }
        Ok(())
    }
}

/// JSON in which no object has a field twice: which of the two counts would be anybody's guess. And
/// without the field names that `serde_json` keeps to itself: it would read the *text* below such a name
/// as JSON, past the check of depth. Builds nothing.
pub struct Ordinary;

const PRIVATE: &str = "$serde_json::private::";

impl<'de> Deserialize<'de> for Ordinary {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Walk;
        impl<'de> Visitor<'de> for Walk {
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
        deserializer.deserialize_any(Walk)
    }
}
