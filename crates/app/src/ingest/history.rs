//! News of what the phone sends of its past: written down here, stored by a worker.

use std::sync::atomic::Ordering;

use recado_model::{History, Result, history::HistoryNews};

use super::Ingest;

impl Ingest {
    pub(super) async fn history(&self, news: &HistoryNews) -> Result<()> {
        let instance = &self.held.instance;
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.held.account);
        let behaviour = store.behaviour(instance).await?.unwrap_or_default();
        let kept = match news {
            // Guests have no past before a shop claims them.
            _ if behaviour.0.history == History::Off || self.discard.load(Ordering::Relaxed) => {
                false
            }
            HistoryNews::Announced { id } => {
                let now = self.core().clock.now();
                store.note_history_announced(instance, id, now).await?;
                true
            }
            HistoryNews::Came(frame) => {
                let (node, now) = (&self.core().config.node, self.core().clock.now());
                store.keep_frame(instance, node, frame, now).await?
            }
        };
        conn.commit().await?;
        match news {
            HistoryNews::Came(_) if kept => self.core().frames.notify_one(),
            HistoryNews::Came(frame) => self.core().engine.drop_history(instance, &frame.name),
            HistoryNews::Announced { .. } => {}
        }
        Ok(())
    }
}
