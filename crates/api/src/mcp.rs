//! The MCP endpoint. [`front`] judges each call (envelope, token, batch, the contract's own rules),
//! `rmcp` speaks the protocol's revisions, [`tools`] do the work.
//!
//! Stateless for every revision: no session is ever made, so an open `initialize` costs nothing.

pub mod envelope;
pub mod front;
mod handler;
pub mod tools;

use recado_app::App;
use rmcp::transport::{
    StreamableHttpServerConfig, StreamableHttpService,
    streamable_http_server::session::never::NeverSessionManager,
};

use crate::{
    Options, Surface,
    auth::Rule,
    describe::Described,
    edge::Pages,
    row::{Operation, RouteRow},
    state::McpService,
};

pub use front::{call, end, no_stream, preflight};
pub use handler::McpServer;

/// Methods of ours beside `tools/call`, and what each asks for.
const METHODS: [(&str, Rule); 5] = [
    ("initialize", Rule::Public),
    ("notifications/*", Rule::Mcp),
    ("ping", Rule::Mcp),
    ("server/discover", Rule::Mcp),
    ("tools/list", Rule::Mcp),
];

/// The rows of the endpoint in the route table: its methods, then each tool.
pub(crate) fn rows() -> Vec<RouteRow> {
    let row = |path: String, rule, note| RouteRow {
        method: "MCP".to_owned(),
        path,
        surface: Surface::Mcp,
        rule,
        least: None,
        confirmed: false,
        note,
        operation: Operation::default(),
        takes: Described::default(),
    };
    let methods = METHODS
        .iter()
        .map(|(name, rule)| row((*name).to_owned(), *rule, String::new()));
    let tools = tools::all()
        .iter()
        .map(|tool| row(format!("tools/call {}", tool.name), tool.rule, tool.note()));
    methods.chain(tools).collect()
}

pub(crate) fn service(app: &App, options: &Options, pages: &Pages) -> McpService {
    let shop = McpServer::new(app.clone(), options.about.version.clone());
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_hosts(pages.hosts.clone())
        .with_allowed_origins(pages.origins.clone())
        .enforce_origin_validation()
        .with_max_request_body_bytes(options.body_limit);
    let service: StreamableHttpService<McpServer, NeverSessionManager> =
        StreamableHttpService::new(move || Ok(shop.clone()), Default::default(), config);
    Box::new(move |request| {
        let service = service.clone();
        Box::pin(async move { service.handle(request).await })
    })
}
