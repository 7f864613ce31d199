//! The kinds of messages that callers send, by turns: what is built differently, or has more to lose.

use serde_json::{Value, json};

/// What is chosen of each poll.
pub const OPTION: &str = "Yes";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// Its bytes are uploaded before it is sent.
    Document,
    /// Sent again, it must keep its secret: else no vote in it can be read.
    Poll,
    Location,
    Contact,
}

const TURNS: [Kind; 6] = [
    Kind::Text,
    Kind::Document,
    Kind::Poll,
    Kind::Text,
    Kind::Location,
    Kind::Contact,
];

impl Kind {
    pub fn of(number: u32) -> Self {
        TURNS[number as usize % TURNS.len()]
    }

    /// Below `/chat/send/`.
    pub fn route(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Document => "document",
            Self::Poll => "poll",
            Self::Location => "location",
            Self::Contact => "contact",
        }
    }

    /// `text` is another one for each message.
    pub fn body(self, text: &str) -> Value {
        match self {
            Self::Text => json!({"message": text}),
            Self::Document => {
                let mut bytes = text.as_bytes().to_vec();
                bytes.resize(20_000, b'.');
                let data = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, bytes);
                json!({"document": data, "file_name": "note.txt", "caption": text})
            }
            Self::Poll => json!({"name": text, "options": [OPTION, "No"]}),
            Self::Location => json!({"latitude": 1.5, "longitude": 2.5, "name": text}),
            Self::Contact => json!({"contact_name": text, "contact_phone": "5511999990010"}),
        }
    }
}
