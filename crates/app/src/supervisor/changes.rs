//! The rows that an actor writes about its instance: state, pairing, and the events that tell of them.

use recado_model::{
    ConnectionState, Error, ErrorCode, EventKind, Failure, Result, StateReason, Timestamp, failure,
    instance::Pairing,
};

use super::actor::Actor;
use crate::{Guests, events, messages::life::Life};

/// A change that the row must learn.
#[derive(Debug)]
pub(super) enum Change {
    Paired(Pairing),
    Online {
        news: bool,
    },
    Offline {
        state: ConnectionState,
        reason: StateReason,
        was: bool,
    },
    LoggedOut(StateReason),
}

impl Actor {
    async fn paired(&self, pairing: &Pairing) -> Result<()> {
        let now = self.core.clock.now();
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.account);
        store.set_paired(&self.instance, pairing, now).await?;
        // Of whichever number it was before.
        store.forget_groups(&self.instance).await?;
        store.set_wanted(&self.instance, true, now).await?;
        let detail = serde_json::json!({ "instance": self.instance }).to_string();
        store.audit("instance.paired", &detail, now).await?;
        if self.guest {
            // One whose end has begun gets no more time.
            let until = now.plus_millis(Guests::PAIRED_MS);
            store.extend_guest(until, now).await?;
        }
        Ok(conn.commit().await?)
    }

    async fn came_online(&self, news: bool) -> Result<()> {
        let now = self.core.clock.now();
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.account);
        store
            .set_state(&self.instance, ConnectionState::Connected, None, now)
            .await?;
        if let Some(name) = &self.push_name {
            store.set_push_name(&self.instance, name, now).await?;
        }
        if news {
            let phone = self.live.borrow().phone.clone();
            let payload = events::connected(
                phone.as_deref(),
                self.own_jid.as_ref(),
                self.push_name.as_deref(),
            );
            let event = events::event(
                &*self.core.rng,
                &self.account,
                &self.instance,
                EventKind::Connected,
                payload,
                now,
            );
            store.append(&event).await?;
        }
        conn.commit().await?;
        Ok(())
    }

    async fn went_offline(
        &self,
        state: ConnectionState,
        reason: StateReason,
        was: bool,
    ) -> Result<()> {
        let now = self.core.clock.now();
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.account);
        store
            .set_state(&self.instance, state, Some(reason), now)
            .await?;
        if was {
            self.append_disconnected(&mut store, reason, now).await?;
        }
        conn.commit().await?;
        Ok(())
    }

    async fn logged_out(&self, reason: StateReason) -> Result<()> {
        let now = self.core.clock.now();
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.account);
        store
            .set_unpaired(&self.instance, ConnectionState::LoggedOut, reason, now)
            .await?;
        store.forget_groups(&self.instance).await?;
        // The waiting messages were meant to leave from this number, not from the next one that pairs.
        let life = Life {
            core: &self.core,
            account: &self.account,
            instance: &self.instance,
            now,
        };
        let failure = Failure::of(failure::LOGGED_OUT);
        for message in store.queued_messages(&self.instance).await? {
            life.failed(&mut store, &message, &failure).await?;
        }
        self.append_disconnected(&mut store, reason, now).await?;
        let detail =
            serde_json::json!({ "instance": self.instance, "reason": reason.as_str() }).to_string();
        store.audit("instance.logged_out", &detail, now).await?;
        conn.commit().await?;
        Ok(())
    }

    /// Whether there is a pairing, which is kept.
    pub(super) async fn disconnected_by_owner(&self) -> Result<bool> {
        let now = self.core.clock.now();
        let reason = StateReason::DisconnectedByOwner;
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.account);
        // Before a phone has scanned there is no pairing to keep and no connection to miss.
        let paired = self.live.borrow().paired;
        let (state, why) = (ConnectionState::Disconnected, paired.then_some(reason));
        store.set_state(&self.instance, state, why, now).await?;
        if paired {
            store.set_wanted(&self.instance, false, now).await?;
            self.append_disconnected(&mut store, reason, now).await?;
        }
        conn.commit().await?;
        Ok(paired)
    }

    async fn append_disconnected(
        &self,
        store: &mut recado_store::AccountStore<'_>,
        reason: StateReason,
        now: Timestamp,
    ) -> Result<()> {
        let payload = events::disconnected(reason);
        let event = events::event(
            &*self.core.rng,
            &self.account,
            &self.instance,
            EventKind::Disconnected,
            payload,
            now,
        );
        store.append(&event).await?;
        Ok(())
    }

    pub(super) async fn set_state(&self, state: ConnectionState, reason: Option<StateReason>) {
        self.live.send_modify(|live| live.state = state);
        let done = async {
            let mut conn = self.held.write_relaxed().await?;
            let now = self.core.clock.now();
            conn.account(&self.account)
                .set_state(&self.instance, state, reason, now)
                .await?;
            Ok::<_, Error>(conn.commit().await?)
        };
        if let Err(error) = done.await {
            self.log(&error, "could not store the state");
        }
    }

    /// Writes what must not be lost; the database may be busy for a moment. An instance that is gone,
    /// or another account's by now, has nothing to lose, and whoever took it waits for this actor.
    pub(super) async fn persist(&self, change: Change) {
        // Short steps: whatever else the actor has to do waits behind this.
        for wait in [100, 500].into_iter().chain(std::iter::repeat_n(1_000, 12)) {
            match self.write(&change).await {
                Ok(()) => return,
                Err(error) if error.code == ErrorCode::NotFound => {
                    tracing::debug!(instance.id = %self.instance, error = &error as &dyn std::error::Error, "no instance to store a change of state for");
                    return;
                }
                Err(error) => self.log(&error, "could not store a change of state; trying again"),
            }
            self.core.clock.sleep_ms(wait).await;
        }
        if let Err(error) = self.write(&change).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(instance.id = %self.instance, error, "gave up storing a change of state");
        }
    }

    async fn write(&self, change: &Change) -> Result<()> {
        match change {
            Change::Paired(pairing) => self.paired(pairing).await,
            Change::Online { news } => self.came_online(*news).await,
            Change::Offline { state, reason, was } => {
                self.went_offline(*state, *reason, *was).await
            }
            Change::LoggedOut(reason) => self.logged_out(*reason).await,
        }
    }
}
