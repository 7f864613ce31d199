//! The whole protocol slice, driven by the real client.

use crate::support::{Device, LONG, all_taken, sandbox, sandbox_in};
use wacore::types::events::Event;
use wacore::types::presence::ReceiptType;
use wacore_binary::Jid;

const ANA: &str = "5511999990001";
const BRUNO: &str = "5511999990002";

async fn status_of(sandbox: &recado_sandbox::Sandbox, number: &str, id: &str, status: &str) {
    sandbox
        .network()
        .wait_for(LONG, |network| {
            network
                .messages(number)
                .expect("the phone exists")
                .into_iter()
                .find(|message| message.id == id && message.status == status)
        })
        .await
        .unwrap_or_else(|error| {
            panic!(
                "{id} is not {status}: {error}; {:?}",
                sandbox.network().messages(number)
            )
        });
}

async fn shown(
    sandbox: &recado_sandbox::Sandbox,
    number: &str,
    id: &str,
) -> recado_sandbox::ChatMessage {
    sandbox
        .network()
        .wait_for(LONG, |network| {
            network
                .messages(number)
                .expect("the phone exists")
                .into_iter()
                .find(|message| message.id == id)
        })
        .await
        .expect("the phone shows the message")
}

async fn receipt(device: &mut Device, id: &str, kind: ReceiptType) {
    device
        .expect(&format!("{kind:?} receipt for {id}"), |event| match event {
            Event::Receipt(receipt)
                if receipt.r#type == kind && receipt.message_ids.iter().any(|m| m == id) =>
            {
                Some(())
            }
            _ => None,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn qr_text_both_ways_receipts_and_typing() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(&format!("+{BRUNO}"), "Bruno").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;

    let sent = device
        .client
        .send_text(Jid::pn(BRUNO), "good morning")
        .await
        .expect("the client sends");
    let message = shown(&sandbox, BRUNO, &sent.message_id).await;
    assert_eq!(message.text, "good morning");
    assert_eq!((message.from.as_str(), message.to.as_str()), (ANA, BRUNO));
    assert_eq!(
        (message.kind.as_str(), message.status.as_str()),
        ("text", "received")
    );
    receipt(&mut device, &sent.message_id, ReceiptType::Delivered).await;

    // Bruno answers: he has read what was there.
    let answer = network.send_text(BRUNO, ANA, "and to you").unwrap();
    receipt(&mut device, &sent.message_id, ReceiptType::Read).await;
    let texts = device.texts_at_least(1).await;
    assert_eq!(texts[0].0, answer.id);
    assert_eq!(texts[0].2, "and to you");
    assert!(!texts[0].3);
    status_of(&sandbox, BRUNO, &answer.id, "delivered").await;

    // Ana's own phone has both sides.
    let own = shown(&sandbox, ANA, &sent.message_id).await;
    assert_eq!((own.from.as_str(), own.to.as_str()), (ANA, BRUNO));
    assert_eq!(own.status, "read");
    shown(&sandbox, ANA, &answer.id).await;

    device
        .client
        .mark_as_read(&Jid::pn(BRUNO), None, &[&answer.id])
        .await
        .expect("the client marks as read");
    status_of(&sandbox, BRUNO, &answer.id, "read").await;

    network.typing(BRUNO, ANA, "composing").unwrap();
    device
        .expect("typing", |event| match event {
            Event::ChatPresence(presence) if presence.source.sender.user == BRUNO => Some(()),
            _ => None,
        })
        .await;
    device
        .client
        .chatstate()
        .send_composing(&Jid::pn(BRUNO))
        .await
        .unwrap();
    network
        .wait_for(LONG, |network| {
            let phone = network.phone(BRUNO).ok()?;
            (phone.typing.get(ANA).map(String::as_str) == Some("composing")).then_some(())
        })
        .await
        .unwrap();
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn link_code() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let backend = std::sync::Arc::new(wacore::store::InMemoryBackend::new());
    let mut device = Device::with_backend(&sandbox, backend, Some(ANA)).await;
    let code = device
        .expect("link code", |event| match event {
            Event::PairingCode(code) => Some(code.code.clone()),
            _ => None,
        })
        .await;
    let wrong = network.pair(ANA, "AAAA-AAAA").await.unwrap_err();
    assert!(wrong.to_string().contains("wrong"), "{wrong}");
    let paired = network.pair(ANA, &code).await.unwrap();
    assert!(paired.connected);
    device.connected().await;
    let sent = device
        .client
        .send_text(Jid::pn(BRUNO), "by code")
        .await
        .unwrap();
    assert_eq!(
        shown(&sandbox, BRUNO, &sent.message_id).await.text,
        "by code"
    );
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_wait_for_an_offline_companion() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let device = Device::paired(&sandbox, ANA).await;
    let backend = device.stop().await;
    network
        .wait_for(LONG, |network| {
            let phone = network.phone(ANA).ok()?;
            phone.companions.iter().all(|c| !c.connected).then_some(())
        })
        .await
        .unwrap();
    let ids: Vec<String> = (0..50)
        .map(|at| {
            network
                .send_text(BRUNO, ANA, &format!("waiting {at}"))
                .unwrap()
                .id
        })
        .collect();
    let mut device = Device::with_backend(&sandbox, backend, None).await;
    let texts = device.texts_at_least(50).await;
    let got: Vec<String> = texts.iter().map(|(id, ..)| id.clone()).collect();
    assert_eq!(got, ids, "each once and in order");
    // Everything acknowledged, nothing left to send again.
    all_taken(&sandbox, ANA).await;
    status_of(&sandbox, BRUNO, &ids[49], "delivered").await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offline_phone_delivers_later() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;
    network.set_online(BRUNO, false).unwrap();
    let sent = device
        .client
        .send_text(Jid::pn(BRUNO), "later")
        .await
        .unwrap();
    // Ana's own phone has the copy, so the server has seen the message.
    shown(&sandbox, ANA, &sent.message_id).await;
    assert!(network.messages(BRUNO).unwrap().is_empty());
    assert!(network.send_text(BRUNO, ANA, "no signal").is_err());
    network.set_online(BRUNO, true).unwrap();
    assert_eq!(network.messages(BRUNO).unwrap().len(), 1);
    receipt(&mut device, &sent.message_id, ReceiptType::Delivered).await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_phone_logs_companions_out() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;
    assert_eq!(network.logout(ANA).unwrap(), 1);
    device
        .expect("LoggedOut", |event| {
            matches!(event, Event::LoggedOut(_)).then_some(())
        })
        .await;
    assert!(network.phone(ANA).unwrap().companions.is_empty());
    // Its old credentials are worth nothing.
    let backend = device.stop().await;
    let mut again = Device::with_backend(&sandbox, backend, None).await;
    again
        .expect("LoggedOut on connect", |event| match event {
            Event::LoggedOut(out) if out.on_connect => Some(()),
            _ => None,
        })
        .await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_companion_logs_itself_out() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;
    device.client.logout().await;
    device
        .expect("LoggedOut", |event| {
            matches!(event, Event::LoggedOut(_)).then_some(())
        })
        .await;
    network
        .wait_for(LONG, |network| {
            network.phone(ANA).ok()?.companions.is_empty().then_some(())
        })
        .await
        .unwrap();
    // The phone can link again, under a new device number.
    let device = Device::paired(&sandbox, ANA).await;
    assert_eq!(device.client.pn().unwrap().device, 2);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_companions_and_a_chat_between_accounts() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let mut first = Device::paired(&sandbox, ANA).await;
    // Bruno's device list is cached by Ana's client before Bruno links a device.
    first.client.send_text(Jid::pn(BRUNO), "one").await.unwrap();
    let mut other = Device::paired(&sandbox, BRUNO).await;
    let mut second = Device::paired(&sandbox, ANA).await;

    // What Ana's phone writes, both of her companions and Bruno's see.
    let written = network.send_text(ANA, BRUNO, "from the phone").unwrap();
    for (device, own) in [(&mut first, true), (&mut second, true), (&mut other, false)] {
        let texts = device.texts_at_least(1).await;
        let text = texts
            .iter()
            .find(|(id, ..)| *id == written.id)
            .expect("the text is there");
        assert_eq!((text.2.as_str(), text.3), ("from the phone", own));
    }
    // From companion to companion.
    let sent = first.client.send_text(Jid::pn(BRUNO), "two").await.unwrap();
    receipt(&mut first, &sent.message_id, ReceiptType::Delivered).await;
    let texts = other.texts_at_least(2).await;
    assert!(
        texts.iter().any(|(id, ..)| *id == sent.message_id),
        "{texts:?}"
    );
    let texts = second.texts_at_least(2).await;
    assert!(
        texts
            .iter()
            .any(|(id, _, _, own)| *id == sent.message_id && *own),
        "{texts:?}"
    );
    // And back.
    let back = other.client.send_text(Jid::pn(ANA), "three").await.unwrap();
    for device in [&mut first, &mut second] {
        device
            .expect("the answer", |event| match event {
                Event::Messages(batch) => batch
                    .messages
                    .iter()
                    .any(|m| m.info.id == back.message_id)
                    .then_some(()),
                _ => None,
            })
            .await;
    }
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = Some(folder.path().to_owned());
    let sandbox = sandbox_in(path.clone(), 0).await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;
    let before = network.send_text(BRUNO, ANA, "before").unwrap();
    device.texts_at_least(1).await;
    // "delivered" is what Bruno sees as soon as Ana's phone has it; the companion's own receipt
    // is what empties its queue.
    status_of(&sandbox, BRUNO, &before.id, "delivered").await;
    all_taken(&sandbox, ANA).await;
    let port = sandbox.addr().port();
    sandbox.stop().await;

    let sandbox = sandbox_in(path, port).await;
    let network = sandbox.network();
    assert_eq!(network.phones().len(), 2);
    let after = network.send_text(BRUNO, ANA, "after").unwrap();
    // The client finds the network again by itself and resumes (Noise IK).
    let texts = device.texts_at_least(2).await;
    assert_eq!(texts[1].0, after.id);
    status_of(&sandbox, BRUNO, &after.id, "delivered").await;
    let sent = device
        .client
        .send_text(Jid::pn(BRUNO), "still here")
        .await
        .unwrap();
    assert_eq!(
        shown(&sandbox, BRUNO, &sent.message_id).await.text,
        "still here"
    );
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_on_the_network() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let device = Device::paired(&sandbox, ANA).await;
    let found = device
        .client
        .contacts()
        .is_on_whatsapp(&[Jid::pn(BRUNO), Jid::pn("5511000000000")])
        .await
        .unwrap();
    let registered: Vec<bool> = found.iter().map(|result| result.is_registered).collect();
    assert_eq!(registered, [true, false]);
    let refused = device
        .client
        .send_text(Jid::pn("5511000000000"), "anyone?")
        .await;
    tracing::info!(?refused, "to nobody");
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_goes_up_and_down() {
    use wacore::download::MediaType;
    use whatsapp_rust::media::{ImageOptions, image_message};
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let mut sender = Device::paired(&sandbox, ANA).await;
    let mut receiver = Device::paired(&sandbox, BRUNO).await;
    let picture: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
    let upload = sender
        .client
        .upload(picture.clone(), MediaType::Image, Default::default())
        .await
        .unwrap();
    let options = ImageOptions {
        caption: Some("look".to_owned()),
        ..Default::default()
    };
    let sent = sender
        .client
        .send_message(Jid::pn(BRUNO), image_message(upload, options))
        .await
        .unwrap();
    let message = shown(&sandbox, BRUNO, &sent.message_id).await;
    assert_eq!(
        (message.kind.as_str(), message.text.as_str()),
        ("image", "look")
    );
    let image = receiver
        .expect("the picture", |event| match event {
            Event::Messages(batch) => batch
                .messages
                .iter()
                .find_map(|inbound| inbound.message.image_message.as_option().cloned()),
            _ => None,
        })
        .await;
    let downloaded = receiver.client.download(&image).await.unwrap();
    assert_eq!(downloaded, picture);
    receipt(&mut sender, &sent.message_id, ReceiptType::Delivered).await;
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_qr_codes_are_refused() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    for qr in ["", "hello", "2@x,AAAA,AAAA,AAAA,1"] {
        let refused = network.scan(ANA, qr).await.unwrap_err();
        assert!(refused.to_string().contains("QR code"), "{refused}");
    }
    let mut device = Device::start(&sandbox).await;
    let qr = device.qr().await;
    network.set_online(ANA, false).unwrap();
    assert!(
        network
            .scan(ANA, &qr)
            .await
            .unwrap_err()
            .to_string()
            .contains("offline")
    );
    network.set_online(ANA, true).unwrap();
    device.stop().await;
    sandbox.stop().await;
}

/// A companion that acknowledges nothing (its database is down) gets everything again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_acknowledged_comes_again() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;
    all_taken(&sandbox, ANA).await;
    // The socket dies with a message in flight, again and again.
    let mut ids = Vec::new();
    for at in 0..20 {
        ids.push(
            network
                .send_text(BRUNO, ANA, &format!("in flight {at}"))
                .unwrap()
                .id,
        );
        if at % 5 == 0 {
            device.client.reconnect_immediately().await;
        }
    }
    let texts = device.texts_at_least(ids.len()).await;
    let mut got: Vec<String> = texts.iter().map(|(id, ..)| id.clone()).collect();
    got.sort();
    ids.sort();
    assert_eq!(got, ids, "each once");
    all_taken(&sandbox, ANA).await;
    sandbox.stop().await;
}

/// A phone that lost its sessions asks the companion to send again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_asks_for_what_it_cannot_decrypt() {
    let folder = tempfile::tempdir().unwrap();
    let path = Some(folder.path().to_owned());
    let sandbox = sandbox_in(path.clone(), 0).await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;
    let first = device
        .client
        .send_text(Jid::pn(BRUNO), "first")
        .await
        .unwrap();
    shown(&sandbox, BRUNO, &first.message_id).await;
    network
        .send_text(BRUNO, ANA, "so that the session is settled")
        .unwrap();
    device.texts_at_least(1).await;
    all_taken(&sandbox, ANA).await;
    let port = sandbox.addr().port();
    sandbox.stop().await;

    for entry in std::fs::read_dir(folder.path().join("sessions")).unwrap() {
        let file = entry.unwrap();
        if file.file_name().to_string_lossy().starts_with(BRUNO) {
            std::fs::remove_file(file.path()).unwrap();
        }
    }

    let sandbox = sandbox_in(path, port).await;
    device.client.wait_for_connected(LONG).await.unwrap();
    sandbox
        .network()
        .wait_for(LONG, |network| {
            let phone = network.phone(ANA).ok()?;
            phone.companions.iter().all(|c| c.connected).then_some(())
        })
        .await
        .unwrap();
    let sent = device
        .client
        .send_text(Jid::pn(BRUNO), "again")
        .await
        .unwrap();
    assert_eq!(shown(&sandbox, BRUNO, &sent.message_id).await.text, "again");
    let copies = sandbox
        .network()
        .messages(BRUNO)
        .unwrap()
        .iter()
        .filter(|message| message.id == sent.message_id)
        .count();
    assert_eq!(copies, 1);
    sandbox.stop().await;
}

/// A companion that lost its sessions asks the phone to send again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_companion_asks_for_what_it_cannot_decrypt() {
    use wacore::store::InMemoryBackend;
    use wacore::store::traits::DeviceStore as _;
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(ANA, "Ana").unwrap();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let mut device = Device::paired(&sandbox, ANA).await;
    let sent = device
        .client
        .send_text(Jid::pn(BRUNO), "settle")
        .await
        .unwrap();
    shown(&sandbox, BRUNO, &sent.message_id).await;
    network.send_text(BRUNO, ANA, "settled").unwrap();
    device.texts_at_least(1).await;
    all_taken(&sandbox, ANA).await;
    let old = device.stop().await;
    // Only the device row survives: no sessions, no pre-keys.
    let device_row = old.load().await.unwrap().expect("a paired device");
    let fresh = InMemoryBackend::new();
    fresh.save(&device_row).await.unwrap();
    let mut device = Device::with_backend(&sandbox, std::sync::Arc::new(fresh), None).await;
    device.connected().await;
    let again = network.send_text(BRUNO, ANA, "can you read this?").unwrap();
    let texts = device.texts_at_least(1).await;
    assert_eq!(
        (texts[0].0.as_str(), texts[0].2.as_str()),
        (again.id.as_str(), "can you read this?")
    );
    all_taken(&sandbox, ANA).await;
    sandbox.stop().await;
}

/// Many linked devices at once: nothing in the network waits for anything else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_companions() {
    const COUNT: u64 = 30;
    let sandbox = sandbox().await;
    let network = sandbox.network();
    network.add_phone(BRUNO, "Bruno").unwrap();
    let mut devices = Vec::new();
    for at in 0..COUNT {
        let number = (5_511_900_000_000 + at).to_string();
        network.add_phone(&number, "Somebody").unwrap();
        devices.push((Device::start(&sandbox).await, number));
    }
    for (device, number) in &mut devices {
        let qr = device.qr().await;
        assert!(network.scan(number, &qr).await.unwrap().connected);
    }
    for (device, number) in &mut devices {
        device.connected().await;
        network.send_text(BRUNO, number, "hello").unwrap();
    }
    for (device, number) in &mut devices {
        assert_eq!(device.texts_at_least(1).await[0].2, "hello");
        let sent = device.client.send_text(Jid::pn(BRUNO), "hi").await.unwrap();
        assert_eq!(shown(&sandbox, BRUNO, &sent.message_id).await.from, *number);
    }
    sandbox.stop().await;
}
