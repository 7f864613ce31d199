//! A link: its life from start to stop.
//!
//! `core.rs` is what it is made of, `connection.rs` one connection, `pump.rs` turns its events into notices and
//! decides about new connections, `outbound.rs` and `calls` are what callers ask for.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use recado_model::{
    Address, Call, CallAnswer, Error, MediaClass, MediaDigest, MediaKey, MessageId, Result,
    media::Uploaded, message::FinishedMessage,
};
use recado_store::DeviceStore;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
};

use super::{
    EngineParts,
    core::LinkCore,
    courier,
    history::Spool,
    journal::Journal,
    parts::{LinkParts, Lost},
    pump::Pump,
    tap::QUEUE,
};
use crate::{Link, LinkSpec, Sink};

pub(super) struct WaLink {
    pub(super) core: Arc<LinkCore>,
    tasks: Mutex<Option<Tasks>>,
}

struct Tasks {
    pump: JoinHandle<()>,
    courier: JoinHandle<()>,
}

impl WaLink {
    pub(super) async fn start(
        engine: Arc<EngineParts>,
        device: DeviceStore,
        spec: LinkSpec,
        sink: Arc<dyn Sink>,
        (journal, frames): (PathBuf, PathBuf),
    ) -> Result<Self> {
        let spool = match spec.keep_inbound {
            true => Some(Arc::new(
                Spool::open(device.clone(), frames, engine.rng.clone()).await?,
            )),
            false => None,
        };
        let journal = tokio::task::spawn_blocking(move || Journal::open(journal))
            .await
            .map_err(Error::internal)?;
        let (queue, signals) = mpsc::channel(QUEUE);
        let (control, wishes) = mpsc::unbounded_channel();
        let core = Arc::new(LinkCore::new(LinkParts {
            spec,
            engine,
            device,
            sink,
            journal: Arc::new(journal),
            spool,
            queue,
            control,
            pairable: Arc::new(watch::Sender::new(false)),
            lost: Lost::default(),
            delivering: tokio::sync::Mutex::new(()),
        }));
        core.reopen().await.map_err(|failed| failed.error)?;
        let tasks = Tasks {
            pump: tokio::spawn(Pump::new(core.clone(), signals, wishes).run()),
            courier: tokio::spawn(courier::run(core.clone())),
        };
        Ok(Self {
            core,
            tasks: Mutex::new(Some(tasks)),
        })
    }

    async fn end_tasks(tasks: Option<Tasks>) {
        let Some(tasks) = tasks else { return };
        for ended in [tasks.pump.await, tasks.courier.await] {
            if let Err(error) = ended {
                tracing::error!(%error, "a link's task failed");
            }
        }
    }

    fn take_tasks(&self) -> Option<Tasks> {
        self.tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

/// Nobody holds the link any more and nobody stopped it (its owner failed): a socket without an owner
/// must not stay, or the next link of the instance would meet it.
impl Drop for WaLink {
    fn drop(&mut self) {
        let Some(tasks) = self.take_tasks() else {
            return;
        };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let core = self.core.clone();
            runtime.spawn(async move {
                core.shut().await;
                Self::end_tasks(Some(tasks)).await;
            });
        }
    }
}

/// The work of ending runs as a task of its own: a caller that gives up waiting, or that is itself
/// called by the pump being ended, must not leave a half-closed link behind.
async fn apart<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Result<T> {
    tokio::spawn(work).await.map_err(Error::internal)
}

#[async_trait]
impl Link for WaLink {
    async fn send(&self, message: &FinishedMessage) -> Result<()> {
        self.core.send(message).await
    }

    async fn call(&self, call: Call) -> Result<CallAnswer> {
        self.core.call(call).await
    }

    async fn upload(
        &self,
        class: MediaClass,
        key: &MediaKey,
        digest: &MediaDigest,
        sealed: &Path,
    ) -> Result<Uploaded> {
        self.core.upload(class, key, digest, sealed).await
    }

    async fn reupload(
        &self,
        chat: &Address,
        sender: Option<&Address>,
        from_me: bool,
        id: &MessageId,
        key: &MediaKey,
    ) -> Result<Option<String>> {
        self.core.reupload(chat, sender, from_me, id, key).await
    }

    async fn logout(&self) -> Result<()> {
        let (core, tasks) = (self.core.clone(), self.take_tasks());
        apart(async move {
            let outcome = core.log_out().await;
            Self::end_tasks(tasks).await;
            outcome
        })
        .await?
    }

    async fn renew(&self, groups: &[Address]) {
        self.core.renew(groups);
    }

    async fn stop(&self) {
        let (core, tasks) = (self.core.clone(), self.take_tasks());
        let ended = apart(async move {
            core.shut().await;
            Self::end_tasks(tasks).await;
        })
        .await;
        if let Err(error) = ended {
            tracing::error!(%error, "a link could not be closed cleanly");
        }
    }
}
