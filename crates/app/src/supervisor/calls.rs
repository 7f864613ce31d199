//! Calls to devices whose actor is in this process.

use async_trait::async_trait;
use recado_model::{
    AccountId, Call, CallAnswer, Direction, Error, ErrorCode, InstanceId, MediaKey, Result,
};
use recado_store::MessageRow;
use tokio::sync::oneshot;

use super::Supervisor;
use crate::{
    exchange::Exchange,
    inbox::{Command, Reupload},
};

/// To the actors of this process.
#[async_trait]
impl Exchange for Supervisor {
    async fn put_through(
        &self,
        account: &AccountId,
        instance: &InstanceId,
        call: Call,
    ) -> Result<CallAnswer> {
        let Some(handle) = self.handle(instance) else {
            self.require_here(instance).await?;
            return Err(no_link());
        };
        // A caller who was judged before the instance was claimed must not reach the shop's link.
        if handle.account != *account {
            return Err(Error::forbidden());
        }
        let (reply, answer) = oneshot::channel();
        let asked = handle.commands.send(Command::Call { call, reply });
        asked.map_err(|_| no_link())?;
        // The actor ended meanwhile.
        answer.await.map_err(|_| no_link())?
    }
}

impl Supervisor {
    /// Asks the phone to bring the medium of a message to WhatsApp again: where it is then, `None` when the
    /// phone has it no more either.
    pub async fn reupload(
        &self,
        account: &AccountId,
        message: &MessageRow,
        key: MediaKey,
    ) -> Result<Option<String>> {
        let handle = self.handle(&message.instance);
        let handle = handle.filter(|handle| handle.account == *account);
        let handle = handle.ok_or_else(no_link)?;
        let chat = message.wire_chat.clone();
        let (reply, answer) = oneshot::channel();
        let asked = handle.commands.send(Command::Reupload(Reupload {
            sender: chat.is_group().then(|| message.wire_sender.clone()),
            chat,
            from_me: message.direction == Direction::Out,
            id: message.id.clone(),
            key,
            reply,
        }));
        asked.map_err(|_| no_link())?;
        answer.await.map_err(|_| no_link())?
    }

    /// Refuses what needs the link of an instance that another node leads.
    pub async fn require_here(&self, instance: &InstanceId) -> Result<()> {
        if !self.core.store.is_shared() {
            return Ok(());
        }
        let (node, now) = (&self.core.config.node, self.core.clock.now());
        let mut conn = self.core.store.read().await?;
        match conn.system().leader(instance, now).await? {
            Some(leader) if leader != *node => {
                tracing::info!(instance.id = %instance, leader, "a call for an instance that another node leads");
                Err(elsewhere())
            }
            _ => Ok(()),
        }
    }
}

/// Names no node: which there are is the operator's business.
fn elsewhere() -> Error {
    Error::new(
        ErrorCode::Unavailable,
        "Another node of this gateway holds the connection of this instance, and this call needs it. Send it to that node: route all calls of an instance to one node. Messages are taken by every node.",
    )
    .with_retry_after(5)
}

fn no_link() -> Error {
    Error::new(
        ErrorCode::InstanceNotConnected,
        "There is no connection to WhatsApp. Ask for session/status, then session/qr.",
    )
}
