//! Protobuf messages as the JSON that subscribers know: what Go's `encoding/json` makes of whatsmeow's
//! structs, with snake_case keys.
//!
//! The generated types serialise every unset field as null, bytes as lists of numbers and enums as
//! names. This serialiser leaves unset and empty repeated fields out, writes bytes as base64 and
//! enums as their protocol numbers. No protobuf field repeats bytes one by one, so a list of `u8` is
//! always a byte string.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{
    Serialize,
    ser::{
        Error as _, Impossible, SerializeMap, SerializeSeq, SerializeStruct,
        SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    },
};
use serde_json::{Map, Value};

/// `None` when the value itself is unset.
pub(super) fn to_json<T: Serialize>(value: &T) -> Result<Option<Value>, JsonError> {
    Ok(value.serialize(Json)?.value())
}

/// The contract's key rule: two regular expressions, then lower case. It keeps oddities such as
/// `MessageIDs` → `message_i_ds`, which clients rely on.
pub(super) fn snake_key(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut split = Vec::with_capacity(chars.len() + 4);
    // ([a-z0-9])([A-Z]) → $1_$2
    for (i, c) in chars.iter().enumerate() {
        if c.is_ascii_uppercase()
            && i > 0
            && (chars[i - 1].is_ascii_lowercase() || chars[i - 1].is_ascii_digit())
        {
            split.push('_');
        }
        split.push(*c);
    }
    // ([A-Z]+)([A-Z][a-z]) → $1_$2
    let mut key = String::with_capacity(split.len() + 4);
    for (i, c) in split.iter().enumerate() {
        if c.is_ascii_uppercase()
            && i > 0
            && split[i - 1].is_ascii_uppercase()
            && split.get(i + 1).is_some_and(char::is_ascii_lowercase)
        {
            key.push('_');
        }
        key.push(c.to_ascii_lowercase());
    }
    key
}

/// The protocol number of an enum value. serde gives its place in the declaration, which is the
/// number except where a declaration starts at one or has gaps.
fn enum_number(name: &str, variant: &str, place: u32) -> i64 {
    let place = i64::from(place);
    match (name, variant) {
        (
            "OrientationType"
            | "BotMetricsThreadEntryPoint"
            | "ReminderAction"
            | "WebviewPresentationType"
            | "StatusLinkType"
            | "CalendarType"
            | "DayOfWeekType"
            | "OrderStatus"
            | "OrderSurface"
            | "StatusQuotedMessageType"
            | "MessageAddonExpiryType",
            _,
        ) => place + 1,
        ("ContentType", "UPDATE" | "UPDATE_CARD" | "LINK_CARD") => place + 1,
        (
            "FontType",
            "SYSTEM_BOLD"
            | "MORNINGBREEZE_REGULAR"
            | "CALISTOGA_REGULAR"
            | "EXO2_EXTRABOLD"
            | "COURIERPRIME_BOLD",
        ) => place + 3,
        ("PreviewType", "PLACEHOLDER" | "IMAGE" | "PAYMENT_LINKS" | "PROFILE") => place + 2,
        (
            "Type",
            "EPHEMERAL_SETTING"
            | "EPHEMERAL_SYNC_RESPONSE"
            | "HISTORY_SYNC_NOTIFICATION"
            | "APP_STATE_SYNC_KEY_SHARE"
            | "APP_STATE_SYNC_KEY_REQUEST"
            | "MSG_FANOUT_BACKFILL_REQUEST"
            | "INITIAL_SECURITY_NOTIFICATION_SETTING_SYNC"
            | "APP_STATE_FATAL_EXCEPTION_NOTIFICATION"
            | "SHARE_PHONE_NUMBER",
        ) => place + 2,
        ("Type", "MESSAGE_EDIT") => 14,
        (
            "Type",
            "PEER_DATA_OPERATION_REQUEST_MESSAGE"
            | "PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE"
            | "REQUEST_WELCOME_MESSAGE"
            | "BOT_FEEDBACK_MESSAGE"
            | "MEDIA_NOTIFY_MESSAGE"
            | "CLOUD_API_THREAD_CONTROL_NOTIFICATION"
            | "LID_MIGRATION_MAPPING_SYNC"
            | "REMINDER_MESSAGE"
            | "BOT_MEMU_ONBOARDING_MESSAGE"
            | "STATUS_MENTION_MESSAGE"
            | "STOP_GENERATION_MESSAGE"
            | "LIMIT_SHARING"
            | "AI_PSI_METADATA"
            | "AI_QUERY_FANOUT"
            | "GROUP_MEMBER_LABEL_CHANGE"
            | "AI_MEDIA_COLLECTION_MESSAGE"
            | "MESSAGE_UNSCHEDULE",
        ) => place + 5,
        ("Type", "CHAT_THEME_SETTING" | "AI_METADATA_OPERATION") => place + 6,
        _ => place,
    }
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct JsonError(String);

impl serde::ser::Error for JsonError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

enum Node {
    /// Left out by whatever holds it.
    Unset,
    /// A number, unless a list of nothing else makes it a byte string.
    Byte(u8),
    Set(Value),
}

impl Node {
    fn value(self) -> Option<Value> {
        match self {
            Self::Unset => None,
            Self::Byte(byte) => Some(byte.into()),
            Self::Set(value) => Some(value),
        }
    }
}

type Outcome = Result<Node, JsonError>;

struct Json;

impl serde::Serializer for Json {
    type Ok = Node;
    type Error = JsonError;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = Impossible<Node, JsonError>;
    type SerializeMap = Object;
    type SerializeStruct = Object;
    type SerializeStructVariant = Object;

    fn serialize_bool(self, v: bool) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_i8(self, v: i8) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_i16(self, v: i16) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_i32(self, v: i32) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_i64(self, v: i64) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_u8(self, v: u8) -> Outcome {
        Ok(Node::Byte(v))
    }
    fn serialize_u16(self, v: u16) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_u32(self, v: u32) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_u64(self, v: u64) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_f32(self, v: f32) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_f64(self, v: f64) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_char(self, v: char) -> Outcome {
        Ok(Node::Set(v.to_string().into()))
    }
    fn serialize_str(self, v: &str) -> Outcome {
        Ok(Node::Set(v.into()))
    }
    fn serialize_bytes(self, v: &[u8]) -> Outcome {
        Ok(Node::Set(STANDARD.encode(v).into()))
    }
    fn serialize_none(self) -> Outcome {
        Ok(Node::Unset)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Outcome {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Outcome {
        Ok(Node::Unset)
    }
    fn serialize_unit_struct(self, _name: &'static str) -> Outcome {
        Ok(Node::Unset)
    }
    fn serialize_unit_variant(
        self,
        name: &'static str,
        place: u32,
        variant: &'static str,
    ) -> Outcome {
        Ok(Node::Set(enum_number(name, variant, place).into()))
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Outcome {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _place: u32,
        variant: &'static str,
        value: &T,
    ) -> Outcome {
        let mut object = Map::new();
        if let Some(value) = value.serialize(Json)?.value() {
            object.insert(snake_key(variant), value);
        }
        Ok(Node::Set(Value::Object(object)))
    }
    fn serialize_seq(self, _len: Option<usize>) -> Result<List, JsonError> {
        Ok(List::default())
    }
    fn serialize_tuple(self, _len: usize) -> Result<List, JsonError> {
        Ok(List::default())
    }
    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<List, JsonError> {
        Ok(List::default())
    }
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _place: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, JsonError> {
        Err(JsonError::custom(format!(
            "{name}::{variant} is no protobuf value"
        )))
    }
    fn serialize_map(self, _len: Option<usize>) -> Result<Object, JsonError> {
        Ok(Object::default())
    }
    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Object, JsonError> {
        Ok(Object::default())
    }
    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _place: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Object, JsonError> {
        Ok(Object::default())
    }
}

/// A repeated field, or a byte string when only `u8` arrive.
#[derive(Default)]
struct List {
    values: Vec<Value>,
    bytes: Vec<u8>,
}

impl List {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        match value.serialize(Json)? {
            Node::Byte(byte) => self.bytes.push(byte),
            other => self.values.push(other.value().unwrap_or(Value::Null)),
        }
        Ok(())
    }
    fn finish(self) -> Outcome {
        Ok(if !self.values.is_empty() {
            Node::Set(Value::Array(self.values))
        } else if !self.bytes.is_empty() {
            Node::Set(STANDARD.encode(self.bytes).into())
        } else {
            Node::Unset
        })
    }
}

impl SerializeSeq for List {
    type Ok = Node;
    type Error = JsonError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        self.push(value)
    }
    fn end(self) -> Outcome {
        self.finish()
    }
}

impl SerializeTuple for List {
    type Ok = Node;
    type Error = JsonError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        self.push(value)
    }
    fn end(self) -> Outcome {
        self.finish()
    }
}

impl SerializeTupleStruct for List {
    type Ok = Node;
    type Error = JsonError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        self.push(value)
    }
    fn end(self) -> Outcome {
        self.finish()
    }
}

#[derive(Default)]
struct Object {
    fields: Map<String, Value>,
    key: Option<String>,
}

impl Object {
    fn set<T: Serialize + ?Sized>(&mut self, key: String, value: &T) -> Result<(), JsonError> {
        if let Some(value) = value.serialize(Json)?.value() {
            self.fields.insert(key, value);
        }
        Ok(())
    }
}

impl SerializeMap for Object {
    type Ok = Node;
    type Error = JsonError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), JsonError> {
        self.key = Some(match key.serialize(Json)?.value() {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        });
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        let key = self.key.take().unwrap_or_default();
        self.set(key, value)
    }
    fn end(self) -> Outcome {
        Ok(if self.fields.is_empty() {
            Node::Unset
        } else {
            Node::Set(Value::Object(self.fields))
        })
    }
}

impl SerializeStruct for Object {
    type Ok = Node;
    type Error = JsonError;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), JsonError> {
        self.set(snake_key(key), value)
    }
    fn end(self) -> Outcome {
        Ok(Node::Set(Value::Object(self.fields)))
    }
}

impl SerializeStructVariant for Object {
    type Ok = Node;
    type Error = JsonError;
    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), JsonError> {
        self.set(snake_key(key), value)
    }
    fn end(self) -> Outcome {
        Ok(Node::Set(Value::Object(self.fields)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use whatsapp_rust::waproto::whatsapp as wa;

    use super::*;

    #[test]
    fn keys_follow_the_contracts_rule() {
        for (name, key) in [
            ("MessageIDs", "message_i_ds"),
            ("IsFromMe", "is_from_me"),
            ("SenderAlt", "sender_alt"),
            ("ServerID", "server_id"),
            ("DeprecatedLIDSession", "deprecated_lid_session"),
            ("JPEGThumbnail", "jpeg_thumbnail"),
            ("fileEncSHA256", "file_enc_sha256"),
            ("URL", "url"),
            ("extendedTextMessage", "extended_text_message"),
            ("already_snake", "already_snake"),
        ] {
            assert_eq!(snake_key(name), key);
        }
    }

    #[test]
    fn unset_fields_are_left_out_and_bytes_are_base64() {
        let image = wa::message::ImageMessage {
            url: Some("https://media.example/x".to_owned()),
            media_key: Some(vec![1, 2, 3, 4]),
            file_length: Some(7),
            ..Default::default()
        };
        assert_eq!(
            to_json(&image).expect("json"),
            Some(json!({
                "url": "https://media.example/x",
                "media_key": "AQIDBA==",
                "file_length": 7,
            }))
        );
    }

    #[test]
    fn enums_are_their_protocol_numbers() {
        use wa::message::{
            extended_text_message::{FontType, PreviewType},
            protocol_message::Type,
        };
        for value in [
            Type::REVOKE,
            Type::EPHEMERAL_SETTING,
            Type::SHARE_PHONE_NUMBER,
            Type::MESSAGE_EDIT,
            Type::REQUEST_WELCOME_MESSAGE,
            Type::MESSAGE_UNSCHEDULE,
            Type::AI_METADATA_OPERATION,
        ] {
            assert_eq!(to_json(&value).expect("json"), Some((value as i32).into()));
        }
        for value in [FontType::SYSTEM, FontType::SYSTEM_BOLD] {
            assert_eq!(to_json(&value).expect("json"), Some((value as i32).into()));
        }
        for value in [PreviewType::VIDEO, PreviewType::PROFILE] {
            assert_eq!(to_json(&value).expect("json"), Some((value as i32).into()));
        }
    }
}
