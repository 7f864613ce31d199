//! Lists of networks.

use std::net::IpAddr;

use anyhow::{Context, Result};
use ipnet::{IpNet, Ipv4Net};

use super::sections::TextOrList;

/// The networks that the setting `name` lists; a bare address is a network of one.
pub(super) fn networks(name: &str, list: &TextOrList) -> Result<Vec<IpNet>> {
    let parts = list.parts().into_iter();
    parts
        .map(|part| {
            let one = part.parse::<IpAddr>().map(IpNet::from);
            let net = one.or_else(|_| part.parse::<IpNet>()).map(canonical);
            net.with_context(|| {
                format!("{name}: {part:?} is not an address or subnet such as 10.0.0.0/8")
            })
        })
        .collect()
}

/// `::ffff:10.0.0.0/104` is 10.0.0.0/8: addresses are compared in their plain form.
fn canonical(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else {
        return net;
    };
    let mapped = v6.addr().to_ipv4_mapped();
    let length = v6.prefix_len().checked_sub(96);
    match (mapped, length) {
        (Some(addr), Some(length)) => Ipv4Net::new(addr, length).map_or(net, IpNet::V4),
        _ => net,
    }
}
