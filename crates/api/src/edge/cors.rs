//! Which web pages may read answers (the Fetch standard's CORS protocol). None, unless listed.
//!
//! Our credentials travel in headers that a page's script sets itself, never in cookies here, so
//! `Access-Control-Allow-Credentials` is never sent. The dashboard is a page of our own origin: it
//! needs none of this and gets none.

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::Url;

use crate::Surface;

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// The headers that a caller of any surface may send: credentials, the type of its body, MCP's revision.
const HEADERS: &str = "Authorization, Content-Type, X-Client-Token, X-Instance-Token, X-API-Key, \
    MCP-Protocol-Version, Mcp-Session-Id";
/// The headers that a script may read beside the body.
const EXPOSED: &str = "X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate";
/// How long a browser may remember a preflight, in seconds.
const MAX_AGE: &str = "600";

/// The listed origins; by default none, and then no answer carries a CORS header.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    origins: Vec<HeaderValue>,
}

impl Cors {
    /// Each as a browser sends it: `scheme://host[:port]`, lower case, without the default port.
    /// The error says what is wrong and what to write.
    pub fn new<'a>(origins: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let origins: Result<_, _> = origins.into_iter().map(checked).collect();
        Ok(Self { origins: origins? })
    }

    /// As listed.
    pub fn origins(&self) -> impl Iterator<Item = &str> {
        self.origins.iter().filter_map(|one| one.to_str().ok())
    }

    /// The headers that this answer gets; `None` where CORS has no say.
    pub(crate) fn grant(&self, surface: Surface, headers: &HeaderMap) -> Option<Grant> {
        let open = match surface {
            Surface::Instance | Surface::Token | Surface::Mcp | Surface::Direct => true,
            Surface::Ops | Surface::Web | Surface::Dashboard => false,
        };
        if self.origins.is_empty() || !open {
            return None;
        }
        let mut shown = headers.get_all(header::ORIGIN).iter();
        let origin = match (shown.next(), shown.next()) {
            (Some(one), None) => self.origins.iter().find(|listed| *listed == one).cloned(),
            _ => None,
        };
        Some(Grant { origin })
    }
}

fn checked(text: &str) -> Result<HeaderValue, String> {
    if text.contains('*') {
        return Err(format!(
            "{text:?} would let web pages that nobody named use the credentials they get hold of: list each origin, such as https://app.example.com"
        ));
    }
    let parsed = Url::parse(text).ok();
    let origin = parsed
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .map(|url| url.origin().ascii_serialization());
    match (origin, HeaderValue::from_str(text)) {
        (Some(origin), Ok(value)) if origin == text => Ok(value),
        (Some(origin), _) => Err(format!(
            "{text:?} is not how a browser writes an origin: write {origin}"
        )),
        (None, _) => Err(format!(
            "{text:?} is not an origin: write scheme://host[:port], such as https://app.example.com"
        )),
    }
}

/// The answer depends on who asks; `origin` is set when that is a listed page.
pub(crate) struct Grant {
    origin: Option<HeaderValue>,
}

impl Grant {
    /// The answer to a browser's question whether a listed page may call; any other `OPTIONS` is the
    /// route table's. It comes before the guards, because browsers ask without credentials.
    pub(crate) fn preflight(&self, request: &Request) -> Option<Response> {
        let asks = request.method() == Method::OPTIONS
            && request
                .headers()
                .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        (asks && self.origin.is_some()).then(|| {
            let headers = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, METHODS),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS),
                (header::ACCESS_CONTROL_MAX_AGE, MAX_AGE),
            ];
            (StatusCode::NO_CONTENT, headers).into_response()
        })
    }

    /// On every answer, so that no cache gives one page's answer to another.
    pub(crate) fn sign(self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            let exposed = HeaderValue::from_static(EXPOSED);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
        }
    }
}
