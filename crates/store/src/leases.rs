//! The lease of an instance, as the proof that a change may be made under it.

use recado_model::InstanceId;

use crate::{
    db::Conn,
    error::{Result, StoreError},
    sql::sql,
};

/// The holder of an instance, and since which taking: [`crate::system::System::lease_instance`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub owner: String,
    pub fence: i64,
}

impl Lease {
    /// Keeps everybody from taking the instance before this transaction ends, or says
    /// [`StoreError::Fenced`]: somebody took it already. Also when its time is over and nobody took it:
    /// nothing is in the way then.
    ///
    /// An SQLite file has one process; there it costs nothing.
    pub async fn hold(&self, conn: &mut Conn, instance: &InstanceId) -> Result<()> {
        if !conn.store.is_shared() {
            return Ok(());
        }
        // On PostgreSQL alone. Writing is what locks the row; its SELECT would not.
        let held = sql(
            "UPDATE instance SET lease_fence = lease_fence WHERE id = $1 AND lease_owner = $2 AND lease_fence = $3",
        )
        .bind(instance)
        .bind(self.owner.as_str())
        .bind(self.fence)
        .execute(conn)
        .await?;
        match held {
            0 => Err(StoreError::Fenced),
            _ => Ok(()),
        }
    }
}
