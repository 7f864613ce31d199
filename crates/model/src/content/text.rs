//! Plain text.

use serde::Serialize;

use crate::{Error, Result, text::is_blank};

/// WhatsApp's own limit on a text, in characters.
const MOST: usize = 65_536;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Text {
    body: String,
}

impl Text {
    /// # Errors
    /// For the field `message`: nothing that can be seen, or more than 65536 characters.
    pub fn new(body: impl Into<String>) -> Result<Self> {
        let body = body.into();
        let wrong = match body.as_str() {
            "" => "message is required: the text to send",
            text if is_blank(text) => "message shows nothing: write a text that can be seen",
            text if text.chars().count() > MOST => "message has at most 65536 characters",
            _ => return Ok(Self { body }),
        };
        Err(Error::field("message", wrong))
    }

    pub fn as_str(&self) -> &str {
        &self.body
    }
}
