//! Instances that nothing may start: being deleted, or on the way to another account.

use std::sync::{Arc, Mutex, PoisonError};

use recado_model::{Error, ErrorCode, InstanceId, Result};
use tokio::sync::oneshot;

use super::{Actors, CLOSE_WAIT_MS, Supervisor};
use crate::inbox::Command;

impl Supervisor {
    /// Nothing starts the instance any more, until the returned guard is dropped.
    pub fn leave(&self, instance: &InstanceId) -> Leaving {
        let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        *actors.leaving.entry(instance.clone()).or_default() += 1;
        Leaving {
            actors: self.actors.clone(),
            instance: instance.clone(),
        }
    }

    /// The same, unless somebody else in this process is at it.
    pub fn leave_alone(&self, instance: &InstanceId) -> Option<Leaving> {
        let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        if actors.leaving.contains_key(instance) {
            return None;
        }
        actors.leaving.insert(instance.clone(), 1);
        Some(Leaving {
            actors: self.actors.clone(),
            instance: instance.clone(),
        })
    }

    pub fn is_leaving(&self, instance: &InstanceId) -> bool {
        let actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        actors.leaving.contains_key(instance)
    }

    /// Closes the link and waits until nothing of it is left; the pairing stays. For an instance that
    /// is being left, or it may come back at once. How many messages of a guest were not kept while it
    /// ran; `None` when it did not.
    pub async fn pause(&self, instance: &InstanceId) -> Result<Option<u64>> {
        let Some(handle) = self.handle(instance) else {
            return Ok(None);
        };
        let (reply, answer) = oneshot::channel();
        if handle.commands.send(Command::Stop { reply }).is_ok() {
            tokio::select! {
                // An actor that ended meanwhile has closed its link too.
                _ = answer => {}
                () = self.core.clock.sleep_ms(CLOSE_WAIT_MS) => return Err(Error::new(
                    ErrorCode::Unavailable,
                    "The connection to WhatsApp did not close in time. Try again in a moment.",
                )
                .with_retry_after(5)),
            }
        }
        Ok(Some(handle.live.borrow().not_kept))
    }
}

/// An instance on its way out, or to another account; see [`Supervisor::leave`].
pub(crate) struct Leaving {
    actors: Arc<Mutex<Actors>>,
    instance: InstanceId,
}

impl Drop for Leaving {
    fn drop(&mut self) {
        let mut actors = self.actors.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(by) = actors.leaving.get_mut(&self.instance) {
            *by -= 1;
            if *by == 0 {
                actors.leaving.remove(&self.instance);
            }
        }
    }
}
