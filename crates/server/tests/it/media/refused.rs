//! Bad input: each a 4xx that names the field, and nothing of it stays.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{given::form, post, samples, spool_is_empty};
use crate::{
    gateway::{Bed, CUSTOMER, SHOP},
    wire,
};

on_both! {
    what_is_no_medium,
    what_boasts,
    what_does_not_go_together,
    names_that_do_not_fit,
    a_file_of_nothing,
    forms_that_are_none,
    a_file_that_is_refused_on_its_way,
}

fn code(bytes: &[u8]) -> Value {
    json!(BASE64_STANDARD.encode(bytes))
}

async fn nothing_is_left(bed: &Bed) {
    spool_is_empty(bed).await;
    let store = bed.gateway().app.config().media.dir.join("store");
    let folder = store.join(bed.a.id.as_str());
    let files = std::fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!(files, 0, "files of messages that were refused");
}

async fn what_is_no_medium(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    let gif = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;";
    let as_png = format!("data:image/png;base64,{}", BASE64_STANDARD.encode(svg));
    for (kind, field, value, why) in [
        ("image", "image", json!(as_png), "JPEG, PNG or WebP"),
        ("image", "image", code(gif), "MP4"),
        ("gif", "gif", code(gif), "MP4"),
        ("image", "image", code(&samples::pdf()), "application/pdf"),
        ("video", "video", code(&samples::jpeg(8, 8)), "MP4"),
        ("sticker", "sticker", code(&samples::jpeg(8, 8)), "WebP"),
        ("audio", "audio", code(b"not a sound"), "MP3"),
        ("image", "image", json!("aGVs bG8="), "spaces"),
        ("image", "image", json!("not base64!"), "base64"),
        ("image", "image", json!(""), "required"),
        ("image", "image", json!("data:image/png,abc"), "base64"),
        ("image", "image", json!(12), "string"),
        ("image", "image", json!(["a"]), "string"),
        ("image", "image", json!("ftp://example.com/a.png"), "base64"),
    ] {
        let body = json!({"phone": CUSTOMER, field: value});
        let refused = post(bed, &made, kind, body).await;
        let refused = refused.refused(400, "invalid_field");
        assert_eq!(refused["field"], field, "{kind} {value}");
        let text = refused["message"].as_str().expect("a text");
        assert!(text.contains(why), "{kind} {value}: {text}");
    }
    let body = json!({"phone": CUSTOMER});
    let refused = post(bed, &made, "document", body).await;
    assert_eq!(refused.refused(400, "invalid_field")["field"], "document");
    let voice = json!({"phone": CUSTOMER, "ptt": true, "audio": code(b"ID3\x04\0\0\0\0\0\0\0\0")});
    let refused = post(bed, &made, "audio", voice).await;
    let refused = refused.refused(400, "invalid_field");
    let text = refused["message"].as_str().expect("a text");
    assert!(text.contains("Opus in Ogg"), "{text}");
    nothing_is_left(bed).await;
}

/// More than there is, more than may be.
async fn what_boasts(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let mut wide = samples::png();
    wide[16..20].copy_from_slice(&30_000_u32.to_be_bytes());
    wide[20..24].copy_from_slice(&30_000_u32.to_be_bytes());
    let sum = samples::crc(&wide[12..29]).to_be_bytes();
    wide[29..33].copy_from_slice(&sum);
    let mut film = samples::mp4(32, 32, 1);
    film.extend(0xffff_fff0_u32.to_be_bytes());
    film.extend(b"moov");
    film.extend([0; 64]);
    let whole = samples::jpeg(200, 200);
    for (kind, bytes) in [
        ("image", wide),
        ("video", film),
        ("image", whole[..whole.len() / 2].to_vec()),
        ("sticker", samples::webp()[..20].to_vec()),
    ] {
        let body = json!({"phone": CUSTOMER, kind: code(&bytes)});
        let refused = post(bed, &made, kind, body).await;
        assert_eq!(refused.refused(400, "invalid_field")["field"], kind);
    }
    let large = vec![0; 17 * 1024 * 1024];
    let body = json!({"phone": CUSTOMER, "document": code(&large)});
    let refused = post(bed, &made, "document", body).await;
    let refused = refused.refused(413, "payload_too_large");
    assert_eq!(refused["field"], "document");
    let mut sticker = samples::webp();
    sticker.resize(1024 * 1024 + 1, 0);
    let body = json!({"phone": CUSTOMER, "sticker": code(&sticker)});
    let refused = post(bed, &made, "sticker", body).await;
    refused.refused(413, "payload_too_large");
    nothing_is_left(bed).await;
}

async fn what_does_not_go_together(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let picture = code(&samples::jpeg(8, 8));
    let long = "x".repeat(256);
    for (kind, body, field) in [
        (
            "sticker",
            json!({"sticker": code(&samples::webp()), "caption": "x"}),
            "caption",
        ),
        (
            "sticker",
            json!({"sticker": code(&samples::webp()), "view_once": true}),
            "view_once",
        ),
        (
            "audio",
            json!({"audio": code(&samples::opus(1)), "caption": "x"}),
            "caption",
        ),
        (
            "document",
            json!({"document": picture, "viewOnce": true}),
            "view_once",
        ),
        (
            "gif",
            json!({"gif": code(&samples::mp4(8, 8, 1)), "jpeg_thumbnail": code(b"<svg/>")}),
            "jpeg_thumbnail",
        ),
        (
            "audio",
            json!({"audio": code(&samples::mp4(8, 8, 1))}),
            "audio",
        ),
        (
            "document",
            json!({"document": picture, "file_name": long}),
            "file_name",
        ),
        (
            "document",
            json!({"document": picture, "file_name": ".."}),
            "file_name",
        ),
        (
            "image",
            json!({"image": picture, "media_id": "MD1"}),
            "image",
        ),
        ("image", json!({"media_id": "MD1"}), "media_id"),
        (
            "image",
            json!({"image": picture, "caption": "x".repeat(65_537)}),
            "caption",
        ),
        ("image", json!({"image": picture, "delay": -1}), "delay"),
        ("image", json!({"image": picture, "id": "short"}), "id"),
        (
            "image",
            json!({"image": picture, "reply_to_message_id": "NOT-THERE"}),
            "reply_to_message_id",
        ),
        (
            "video",
            json!({"video": code(&samples::mp4(8, 8, 1)), "jpeg_thumbnail": "x y"}),
            "jpeg_thumbnail",
        ),
    ] {
        let mut body = body;
        body["phone"] = json!(CUSTOMER);
        let refused = post(bed, &made, kind, body).await;
        assert_eq!(refused.refused(400, "invalid_field")["field"], field);
    }
    let unpaired = bed.create(&bed.a, json!({"name": "Never paired"})).await;
    let body = json!({"phone": CUSTOMER, "image": picture});
    let refused = post(bed, &unpaired, "image", body).await;
    refused.refused(409, "instance_not_connected");
    nothing_is_left(bed).await;
}

/// Names that nobody chose for us are no reason to refuse a medium.
async fn names_that_do_not_fit(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let long = format!("{}.pdf", "n".repeat(300));
    for (kind, bytes) in [("image", samples::jpeg(8, 8)), ("document", samples::pdf())] {
        let path = made.path(&format!("/chat/send/{kind}"));
        for name in ["...", "/", long.as_str()] {
            let (boundary, body) = form(&[("phone", CUSTOMER)], Some(("file", name, &bytes)));
            let call = bed.post(&path).bearer(&bed.a.jwt);
            let sent = call.header("content-type", &boundary).body(body);
            sent.send().await.expect(200);
        }
    }
}

/// However it comes.
async fn a_file_of_nothing(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let (boundary, body) = form(&[("phone", CUSTOMER)], Some(("file", "a.txt", b"")));
    for (path, kind, body, field) in [
        (
            "/chat/send/document",
            boundary.as_str(),
            body.clone(),
            "document",
        ),
        ("/media?type=document", boundary.as_str(), body, "file"),
        ("/media?type=document", "text/plain", Vec::new(), "file"),
    ] {
        let call = bed.post(&made.path(path)).bearer(&bed.a.jwt);
        let call = call.header("content-type", kind).body(body);
        let refused = call.send().await.refused(400, "invalid_field");
        assert_eq!(refused["field"], field, "{path} {refused}");
    }
    // What cannot be read is named as its caller calls it.
    let film = samples::mp4(8, 8, 1);
    let body = json!({"phone": CUSTOMER, "gif": code(&film[..60])});
    let refused = post(bed, &made, "gif", body).await;
    assert_eq!(refused.refused(400, "invalid_field")["field"], "gif");
    nothing_is_left(bed).await;
}

async fn forms_that_are_none(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let path = made.path("/chat/send/image");
    let call = |kind: &str, body: Vec<u8>| {
        let call = bed.post(&path).bearer(&bed.a.jwt);
        call.header("content-type", kind).body(body)
    };
    let (kind, whole) = form(
        &[("phone", CUSTOMER)],
        Some(("file", "../../x.jpg", &samples::jpeg(8, 8))),
    );
    let cut = whole[..whole.len() / 2].to_vec();
    assert_eq!(call(&kind, cut).send().await.status, 400);
    let none = "multipart/form-data";
    let answer = call(none, whole.clone()).send().await;
    answer.refused(400, "invalid_request");
    let (kind, empty) = form(&[("phone", CUSTOMER)], None);
    let refused = call(&kind, empty).send().await;
    assert_eq!(refused.refused(400, "invalid_field")["field"], "image");
    let (kind, twice) = form(&[("phone", CUSTOMER), ("phone", CUSTOMER)], None);
    let refused = call(&kind, twice).send().await;
    assert_eq!(refused.refused(400, "invalid_field")["field"], "phone");
    nothing_is_left(bed).await;
}

/// What is still on its way must not meet the next call: the answer ends the connection.
async fn a_file_that_is_refused_on_its_way(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let (jwt, host) = (&bed.a.jwt, bed.address());
    let part = |field: &str| {
        let head = "content-disposition: form-data; name=";
        format!("--x\r\n{head}\"{field}\"; filename=\"a.jpg\"\r\n\r\n")
    };
    // A sticker has a mebibyte at most; of this one more has come than that, and more is to come.
    let much = vec![b'?'; 1_200_000];
    let form = [part("file").into_bytes(), much.clone()].concat();
    let multipart = "multipart/form-data; boundary=x";
    for (path, kind, bytes, status) in [
        ("/chat/send/sticker", multipart, &form, 413),
        ("/media?type=sticker", multipart, &form, 413),
        ("/media?type=sticker", "image/webp", &much, 413),
        ("/media?type=nothing", "image/webp", &much, 400),
        ("/chat/send/nothing", multipart, &form, 404),
    ] {
        let path = made.path(path);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {jwt}\r\ncontent-type: {kind}\r\n\
             content-length: 9000000\r\n\r\n"
        );
        let request = [head.as_bytes(), bytes].concat();
        let answer = wire::exchange(host, &request).await;
        assert_eq!(wire::status(&answer), status, "{path}: {answer}");
        let ends = answer
            .to_ascii_lowercase()
            .contains("\r\nconnection: close\r\n");
        assert!(ends, "{path}: {answer}");
    }
    nothing_is_left(bed).await;
}
