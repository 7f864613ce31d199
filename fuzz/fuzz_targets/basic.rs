//! HTTP Basic at `POST /token`: arbitrary headers never panic and never yield a pair that they do not
//! hold; every pair, form-encoded as RFC 6749 wants it, comes out as it went in.
#![no_main]

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use libfuzzer_sys::fuzz_target;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use recado_api::fuzzing::basic;

fuzz_target!(|data: &[u8]| {
    // As it is.
    if let Some(headers) = authorization(data)
        && let Ok(Some((id, secret))) = basic(&headers)
    {
        let value = headers[AUTHORIZATION]
            .to_str()
            .expect("visible text")
            .trim();
        let (scheme, rest) = value.split_once(' ').expect("scheme and pair");
        assert!(scheme.eq_ignore_ascii_case("basic"));
        let decoded = BASE64_STANDARD.decode(rest.trim()).expect("base64");
        // Percent-decoding shortens, nothing lengthens: no text can come from nowhere.
        assert!(id.len() + secret.len() < decoded.len().max(1));
    }

    // As the content of a Basic header.
    if let Some(headers) =
        authorization(format!("Basic {}", BASE64_STANDARD.encode(data)).as_bytes())
        && let Ok(pair) = basic(&headers)
    {
        assert!(pair.is_some(), "a Basic header is a pair or an error");
        assert!(data.contains(&b':'));
    }

    // As a pair: input up to the first line break, and the rest.
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (id, secret) = text.split_once('\n').unwrap_or((text, ""));
    let form = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    for form in [form, |text: &str| form_plus(text)] {
        let pair = format!("{}:{}", form(id), form(secret));
        let headers = authorization(format!("bAsIc {}", BASE64_STANDARD.encode(pair)).as_bytes())
            .expect("base64 is visible text");
        let (got_id, got_secret) = basic(&headers)
            .ok()
            .flatten()
            .expect("a well-formed pair is read");
        assert_eq!((got_id.as_str(), got_secret.as_str()), (id, secret));
    }

    // Twice is refused, whatever it says.
    if let Some(mut headers) = authorization(data) {
        headers.append(AUTHORIZATION, HeaderValue::from_static("Basic YTpi"));
        assert!(basic(&headers).is_err());
    }
});

/// The other spelling of a space in a form.
fn form_plus(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
        .to_string()
        .replace("%20", "+")
}

fn authorization(value: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value).ok()?);
    Some(headers)
}
