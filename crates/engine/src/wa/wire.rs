//! The socket of one connection, watched: nothing passes a shut gate, every dialling is told, and the
//! time of the last byte received is kept.
//!
//! The library's own check of the socket reports nothing to us: after a stall it dials anew by itself,
//! as if that had been planned.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;
use whatsapp_rust::{
    anyhow, async_channel,
    transport::{Transport, TransportEvent, TransportFactory},
    wacore::{runtime::Runtime as _, stats::TransportResourceReport},
};

use super::{
    gate::{Gate, Shut},
    runtime::LinkRuntime,
};

/// As the library's own transport has it.
const EVENTS: usize = 64;

type Carrier = Mutex<Option<Arc<dyn Transport>>>;

/// The state of the socket, and the means to cut it.
pub(super) struct Line {
    heard_at: Mutex<Instant>,
    carrier: Mutex<Option<Arc<Carrier>>>,
}

impl Line {
    pub(super) fn new() -> Self {
        Self {
            heard_at: Mutex::new(Instant::now()),
            carrier: Mutex::new(None),
        }
    }

    /// When the last byte came in, or the socket was opened.
    pub(super) fn heard_at(&self) -> Instant {
        *self.heard_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self) {
        *self.heard_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn carry(&self, carrier: Arc<Carrier>) {
        *self.carrier.lock().unwrap_or_else(PoisonError::into_inner) = Some(carrier);
    }

    /// Closes the socket without a word, not even a closing frame.
    pub(super) fn cut(&self) {
        let carrier = self
            .carrier
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(carrier) = carrier {
            drop(take(&carrier));
        }
    }
}

fn take(carrier: &Carrier) -> Option<Arc<dyn Transport>> {
    carrier
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

/// Makes the sockets of one client.
pub(super) struct Wire {
    pub(super) inner: Arc<dyn TransportFactory>,
    pub(super) gate: Gate,
    pub(super) line: Arc<Line>,
    pub(super) runtime: LinkRuntime,
    /// Told at each dialling, before it begins.
    pub(super) dialling: Box<dyn Fn() + Send + Sync>,
}

#[async_trait]
impl TransportFactory for Wire {
    async fn create_transport(
        &self,
    ) -> Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>), anyhow::Error> {
        self.gate.check()?;
        (self.dialling)();
        let (transport, events) = self.inner.create_transport().await?;
        let carrier = Arc::new(Mutex::new(Some(transport)));
        self.line.heard();
        self.line.carry(carrier.clone());
        // It may have been shut while we dialled, and then had nothing to cut.
        if self.gate.check().is_err() {
            self.line.cut();
            return Err(Shut.into());
        }
        let (to, from) = async_channel::bounded(EVENTS);
        let (gate, line) = (self.gate.clone(), self.line.clone());
        self.runtime.spawn_detached(Box::pin(async move {
            tokio::select! {
                biased;
                () = gate.shut() => {}
                () = forward(&events, &to, &line) => {}
            }
        }));
        let gated = Gated {
            carrier,
            gate: self.gate.clone(),
        };
        Ok((Arc::new(gated), from))
    }
}

async fn forward(
    events: &async_channel::Receiver<TransportEvent>,
    to: &async_channel::Sender<TransportEvent>,
    line: &Line,
) {
    while let Ok(event) = events.recv().await {
        if let TransportEvent::DataReceived(_) = event {
            line.heard();
        }
        if to.send(event).await.is_err() {
            return;
        }
    }
}

struct Gated {
    carrier: Arc<Carrier>,
    gate: Gate,
}

#[async_trait]
impl Transport for Gated {
    async fn send(&self, data: Bytes) -> Result<(), anyhow::Error> {
        self.gate.check()?;
        let transport = self
            .carrier
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
            .ok_or(Shut)?;
        tokio::select! {
            biased;
            () = self.gate.shut() => Err(Shut.into()),
            sent = transport.send(data) => sent,
        }
    }

    async fn disconnect(&self) {
        // A shut gate has cut the line already: there is nobody to say good-bye to.
        if let Some(transport) = take(&self.carrier)
            && self.gate.check().is_ok()
        {
            transport.disconnect().await;
        }
    }

    fn resource_report(&self) -> Option<TransportResourceReport> {
        self.carrier
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|transport| transport.resource_report())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use whatsapp_rust::transport::DisconnectReason;

    use super::*;
    use crate::wa::gate::Trip;

    #[derive(Default)]
    struct Fake {
        dialled: AtomicU32,
        sent: Arc<AtomicU32>,
        closed: Arc<AtomicU32>,
        far: Mutex<Vec<async_channel::Sender<TransportEvent>>>,
    }

    struct FakeTransport {
        sent: Arc<AtomicU32>,
        closed: Arc<AtomicU32>,
    }

    #[async_trait]
    impl Transport for FakeTransport {
        async fn send(&self, _data: Bytes) -> Result<(), anyhow::Error> {
            self.sent.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }

        async fn disconnect(&self) {
            self.closed.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[async_trait]
    impl TransportFactory for Fake {
        async fn create_transport(
            &self,
        ) -> Result<(Arc<dyn Transport>, async_channel::Receiver<TransportEvent>), anyhow::Error>
        {
            self.dialled.fetch_add(1, Ordering::SeqCst);
            let (to, from) = async_channel::bounded(4);
            self.far.lock().expect("a lock").push(to);
            let transport = FakeTransport {
                sent: self.sent.clone(),
                closed: self.closed.clone(),
            };
            Ok((Arc::new(transport), from))
        }
    }

    fn wire(inner: &Arc<Fake>) -> (Wire, Arc<AtomicU32>) {
        let told = Arc::new(AtomicU32::new(0));
        let counter = told.clone();
        let wire = Wire {
            inner: inner.clone(),
            gate: Gate::new(|_| ()),
            line: Arc::new(Line::new()),
            runtime: LinkRuntime::default(),
            dialling: Box::new(move || {
                counter.fetch_add(1, Ordering::SeqCst);
            }),
        };
        (wire, told)
    }

    #[tokio::test]
    async fn nothing_passes_a_shut_gate() {
        let inner = Arc::new(Fake::default());
        let (wire, told) = wire(&inner);
        let (transport, events) = wire.create_transport().await.expect("a socket");
        transport
            .send(Bytes::from_static(b"a"))
            .await
            .expect("sent");
        let opened = wire.line.heard_at();
        let far = inner.far.lock().expect("a lock")[0].clone();
        far.send(TransportEvent::DataReceived(Bytes::from_static(b"b")))
            .await
            .expect("comes");
        assert!(events.recv().await.is_ok());
        assert!(wire.line.heard_at() > opened, "a byte is a sign of life");

        wire.gate.trip(Trip::Store);
        wire.line.cut();
        assert!(transport.send(Bytes::from_static(b"c")).await.is_err());
        assert!(events.recv().await.is_err(), "nothing comes in either");
        transport.disconnect().await;
        assert_eq!(inner.sent.load(Ordering::SeqCst), 1);
        assert_eq!(inner.closed.load(Ordering::SeqCst), 0, "without a good-bye");
        assert!(wire.create_transport().await.is_err());
        assert_eq!(
            inner.dialled.load(Ordering::SeqCst),
            1,
            "nothing dials again"
        );
        assert_eq!(told.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn an_open_one_says_goodbye_and_dials_again() {
        let inner = Arc::new(Fake::default());
        let (wire, told) = wire(&inner);
        let (transport, _events) = wire.create_transport().await.expect("a socket");
        transport.disconnect().await;
        assert_eq!(inner.closed.load(Ordering::SeqCst), 1);
        let (_transport, events) = wire.create_transport().await.expect("another");
        assert_eq!(told.load(Ordering::SeqCst), 2);
        let far = inner.far.lock().expect("a lock")[1].clone();
        far.send(TransportEvent::Disconnected(DisconnectReason::StreamEnded))
            .await
            .expect("comes");
        assert!(matches!(
            events.recv().await,
            Ok(TransportEvent::Disconnected(_))
        ));
    }
}
