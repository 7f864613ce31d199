//! A message that somebody has written, passed on as it is.

use serde::Serialize;

use crate::{Address, ContentKind, MessageId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Forward {
    /// The message that is passed on, and where it is.
    pub source: MessageId,
    pub chat: Address,
    #[serde(skip)]
    pub kind: ContentKind,
    /// What a person reads of it.
    #[serde(skip)]
    pub text: Option<String>,
    /// The encoded protobuf, made ready to be passed on. It is the source's, so no part of what tells one
    /// from another.
    #[serde(skip)]
    pub proto: Vec<u8>,
}
