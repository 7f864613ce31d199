//! What a linked device does on request: send, mark as read, show typing, look up numbers.

use std::{sync::Arc, time::Duration};

use recado_model::{
    Address, Error, ErrorCode, PhoneNumber, Result,
    message::{Draft, FinishedMessage, MessageId, Rendered},
};
use whatsapp_rust::{
    Client, ClientError, Freshness, IqError, IsOnWhatsAppResult, Jid, SendError, SendOptions,
    wacore::reporting_token::REPORTING_TOKEN_VERSION,
    waproto::{
        buffa::{Message as _, MessageField},
        whatsapp as wa,
    },
};

use super::{
    kinds,
    link::{LinkCore, not_connected},
    payload,
};

const ASK: Duration = Duration::from_secs(30);

impl LinkCore {
    fn online(&self) -> Result<Arc<Client>> {
        let session = self.session().ok_or_else(not_connected)?;
        if session.client.is_connected() && session.client.is_logged_in() {
            Ok(session.client.clone())
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

    pub(super) async fn mark_read(
        &self,
        chat: &Address,
        sender: Option<&Address>,
        ids: &[MessageId],
    ) -> Result<()> {
        let client = self.online()?;
        let chat = jid("chat", chat)?;
        let sender = sender.map(|sender| jid("sender", sender)).transpose()?;
        let ids: Vec<&str> = ids.iter().map(MessageId::as_str).collect();
        within(ASK, client.mark_as_read(&chat, sender.as_ref(), &ids)).await
    }

    pub(super) async fn set_typing(&self, chat: &Address, state: &str) -> Result<()> {
        let client = self.online()?;
        let chat = jid("chat", chat)?;
        let typing = client.chatstate();
        match state {
            "composing" => within(ASK, typing.send_composing(&chat)).await,
            "recording" => within(ASK, typing.send_recording(&chat)).await,
            "paused" => within(ASK, typing.send_paused(&chat)).await,
            _ => Err(Error::field(
                "state",
                "state must be composing, recording or paused",
            )),
        }
    }

    pub(super) async fn on_whatsapp(
        &self,
        phones: &[PhoneNumber],
    ) -> Result<Vec<(PhoneNumber, Option<Address>)>> {
        let client = self.online()?;
        let found = look_up(&client, phones).await?;
        // WhatsApp may know a number under a corrected form (Brazil's ninth digit), and then the
        // answer names no number that was asked for. Such a number is asked for alone.
        let is_corrected =
            |result: &IsOnWhatsAppResult| !phones.iter().any(|phone| answers(result, phone));
        let any_corrected = found
            .iter()
            .any(|result| result.is_registered && is_corrected(result));
        let mut answer = Vec::with_capacity(phones.len());
        for phone in phones {
            let address = match found.iter().find(|result| answers(result, phone)) {
                Some(result) => address(result),
                None if any_corrected && phones.len() > 1 => {
                    look_up(&client, std::slice::from_ref(phone))
                        .await?
                        .first()
                        .and_then(address)
                }
                None => found
                    .first()
                    .filter(|_| phones.len() == 1)
                    .and_then(address),
            };
            answer.push((phone.clone(), address));
        }
        Ok(answer)
    }
}

async fn look_up(client: &Client, phones: &[PhoneNumber]) -> Result<Vec<IsOnWhatsAppResult>> {
    let jids: Vec<Jid> = phones.iter().map(|phone| Jid::pn(phone.as_str())).collect();
    within(ASK, client.contacts().is_on_whatsapp(&jids)).await
}

fn number(result: &IsOnWhatsAppResult) -> &Jid {
    result.pn_jid.as_ref().unwrap_or(&result.jid)
}

fn answers(result: &IsOnWhatsAppResult, phone: &PhoneNumber) -> bool {
    number(result).user == phone.as_str()
}

fn address(result: &IsOnWhatsAppResult) -> Option<Address> {
    result
        .is_registered
        .then(|| Address::from_wire(number(result).to_non_ad_string()))
}

/// The finished message: with its secret, or the engine would give each try another one, and a phone that
/// asks for a resend none.
pub(super) fn compose(draft: &Draft, secret: &[u8; 32]) -> Vec<u8> {
    let mut message = kinds::make(draft);
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

fn jid(field: &'static str, address: &Address) -> Result<Jid> {
    address.as_str().parse().map_err(|_| {
        Error::field(
            field,
            "must be a WhatsApp address, for example 5511999999999@s.whatsapp.net",
        )
    })
}

/// For questions and signals, whose failures all mean the same to the caller.
async fn within<T, E>(
    limit: Duration,
    work: impl Future<Output = std::result::Result<T, E>>,
) -> Result<T>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::new(
            ErrorCode::EngineUnavailable,
            "WhatsApp did not carry this out. Try again.",
        )
        .with_source(error)),
        Err(_) => Err(too_slow()),
    }
}

fn too_slow() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "WhatsApp did not answer in time. Try again; a repeated message is shown once.",
    )
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
