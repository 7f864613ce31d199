//! `X-Forwarded-For`: who is not behind a trusted proxy cannot choose the address that counts, and who
//! is cannot choose it beyond what the proxies wrote.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use recado_api::edge::client_of;

// Input: how many proxies, the caller's address, and the header lines that the caller made up.
fuzz_target!(|data: &[u8]| {
    let [proxies, a, b, c, d, spoofed @ ..] = data else {
        return;
    };
    let trusted: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"]
        .iter()
        .map(|net| net.parse().expect("a network"))
        .collect();
    let is_proxy = |ip: IpAddr| trusted.iter().any(|net| net.contains(&ip.to_canonical()));
    let caller = IpAddr::from(Ipv4Addr::new(*a, *b, *c, *d));
    let lines: Vec<&[u8]> = spoofed.split(|byte| *byte == b'\n').take(16).collect();
    let read = |peer: IpAddr, lines: &[&[u8]], trusted: &[IpNet]| {
        client_of(peer, lines.iter().copied(), trusted)
    };

    // Nobody is trusted: the connection alone counts.
    assert_eq!(read(caller, &lines, &[]), caller);
    let mapped = Ipv4Addr::new(*a, *b, *c, *d).to_ipv6_mapped();
    assert_eq!(
        read(mapped.into(), &lines, &[]),
        caller,
        "an IPv4 address is written as one"
    );
    if is_proxy(caller) {
        // Whatever comes out is the caller or stands in the header.
        let found = read(caller, &lines, &trusted);
        let text = spoofed.iter().copied().map(char::from).collect::<String>();
        let entry = |part: &str| {
            let part = part.trim_matches(|c: char| c.is_ascii_whitespace());
            let bare = part
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'));
            let with_port = part.parse::<SocketAddr>().map(|address| address.ip());
            let read = bare.unwrap_or(part).parse::<IpAddr>().or(with_port);
            read.is_ok_and(|ip| ip.to_canonical() == found)
        };
        assert!(
            found == caller || text.split([',', '\n']).any(entry),
            "{found} from nowhere"
        );
        return;
    }
    assert_eq!(
        read(caller, &lines, &trusted),
        caller,
        "a stranger's header counted"
    );

    // Through a chain of trusted proxies, each of which appends whom it heard, to the last line or as
    // a line of its own: always the caller, whatever the caller had sent.
    let chain: Vec<IpAddr> = (0..proxies % 5)
        .map(|at| IpAddr::from(Ipv4Addr::new(10, 0, 0, at + 1)))
        .collect();
    let mut heard = vec![caller.to_string()];
    heard.extend(chain.iter().map(IpAddr::to_string));
    let peer = IpAddr::from(Ipv4Addr::new(10, 9, 9, 9));
    let joined = heard.join(if proxies & 0x40 == 0 { ", " } else { "," });
    let mut as_line = lines.clone();
    as_line.push(joined.as_bytes());
    assert_eq!(read(peer, &as_line, &trusted), caller);
    let mut appended = lines.clone();
    let last = appended.pop().unwrap_or_default();
    let last = [last, b",", joined.as_bytes()].concat();
    appended.push(&last);
    assert_eq!(read(peer, &appended, &trusted), caller);
});
