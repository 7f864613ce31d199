//! The edge: what the head of a request is judged by before any guard, and who sent it.
//!
//! Nothing here knows credentials. [`crate::layers::observe`] calls it for every request:
//! the address of the caller ([`ClientIp`]), the caps on the head, which web pages may read
//! answers ([`Cors`]), and which may speak to the MCP endpoint (`Pages`).

mod cors;
mod pages;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request},
    response::{IntoResponse, Response},
};
use http::{Extensions, HeaderName, HeaderValue, Method, Version, header};
use ipnet::IpNet;
use recado_model::{Error, ErrorCode};

use crate::error::Fail;

pub use cors::Cors;
pub(crate) use pages::Pages;

/// Bytes of method, address, and all names and values of headers together. The longest head of our
/// own clients, three credentials at once, is a tenth of it.
pub const MAX_HEAD: usize = 16 * 1024;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that a request comes from: the peer of the connection, or what a trusted proxy says
/// of it. In the extensions of every request; IPv4 is never written as IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl ClientIp {
    /// Where no connection is known (a router that is called without one): the unspecified address.
    pub const UNKNOWN: Self = Self(IpAddr::V6(Ipv6Addr::UNSPECIFIED));

    /// The address that was noted on the request.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self::UNKNOWN)
    }

    pub(crate) fn read(request: &Request, trusted: &[IpNet]) -> Self {
        let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
            return Self::UNKNOWN;
        };
        let lines = request.headers().get_all(FORWARDED_FOR);
        let lines = lines.iter().map(HeaderValue::as_bytes);
        Self(client_of(peer.ip(), lines, trusted))
    }
}

/// The right-most address of `X-Forwarded-For` (`lines`: the values of that header, in order) that is
/// no trusted proxy; `peer` itself unless it is one.
///
/// Each proxy writes at the right end whom it heard, so only what trusted ones wrote is read: the
/// first address that is not theirs is the caller's, and whatever stands left of it the caller may
/// have made up. An entry that is no address ends the search at the last good one. An entry may name
/// a port.
pub fn client_of<'a>(
    peer: IpAddr,
    lines: impl DoubleEndedIterator<Item = &'a [u8]>,
    trusted: &[IpNet],
) -> IpAddr {
    let is_proxy = |ip: &IpAddr| trusted.iter().any(|net| net.contains(ip));
    let mut known = peer.to_canonical();
    let mut entries = lines.rev().flat_map(|line| line.rsplit(|b| *b == b','));
    while is_proxy(&known)
        && let Some(ip) = entries.next().and_then(address)
    {
        known = ip;
    }
    known
}

/// `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:443`.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry.trim_ascii()).ok()?;
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let ip = match bare {
        Some(inner) => IpAddr::V6(inner.parse().ok()?),
        None => text
            .parse()
            .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
            .ok()?,
    };
    Some(ip.to_canonical())
}

/// The answer to a request that no route is asked about.
pub(crate) fn refused(request: &Request) -> Option<Response> {
    if let Err(fail) = check_head(request) {
        return Some(fail.into_response());
    }
    // It names a host to be tunnelled to, not a path: no row of the route table could answer it.
    (request.method() == Method::CONNECT).then(|| {
        let text = "This server is no proxy: it knows no CONNECT.";
        let fail = Fail::from(Error::new(ErrorCode::MethodNotAllowed, text));
        let mut response = fail.into_response();
        let none = HeaderValue::from_static("");
        response.headers_mut().insert(header::ALLOW, none);
        response
    })
}

/// 431 for a head of more than [`MAX_HEAD`] bytes; 400 for HTTP/1.1 that does not name its host once
/// (RFC 9112, 3.2): of two, a proxy before us may have judged the other.
fn check_head(request: &Request) -> Result<(), Fail> {
    if head_bytes(request) > MAX_HEAD {
        let text = format!(
            "Address and headers of the request are larger than the {MAX_HEAD} bytes that are accepted. Send fewer or shorter ones."
        );
        return Err(Error::new(ErrorCode::HeadersTooLarge, text).into());
    }
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        let text = "Send the Host header, once.";
        return Err(Error::new(ErrorCode::InvalidRequest, text).into());
    }
    Ok(())
}

fn head_bytes(request: &Request) -> usize {
    let uri = request.uri();
    let parts = [
        Some(request.method().as_str()),
        uri.scheme_str(),
        uri.authority().map(|authority| authority.as_str()),
        uri.path_and_query().map(|path| path.as_str()),
    ];
    let line: usize = parts.into_iter().flatten().map(str::len).sum();
    let header = |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len();
    line + request.headers().iter().map(header).sum::<usize>()
}

#[cfg(test)]
mod tests;
