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
use url::Url;

use crate::{
    Options, Surface,
    auth::Rule,
    describe::Described,
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

pub(crate) fn service(app: &App, options: &Options) -> McpService {
    let shop = McpServer::new(app.clone(), options.about.version.clone());
    let (hosts, mut origins) = trusted(&app.config().public_url);
    origins.extend(options.cors.origins().filter_map(|origin| {
        let url = Url::parse(origin).ok()?;
        let port = url.port_or_known_default()?;
        Some(format!("{}://{}:{port}", url.scheme(), url.host_str()?))
    }));
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_hosts(hosts)
        .with_allowed_origins(origins)
        .enforce_origin_validation()
        .with_max_request_body_bytes(options.body_limit);
    let service: StreamableHttpService<McpServer, NeverSessionManager> =
        StreamableHttpService::new(move || Ok(shop.clone()), Default::default(), config);
    Box::new(move |request| {
        let service = service.clone();
        Box::pin(async move { service.handle(request).await })
    })
}

/// Hosts and origins that may speak to us: the public one and loopback. Anything else is a page
/// that a browser was lured to (DNS rebinding).
fn trusted(public_url: &str) -> (Vec<String>, Vec<String>) {
    let loopback = ["localhost", "127.0.0.1", "[::1]"];
    let mut hosts: Vec<String> = loopback.iter().map(|host| (*host).to_owned()).collect();
    let mut origins: Vec<String> = loopback
        .iter()
        .flat_map(|host| [format!("http://{host}:*"), format!("https://{host}:*")])
        .collect();
    if let Ok(url) = Url::parse(public_url)
        && let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default())
    {
        hosts.push(host.to_owned());
        origins.push(format!("{}://{host}:{port}", url.scheme()));
    }
    (hosts, origins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_host_and_loopback_are_trusted() {
        let (hosts, origins) = trusted("https://gw.example.com/base");
        assert!(hosts.contains(&"gw.example.com".to_owned()));
        assert!(hosts.contains(&"127.0.0.1".to_owned()));
        assert!(origins.contains(&"https://gw.example.com:443".to_owned()));
        assert_eq!(trusted("nonsense").0.len(), 3);
    }
}
