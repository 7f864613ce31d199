//! Which web pages, and under which of our names, may speak to the MCP endpoint at all. Any other page is one
//! that a browser was lured to (DNS rebinding), so it is refused before anything is read or answered.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Uri, header, uri::Authority};
use recado_model::{Error, ErrorCode};
use url::Url;

use crate::error::Fail;

/// The names of this server and the origins of pages, in the form that `rmcp` takes as well.
#[derive(Clone)]
pub(crate) struct Pages {
    /// Without a port: any.
    pub hosts: Vec<String>,
    /// `scheme://host:port`; the port may be `*`.
    pub origins: Vec<String>,
}

impl Pages {
    /// The public name and loopback, and those pages that the operator has listed.
    pub fn of<'a>(public_url: &'a str, listed: impl Iterator<Item = &'a str>) -> Self {
        let loopback = ["localhost", "127.0.0.1", "[::1]"];
        let mut hosts: Vec<String> = loopback.iter().map(|host| (*host).to_owned()).collect();
        let mut origins: Vec<String> = loopback
            .iter()
            .flat_map(|host| [format!("http://{host}:*"), format!("https://{host}:*")])
            .collect();
        if let Ok(url) = Url::parse(public_url)
            && let Some(host) = url.host_str()
        {
            hosts.push(host.to_owned());
        }
        let all = std::iter::once(public_url).chain(listed);
        origins.extend(all.filter_map(|origin| with_port(origin, None)));
        Self { hosts, origins }
    }

    /// The 403 for a request that another page's script may have sent.
    pub fn refused(&self, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
        let what = match (self.knows_host(uri, headers), self.knows_origin(headers)) {
            (false, _) => "Host",
            (_, false) => "Origin",
            (true, true) => return None,
        };
        let text = format!(
            "Forbidden: {what} is not one of this server's own. Use the address of its public_url; pages of other sites are listed in cors.origins."
        );
        Some(Fail::from(Error::new(ErrorCode::ForeignOrigin, text)).into_response())
    }

    /// HTTP/1.0 and HTTP/2 may name no host in a header; a browser always does.
    fn knows_host(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let named = headers.get(header::HOST).map(|value| value.to_str());
        let authority = match named {
            Some(Ok(text)) => text.parse::<Authority>().ok(),
            Some(Err(_)) => None,
            None => match uri.authority() {
                Some(authority) => Some(authority.clone()),
                None => return true,
            },
        };
        authority.is_some_and(|authority| {
            let host = authority.host();
            self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
        })
    }

    fn knows_origin(&self, headers: &HeaderMap) -> bool {
        headers.get_all(header::ORIGIN).iter().all(|value| {
            let Ok(origin) = value.to_str() else {
                return false;
            };
            let forms = [with_port(origin, None), with_port(origin, Some("*"))];
            let mut forms = forms.into_iter().flatten();
            forms.any(|form| self.origins.contains(&form))
        })
    }
}

/// `scheme://host:port`, with the scheme's usual port where none is named.
fn with_port(origin: &str, port: Option<&str>) -> Option<String> {
    let url = Url::parse(origin).ok()?;
    let own = url.port_or_known_default()?.to_string();
    let port = port.unwrap_or(&own);
    Some(format!("{}://{}:{port}", url.scheme(), url.host_str()?))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn passes(name: &'static str, value: &str) -> bool {
        let listed = ["https://app.example", "http://dev.example:3000"];
        let pages = Pages::of("https://gw.example.com/base", listed.into_iter());
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).expect("a value"));
        pages
            .refused(&Uri::from_static("/api/mcp/"), &headers)
            .is_none()
    }

    #[test]
    fn our_own_names_and_pages_pass() {
        for host in [
            "gw.example.com",
            "GW.example.com:443",
            "127.0.0.1:8080",
            "[::1]:1",
            "localhost",
        ] {
            assert!(passes("host", host), "{host}");
        }
        for origin in [
            "https://gw.example.com",
            "https://gw.example.com:443",
            "http://localhost:5173",
            "http://[::1]:8080",
            "https://app.example",
            "http://dev.example:3000",
        ] {
            assert!(passes("origin", origin), "{origin}");
        }
        assert!(passes("accept", "*/*"), "programs name no page");
    }

    #[test]
    fn others_do_not() {
        for host in [
            "evil.example",
            "gw.example.com.evil.example",
            "gw.example.com@evil.example",
            "",
            "a b",
        ] {
            assert!(!passes("host", host), "{host}");
        }
        for origin in [
            "https://evil.example",
            "null",
            "",
            "http://gw.example.com",
            "https://gw.example.com:8443",
            "https://app.example:8443",
            "http://dev.example",
            "file://",
        ] {
            assert!(!passes("origin", origin), "{origin}");
        }
    }
}
