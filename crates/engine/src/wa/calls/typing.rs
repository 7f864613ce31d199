//! Showing that somebody writes or records.

use recado_model::{Result, call::Typing, message::TypingState};

use super::{
    super::{address::jid, core::LinkCore},
    ASK, within,
};

impl LinkCore {
    pub(super) async fn show_typing(&self, call: &Typing) -> Result<()> {
        let client = self.online()?;
        let chat = jid("chat", &call.chat)?;
        let typing = client.chatstate();
        match call.state {
            TypingState::Composing => within(ASK, typing.send_composing(&chat)).await,
            TypingState::Recording => within(ASK, typing.send_recording(&chat)).await,
            TypingState::Paused => within(ASK, typing.send_paused(&chat)).await,
        }
    }
}
