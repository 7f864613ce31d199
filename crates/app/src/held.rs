//! An instance that this process holds: every change that its actor or its link makes goes through here,
//! under the lease. A process that was suspended while another one took the instance changes nothing.

use std::sync::Arc;

use recado_model::{AccountId, Error, ErrorCode, InstanceId, Result};
use recado_store::{Conn, Lease, StoreError};

use crate::Core;

#[derive(Clone)]
pub(crate) struct Held {
    pub core: Arc<Core>,
    pub account: AccountId,
    pub instance: InstanceId,
    pub lease: Lease,
}

impl Held {
    /// A transaction that is on the disk when it is committed. [`ErrorCode::NotFound`] once another
    /// process has the instance: it is gone from here, and trying again is no use.
    pub async fn write(&self) -> Result<Conn> {
        self.hold(self.core.store.write().await?).await
    }

    /// A transaction that a crash of the machine may undo; else as [`Held::write`].
    pub async fn write_relaxed(&self) -> Result<Conn> {
        self.hold(self.core.store.write_relaxed().await?).await
    }

    async fn hold(&self, mut conn: Conn) -> Result<Conn> {
        match self.lease.hold(&mut conn, &self.instance).await {
            Ok(()) => Ok(conn),
            Err(lost @ StoreError::Fenced) => Err(Error::new(
                ErrorCode::NotFound,
                "Another process of the gateway has taken the instance.",
            )
            .with_source(lost)),
            Err(error) => Err(error.into()),
        }
    }
}
