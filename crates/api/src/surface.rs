//! Surfaces: the faces of the program that render answers, above all errors, each in its own shape.

use std::borrow::Cow;

use http::HeaderMap;
use recado_model::TokenKind;

/// Which face of the program a request speaks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Surface {
    /// The instance API (REST).
    Instance,
    /// `POST /token`, `/introspect` and `/revoke`: RFC 6749 errors.
    Token,
    /// The MCP endpoint: JSON-RPC errors.
    Mcp,
    /// The Direct API: `{"error": …}`.
    Direct,
    /// Probes.
    Ops,
    /// The dashboard's files.
    Web,
    /// The dashboard's own API, `POST /login` and `POST /logout`.
    Dashboard,
}

impl Surface {
    pub const ALL: [Self; 7] = [
        Self::Instance,
        Self::Token,
        Self::Mcp,
        Self::Direct,
        Self::Ops,
        Self::Web,
        Self::Dashboard,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Token => "token",
            Self::Mcp => "mcp",
            Self::Direct => "direct",
            Self::Ops => "ops",
            Self::Web => "web",
            Self::Dashboard => "dashboard",
        }
    }

    /// Decided on the parsed path alone, so that a query can never move a request to another face.
    /// A path of nobody is the instance API's, or the Direct API's when the caller shows its key.
    pub fn of(path: &str, headers: &HeaderMap) -> Self {
        let first = path.trim_start_matches('/').split('/').next().unwrap_or("");
        match first {
            // The latter two are asked for by clients that take this for an OAuth server.
            "token" | "introspect" | "revoke" | "register" | "authorize" => Self::Token,
            "api" if is_at(path, "/api/mcp") => Self::Mcp,
            "health" | "sessions" => Self::Direct,
            "livez" | "readyz" => Self::Ops,
            "login" | "logout" => Self::Dashboard,
            "dashboard" if is_at(path, "/dashboard/api") => Self::Dashboard,
            "" | "dashboard" | ".well-known" => Self::Web,
            "instances" | "account" => Self::Instance,
            _ if headers.contains_key("x-api-key") => Self::Direct,
            _ => Self::Instance,
        }
    }
}

/// Whether the path is `place` or below it, however many slashes there are.
fn is_at(path: &str, place: &str) -> bool {
    let path = squeezed(path);
    let rest = path.strip_prefix(place);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The path without double slashes, and without one at its end.
pub(crate) fn squeezed(path: &str) -> Cow<'_, str> {
    let ends = path.len() > 1 && path.ends_with('/');
    if !ends && !path.contains("//") {
        return Cow::Borrowed(path);
    }
    let parts = path.split('/').filter(|part| !part.is_empty());
    let whole: String = parts.flat_map(|part| ["/", part]).collect();
    Cow::Owned(if whole.is_empty() {
        "/".to_owned()
    } else {
        whole
    })
}

/// A path that may be shown: shortened, and without what somebody put there that proves something.
pub(crate) fn shown(path: &str) -> String {
    let hide = |part: &str| {
        let opaque = TokenKind::ALL
            .iter()
            .filter(|kind| **kind != TokenKind::SessionName)
            .any(|kind| part.starts_with(kind.prefix()));
        opaque || part.starts_with("eyJ")
    };
    let part = |part| if hide(part) { "…" } else { part };
    let parts: Vec<&str> = path.split('/').map(part).collect();
    let visible = parts.join("/");
    let visible = visible.chars().filter(|c| !c.is_control());
    visible.take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_too_many() {
        for (path, plain) in [
            ("/", "/"),
            ("//", "/"),
            ("", ""),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b"),
            ("//a///b//", "/a/b"),
        ] {
            assert_eq!(squeezed(path), plain, "{path}");
        }
        assert_eq!(shown("/a/sk_x/eyJhb.c/qr_y"), "/a/…/…/qr_y");
    }

    #[test]
    fn the_path_decides() {
        let none = HeaderMap::new();
        let mut keyed = HeaderMap::new();
        keyed.insert("x-api-key", http::HeaderValue::from_static("sk_"));
        for (path, surface) in [
            ("/token", Surface::Token),
            ("/api/mcp", Surface::Mcp),
            ("/api/mcp/", Surface::Mcp),
            ("//api//mcp", Surface::Mcp),
            ("/api/mcpx", Surface::Instance),
            ("/register", Surface::Token),
            ("/dashboard//api/me", Surface::Dashboard),
            ("/api/other", Surface::Instance),
            ("/sessions/x/qr", Surface::Direct),
            ("/health", Surface::Direct),
            ("/instances/sessions", Surface::Instance),
            ("/dashboard/x", Surface::Web),
            ("/dashboard/apis", Surface::Web),
            ("/dashboard/api", Surface::Dashboard),
            ("/dashboard/api/me", Surface::Dashboard),
            ("/login", Surface::Dashboard),
            ("/logout", Surface::Dashboard),
            ("/", Surface::Web),
            ("/livez", Surface::Ops),
            ("/account/audit", Surface::Instance),
            ("/nothing", Surface::Instance),
        ] {
            assert_eq!(Surface::of(path, &none), surface, "{path}");
        }
        assert_eq!(Surface::of("/nothing", &keyed), Surface::Direct);
        assert_eq!(Surface::of("/instances/x", &keyed), Surface::Instance);
        assert_eq!(Surface::of("/account", &keyed), Surface::Instance);
    }
}
