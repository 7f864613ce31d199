//! Every kind of trouble through the control API, as the real client meets it.

use std::time::{Duration, Instant};

use crate::support::{Control, Device, LONG, sandbox};
use futures_util::{SinkExt as _, StreamExt as _};
use recado_sandbox::Sandbox;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::Message as Frame;
use wacore::types::events::Event;
use wacore::types::presence::ReceiptType;
use wacore_binary::Jid;
use waproto::whatsapp as wa;
use whatsapp_rust::SendOptions;

const ANA: &str = "5511999990001";
const BRUNO: &str = "5511999990002";
/// Long enough for what would have come at once.
const A_WHILE: Duration = Duration::from_millis(600);

struct Bed {
    sandbox: Sandbox,
    control: Control,
    ana: Device,
}

async fn bed() -> Bed {
    let sandbox = sandbox().await;
    let control = Control::new(sandbox.control_url());
    sandbox.network().add_phone(ANA, "Ana").unwrap();
    sandbox.network().add_phone(BRUNO, "Bruno").unwrap();
    let mut ana = Device::paired(&sandbox, ANA).await;
    // Sessions are open and the backlog of the log-in is through.
    let first = ana.client.send_text(Jid::pn(BRUNO), "first").await.unwrap();
    assert_eq!(ana.acked(&first.message_id).await, "");
    control.shown(BRUNO, &first.message_id, |_| true).await;
    Bed {
        sandbox,
        control,
        ana,
    }
}

impl Bed {
    async fn send(&self, text: &str) -> String {
        let sent = self.ana.client.send_text(Jid::pn(BRUNO), text).await;
        sent.expect("the client writes it").message_id
    }

    /// Sends a message of ours under this id, the same bytes each time.
    async fn send_as(&self, id: &str) {
        let message = wa::Message {
            conversation: Some("the same".to_owned()),
            message_context_info: buffa::MessageField::some(wa::MessageContextInfo {
                message_secret: Some(vec![7; 32]),
                // The client adds it to what it sends and not to what it keeps for a retry.
                reporting_token_version: Some(wacore::reporting_token::REPORTING_TOKEN_VERSION),
                ..Default::default()
            }),
            ..Default::default()
        };
        let options = SendOptions::default().with_message_id(id);
        let sent = self
            .ana
            .client
            .send_message_with_options(Jid::pn(BRUNO), message, options);
        sent.await.expect("the client writes it");
    }

    async fn send_and_expect(&mut self, error: &str) -> String {
        let id = self.send("hello").await;
        assert_eq!(self.ana.acked(&id).await, error);
        id
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swallow() {
    let mut bed = bed().await;
    bed.control
        .trouble(json!({"kind": "swallow", "number": ANA, "count": 1}))
        .await;
    let lost = bed.send("lost").await;
    let came = bed.send_and_expect("").await;
    bed.control.shown(BRUNO, &came, |_| true).await;
    assert!(bed.control.shows(BRUNO, &lost).await.is_none());
    assert!(bed.ana.acks(&lost).await.is_empty());
    assert_eq!(bed.control.troubles().await, 0);

    // Another account's trouble is not ours.
    bed.control
        .trouble(json!({"kind": "swallow", "number": BRUNO}))
        .await;
    bed.send_and_expect("").await;
    bed.control.calm().await;

    // All of it: no question is answered, but the socket stays and what phones write comes in.
    bed.control.trouble(json!({"kind": "swallow"})).await;
    let client = bed.ana.client.clone();
    let ask = client.contacts();
    let who = [Jid::pn(BRUNO)];
    let answer = tokio::time::timeout(A_WHILE, ask.is_on_whatsapp(&who)).await;
    assert!(answer.is_err(), "answered in a swallow: {answer:?}");
    let (status, written) = bed
        .control
        .post(
            &format!("/phones/{BRUNO}/messages"),
            json!({"to": ANA, "text": "do you hear me?"}),
        )
        .await;
    assert_eq!(status, 200);
    assert_eq!(written["id"], bed.ana.texts_at_least(1).await[0].0.as_str());
    let info = bed.control.get(&format!("/phones/{ANA}")).await;
    assert_eq!(info["companions"][0]["connected"], true);
    let queued = info["companions"][0]["queued"].as_u64();
    assert!(queued > Some(0), "its ack was swallowed: {info}");
    bed.control.calm().await;
    let answer = tokio::time::timeout(LONG, ask.is_on_whatsapp(&who)).await;
    assert!(answer.expect("answered").unwrap()[0].is_registered);

    // It ends by itself.
    bed.control
        .trouble(json!({"kind": "swallow", "ms": 50}))
        .await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(bed.control.troubles().await, 0);
    bed.send_and_expect("").await;
    bed.sandbox.stop().await;
}

/// The pings of the socket itself go unanswered as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn swallow_takes_pings() {
    let sandbox = sandbox().await;
    let control = Control::new(sandbox.control_url());
    let stream = tokio::net::TcpStream::connect(sandbox.addr())
        .await
        .unwrap();
    let (mut socket, _) = tokio_tungstenite::client_async(sandbox.whatsapp_url(), stream)
        .await
        .unwrap();
    control.trouble(json!({"kind": "swallow"})).await;
    socket.send(Frame::Ping("one".into())).await.unwrap();
    let answer = tokio::time::timeout(A_WHILE, socket.next()).await;
    assert!(answer.is_err(), "a pong in a swallow: {answer:?}");
    control.calm().await;
    socket.send(Frame::Ping("two".into())).await.unwrap();
    let answer = tokio::time::timeout(LONG, socket.next()).await.unwrap();
    assert_eq!(answer.unwrap().unwrap(), Frame::Pong("two".into()));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn freeze() {
    let mut bed = bed().await;
    bed.control
        .trouble(json!({"kind": "freeze", "number": ANA}))
        .await;
    let late = bed.send("late").await;
    let (_, written) = bed
        .control
        .post(
            &format!("/phones/{BRUNO}/messages"),
            json!({"to": ANA, "text": "are you there?"}),
        )
        .await;
    tokio::time::sleep(A_WHILE).await;
    assert!(bed.control.shows(BRUNO, &late).await.is_none());
    bed.ana.seen().await;
    assert!(bed.ana.texts().is_empty());
    // Another account goes on.
    let bruno = Device::paired(&bed.sandbox, BRUNO).await;
    bed.control.calm().await;
    bed.control.shown(BRUNO, &late, |_| true).await;
    assert_eq!(bed.ana.acked(&late).await, "");
    assert_eq!(bed.ana.texts_at_least(1).await[0].0, written["id"]);
    drop(bruno);
    bed.sandbox.stop().await;
}

/// The system accepts a connection, and nothing more happens until the freeze ends by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn freeze_of_new_connections() {
    let sandbox = sandbox().await;
    let control = Control::new(sandbox.control_url());
    let begun = Instant::now();
    control.trouble(json!({"kind": "freeze", "ms": 1500})).await;
    let mut stream = tokio::net::TcpStream::connect(sandbox.addr())
        .await
        .unwrap();
    stream
        .write_all(b"GET /ws/chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        .await
        .unwrap();
    let mut head = [0u8; 12];
    let answer = tokio::time::timeout(A_WHILE, stream.read_exact(&mut head)).await;
    assert!(answer.is_err(), "answered in a freeze");
    let left = control.get("/trouble").await["troubles"][0]["ms"].clone();
    assert!(left.as_u64().is_some_and(|ms| ms < 1500), "{left}");
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    assert!(begun.elapsed() >= Duration::from_millis(1500));
    assert_eq!(control.troubles().await, 0);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refuse() {
    let mut bed = bed().await;
    for code in [463, 479, 400, 429, 500, 503, 421] {
        bed.control
            .trouble(json!({"kind": "refuse", "number": ANA, "count": 1, "code": code}))
            .await;
        let id = bed.send_and_expect(&code.to_string()).await;
        assert!(bed.control.shows(BRUNO, &id).await.is_none());
        assert!(bed.control.shows(ANA, &id).await.is_none());
        assert_eq!(bed.control.troubles().await, 0);
    }
    bed.send_and_expect("").await;
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acks_late_and_never() {
    let mut bed = bed().await;
    bed.control
        .trouble(json!({"kind": "delay_acks", "number": ANA, "count": 1, "ms": 1000}))
        .await;
    let begun = Instant::now();
    let id = bed.send("acked late").await;
    bed.control.shown(BRUNO, &id, |_| true).await;
    assert!(bed.ana.acks(&id).await.is_empty());
    assert_eq!(bed.ana.acked(&id).await, "");
    assert!(begun.elapsed() >= Duration::from_secs(1));

    bed.control
        .trouble(json!({"kind": "drop_acks", "number": ANA, "count": 1}))
        .await;
    let never = bed.send("never acked").await;
    bed.control.shown(BRUNO, &never, |_| true).await;
    bed.send_and_expect("").await;
    assert!(bed.ana.acks(&never).await.is_empty());
    assert_eq!(bed.control.troubles().await, 0);
    bed.sandbox.stop().await;
}

fn is_receipt(event: &Event, id: &str) -> bool {
    matches!(event, Event::Receipt(receipt)
        if receipt.r#type == ReceiptType::Delivered
            && receipt.message_ids.iter().any(|known| known == id))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_first() {
    let mut bed = bed().await;
    bed.control
        .trouble(json!({"kind": "receipts_first", "number": ANA}))
        .await;
    for _ in 0..3 {
        let id = bed.send_and_expect("").await;
        let seen = bed.ana.seen().await;
        let receipt = seen.iter().position(|event| is_receipt(event, &id));
        let ack = seen
            .iter()
            .position(|event| matches!(event.as_ref(), Event::ServerAck(ack) if ack.id == id));
        assert!(receipt.is_some() && receipt < ack, "{receipt:?} {ack:?}");
    }
    // No receipt, no ack: until the phone is back.
    bed.sandbox.network().set_online(BRUNO, false).unwrap();
    let id = bed.send("to nobody at home").await;
    tokio::time::sleep(A_WHILE).await;
    assert!(bed.ana.acks(&id).await.is_empty());
    bed.sandbox.network().set_online(BRUNO, true).unwrap();
    assert_eq!(bed.ana.acked(&id).await, "");
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeats() {
    let mut bed = bed().await;
    // As it is: a repeat is relayed and acknowledged, and the phone shows it once.
    bed.send_as("REPEATED0").await;
    bed.send_as("REPEATED0").await;
    let twice = |m: &serde_json::Value| m["arrivals"] == 2;
    let shown = bed.control.shown(BRUNO, "REPEATED0", twice).await;
    assert_eq!(shown["same"], true, "{shown}");
    assert_eq!(shown["sha256"].as_str().map(str::len), Some(64));
    let unread = bed.control.get(&format!("/phones/{BRUNO}")).await;
    assert_eq!(unread["unread"], 2, "the first and this one: {unread}");
    assert_eq!(bed.ana.acks("REPEATED0").await.len(), 2);

    for (id, body, acks) in [
        (
            "REPEATED1",
            json!({"kind": "drop_repeats", "number": ANA}),
            1,
        ),
        ("REPEATED2", json!({"kind": "drop_repeats", "code": 0}), 2),
    ] {
        bed.control.trouble(body).await;
        bed.send_as(id).await;
        bed.send_as(id).await;
        // Acks and relays of one link keep their order: this one is behind all of them.
        bed.send_and_expect("").await;
        let shown = bed.control.shown(BRUNO, id, |_| true).await;
        assert_eq!(shown["arrivals"], 1);
        assert_eq!(bed.ana.acks(id).await.len(), acks);
        bed.control.calm().await;
    }

    // What was refused or swallowed has not been taken: its repeat is no repeat.
    bed.control.trouble(json!({"kind": "drop_repeats"})).await;
    bed.control
        .trouble(json!({"kind": "refuse", "code": 503, "count": 1}))
        .await;
    bed.send_as("REPEATED3").await;
    bed.send_as("REPEATED3").await;
    bed.control.shown(BRUNO, "REPEATED3", |_| true).await;
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stream_errors() {
    let mut bed = bed().await;
    // Shaped like an ack: the link lives.
    let answer = bed
        .control
        .trouble(json!({"kind": "stream_error", "number": ANA, "code": 0}))
        .await;
    assert_eq!(answer["hit"], 1);
    bed.send_and_expect("").await;
    let dropped = |event: &Event| {
        matches!(
            event,
            Event::Disconnected(_) | Event::LoggedOut(_) | Event::StreamReplaced(_)
        )
    };
    assert!(!bed.ana.seen().await.iter().any(|event| dropped(event)));

    // These end it, and the client comes back.
    for code in [500, 503, 515] {
        let before = connects(&mut bed.ana).await;
        bed.control
            .trouble(json!({"kind": "stream_error", "number": ANA, "code": code}))
            .await;
        assert_eq!(bed.control.troubles().await, 0);
        let begun = Instant::now();
        while connects(&mut bed.ana).await == before {
            assert!(begun.elapsed() < LONG, "no new link after {code}");
        }
        bed.send_and_expect("").await;
    }

    // The second one waits for the next log-in.
    let before = connects(&mut bed.ana).await;
    let answer = bed
        .control
        .trouble(json!({"kind": "stream_error", "code": 515, "count": 2}))
        .await;
    assert_eq!((&answer["hit"], &answer["count"]), (&json!(1), &json!(2)));
    let begun = Instant::now();
    while bed.control.troubles().await > 0 || connects(&mut bed.ana).await == before {
        assert!(begun.elapsed() < LONG, "no new link");
    }
    bed.send_and_expect("").await;

    bed.control
        .trouble(json!({"kind": "stream_error", "number": ANA, "code": 401}))
        .await;
    bed.ana
        .expect("LoggedOut", |event| {
            matches!(event, Event::LoggedOut(_)).then_some(())
        })
        .await;
    let info = bed.control.get(&format!("/phones/{ANA}")).await;
    assert_eq!(info["companions"], json!([]));
    let (status, answer) = bed
        .control
        .post("/trouble", json!({"kind": "stream_error", "code": 503}))
        .await;
    assert_eq!(status, 409, "nobody is there to be hit: {answer}");
    bed.sandbox.stop().await;
}

async fn connects(device: &mut Device) -> usize {
    let seen = device.seen().await.iter();
    seen.filter(|event| matches!(event.as_ref(), Event::Connected(_)))
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_receipt() {
    let mut bed = bed().await;
    // By the receiving phone, and by the account that sends.
    for (id, number) in [("ASKED1", BRUNO), ("ASKED2", ANA)] {
        bed.control
            .trouble(json!({"kind": "retry_receipt", "number": number, "count": 1}))
            .await;
        bed.send_as(id).await;
        let shown = bed.control.shown(BRUNO, id, |_| true).await;
        assert_eq!(
            (&shown["arrivals"], &shown["same"]),
            (&json!(2), &json!(true))
        );
        bed.ana
            .expect("receipt", |event| is_receipt(event, id).then_some(()))
            .await;
        assert_eq!(bed.control.troubles().await, 0);
    }
    // A client that mints the secret while it sends cannot say the same again.
    bed.control
        .trouble(json!({"kind": "retry_receipt", "number": BRUNO, "count": 1}))
        .await;
    let id = bed.send("with another secret").await;
    let shown = bed.control.shown(BRUNO, &id, |_| true).await;
    assert_eq!(
        (&shown["arrivals"], &shown["same"]),
        (&json!(2), &json!(false))
    );

    // Not shown before the client sent it again: it is away when it should.
    bed.control.trouble(json!({"kind": "retry_receipt"})).await;
    bed.control
        .trouble(json!({"kind": "delay_acks", "ms": 1}))
        .await;
    bed.sandbox.network().set_online(BRUNO, false).unwrap();
    bed.send_as("ASKED3").await;
    bed.ana.acked("ASKED3").await;
    bed.control
        .trouble(json!({"kind": "swallow", "number": ANA}))
        .await;
    bed.sandbox.network().set_online(BRUNO, true).unwrap();
    tokio::time::sleep(A_WHILE).await;
    assert!(bed.control.shows(BRUNO, "ASKED3").await.is_none());
    bed.sandbox.stop().await;
}

/// A phone asks for an old message by its id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_phone_asks_for_an_old_message() {
    let bed = bed().await;
    bed.send_as("OLD1").await;
    bed.control.shown(BRUNO, "OLD1", |_| true).await;
    let path = format!("/phones/{BRUNO}/retry");
    for arrivals in [2, 3] {
        assert_eq!(bed.control.post(&path, json!({"id": "OLD1"})).await.0, 200);
        let shown = bed
            .control
            .shown(BRUNO, "OLD1", |m| m["arrivals"] == arrivals)
            .await;
        assert_eq!(
            (&shown["same"], &shown["device"]),
            (&json!(true), &json!(1))
        );
    }
    let post = |body| bed.control.post(&path, body);
    assert_eq!(post(json!({"id": "NEVER"})).await.0, 404);
    assert_eq!(post(json!({})).await.0, 400);
    assert_eq!(post(json!({"id": "OLD1", "count": 9})).await.0, 400);
    bed.sandbox.network().set_online(BRUNO, false).unwrap();
    assert_eq!(post(json!({"id": "OLD1"})).await.0, 409);
    bed.sandbox.network().set_online(BRUNO, true).unwrap();
    bed.sandbox.network().logout(ANA).unwrap();
    assert_eq!(post(json!({"id": "OLD1"})).await.0, 409);
    bed.sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_and_bad_input() {
    let sandbox = sandbox().await;
    let control = Control::new(sandbox.control_url());
    assert_eq!(control.get("/trouble").await, json!({"troubles": []}));
    control
        .trouble(json!({"kind": "refuse", "number": "+5511999990001", "count": 3, "code": 463}))
        .await;
    control.trouble(json!({"kind": "drop_acks"})).await;
    assert_eq!(
        control.get("/trouble").await,
        json!({"troubles": [
            {"kind": "refuse", "number": ANA, "count": 3, "code": 463},
            {"kind": "drop_acks"},
        ]})
    );
    for (body, field) in [
        (json!({"kind": "nonsense"}), "kind"),
        (json!({"kind": "refuse"}), "code"),
        (json!({"kind": "freeze", "number": "Ana"}), "number"),
        (json!({"kind": "drop_acks", "count": "two"}), "count"),
    ] {
        let (status, answer) = control.post("/trouble", body).await;
        assert_eq!(status, 400);
        let text = answer["error"].as_str().expect("an error");
        assert!(text.contains(&format!("`{field}`")), "{text}");
    }
    control.calm().await;
    sandbox.stop().await;
}

/// Numbers that no phone has: the look-up says so, and a message to one is nacked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_are_not_there() {
    let mut bed = bed().await;
    let nobody = Jid::pn("34699999999");
    let found = bed
        .ana
        .client
        .contacts()
        .is_on_whatsapp(&[nobody.clone(), Jid::pn(BRUNO)])
        .await
        .unwrap();
    let registered: Vec<bool> = found.iter().map(|result| result.is_registered).collect();
    assert_eq!(registered, [false, true]);
    let sent = bed.ana.client.send_text(nobody, "anyone?").await.unwrap();
    assert_eq!(bed.ana.acked(&sent.message_id).await, "404");
    let own = bed.control.shows(ANA, &sent.message_id).await;
    assert!(own.is_none(), "{own:?}");
    bed.sandbox.stop().await;
}
