//! How the world reaches Recado: HTTP, in the shapes that the contracts fix.
//!
//! | module | holds |
//! |---|---|
//! | [`routes`] | the one table: method, path, handler, surface; router, access matrix and OpenAPI come from it |
//! | [`row`] | what a line of the table is: the access rule and the shapes, read from the handler's type; its words |
//! | [`surface`], [`surfaces`] | the faces of the program; which one a path is on |
//! | `again` | the guard of a request once more, when its body has come |
//! | [`auth`] | what a handler's first extractor proves; who may do what is decided in `recado_identity::Access` |
//! | [`describe`] | what handlers read, for the OpenAPI document |
//! | [`error`] | the error catalogue in the shape of each surface |
//! | [`extract`] | JSON objects, path parameters, queries |
//! | [`below`] | a `public_url` with a path |
//! | [`edge`] | before any guard: the caller's address, caps on the head, CORS |
//! | [`limits`], `limited` | failed proofs beyond the limit: 429 and the `RateLimit` headers |
//! | [`layers`] | request id, span, metrics, timeout, panics, security headers, 404 and 405 |
//! | [`rest`] | the instance API, one file per noun |
//! | [`mcp`] | the MCP endpoint: [`mcp::front`] judges, `rmcp` speaks the protocol, [`mcp::tools`] do the work |
//! | [`direct`] | the Direct API |
//! | [`dashboard`] | the dashboard's own API: people, by cookie |
//! | [`ops`], [`web`] | probes; the dashboard's files |
//! | [`state`] | what the router holds; a handler names the part that it uses |
//! | [`shapes`] | bodies and answers that several surfaces share; no surface imports another's |
//!
//! Nothing here decides: a handler takes what its guard proved, reads the body, calls one service of
//! `recado_app` and shapes the answer.
//!
//! **To add a route**: write the handler in `rest/<noun>.rs` with `#[operation]` and a doc comment that
//! says what it does; its first argument is one of the guards of [`auth`] (a handler without one, or
//! without words, does not compile into the table); add one line to the table (`routes/table.rs`); accept
//! the changed access matrix (`docs/access-matrix.md`).
//!
//! **To add an MCP tool**: in `mcp/tools/<noun>.rs` a struct of arguments (`Deserialize` and
//! `JsonSchema`, its doc comments are what the model reads), an `async fn(ToolCall, Args) -> Result<ToolAnswer>`,
//! and one line in that file's `tools()`. Schema, route row, annotations and the refusal of arguments that it does
//! not take follow. One that wants a person's word first also says what it would do (`.confirmed(ask)`); contract
//! arguments that it leaves out are named (`.without(…)`).
//!
//! **To add an error**: a variant of `recado_model::ErrorCode`; every surface renders it, and the
//! snapshot of [`error`] shows how.

mod again;
pub mod auth;
pub mod below;
pub mod dashboard;
pub mod describe;
pub mod direct;
pub mod edge;
pub mod error;
pub mod extract;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod layers;
mod limited;
pub mod limits;
pub mod mcp;
mod openapi;
pub mod ops;
mod qr;
pub mod rest;
pub mod routes;
pub mod row;
pub mod shapes;
pub mod state;
pub mod surface;
pub mod surfaces;
mod unread;
pub mod web;

use std::{sync::Arc, time::Duration};

use axum::Router;
use ipnet::IpNet;
use recado_app::App;

pub use openapi::openapi;
pub use routes::{RouteRow, access_matrix, routes};
pub use state::{About, ApiState, RefusalHold};
pub use surface::Surface;

/// The program's decisions about its HTTP side.
#[derive(Clone, Debug)]
pub struct Options {
    /// Largest body that a proven caller may send, in bytes.
    pub body_limit: usize,
    /// How long one request may take before it is answered 504. The MCP endpoint has
    /// [`Options::MCP_TIMEOUT`], as its contract says.
    pub request_timeout: Duration,
    pub refusal_hold: RefusalHold,
    pub about: Arc<About>,
    /// Peers whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Web pages of other origins that may read answers.
    pub cors: edge::Cors,
}

impl Options {
    /// Largest body of a caller who has proven nothing yet: `POST /token` and the MCP endpoint.
    pub const UNPROVEN_BODY_LIMIT: usize = 64 * 1024;
    pub const MCP_TIMEOUT: Duration = Duration::from_secs(300);
    /// For a body that is a file.
    pub const FILE_TIMEOUT: Duration = Duration::from_secs(900);

    fn mcp_pages(&self, public_url: &str) -> edge::Pages {
        edge::Pages::of(public_url, self.cors.origins())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            body_limit: 1024 * 1024,
            request_timeout: Duration::from_secs(60),
            refusal_hold: RefusalHold(Duration::from_secs(1)),
            about: Arc::default(),
            trusted_proxies: Vec::new(),
            cors: edge::Cors::default(),
        }
    }
}

/// All surfaces on one router, ready to serve.
pub fn router(app: App, options: Options) -> Router {
    let path = below::path_of(&app.config().public_url).to_owned();
    let table = routes::table();
    let known = table.iter().map(|route| route.row.path.clone()).collect();
    below::serve(routes::build(table, state(app, options)), &path, known)
}

fn state(app: App, options: Options) -> ApiState {
    let pages = options.mcp_pages(&app.config().public_url);
    let mcp = mcp::service(&app, &options, &pages);
    let known = state::Known {
        surfaces: Arc::new(routes::surfaces()),
        allow: routes::allowed_methods(&routes::table()),
    };
    ApiState::new(app, options, mcp, known)
}

/// These routes with their guards and nothing around them: what a guard alone costs is measured here.
#[doc(hidden)]
pub fn bench_router(app: App, options: Options, table: Vec<routes::Route>) -> Router {
    routes::assemble(table).with_state(state(app, options))
}
