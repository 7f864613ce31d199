//! Links against the sandbox network: the real client, the real protocol, a real database.
#![allow(
    clippy::disallowed_methods,
    reason = "the client library runs in real time"
)]

mod media;
mod support;
mod trouble;

use std::{sync::Arc, time::Duration};

use recado_engine::{
    Engine, Notice,
    wa::{Network, WaConfig, WaEngine, WaTimers},
};
use recado_model::{
    Address, ContentKind, ErrorCode, PhoneNumber, StateReason,
    call::{LookUp, MarkRead, PairCode, Typing},
    clock::OsRng,
    message::{MessageId, ReceiptState, TypingState},
};

use support::{ANA, BIA, Lab, PATIENCE, Recorder, address};

fn code_for(phone: &PhoneNumber) -> PairCode {
    PairCode {
        phone: phone.clone(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_scans_and_texts_go_both_ways() {
    let lab = Lab::new().await;
    let instance = lab.instance().await;
    let sink = Arc::new(Recorder::default());
    let link = lab.start(&instance, &sink).await;
    let (code, valid_ms) = sink
        .expect("a QR", |notice| match notice {
            Notice::Qr { code, valid_ms } => Some((code.clone(), *valid_ms)),
            _ => None,
        })
        .await;
    assert!(valid_ms > 50_000, "{valid_ms}");
    let refused = link
        .send(&lab.text(BIA, "too early"))
        .await
        .expect_err("not connected");
    assert_eq!(refused.code, ErrorCode::InstanceNotConnected);

    lab.sandbox
        .network()
        .scan(ANA, &code)
        .await
        .expect("a scan");
    let (phone, jid, lid) = sink
        .expect("the pairing", |notice| match notice {
            Notice::Paired {
                phone, jid, lid, ..
            } => Some((phone.clone(), jid.clone(), lid.clone())),
            _ => None,
        })
        .await;
    assert_eq!(phone, ANA);
    assert_eq!(jid, address(ANA));
    assert!(lid.is_some_and(|lid| lid.is_lid()));
    // The name comes with the account's synced settings, before the link counts as online.
    let name = sink
        .expect("being online", |notice| match notice {
            Notice::Online { push_name } => Some(push_name.clone()),
            _ => None,
        })
        .await;
    assert_eq!(name.as_deref(), Some("Ana"));

    let hello = lab.text(BIA, "hello Bia");
    link.send(&hello).await.expect("sent");
    link.send(&hello).await.expect("sent again");
    lab.phone_shows(BIA, "hello Bia").await;
    sink.expect("the server's acknowledgement", |notice| match notice {
        Notice::ServerAck { id, refused } if *id == hello.id => {
            assert_eq!(*refused, None);
            Some(())
        }
        _ => None,
    })
    .await;
    let receipt = sink
        .expect("a delivery receipt", |notice| match notice {
            Notice::Receipt(receipt) if receipt.state == ReceiptState::Delivered => {
                Some(receipt.clone())
            }
            _ => None,
        })
        .await;
    assert_eq!(receipt.ids, std::slice::from_ref(&hello.id));
    assert_eq!(receipt.chat.shown, address(BIA));
    assert!(!receipt.chat.shown.is_group() && !receipt.from_me);

    // A person who answers has read what was written before.
    lab.sandbox
        .network()
        .send_text(BIA, ANA, "hello Ana")
        .expect("an answer");
    sink.expect("a read receipt", |notice| match notice {
        Notice::Receipt(receipt) if receipt.state == ReceiptState::Read => Some(()),
        _ => None,
    })
    .await;
    let received = sink.received(1).await;
    let message = &received[0];
    assert_eq!(message.instance, instance);
    assert_eq!(message.text.as_deref(), Some("hello Ana"));
    assert_eq!(message.kind, ContentKind::Text);
    assert_eq!(message.chat.shown, address(BIA));
    assert_eq!(message.sender.shown, address(BIA));
    assert_eq!(message.push_name.as_deref(), Some("Bia"));
    assert!(!message.from_me && !message.chat.shown.is_group());
    assert_eq!(message.rendered.stanza_type, "text");
    assert_eq!(message.arrival.flags["is_ephemeral"], false);
    let content = &message.rendered.message;
    let read = content["conversation"]
        .as_str()
        .or_else(|| content["extended_text_message"]["text"].as_str());
    assert_eq!(read, Some("hello Ana"), "{content}");

    let shown = lab.sandbox.network().messages(BIA).expect("Bia's history");
    let shown = shown.iter().filter(|m| m.text == "hello Bia").count();
    assert_eq!(shown, 1, "a repeated send is shown once");
    link.stop().await;
    assert_eq!(sink.messages().len(), 1, "told once");
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_typed_instead() {
    let lab = Lab::new().await;
    let instance = lab.instance().await;
    let sink = Arc::new(Recorder::default());
    let link = lab.start(&instance, &sink).await;
    let phone = PhoneNumber::parse(ANA).expect("a number");
    let other = PhoneNumber::parse(BIA).expect("a number");
    let other = link.ask(PairCode { phone: other }).await.expect("a code");
    let first = link.ask(code_for(&phone)).await.expect("a code");
    assert_ne!(other.code, first.code, "another number's is another");
    // Asked for again while it is being typed: the same, for what is left of its time.
    let again = link.ask(code_for(&phone)).await.expect("the code");
    assert_eq!(again.code, first.code);
    assert!((1..=180_000).contains(&again.valid_ms), "{again:?}");
    let code = first.code;
    assert_eq!(code.len(), 9);
    assert_eq!(&code[4..5], "-");
    lab.sandbox
        .network()
        .pair(ANA, &code)
        .await
        .expect("paired");
    sink.online().await;
    let again = link
        .ask(code_for(&phone))
        .await
        .expect_err("paired already");
    assert_eq!(again.code, ErrorCode::AlreadyConnected);
    link.stop().await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_device_logs_in_without_a_qr_and_gets_what_it_missed() {
    let lab = Lab::new().await;
    let (instance, link, sink) = lab.paired().await;
    link.send(&lab.text(BIA, "warm up")).await.expect("sent");
    lab.phone_shows(BIA, "warm up").await;
    link.stop().await;

    for n in 0..50 {
        lab.sandbox
            .network()
            .send_text(BIA, ANA, &format!("missed {n}"))
            .expect("queued");
    }
    let later = Arc::new(Recorder::default());
    let link = lab.start(&instance, &later).await;
    let received = later.received(50).await;
    let texts: Vec<_> = received.iter().filter_map(|m| m.text.clone()).collect();
    let expected: Vec<_> = (0..50).map(|n| format!("missed {n}")).collect();
    assert_eq!(texts, expected, "all of them, in order, once");
    later.online().await;
    assert!(!later.has(|notice| matches!(notice, Notice::Qr { .. })));
    link.send(&lab.text(BIA, "back again")).await.expect("sent");
    lab.phone_shows(BIA, "back again").await;
    link.stop().await;
    assert_eq!(later.messages().len(), 50);
    assert!(sink.messages().is_empty());
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sink_refuses_is_delivered_again() {
    let lab = Lab::new().await;
    let (_, link, sink) = lab.paired().await;
    sink.refuse(2);
    lab.sandbox
        .network()
        .send_text(BIA, ANA, "keep this")
        .expect("sent");
    let received = sink.received(1).await;
    assert_eq!(received[0].text.as_deref(), Some("keep this"));
    assert_eq!(sink.refusals_left(), 0, "it was refused before");
    // And the session is intact: the next one arrives at the first try.
    lab.sandbox
        .network()
        .send_text(BIA, ANA, "and this")
        .expect("sent");
    let received = sink.received(2).await;
    assert_eq!(received[1].text.as_deref(), Some("and this"));
    link.stop().await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_message_outlives_the_link() {
    let lab = Lab::new().await;
    let (instance, link, sink) = lab.paired().await;
    sink.refuse(u32::MAX);
    lab.sandbox
        .network()
        .send_text(BIA, ANA, "do not lose me")
        .expect("sent");
    sink.refused().await;
    link.stop().await;
    assert!(sink.messages().is_empty());

    let later = Arc::new(Recorder::default());
    let link = lab.start(&instance, &later).await;
    let received = later.received(1).await;
    assert_eq!(received[0].text.as_deref(), Some("do not lose me"));
    link.stop().await;
    assert_eq!(later.messages().len(), 1);
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_phone_ends_the_link() {
    let lab = Lab::new().await;
    let (instance, link, sink) = lab.paired().await;
    assert!(lab.has_device(&instance).await);
    lab.sandbox.network().logout(ANA).expect("logged out");
    let reason = sink
        .expect("the log-out", |notice| match notice {
            Notice::LoggedOut { reason } => Some(*reason),
            _ => None,
        })
        .await;
    assert_eq!(reason, StateReason::LoggedOutByPhone);
    assert!(!lab.has_device(&instance).await, "wiped before it was told");
    let refused = link.send(&lab.text(BIA, "no")).await.expect_err("closed");
    assert_eq!(refused.code, ErrorCode::InstanceNotConnected);
    // The instance can be paired anew.
    link.stop().await;
    let link = lab.start(&instance, &sink).await;
    lab.scan(&sink).await;
    link.stop().await;
    assert!(lab.has_device(&instance).await);
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn we_end_the_link() {
    let lab = Lab::new().await;
    let (instance, link, sink) = lab.paired().await;
    link.logout().await.expect("logged out");
    assert!(!lab.has_device(&instance).await);
    let companions = lab.sandbox.network().wait_for(PATIENCE, |network| {
        let phone = network.phone(ANA).ok()?;
        phone.companions.is_empty().then_some(())
    });
    companions.await.expect("the phone knows");
    assert!(!sink.has(|notice| matches!(notice, Notice::LoggedOut { .. })));
    link.stop().await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn signals_and_questions() {
    let lab = Lab::new().await;
    let (_, link, sink) = lab.paired().await;
    lab.sandbox
        .network()
        .send_text(BIA, ANA, "read me")
        .expect("sent");
    let received = sink.received(1).await;
    let ids: Vec<MessageId> = received.iter().map(|m| m.id.clone()).collect();
    let call = MarkRead {
        chat: address(BIA),
        sender: None,
        ids,
    };
    link.ask(call.clone()).await.expect("read");
    let read = lab.sandbox.network().wait_for(PATIENCE, |network| {
        let messages = network.messages(BIA).ok()?;
        messages
            .iter()
            .any(|m| m.text == "read me" && m.status == "read")
            .then_some(())
    });
    read.await.expect("Bia sees it as read");

    let state = TypingState::Composing;
    let chat = address(BIA);
    link.ask(Typing { chat, state }).await.expect("typing");
    let typing = lab.sandbox.network().wait_for(PATIENCE, |network| {
        let phone = network.phone(BIA).ok()?;
        (phone.typing.get(ANA).map(String::as_str) == Some("composing")).then_some(())
    });
    typing.await.expect("Bia sees it");
    lab.sandbox
        .network()
        .typing(BIA, ANA, "composing")
        .expect("Bia types");
    let typing = sink
        .expect("typing", |notice| match notice {
            Notice::Typing(typing) => Some(typing.clone()),
            _ => None,
        })
        .await;
    assert_eq!(typing.chat.shown, address(BIA));
    assert_eq!(typing.state, "composing");
    assert_eq!(typing.media, "");

    let bia = PhoneNumber::parse(BIA).expect("a number");
    let nobody = PhoneNumber::parse("5511888880000").expect("a number");
    let phones = vec![bia.clone(), nobody.clone()];
    let found = link.ask(LookUp { phones }).await.expect("an answer");
    assert!(found[0].lid.is_some() && found[1].lid.is_none());
    let found = found.into_iter().map(|one| (one.phone, one.address));
    let found: Vec<_> = found.collect();
    assert_eq!(found, [(bia, Some(address(BIA))), (nobody, None)]);
    let wrong = link.ask(MarkRead {
        chat: Address::from_wire("not an address"),
        ..call
    });
    let wrong = wrong.await;
    assert_eq!(wrong.expect_err("no address").field, Some("chat"));
    link.stop().await;
    lab.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_stopped_link() {
    let lab = Lab::new().await;
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    // The first link also starts what stays: the database's and the sandbox's own tasks.
    let (_, link, _) = lab.paired().await;
    link.stop().await;
    let settled = settled(tasks).await;
    for paired in [true, false] {
        let link = if paired {
            lab.paired().await.1
        } else {
            // Stopped while codes rotate, which the library does in a task that sleeps a minute.
            let sink = Arc::new(Recorder::default());
            let link = lab.start(&lab.instance().await, &sink).await;
            sink.expect("a QR", |notice| {
                matches!(notice, Notice::Qr { .. }).then_some(())
            })
            .await;
            link
        };
        assert!(tasks() > settled);
        link.stop().await;
        link.stop().await;
        let left = self::settled(tasks).await;
        assert!(left <= settled, "{left} tasks, {settled} before");
    }
    lab.close().await;
}

/// The count once it stays the same for a while.
async fn settled(count: impl Fn() -> usize) -> usize {
    let (mut last, mut same) = (count(), 0);
    while same < 10 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = count();
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    last
}

#[tokio::test]
async fn this_program_knows_no_network_but_the_sandbox() {
    let lab = Lab::new().await;
    let engine = |network| {
        WaEngine::new(WaConfig {
            store: lab.store.clone(),
            network,
            rng: Arc::new(OsRng),
            clock: lab.clock.clone(),
            journal: lab.journal(),
            timers: WaTimers::default(),
        })
    };
    let error = engine(Network::WhatsApp).err().expect("refused");
    assert!(error.message.contains("sandbox feature"), "{error}");
    let elsewhere = Network::Sandbox {
        url: "ws://192.0.2.1:4000/ws/chat".to_owned(),
    };
    let error = engine(elsewhere).err().expect("refused");
    assert!(error.message.contains("on this machine"), "{error}");
    assert_eq!(lab.engine.network(), "sandbox");
    lab.close().await;
}
