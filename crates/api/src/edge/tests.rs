//! Whose address counts, on examples and on every list of headers.

use axum::body::Body;
use proptest::{collection::vec, prelude::*};

use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn nets(texts: &[&str]) -> Vec<IpNet> {
    let parsed = texts.iter().map(|text| text.parse().expect("a subnet"));
    parsed.collect()
}

#[track_caller]
fn counts(peer: &str, lines: &[&str], trusted: &[&str], expected: &str) {
    let bytes = lines.iter().map(|line| line.as_bytes());
    let found = client_of(ip(peer), bytes, &nets(trusted));
    assert_eq!(found, ip(expected), "{peer} {lines:?} {trusted:?}");
}

#[test]
fn an_untrusted_peer_is_believed_nothing() {
    counts("203.0.113.9", &["10.0.0.1"], &[], "203.0.113.9");
    counts("203.0.113.9", &["1.1.1.1"], &["10.0.0.0/8"], "203.0.113.9");
    // What a proxy that nobody configured says of itself changes nothing either.
    counts("127.0.0.1", &["1.1.1.1, 127.0.0.1"], &[], "127.0.0.1");
}

#[test]
fn the_rightmost_that_is_no_proxy() {
    let proxies = &["10.0.0.0/8", "2001:db8:ff::/48"];
    for (lines, expected) in [
        (&[][..], "10.0.0.1"),
        (&["203.0.113.9"][..], "203.0.113.9"),
        (&["1.1.1.1, 203.0.113.9"][..], "203.0.113.9"),
        (&["1.1.1.1", "203.0.113.9"][..], "203.0.113.9"),
        (&["1.1.1.1, 203.0.113.9, 10.9.9.9"][..], "203.0.113.9"),
        (
            &["203.0.113.9", "10.9.9.9,\t2001:db8:ff::1"][..],
            "203.0.113.9",
        ),
        // All of them ours: the farthest.
        (&["10.7.7.7, 10.8.8.8"][..], "10.7.7.7"),
        // Ports, brackets, IPv4 in IPv6.
        (&["203.0.113.9:4711"][..], "203.0.113.9"),
        (&["[2001:db8::9]:4711"][..], "2001:db8::9"),
        (&["[2001:db8::9]"][..], "2001:db8::9"),
        (&["::ffff:203.0.113.9"][..], "203.0.113.9"),
        (&["1.1.1.1, ::ffff:10.1.1.1"][..], "1.1.1.1"),
        // Garbage ends the search at the last good one.
        (&["203.0.113.9, unknown"][..], "10.0.0.1"),
        (&["203.0.113.9, nonsense, 10.9.9.9"][..], "10.9.9.9"),
        (&["203.0.113.9, "][..], "10.0.0.1"),
        (&[""][..], "10.0.0.1"),
        (&["for=203.0.113.9"][..], "10.0.0.1"),
        (&["203.0.113.9\u{0}"][..], "10.0.0.1"),
        (&["203.0.113.999"][..], "10.0.0.1"),
        (&["[203.0.113.9]"][..], "10.0.0.1"),
    ] {
        counts("10.0.0.1", lines, proxies, expected);
        counts("::ffff:10.0.0.1", lines, proxies, expected);
    }
}

#[test]
fn other_headers_are_never_believed() {
    let peer: SocketAddr = "10.0.0.1:5000".parse().expect("an address");
    let mut request = Request::builder()
        .header("x-real-ip", "1.1.1.1")
        .header("forwarded", "for=1.1.1.1")
        .header("x-client-ip", "1.1.1.1")
        .header("cf-connecting-ip", "1.1.1.1")
        .header("host", "1.1.1.1")
        .body(Body::empty())
        .expect("a request");
    let trusted = nets(&["10.0.0.0/8"]);
    assert_eq!(ClientIp::read(&request, &trusted), ClientIp::UNKNOWN);
    request.extensions_mut().insert(ConnectInfo(peer));
    assert_eq!(ClientIp::read(&request, &trusted), ClientIp(ip("10.0.0.1")));
    let value = HeaderValue::from_static("203.0.113.9");
    request.headers_mut().insert(FORWARDED_FOR, value);
    let client = ClientIp::read(&request, &trusted);
    assert_eq!(client, ClientIp(ip("203.0.113.9")));
    request.extensions_mut().insert(client);
    assert_eq!(ClientIp::of(request.extensions()), client);
    assert_eq!(ClientIp::of(&Extensions::new()), ClientIp::UNKNOWN);
}

/// Entries of every kind: addresses of proxies and others, in all spellings, and junk.
fn entry() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<[u8; 3]>().prop_map(|[a, b, c]| format!("10.{a}.{b}.{c}")),
        any::<[u8; 4]>().prop_map(|a| IpAddr::from(a).to_string()),
        any::<[u8; 4]>().prop_map(|a| format!("::ffff:{}", IpAddr::from(a))),
        (any::<[u8; 16]>(), any::<u16>())
            .prop_map(|(a, port)| SocketAddr::new(a.into(), port).to_string()),
        "[ -+.-~\t]{0,20}",
    ]
}

proptest! {
    /// Whatever the caller wrote, what the last trusted proxy wrote of it decides.
    #[test]
    fn the_caller_cannot_choose(
        claimed in vec(vec(entry(), 0..4), 0..4),
        caller in any::<[u8; 4]>().prop_filter("no proxy", |a| a[0] != 10),
        hops in vec(any::<[u8; 3]>(), 0..4),
        same_line in any::<bool>(),
    ) {
        let caller = IpAddr::from(caller);
        let mut lines: Vec<String> = claimed.iter().map(|line| line.join(", ")).collect();
        let mut written = vec![caller.to_string()];
        written.extend(hops.iter().map(|[a, b, c]| format!("10.{a}.{b}.{c}")));
        let written = written.join(", ");
        match lines.last_mut() {
            Some(line) if same_line => *line = format!("{line}, {written}"),
            _ => lines.push(written),
        }
        let trusted = nets(&["10.0.0.0/8"]);
        let bytes = || lines.iter().map(|line| line.as_bytes());
        prop_assert_eq!(client_of(ip("10.0.0.1"), bytes(), &trusted), caller);
        prop_assert_eq!(client_of(ip("192.0.2.1"), bytes(), &trusted), ip("192.0.2.1"));
        prop_assert_eq!(client_of(ip("10.0.0.1"), bytes(), &[]), ip("10.0.0.1"));
    }

    /// Any bytes: never a panic, and never an address that nobody wrote.
    #[test]
    fn no_address_out_of_thin_air(lines in vec(vec(any::<u8>(), 0..40), 0..4)) {
        let trusted = nets(&["0.0.0.0/0", "::/0"]);
        let peer = ip("10.0.0.1");
        let found = client_of(peer, lines.iter().map(Vec::as_slice), &trusted);
        let written = lines
            .iter()
            .flat_map(|line| line.split(|b| *b == b','))
            .filter_map(address);
        prop_assert!(found == peer || written.into_iter().any(|one| one == found));
    }

    /// An entry reads back as the address it was made of, whatever its spelling.
    #[test]
    fn spellings_agree(octets in any::<[u8; 16]>(), port in any::<u16>()) {
        let ip = IpAddr::from(octets);
        for text in [
            ip.to_string(),
            format!(" {ip}\t"),
            format!("[{ip}]"),
            SocketAddr::new(ip, port).to_string(),
        ] {
            prop_assert_eq!(address(text.as_bytes()), Some(ip.to_canonical()), "{}", text);
        }
    }
}

fn head(uri: &str, headers: &[(&str, String)]) -> Request {
    let mut request = Request::builder().uri(uri);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    request.body(Body::empty()).expect("a request")
}

#[test]
fn the_cap_counts_all_of_the_head() {
    let host = || ("host", "gw".to_owned());
    // GET, /x, host, gw and a: 3 + 2 + 4 + 2 + 1.
    let room = MAX_HEAD - 12;
    let fits = head("/x", &[host(), ("a", "v".repeat(room))]);
    assert_eq!(head_bytes(&fits), MAX_HEAD);
    assert!(check_head(&fits).is_ok());
    for over in [
        head("/x", &[host(), ("a", "v".repeat(room + 1))]),
        head("/xy", &[host(), ("a", "v".repeat(room))]),
        head("/x?", &[host(), ("a", "v".repeat(room))]),
        head("/x", &[host(), ("ab", "v".repeat(room))]),
        head("http://h/x", &[host(), ("a", "v".repeat(room))]),
    ] {
        let fail = check_head(&over).expect_err("too large");
        assert_eq!(fail.error().code, ErrorCode::HeadersTooLarge);
    }
}

#[test]
fn one_host() {
    let host = || ("host", "gw".to_owned());
    assert!(check_head(&head("/", &[host()])).is_ok());
    for wrong in [head("/", &[]), head("/", &[host(), host()])] {
        let fail = check_head(&wrong).expect_err("refused");
        assert_eq!(fail.error().code, ErrorCode::InvalidRequest);
    }
    let mut old = head("/", &[]);
    *old.version_mut() = Version::HTTP_10;
    assert!(check_head(&old).is_ok());
}

#[test]
fn origins_are_exact() {
    for good in [
        "https://app.example.com",
        "http://localhost:5173",
        "https://[2001:db8::1]:8443",
        "https://xn--bcher-kva.example",
    ] {
        let cors = Cors::new([good]).expect(good);
        assert_eq!(cors.origins().collect::<Vec<_>>(), [good]);
    }
    for (bad, says) in [
        ("*", "list each origin"),
        ("https://*.example.com", "list each origin"),
        ("https://app.example.com/", "write https://app.example.com"),
        (
            "https://app.example.com:443",
            "write https://app.example.com",
        ),
        ("HTTPS://App.Example.com", "write https://app.example.com"),
        ("https://app.example.com/x", "write https://app.example.com"),
        ("https://u@app.example.com", "write https://app.example.com"),
        ("app.example.com", "scheme://host"),
        ("null", "scheme://host"),
        ("file:///x", "scheme://host"),
        ("ftp://app.example.com", "scheme://host"),
        ("", "scheme://host"),
    ] {
        let why = Cors::new([bad]).expect_err(bad);
        assert!(why.contains(says), "{bad}: {why}");
    }
}
