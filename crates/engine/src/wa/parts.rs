//! The parts that all connections of one link share. They know the link by these alone: `core` opens and closes
//! them.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use recado_store::{DeviceOp, DeviceStore};
use tokio::sync::{mpsc, watch};

use super::{EngineParts, history::Spool, journal::Journal, tap::Signal};
use crate::{LinkSpec, Sink};

/// Wishes that the pump carries out, in order.
pub(super) enum Control {
    /// The next client is to know nothing of these rows.
    Forget { rows: Vec<DeviceOp> },
    /// The gate of connection `epoch` was shut.
    Tripped { epoch: u64 },
    /// Connection `epoch` opens a socket, its first or another one.
    Dialling { epoch: u64 },
    /// WhatsApp says which version a collection of app state has.
    Heard { collection: String, version: u64 },
}

pub(super) struct LinkParts {
    pub(super) spec: LinkSpec,
    pub(super) engine: Arc<EngineParts>,
    pub(super) device: DeviceStore,
    pub(super) sink: Arc<dyn Sink>,
    pub(super) journal: Arc<Journal>,
    /// Where frames of history go. `None`: nobody wants them.
    pub(super) spool: Option<Arc<Spool>>,
    pub(super) queue: mpsc::Sender<Signal>,
    pub(super) control: mpsc::UnboundedSender<Control>,
    /// True once the server is ready to pair the running connection.
    pub(super) pairable: Arc<watch::Sender<bool>>,
    /// The messages that were asked for again.
    pub(super) lost: Lost,
    /// Messages reach the sink one batch at a time.
    pub(super) delivering: tokio::sync::Mutex<()>,
}

impl LinkParts {
    /// How long the sink may take before a commit is given up and left for redelivery.
    pub(super) fn commit_within(&self) -> Duration {
        Duration::from_millis(self.engine.timers.commit_ms)
    }

    /// A little more than `pause`: all links of a process lose the network or the database together.
    pub(super) fn jittered(&self, pause: Duration) -> Duration {
        let spread = u64::try_from(pause.as_millis() / 2).unwrap_or(0).max(1);
        pause + Duration::from_millis(self.engine.rng.below(spread))
    }

    /// The device is wiped: nothing of what came is wanted any more.
    pub(super) fn forget_all(&self) {
        self.journal.wipe();
        if let Some(spool) = &self.spool {
            spool.wipe();
        }
    }

    /// The next client is to know nothing of `rows`. Called before the gate of this one is shut: whoever
    /// opens the next must have heard of it. False when the link is over.
    pub(super) fn forget(&self, rows: Vec<DeviceOp>) -> bool {
        self.control.send(Control::Forget { rows }).is_ok()
    }
}

/// A message is asked for once: one that the store has no row for (a phone's word to its own devices)
/// would end every connection.
#[derive(Default)]
pub(super) struct Lost(Mutex<HashSet<String>>);

/// More than ever wait together; beyond it the oldest may be asked for again.
const REMEMBERED: usize = 1_000;

impl Lost {
    /// Whether it is the first time.
    pub(super) fn note(&self, id: &str) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if asked.len() >= REMEMBERED {
            asked.clear();
        }
        asked.insert(id.to_owned())
    }
}
