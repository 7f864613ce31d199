//! What WhatsApp tells of groups, and the account's own devices of chats and the address book.

use std::sync::atomic::Ordering;

use recado_model::{
    EventKind, Result,
    chat::{SyncTrouble, Synced},
    group::{Deed, Done},
    message::{Party, Timer},
};

use super::Ingest;
use crate::{chats::synced, events, groups};

impl Ingest {
    /// Something was done to a group: what is kept of it changes, and subscribers hear of it.
    pub(super) async fn group(&self, done: &Done) -> Result<()> {
        if self.discard.load(Ordering::Relaxed) {
            return Ok(());
        }
        let now = self.core().clock.now();
        let instance = &self.held.instance;
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.held.account);
        let row = store.instance(instance).await?;
        let own = row.map(|row| [row.jid, row.lid]).unwrap_or_default();
        let own: Vec<_> = own.into_iter().flatten().collect();
        store
            .apply_to_group(instance, &done.group, &done.deed, &own, now)
            .await?;
        if let Deed::Expires(seconds) = done.deed {
            let party = Party::only(done.group.clone());
            let chat = store.chat(instance, &party, now).await?;
            let timer = Timer {
                seconds,
                since: done.at,
            };
            store.set_chat_timer(&chat, timer, now).await?;
        }
        if let Deed::Made(group) = &done.deed {
            groups::keep_timer(&mut store, instance, group, now).await?;
        }
        match events::group(done) {
            Some((kind @ EventKind::GroupUpdate, payload)) => {
                self.append_wanted(&mut store, kind, payload).await?;
            }
            Some((kind, payload)) => {
                store.append(&self.event(kind, payload, now)).await?;
            }
            None => {}
        }
        Ok(conn.commit().await?)
    }

    /// What the account's devices did to chats and the address book.
    pub(super) async fn synced(&self, all: &[Synced]) -> Result<()> {
        // Guests have no chats before a shop claims them; names are content as well.
        if self.discard.load(Ordering::Relaxed) {
            return Ok(());
        }
        let now = self.core().clock.now();
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.held.account);
        store.lock_instance(&self.held.instance).await?;
        synced::apply(&mut store, &self.held.instance, all, now).await?;
        conn.commit().await?;
        Ok(())
    }

    /// What the account's devices do is not heard of any more.
    pub(super) async fn unsynced(&self, trouble: &SyncTrouble) -> Result<()> {
        let now = self.core().clock.now();
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.held.account);
        store
            .put_sync_trouble(&self.held.instance, trouble, now)
            .await?;
        let payload = events::app_state(&trouble.collection, Some(trouble));
        self.append_wanted(&mut store, EventKind::AppStateSyncFailed, payload)
            .await?;
        Ok(conn.commit().await?)
    }

    /// It is again.
    pub(super) async fn synced_again(&self, collection: &str) -> Result<()> {
        let instance = &self.held.instance;
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.held.account);
        if store.drop_sync_trouble(instance, collection).await? {
            let payload = events::app_state(collection, None);
            self.append_wanted(&mut store, EventKind::AppStateSyncFailed, payload)
                .await?;
        }
        Ok(conn.commit().await?)
    }
}
