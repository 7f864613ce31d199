//! What stays: the counters of Signal, the history, and the pace of a busy network.

use std::time::Instant;

use crate::support::{Control, Device, LONG, all_taken, sandbox_in};
use base64::Engine as _;
use serde_json::{Value, json};
use wacore_binary::Jid;
use wacore_libsignal::protocol::{PreKeySignalMessage, SignalMessage};

const ANA: &str = "5511999990001";
const BRUNO: &str = "5511999990002";

/// The counters of the messages that wait for Ana's companion, from the file of the network.
fn counters(folder: &std::path::Path) -> Vec<u32> {
    let file = folder.join("companions").join(format!("{ANA}.1.queue"));
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let taken: Vec<&Value> = lines.iter().filter_map(|line| line.get("taken")).collect();
    let messages = lines
        .iter()
        .filter(|line| !taken.contains(&&line["at"]))
        .filter_map(|line| line.get("stanza"))
        .filter(|queued| queued["class"] == "message");
    messages
        .map(|queued| {
            let packed = base64::prelude::BASE64_STANDARD
                .decode(queued["stanza"].as_str().unwrap())
                .unwrap();
            let data = wacore_binary::util::unpack(&packed).unwrap();
            let node = wacore_binary::marshal::unmarshal_ref(&data)
                .unwrap()
                .to_owned();
            let enc = node.get_optional_child("enc").unwrap();
            let Some(wacore_binary::NodeContent::Bytes(body)) = &enc.content else {
                panic!("no body");
            };
            match enc.attrs.get("type").unwrap().as_str().as_ref() {
                "msg" => SignalMessage::try_from(body.as_ref()).unwrap().counter(),
                _ => PreKeySignalMessage::try_from(body.as_ref())
                    .unwrap()
                    .message()
                    .counter(),
            }
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counters_are_consecutive_also_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = Some(folder.path().to_owned());
    let sandbox = sandbox_in(path.clone(), 0).await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;
    // Both directions once: the session is settled.
    device.client.send_text(Jid::pn(BRUNO), "hi").await.unwrap();
    network.send_text(BRUNO, ANA, "hi").unwrap();
    device.texts_at_least(1).await;
    all_taken(&sandbox, ANA).await;
    let backend = device.stop().await;
    for at in 0..5 {
        network.send_text(BRUNO, ANA, &format!("{at}")).unwrap();
    }
    sandbox.stop().await;
    let sandbox = sandbox_in(path, 0).await;
    for at in 5..8 {
        let text = format!("{at}");
        sandbox.network().send_text(BRUNO, ANA, &text).unwrap();
    }
    let mut device = Device::with_backend(&sandbox, backend, None).await;
    let texts = device.texts_at_least(8).await;
    let got: Vec<&str> = texts.iter().map(|(_, _, text, _)| text.as_str()).collect();
    assert_eq!(got, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    all_taken(&sandbox, ANA).await;
    device.stop().await;
    for at in 8..70 {
        let text = format!("{at}");
        sandbox.network().send_text(BRUNO, ANA, &text).unwrap();
    }
    sandbox.stop().await;
    let counters = counters(folder.path());
    let first = counters[0];
    let wanted: Vec<u32> = (first..).take(62).collect();
    assert_eq!(counters, wanted);
    assert!(first < 16, "eight messages before: {first}");
}

/// Repeats, who sent it and what is unread survive; so do the ids that the server has taken, and
/// a phone may ask for what came before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_survives() {
    let folder = tempfile::tempdir().unwrap();
    let path = Some(folder.path().to_owned());
    let sandbox = sandbox_in(path.clone(), 0).await;
    sandbox.network().add_phone(ANA, "Ana").unwrap();
    sandbox.network().add_phone(BRUNO, "Bruno").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;
    let sent = device
        .client
        .send_text(Jid::pn(BRUNO), "kept")
        .await
        .unwrap();
    let id = sent.message_id;
    let control = Control::new(sandbox.control_url());
    let before = control.shown(BRUNO, &id, |_| true).await;
    device.acked(&id).await;
    let (port, messages) = (sandbox.addr().port(), format!("/phones/{BRUNO}/messages"));
    let all = control.get(&messages).await;
    sandbox.stop().await;

    let sandbox = sandbox_in(path, port).await;
    assert_eq!(control.get(&messages).await, all);
    let phone = control.get(&format!("/phones/{BRUNO}")).await;
    assert_eq!(phone["unread_from"], json!({ ANA: 1 }));
    sandbox
        .network()
        .wait_for(LONG, |network| {
            let phone = network.phone(ANA).ok()?;
            phone.companions.iter().all(|c| c.connected).then_some(())
        })
        .await
        .unwrap();
    control.trouble(json!({"kind": "drop_repeats"})).await;
    let options = whatsapp_rust::SendOptions::default().with_message_id(&id);
    let again = waproto::whatsapp::Message {
        conversation: Some("kept".to_owned()),
        ..Default::default()
    };
    device
        .client
        .send_message_with_options(Jid::pn(BRUNO), again, options)
        .await
        .unwrap();
    let last = device
        .client
        .send_text(Jid::pn(BRUNO), "behind it")
        .await
        .unwrap();
    control.shown(BRUNO, &last.message_id, |_| true).await;
    assert_eq!(control.shows(BRUNO, &id).await, Some(before));
    // A retransmission for a retry receipt is no repeat.
    let retry = format!("/phones/{BRUNO}/retry");
    assert_eq!(control.post(&retry, json!({ "id": id })).await.0, 200);
    control.shown(BRUNO, &id, |m| m["arrivals"] == 2).await;
    let read = format!("/phones/{BRUNO}/read");
    let (_, answer) = control.post(&read, json!({ "from": ANA })).await;
    assert_eq!(answer["read"], 2);
    assert_eq!(control.get(&format!("/phones/{BRUNO}")).await["unread"], 0);
    sandbox.stop().await;
}

/// A hundred messages a second and more, kept on disk, both ways.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_network() {
    const COUNT: usize = 300;
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox_in(Some(folder.path().to_owned()), 0).await;
    sandbox.network().add_phone(ANA, "Ana").unwrap();
    sandbox.network().add_phone(BRUNO, "Bruno").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;
    let control = std::sync::Arc::new(Control::new(sandbox.control_url()));
    let begun = Instant::now();
    let posts = (0..4).map(|_| {
        let control = control.clone();
        tokio::spawn(async move {
            for at in 0..COUNT / 4 {
                let body = json!({"to": ANA, "text": format!("{at}")});
                let path = format!("/phones/{BRUNO}/messages");
                assert_eq!(control.post(&path, body).await.0, 200);
            }
        })
    });
    for post in posts.collect::<Vec<_>>() {
        post.await.unwrap();
    }
    let posted = begun.elapsed();
    device.texts_at_least(COUNT).await;
    eprintln!(
        "{COUNT} posted in {posted:?}, received in {:?}",
        begun.elapsed()
    );
    assert!(posted.as_secs() < 30, "stalls: {posted:?}");
    sandbox.stop().await;
}
