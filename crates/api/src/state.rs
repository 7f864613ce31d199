//! The router's state, and the parts of it that a handler asks for.
//!
//! Guards, extractors and the middleware see all of it ([`ApiState`]). A handler names the part that it
//! uses: nearly all of them the product alone (`State<App>`).

use std::{collections::BTreeMap, convert::Infallible, sync::Arc, time::Duration};

use axum::extract::FromRef;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use http_body_util::{Full, combinators::BoxBody};
use recado_app::App;

use crate::{Options, edge::Pages, surfaces::Surfaces};

/// The router's state. Cloned per request, so it is one pointer.
#[derive(Clone)]
pub struct ApiState(Arc<StateParts>);

/// Everything that is made once, before the first request.
pub struct StateParts {
    pub app: App,
    pub options: Options,
    pub(crate) mcp: McpService,
    /// Which pages may speak to that endpoint.
    pub(crate) mcp_pages: Pages,
    pub(crate) routes: Known,
}

/// Speaks the protocol of the MCP endpoint with a caller whose call was judged.
pub(crate) type McpService = Box<
    dyn Fn(Request<Full<Bytes>>) -> BoxFuture<'static, Response<BoxBody<Bytes, Infallible>>>
        + Send
        + Sync,
>;

/// The table of routes, as far as it is asked about paths where no route is.
pub(crate) struct Known {
    pub surfaces: Arc<Surfaces>,
    pub allow: AllowedMethods,
}

/// The methods that each path knows, for `Allow`.
pub(crate) struct AllowedMethods(pub BTreeMap<String, String>);

impl AllowedMethods {
    pub(crate) fn of_path(&self, path: &str) -> String {
        self.0.get(path).cloned().unwrap_or_default()
    }
}

impl ApiState {
    pub(crate) fn new(app: App, options: Options, mcp: McpService, routes: Known) -> Self {
        let mcp_pages = options.mcp_pages(&app.config().public_url);
        Self(Arc::new(StateParts {
            app,
            options,
            mcp,
            mcp_pages,
            routes,
        }))
    }

    /// Whether callers reach us by HTTPS: they do so through a proxy, so only `public_url` tells.
    pub(crate) fn is_https(&self) -> bool {
        let scheme = self.app.config().public_url.get(..8);
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
    }
}

impl std::ops::Deref for ApiState {
    type Target = StateParts;
    fn deref(&self) -> &StateParts {
        &self.0
    }
}

/// The program's facts about itself.
#[derive(Clone, Debug)]
pub struct About {
    /// Shown by `/health` and MCP's `initialize`.
    pub version: String,
    /// Where the source of the running program is; the licence asks for it.
    pub source_url: String,
    /// The control address of the sandbox, where one is the network.
    pub sandbox_url: Option<String>,
}

impl Default for About {
    fn default() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            source_url: env!("CARGO_PKG_REPOSITORY").to_owned(),
            sandbox_url: None,
        }
    }
}

/// How long a log-in that is refused without a look at the password waits for its answer.
#[derive(Clone, Copy, Debug)]
pub struct RefusalHold(pub Duration);

impl FromRef<ApiState> for App {
    fn from_ref(state: &ApiState) -> Self {
        state.app.clone()
    }
}

impl FromRef<ApiState> for Arc<About> {
    fn from_ref(state: &ApiState) -> Self {
        state.options.about.clone()
    }
}

impl FromRef<ApiState> for RefusalHold {
    fn from_ref(state: &ApiState) -> Self {
        state.options.refusal_hold
    }
}

impl FromRef<ApiState> for Arc<Surfaces> {
    fn from_ref(state: &ApiState) -> Self {
        state.routes.surfaces.clone()
    }
}
