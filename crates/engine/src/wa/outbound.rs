//! Messages on their way out, handed to WhatsApp. Other questions to a device are in `calls`.

use recado_model::{Error, ErrorCode, Result, message::FinishedMessage};
use whatsapp_rust::{
    ClientError, Freshness, IqError, SendError, SendOptions,
    waproto::{buffa::Message as _, whatsapp as wa},
};

use super::{
    address::jid,
    core::{LinkCore, not_connected},
};

impl LinkCore {
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
