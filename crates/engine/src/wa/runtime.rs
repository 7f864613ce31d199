//! The runtime of one connection: tokio, with every task tracked, so that a link can end all of them.
//!
//! The library detaches tasks that outlive a disconnect (the rotation of QR codes sleeps up to a
//! minute with the whole client in its hands). It asks us to spawn them, so we can end them too.
//! Time here is tokio's own: the library measures by it, and a second clock would only disagree.

use std::{future::Future, pin::Pin, time::Duration};

use async_trait::async_trait;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use whatsapp_rust::{Runtime, wacore::runtime::AbortHandle};

type Task = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// How long ended tasks may take to let go of what they hold.
const SETTLE: Duration = Duration::from_secs(5);

#[derive(Clone, Default)]
pub(super) struct LinkRuntime {
    tracker: TaskTracker,
    ended: CancellationToken,
}

impl LinkRuntime {
    /// Ends every task at its next await point and waits until all are gone.
    pub(super) async fn end(&self) {
        self.ended.cancel();
        self.tracker.close();
        if tokio::time::timeout(SETTLE, self.tracker.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                tasks = self.tracker.len(),
                "tasks of a closed link are still running"
            );
        }
    }

    fn run(&self, task: Task) -> tokio::task::JoinHandle<()> {
        let ended = self.ended.clone();
        self.tracker.spawn(async move {
            // `None` means that the link ended first: nobody waits for the outcome then.
            ended.run_until_cancelled(task).await.unwrap_or_default();
        })
    }
}

#[async_trait]
impl Runtime for LinkRuntime {
    fn spawn(&self, task: Task) -> AbortHandle {
        let handle = self.run(task);
        AbortHandle::new(move || handle.abort())
    }

    fn spawn_detached(&self, task: Task) {
        drop(self.run(task));
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn spawn_blocking(
        &self,
        work: Box<dyn FnOnce() + Send + 'static>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async {
            if let Err(error) = tokio::task::spawn_blocking(work).await {
                tracing::error!(%error, "blocking work of a link failed");
            }
        })
    }

    fn yield_now(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        // Many threads: other tasks go on elsewhere.
        None
    }
}
