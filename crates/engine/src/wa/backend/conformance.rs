//! The same calls to the library's in-memory backend and to ours; every answer must be the same.
//!
//! A file for each of the library's stores, and `faults` for a store that fails.

mod app_sync;
mod device;
mod faults;
mod protocol;
mod signal;
mod waiting;

use std::fmt::Debug;

use whatsapp_rust::{traits::Backend as WaBackend, wacore::store::InMemoryBackend};

use super::fixture::Fixture;
use crate::wa::gate::Gate;

#[derive(Default)]
struct Transcript(Vec<String>);

impl Transcript {
    fn note(&mut self, what: &str, answer: impl Debug) {
        self.0.push(format!("{what}: {answer:?}"));
    }
    /// For answers whose order is nobody's business.
    fn note_sorted<T: Debug + Ord>(&mut self, what: &str, mut answer: Vec<T>) {
        answer.sort();
        self.note(what, answer);
    }
}

const ALICE: &str = "5511999990001:1@s.whatsapp.net";
const BOB: &str = "5511999990002@s.whatsapp.net";
const GROUP: &str = "120363000000000001@g.us";
const OTHER_GROUP: &str = "120363000000000002@g.us";

async fn everything(backend: &dyn WaBackend) -> Vec<String> {
    let mut transcript = Transcript::default();
    let t = &mut transcript;
    signal::signal(backend, t).await.expect("signal");
    app_sync::app_sync(backend, t).await.expect("app sync");
    protocol::protocol(backend, t).await.expect("protocol");
    waiting::tokens(backend, t).await.expect("tokens");
    waiting::waiting(backend, t).await.expect("waiting");
    waiting::secrets(backend, t).await.expect("secrets");
    device::device(backend, t).await.expect("device");
    transcript.0
}

#[tokio::test(flavor = "multi_thread")]
async fn ours_answers_as_the_librarys_own() {
    let expected = everything(&InMemoryBackend::new()).await;
    let fixture = Fixture::new().await;
    let ours = everything(&fixture.backend(Gate::new(|_| ()))).await;
    assert!(expected.len() > 60, "{}", expected.len());
    for (ours, expected) in ours.iter().zip(&expected) {
        assert_eq!(ours, expected);
    }
    assert_eq!(ours.len(), expected.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_again_can_be_asked_for_once_more() {
    use whatsapp_rust::traits::ProtocolStore as _;

    let fixture = Fixture::new().await;
    let backend = fixture.backend(Gate::new(|_| ()));
    backend
        .store_sent_message(BOB, "S1", b"sent")
        .await
        .expect("stored");
    for _ in 0..2 {
        // The library stores it again after each; the process may end before it does.
        let taken = backend.take_sent_message(BOB, "S1").await.expect("read");
        assert_eq!(taken.as_deref(), Some(b"sent".as_slice()));
    }
}
