//! What the account's devices tell each other: read too late, not at all, or not told.

use std::{sync::Arc, time::Duration};

use recado_engine::{Notice, wa::WaTimers};
use recado_model::chat::{ChatAct, Synced};
use recado_sandbox::ChatChange;
use recado_store::DeviceOp;

use crate::support::{ANA, BIA, Kind, Lab, QUICK, Recorder};

fn is_archived(notice: &Notice) -> Option<()> {
    let Notice::Synced(all) = notice else {
        return None;
    };
    let archived = |synced: &Synced| match synced {
        Synced::Chat(update) => update.act == ChatAct::Archive(true),
        _ => false,
    };
    all.iter().any(archived).then_some(())
}

/// A process that dies after a step was written, before it was told, leaves its row.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_perhaps_not_told_is_told_again() {
    let lab = Lab::new().await;
    let (instance, link, sink) = lab.paired().await;
    let network = lab.sandbox.network();
    let change = |archived| ChatChange {
        chat: BIA.to_owned(),
        archived: Some(archived),
        ..ChatChange::default()
    };
    // The library leaves out a notice that comes while it fetches: the first may go unheard.
    while !sink.has(|notice| is_archived(notice).is_some()) {
        for archived in [false, true] {
            let changed = network.change_chat(ANA, &change(archived));
            changed.expect("it archives");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    link.stop().await;
    let device = lab.store.device(&lab.account, &instance);
    let owed = DeviceOp::Put {
        space: "sync_owed",
        key: "regular_low".to_owned(),
        n: 0,
        value: vec![1],
    };
    device.apply(vec![owed]).await.expect("a row");
    let sink = Arc::new(Recorder::default());
    let link = lab.start(&instance, &sink).await;
    sink.expect("the same again", is_archived).await;
    link.stop().await;
    lab.close().await;
}

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
