//! Which surface a path is on, by the prefixes that the table's groups name.

use std::sync::LazyLock;

use http::HeaderMap;

use super::table;
use crate::Surface;

/// The surface of a request. Decided on the parsed path alone, so that a query can never move a request
/// to another face. A path of nobody is the instance API's, or the Direct API's when the caller shows
/// its key.
pub fn surface_of(path: &str, headers: &HeaderMap) -> Surface {
    match PREFIXES.iter().find(|prefix| prefix.holds(path)) {
        Some(prefix) => prefix.surface,
        None if headers.contains_key("x-api-key") => Surface::Direct,
        None => Surface::Instance,
    }
}

/// A prefix of the table.
struct Prefix {
    parts: Vec<&'static str>,
    surface: Surface,
}

/// The deepest first: what is below `/dashboard/api` is below `/dashboard`, too.
static PREFIXES: LazyLock<Vec<Prefix>> = LazyLock::new(|| {
    let mut prefixes = Vec::new();
    for group in table::groups() {
        let surface = group.surface;
        prefixes.extend(group.prefixes.into_iter().map(|prefix| Prefix {
            parts: parts(prefix).collect(),
            surface,
        }));
    }
    prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.parts.len()));
    prefixes
});

impl Prefix {
    /// Whether the path is here or below. The root is a place of its own: everything is below it.
    fn holds(&self, path: &str) -> bool {
        let mut asked = parts(path);
        match self.parts.as_slice() {
            [] => asked.next().is_none(),
            ours => ours.iter().all(|part| asked.next() == Some(part)),
        }
    }
}

/// The parts of a path, however many slashes there are between them.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
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
            ("/sessionsx", Surface::Instance),
            ("/.well-known/x", Surface::Web),
            ("//", Surface::Web),
            ("", Surface::Web),
            ("*", Surface::Instance),
            ("/nothing", Surface::Instance),
        ] {
            assert_eq!(surface_of(path, &none), surface, "{path}");
        }
        assert_eq!(surface_of("/nothing", &keyed), Surface::Direct);
        assert_eq!(surface_of("/instances/x", &keyed), Surface::Instance);
        assert_eq!(surface_of("/account", &keyed), Surface::Instance);
    }

    #[test]
    fn each_row_is_on_the_surface_of_its_group() {
        for group in table::groups() {
            for row in group.routes.iter().map(|route| &route.row) {
                let below = |prefix: &str| {
                    let rest = row.path.strip_prefix(prefix);
                    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                };
                let in_group = group.prefixes.iter().any(|prefix| below(prefix));
                assert!(in_group, "{row:?} is below another prefix");
                let surface = surface_of(&row.path, &HeaderMap::new());
                assert_eq!(surface, group.surface, "{row:?}");
            }
        }
    }
}
