//! The rounds that workers have the supervisor make, again and again: it starts what should run, keeps leases, and
//! looks at the queues that another node may have filled.

use std::{collections::HashSet, sync::PoisonError};

use recado_identity::faults;
use recado_model::{Error, InstanceId, Result};
use tokio_util::sync::CancellationToken;

use super::{Handle, Supervisor};
use crate::inbox::Command;

impl Supervisor {
    /// Says whether this node stands by for others.
    pub async fn tell_place(&self) {
        let (node, now) = (&self.core.config.node, self.core.clock.now());
        let led = async {
            let mut conn = self.core.store.read().await?;
            Ok::<_, Error>(conn.system().led_elsewhere(node, now).await?)
        };
        match led.await {
            Ok(0) => {}
            Ok(led) => tracing::info!(
                node,
                led,
                "standby: other nodes lead these instances; they are taken over when those nodes end"
            ),
            Err(error) => faults::warn(&error, "could not see what other nodes lead"),
        }
    }

    /// Returns when somebody asked for a look at what should run.
    pub async fn asked_to_look(&self) {
        self.look.notified().await;
    }

    /// Wakes the actors whose queue has something that nobody told them of: with several nodes on one
    /// database, a message is accepted by any of them and sent by the one that leads its instance.
    pub async fn wake_waiting(&self) -> Result<()> {
        let waiting = self.waiting_queues().await?;
        waiting.iter().for_each(|instance| self.wake(instance));
        Ok(())
    }

    async fn waiting_queues(&self) -> Result<Vec<InstanceId>> {
        let (node, now) = (&self.core.config.node, self.core.clock.now());
        let mut conn = self.core.store.read().await?;
        Ok(conn.system().waiting_queues(node, now).await?)
    }

    /// Starts what should run and has no actor, one after another.
    pub async fn start_wanted(&self, stop: &CancellationToken) -> Result<()> {
        let now = self.core.clock.now();
        let mut conn = self.core.store.read().await?;
        let wanted = conn
            .system()
            .instances_to_start(&self.core.config.node, now)
            .await?;
        drop(conn);
        for (account, instance) in wanted {
            if self.handle(&instance).is_some() || self.is_leaving(&instance) {
                continue;
            }
            if let Err(error) = self.ensure(&account, &instance) {
                // It began to leave since the look above; the others are still to be started.
                tracing::debug!(instance.id = %instance, error = &error as &dyn std::error::Error, "not started");
                continue;
            }
            let stagger = self.core.config.start_stagger_ms;
            let jitter = self.core.rng.below(stagger.max(1) as u64) as i64;
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.core.clock.sleep_ms(stagger / 2 + jitter) => {}
            }
        }
        Ok(())
    }

    /// Keeps the leases of running instances, and stops those whose lease another process has taken: two
    /// sockets on one device would tear each other down.
    pub async fn renew_leases(&self) -> Result<()> {
        let node = &self.core.config.node;
        // Before the look at the rows: an actor that takes its lease in between is not among them.
        let leased: Vec<_> = {
            let actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
            let holds = |handle: &&Handle| handle.is_running() && handle.live.borrow().leased;
            let leased = actors.running.iter().filter(|(_, handle)| holds(handle));
            leased
                .map(|(id, handle)| (id.clone(), handle.clone()))
                .collect()
        };
        let until = self.core.clock.now().plus_millis(self.core.config.lease_ms);
        let mut conn = self.core.store.write_relaxed().await?;
        conn.system().renew_leases(node, until).await?;
        let held: HashSet<_> = conn.system().held(node).await?.into_iter().collect();
        conn.commit().await?;
        for (id, handle) in leased {
            if !held.contains(&id) {
                tracing::warn!(instance.id = %id, "another process has taken this instance; letting go");
                // A closed inbox means that it has let go already.
                drop(handle.commands.send(Command::LeaseLost));
            }
        }
        Ok(())
    }
}
