//! The core of a link: its parts, and how its connections open and close.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use recado_model::{Address, Error, ErrorCode, Result};
use tokio_util::sync::CancellationToken;
use whatsapp_rust::Client;

use super::{
    backend::forget_group_keys,
    codes::Codes,
    connection::{Connection, NotOpened},
    gate::Trip,
    parts::LinkParts,
};

/// Unlinking at WhatsApp is best effort.
const UNLINK: Duration = Duration::from_secs(10);

pub(super) struct LinkCore {
    pub(super) parts: Arc<LinkParts>,
    pub(super) codes: Codes,
    pub(super) closed: CancellationToken,
    connection: RwLock<Option<Arc<Connection>>>,
    /// Held while a connection is opened or closed.
    changing: tokio::sync::Mutex<()>,
    epochs: AtomicU64,
}

impl LinkCore {
    pub(super) fn new(parts: LinkParts) -> Self {
        Self {
            parts: Arc::new(parts),
            codes: Codes::default(),
            closed: CancellationToken::new(),
            connection: RwLock::new(None),
            changing: tokio::sync::Mutex::new(()),
            epochs: AtomicU64::new(0),
        }
    }

    /// The running connection, as long as its gate is open.
    pub(super) fn connection(&self) -> Option<Arc<Connection>> {
        self.any_connection()
            .filter(|connection| connection.gate.tripped().is_none())
    }

    /// The library, while it is connected and logged in.
    pub(super) fn online(&self) -> Result<Arc<Client>> {
        let connection = self.connection().ok_or_else(not_connected)?;
        if connection.client.is_connected() && connection.client.is_logged_in() {
            Ok(connection.client.clone())
        } else {
            Err(not_connected())
        }
    }

    pub(super) fn any_connection(&self) -> Option<Arc<Connection>> {
        self.connection
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_connection(&self, connection: Option<Arc<Connection>>) -> Option<Arc<Connection>> {
        std::mem::replace(
            &mut self
                .connection
                .write()
                .unwrap_or_else(PoisonError::into_inner),
            connection,
        )
    }

    /// The connection that `epoch` names, while it is the running one.
    pub(super) fn connection_of(&self, epoch: u64) -> Option<Arc<Connection>> {
        self.any_connection()
            .filter(|connection| connection.epoch == epoch)
    }

    /// Closes what runs and opens anew; nothing once the link is stopped.
    pub(super) async fn reopen(self: &Arc<Self>) -> Result<(), NotOpened> {
        let _changing = self.changing.lock().await;
        if let Some(connection) = self.set_connection(None) {
            connection.close().await;
        }
        if self.closed.is_cancelled() {
            return Ok(());
        }
        self.parts.pairable.send_replace(false);
        let epoch = self.epochs.fetch_add(1, Ordering::Relaxed) + 1;
        let connection = Connection::open(&self.parts, epoch).await?;
        self.set_connection(Some(Arc::new(connection)));
        Ok(())
    }

    /// Closes connection `epoch`; false when another one runs by now.
    pub(super) async fn close_connection(&self, epoch: u64) -> bool {
        let _changing = self.changing.lock().await;
        if self.connection_of(epoch).is_none() {
            return false;
        }
        if let Some(connection) = self.set_connection(None) {
            connection.close().await;
        }
        true
    }

    pub(super) fn renew(&self, groups: &[Address]) {
        let rows = groups.iter().map(|group| forget_group_keys(group.as_str()));
        if self.parts.forget(rows.collect())
            && let Some(connection) = self.connection()
        {
            connection.gate.trip(Trip::Renewed);
        }
    }

    pub(super) async fn log_out(&self) -> Result<()> {
        self.closed.cancel();
        let _changing = self.changing.lock().await;
        if let Some(connection) = self.set_connection(None) {
            let unlinked = tokio::time::timeout(UNLINK, connection.client.logout()).await;
            if unlinked.is_err() {
                tracing::warn!(
                    instance.id = %self.parts.spec.instance,
                    "WhatsApp did not confirm the log-out; the device is wiped nevertheless"
                );
            }
            connection.close().await;
        }
        self.parts.device.wipe().await?;
        self.parts.forget_all();
        Ok(())
    }

    pub(super) async fn shut(&self) {
        self.closed.cancel();
        let _changing = self.changing.lock().await;
        if let Some(connection) = self.set_connection(None) {
            connection.close().await;
        }
    }
}

/// No socket, or not logged in.
pub(super) fn not_connected() -> Error {
    Error::new(
        ErrorCode::InstanceNotConnected,
        "The instance is not connected to WhatsApp. Ask for session/status, then session/qr.",
    )
}
