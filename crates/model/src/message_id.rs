//! WhatsApp's ids of messages.

use serde::{Deserialize, Serialize};

use crate::clock::Rng;

/// WhatsApp's own id of a message, fixed before the first try and repeated on each, so that the
/// phone shows the message once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// `3EB0` + 28 hexadecimal digits: the form linked devices use, 32 characters.
    pub fn random(rng: &dyn Rng) -> Self {
        let mut bytes = [0u8; 14];
        rng.fill(&mut bytes);
        let mut text = String::with_capacity(32);
        text.push_str("3EB0");
        for byte in bytes {
            text.push_str(&format!("{byte:02X}"));
        }
        Self(text)
    }
    /// A caller's own id: 8 to 64 of `A-Z a-z 0-9 - _ .`, else `None`.
    pub fn from_caller(text: &str) -> Option<Self> {
        let fits = (8..=64).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
        fits.then(|| Self(text.to_owned()))
    }
    pub fn from_wire(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for MessageId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
