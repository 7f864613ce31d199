//! Asking the phone for older messages of a chat.

use recado_identity::Granted;
use recado_model::{
    Address, Direction, Error, ErrorCode, History, Result, call::FetchHistory, chat::LastMessage,
};

use super::Chats;
use crate::instances::require_paired;

/// What the phone was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedHistory {
    /// By this name the answer goes, should there be one.
    pub request: String,
    /// Older than this one.
    pub before: LastMessage,
}

impl Chats<'_> {
    /// Asks the phone for so many messages of a chat before the oldest one here. What it sends is stored like what it sent at
    /// first; it may send nothing.
    ///
    /// # Errors
    /// 404 for a chat that is not in the list; 409 without a connection, of a chat without a message that WhatsApp has,
    /// and where the past is not kept.
    pub async fn ask_for_older(
        &self,
        granted: &Granted,
        who: &str,
        count: u32,
    ) -> Result<AskedHistory> {
        let address = Address::from_caller(who)?;
        require_paired(granted.instance())?;
        if granted.instance().settings.history == History::Off {
            return Err(conflict(
                "The past of this number is not kept: its setting history is off. Set it to recent or full first.",
            ));
        }
        self.app.supervisor.require_here(granted.id()).await?;
        let (chat, _) = self.find_at(granted, address).await?;
        let (account, instance) = (granted.account(), granted.id());
        let mut conn = self.app.core.store.read().await?;
        let oldest = conn
            .account(account)
            .oldest_message(instance, &chat)
            .await?;
        drop(conn);
        let Some(oldest) = oldest else {
            return Err(conflict(
                "This chat has no message that the phone knows: there is none to ask for older ones from.",
            ));
        };
        // As the message named them: so the phone finds it.
        let sender = oldest.wire_chat.is_group().then_some(oldest.wire_sender);
        let before = LastMessage {
            id: oldest.id,
            from_me: oldest.direction == Direction::Out,
            sender,
            at: oldest.at,
        };
        let call = FetchHistory {
            chat: oldest.wire_chat,
            oldest: before.clone(),
            count,
        };
        let request = self.app.exchange.ask(account, instance, call).await?;
        Ok(AskedHistory { request, before })
    }
}

fn conflict(text: &'static str) -> Error {
    Error::new(ErrorCode::Conflict, text)
}
