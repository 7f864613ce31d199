//! The credential headers: whatever is taken was there once, is of this surface, and is handed on as
//! it was written.
#![no_main]

use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;
use recado_api::auth::{Accepts, CredentialHeaders};

const NAMES: [&str; 6] = [
    "authorization",
    "x-client-token",
    "x-instance-token",
    "x-api-key",
    "cookie",
    "x-other",
];
/// Surface by surface, which of the first four headers it takes.
const SURFACES: [(Accepts, [bool; 4]); 4] = [
    (Accepts::INSTANCE, [true, true, true, false]),
    (Accepts::MCP, [true, false, false, false]),
    (Accepts::DIRECT, [false, false, false, true]),
    (Accepts::DIRECT_CREATE, [true, false, false, true]),
];

// Input: lines; the first byte of a line names the header, the rest is its value.
fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(24) {
        let Some((name, value)) = line.split_first() else {
            continue;
        };
        let name = NAMES[usize::from(*name) % NAMES.len()];
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.headers = headers;
    let headers = &parts.headers;
    for (accepts, takes) in SURFACES {
        let count = |name: &str| headers.get_all(name).iter().count();
        let Ok(shown) = CredentialHeaders::collect(&parts, accepts) else {
            continue;
        };
        let presented = shown.presented();
        let got = [
            presented.bearer,
            presented.client_token,
            presented.instance_token,
            presented.api_key,
        ];
        for (at, name) in NAMES[..4].iter().enumerate() {
            let sent = count(name);
            assert!(sent <= 1, "{name} was taken although it came {sent} times");
            assert!(sent == 0 || takes[at], "{name} is of another surface");
            assert_eq!(got[at].is_some(), sent == 1, "{name} was lost or invented");
            let (Some(got), Some(value)) = (got[at], headers.get(*name)) else {
                continue;
            };
            let value = value.to_str().expect("only visible text is taken").trim();
            match at {
                0 => {
                    let (scheme, rest) = value.split_once(' ').expect("scheme and token");
                    assert!(scheme.eq_ignore_ascii_case("bearer"));
                    assert_eq!(got, rest.trim_start_matches(' '));
                    assert!(!got.is_empty() && !got.contains([' ', '\t', ',']));
                }
                _ => assert_eq!(got, value),
            }
        }
        assert_eq!(shown.any(), got.iter().any(Option::is_some));
    }
});
