//! Surfaces: the faces of the program that render answers, above all errors, each in its own shape.

use std::borrow::Cow;

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
            .filter(|kind| **kind != TokenKind::DirectName)
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
}
