//! Telling senders that their messages were read.

use recado_model::{MessageId, Result, call::MarkRead};

use super::{
    super::{address::jid, core::LinkCore},
    ASK, within,
};

impl LinkCore {
    pub(super) async fn mark_read(&self, call: &MarkRead) -> Result<()> {
        let client = self.online()?;
        let chat = jid("chat", &call.chat)?;
        let sender = call.sender.as_ref().map(|sender| jid("sender", sender));
        let sender = sender.transpose()?;
        let ids: Vec<&str> = call.ids.iter().map(MessageId::as_str).collect();
        within(ASK, client.mark_as_read(&chat, sender.as_ref(), &ids)).await
    }
}
