//! Single values as careless clients write them: `1.0` for 1, a number for a text, `[]` for `{}`.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        Error as _, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
        value::MapAccessDeserializer,
    },
};

/// Up to here every whole number has a double of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The whole number that a double is.
fn whole_of(number: f64) -> Option<i64> {
    let fits = number.fract() == 0.0 && number.abs() <= EXACT;
    fits.then_some(number as i64)
}

/// A whole number, also written `1.0`: some languages have no other.
pub fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let found = deserializer.deserialize_any(Whole { text: false })?;
    found.ok_or_else(|| D::Error::custom("expected a whole number"))
}

pub fn some_whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    deserializer.deserialize_any(Whole { text: false })
}

/// The same, also as text: models write the arguments of tools.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let found = deserializer.deserialize_any(Whole { text: true })?;
    found.ok_or_else(|| D::Error::custom("expected a whole number"))
}

/// The same, where `""` is none.
pub fn some_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    deserializer.deserialize_any(Whole { text: true })
}

struct Whole {
    text: bool,
}

impl Visitor<'_> for Whole {
    type Value = Option<i64>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }
    fn visit_i64<E>(self, number: i64) -> Result<Option<i64>, E> {
        Ok(Some(number))
    }
    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Option<i64>, E> {
        let fits = i64::try_from(number).map(Some);
        fits.map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }
    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Option<i64>, E> {
        match whole_of(number) {
            Some(whole) => Ok(Some(whole)),
            None => Err(E::invalid_value(Unexpected::Float(number), &self)),
        }
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Option<i64>, E> {
        let digits = text.trim();
        let written = match digits.split_once('.') {
            Some((whole, rest)) if !rest.is_empty() && rest.bytes().all(|b| b == b'0') => whole,
            _ => digits,
        };
        match written.parse() {
            Ok(number) if self.text => Ok(Some(number)),
            _ if self.text && digits.is_empty() => Ok(None),
            _ => Err(E::invalid_type(Unexpected::Str(text), &self)),
        }
    }
    fn visit_unit<E>(self) -> Result<Option<i64>, E> {
        Ok(None)
    }
}

/// Yes or no in a query, as the clients' languages write it; `""` is neither.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    match text.unwrap_or_default().trim().to_lowercase().as_str() {
        "" => Ok(None),
        "true" | "1" => Ok(Some(true)),
        "false" | "0" => Ok(Some(false)),
        _ => Err(D::Error::custom("expected true or false")),
    }
}

/// A number with a fraction, also as text.
pub fn decimal<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a number")]
    enum Form {
        Number(f64),
        Text(String),
    }
    match Form::deserialize(deserializer)? {
        Form::Number(number) => Ok(number),
        // Read as the number itself is, so that both are the same one.
        Form::Text(text) => {
            serde_json::from_str(text.trim()).map_err(|_| D::Error::custom("expected a number"))
        }
    }
}

/// Text that careless clients send as a number: phones.
pub fn text_or_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a string")]
    enum Written {
        Text(String),
        Number(u64),
        Float(f64),
    }
    match Written::deserialize(deserializer)? {
        Written::Text(text) => Ok(text),
        Written::Number(number) => Ok(number.to_string()),
        Written::Float(number) => match whole_of(number).filter(|whole| *whole >= 0) {
            Some(whole) => Ok(whole.to_string()),
            None => Err(D::Error::custom("expected a string")),
        },
    }
}

/// An object, or PHP's empty one: `[]`.
pub fn object_or_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    struct Lenient<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for Lenient<T> {
        type Value = T;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(access))
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<T, A::Error> {
            match access.next_element::<IgnoredAny>()? {
                None => Ok(T::default()),
                Some(_) => Err(A::Error::invalid_type(Unexpected::Seq, &self)),
            }
        }
    }
    deserializer.deserialize_any(Lenient(PhantomData))
}

pub fn some_object_or_empty<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    object_or_empty(deserializer).map(Some)
}

/// `true` or `false`, also as a text or as 1 and 0: several languages write it so. `""` is none.
pub fn some_switch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected true or false")]
    enum Form {
        Switch(bool),
        Number(u64),
        Text(String),
    }
    let wrong = || D::Error::custom("expected true or false");
    match Option::<Form>::deserialize(deserializer)? {
        None => Ok(None),
        Some(Form::Switch(on)) => Ok(Some(on)),
        Some(Form::Number(0)) => Ok(Some(false)),
        Some(Form::Number(1)) => Ok(Some(true)),
        Some(Form::Number(_)) => Err(wrong()),
        Some(Form::Text(text)) => match text.trim().to_lowercase().as_str() {
            "" => Ok(None),
            "true" | "1" => Ok(Some(true)),
            "false" | "0" => Ok(Some(false)),
            _ => Err(wrong()),
        },
    }
}
