//! The one table of routes, and what is made from it. What a line is: [`crate::row`].
//!
//! | file | holds |
//! |---|---|
//! | `table` | the table itself: surface and prefixes of a group, then method, path and handler, a line a row |
//! | `router` | the router, and the methods that each path knows |
//! | `matrix` | all rows with those of MCP, and `docs/access-matrix.md` |

mod matrix;
mod router;
mod table;

pub use matrix::{access_matrix, routes};
pub(crate) use router::{allowed_methods, assemble, build};

pub use crate::row::{First, Operation, Route, RouteRow, route};
use crate::surfaces::Surfaces;

/// Every route, in the table's order.
pub fn table() -> Vec<Route> {
    let groups = table::groups().into_iter();
    groups.flat_map(|group| group.routes).collect()
}

/// Which surface a path is on, whether or not a route is there.
pub fn surfaces() -> Surfaces {
    Surfaces::of(table::groups().into_iter().flat_map(|group| {
        let surface = group.surface;
        let prefixes = group.prefixes.into_iter();
        prefixes.map(move |prefix| (surface, prefix))
    }))
}

/// Whether a request below `path` can be told from one whose path a proxy took off: not when ids of ours
/// stand where the rest of the address would.
pub fn is_free(path: &str) -> bool {
    let first = |path: &str| {
        path.trim_start_matches('/')
            .split('/')
            .next()
            .map(str::to_owned)
    };
    let ours = table().into_iter().map(|route| route.row.path);
    let mut with_ids = ours.filter(|path| path.contains('{'));
    path.is_empty() || !with_ids.any(|ours| first(&ours) == first(path))
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::Surface;

    fn surface_of(path: &str, headers: &HeaderMap) -> Surface {
        surfaces().of_request(path, headers)
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
