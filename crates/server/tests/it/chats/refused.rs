//! What is refused, and in which words.

use serde_json::{Value, json};

use super::{ask, chat, of, on_phone, phones_in, written};
use crate::gateway::{Bed, CUSTOMER, SHOP};
use recado_sandbox::ChatChange;

on_both! {
    who_is_nobody_is_refused,
    who_is_not_here_is_not_found,
    bad_input_names_its_field,
    a_chat_is_its_owners,
    without_a_connection_nothing_is_done,
}

const ACTS: [&str; 9] = [
    "archive",
    "unarchive",
    "pin",
    "unpin",
    "mute",
    "unmute",
    "read",
    "unread",
    "clear",
];

async fn who_is_nobody_is_refused(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    for who in [
        "12",
        "nobody",
        "0551199999",
        "x@g.us",
        "%00",
        "..%2F..",
        "1%40evil.example",
    ] {
        for (method, path) in [
            ("GET", format!("/chats/{who}")),
            ("DELETE", format!("/chats/{who}")),
            ("GET", format!("/chats/{who}/messages")),
            ("POST", format!("/chats/{who}/archive")),
            ("PUT", format!("/chats/{who}/expiration")),
        ] {
            let body = match method {
                "PUT" => json!({"expiration": "OFF"}),
                _ => Value::Null,
            };
            let answer = ask(bed, &made, (method, &path), body).await.expect(400);
            assert_eq!(answer.json()["field"], "phone", "{method} {path}");
        }
    }
}

async fn who_is_not_here_is_not_found(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    // Well formed, and not here.
    for who in [
        "5511999990077",
        "123456789012345@lid",
        "120363000000000077@g.us",
    ] {
        for act in ACTS {
            let path = format!("/chats/{who}/{act}");
            let answer = ask(bed, &made, ("POST", &path), json!({})).await;
            assert_eq!(answer.refused(404, "not_found")["field"], "phone");
        }
        let path = format!("/chats/{who}/messages");
        let answer = ask(bed, &made, ("GET", &path), Value::Null).await;
        answer.refused(404, "not_found");
    }
}

type Bad = (&'static str, String, Value, &'static str);

/// What is sent about chats, and the field that is at fault.
fn bad_chats() -> Vec<Bad> {
    let of = |path: &str| format!("/chats/{CUSTOMER}/{path}");
    vec![
        (
            "POST",
            of("mute"),
            json!({"duration_seconds": -1}),
            "duration_seconds",
        ),
        (
            "POST",
            of("mute"),
            json!({"duration_seconds": 315_360_001}),
            "duration_seconds",
        ),
        (
            "POST",
            of("mute"),
            json!({"duration_seconds": "long"}),
            "duration_seconds",
        ),
        (
            "POST",
            of("mute"),
            json!({"duration_seconds": 1.5}),
            "duration_seconds",
        ),
        (
            "POST",
            of("clear"),
            json!({"delete_media": "yes"}),
            "delete_media",
        ),
        ("PUT", of("expiration"), json!({}), "expiration"),
        (
            "PUT",
            of("expiration"),
            json!({"expiration": ""}),
            "expiration",
        ),
        (
            "PUT",
            of("expiration"),
            json!({"expiration": "1_HOUR"}),
            "expiration",
        ),
        (
            "PUT",
            of("expiration"),
            json!({"expiration": 7}),
            "expiration",
        ),
        ("GET", of("messages?before=x"), Value::Null, "before"),
        ("GET", "/chats?before=%3F".to_owned(), Value::Null, "before"),
        (
            "GET",
            format!("/chats?search={}", "a".repeat(101)),
            Value::Null,
            "search",
        ),
    ]
}

/// The same about people.
fn bad_contacts() -> Vec<Bad> {
    let add = || "/contact/add".to_owned();
    vec![
        (
            "GET",
            "/contact/list?before=x".to_owned(),
            Value::Null,
            "before",
        ),
        ("POST", add(), json!({"full_name": "Ana"}), "phone"),
        (
            "POST",
            add(),
            json!({"phone": "12", "full_name": "Ana"}),
            "phone",
        ),
        ("POST", add(), json!({"phone": CUSTOMER}), "full_name"),
        (
            "POST",
            add(),
            json!({"phone": CUSTOMER, "full_name": " "}),
            "full_name",
        ),
        (
            "POST",
            add(),
            json!({"phone": CUSTOMER, "full_name": "a\u{202e}b"}),
            "full_name",
        ),
        (
            "POST",
            add(),
            json!({"phone": CUSTOMER, "full_name": "a".repeat(256)}),
            "full_name",
        ),
        (
            "POST",
            add(),
            json!({"phone": CUSTOMER, "full_name": "Ana", "first_name": "b".repeat(256)}),
            "first_name",
        ),
        (
            "POST",
            add(),
            json!({"phone": CUSTOMER, "full_name": ["Ana"]}),
            "full_name",
        ),
    ]
}

async fn bad_input_names_its_field(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    for (method, path, body, field) in bad_chats().into_iter().chain(bad_contacts()) {
        let answer = ask(bed, &made, (method, &path), body.clone())
            .await
            .expect(400);
        assert_eq!(answer.json()["field"], field, "{method} {path} {body}");
    }
    for query in ["page=x", "archived=perhaps", "page_size=1.5"] {
        let path = format!("/chats?{query}");
        ask(bed, &made, ("GET", &path), Value::Null)
            .await
            .expect(400);
    }
    assert_eq!(chat(bed, &made, CUSTOMER).await["archived"], false);
}

async fn a_chat_is_its_owners(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    let mut paths = vec![
        ("GET", "/chats".to_owned()),
        ("GET", format!("/chats/{CUSTOMER}")),
        ("DELETE", format!("/chats/{CUSTOMER}")),
        ("GET", format!("/chats/{CUSTOMER}/messages")),
        ("PUT", format!("/chats/{CUSTOMER}/expiration")),
        ("GET", "/contact/list".to_owned()),
        ("POST", "/contact/add".to_owned()),
        ("GET", "/user/contacts".to_owned()),
    ];
    paths.extend(ACTS.map(|act| ("POST", format!("/chats/{CUSTOMER}/{act}"))));
    for (method, path) in paths {
        let call = bed.call(method, &made.path(&path)).bearer(&bed.b.jwt);
        call.send().await.refused(403, "forbidden");
    }
    // The other shop knows nobody of it.
    let theirs = bed.create(&bed.b, json!({"name": "Theirs"})).await;
    let path = theirs.path(&format!("/chats/{CUSTOMER}"));
    bed.get(&path)
        .bearer(&bed.b.jwt)
        .send()
        .await
        .refused(404, "not_found");
    assert_eq!(phones_in(bed, &made, "").await, [CUSTOMER]);
}

async fn without_a_connection_nothing_is_done(bed: &mut Bed) {
    let fresh = bed.create(&bed.a, json!({"name": "Not linked"})).await;
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    let close = made.path("/session/disconnect");
    bed.post(&close).bearer(&bed.a.jwt).send().await.expect(200);
    for made in [&fresh, &made] {
        for act in ACTS {
            let path = format!("/chats/{CUSTOMER}/{act}");
            let answer = ask(bed, made, ("POST", &path), json!({})).await;
            answer.refused(409, "instance_not_connected");
        }
        for (method, path, body) in [
            ("DELETE", format!("/chats/{CUSTOMER}"), json!({})),
            (
                "PUT",
                format!("/chats/{CUSTOMER}/expiration"),
                json!({"expiration": "OFF"}),
            ),
            (
                "POST",
                "/contact/add".to_owned(),
                json!({"phone": CUSTOMER, "full_name": "Ana"}),
            ),
        ] {
            let answer = ask(bed, made, (method, &path), body).await;
            answer.refused(409, "instance_not_connected");
        }
    }
    // What is known is read all the same.
    assert_eq!(phones_in(bed, &made, "").await, [CUSTOMER]);
    on_phone(
        bed,
        ChatChange {
            archived: Some(true),
            ..of(CUSTOMER)
        },
    );
    assert_eq!(chat(bed, &made, CUSTOMER).await["archived"], false);
}
