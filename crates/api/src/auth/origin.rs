//! The page that a request comes from, and whether its browser keeps our cookie.

use std::net::Ipv4Addr;

use http::{HeaderName, Method, header, request::Parts};
use recado_model::{Error, ErrorCode};
use url::{Host, Url};

use crate::{ApiState, error::Fail};

use super::presented::refuse_repeated;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// 403 for what a page of another site sent. `programs`: a request without any of the headers that
/// browsers set may pass, too.
pub(super) fn require_own_page(
    parts: &Parts,
    state: &ApiState,
    programs: bool,
) -> Result<(), Fail> {
    for name in [&header::ORIGIN, &FETCH_SITE] {
        refuse_repeated(&parts.headers, name)?;
    }
    let text = |name| match parts.headers.get(name) {
        None => Ok(None),
        Some(value) => value.to_str().map(Some).map_err(|_| foreign(state)),
    };
    let (origin, site) = (text(&header::ORIGIN)?, text(&FETCH_SITE)?);
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let own = match (origin, site) {
        (Some(origin), _) => is_own(origin, &state.app.config().public_url),
        (None, Some("same-origin")) => true,
        // An address that was typed.
        (None, Some("none")) => reads,
        (None, Some(_)) => false,
        (None, None) => reads || programs,
    };
    match own {
        true => Ok(()),
        false => Err(foreign(state)),
    }
}

fn foreign(state: &ApiState) -> Fail {
    let text = format!(
        "This comes from a page of another site. Open the dashboard at {}/dashboard.",
        state.app.config().public_url
    );
    Error::new(ErrorCode::ForeignOrigin, text).into()
}

/// Ours is where `public_url` is. On loopback its other names are ours as well: one port, one program.
fn is_own(origin: &str, public_url: &str) -> bool {
    let (Ok(theirs), Ok(ours)) = (Url::parse(origin), Url::parse(public_url)) else {
        return false;
    };
    if theirs.origin() == ours.origin() {
        return theirs.origin().is_tuple();
    }
    is_local(&theirs)
        && is_local(&ours)
        && theirs.scheme() == ours.scheme()
        && theirs.port_or_known_default() == ours.port_or_known_default()
}

/// The three names of one place. The others of 127.0.0.0/8 may be other programs'.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip == Ipv4Addr::LOCALHOST,
        _ => is_loopback(url),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Browsers keep a `__Host-` cookie only when it came by HTTPS, or over loopback.
pub(super) fn require_safe_cookies(state: &ApiState) -> Result<(), Fail> {
    let public_url = &state.app.config().public_url;
    let safe = Url::parse(public_url).is_ok_and(|url| url.scheme() == "https" || is_loopback(&url));
    if safe {
        return Ok(());
    }
    let text = "Signing in needs HTTPS: the session cookie (__Host-) is not kept over plain HTTP off loopback. Put a TLS proxy in front and set public_url to its https:// address.";
    Err(Error::new(ErrorCode::HttpsRequired, text).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_pages() {
        let ours = "https://wa.example.com";
        for (origin, own) in [
            ("https://wa.example.com", true),
            ("https://WA.example.com:443", true),
            ("http://wa.example.com", false),
            ("https://wa.example.com:8443", false),
            ("https://wa.example.com.evil.test", false),
            ("https://evil.test", false),
            ("null", false),
            ("", false),
            ("file://", false),
            ("http://127.0.0.1:443", false),
        ] {
            assert_eq!(is_own(origin, ours), own, "{origin}");
        }
        let ours = "http://127.0.0.1:8080";
        for (origin, own) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8081", false),
            ("https://localhost:8080", false),
            ("http://localhost.evil.test:8080", false),
            ("http://192.168.0.1:8080", false),
        ] {
            assert_eq!(is_own(origin, ours), own, "{origin}");
        }
    }
}
