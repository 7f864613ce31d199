//! Calls to devices, put through to whoever has the link.
//!
//! In this process that is the instance's actor. When another node has it, there is no way there yet: the call
//! is refused with what to do, and not queued, for its answer is wanted now. (Messages are queued as anywhere.)
//! The port [`Exchange`] is what a way to other nodes will stand behind.

use async_trait::async_trait;
use recado_model::{AccountId, Call, CallAnswer, DeviceCall, InstanceId, Result};

/// Puts calls through.
#[async_trait]
pub(crate) trait Exchange: Send + Sync + 'static {
    /// Waits for the answer for as long as the device takes. Fails with `InstanceNotConnected` when nobody has
    /// a link of the instance, with `Unavailable` when it is out of reach, and with `Forbidden` when the link
    /// is of another account by now.
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
