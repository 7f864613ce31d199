//! A look at a JSON-RPC message without building it: method, id and whether it is of the modern
//! revision. What the guard decides on is exactly what is forwarded, because repeated keys fail and
//! only objects are read: a derived reader would fill its fields from an array, too, in order.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::value::RawValue;

/// From this revision on a request describes itself, and the revision's rules hold, not the
/// contract's.
const MODERN: &str = "2026-07-28";

/// One message. Borrowed, so that the id is echoed byte for byte. An array is none.
pub struct RpcEnvelope<'a> {
    jsonrpc: Option<Cow<'a, str>>,
    method: Option<Cow<'a, str>>,
    /// `Some` for `null` too: that is a broken request, not a notification.
    id: Option<&'a RawValue>,
    pub params: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for RpcEnvelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct RpcFields<'a> {
            #[serde(default, borrow)]
            jsonrpc: Option<Cow<'a, str>>,
            #[serde(default, borrow)]
            method: Option<Cow<'a, str>>,
            #[serde(default, borrow, deserialize_with = "present")]
            id: Option<&'a RawValue>,
            #[serde(default, borrow, deserialize_with = "present")]
            params: Option<&'a RawValue>,
        }
        let Object(fields) = Object::<RpcFields<'a>>::deserialize(deserializer)?;
        Ok(Self {
            jsonrpc: fields.jsonrpc,
            method: fields.method,
            id: fields.id,
            params: fields.params,
        })
    }
}

/// A `T` that was written as an object, never as an array of its fields.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OnlyMap<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMap<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(access))
            }
        }
        deserializer
            .deserialize_map(OnlyMap(PhantomData))
            .map(Object)
    }
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The kind of a message.
pub enum Kind<'a> {
    Request {
        method: &'a str,
        id: &'a RawValue,
    },
    Notification,
    /// Why it is neither; the id where it is usable.
    Invalid {
        why: &'static str,
        id: Option<&'a RawValue>,
    },
}

impl<'a> RpcEnvelope<'a> {
    pub fn kind(&self) -> Kind<'_> {
        let usable = self.id.filter(|id| is_usable(id.get()));
        let invalid = |why| Kind::Invalid { why, id: usable };
        if self.jsonrpc.as_deref() != Some("2.0") {
            return invalid("jsonrpc must be \"2.0\"");
        }
        let Some(method) = self.method.as_deref() else {
            return invalid("method is required");
        };
        match (self.id, usable) {
            (None, _) => Kind::Notification,
            (Some(_), Some(id)) => Kind::Request { method, id },
            (Some(_), None) => invalid("id must be a string or an integer"),
        }
    }

    /// The one request that needs no token.
    pub fn is_initialize(&self) -> bool {
        matches!(
            self.kind(),
            Kind::Request {
                method: "initialize",
                ..
            }
        )
    }

    /// Whether the request names its own revision in `_meta`.
    pub fn is_modern(&self) -> bool {
        #[derive(Deserialize)]
        struct RpcParams<'a> {
            #[serde(default, borrow, rename = "_meta")]
            meta: Option<Object<Meta<'a>>>,
        }
        #[derive(Deserialize)]
        struct Meta<'a> {
            #[serde(default, borrow, rename = "io.modelcontextprotocol/protocolVersion")]
            version: Option<Cow<'a, str>>,
        }
        self.params
            .and_then(|params| serde_json::from_str::<Object<RpcParams<'_>>>(params.get()).ok())
            .and_then(|Object(params)| params.meta?.0.version)
            .is_some()
    }
}

/// Strings and whole numbers that the protocol's implementations carry; `1.0` is one, too.
fn is_usable(id: &str) -> bool {
    // One with half of an emoji would make an answer that nobody reads.
    let is_text = || serde_json::from_str::<String>(id).is_ok();
    (id.starts_with('"') && is_text()) || plain_id(id).parse::<i64>().is_ok()
}

/// The id as the protocol's implementation reads it: `1.0` is 1.
pub fn plain_id(id: &str) -> &str {
    match id.split_once('.') {
        Some((whole, rest)) if !rest.is_empty() && rest.bytes().all(|b| b == b'0') => whole,
        _ => id,
    }
}

/// Whether the header `MCP-Protocol-Version` names the modern revision or a later one. Dates in
/// this form sort as text.
pub fn is_modern_header(headers: &http::HeaderMap) -> bool {
    headers
        .get("mcp-protocol-version")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|version| version.len() == MODERN.len() && version >= MODERN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<RpcEnvelope<'_>> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn ids_are_kept_as_they_were_written() {
        for id in ["1", "-7", "9007199254740993", r#""a\"b\u00e9""#] {
            let text = format!(r#"{{"jsonrpc":"2.0","method":"ping","id":{id}}}"#);
            let envelope = parse(&text).expect("envelope");
            let Kind::Request { id: found, .. } = envelope.kind() else {
                panic!("{text}")
            };
            assert_eq!(found.get(), id);
        }
        assert_eq!(
            ["1.0", "-7.00", "1.5", "1."].map(plain_id),
            ["1", "-7", "1.5", "1."]
        );
        for id in [
            "null",
            r#""\ud83d""#,
            "1.5",
            "1e0",
            "true",
            "{}",
            "[1]",
            "99999999999999999999",
        ] {
            let text = format!(r#"{{"jsonrpc":"2.0","method":"ping","id":{id}}}"#);
            let envelope = parse(&text).expect("envelope");
            assert!(
                matches!(envelope.kind(), Kind::Invalid { id: None, .. }),
                "{text}"
            );
        }
    }

    #[test]
    fn smuggling_does_not_parse() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","method":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","\u006dethod":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
            r#"["2.0","initialize",1]"#,
            r#"["2.0","initialize",1,{"jsonrpc":"2.0","id":7,"method":"tools/list"}]"#,
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn kinds() {
        let notification = parse(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        assert!(matches!(
            notification.expect("read").kind(),
            Kind::Notification
        ));
        let open = parse(r#"{"jsonrpc":"2.0","method":"initialize"}"#).expect("read");
        assert!(
            !open.is_initialize(),
            "a notification of that name is not the open request"
        );
        let modern = parse(
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
        );
        assert!(modern.expect("read").is_modern());
        for params in [r#"[["2026-07-28"]]"#, r#"{"_meta":["2026-07-28"]}"#] {
            let text =
                format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{params}}}"#);
            assert!(!parse(&text).expect("read").is_modern(), "{text}");
        }
    }
}
