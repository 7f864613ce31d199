//! The layers around every handler: one middleware, so that the order is plain to read.
//!
//! Caller's address, request id → span → caps on the head, pages that may not speak MCP, CORS preflight → timeout → handler (panics
//! caught) → failed proofs counted → errors rendered for their surface → security headers, CORS → metrics. Neither headers
//! nor queries are ever logged: credentials live there.

use std::{panic::AssertUnwindSafe, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use http::{Extensions, HeaderName, HeaderValue, Method, header, request::Parts};
use recado_model::{Error, ErrorCode, RequestId};
use tokio::time::{Instant, timeout};
use tracing::{Instrument, field::Empty};

use crate::{
    About, ApiState, Options, Surface,
    auth::{Accepts, CredentialHeaders},
    edge::{self, ClientIp},
    error::{self, Addressee, Fail, render},
    limits::limit,
    surface, unread,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const UNMATCHED: &str = "unmatched";

/// The middleware of every route and of every request that has none.
#[expect(
    clippy::disallowed_methods,
    reason = "how long a request took is real time, not the product's"
)]
pub async fn observe(State(state): State<ApiState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let surfaces = &state.routes.surfaces;
    let surface = surfaces.of_request(request.uri().path(), request.headers());
    let method = method_label(request.method());
    let route = route_of(request.extensions());
    // Made here: one that came in could be a secret, a line break or somebody else's.
    let request_id = RequestId::random(state.app.rng().as_ref());
    request.extensions_mut().insert(request_id.clone());
    let client = ClientIp::read(&request, &state.options.trusted_proxies);
    request.extensions_mut().insert(client);
    let cors = state.options.cors.grant(surface, request.headers());

    let span = tracing::info_span!(
        "request", method, route, request.id = %request_id, surface = surface.as_str(),
        status = Empty, account.id = Empty, instance.id = Empty,
    );
    let file = carries_file(request.headers());
    let longest = match surface {
        Surface::Mcp => Options::MCP_TIMEOUT.max(state.options.request_timeout),
        Surface::Instance if file => Options::FILE_TIMEOUT.max(state.options.request_timeout),
        _ => state.options.request_timeout,
    };
    let (request, rest) = unread::lend(request);
    let mut response = async {
        let asked = || cors.as_ref().and_then(|grant| grant.preflight(&request));
        let foreign = || match surface {
            Surface::Mcp => state.mcp_pages.refused(request.uri(), request.headers()),
            _ => None,
        };
        let early = edge::refused(&request).or_else(foreign).or_else(asked);
        let response = match early {
            Some(response) => response,
            None => handled(request, next, longest).await,
        };
        let addressee = Addressee {
            surface,
            request_id: request_id.as_str(),
            public_url: &state.app.config().public_url,
        };
        shaped(response, &addressee, |fail| {
            limit(&state, client.0, None, fail)
        })
    }
    .instrument(span.clone())
    .await;

    harden(&mut response, surface, state.is_https());
    if let Some(rest) = rest
        && !rest.swallow().await
    {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    if let Some(grant) = cors {
        grant.sign(&mut response);
    }
    if let Ok(value) = HeaderValue::from_str(request_id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }

    let status = response.status().as_u16();
    let took = started.elapsed();
    span.record("status", status);
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| match surface {
        // Probes ask every few seconds.
        Surface::Ops => tracing::debug!(took_ms, "answered"),
        _ => tracing::info!(took_ms, "answered"),
    });
    measure(method, &route, status, surface, took);
    response
}

/// Whether the body is a file, or a form that may hold one: those take their time.
fn carries_file(headers: &http::HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| !kind.is_empty() && !kind.to_ascii_lowercase().contains("json"))
}

/// The handler's answer, whatever happens to it.
async fn handled(request: Request, next: Next, limit: Duration) -> Response {
    let handler = AssertUnwindSafe(next.run(request)).catch_unwind();
    match timeout(limit, handler).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => Fail::from(error::panicked()).into_response(),
        Err(_) => timed_out().into_response(),
    }
}

/// A [`Fail`] becomes the body of its surface; anything else passes.
fn shaped(
    response: Response,
    addressee: &Addressee<'_>,
    limit: impl FnOnce(Fail) -> Fail,
) -> Response {
    let Some(fail) = response.extensions().get::<Fail>() else {
        return response;
    };
    let mut rendered = render(&limit(fail.clone()), addressee);
    if let Some(allow) = response.headers().get(header::ALLOW) {
        rendered.headers_mut().insert(header::ALLOW, allow.clone());
    }
    rendered
}

fn timed_out() -> Fail {
    Error::new(
        ErrorCode::Timeout,
        "The request took too long and was ended. Try again.",
    )
    .into()
}

/// The headers that no answer goes without. A route that sets one of these itself keeps its own.
fn harden(response: &mut Response, surface: Surface, https: bool) {
    let headers = response.headers_mut();
    let mut default = |name: HeaderName, value: &'static str| {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::REFERRER_POLICY, "no-referrer");
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    );
    if https {
        // For this host alone: what runs on its subdomains is not ours to decide.
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
    if matches!(surface, Surface::Web | Surface::Dashboard) {
        default(header::X_FRAME_OPTIONS, "DENY");
        default(RESOURCE_POLICY, "same-origin");
        default(OPENER_POLICY, "same-origin");
    }
    if surface != Surface::Web {
        // Every answer is somebody's, and some carry credentials.
        default(header::CACHE_CONTROL, "no-store");
    }
    if surface == Surface::Token {
        default(header::PRAGMA, "no-cache");
    }
}

fn measure(method: &'static str, route: &str, status: u16, surface: Surface, took: Duration) {
    let labels = [
        ("method", method.to_owned()),
        ("route", route.to_owned()),
        ("surface", surface.as_str().to_owned()),
    ];
    metrics::histogram!("recado_http_request_duration_seconds", &labels).record(took.as_secs_f64());
    metrics::counter!(
        "recado_http_requests_total",
        "method" => method,
        "route" => route.to_owned(),
        "status" => status.to_string(),
        "surface" => surface.as_str(),
    )
    .increment(1);
}

/// The pattern, never the path: ids would make a metric per instance.
fn route_of(extensions: &Extensions) -> String {
    extensions
        .get::<MatchedPath>()
        .map_or(UNMATCHED, MatchedPath::as_str)
        .to_owned()
}

fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

/// Where no route is.
pub async fn route_not_found(State(state): State<ApiState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if let Err(fail) = key_first(&state, &parts).await {
        return fail.into_response();
    }
    let public_url = &state.app.config().public_url;
    no_such_route(parts.uri.path(), public_url, &state.options.about).into_response()
}

/// The answer for a path that nobody serves.
pub(crate) fn no_such_route(path: &str, public_url: &str, about: &About) -> Fail {
    let right = surface::squeezed(path);
    let text = match right.as_ref() {
        // Asked for by MCP clients after a 401. They show this text alone to their users.
        "/register" | "/authorize" => format!(
            "There is no OAuth here and no client to register. Send the API token with each request: Authorization: Bearer wz_... It is at {}/dashboard, under Settings. If one was sent, it does not hold.",
            public_url
        ),
        right => {
            let written = match right == path {
                true => String::new(),
                false => format!(
                    ", with a slash too many: write {} instead",
                    surface::shown(right)
                ),
            };
            format!(
                "There is no such route{written}. See docs/access-matrix.md in the program's source: {}",
                about.source_url
            )
        }
    };
    Error::new(ErrorCode::RouteNotFound, text).into()
}

/// Where a path is known, but not with this method.
pub async fn method_not_allowed(State(state): State<ApiState>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    if let Err(fail) = key_first(&state, &parts).await {
        return fail.into_response();
    }
    let allowed = state.routes.allow.of_path(&route_of(&parts.extensions));
    let text = format!("This path does not know that method. It knows: {allowed}.");
    let fail = Fail::from(Error::new(ErrorCode::MethodNotAllowed, text));
    let mut response = fail.into_response();
    if let Ok(value) = HeaderValue::from_str(&allowed) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// The Direct API's contract: all but its open routes need a key, those that do not exist too.
async fn key_first(state: &ApiState, parts: &Parts) -> Result<(), Fail> {
    let surfaces = &state.routes.surfaces;
    if surfaces.of_request(parts.uri.path(), &parts.headers) != Surface::Direct {
        return Ok(());
    }
    // Where a bearer belongs to one method, it is no stranger to the others.
    let accepts = match route_of(&parts.extensions).as_str() {
        "/sessions" | "/sessions/{key}/claim" => Accepts::DIRECT_CREATE,
        _ => Accepts::DIRECT,
    };
    let shown = CredentialHeaders::collect(parts, accepts)?;
    shown.judge(state.app.access().direct_key(&shown.presented()).await)?;
    Ok(())
}
