//! Identifiers: a prefix that says what it names, then 26 upper-case base32 characters (130 random
//! bits). Single-case alphanumerics, so that no database collation reorders a page. An id is never a
//! secret.

use serde::{Deserialize, Serialize};

use crate::clock::Rng;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LEN: usize = 26;

/// `LEN` characters of upper-case base32 from `rng`.
pub fn random_base32(rng: &dyn Rng) -> String {
    let mut bytes = [0u8; LEN];
    rng.fill(&mut bytes);
    bytes
        .iter()
        .map(|b| BASE32[(b & 31) as usize] as char)
        .collect()
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            pub fn random(rng: &dyn Rng) -> Self {
                Self(format!("{}{}", $prefix, random_base32(rng)))
            }

            /// An id that came from outside or from a row; whether it exists is the store's answer.
            pub fn from_text(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A tenant.
    AccountId = "AC";
    /// A person who signs in.
    UserId = "US";
    /// A person who is signed in.
    UserSessionId = "SN";
    /// A link that was sent to a person: invitation, reset, …
    LinkId = "LK";
    /// One WhatsApp connection; public, as the instance API shows it.
    InstanceId = "RC";
    CredentialId = "CR";
    /// The key under which look-up hashes are made.
    PepperId = "PE";
    /// A person that an instance has had to do with.
    ContactId = "CO";
    ChatId = "CH";
    /// A message's row. (Its [`MessageId`](crate::MessageId) is unique only in its chat and for its sender.)
    MessageKey = "ME";
    /// A medium that is kept here.
    MediaId = "MD";
    EventId = "EV";
    WebhookId = "WH";
    DeliveryId = "DL";
    JobId = "JB";
    /// One HTTP request, for logs and `X-Request-Id`.
    RequestId = "RQ";
}
