//! The network that a caller counts as: limits and "used from a new network" go by it.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Where `ip` stands: itself (/32) for IPv4, its /64 for IPv6, because a customer of an IPv6 provider
/// holds at least that many addresses. An IPv4 address that is written as IPv6 counts as IPv4.
pub fn network_of(ip: IpAddr) -> IpNet {
    match ip.to_canonical() {
        IpAddr::V4(ip) => Ipv4Net::from(ip).into(),
        IpAddr::V6(ip) => Ipv6Net::new_assert(ip, 64).trunc().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_one_network() {
        for (ip, network) in [
            ("203.0.113.9", "203.0.113.9/32"),
            ("::ffff:203.0.113.9", "203.0.113.9/32"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
            ("::", "::/64"),
        ] {
            let ip: IpAddr = ip.parse().expect("an address");
            assert_eq!(network_of(ip).to_string(), network, "{ip}");
        }
    }
}
