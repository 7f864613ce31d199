//! Calls to devices, put through to whoever has the link.
//!
//! In this process that is the instance's actor. When another node has it, there is no way there yet: the call
//! is refused with what to do, and not queued, for its answer is wanted now. (Messages are queued as anywhere.)
//! The port [`Exchange`] is what a way to other nodes will stand behind.

use async_trait::async_trait;
use recado_model::{AccountId, Call, CallAnswer, DeviceCall, Error, ErrorCode, InstanceId, Result};
use tokio::sync::oneshot;

use crate::supervisor::{Command, Supervisor};

/// Puts calls through.
#[async_trait]
pub(crate) trait Exchange: Send + Sync + 'static {
    /// Waits for the answer for as long as the device takes. [`ErrorCode::InstanceNotConnected`] when nobody
    /// has a link of the instance, [`ErrorCode::Unavailable`] when it is out of reach.
    /// [`ErrorCode::Forbidden`] when the link is of another account by now.
    async fn put_through(
        &self,
        account: &AccountId,
        instance: &InstanceId,
        call: Call,
    ) -> Result<CallAnswer>;
}

impl dyn Exchange {
    /// A call with its own answer.
    pub async fn ask<C: DeviceCall + Send>(
        &self,
        account: &AccountId,
        instance: &InstanceId,
        call: C,
    ) -> Result<C::Answer> {
        C::answer(self.put_through(account, instance, call.into()).await?)
    }
}

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
        // A caller who was judged before the session was claimed must not reach the shop's link.
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
