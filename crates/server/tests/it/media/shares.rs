//! Who is slow, or asks for much, holds up nobody else: a share of everything for each account, and a least rate.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_sandbox::content::{Medium, Written};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::{found, samples, spool_is_empty};
use crate::{
    gateway::{Bed, CUSTOMER, Made, SHOP, SHOP_TOO, Shop, until},
    wire,
};

on_both! {
    slow_bodies_leave_room_for_others,
    a_body_that_drips_is_ended,
    slow_urls_leave_room_for_others,
    slow_urls_do_not_stop_what_comes_in,
    what_is_cancelled_is_fetched_no_more,
    a_body_of_countless_values_is_refused,
    what_is_declared_too_large_is_not_read,
}

const HALF: usize = 9_000;

/// A host that takes its time.
struct Host {
    base: String,
    /// How often each path was asked for.
    asked: Arc<Mutex<HashMap<String, usize>>>,
    /// Answers that hang, half given.
    hanging: Arc<AtomicUsize>,
}

impl Host {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (asked, hanging) = (Arc::<Mutex<HashMap<_, _>>>::default(), Arc::default());
        let (counts, hangs) = (asked.clone(), Arc::clone(&hanging));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, counts.clone(), Arc::clone(&hangs)));
            }
        });
        Self {
            base,
            asked,
            hanging,
        }
    }

    fn asked(&self, path: &str) -> usize {
        let asked = self.asked.lock().expect("a map");
        asked.get(path).copied().unwrap_or_default()
    }

    async fn wait_hanging(&self, count: usize) {
        until(&format!("{count} that hang"), async || {
            (self.hanging.load(Ordering::SeqCst) == count).then_some(())
        })
        .await;
    }
}

/// `/hangs…` gives a little and then nothing; `/breaks…` breaks off once and hangs from then on; `/late…` hangs
/// once and serves from then on; all else serves.
async fn answer(
    mut stream: TcpStream,
    asked: Arc<Mutex<HashMap<String, usize>>>,
    hanging: Arc<AtomicUsize>,
) {
    let mut head = vec![0; 8192];
    let read = stream.read(&mut head).await.unwrap_or_default();
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let before = {
        let mut asked = asked.lock().expect("a map");
        let count = asked.entry(path.clone()).or_insert(0);
        *count += 1;
        *count - 1
    };
    // What comes of it is enough to see what it is, and not all.
    let picture = samples::jpeg(400, 300);
    let length = picture.len();
    assert!(length > HALF);
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    let half = [head.as_bytes(), &picture[..HALF]].concat();
    let hangs = match before {
        0 => path.starts_with("/hangs") || path.starts_with("/late"),
        _ => path.starts_with("/hangs") || path.starts_with("/breaks"),
    };
    // Whoever asked may have gone.
    let _ = stream.write_all(&half).await;
    if hangs {
        hanging.fetch_add(1, Ordering::SeqCst);
        while matches!(stream.read(&mut [0; 64]).await, Ok(1..)) {}
        hanging.fetch_sub(1, Ordering::SeqCst);
    } else if !path.starts_with("/breaks") {
        let _ = stream.write_all(&picture[HALF..]).await;
    }
    let _ = stream.shutdown().await;
}

async fn image(bed: &Bed, shop: &Shop, made: &Made, body: Value) -> Value {
    let call = bed.post(&made.path("/chat/send/image")).bearer(&shop.jwt);
    call.json(body).send().await.ok()
}

fn inline() -> String {
    BASE64_STANDARD.encode(samples::jpeg(30, 20))
}

/// An upload of which only the beginning comes. Ends with its answer.
fn begun(bed: &Bed, shop: &Shop, made: &Made) -> JoinHandle<String> {
    let (path, host) = (made.path("/media"), bed.address().to_owned());
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\ncontent-type: application/octet-stream\r\n\
         content-length: 50000000\r\n\r\n",
        shop.jwt
    );
    let beginning = [head.as_bytes(), &[7; 9_000]].concat();
    tokio::spawn(async move {
        let mut stream = TcpStream::connect(host).await.expect("it listens");
        stream.write_all(&beginning).await.expect("sent");
        let mut answer = Vec::new();
        // It may be cut off behind the answer.
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    })
}

fn spooled(bed: &Bed) -> usize {
    let spool = bed.gateway().app.config().media.dir.join("spool");
    std::fs::read_dir(spool).expect("a folder").count()
}

async fn slow_bodies_leave_room_for_others(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let theirs = bed.paired(&bed.b, SHOP_TOO).await;
    let slow: Vec<_> = (0..40).map(|_| begun(bed, &bed.a, &made)).collect();
    until("all of them to wait, or to be refused", async || {
        let refused = slow.iter().filter(|slow| slow.is_finished()).count();
        (refused + spooled(bed) == slow.len()).then_some(())
    })
    .await;
    // Neither those who share the program nor the account's own bodies in memory wait for them.
    for (shop, made) in [(&bed.b, &theirs), (&bed.a, &made)] {
        let body = json!({"phone": CUSTOMER, "image": inline()});
        image(bed, shop, made, body).await;
    }
    let path = theirs.path("/media");
    let call = bed.post(&path).bearer(&bed.b.jwt);
    let call = call.header("content-type", "image/jpeg");
    call.body(samples::jpeg(40, 30)).send().await.ok();

    let (refused, waiting): (Vec<_>, Vec<_>) = slow.into_iter().partition(|s| s.is_finished());
    assert!(!refused.is_empty(), "an account has a share, and no more");
    assert!(waiting.len() >= 10, "ten at once are usual");
    for refused in refused {
        let answer = refused.await.expect("an answer");
        assert_eq!(wire::status(&answer), 429, "{answer}");
        assert!(answer.to_ascii_lowercase().contains("\r\nretry-after: "));
    }
    bed.clock.jump_secs(21);
    for waiting in waiting {
        let answer = waiting.await.expect("an answer");
        assert_eq!(wire::status(&answer), 408, "{answer}");
        assert!(answer.contains("\"error_code\":\"too_slow\""), "{answer}");
        assert!(answer.contains("\"field\":\"file\""), "{answer}");
    }
    spool_is_empty(bed).await;
}

/// Never silent for long, and yet too slow.
async fn a_body_that_drips_is_ended(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let (path, host) = (made.path("/chat/send/document"), bed.address().to_owned());
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {}\r\n\
         content-type: multipart/form-data; boundary=x\r\ncontent-length: 60000\r\n\r\n\
         --x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n",
        bed.a.jwt
    );
    let mut stream = TcpStream::connect(&host).await.expect("it listens");
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.write_all(&[7; 9_000]).await.expect("sent");
    until("it to be under way", async || {
        (spooled(bed) == 1).then_some(())
    })
    .await;
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    for _ in 0..12 {
        stream.write_all(b"x").await.expect("sent");
        bed.clock.jump_secs(5);
        // What was sent is read before more time goes by.
        let wait = tokio::time::timeout(Duration::from_millis(300), stream.read(&mut part));
        if let Ok(read) = wait.await {
            answer.extend_from_slice(&part[..read.unwrap_or_default()]);
            break;
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert_eq!(wire::status(&answer), 408, "{answer}");
    assert!(answer.contains("\"field\":\"document\""), "{answer}");
    spool_is_empty(bed).await;
}

/// Also the least rate of what is fetched: once more, then the message has failed.
async fn slow_urls_leave_room_for_others(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let theirs = bed.paired(&bed.b, SHOP_TOO).await;
    bed.subscribe(&bed.a, &made, json!(["MessageFailed"])).await;
    let host = Host::start().await;
    for n in 0..20 {
        let (id, url) = (format!("SLOW-{n:04}"), format!("{}/hangs?{n}", host.base));
        let body = json!({"phone": CUSTOMER, "id": id, "image": url});
        image(bed, &bed.a, &made, body).await;
    }
    for (id, medium) in [
        ("QUICK-0001", inline()),
        ("QUICK-0002", format!("{}/picture", host.base)),
    ] {
        let body = json!({"phone": CUSTOMER, "id": id, "image": medium});
        image(bed, &bed.b, &theirs, body).await;
        found(bed, id).await;
    }
    let told = until("the slow ones to be given up", async || {
        bed.clock.jump_secs(21);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let told = bed.told(&made, "SLOW-0000").await;
        (told["status"] == "failed").then_some(told)
    })
    .await;
    assert_eq!(told["code"], "media_not_fetched");
    assert!(host.asked("/hangs?0") > 1, "it is tried once more");
    let event = bed.delivered("the failure", |d| {
        d.body["event"]["message_id"] == "SLOW-0000"
    });
    assert_eq!(event.await.body["event"]["code"], "media_not_fetched");
    let path = made.path("/queue/messages");
    bed.call("DELETE", &path)
        .bearer(&bed.a.jwt)
        .send()
        .await
        .ok();
    spool_is_empty(bed).await;
}

/// What the workers fetch again: one account's is not all that they do, and what comes in has workers of its own.
async fn slow_urls_do_not_stop_what_comes_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let theirs = bed.paired(&bed.b, SHOP_TOO).await;
    let host = Host::start().await;
    for n in 0..20 {
        let url = format!("{}/breaks?{n}", host.base);
        let body = json!({"phone": CUSTOMER, "id": format!("BREAKS-{n:04}"), "image": url});
        image(bed, &bed.a, &made, body).await;
    }
    // Each broke off; the workers take the first ones up again.
    let hanging = until("the workers to hang", async || {
        bed.clock.jump_secs(1);
        tokio::time::sleep(Duration::from_millis(100)).await;
        let hanging = host.hanging.load(Ordering::SeqCst);
        (hanging >= 4).then_some(hanging)
    })
    .await;
    assert!(hanging < 20, "an account has a share, and no more");
    let network = bed.sandbox.network();
    let written = Written::Image(Medium {
        data: inline(),
        mime: "image/jpeg".to_owned(),
        ..Medium::default()
    });
    let sent = network.send(CUSTOMER, SHOP_TOO, &written).expect("sends");
    let path = theirs.path(&format!("/chat/messages/{}/media", sent.id));
    let bytes = until("the medium", async || {
        let answer = bed.get(&path).bearer(&bed.b.jwt).send().await;
        (answer.status == 200).then_some(answer.body)
    })
    .await;
    assert_eq!(bytes, samples::jpeg(30, 20));
    // A URL of the other account that broke off is taken up beside them.
    let url = format!("{}/late", host.base);
    let body = json!({"phone": CUSTOMER, "id": "LATE-0001", "image": url});
    image(bed, &bed.b, &theirs, body).await;
    until("it to be taken up again", async || {
        bed.clock.jump_secs(5);
        tokio::time::sleep(Duration::from_millis(100)).await;
        (host.asked("/late") == 2).then_some(())
    })
    .await;
    found(bed, "LATE-0001").await;
    let path = made.path("/queue/messages");
    bed.call("DELETE", &path)
        .bearer(&bed.a.jwt)
        .send()
        .await
        .ok();
    host.wait_hanging(0).await;
    spool_is_empty(bed).await;
}

/// Not by its own stream, not by a worker, not after a restart; sent again, it is.
async fn what_is_cancelled_is_fetched_no_more(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let host = Host::start().await;
    let body = |path: &str, id: &str| json!({"phone": CUSTOMER, "id": id, "image": format!("{}{path}", host.base)});
    image(bed, &bed.a, &made, body("/late", "LATE-0001")).await;
    image(bed, &bed.a, &made, body("/breaks", "BREAKS-0001")).await;
    host.wait_hanging(1).await;
    let path = made.path("/queue/messages");
    let purge = || bed.call("DELETE", &path).bearer(&bed.a.jwt).send();
    purge().await.ok();
    host.wait_hanging(0).await;
    spool_is_empty(bed).await;
    bed.restart().await;
    let again = json!({"phone": CUSTOMER, "id": "TEXT-0001", "message": "Still here"});
    bed.clock.jump_secs(20 * 60);
    bed.wait_state(&bed.a, &made, "connected").await;
    bed.send(&bed.a, &made, again).await.ok();
    bed.wait_shown(CUSTOMER, "Still here").await;
    assert_eq!((host.asked("/late"), host.asked("/breaks")), (1, 1));
    let told = bed.told(&made, "LATE-0001").await;
    assert_eq!(told["status"], "cancelled");
    image(bed, &bed.a, &made, body("/late", "LATE-0001")).await;
    found(bed, "LATE-0001").await;
    spool_is_empty(bed).await;
}

/// A tree of them takes a hundred times the memory of its text.
async fn a_body_of_countless_values_is_refused(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let many = "{\"\":0},".repeat(30_000);
    for (kind, field, value) in [("image", "image", "AAAA"), ("text", "message", "Hello")] {
        let body = format!("{{\"phone\":\"{CUSTOMER}\",\"{field}\":\"{value}\",\"x\":[{many}0]}}");
        let call = bed.post(&made.path(&format!("/chat/send/{kind}")));
        let call = call
            .bearer(&bed.a.jwt)
            .header("content-type", "application/json");
        let answer = call.body(body.into_bytes()).send().await;
        let refused = answer.refused(400, "invalid_json");
        let text = refused["message"].as_str().expect("a text");
        assert!(text.contains("more than"), "{text}");
    }
    let mut message = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}});
    message["params"]["x"] = json!(vec![0; 30_000]);
    let refused = bed.mcp(&bed.a, message).await;
    assert_eq!(refused.json()["error"]["code"], -32600, "{refused:?}");
    // What is written in a text is a text.
    let commas = ",[{".repeat(15_000);
    let body = json!({"phone": CUSTOMER, "id": "COMMAS-0001", "message": commas});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_shown(CUSTOMER, &commas).await;
}

/// Nor waited for: what is sent of it is a little.
async fn what_is_declared_too_large_is_not_read(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let (jwt, host) = (&bed.a.jwt, bed.address());
    let multipart = "multipart/form-data; boundary=x";
    let begun =
        "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\nabc";
    for (path, kind, length, sent, field) in [
        (
            "/media?type=image",
            "image/jpeg",
            100_000_000_u64,
            "x",
            "file",
        ),
        ("/media?type=image", multipart, 100_000_000, "", "file"),
        ("/media?type=image", multipart, 100_000_000, begun, "file"),
        ("/media", "application/zip", 10_737_418_240, "x", "file"),
        (
            "/chat/send/sticker",
            multipart,
            100_000_000,
            begun,
            "sticker",
        ),
        ("/chat/send/image", multipart, 100_000_000, "", "image"),
        (
            "/chat/send/document",
            multipart,
            10_737_418_240,
            begun,
            "document",
        ),
    ] {
        let path = made.path(path);
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {jwt}\r\ncontent-type: {kind}\r\n\
             content-length: {length}\r\n\r\n{sent}"
        );
        let answer = wire::exchange(host, request.as_bytes()).await;
        assert_eq!(wire::status(&answer), 413, "{path}: {answer}");
        let named = format!("\"field\":\"{field}\"");
        assert!(answer.contains(&named), "{path}: {answer}");
    }
    spool_is_empty(bed).await;
}
