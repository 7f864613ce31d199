//! The one table: method, surface, path, handler. Router, access matrix, OpenAPI document and the
//! tests' list are made from it.
//!
//! The access rule is not written here: it is read from the type of the handler's first argument,
//! so a handler without a guard does not compile into the table:
//!
//! ```compile_fail
//! use recado_api::routes::route;
//! async fn open_by_mistake() -> http::StatusCode { http::StatusCode::OK }
//! let row = route(http::Method::GET, recado_api::Surface::Ops, "/x", open_by_mistake);
//! ```
//! ```
//! use recado_api::{auth::{Public, Rule}, routes::route};
//! async fn open_on_purpose(_: Public) -> http::StatusCode { http::StatusCode::OK }
//! let row = route(http::Method::GET, recado_api::Surface::Ops, "/x", open_on_purpose);
//! assert_eq!(row.row.rule, Rule::Public);
//! ```

use std::collections::BTreeMap;

use axum::{
    Router,
    handler::Handler,
    middleware,
    routing::{MethodFilter, MethodRouter, on},
};
use http::Method;
use recado_model::Role;

use crate::{
    Shared, Surface,
    auth::{Access, Rule},
    dashboard,
    describe::{Answers, Describe, Described, Returns},
    direct, layers, mcp, ops, rest, web,
};

/// The whole of it.
pub fn table() -> Vec<Route> {
    use Surface::{Dashboard, Direct, Instance, Mcp, Ops, Token, Web};
    const GET: Method = Method::GET;
    const POST: Method = Method::POST;
    const PUT: Method = Method::PUT;
    const PATCH: Method = Method::PATCH;
    const DELETE: Method = Method::DELETE;
    vec![
        route(POST, Token, "/token", rest::token::issue),
        route(POST, Token, "/introspect", rest::token::introspect),
        route(POST, Token, "/revoke", rest::token::revoke),
        //
        route(GET, Instance, "/account", rest::account::read),
        route(GET, Instance, "/account/audit", rest::audit::read),
        route(
            POST,
            Instance,
            "/account/sign-out",
            rest::credentials::sign_out,
        ),
        route(
            GET,
            Instance,
            "/account/credentials",
            rest::credentials::list,
        ),
        route(
            POST,
            Instance,
            "/account/credentials",
            rest::credentials::create,
        ),
        route(
            GET,
            Instance,
            "/account/credentials/{cid}",
            rest::credentials::get,
        ),
        route(
            PATCH,
            Instance,
            "/account/credentials/{cid}",
            rest::credentials::change,
        ),
        route(
            DELETE,
            Instance,
            "/account/credentials/{cid}",
            rest::credentials::revoke,
        ),
        route(
            POST,
            Instance,
            "/account/credentials/{cid}/rotate",
            rest::credentials::rotate,
        ),
        route(
            POST,
            Instance,
            "/account/credentials/{cid}/reveal",
            rest::credentials::reveal,
        ),
        //
        route(PUT, Instance, "/instances/create", rest::instances::create),
        route(POST, Instance, "/instances/list", rest::instances::list),
        route(POST, Instance, "/instances/get", rest::instances::get),
        route(GET, Instance, "/instances/{id}", rest::instances::read),
        route(DELETE, Instance, "/instances/{id}", rest::instances::delete),
        //
        route(
            POST,
            Instance,
            "/instances/{id}/subscribe",
            rest::billing::subscribe,
        ),
        route(
            POST,
            Instance,
            "/instances/{id}/resume-subscription",
            rest::billing::resume,
        ),
        route(
            PUT,
            Instance,
            "/instances/{id}/cancel",
            rest::billing::cancel,
        ),
        route(
            DELETE,
            Instance,
            "/instances/{id}/cancel",
            rest::billing::cancel,
        ),
        //
        route(
            GET,
            Instance,
            "/instances/{id}/session/qr",
            rest::session::qr,
        ),
        route(
            GET,
            Instance,
            "/instances/{id}/session/paircode/{phone}",
            rest::session::pair_code,
        ),
        route(
            GET,
            Instance,
            "/instances/{id}/session/status",
            rest::session::status,
        ),
        route(
            POST,
            Instance,
            "/instances/{id}/session/disconnect",
            rest::session::disconnect,
        ),
        //
        route(
            POST,
            Instance,
            "/instances/{id}/chat/send/text",
            rest::chat::send_text,
        ),
        route(
            POST,
            Instance,
            "/instances/{id}/chat/send/location",
            rest::chat::send_location,
        ),
        route(
            GET,
            Instance,
            "/instances/{id}/chat/messages/{message_id}",
            rest::chat::read_message,
        ),
        //
        route(GET, Instance, "/instances/{id}/webhook", rest::webhook::get),
        route(
            POST,
            Instance,
            "/instances/{id}/webhook",
            rest::webhook::set,
        ),
        //
        route(POST, Mcp, "/api/mcp", mcp::front::call),
        route(POST, Mcp, "/api/mcp/", mcp::front::call),
        route(DELETE, Mcp, "/api/mcp", mcp::front::end),
        route(DELETE, Mcp, "/api/mcp/", mcp::front::end),
        route(Method::OPTIONS, Mcp, "/api/mcp", mcp::front::preflight),
        route(Method::OPTIONS, Mcp, "/api/mcp/", mcp::front::preflight),
        route(GET, Mcp, "/api/mcp", mcp::front::no_stream),
        route(GET, Mcp, "/api/mcp/", mcp::front::no_stream),
        //
        route(GET, Direct, "/health", direct::health),
        route(POST, Direct, "/sessions", direct::create),
        route(GET, Direct, "/sessions/{key}", direct::read),
        route(GET, Direct, "/sessions/{key}/qr", direct::qr),
        route(POST, Direct, "/sessions/{key}/messages", direct::send),
        route(
            GET,
            Direct,
            "/sessions/{key}/messages/{message_id}",
            direct::read_message,
        ),
        route(POST, Direct, "/sessions/{key}/claim", direct::claim),
        //
        route(POST, Dashboard, "/login", dashboard::login::log_in),
        route(POST, Dashboard, "/logout", dashboard::login::log_out),
        //
        route(
            GET,
            Dashboard,
            "/dashboard/api/state",
            dashboard::links::state,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/links/look",
            dashboard::links::look,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/links/use",
            dashboard::links::use_link,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/signup",
            dashboard::links::sign_up,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/reset",
            dashboard::links::reset,
        ),
        //
        route(GET, Dashboard, "/dashboard/api/me", dashboard::me::read),
        route(PATCH, Dashboard, "/dashboard/api/me", dashboard::me::change),
        route(
            POST,
            Dashboard,
            "/dashboard/api/confirm",
            dashboard::login::confirm,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/token",
            dashboard::login::token,
        ),
        route(
            GET,
            Dashboard,
            "/dashboard/api/sessions",
            dashboard::me::sessions,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/sessions/end-others",
            dashboard::me::end_other_sessions,
        ),
        route(
            DELETE,
            Dashboard,
            "/dashboard/api/sessions/{sid}",
            dashboard::me::end_session,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/password",
            dashboard::me::set_password,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/email",
            dashboard::me::ask_email,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/second-factor",
            dashboard::me::begin_second_factor,
        ),
        route(
            DELETE,
            Dashboard,
            "/dashboard/api/second-factor",
            dashboard::me::remove_second_factor,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/second-factor/confirm",
            dashboard::me::confirm_second_factor,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/second-factor/recovery-codes",
            dashboard::me::new_recovery_codes,
        ),
        //
        route(
            PATCH,
            Dashboard,
            "/dashboard/api/account",
            dashboard::account::change,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/account/switch",
            dashboard::me::switch_account,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/account/sign-out",
            dashboard::account::sign_out,
        ),
        route(
            GET,
            Dashboard,
            "/dashboard/api/audit",
            dashboard::account::audit,
        ),
        route(
            GET,
            Dashboard,
            "/dashboard/api/members",
            dashboard::members::list,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/members/invite",
            dashboard::members::invite,
        ),
        route(
            DELETE,
            Dashboard,
            "/dashboard/api/members/invitations/{lid}",
            dashboard::members::withdraw,
        ),
        route(
            PATCH,
            Dashboard,
            "/dashboard/api/members/{uid}",
            dashboard::members::set_role,
        ),
        route(
            DELETE,
            Dashboard,
            "/dashboard/api/members/{uid}",
            dashboard::members::remove,
        ),
        //
        route(
            GET,
            Dashboard,
            "/dashboard/api/credentials",
            dashboard::credentials::list,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/credentials",
            dashboard::credentials::create,
        ),
        route(
            PATCH,
            Dashboard,
            "/dashboard/api/credentials/{cid}",
            dashboard::credentials::change,
        ),
        route(
            DELETE,
            Dashboard,
            "/dashboard/api/credentials/{cid}",
            dashboard::credentials::revoke,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/credentials/{cid}/rotate",
            dashboard::credentials::rotate,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/credentials/{cid}/reveal",
            dashboard::credentials::reveal,
        ),
        //
        route(
            GET,
            Dashboard,
            "/dashboard/api/instances",
            dashboard::instances::list,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/instances",
            dashboard::instances::create,
        ),
        route(
            GET,
            Dashboard,
            "/dashboard/api/instances/{id}",
            dashboard::instances::read,
        ),
        route(
            DELETE,
            Dashboard,
            "/dashboard/api/instances/{id}",
            dashboard::instances::delete,
        ),
        route(
            GET,
            Dashboard,
            "/dashboard/api/instances/{id}/qr",
            dashboard::instances::qr,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/instances/{id}/pair-code",
            dashboard::instances::pair_code,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/instances/{id}/disconnect",
            dashboard::instances::disconnect,
        ),
        route(
            POST,
            Dashboard,
            "/dashboard/api/instances/{id}/token",
            dashboard::instances::token,
        ),
        //
        route(GET, Ops, "/livez", ops::live),
        route(GET, Ops, "/readyz", ops::ready),
        //
        route(GET, Web, "/", web::home),
        route(GET, Web, "/dashboard", web::index),
        route(GET, Web, "/dashboard/", web::index),
        route(GET, Web, "/dashboard/{*path}", web::file),
        route(GET, Web, "/.well-known/{*path}", web::well_known),
    ]
}

/// One line of the table.
pub struct Route {
    pub row: RouteRow,
    handler: MethodRouter<Shared>,
}

/// What the outside may know of a route. MCP methods and tools have rows too; their `method` is
/// `MCP`, their `path` the JSON-RPC method and the tool's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRow {
    pub method: String,
    pub path: String,
    pub surface: Surface,
    pub rule: Rule,
    /// The least role of a person; `None` where no person comes.
    pub least: Option<Role>,
    /// Whether a person's password must have been asked for lately.
    pub confirmed: bool,
    /// What the row's effect is, for tools: read-only, destructive, confirm-gated.
    pub note: String,
    /// Body, query and answer.
    pub takes: Described,
}

/// Something whose first member after the marker is a guard, and whose others describe themselves: the
/// argument lists of handlers.
pub trait First {
    type Guard: Access;
    fn describe() -> Described;
}

macro_rules! first {
    ($($rest:ident),*) => {
        impl<M, G: Access, $($rest: Describe),*> First for (M, G, $($rest,)*) {
            type Guard = G;
            fn describe() -> Described {
                let mut described = Described::default();
                G::describe(&mut described);
                $($rest::describe(&mut described);)*
                described
            }
        }

        impl<H, F, R, M, G, $($rest),*> Returns<(M, G, $($rest,)*)> for H
        where
            H: FnOnce(G, $($rest),*) -> F,
            F: Future<Output = R>,
            R: Answers,
        {
            type Answer = R;
        }
    };
}
first!();
first!(A);
first!(A, B);
first!(A, B, C);
first!(A, B, C, D);

/// A line of the table. `handler`'s first argument is its access rule.
pub fn route<H, T>(method: Method, surface: Surface, path: &'static str, handler: H) -> Route
where
    H: Handler<T, Shared> + Returns<T>,
    T: First + 'static,
{
    let rule = <T::Guard as Access>::RULE;
    let mut described = T::describe();
    <H as Returns<T>>::Answer::describe(&mut described);
    let filter = filter_of(&method);
    Route {
        row: RouteRow {
            method: method.to_string(),
            path: path.to_owned(),
            surface,
            rule,
            least: <T::Guard as Access>::LEAST,
            confirmed: <T::Guard as Access>::CONFIRMED,
            note: String::new(),
            takes: described,
        },
        handler: on(filter, handler),
    }
}

fn filter_of(method: &Method) -> MethodFilter {
    match *method {
        Method::POST => MethodFilter::POST,
        Method::PUT => MethodFilter::PUT,
        Method::PATCH => MethodFilter::PATCH,
        Method::DELETE => MethodFilter::DELETE,
        Method::OPTIONS => MethodFilter::OPTIONS,
        _ => MethodFilter::GET,
    }
}

/// The router of a table, with everything that surrounds a handler.
pub(crate) fn build(table: Vec<Route>, shared: Shared) -> Router {
    assemble(table)
        .layer(middleware::from_fn_with_state(
            shared.clone(),
            layers::observe,
        ))
        .with_state(shared)
}

/// The routes of a table, with what answers where there is none.
pub(crate) fn assemble(table: Vec<Route>) -> Router<Shared> {
    let mut paths: BTreeMap<String, MethodRouter<Shared>> = BTreeMap::new();
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
pub(crate) struct AllowedMethods(BTreeMap<String, String>);

impl AllowedMethods {
    pub(crate) fn of(table: &[Route]) -> Self {
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
        Self(paths.into_iter().map(join).collect())
    }

    pub(crate) fn of_path(&self, path: &str) -> String {
        self.0.get(path).cloned().unwrap_or_default()
    }
}

/// Every row: HTTP routes in the table's order, then MCP methods, then tools by name.
pub fn routes() -> Vec<RouteRow> {
    let mut rows: Vec<_> = table().into_iter().map(|route| route.row).collect();
    rows.extend(mcp::rows());
    rows
}

/// `docs/access-matrix.md`: what each row asks for.
pub fn access_matrix() -> String {
    let mut text = String::from(
        "# Access matrix\n\n\
         Generated from the route table (`crates/api/src/routes.rs`); the rule of a row is the type of \
         its handler's first argument. Do not edit.\n\n\
         A person (dashboard cookie, or JWT from `POST /login`) needs the row's role or a higher one: viewer, \
         developer, admin, owner. ⟂: and the password again, within 10 minutes. Credentials have no role.\n\n\
         Whoever shows the dashboard cookie says whom the call means: `X-Recado-Account` and `X-Recado-User`, the ids \
         that `GET /dashboard/api/me` tells. Without them it is 400 `account_not_named`, and 409 `account_changed` \
         when the session is another account's or person's by now. Only that row itself and `/logout` work without.\n\n\
         | method | path | surface | asks for | role | note |\n|---|---|---|---|---|---|\n",
    );
    for row in routes() {
        let RouteRow {
            method,
            path,
            surface,
            rule,
            least,
            confirmed,
            note,
            ..
        } = row;
        let mut role = least.map_or("", Role::as_str).to_owned();
        if confirmed {
            role.push_str(" ⟂");
        }
        let surface = surface.as_str();
        text.push_str(&format!(
            "| {method} | `{path}` | {surface} | {rule} | {role} | {note} |\n"
        ));
    }
    text.push_str(
        "\nEverything else: 404 on every surface, after a valid `X-API-Key` on the Direct API \
         (401 without one). A known path with another method: 405 with `Allow`.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::auth::Naming;

    #[test]
    fn no_row_twice_and_each_on_the_surface_of_its_path() {
        let mut seen = HashSet::new();
        for row in routes() {
            assert!(
                seen.insert((row.method.clone(), row.path.clone())),
                "{row:?}"
            );
            if row.method != "MCP" {
                let surface = Surface::of(&row.path, &http::HeaderMap::new());
                assert_eq!(surface, row.surface, "{row:?}");
            }
        }
    }

    #[test]
    fn what_is_open_is_open_on_purpose() {
        let open: Vec<String> = routes()
            .into_iter()
            .filter(|row| row.rule == Rule::Public)
            .map(|row| format!("{} {}", row.method, row.path))
            .collect();
        assert_eq!(
            open,
            [
                "OPTIONS /api/mcp",
                "OPTIONS /api/mcp/",
                "GET /health",
                "GET /livez",
                "GET /readyz",
                "GET /",
                "GET /dashboard",
                "GET /dashboard/",
                "GET /dashboard/{*path}",
                "GET /.well-known/{*path}",
                "MCP initialize",
            ]
        );
    }

    /// Whoever acts by the cookie says for whom, or two tabs get in each other's way.
    #[test]
    fn what_need_not_name_its_account_is_so_on_purpose() {
        let unnamed: Vec<(String, Naming)> = routes()
            .into_iter()
            .filter(|row| row.surface == Surface::Dashboard && row.rule.naming() != Naming::Must)
            .map(|row| (format!("{} {}", row.method, row.path), row.rule.naming()))
            .collect();
        let due = [
            ("POST /login", Naming::Never),
            ("POST /logout", Naming::May),
            ("GET /dashboard/api/state", Naming::Never),
            ("POST /dashboard/api/links/look", Naming::Never),
            ("POST /dashboard/api/links/use", Naming::Never),
            ("POST /dashboard/api/signup", Naming::Never),
            ("POST /dashboard/api/reset", Naming::Never),
            ("GET /dashboard/api/me", Naming::May),
        ];
        assert_eq!(unnamed, due.map(|(row, naming)| (row.to_owned(), naming)));
    }

    #[test]
    fn what_the_instance_pair_may_never_do() {
        let paying = ["subscribe", "resume-subscription", "cancel"];
        for row in routes()
            .into_iter()
            .filter(|row| row.surface == Surface::Instance)
        {
            let by_pair = row.rule == Rule::Instance;
            let below = row.path.strip_prefix("/instances/{id}/");
            let due = below.is_some_and(|below| !paying.contains(&below));
            assert_eq!(by_pair, due, "{row:?}");
        }
    }

    #[test]
    fn the_matrix() {
        insta::assert_snapshot!(access_matrix());
    }
}
