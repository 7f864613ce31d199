//! Addresses that tenants choose: whatever passes the check of the text is no address of a private
//! network, in whichever spelling; and what is stored reads as the same address again.
#![no_main]

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::LazyLock,
};

use ipnet::IpNet;
use libfuzzer_sys::fuzz_target;
use recado_app::{Config, egress::Egress};
use url::{Host, Url};

static EGRESS: LazyLock<Egress> =
    LazyLock::new(|| Egress::new(&Config::default()).expect("a client"));

/// By IANA's registries of special-purpose addresses, written down apart from the program's own table.
static PRIVATE: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "168.63.129.16/32",
        "::/96",
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "2002::/16",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    ]
    .iter()
    .map(|net| net.parse().expect("a network"))
    .collect()
});

// The first byte says how the rest is used.
fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    match mode % 4 {
        0 => {
            if let Ok(text) = std::str::from_utf8(rest) {
                judge(text);
            }
        }
        1 => {
            if let Ok(text) = std::str::from_utf8(rest) {
                judge(&format!("http://{text}/hook"));
            }
        }
        2 => {
            let Some(octets) = rest.first_chunk::<4>() else {
                return;
            };
            let ip = Ipv4Addr::from(*octets);
            for host in spellings(ip) {
                let url = format!("https://{host}:8443/x?y");
                judge(&url);
                if private(ip.into()) {
                    assert!(EGRESS.check_url(&url).is_err(), "{url} is {ip}");
                }
            }
        }
        _ => {
            let Some(octets) = rest.first_chunk::<16>() else {
                return;
            };
            let ip = Ipv6Addr::from(*octets);
            let url = format!("http://[{ip}]/");
            judge(&url);
            if private(ip.into()) && ip.to_ipv4_mapped().is_none_or(|ip| private(ip.into())) {
                assert!(EGRESS.check_url(&url).is_err(), "{url}");
            }
        }
    }
});

/// How resolvers of old read an IPv4 address, and how IPv6 carries one.
fn spellings(ip: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = ip.octets();
    let whole = u32::from(ip);
    let low = whole & 0xffff;
    vec![
        ip.to_string(),
        format!("{ip}."),
        format!("{whole}"),
        format!("{whole:#x}"),
        format!("0{whole:o}"),
        format!("{a}.{}", whole & 0xff_ffff),
        format!("{a}.{b}.{low}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a:#x}.{b:#X}.{c}.0{d:o}"),
        format!("[::ffff:{ip}]"),
        format!("[0:0:0:0:0:FFFF:{:x}:{low:x}]", whole >> 16),
        ip.to_string().replace('.', "%2e"),
        ip.to_string().replace('.', "\u{3002}"),
    ]
}

fn judge(text: &str) {
    let Ok(url) = EGRESS.check_url(text) else {
        return;
    };
    assert!(matches!(url.scheme(), "http" | "https"));
    assert!(url.username().is_empty() && url.password().is_none());
    // What is stored is checked again before each call, and must not have become another address.
    let again = EGRESS
        .check_url(url.as_str())
        .expect("what is stored passes again");
    assert_eq!(again, url);
    assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(&url));
    match url.host().expect("a host") {
        Host::Ipv4(ip) => assert!(!private(ip.into()), "{text} is {ip}"),
        Host::Ipv6(ip) => {
            let ip = ip.to_ipv4_mapped().map_or(IpAddr::V6(ip), IpAddr::V4);
            assert!(!private(ip), "{text} is {ip}");
        }
        Host::Domain(name) => {
            // A name must be one for the resolver too: it never reads it as a number. One dot may end
            // it; behind more of them nothing is a number to anybody.
            let bare = name.strip_suffix('.').unwrap_or(name);
            assert!(bare.parse::<IpAddr>().is_err(), "{text}");
            assert!(
                inet_aton(bare).is_none(),
                "{text} is an address to a resolver"
            );
            assert!(!bare.eq_ignore_ascii_case("localhost"), "{text}");
            assert!(!bare.to_ascii_lowercase().ends_with(".localhost"), "{text}");
        }
    }
}

fn private(ip: IpAddr) -> bool {
    PRIVATE.iter().any(|net| net.contains(&ip))
}

/// The C library's reading: one to four parts, each decimal, octal or hexadecimal.
fn inet_aton(text: &str) -> Option<u32> {
    let parts: Vec<&str> = text.split('.').collect();
    let (last, first) = parts.split_last()?;
    if first.len() > 3 {
        return None;
    }
    let number = |part: &str| -> Option<u64> {
        // Rust's own readers also take a sign.
        if !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        let lower = part.to_ascii_lowercase();
        match lower.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None if lower.len() > 1 && lower.starts_with('0') => {
                u64::from_str_radix(&lower, 8).ok()
            }
            None => lower.parse().ok(),
        }
    };
    let mut whole = 0u64;
    for part in first {
        whole = whole << 8 | number(part).filter(|n| *n <= 255)?;
    }
    let bits = 8 * (4 - first.len() as u32);
    let last = number(last).filter(|n| *n < 1 << bits)?;
    u32::try_from(whole << bits | last).ok()
}
