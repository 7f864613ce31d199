//! The router, made from the table.

use std::collections::BTreeMap;

use axum::{Router, middleware, routing::MethodRouter};

use crate::{ApiState, layers, row::Route, state::AllowedMethods};

/// The router of a table, with everything that surrounds a handler.
pub(crate) fn build(table: Vec<Route>, state: ApiState) -> Router {
    assemble(table)
        .layer(middleware::from_fn_with_state(
            state.clone(),
            layers::observe,
        ))
        .with_state(state)
}

/// The routes of a table, with what answers where there is none.
pub(crate) fn assemble(table: Vec<Route>) -> Router<ApiState> {
    let mut paths: BTreeMap<String, MethodRouter<ApiState>> = BTreeMap::new();
    for Route { row, handler } in table {
        let merged = match paths.remove(&row.path) {
            Some(known) => known.merge(handler),
            None => handler,
        };
        paths.insert(row.path, merged);
    }
    let mut router = Router::new();
    for (path, methods) in paths {
        router = router.route(&path, methods.fallback(layers::method_not_allowed));
    }
    router.fallback(layers::route_not_found)
}

/// The methods that each path knows, for `Allow`.
pub(crate) fn allowed_methods(table: &[Route]) -> AllowedMethods {
    let mut paths: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for Route { row, .. } in table {
        let methods = paths.entry(row.path.clone()).or_default();
        if row.path.starts_with("/api/mcp") && row.method == "GET" {
            // That row exists to say "no stream" in the contract's words; it is a refusal.
            continue;
        }
        methods.push(&row.method);
        if row.method == "GET" {
            methods.push("HEAD");
        }
    }
    let join = |(path, methods): (String, Vec<&str>)| (path, methods.join(", "));
    AllowedMethods(paths.into_iter().map(join).collect())
}
