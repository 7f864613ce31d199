//! The error catalogue in the shape of each surface.
//!
//! A handler answers `Err(Error)`; it becomes a [`Fail`] in the response's extensions, and
//! [`crate::layers`] renders it, because only there are surface and request id known. Whatever is
//! our own fault is logged there, once, with its source; the caller sees the public text only.

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use recado_identity::faults;
use recado_model::{Error, ErrorCode};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Surface, limited::Limited};

/// An error on its way to its surface.
#[derive(Clone, Debug)]
pub struct Fail {
    cause: Arc<Cause>,
    /// The verdict of the count of failed proofs on this one, once it was asked.
    limited: Option<Arc<Limited>>,
}

/// The fault, with the rest that the rendering needs.
#[derive(Debug)]
struct Cause {
    error: Error,
    field: Option<String>,
    presented: bool,
    basic: bool,
}

impl Fail {
    /// The error for the caller: to wait, where too many proofs failed; else what went wrong.
    pub fn error(&self) -> &Error {
        let limited = self.limited().and_then(|limited| limited.wait.as_ref());
        limited.unwrap_or(&self.cause.error)
    }

    /// The fault itself, whatever the caller is told.
    pub(crate) fn cause(&self) -> &Error {
        &self.cause.error
    }

    pub(crate) fn presented(&self) -> bool {
        self.cause.presented
    }

    /// The verdict of the count of failed proofs on this one.
    pub(crate) fn limited(&self) -> Option<&Limited> {
        self.limited.as_deref()
    }

    pub(crate) fn with_limit(self, limited: Limited) -> Self {
        Self {
            limited: Some(Arc::new(limited)),
            ..self
        }
    }

    fn new(cause: Cause) -> Self {
        Self {
            cause: Arc::new(cause),
            limited: None,
        }
    }

    /// A body that does not fit: names the field, whatever its path is.
    pub fn of_field(error: Error, field: String) -> Self {
        let field = Some(field).filter(|field| !field.is_empty());
        Self::new(Cause {
            error,
            field,
            presented: false,
            basic: false,
        })
    }

    /// A proof that failed. `presented`: something was shown, so the challenge says that it did not
    /// hold (RFC 6750, 3.1).
    pub fn of_proof(error: Error, presented: bool) -> Self {
        Self::new(Cause {
            field: None,
            presented,
            basic: false,
            error,
        })
    }

    /// A failed proof by HTTP Basic; the challenge names that scheme (RFC 6749, 5.2).
    pub fn of_basic(error: Error) -> Self {
        Self::new(Cause {
            field: None,
            presented: true,
            basic: true,
            error,
        })
    }

    fn field(&self) -> Option<&str> {
        self.cause.field.as_deref().or(self.error().field)
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::of_proof(error, false)
    }
}

impl IntoResponse for Fail {
    fn into_response(self) -> Response {
        let mut response = status_of(self.error()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

pub(crate) fn status_of(error: &Error) -> StatusCode {
    StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Whom an error is told, and in answer to which request.
pub struct Addressee<'a> {
    pub surface: Surface,
    pub request_id: &'a str,
    pub public_url: &'a str,
}

/// The answer that a caller of `addressee.surface` understands. Logs what is our own fault.
pub fn render(fail: &Fail, addressee: &Addressee<'_>) -> Response {
    log(fail.error(), addressee.request_id);
    let error = fail.error();
    let status = status_of(error);
    let mut response = match addressee.surface {
        Surface::Instance | Surface::Ops | Surface::Web | Surface::Dashboard => {
            json_response(status, &error_body(fail))
        }
        Surface::Token => json_response(status, &token_body(error)),
        Surface::Mcp => json_response(status, &rpc_failure(error, addressee.public_url, &())),
        Surface::Direct => json_response(status, &json!({ "error": direct_text(error) })),
    };
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = match (fail.cause.basic, fail.cause.presented) {
            (true, _) => "Basic realm=\"recado\", charset=\"UTF-8\"",
            (false, true) => "Bearer realm=\"recado\", error=\"invalid_token\"",
            (false, false) => "Bearer realm=\"recado\"",
        };
        headers.insert(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_static(challenge),
        );
    }
    let length = fail.error().length;
    if let Some(Ok(range)) = length.map(|length| HeaderValue::try_from(format!("bytes */{length}")))
    {
        headers.insert(header::CONTENT_RANGE, range);
    }
    waits(fail, headers, addressee.surface);
    response
}

/// `Retry-After`, and where the count of failed proofs stands.
pub(crate) fn waits(fail: &Fail, headers: &mut HeaderMap, surface: Surface) {
    if let Some(secs) = fail.error().retry_after_secs {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
    if let Some(limited) = fail.limited() {
        limited.sign(headers);
        measure(fail, surface);
    }
}

/// Counts a failed proof by surface, by what was wrong, and by whether it was told to wait.
fn measure(fail: &Fail, surface: Surface) {
    let limited = fail.limited().is_some_and(|limited| limited.wait.is_some());
    metrics::counter!(
        "recado_failed_proofs_total",
        "surface" => surface.as_str(),
        "reason" => fail.cause().code.as_str(),
        "limited" => if limited { "yes" } else { "no" },
    )
    .increment(1);
}

/// Logs an error that is our own fault, with its whole chain; a caller's fault is not worth a line, and
/// of a fault that every call meets one line a minute is enough.
pub fn log(error: &Error, request_id: &str) {
    if error.is_callers_fault() || error.is_expected() {
        return;
    }
    let Some(left_out) = faults::worth_a_line(error) else {
        return;
    };
    let mut chain = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        chain.push_str(if chain.is_empty() { "" } else { ": " });
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(request.id = request_id, code = error.code.as_str(), source = %chain, left_out, "{}", error.message);
}

/// A handler that broke its own promises. Its words are on stderr, not in the answer.
pub fn panicked() -> Error {
    Error::internal("a handler panicked; the panic itself is on stderr")
}

/// `application/json` with `body`; never fails, because our bodies have string keys only.
pub fn json_response<T: Serialize>(status: StatusCode, body: &T) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => (
            status,
            [(header::CONTENT_TYPE, "application/json")],
            Body::from(bytes),
        )
            .into_response(),
        Err(error) => Fail::from(Error::internal(error)).into_response(),
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    code: u16,
    success: bool,
    error: &'a str,
    message: &'a str,
    error_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
}

fn error_body(fail: &Fail) -> ErrorBody<'_> {
    let error = fail.error();
    ErrorBody {
        code: error.code.status(),
        success: false,
        error: &error.message,
        message: &error.message,
        error_code: error.code.as_str(),
        field: fail.field(),
    }
}

/// RFC 6749, 5.2, and the same text as `message`, where the contract's clients look.
fn token_body(error: &Error) -> Value {
    let name = match error.code {
        code if code.status() == 401 => "invalid_client",
        ErrorCode::UnsupportedGrantType => "unsupported_grant_type",
        ErrorCode::InvalidScope => "invalid_scope",
        ErrorCode::UnsupportedTokenType => "unsupported_token_type",
        ErrorCode::Unavailable | ErrorCode::RateLimited | ErrorCode::Timeout => {
            "temporarily_unavailable"
        }
        code if code.status() >= 500 => "server_error",
        _ => "invalid_request",
    };
    // %x20-21 / %x23-5B / %x5D-7E, says the RFC of this one.
    let description: String = error
        .message
        .chars()
        .map(|c| match c {
            '"' => '\'',
            '\\' => '/',
            ' '..='~' => c,
            _ => '?',
        })
        .collect();
    json!({ "error": name, "error_description": description, "message": error.message })
}

/// The contract's three texts to the letter; else the catalogue's.
fn direct_text(error: &Error) -> &str {
    match error.code {
        ErrorCode::ApiKeyRequired => "API key requerida",
        ErrorCode::ApiKeyInvalid => "API key invalida",
        ErrorCode::InstanceNotYours => "Session does not belong to your shop",
        ErrorCode::Unauthorized => "Unauthorized: invalid or missing Bearer token.",
        _ => &error.message,
    }
}

/// A JSON-RPC error answer, keys in the contract's order.
#[derive(Serialize)]
pub struct RpcFailure<'a, Id: Serialize> {
    jsonrpc: &'static str,
    error: RpcError,
    id: &'a Id,
}

#[derive(Serialize)]
struct RpcError {
    code: i32,
    message: String,
}

impl<'a, Id: Serialize> RpcFailure<'a, Id> {
    pub fn new(code: i32, message: impl Into<String>, id: &'a Id) -> Self {
        let message = message.into();
        Self {
            jsonrpc: "2.0",
            error: RpcError { code, message },
            id,
        }
    }
}

/// An error of the catalogue as JSON-RPC; `id` is echoed as it was written.
pub fn rpc_failure<'a, Id: Serialize>(
    error: &Error,
    public_url: &str,
    id: &'a Id,
) -> RpcFailure<'a, Id> {
    let (code, message) = rpc_error(error, public_url);
    RpcFailure::new(code, message, id)
}

/// JSON-RPC code and text of an error of the catalogue.
pub fn rpc_error(error: &Error, public_url: &str) -> (i32, String) {
    match error.code {
        ErrorCode::Unauthorized => (
            -32000,
            format!(
                "Unauthorized: invalid or missing Bearer token. Get your token at {public_url}/dashboard → Settings."
            ),
        ),
        // Of the range that is left to servers: the request itself is sound.
        ErrorCode::RateLimited => (-32000, error.message.to_string()),
        ErrorCode::InvalidJson => (-32700, "Parse error: invalid JSON".to_owned()),
        ErrorCode::InvalidField | ErrorCode::InvalidPhone | ErrorCode::InvalidUrl => {
            (-32602, error.message.to_string())
        }
        code if code.status() >= 500 => (-32603, error.message.to_string()),
        _ => (-32600, error.message.to_string()),
    }
}

/// The text of an `isError` tool result.
pub fn tool_text(error: &Error) -> String {
    match error.code {
        ErrorCode::InstanceNotConnected | ErrorCode::InstanceNotPaired => {
            "Error: Session not connected".to_owned()
        }
        ErrorCode::PaymentRequired => "Error: No credits available".to_owned(),
        _ => format!("Error: {}", error.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every code on every surface, as bytes on the wire.
    #[tokio::test]
    async fn every_code_on_every_surface() {
        let mut shown = String::new();
        for surface in Surface::ALL {
            for code in ErrorCode::ALL {
                let error = Error::new(
                    *code,
                    format!("what to do about \"{}\" – now", code.as_str()),
                );
                let addressee = Addressee {
                    surface,
                    request_id: "RQTEST",
                    public_url: "https://gw.example",
                };
                let response = render(&Fail::of_proof(error, true), &addressee);
                assert_eq!(
                    response.headers()[header::CONTENT_TYPE],
                    "application/json",
                    "{surface:?} {code:?}"
                );
                let status = response.status().as_u16();
                let challenge = response
                    .headers()
                    .get(header::WWW_AUTHENTICATE)
                    .map(|value| format!(" [{}]", value.to_str().expect("ascii")))
                    .unwrap_or_default();
                assert_eq!(status == 401, !challenge.is_empty());
                let bytes = axum::body::to_bytes(response.into_body(), 10_000)
                    .await
                    .expect("body");
                let text = std::str::from_utf8(&bytes).expect("text");
                serde_json::from_str::<Value>(text).expect("JSON");
                shown.push_str(&format!(
                    "{} {} {status}{challenge} {text}\n",
                    surface.as_str(),
                    code.as_str()
                ));
            }
        }
        for code in ErrorCode::ALL {
            let error = Error::new(*code, format!("what to do about {}", code.as_str()));
            shown.push_str(&format!("tool {} {}\n", code.as_str(), tool_text(&error)));
        }
        insta::assert_snapshot!(shown);
    }

    #[tokio::test]
    async fn the_source_of_an_internal_error_stays_inside() {
        for surface in Surface::ALL {
            let error = Error::internal("password of the database");
            let addressee = Addressee {
                surface,
                request_id: "RQTEST",
                public_url: "",
            };
            let response = render(&error.into(), &addressee);
            let bytes = axum::body::to_bytes(response.into_body(), 10_000)
                .await
                .expect("body");
            assert!(!String::from_utf8_lossy(&bytes).contains("password"));
        }
    }

    #[test]
    fn a_wait_is_said() {
        let error = Error::new(ErrorCode::RateLimited, "slow down").with_retry_after(7);
        let addressee = Addressee {
            surface: Surface::Instance,
            request_id: "",
            public_url: "",
        };
        assert_eq!(
            render(&error.into(), &addressee).headers()[header::RETRY_AFTER],
            "7"
        );
    }
}
