//! A machine that is busy: what it had no time for is no fault of the medium. What is given out in one piece, and
//! what is written down of it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_model::Clock as _;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{arrived, found, path_of, post, samples, spool_is_empty};
use crate::{
    gateway::{Bed, CUSTOMER, SHOP, SHOP_TOO, until},
    wire,
};

on_both! {
    no_time_to_look_is_no_fault_of_the_medium,
    a_child_that_is_ended_says_nothing_of_the_medium,
    downloads_are_few_at_once,
    a_use_is_written_down_now_and_then,
}

fn picture(id: &str) -> Value {
    let image = BASE64_STANDARD.encode(samples::jpeg(30, 20));
    json!({"phone": CUSTOMER, "id": id, "image": image})
}

async fn no_time_to_look_is_no_fault_of_the_medium(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let looking = bed.file("looking");
    let script = format!(": > {}; exec sleep 60", looking.display());
    bed.restart_looking_by(Some(&script)).await;
    bed.wait_state(&bed.a, &made, "connected").await;
    let call = bed.post(&made.path("/chat/send/image")).bearer(&bed.a.jwt);
    let sending = tokio::spawn(call.json(picture("BUSY-0001")).send());
    until("the child", async || looking.exists().then_some(())).await;
    bed.clock.jump_secs(21);
    let answer = sending.await.expect("an answer");
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    answer.refused(503, "unavailable");
    spool_is_empty(bed).await;
    bed.restart_looking_by(None).await;
    bed.wait_state(&bed.a, &made, "connected").await;
    post(bed, &made, "image", picture("BUSY-0001")).await.ok();
    found(bed, "BUSY-0001").await;
}

async fn a_child_that_is_ended_says_nothing_of_the_medium(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    for (script, status, code) in [
        ("kill -KILL $$", 503, "unavailable"),
        ("kill -TERM $$", 503, "unavailable"),
        ("kill -XCPU $$", 400, "invalid_field"),
        ("kill -ABRT $$", 400, "invalid_field"),
        ("exit 1", 400, "invalid_field"),
        ("exit 2", 500, "internal"),
    ] {
        bed.restart_looking_by(Some(script)).await;
        let answer = post(bed, &made, "image", picture("ENDED-0001")).await;
        answer.refused(status, code);
    }
    spool_is_empty(bed).await;
}

/// They are in memory: an account has a share of them, until their takers have taken them.
async fn downloads_are_few_at_once(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let theirs = bed.paired(&bed.b, SHOP_TOO).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let bytes: Vec<u8> = (0..12_000_000_u32).map(|n| (n / 7) as u8).collect();
    let mut given = samples::all();
    let mut file = given.remove(5);
    file.bytes = bytes;
    let (id, _) = arrived(bed, &file.written_by_a_phone()).await;
    let whole = made.path(&format!("/chat/messages/{id}/media"));
    bed.get(&whole).bearer(&bed.a.jwt).send().await.expect(200);
    let path = made.path("/chat/downloaddocument");
    let body = json!({"message_id": id});

    // Two that take their time.
    let mut slow = Vec::new();
    for _ in 0..2 {
        let text = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{text}",
            bed.address(),
            bed.a.jwt,
            text.len()
        );
        let mut stream = TcpStream::connect(bed.address()).await.expect("it listens");
        stream.write_all(head.as_bytes()).await.expect("sent");
        let mut first = vec![0; 512];
        let read = stream.read(&mut first).await.expect("a head");
        let first = String::from_utf8_lossy(&first[..read]).into_owned();
        assert_eq!(wire::status(&first), 200, "{first}");
        slow.push(stream);
    }
    let ask = || bed.post(&path).bearer(&bed.a.jwt).json(body.clone()).send();
    let third = tokio::spawn(ask());
    let refused = until("its turn not to come", async || {
        bed.clock.jump_secs(5);
        third.is_finished().then_some(())
    });
    refused.await;
    let answer = third.await.expect("an answer");
    assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    answer.refused(429, "rate_limited");
    // Others have theirs, and so has the account once those are gone.
    bed.subscribe(&bed.b, &theirs, json!(["Message"])).await;
    let none = bed.post(&theirs.path("/chat/downloaddocument"));
    let none = none.bearer(&bed.b.jwt).json(json!({"message_id": "NONE"}));
    none.send().await.refused(404, "not_found");
    drop(slow);
    let answer = ask().await.ok();
    let data = answer["data"]["data"].as_str().expect("a data URL");
    let (_, code) = data.split_once(',').expect("a data URL");
    assert_eq!(BASE64_STANDARD.decode(code).expect("base64"), file.bytes);
    spool_is_empty(bed).await;
}

/// Not each time: a picture in a page is asked for over and over.
async fn a_use_is_written_down_now_and_then(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let form = samples::all().remove(0);
    let (_, body) = arrived(bed, &form.written_by_a_phone()).await;
    let path = path_of(bed, &body["media_url"]);
    bed.get(&path).send().await.expect(200);
    let since = bed.clock.now().plus_millis(1);
    // Kept so long that it is old.
    let is_old = async || {
        let mut conn = bed.read().await;
        let old = conn.system().unused_media(since, 10).await;
        !old.expect("looks").is_empty()
    };
    bed.clock.jump_secs(600);
    bed.get(&path).send().await.expect(200);
    assert!(is_old().await, "ten minutes are not worth a row");
    bed.clock.jump_secs(3600);
    bed.get(&path).send().await.expect(200);
    assert!(!is_old().await, "an hour is");
}
