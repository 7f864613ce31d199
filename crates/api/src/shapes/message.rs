//! Where a message stands.

use recado_model::{ContentKind, Error, ErrorCode, MessageStatus};
use schemars::{Schema, SchemaGenerator};

use crate::describe::one_of;

/// The schema of a message's status.
pub(crate) fn statuses(_: &mut SchemaGenerator) -> Schema {
    one_of(MessageStatus::ALL.map(MessageStatus::as_str))
}

/// The schema of a receipt's state.
pub(crate) fn receipts(_: &mut SchemaGenerator) -> Schema {
    one_of(["delivered", "read", "read_self"])
}

/// The schema of a message's kind.
pub(crate) fn kinds(_: &mut SchemaGenerator) -> Schema {
    one_of(ContentKind::ALL.map(ContentKind::as_str))
}

pub(crate) fn no_such_message() -> Error {
    Error::new(
        ErrorCode::NotFound,
        "This instance has no message with this id. Take the message_id of the answer to the send.",
    )
}
