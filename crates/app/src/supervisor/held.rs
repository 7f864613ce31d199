//! An instance that this process holds: every change that its actor or its link makes goes through here,
//! under the lease. A process that was suspended while another one took the instance changes nothing.

use std::sync::Arc;

use recado_model::{AccountId, InstanceId, Result};
use recado_store::{Conn, Lease};

use crate::Core;

#[derive(Clone)]
pub(crate) struct Held {
    pub core: Arc<Core>,
    pub account: AccountId,
    pub instance: InstanceId,
    pub lease: Lease,
}

impl Held {
    /// A transaction that is on the disk when it is committed.
    pub async fn write(&self) -> Result<Conn> {
        let mut conn = self.core.store.write().await?;
        self.lease.hold(&mut conn, &self.instance).await?;
        Ok(conn)
    }

    /// A transaction that a crash of the machine may undo.
    pub async fn write_relaxed(&self) -> Result<Conn> {
        let mut conn = self.core.store.write_relaxed().await?;
        self.lease.hold(&mut conn, &self.instance).await?;
        Ok(conn)
    }
}
