//! A process that dies between the ratchet's step and the row of the message that it was for.

use std::sync::Arc;

use recado_engine::Notice;
use recado_model::InstanceId;

use crate::support::{ANA, BIA, Kind, Lab, QUICK, Recorder};

/// What waits is read, and then the process dies: of it only the ratchet is written. In a drain of what
/// waited the library writes all before it asks the sink; what it reads once the drain is over it writes
/// after it asked, and then nothing has happened yet.
async fn ratchet_alone(lab: &Lab, instance: &InstanceId) {
    let before = lab.ratchets(instance).await;
    while lab.ratchets(instance).await == before {
        let dying = Arc::new(Recorder::default());
        dying.refuse(u32::MAX);
        let link = lab.start(instance, &dying).await;
        dying.refused().await;
        link.stop().await;
    }
    lab.raw("DELETE FROM device WHERE space = 'pending'").await;
}

/// The ratchet is written, the message is nowhere, and WhatsApp has no word of it.
async fn the_message_dies_and_its_ratchet_lives(kind: Kind, later: Recorder) {
    let later = Arc::new(later);
    let lab = Lab::with(kind, QUICK).await;
    let (instance, link, sink) = lab.paired().await;
    let network = lab.sandbox.network();
    // There is a session, and both ends have used it.
    network.send_text(BIA, ANA, "hello").expect("written");
    sink.received(1).await;
    link.send(&lab.text(BIA, "hello")).await.expect("sent");
    lab.phone_shows(BIA, "hello").await;
    link.stop().await;
    let written = network
        .send_text(BIA, ANA, "where is this?")
        .expect("written");
    ratchet_alone(&lab, &instance).await;
    let link = lab.start(&instance, &later).await;
    let received = later.received(1).await;
    assert_eq!(received[0].id.as_str(), written.id);
    assert_eq!(received[0].text.as_deref(), Some("where is this?"));
    // All goes on with the same person, both ways, and nothing comes twice.
    network.send_text(BIA, ANA, "and this?").expect("written");
    let received = later.received(2).await;
    assert_eq!(received[1].text.as_deref(), Some("and this?"));
    link.send(&lab.text(BIA, "all here")).await.expect("sent");
    lab.phone_shows(BIA, "all here").await;
    link.stop().await;
    assert_eq!(later.messages().len(), 2);
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_a_message_whose_ratchet_alone_was_written_is_asked_for_again() {
    the_message_dies_and_its_ratchet_lives(Kind::Sqlite, Recorder::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_a_message_whose_ratchet_alone_was_written_is_asked_for_again() {
    the_message_dies_and_its_ratchet_lives(Kind::Postgres, Recorder::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_cannot_tell_is_asked_again() {
    the_message_dies_and_its_ratchet_lives(Kind::Sqlite, Recorder::doubting()).await;
}

/// The usual repeat: committed, and its acknowledgement was lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_of_what_is_committed_ends_no_connection() {
    let lab = Lab::with(Kind::Sqlite, QUICK).await;
    let (instance, link, _sink) = lab.paired().await;
    link.stop().await;
    let network = lab.sandbox.network();
    network.send_text(BIA, ANA, "once").expect("written");
    ratchet_alone(&lab, &instance).await;
    // It has the message, whatever the link thinks.
    let later = Arc::new(Recorder::knowing());
    let link = lab.start(&instance, &later).await;
    later.online().await;
    network.send_text(BIA, ANA, "twice").expect("written");
    let received = later.received(1).await;
    assert_eq!(received[0].text.as_deref(), Some("twice"));
    link.stop().await;
    assert!(!later.has(|notice| matches!(notice, Notice::Offline { .. })));
    lab.close().await;
}
