//! The account's settings cannot be read at the first log-in.

use std::sync::Arc;

use recado_engine::wa::WaTimers;

use crate::support::{ANA, BIA, Kind, Lab, QUICK, Recorder};

/// The library waits for them, and begins again, for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_in_waits_not_for_ever_for_settings() {
    let timers = WaTimers {
        stale_ms: 1_000,
        ..QUICK
    };
    let lab = Lab::with(Kind::Sqlite, timers).await;
    let network = lab.sandbox.network();
    let spoilt = network.spoil_settings(ANA, "critical_block", true);
    spoilt.expect("a phone");
    network.add_phone(ANA, "Ana Maria").expect("another name");
    let (instance, sink) = (lab.instance().await, Arc::new(Recorder::default()));
    let link = lab.start(&instance, &sink).await;
    // Returns once it is online.
    lab.scan(&sink).await;
    let message = lab.text(BIA, "here I am");
    link.send(&message).await.expect("it sends");
    lab.phone_shows(BIA, "here I am").await;
    link.stop().await;
    lab.close().await;
}
