//! The dashboard's files, embedded from `web/dist`; without a build, one page that says how to make
//! it.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use recado_api_macros::operation;
use recado_app::App;
use recado_model::{Error, ErrorCode};
use rust_embed::RustEmbed;

use crate::{
    About, Surface, auth::Public, below, error::Fail, extract::Segment, layers::no_such_route,
    surfaces::Surfaces,
};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

const INDEX: &str = "index.html";
/// The page holds it where its style tags take their nonce from.
const NONCE: &str = "__NONCE__";
/// And this in front of the addresses of its files, for the path of `public_url`.
const PATH: &str = "__PATH__";
/// Where the Turnstile widget comes from; allowed only where it is configured.
const TURNSTILE: &str = " https://challenges.cloudflare.com";
const NOT_BUILT: &str = include_str!("web/not_built.html");

/// Leads to the dashboard: what a person with a browser looks for.
#[operation]
pub async fn home(_: Public, State(app): State<App>) -> Redirect {
    let path = below::path_of(&app.config().public_url);
    Redirect::temporary(&format!("{path}/dashboard"))
}

/// Serves the dashboard's page.
#[operation]
pub async fn index(_: Public, State(app): State<App>, State(about): State<Arc<About>>) -> Response {
    page(&app, &about)
}

/// Serves a file of the dashboard, or the page that draws that address itself.
#[operation]
pub async fn file(
    _: Public,
    State(app): State<App>,
    State(about): State<Arc<About>>,
    State(surfaces): State<Arc<Surfaces>>,
    Segment(path): Segment<String>,
) -> Response {
    let whole = format!("/dashboard/{path}");
    if surfaces.of_request(&whole, &HeaderMap::new()) == Surface::Dashboard {
        return no_such_route(&whole, &app.config().public_url, &about).into_response();
    }
    match Dist::get(&path) {
        Some(file) if path != INDEX => serve(&path, file.data.into_owned(), &policy(&app, None)),
        // A missing script must not come back as a page of another type.
        None if path.starts_with("assets/") => {
            let text = "The dashboard has no such file. Reload the page.";
            Fail::from(Error::new(ErrorCode::NotFound, text)).into_response()
        }
        _ => page(&app, &about),
    }
}

/// Refuses: nothing is published there.
// Clients that probe want a fast, plain no.
#[operation]
pub async fn well_known(_: Public) -> Fail {
    Error::new(
        ErrorCode::NotFound,
        "Nothing is published under /.well-known/.",
    )
    .into()
}

fn page(app: &App, about: &About) -> Response {
    let mut bytes = [0u8; 18];
    app.rng().fill(&mut bytes);
    let nonce = BASE64_STANDARD.encode(bytes);
    let html = match Dist::get(INDEX) {
        Some(file) => String::from_utf8_lossy(&file.data)
            .replace(NONCE, &nonce)
            .replace(PATH, &escape(below::path_of(&app.config().public_url))),
        None => NOT_BUILT
            .replace(NONCE, &nonce)
            .replace("{{version}}", &escape(&about.version))
            .replace("{{network}}", &escape(app.network()))
            .replace("{{source}}", &escape(&about.source_url)),
    };
    serve(INDEX, html.into_bytes(), &policy(app, Some(&nonce)))
}

/// Everything from ourselves, nothing inline but style tags with the page's nonce; nobody may frame us.
fn policy(app: &App, nonce: Option<&str>) -> String {
    let nonce = nonce.map(|nonce| format!(" 'nonce-{nonce}'"));
    let nonce = nonce.unwrap_or_default();
    let asks = app.config().users.turnstile.is_some();
    let (widget, frames) = match asks {
        true => (TURNSTILE, format!("frame-src{TURNSTILE}; ")),
        false => ("", String::new()),
    };
    format!(
        "default-src 'none'; script-src 'self'{widget}; style-src 'self'{nonce}; \
         img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; {frames}\
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

fn serve(path: &str, bytes: Vec<u8>, policy: &str) -> Response {
    let mut response = (StatusCode::OK, bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(path)),
    );
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    // Built files carry a hash of their content in their name; the page that names them does not.
    let cache = match path.starts_with("assets/") {
        true => "public, max-age=31536000, immutable",
        // The page itself holds a nonce, which is good once.
        false if path == INDEX => "no-store",
        false => "no-cache",
    };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    response
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" | "webmanifest" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Text inside HTML.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
