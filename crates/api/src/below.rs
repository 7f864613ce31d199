//! A `public_url` with a path: callers reach everything below it, whether or not the proxy in front takes
//! the path off.

use std::{collections::HashSet, sync::Arc};

use axum::{Router, extract::Request, middleware};
use http::{Uri, uri::PathAndQuery};

/// The path of an address, as it is written and without a slash at its end; mostly empty.
pub fn path_of(public_url: &str) -> &str {
    let rest = public_url.split_once("://").map_or("", |(_, rest)| rest);
    let path = rest.find('/').map_or("", |at| &rest[at..]);
    path.trim_end_matches('/')
}

/// `router`, below that path and at the root alike.
/// `known` are the paths of the table.
pub(crate) fn serve(router: Router, path: &str, known: HashSet<String>) -> Router {
    if path.is_empty() {
        return router;
    }
    let below = Arc::new(Below {
        path: path.to_owned(),
        known,
    });
    let strip = middleware::map_request(move |mut request: Request| {
        if let Some(uri) = below.strip(request.uri()) {
            *request.uri_mut() = uri;
        }
        std::future::ready(request)
    });
    // A router of its own, so that the other one looks for a route when the path is off.
    Router::new().fallback_service(router).layer(strip)
}

struct Below {
    path: String,
    /// Addresses of ours without the path; below `/api` one of them begins like it.
    known: HashSet<String>,
}

impl Below {
    /// The address without the path; `None` when it is not there, or was taken off already.
    fn strip(&self, uri: &Uri) -> Option<Uri> {
        if self.known.contains(uri.path()) {
            return None;
        }
        let rest = uri.path_and_query()?.as_str().strip_prefix(&self.path)?;
        let rest = match rest.bytes().next() {
            Some(b'/') => rest.to_owned(),
            None | Some(b'?') => format!("/{rest}"),
            Some(_) => return None,
        };
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = Some(PathAndQuery::try_from(rest).ok()?);
        Uri::from_parts(parts).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::is_free;

    #[test]
    fn the_path_is_what_stands_behind_the_host() {
        for (url, path) in [
            ("https://a.example", ""),
            ("https://a.example/", ""),
            ("https://a.example:8443/gw", "/gw"),
            ("http://[::1]:80/a/b/", "/a/b"),
            ("nonsense", ""),
        ] {
            assert_eq!(path_of(url), path, "{url}");
        }
    }

    #[test]
    fn paths_that_are_ours_are_not_free() {
        for (path, free) in [
            ("", true),
            ("/gw", true),
            ("/api", true),
            ("/dashboards", true),
            ("/gw/dashboard", true),
            ("/dashboard", false),
            ("/dashboard/x", false),
            ("/instances", false),
            ("/sessions", false),
            ("/account", false),
        ] {
            assert_eq!(is_free(path), free, "{path}");
        }
    }

    #[test]
    fn it_is_taken_off_once_and_only_as_a_whole() {
        let strip = |path: &str, uri: &str| {
            let known = ["/api/mcp", "/api/mcp/", "/token"].map(str::to_owned);
            let below = Below {
                path: path.to_owned(),
                known: known.into(),
            };
            let uri: Uri = uri.parse().expect("an address");
            below.strip(&uri).map(|uri| uri.to_string())
        };
        for (path, uri, due) in [
            ("/gw", "/gw/token", Some("/token")),
            (
                "/gw",
                "/gw/dashboard/x?a=/gw/b",
                Some("/dashboard/x?a=/gw/b"),
            ),
            ("/gw", "/gw", Some("/")),
            ("/gw", "/gw?a=b", Some("/?a=b")),
            ("/gw", "/gw/", Some("/")),
            ("/gw", "/gw/gw/token", Some("/gw/token")),
            ("/gw", "/token", None),
            ("/gw", "/gwx/token", None),
            ("/gw", "/GW/token", None),
            ("/a/b", "/a/b/token", Some("/token")),
            ("/a/b", "/b/token", None),
            ("/api", "/api/mcp/", None),
            ("/api", "/api/api/mcp/", Some("/api/mcp/")),
            ("/api", "/api/token", Some("/token")),
            (
                "/gw",
                "http://a.example/gw/token",
                Some("http://a.example/token"),
            ),
        ] {
            assert_eq!(strip(path, uri).as_deref(), due, "{uri} below {path}");
        }
    }
}
