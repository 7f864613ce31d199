use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, header};

use super::*;

#[derive(Debug, Deserialize)]
struct Sample {
    #[serde(deserialize_with = "text_or_number")]
    phone: String,
    #[serde(default, alias = "sortDesc")]
    sort_desc: Option<bool>,
    #[serde(default)]
    events: Option<Names>,
    #[serde(default)]
    inner: Option<Inner>,
}

#[derive(Debug, Deserialize)]
struct Inner {
    n: u32,
}

fn fails(text: &str) -> (ErrorCode, String) {
    let fail = parse::<Sample>(text.as_bytes()).expect_err(text);
    (fail.error().code, fail.error().message.to_string())
}

#[test]
fn both_spellings_nulls_and_unknown_fields() {
    for (text, sort_desc) in [
        (r#"{"phone":"1","sort_desc":true}"#, Some(true)),
        (r#"{"phone":"1","sortDesc":true}"#, Some(true)),
        (r#"{"phone":"1","sort_desc":null,"account":"x"}"#, None),
        (
            " {\"phone\":\"1\",\"sortDesc\":null,\"sort_desc\":false}\r\n",
            Some(false),
        ),
    ] {
        let sample: Sample = parse(text.as_bytes()).expect(text);
        assert_eq!((sample.phone.as_str(), sample.sort_desc), ("1", sort_desc));
    }
    let sample: Sample = parse(br#"{"phone":5511,"events":"A, B,"}"#).expect("number, string");
    assert_eq!(sample.phone, "5511");
    assert_eq!(sample.events, Some(Names(vec!["A".into(), "B".into()])));
    assert!(sample.inner.is_none());
    let sample: Sample = parse(br#"{"phone":"1","inner":{"n":7}}"#).expect("nested");
    assert_eq!(sample.inner.map(|inner| inner.n), Some(7));
}

#[test]
fn an_empty_name_beside_another_of_the_same_field_is_none() {
    #[derive(Debug, Deserialize)]
    struct Sent {
        #[serde(default, alias = "image_url", alias = "url")]
        image: Option<String>,
        #[serde(default)]
        caption: Option<String>,
    }
    for text in [
        r#"{"image":"","image_url":"x","caption":""}"#,
        r#"{"image":"","image_url":"","url":"x","caption":""}"#,
        r#"{"url":"x","image":"","caption":""}"#,
    ] {
        let sent: Sent = parse(text.as_bytes()).expect(text);
        assert_eq!(sent.image.as_deref(), Some("x"), "{text}");
        assert_eq!(sent.caption.as_deref(), Some(""), "{text}");
    }
    let sent: Sent = parse(br#"{"image":"","url":""}"#).expect("both empty");
    assert_eq!(sent.image.as_deref(), Some(""));
    let fail = parse::<Sent>(br#"{"image":"y","url":"x"}"#).expect_err("two");
    let text = fail.error().message.to_string();
    assert!(text.starts_with("image is there twice"), "{text}");
}

#[test]
fn what_is_wrong_is_named() {
    for (text, code, part) in [
        ("", ErrorCode::InvalidField, "phone is required"),
        ("{}", ErrorCode::InvalidField, "phone is required"),
        (
            r#"{"phone":null}"#,
            ErrorCode::InvalidField,
            "phone is required",
        ),
        (
            r#"{"phone":[]}"#,
            ErrorCode::InvalidField,
            "phone: expected a string",
        ),
        (
            r#"{"phone":"1","sort_desc":"yes"}"#,
            ErrorCode::InvalidField,
            "sort_desc: invalid type",
        ),
        (
            r#"{"phone":"1","events":{}}"#,
            ErrorCode::InvalidField,
            "events: expected an array",
        ),
        (
            r#"{"phone":"1","inner":{"n":-1}}"#,
            ErrorCode::InvalidField,
            "inner.n: invalid value",
        ),
        (
            r#"{"phone":"1","inner":{}}"#,
            ErrorCode::InvalidField,
            "inner.n is required",
        ),
        (r#"["1",true]"#, ErrorCode::InvalidJson, "not an array"),
        (r#""x""#, ErrorCode::InvalidJson, "not a string"),
        ("5", ErrorCode::InvalidJson, "must be an object"),
        (r#"{"phone":"1""#, ErrorCode::InvalidJson, "EOF"),
        (r#"{"phone":"1"} x"#, ErrorCode::InvalidJson, "trailing"),
        (
            r#"{"phone":"1","phone":"2"}"#,
            ErrorCode::InvalidJson,
            "'phone' is repeated",
        ),
        ("{phone:1}", ErrorCode::InvalidJson, "key must be a string"),
    ] {
        let (found, message) = fails(text);
        assert_eq!(found, code, "{text}: {message}");
        assert!(message.contains(part), "{text}: {message}");
    }
    let deep = format!("{{\"phone\":{}{}}}", "[".repeat(40), "]".repeat(40));
    assert!(fails(&deep).1.contains("nested"));
    assert!(parse::<Sample>(b"{\"phone\":\"\xff\"}").is_err());
}

#[test]
fn brackets_in_strings_do_not_nest() {
    let extent = Extent::of(r#"{"a":"[[[\"[[,,,","b":[1,{"c":2}]}"#);
    assert_eq!((extent.depth, extent.values), (3, 5));
}

#[tokio::test]
async fn an_oversized_body_is_refused_before_it_is_read() {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_LENGTH, 11.into());
    let never = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
    let fail = read(&headers, never, 10).await.expect_err("announced");
    assert_eq!(fail.error().code, ErrorCode::PayloadTooLarge);

    let endless =
        futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(b"xxxx")));
    let fail = read(&HeaderMap::new(), Body::from_stream(endless), 10)
        .await
        .expect_err("grown");
    assert_eq!(fail.error().code, ErrorCode::PayloadTooLarge);

    let fits = read(&HeaderMap::new(), Body::from("0123456789"), 10)
        .await
        .expect("fits");
    assert_eq!(fits.len(), 10);
}

#[test]
fn content_types() {
    let mut headers = HeaderMap::new();
    assert!(require_json(&headers).is_ok());
    for (value, ok) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/problem+json", true),
        ("text/plain", false),
        ("application/x-www-form-urlencoded", false),
    ] {
        headers.insert(header::CONTENT_TYPE, value.parse().expect("header"));
        assert_eq!(require_json(&headers).is_ok(), ok, "{value}");
    }
}

/// `serde_json` reads the text below its private names as JSON, however deep it nests.
#[test]
fn names_that_the_parser_keeps_to_itself_are_refused() {
    let deep = "[".repeat(20_000);
    for name in ["RawValue", "Number"] {
        for body in [
            format!(r#"{{"$serde_json::private::{name}":"{deep}"}}"#),
            format!(r#"{{"labels":{{"a":[{{"$serde_json::private::{name}":"{deep}"}}]}}}}"#),
        ] {
            let refused = object(body.as_bytes()).expect_err("refused");
            assert_eq!(refused.error().code, ErrorCode::InvalidJson);
        }
    }
}
