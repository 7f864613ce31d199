//! The ways in which a caller gives a medium: by URL, by form, as base64 with line breaks.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{found, hash, post, samples, spool_is_empty};
use crate::{
    gateway::{Bed, CUSTOMER, SHOP},
    story::inner,
};

on_both! {
    by_url,
    by_a_url_that_breaks_off,
    by_a_url_that_breaks_off_for_good,
    by_a_url_that_does_not_serve,
    by_form,
    by_a_tool,
    as_a_broken_up_data_url,
}

/// What the tests fetch, byte for byte as a bad host would write it.
pub struct Host {
    pub base: String,
    /// How often `/breaks` was asked for.
    pub asked: Arc<AtomicUsize>,
}

impl Host {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, count.clone()));
            }
        });
        Self { base, asked }
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

async fn answer(mut stream: TcpStream, asked: Arc<AtomicUsize>) {
    let mut head = vec![0; 8192];
    let read = stream.read(&mut head).await.unwrap_or_default();
    let head = String::from_utf8_lossy(&head[..read]).into_owned();
    let path = head.split(' ').nth(1).unwrap_or_default();
    let picture = samples::jpeg(90, 60);
    let whole = |extra: &str, bytes: &[u8], length: usize| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n{extra}\r\n"
        );
        [head.as_bytes(), bytes].concat()
    };
    let moved = |to: &str| {
        format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes()
    };
    let sent = match path {
        "/picture" => whole("", &picture, picture.len()),
        "/text" => whole("content-type: image/png\r\n", b"<html>", 6),
        "/empty" => whole("", b"", 0),
        "/moved" => moved("/picture"),
        "/inside" => moved("http://10.0.0.1/picture"),
        "/round" => moved("/round"),
        "/zipped" => whole("content-encoding: gzip\r\n", &picture, picture.len()),
        "/large" => whole("", &picture, 999_999_999_999),
        "/breaks" if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
            let bytes = samples::pdf();
            whole("", &bytes[..20_000], bytes.len())
        }
        "/breaks-away" if asked.fetch_add(1, Ordering::SeqCst) == 0 => {
            whole("", &picture[..500], picture.len())
        }
        "/breaks" => whole("", &samples::pdf(), samples::pdf().len()),
        _ => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
    };
    // Whoever asked may have gone.
    let _ = stream.write_all(&sent).await;
    let _ = stream.shutdown().await;
}

async fn by_url(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let host = Host::start().await;
    for (id, path) in [("URL-0001", "/picture"), ("URL-0002", "/moved")] {
        let body = json!({"phone": CUSTOMER, "id": id, "image_url": host.at(path)});
        post(bed, &made, "image", body).await.ok();
        let seen = found(bed, id).await;
        assert_eq!(seen.sha256, Some(hash(&samples::jpeg(90, 60))), "{path}");
        assert_eq!((seen.width, seen.height), (Some(90), Some(60)));
    }
    spool_is_empty(bed).await;
}

/// The message was accepted, and stays; its medium is fetched anew.
async fn by_a_url_that_breaks_off(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let host = Host::start().await;
    let body = json!({
        "phone": CUSTOMER, "id": "BREAKS-01", "document": host.at("/breaks"), "file_name": "a.pdf",
    });
    post(bed, &made, "document", body).await.ok();
    let seen = found(bed, "BREAKS-01").await;
    assert_eq!(seen.sha256, Some(hash(&samples::pdf())));
    assert_eq!(host.asked.load(Ordering::SeqCst), 2);
    spool_is_empty(bed).await;
}

/// The message was accepted, and its medium never came: the caller hears why.
async fn by_a_url_that_breaks_off_for_good(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["MessageFailed"])).await;
    let host = Host::start().await;
    let body = json!({"phone": CUSTOMER, "id": "BREAKS-02", "image": host.at("/breaks-away")});
    post(bed, &made, "image", body).await.ok();
    let told = bed.wait_status(&made, "BREAKS-02", &["failed"]).await;
    assert_eq!(told["code"], "media_not_fetched");
    let event = bed.delivered("the failure", |d| {
        d.body["event"]["message_id"] == "BREAKS-02"
    });
    assert_eq!(event.await.body["event"]["code"], "media_not_fetched");
    // The queue of the chat goes on.
    let text = json!({"phone": CUSTOMER, "message": "After it"});
    bed.send(&bed.a, &made, text).await.ok();
    bed.wait_shown(CUSTOMER, "After it").await;
    spool_is_empty(bed).await;
}

async fn by_a_url_that_does_not_serve(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let host = Host::start().await;
    for (path, status, code, why) in [
        ("/nothing", 400, "invalid_field", "404"),
        ("/text", 400, "invalid_field", "JPEG, PNG or WebP"),
        ("/empty", 400, "invalid_field", "nothing"),
        ("/inside", 400, "invalid_field", "private network"),
        ("/round", 400, "invalid_field", "one place to the next"),
        ("/zipped", 400, "invalid_field", "compressed"),
        ("/large", 413, "payload_too_large", "larger than"),
    ] {
        let body = json!({"phone": CUSTOMER, "image": host.at(path)});
        let refused = post(bed, &made, "image", body).await.refused(status, code);
        assert_eq!(refused["field"], "image", "{path}");
        let text = refused["message"].as_str().expect("a text");
        assert!(text.contains(why), "{path}: {text}");
    }
    let body = json!({"phone": CUSTOMER, "image": "http://169.254.169.254/latest"});
    let refused = post(bed, &made, "image", body).await;
    assert_eq!(refused.refused(400, "invalid_field")["field"], "image");
    spool_is_empty(bed).await;
}

/// A form, as a browser or curl writes it.
pub fn form(texts: &[(&str, &str)], file: Option<(&str, &str, &[u8])>) -> (String, Vec<u8>) {
    let boundary = "----a-boundary-of-the-tests";
    let mut body = Vec::new();
    for (name, text) in texts {
        body.extend(
            format!(
                "--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n"
            )
            .as_bytes(),
        );
    }
    if let Some((name, file_name, bytes)) = file {
        body.extend(
            format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\ncontent-type: application/octet-stream\r\n\r\n")
                .as_bytes(),
        );
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={boundary}"), body)
}

async fn by_form(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    // Larger than what JSON may hold of a medium, and than the limit on other bodies.
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|n| (n / 7) as u8).collect();
    let texts = [("phone", CUSTOMER), ("id", "FORM-0001"), ("caption", "Olá")];
    let file = ("file", "dados é.bin", bytes.as_slice());
    let (kind, body) = form(&texts, Some(file));
    let path = made.path("/chat/send/document");
    let call = bed.post(&path).bearer(&bed.a.jwt);
    let call = call.header("content-type", &kind).body(body);
    call.send().await.ok();
    let seen = found(bed, "FORM-0001").await;
    assert_eq!(seen.sha256, Some(hash(&bytes)));
    assert_eq!(seen.file_name.as_deref(), Some("dados é.bin"));
    assert_eq!(seen.caption.as_deref(), Some("Olá"));

    let texts = [("phone", CUSTOMER), ("id", "FORM-0002"), ("ptt", "true")];
    let bytes = samples::opus(1);
    let (kind, body) = form(&texts, Some(("audio", "note.ogg", &bytes)));
    let path = made.path("/chat/send/audio");
    let call = bed.post(&path).bearer(&bed.a.jwt);
    let call = call.header("content-type", &kind).body(body);
    call.send().await.ok();
    let seen = found(bed, "FORM-0002").await;
    assert_eq!((seen.sha256, seen.ptt), (Some(hash(&bytes)), true));
    spool_is_empty(bed).await;
}

async fn by_a_tool(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let host = Host::start().await;
    let arguments = json!({
        "phone": CUSTOMER, "media_url": host.at("/picture"), "message": "Look",
        "session_id": made.number, "confirm": true,
    });
    let sent = bed.tool(&bed.a, "send_whatsapp_message", arguments).await;
    let sent = inner(&sent);
    assert_eq!(sent["success"], true, "{sent}");
    let id = sent["data"]["message_id"].as_str().expect("an id");
    let seen = found(bed, id).await;
    assert_eq!(seen.sha256, Some(hash(&samples::jpeg(90, 60))));
    assert_eq!(seen.caption.as_deref(), Some("Look"));
    let arguments = json!({
        "phone": CUSTOMER, "media_url": host.at("/text"), "session_id": made.number, "confirm": true,
    });
    let refused = bed.tool(&bed.a, "send_whatsapp_message", arguments).await;
    assert_eq!(refused["isError"], true);
    let text = refused["content"][0]["text"].as_str().expect("a text");
    assert!(text.contains("media_url"), "{text}");
    spool_is_empty(bed).await;
}

async fn as_a_broken_up_data_url(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let bytes = samples::jpeg(70, 70);
    let code = BASE64_STANDARD.encode(&bytes);
    let lines: Vec<&str> = code
        .as_bytes()
        .chunks(76)
        .map(|line| std::str::from_utf8(line).expect("base64"))
        .collect();
    let text = format!("data:image/jpeg;base64,{}", lines.join("\r\n"));
    let body = json!({"phone": CUSTOMER, "id": "LINES-0001", "image": text, "image_url": null});
    post(bed, &made, "image", body).await.ok();
    assert_eq!(found(bed, "LINES-0001").await.sha256, Some(hash(&bytes)));
}
