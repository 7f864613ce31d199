//! Links whose store, disk or network fails under them.

mod lost;
mod polls;
mod settings;

use std::{sync::Arc, time::Duration};

use recado_engine::Notice;
use recado_model::{
    Address,
    message::{MessageId, ReceiptState},
};
use recado_store::DeviceOp;

use crate::support::{ANA, BIA, Kind, Lab, PATIENCE, QUICK, Recorder, address};

const CUT_OFF: &str = "5511999990003";

async fn the_device_rows_go_away(kind: Kind) {
    let lab = Lab::with(kind, QUICK).await;
    let (_, link, sink) = lab.paired().await;
    lab.sandbox
        .network()
        .add_phone(CUT_OFF, "Somebody new")
        .expect("a phone");
    lab.raw("ALTER TABLE device RENAME TO device_away").await;
    // Its first message needs keys that cannot be read now.
    lab.sandbox
        .network()
        .send_text(CUT_OFF, ANA, "are you there?")
        .expect("sent");
    sink.offline().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(sink.messages().is_empty());
    lab.raw("ALTER TABLE device_away RENAME TO device").await;
    let received = sink.received(1).await;
    assert_eq!(received[0].text.as_deref(), Some("are you there?"));
    sink.online().await;
    lab.sandbox
        .network()
        .send_text(CUT_OFF, ANA, "good")
        .expect("sent");
    let received = sink.received(2).await;
    assert_eq!(received[1].text.as_deref(), Some("good"));
    link.send(&lab.text(CUT_OFF, "I am")).await.expect("sent");
    lab.phone_shows(CUT_OFF, "I am").await;
    link.stop().await;
    assert_eq!(sink.messages().len(), 2, "each once");
    assert!(!sink.has(|notice| matches!(notice, Notice::Undecryptable { .. })));
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_the_device_rows_go_away_while_somebody_new_writes() {
    the_device_rows_go_away(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_the_device_rows_go_away_while_somebody_new_writes() {
    the_device_rows_go_away(Kind::Postgres).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_ends_the_connection_at_once() {
    let lab = Lab::with(Kind::Sqlite, QUICK).await;
    let (_, link, sink) = lab.paired().await;
    sink.refuse(1);
    lab.sandbox
        .network()
        .send_text(BIA, ANA, "keep this")
        .expect("sent");
    sink.offline().await;
    let received = sink.received(1).await;
    assert_eq!(received[0].text.as_deref(), Some("keep this"));
    sink.online().await;
    link.stop().await;
    assert_eq!(sink.messages().len(), 1);
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_network_is_noticed_and_so_is_its_return() {
    let lab = Lab::with(Kind::Sqlite, QUICK).await;
    let (_, link, sink) = lab.paired().await;
    // Quiet is not dead: WhatsApp answers when asked.
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert!(!sink.has(|notice| matches!(notice, Notice::Offline { .. })));
    lab.proxy.stall(true);
    let within = Duration::from_millis(QUICK.silence_ms + QUICK.probe_ms) + Duration::from_secs(3);
    tokio::time::timeout(within, sink.offline())
        .await
        .expect("in time");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!sink.has(|notice| matches!(notice, Notice::Online { .. })));
    lab.proxy.stall(false);
    sink.online().await;
    link.send(&lab.text(BIA, "back again")).await.expect("sent");
    lab.phone_shows(BIA, "back again").await;
    link.stop().await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_wire_is_told_and_mended() {
    let lab = Lab::with(Kind::Sqlite, QUICK).await;
    let (_, link, sink) = lab.paired().await;
    for _ in 0..2 {
        lab.proxy.cut();
        sink.offline().await;
        sink.online().await;
    }
    link.stop().await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_link_shares_the_groups_keys_anew() {
    let lab = Lab::with(Kind::Sqlite, QUICK).await;
    let (instance, link, sink) = lab.paired().await;
    let device = lab.store.device(&lab.account, &instance);
    let known = |group: &str| DeviceOp::Put {
        space: "sender_key_device",
        key: format!("{group}\u{1f}{}", address(BIA)),
        n: 1,
        value: Vec::new(),
    };
    let (silent, other) = ("120363000000000001@g.us", "120363000000000002@g.us");
    device
        .apply(vec![known(silent), known(other)])
        .await
        .expect("rows");
    link.renew(&[Address::from_wire(silent)]).await;
    sink.offline().await;
    sink.online().await;
    let keys = device.keys("sender_key_device").await.expect("rows");
    assert_eq!(keys, [format!("{other}\u{1f}{}", address(BIA))]);
    link.send(&lab.text(BIA, "anew")).await.expect("sent");
    lab.phone_shows(BIA, "anew").await;
    link.stop().await;
    lab.close().await;
}

fn receipts(notices: &[Notice]) -> Vec<(MessageId, Option<ReceiptState>)> {
    notices
        .iter()
        .filter_map(|notice| match notice {
            Notice::Receipt(receipt) => Some((receipt.ids[0].clone(), Some(receipt.state))),
            Notice::ServerAck { id, .. } => Some((id.clone(), None)),
            _ => None,
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_that_are_not_taken_are_given_again_and_outlive_the_link() {
    let lab = Lab::with(Kind::Sqlite, QUICK).await;
    let (instance, link, sink) = lab.paired().await;
    sink.refuse_receipts(true);
    let (first, second) = (lab.text(BIA, "one"), lab.text(BIA, "two"));
    link.send(&first).await.expect("sent");
    link.send(&second).await.expect("sent");
    lab.phone_shows(BIA, "two").await;
    // Bia answers, so she has read what was written: the news of it is acknowledged by now.
    lab.sandbox
        .network()
        .send_text(BIA, ANA, "yes?")
        .expect("sent");
    sink.received(1).await;
    let journal = lab.journal().join(format!("{instance}.jsonl"));
    let noted = async {
        let read = || std::fs::read_to_string(&journal).unwrap_or_default();
        while read().matches(r#""state":"read""#).count() < 1 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, noted).await.expect("noted");
    link.stop().await;
    assert_eq!(receipts(&sink.notices()), []);

    let later = Arc::new(Recorder::default());
    let link = lab.start(&instance, &later).await;
    let all = [
        (first.id.clone(), None),
        (second.id.clone(), None),
        (first.id.clone(), Some(ReceiptState::Delivered)),
        (second.id.clone(), Some(ReceiptState::Delivered)),
    ];
    for expected in all {
        let found = later.until("a receipt", || {
            receipts(&later.notices()).contains(&expected).then_some(())
        });
        found.await;
    }
    later
        .expect("being read", |notice| match notice {
            Notice::Receipt(receipt) if receipt.state == ReceiptState::Read => Some(()),
            _ => None,
        })
        .await;
    link.stop().await;
    let emptied = async {
        while std::fs::metadata(&journal).map_or(0, |file| file.len()) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, emptied)
        .await
        .expect("emptied");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_that_cannot_be_noted_is_not_acknowledged() {
    let lab = Lab::with(Kind::Sqlite, QUICK).await;
    let (instance, link, sink) = lab.paired().await;
    // A folder where the file should be.
    let journal = lab.journal().join(format!("{instance}.jsonl"));
    if journal.exists() {
        std::fs::remove_file(&journal).expect("removed");
    }
    std::fs::create_dir_all(&journal).expect("a folder");
    let message = lab.text(BIA, "will you get this?");
    link.send(&message).await.expect("sent");
    lab.phone_shows(BIA, "will you get this?").await;
    sink.offline().await;
    // It does not come back before it can note things again.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!sink.has(|notice| matches!(notice, Notice::Online { .. })));
    assert_eq!(receipts(&sink.notices()), []);
    std::fs::remove_dir(&journal).expect("removed");
    // WhatsApp still has the receipt, because nobody acknowledged it. (It may come before the news that
    // the link is online.)
    let expected = (message.id.clone(), Some(ReceiptState::Delivered));
    sink.until("the receipt", || {
        receipts(&sink.notices()).contains(&expected).then_some(())
    })
    .await;
    sink.online().await;
    link.stop().await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_goes_with_the_pairing() {
    use recado_engine::Engine as _;

    let lab = Lab::with(Kind::Sqlite, QUICK).await;
    let (instance, link, sink) = lab.paired().await;
    let journal = lab.journal().join(format!("{instance}.jsonl"));
    link.send(&lab.text(BIA, "hello")).await.expect("sent");
    sink.expect("a receipt", |notice| {
        matches!(notice, Notice::Receipt(_)).then_some(())
    })
    .await;
    assert!(journal.exists());
    link.logout().await.expect("logged out");
    assert!(!journal.exists());
    std::fs::write(&journal, "\n").expect("written");
    lab.engine
        .forget(&lab.account, &instance)
        .await
        .expect("forgotten");
    assert!(!journal.exists());
    lab.close().await;
}
