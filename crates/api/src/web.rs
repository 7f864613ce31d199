//! The dashboard's files, embedded from `web/dist`; without a build, one page that says how to make
//! it.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderValue, StatusCode, header};
use recado_model::{Error, ErrorCode};
use rust_embed::RustEmbed;

use crate::{Shared, auth::Public, error::Fail, extract::Segment};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dist;

const INDEX: &str = "index.html";
/// Everything from ourselves; nobody may frame us.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const NOT_BUILT: &str = include_str!("web/not_built.html");

/// `GET /`: the dashboard is what a person with a browser looks for.
pub async fn home(_: Public) -> Redirect {
    Redirect::temporary("/dashboard")
}

/// `GET /dashboard`.
pub async fn index(_: Public, State(shared): State<Shared>) -> Response {
    page(&shared)
}

/// `GET /dashboard/…`: the file, or the page that draws that address itself.
pub async fn file(
    _: Public,
    State(shared): State<Shared>,
    Segment(path): Segment<String>,
) -> Response {
    match Dist::get(&path) {
        Some(file) if path != INDEX => serve(&path, file.data.into_owned()),
        // A missing script must not come back as a page of another type.
        None if path.starts_with("assets/") => {
            let text = "The dashboard has no such file. Reload the page.";
            Fail::from(Error::new(ErrorCode::NotFound, text)).into_response()
        }
        _ => page(&shared),
    }
}

/// `GET /.well-known/…`: nothing is published there; clients that probe want a fast, plain no.
pub async fn well_known(_: Public) -> Fail {
    Error::new(
        ErrorCode::NotFound,
        "Nothing is published under /.well-known/.",
    )
    .into()
}

fn page(shared: &Shared) -> Response {
    match Dist::get(INDEX) {
        Some(file) => serve(INDEX, file.data.into_owned()),
        None => {
            let html = NOT_BUILT
                .replace("{{version}}", &escape(&shared.options.version))
                .replace("{{network}}", &escape(shared.app.network()))
                .replace("{{source}}", &escape(&shared.options.source_url));
            serve(INDEX, html.into_bytes())
        }
    }
}

fn serve(path: &str, bytes: Vec<u8>) -> Response {
    let mut response = (StatusCode::OK, bytes).into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(content_type(path)),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    // Built files carry a hash of their content in their name; the page that names them does not.
    let cache = match path.starts_with("assets/") {
        true => "public, max-age=31536000, immutable",
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
