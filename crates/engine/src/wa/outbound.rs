//! Messages on their way out: made once, and handed to WhatsApp. Other questions to a device are in `calls`.

use std::sync::Arc;

use recado_model::{
    Error, ErrorCode, Result,
    message::{Draft, FinishedMessage, Rendered},
};
use whatsapp_rust::{
    Client, ClientError, Freshness, IqError, SendError, SendOptions,
    wacore::reporting_token::REPORTING_TOKEN_VERSION,
    waproto::{
        buffa::{Message as _, MessageField},
        whatsapp as wa,
    },
};

use super::{calls::jid, core::LinkCore, kinds, payload};

impl LinkCore {
    pub(super) fn online(&self) -> Result<Arc<Client>> {
        let connection = self.connection().ok_or_else(not_connected)?;
        if connection.client.is_connected() && connection.client.is_logged_in() {
            Ok(connection.client.clone())
        } else {
            Err(not_connected())
        }
    }

    /// Without a limit of its own: the engine may wait for the end of the offline messages first, and
    /// the caller gives up when it wants.
    pub(super) async fn send(&self, message: &FinishedMessage) -> Result<()> {
        let client = self.online()?;
        let to = jid("to", &message.to)?;
        let content = wa::Message::decode_from_slice(&message.proto).map_err(Error::internal)?;
        let mut options = SendOptions::default().with_message_id(message.id.as_str());
        if message.refresh_group {
            options = options.with_group_metadata_freshness(Freshness::Refresh);
        }
        client
            .send_message_with_options(to, content, options)
            .await
            .map(drop)
            .map_err(not_sent)
    }
}

/// The finished message: with its secret, or the engine would give each try another one, and a phone that
/// asks for a resend none.
pub(super) fn compose(draft: &Draft, secret: &[u8; 32]) -> Vec<u8> {
    let mut message = kinds::make(draft);
    // Nobody answers to a reaction; programs send none with theirs.
    if message.reaction_message.is_set() {
        return message.encode_to_vec();
    }
    message.message_context_info = MessageField::some(wa::MessageContextInfo {
        message_secret: Some(secret.to_vec()),
        // The engine adds it on the way out, and does not keep it: a resend would lack it.
        reporting_token_version: Some(REPORTING_TOKEN_VERSION),
        ..Default::default()
    });
    message.encode_to_vec()
}

/// As subscribers see it. Its secret is for those who can vote or react: not theirs.
pub(super) fn render(proto: &[u8]) -> Result<Rendered> {
    let mut message = wa::Message::decode_from_slice(proto).map_err(Error::internal)?;
    message.message_context_info = MessageField::none();
    Ok(payload::render(&message))
}

fn not_sent(error: SendError) -> Error {
    match error {
        SendError::NotLoggedIn
        | SendError::Client(
            ClientError::NotConnected
            | ClientError::NotLoggedIn
            | ClientError::Socket(_)
            | ClientError::EncryptSend(_),
        )
        | SendError::Iq(
            IqError::NotConnected
            | IqError::Socket(_)
            | IqError::EncryptSend(_)
            | IqError::ClientState(_)
            | IqError::Disconnected(_)
            | IqError::InternalChannelClosed,
        ) => not_connected().with_source(error),
        // The only question that sending asks about something that may not be there is for a group.
        SendError::Iq(IqError::ServerError {
            code: 401 | 403 | 404 | 406 | 410,
            ..
        }) => {
            Error::new(ErrorCode::NotFound, "The number is not in this group.").with_source(error)
        }
        SendError::InvalidRequest(_) => {
            Error::field("to", "WhatsApp does not take messages for this address")
                .with_source(error)
        }
        _ => Error::new(
            ErrorCode::EngineUnavailable,
            "WhatsApp did not take the message. Try again; it is shown once.",
        )
        .with_source(error),
    }
}

/// No socket, or not logged in.
fn not_connected() -> Error {
    Error::new(
        ErrorCode::InstanceNotConnected,
        "The instance is not connected to WhatsApp. Ask for session/status, then session/qr.",
    )
}
