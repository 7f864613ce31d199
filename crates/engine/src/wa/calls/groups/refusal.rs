//! What WhatsApp's refusals of group calls mean to callers.

use recado_model::{Error, ErrorCode, group};
use whatsapp_rust::{IqError, features::GroupError};

use super::super::super::core::not_connected;

fn failed(error: GroupError) -> Error {
    Error::new(
        ErrorCode::EngineUnavailable,
        "WhatsApp did not carry this out. Try again.",
    )
    .with_source(error)
}

/// About a group that is named by its address.
pub(super) fn of(error: GroupError) -> Error {
    let GroupError::Iq(inner) = &error else {
        return match error {
            GroupError::DescriptionConflict => Error::new(
                ErrorCode::Conflict,
                "The description was changed by somebody else at the same time. Try again.",
            ),
            GroupError::InvalidRequest(_) => {
                Error::new(ErrorCode::InvalidRequest, "WhatsApp does not take this.")
                    .with_source(error)
            }
            other => failed(other),
        };
    };
    match inner {
        IqError::ServerError { code, .. } => match code {
            401 | 403 => group::not_admin().with_source(error),
            404 => group::not_in_it().with_source(error),
            304 | 409 => Error::new(ErrorCode::Conflict, "It is so already.").with_source(error),
            400 | 406 => Error::new(ErrorCode::InvalidRequest, "WhatsApp does not take this.")
                .with_source(error),
            410 => gone().with_source(error),
            412 | 419 => Error::new(ErrorCode::Conflict, "The group is full.").with_source(error),
            423 => Error::new(ErrorCode::Conflict, "The group is locked.").with_source(error),
            429 => Error::new(
                ErrorCode::RateLimited,
                "WhatsApp has had too many of these. Try again later.",
            )
            .with_retry_after(60)
            .with_source(error),
            _ => failed(error),
        },
        IqError::NotConnected
        | IqError::Socket(_)
        | IqError::EncryptSend(_)
        | IqError::ClientState(_)
        | IqError::Disconnected(_)
        | IqError::InternalChannelClosed => not_connected().with_source(error),
        _ => failed(error),
    }
}

fn gone() -> Error {
    Error::new(
        ErrorCode::LinkInvalid,
        "link: this link was reset, or never led to a group.",
    )
    .with_field("link")
}

/// The same where a link names it.
pub(super) fn of_link(error: Error) -> Error {
    match error.code {
        ErrorCode::NotFound | ErrorCode::InvalidRequest => gone().with_source(error),
        ErrorCode::NotGroupAdmin => Error::new(
            ErrorCode::Conflict,
            "link: WhatsApp does not let this number in; somebody may have removed it.",
        )
        .with_field("link")
        .with_source(error),
        ErrorCode::Conflict if error.message.starts_with("It is so") => Error::new(
            ErrorCode::Conflict,
            "link: this number is in that group already.",
        )
        .with_field("link")
        .with_source(error),
        _ => error,
    }
}
