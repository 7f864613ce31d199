//! Surfaces: the faces of the program that render answers, above all errors, each in its own shape.

use http::HeaderMap;

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
            "token" | "introspect" | "revoke" => Self::Token,
            "api" if path == "/api/mcp" || path.starts_with("/api/mcp/") => Self::Mcp,
            "health" | "sessions" => Self::Direct,
            "livez" | "readyz" => Self::Ops,
            "login" | "logout" => Self::Dashboard,
            "dashboard" if path == "/dashboard/api" || path.starts_with("/dashboard/api/") => {
                Self::Dashboard
            }
            "" | "dashboard" | ".well-known" => Self::Web,
            "instances" | "account" => Self::Instance,
            _ if headers.contains_key("x-api-key") => Self::Direct,
            _ => Self::Instance,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_decides() {
        let none = HeaderMap::new();
        let mut keyed = HeaderMap::new();
        keyed.insert("x-api-key", http::HeaderValue::from_static("sk_"));
        for (path, surface) in [
            ("/token", Surface::Token),
            ("/api/mcp", Surface::Mcp),
            ("/api/mcp/", Surface::Mcp),
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
