//! Before any guard: caps on heads, odd framing, slow senders, CORS, and the headers of every answer.

use std::time::{Duration, Instant};

use recado::config::Settings;
use recado_api::Surface;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{call::Answer, gateway::Bed, wire};

on_both! {
    large_heads,
    many_headers,
    odd_framing,
    methods_of_no_route,
    slow_heads,
    what_nobody_read,
    a_stop_with_idle_connections,
    no_cors_unless_listed,
    what_every_answer_carries,
}

/// A path of each surface, with the method it knows.
const PATHS: [(Surface, &str, &str); 6] = [
    (Surface::Instance, "POST", "/instances/list"),
    (Surface::Token, "POST", "/token"),
    (Surface::Mcp, "POST", "/api/mcp/"),
    (Surface::Direct, "POST", "/sessions"),
    (Surface::Ops, "GET", "/livez"),
    (Surface::Web, "GET", "/dashboard"),
];

async fn large_heads(bed: &mut Bed) {
    for (surface, method, path) in PATHS {
        // In one header, in many, in a credential, in the address: it comes before every guard.
        let call = || bed.call(method, path);
        let query = format!("{path}?{}", "q".repeat(16_400));
        let many = (0..90).fold(call(), |call, at| {
            call.header(&format!("x-pad-{at}"), &"v".repeat(200))
        });
        for call in [
            call().header("x-pad", &"v".repeat(17_000)),
            call().bearer(&"v".repeat(40_000)),
            call().header("x-api-key", &"v".repeat(17_000)),
            bed.call(method, &query),
            many,
        ] {
            let answer = call.send().await.expect(431);
            assert_eq!(answer.header("content-type"), "application/json");
            assert!(answer.header("x-request-id").starts_with("RQ"));
            let body = answer.json();
            let text = match surface {
                Surface::Token => {
                    assert_eq!(body["error"], "invalid_request", "{answer:?}");
                    &body["message"]
                }
                Surface::Mcp => {
                    assert_eq!(body["error"]["code"], -32600, "{answer:?}");
                    assert_eq!(body["id"], Value::Null, "{answer:?}");
                    &body["error"]["message"]
                }
                Surface::Direct => &body["error"],
                _ => {
                    assert_eq!(body["error_code"], "headers_too_large", "{answer:?}");
                    &body["message"]
                }
            };
            let text = text.as_str().expect("a text");
            assert!(text.contains("16384"), "{answer:?}");
            assert!(!answer.text().contains("vvv"), "nothing is echoed");
        }
        // A long one that still fits is judged as usual.
        let fits = call().header("x-pad", &"v".repeat(15_000)).send().await;
        assert_ne!(fits.status, 431, "{fits:?}");
    }
}

async fn many_headers(bed: &mut Bed) {
    for (count, refused) in [(90, false), (150, true)] {
        let pad: String = (0..count).map(|at| format!("a{at}: b\r\n")).collect();
        let request = format!("GET /livez HTTP/1.1\r\nhost: x\r\n{pad}\r\n");
        let answer = wire::exchange(bed.address(), request.as_bytes()).await;
        let expected = if refused { 431 } else { 200 };
        assert_eq!(wire::status(&answer), expected, "{count}: {answer}");
    }
    bed.get("/livez").send().await.expect(200);
}

async fn odd_framing(bed: &mut Bed) {
    let exchange = async |request: &str| wire::exchange(bed.address(), request.as_bytes()).await;
    // Lines that end in a bare LF are lines: a header cannot hide from a guard behind one.
    let answer = exchange("GET /livez HTTP/1.1\nhost: x\n\n").await;
    assert_eq!(wire::status(&answer), 200, "{answer}");
    let twice = "GET /sessions/x HTTP/1.1\nhost: x\nx-api-key: a\nx-api-key: b\n\n";
    assert_eq!(wire::status(&exchange(twice).await), 400);
    // The host, once; HTTP/1.0 knows none.
    for hosts in ["", "host: a\r\nhost: b\r\n", "host: a\r\nHost: a\r\n"] {
        let answer = exchange(&format!(
            "POST /instances/list HTTP/1.1\r\n{hosts}content-length: 0\r\n\r\n"
        ))
        .await;
        assert_eq!(wire::status(&answer), 400, "{hosts:?}: {answer}");
        assert!(answer.contains("\"invalid_request\""), "{answer}");
        assert!(answer.contains("Host header"), "{answer}");
    }
    let answer = exchange("GET /livez HTTP/1.0\r\n\r\n").await;
    assert_eq!(wire::status(&answer), 200, "{answer}");
    // What two readers could read differently.
    for lines in [
        "content-length: 2\r\ncontent-length: 3",
        "content-length: 2, 3",
        "content-length: +2",
        "content-length: -1",
        "content-length: 0x2",
        "transfer-encoding : chunked",
        "transfer-encoding: chunked, identity",
        "transfer-encoding: xchunked",
        "x-folded: a\r\n b",
        "x-nul: \0",
        "x-no-colon",
        ": no-name",
        "x name: a",
    ] {
        let request = format!("POST /token HTTP/1.1\r\nhost: x\r\n{lines}\r\n\r\n{{}}");
        let answer = exchange(&request).await;
        assert_eq!(wire::status(&answer), 400, "{lines:?}: {answer}");
    }
    for line in ["GET /livez", "GET /livez HTTP/3.7", "GET  /livez HTTP/1.1"] {
        let answer = exchange(&format!("{line}\r\nhost: x\r\n\r\n")).await;
        assert_eq!(wire::status(&answer), 400, "{line:?}: {answer}");
    }
    // None of it has hurt anyone.
    bed.get("/livez").send().await.expect(200);
}

async fn methods_of_no_route(bed: &mut Bed) {
    let address = bed.address();
    for (_, _, path) in PATHS {
        // Shown, so that an echo would be seen; on the Direct API the key is asked for first.
        let request =
            format!("TRACE {path} HTTP/1.1\r\nhost: {address}\r\nx-echo: ct_secret\r\n\r\n");
        let answer = wire::exchange(address, request.as_bytes()).await;
        let expected = if path == "/sessions" { 401 } else { 405 };
        assert_eq!(wire::status(&answer), expected, "{path}: {answer}");
        assert!(!answer.contains("ct_secret"), "{answer}");
    }
    for target in ["example.com:443", "/livez"] {
        let request = format!("CONNECT {target} HTTP/1.1\r\nhost: example.com:443\r\n\r\n");
        let answer = wire::exchange(address, request.as_bytes()).await;
        assert_eq!(wire::status(&answer), 405, "no tunnel: {answer}");
        assert!(answer.contains("\r\nallow: \r\n"), "{answer}");
        assert!(answer.contains("\"method_not_allowed\""), "{answer}");
    }
}

async fn slow_heads(bed: &mut Bed) {
    let begun = Instant::now();
    let mut slow = TcpStream::connect(bed.address()).await.expect("listens");
    let head = b"GET /livez HTTP/1.1\r\nhost: x\r\nx-slow: ";
    slow.write_all(head).await.expect("sent");
    // A byte now and then does not buy time, and nobody else waits.
    let mut part = [0; 64];
    let closed = loop {
        bed.get("/livez").send().await.expect(200);
        if slow.write_all(b"a").await.is_err() {
            break true;
        }
        match tokio::time::timeout(Duration::from_millis(250), slow.read(&mut part)).await {
            Ok(Ok(0) | Err(_)) => break true,
            Ok(Ok(_)) => break false,
            Err(_) => assert!(begun.elapsed() < Duration::from_secs(20), "still open"),
        }
    };
    assert!(closed, "it was answered: {part:?}");
    assert!(begun.elapsed() > Duration::from_secs(9), "{begun:?}");
    bed.get("/livez").send().await.expect(200);
}

/// What is refused before its body was read leaves the connection as it was; or the answer says that it ends.
async fn what_nobody_read(bed: &mut Bed) {
    let mut stream = TcpStream::connect(bed.address()).await.expect("listens");
    let body = |length: usize| format!("{{\"x\":\"{}\"}}", "A".repeat(length));
    for length in [1, 1_000, 180_000, 1_500_000] {
        let body = body(length);
        let post = format!(
            "POST /instances/RCX/chat/send/text HTTP/1.1\r\nhost: x\r\nx-client-token: ct_x\r\n\
             x-instance-token: it_x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let get = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n".to_owned();
        for (request, status) in [(post, "401"), (get, "200")] {
            stream.write_all(request.as_bytes()).await.expect("sent");
            let answer = head_of(&mut stream).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status}")),
                "{length}: {answer}"
            );
            assert!(
                !answer.to_ascii_lowercase().contains("connection: close"),
                "{answer}"
            );
        }
    }
    let post = "POST /instances/RCX/chat/send/text HTTP/1.1\r\nhost: x\r\ncontent-length: 3000000\r\n\r\n{";
    let answer = wire::exchange(bed.address(), post.as_bytes()).await;
    assert_eq!(wire::status(&answer), 401, "{answer}");
    assert!(
        answer.to_ascii_lowercase().contains("connection: close"),
        "{answer}"
    );
}

/// The head of an answer; its body is read and left aside.
async fn head_of(stream: &mut TcpStream) -> String {
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_it = name.eq_ignore_ascii_case("content-length");
                is_it.then(|| value.trim().parse::<usize>().ok())?
            });
            if length.is_some_and(|length| body.len() >= length) {
                return head.to_owned();
            }
        }
        let length = stream.read(&mut part).await.expect("an answer");
        assert!(length > 0, "it ends: {text}");
        answer.extend_from_slice(&part[..length]);
    }
}

async fn a_stop_with_idle_connections(bed: &mut Bed) {
    let mut idle = TcpStream::connect(bed.address()).await.expect("listens");
    let request = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";
    idle.write_all(request).await.expect("sent");
    let mut part = [0; 2048];
    let length = idle.read(&mut part).await.expect("an answer");
    assert!(part[..length].starts_with(b"HTTP/1.1 200"));
    let _silent = TcpStream::connect(bed.address()).await.expect("listens");
    let begun = Instant::now();
    bed.stop().await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(idle.read(&mut part).await.unwrap_or(0), 0);
}

const APP: &str = "https://app.example.com";

#[track_caller]
fn without_cors(answer: &Answer) {
    for name in answer.headers.keys() {
        let name = name.as_str();
        assert!(!name.starts_with("access-control-"), "{name}: {answer:?}");
    }
}

fn preflight(bed: &Bed, path: &str, origin: &str) -> crate::call::Call {
    bed.call("OPTIONS", path).headers([
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization"),
    ])
}

async fn no_cors_unless_listed(bed: &mut Bed) {
    let own = bed.gateway().base_url.clone();
    for (surface, method, path) in PATHS {
        for origin in [APP, "null", &own] {
            let answer = bed.call(method, path).header("origin", origin).send().await;
            without_cors(&answer);
            assert_eq!(answer.header("vary"), "", "{answer:?}");
            let answer = preflight(bed, path, origin).send().await;
            without_cors(&answer);
            // At MCP the contract's answer, to our own pages; the key first on the Direct API; else no such method.
            let expected = match surface {
                Surface::Mcp if origin == own => 204,
                Surface::Mcp => 403,
                Surface::Direct => 401,
                _ => 405,
            };
            assert_eq!(answer.status, expected, "{answer:?}");
        }
    }
}

async fn what_every_answer_carries(bed: &mut Bed) {
    for (surface, method, path) in PATHS {
        for path in [path.to_owned(), format!("{path}/none/such")] {
            let answer = bed.call(method, &path).send().await;
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("frame-ancestors 'none'"), "{answer:?}");
            let web = surface == Surface::Web;
            for (name, value) in [
                ("x-frame-options", "DENY"),
                ("cross-origin-resource-policy", "same-origin"),
                ("cross-origin-opener-policy", "same-origin"),
            ] {
                let expected = if web { value } else { "" };
                assert_eq!(answer.header(name), expected, "{name}: {answer:?}");
            }
            // Who we are is nobody's business; over plain HTTP nothing is promised about HTTPS.
            for name in ["server", "x-powered-by", "strict-transport-security"] {
                assert_eq!(answer.header(name), "", "{name}: {answer:?}");
            }
        }
    }
}

mod https {
    use super::*;

    on_both! { with = "public_url = \"https://gw.example.com\"\n"; strict_transport }

    async fn strict_transport(bed: &mut Bed) {
        for (_, method, path) in PATHS {
            let answer = bed.call(method, path).send().await;
            let value = answer.header("strict-transport-security");
            assert_eq!(value, "max-age=31536000", "{answer:?}");
        }
    }
}

mod listed {
    use super::*;

    on_both! {
        with = "cors.origins = [\"https://app.example.com\", \"http://localhost:5173\"]\n";
        pages_that_are_listed,
        everyone_else,
    }

    const OPEN: [Surface; 4] = [
        Surface::Instance,
        Surface::Token,
        Surface::Mcp,
        Surface::Direct,
    ];

    async fn pages_that_are_listed(bed: &mut Bed) {
        for origin in [APP, "http://localhost:5173"] {
            for (surface, method, path) in PATHS {
                let asked = preflight(bed, path, origin).send().await;
                // A refusal can be read too.
                let called = bed.call(method, path).header("origin", origin).send().await;
                if !OPEN.contains(&surface) {
                    without_cors(&asked);
                    without_cors(&called);
                    assert_eq!(asked.status, 405, "{asked:?}");
                    continue;
                }
                for answer in [&asked, &called] {
                    assert_eq!(answer.header("access-control-allow-origin"), origin);
                    assert_eq!(answer.header("vary"), "Origin", "{answer:?}");
                    assert_eq!(answer.header("access-control-allow-credentials"), "");
                }
                assert_eq!((asked.status, asked.body.len()), (204, 0), "{asked:?}");
                let methods = asked.header("access-control-allow-methods");
                for method in ["GET", "POST", "PUT", "DELETE"] {
                    assert!(methods.split(", ").any(|one| one == method), "{methods}");
                }
                let headers = asked.header("access-control-allow-headers").to_lowercase();
                for header in [
                    "authorization",
                    "content-type",
                    "x-client-token",
                    "x-instance-token",
                    "x-api-key",
                ] {
                    assert!(headers.split(", ").any(|one| one == header), "{headers}");
                }
                let exposed = called.header("access-control-expose-headers");
                assert!(exposed.contains("Retry-After"), "{called:?}");
            }
        }
        let list = bed.post("/instances/list").bearer(&bed.a.jwt);
        let list = list.header("origin", APP).json(json!({})).send().await;
        assert_eq!(list.header("access-control-allow-origin"), APP);
        list.expect(200);
        // What is refused before any guard is readable as well.
        let large = bed.post("/instances/list").header("origin", APP);
        let large = large.header("x-pad", &"v".repeat(17_000)).send().await;
        assert_eq!(large.header("access-control-allow-origin"), APP);
        large.expect(431);
        // OPTIONS without the browser's question is the route table's.
        let plain = bed.call("OPTIONS", "/instances/list").header("origin", APP);
        plain.send().await.expect(405);
    }

    async fn everyone_else(bed: &mut Bed) {
        for origin in [
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "https://evil.example/https://app.example.com",
            "https://APP.example.com",
            "https://app.example.com/",
            "https://app.example.com, https://evil.example",
            "null",
            "*",
            "",
        ] {
            for (surface, method, path) in PATHS {
                let asked = preflight(bed, path, origin).send().await;
                let called = bed.call(method, path).header("origin", origin).send().await;
                for answer in [&asked, &called] {
                    without_cors(answer);
                    let vary = if OPEN.contains(&surface) {
                        "Origin"
                    } else {
                        ""
                    };
                    assert_eq!(answer.header("vary"), vary, "{answer:?}");
                }
            }
        }
        let twice = preflight(bed, "/instances/list", APP).header("origin", "https://evil.example");
        let answer = twice.send().await.expect(405);
        without_cors(&answer);
        // No origin at all: not a page.
        let answer = bed.post("/instances/list").bearer(&bed.a.jwt).send().await;
        without_cors(&answer);
        answer.expect(200);
    }
}

#[test]
fn settings_that_would_open_a_door_stop_the_start() {
    for (line, says) in [
        ("cors.origins = [\"*\"]", "list each origin"),
        (
            "cors.origins = \"https://a.example, *\"",
            "list each origin",
        ),
        ("cors.origins = [\"null\"]", "scheme://host"),
        (
            "cors.origins = [\"https://a.example/x\"]",
            "write https://a.example",
        ),
        ("trusted_proxies = [\"proxy.example\"]", "10.0.0.0/8"),
        ("trusted_proxies = \"10.0.0.0/33\"", "10.0.0.0/8"),
        ("limits.connections = 0", "from 1 to 1000000"),
        ("public_url = \"ftp://wa.example.com\"", "https://"),
        ("public_url = \"wa.example.com\"", "https://"),
        ("public_url = \"https:///api\"", "a host"),
        ("public_url = \"https://a.example:99999\"", "port"),
        (
            "public_url = \"https://me:hunter2@a.example\"",
            "without user",
        ),
        ("public_url = \"https://me@a.example/x\"", "without user"),
        ("public_url = \"https://a.example/?key=hunter2\"", "query"),
        ("public_url = \"https://a.example/#hunter2\"", "fragment"),
        ("log = \"loud=very\"", "level or filter"),
        ("master_key = \"aHVudGVyMg==\"", "32 bytes"),
        ("sandbox.url = \"ws://192.0.2.1:8090/ws/chat\"", "loopback"),
    ] {
        let refused = format!("{:#}", Settings::from_toml(line).expect_err(line));
        for secret in ["hunter2", "aHVudGVyMg"] {
            assert!(!refused.contains(secret), "{line}: {refused}");
        }
        let setting = line.split(' ').next().expect("a name");
        assert!(refused.contains(setting), "{line}: {refused}");
        assert!(refused.contains(says), "{line}: {refused}");
    }
    let none = Settings::from_toml("").expect("the defaults");
    assert!(none.trusted_proxies().expect("a list").is_empty());
    assert_eq!(none.cors().expect("a list").origins().count(), 0);
    let listed = "trusted_proxies = \"127.0.0.1, 10.0.0.0/8,2001:db8::/32\"";
    let listed = Settings::from_toml(listed).expect("a comma list");
    let shown: Vec<String> = listed
        .trusted_proxies()
        .expect("a list")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, ["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"]);
    // Callers are never IPv4 written as IPv6, so such networks would hold nobody.
    for (written, meant) in [
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("::/0", "::/0"),
        ("::ffff:0:0/95", "::fffe:0:0/95"),
    ] {
        let settings = Settings::from_toml(&format!("trusted_proxies = {written:?}"));
        let proxies = settings.expect(written).trusted_proxies().expect(written);
        let shown: Vec<_> = proxies.iter().map(|net| net.trunc().to_string()).collect();
        assert_eq!(shown, [meant], "{written}");
    }
    for good in [
        "https://wa.example.com",
        "HTTPS://wa.example.com/",
        "http://[::1]:8080",
        "https://example.com:8443/recado/",
    ] {
        let settings = Settings::from_toml(&format!("public_url = {good:?}"));
        let settings = settings.expect(good);
        assert_eq!(settings.public_url(), good.trim_end_matches('/'));
    }
}
