//! What becomes of people, as WhatsApp tells it.

use std::sync::atomic::Ordering;

use recado_model::{
    EventKind, Result,
    person::{Changed, PersonChange},
};

use super::Ingest;
use crate::events;

/// A code that changes is told by the message that shows it, and by WhatsApp: it is one piece of news.
const SAME_CODE_MS: i64 = 60_000;

impl Ingest {
    pub(super) async fn person(&self, change: &PersonChange) -> Result<()> {
        // Guests have no people before a shop claims them.
        if self.discard.load(Ordering::Relaxed) {
            return Ok(());
        }
        match &change.change {
            Changed::SecurityCode => self.security_code(change).await,
            Changed::Number { now } => {
                let instance = &self.held.instance;
                let mut conn = self.held.write().await?;
                let mut store = conn.account(&self.held.account);
                store.lock_instance(instance).await?;
                store.move_person(instance, &change.who, now).await?;
                let payload = events::number_changed(change, now);
                self.append_wanted(&mut store, EventKind::ContactNumberChanged, payload)
                    .await?;
                Ok(conn.commit().await?)
            }
            Changed::Picture { id, by } => {
                let payload = events::picture(change, id.as_deref(), by.as_ref());
                self.emit(EventKind::PictureUpdate, payload).await
            }
        }
    }

    async fn security_code(&self, change: &PersonChange) -> Result<()> {
        let instance = &self.held.instance;
        let now = self.core().clock.now();
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.held.account);
        store.lock_instance(instance).await?;
        let contact = store.contact(instance, &change.who, now).await?;
        let before = store.identity_changed(&contact, now).await?;
        let is_news = before.is_none_or(|before| now.since(before) > SAME_CODE_MS);
        if is_news {
            let payload = events::identity(change);
            self.append_wanted(&mut store, EventKind::IdentityChange, payload)
                .await?;
        }
        Ok(conn.commit().await?)
    }
}
