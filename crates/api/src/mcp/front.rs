//! The handler before `rmcp`: who calls, what is it, and in whose words the answer is.
//!
//! For requests without modern `_meta` the contract's rules hold (batches, DELETE 202, JSON-RPC
//! errors with status 200, an unknown tool as a result); for those with it, the revision's.

use axum::{
    body::Body,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Full};
use recado_api_macros::operation;
use recado_identity::ShopToken;
use recado_model::{Error, ErrorCode};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    ApiState, Options, Surface,
    again::Again,
    auth::{Accepts, CredentialHeaders, Guard, McpToken, Public, Rule, is_of_a_proxy},
    describe::Described,
    edge::ClientIp,
    error::{Fail, RpcFailure, json_response, rpc_failure, status_of, waits},
    extract, limits,
};

use super::envelope::{Kind, RpcEnvelope, is_modern_header, plain_id};

/// Messages in one batch.
const MAX_BATCH: usize = 50;
const PARSE_ERROR: &str = "Parse error: invalid JSON";

/// Methods that reach `rmcp`; the contract's error for all others is ours to give.
const KNOWN: [&str; 5] = [
    "initialize",
    "ping",
    "tools/list",
    "tools/call",
    "server/discover",
];

/// The guard of the endpoint. The body of a caller without a good token is read too, but only to
/// find method and id: `initialize` is open to who shows no token, and the refusal echoes the id. Who
/// shows one that does not hold is told so at once: several clients look nowhere else.
pub struct McpCaller {
    state: ApiState,
    parts: Parts,
    body: Bytes,
    who: Who,
}

/// The sender of a message.
enum Who {
    Shop(ShopToken),
    /// Nobody, who shows no token either: `initialize` alone is open to them.
    Anybody,
}

impl Guard for McpCaller {
    const RULE: Rule = Rule::McpOpenInitialize;
    fn describe(into: &mut Described) {
        into.body = Some(serde_json::json!({
            "description": "A JSON-RPC 2.0 message, or (older revisions) a list of them",
            "type": ["object", "array"],
        }));
    }
}

impl FromRequest<ApiState> for McpCaller {
    type Rejection = Response;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let (proof, presented) = match CredentialHeaders::collect(&parts, Accepts::MCP) {
            Ok(shown) => (
                shown.judge(state.app.access().mcp(&shown.presented()).await),
                shown.any(),
            ),
            // A header that cannot be read as a bearer is no better than a wrong one; the refusal of either
            // echoes the id.
            Err(fail) => (Err(fail), true),
        };
        // A proxy's own log-in is not shown to us.
        let shows = presented && !is_of_a_proxy(&parts.headers);
        if proof.is_ok() {
            Again::note::<McpToken>(&mut parts, state);
        }
        let from = ClientIp::of(&parts.extensions).0;
        let proof = proof.map_err(|fail| limits::limit(state, from, None, fail));
        let limit = match &proof {
            Ok(_) => state.options.body_limit,
            Err(fail) if fail.cause().code == ErrorCode::Unauthorized => {
                Options::UNPROVEN_BODY_LIMIT
            }
            Err(fail) => return Err(fail.clone().into_response()),
        };
        let body = extract::read(&parts.headers, body, limit)
            .await
            .map_err(IntoResponse::into_response)?;
        // The body may have taken its time: a token that ended meanwhile opens nothing more.
        let proof = match proof {
            Ok(shop) => match Again::look(&mut parts, state).await {
                Ok(()) => Ok(shop),
                Err(fail) => Err(fail),
            },
            refused => refused,
        };
        let who = match proof {
            Ok(shop) => Who::Shop(shop),
            Err(_) if !shows && only_initialize(&body) => Who::Anybody,
            Err(fail) => return Err(unauthorized(&fail, &body, state, presented)),
        };
        Ok(Self {
            state: state.clone(),
            parts,
            body,
            who,
        })
    }
}

/// One object, and no batch that could be taken for it.
fn only_initialize(body: &[u8]) -> bool {
    let text = extract::body_text(body).unwrap_or_default();
    text.starts_with('{')
        && serde_json::from_str::<RpcEnvelope<'_>>(text)
            .is_ok_and(|envelope| envelope.is_initialize())
}

/// 401, or 429 after many, with the id of the request, or one refusal for each request of a batch.
fn unauthorized(fail: &Fail, body: &[u8], state: &ApiState, presented: bool) -> Response {
    let public_url = &state.app.config().public_url;
    let id_of = |envelope: &RpcEnvelope<'_>| match envelope.kind() {
        Kind::Request { id, .. } => Some(id.to_owned()),
        Kind::Invalid { id, .. } => id.map(ToOwned::to_owned),
        Kind::Notification => None,
    };
    let status = status_of(fail.error());
    let text = extract::body_text(body).unwrap_or_default();
    let mut response = match serde_json::from_str::<Vec<RpcEnvelope<'_>>>(text) {
        Ok(batch) if (1..=MAX_BATCH).contains(&batch.len()) => {
            let ids: Vec<_> = batch.iter().map(id_of).collect();
            let refusals: Vec<_> = ids
                .iter()
                .map(|id| rpc_failure(fail.error(), public_url, id))
                .collect();
            json_response(status, &refusals)
        }
        _ => {
            let envelope = serde_json::from_str::<RpcEnvelope<'_>>(text).ok();
            let id = envelope.as_ref().and_then(id_of);
            json_response(status, &rpc_failure(fail.error(), public_url, &id))
        }
    };
    let challenge = match presented {
        true => "Bearer realm=\"recado\", error=\"invalid_token\"",
        false => "Bearer realm=\"recado\"",
    };
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static(challenge);
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    waits(fail, headers, Surface::Mcp);
    response
}

/// Takes a JSON-RPC message of the Model Context Protocol.
///
/// One message, or a batch of the older revisions. `initialize` is open; everything else needs the
/// token.
#[operation]
pub async fn call(caller: McpCaller) -> Response {
    if let Err(fail) = extract::require_json_of(&caller.parts.headers, &caller.body) {
        return fail.into_response();
    }
    let Some(text) = extract::body_text(&caller.body) else {
        return caller.refuse(-32700, PARSE_ERROR, &());
    };
    if let Err(why) = extract::Extent::of(text).judge() {
        return caller.refuse(-32600, &format!("Invalid Request: {why}"), &());
    }
    match text.starts_with('[') {
        true => caller.batch(text).await,
        false => caller.single(text).await,
    }
}

impl McpCaller {
    /// The second lock: without a caller nothing but `initialize` goes on, whatever the guard read.
    fn locked_out(&self) -> Response {
        let fail = Fail::from(Error::unauthorized());
        unauthorized(&fail, &self.body, &self.state, false)
    }

    async fn single(&self, text: &str) -> Response {
        let envelope: RpcEnvelope<'_> = match serde_json::from_str(text) {
            Ok(envelope) => envelope,
            Err(error) if error.is_data() => {
                let text = "Invalid Request: not a JSON-RPC message, or a field of it is repeated";
                return self.refuse(-32600, text, &());
            }
            Err(_) => return self.refuse(-32700, &parse_error(text), &()),
        };
        if matches!(self.who, Who::Anybody) && !envelope.is_initialize() {
            return self.locked_out();
        }
        let (method, id) = match envelope.kind() {
            Kind::Notification => return StatusCode::ACCEPTED.into_response(),
            Kind::Request { method, id } => (method, id),
            Kind::Invalid { id, .. } if extract::half_emoji(text).is_some() => {
                return self.refuse(-32700, &parse_error(text), &id);
            }
            Kind::Invalid { why, id } => {
                return self.refuse(-32600, &format!("Invalid Request: {why}"), &id);
            }
        };
        let modern = envelope.is_modern() || is_modern_header(&self.parts.headers);
        if !modern && !KNOWN.contains(&method) {
            let shown: String = method.chars().take(100).collect();
            return self.refuse(-32601, &format!("Method not found: {shown}"), &id);
        }
        let params = envelope.params.filter(|params| params.get() != "null");
        if let Err((code, why)) = params.map_or(Ok(()), |params| check_params(params.get(), text)) {
            return self.refuse(code, &why, &id);
        }
        let body = match (method, params) {
            ("initialize", None) if !modern => bare_initialize(id),
            _ => message(id, method, params),
        };
        self.forward(body, method, id).await
    }

    async fn still_holds(&self) -> bool {
        let Ok(shown) = CredentialHeaders::collect(&self.parts, Accepts::MCP) else {
            return false;
        };
        let access = self.state.app.access();
        access.mcp(&shown.presented()).await.is_ok()
    }

    /// Each message on its own, in order; notifications have no answer.
    async fn batch(&self, text: &str) -> Response {
        if matches!(self.who, Who::Anybody) {
            return self.locked_out();
        }
        if is_modern_header(&self.parts.headers) {
            return self.refuse(-32600, "Invalid Request: this revision has no batches", &());
        }
        let items: Vec<&RawValue> = match serde_json::from_str(text) {
            Ok(items) => items,
            Err(_) => return self.refuse(-32700, PARSE_ERROR, &()),
        };
        if items.is_empty() || items.len() > MAX_BATCH {
            let text = format!("Invalid Request: a batch holds 1 to {MAX_BATCH} messages");
            return self.refuse(-32600, &text, &());
        }
        let mut answers: Vec<Box<RawValue>> = Vec::new();
        for (at, item) in items.into_iter().enumerate() {
            // The token may have died meanwhile, by one of these messages even.
            let response = match at > 0 && !self.still_holds().await {
                true => {
                    let fail = Fail::of_proof(Error::unauthorized(), true);
                    unauthorized(&fail, item.get().as_bytes(), &self.state, true)
                }
                false => self.single(item.get()).await,
            };
            let bytes = match response.into_body().collect().await {
                Ok(collected) => collected.to_bytes(),
                Err(error) => return Fail::from(Error::internal(error)).into_response(),
            };
            if let Ok(answer) = serde_json::from_slice::<Box<RawValue>>(&bytes) {
                answers.push(answer);
            }
        }
        match answers.is_empty() {
            true => StatusCode::ACCEPTED.into_response(),
            false => json_response(StatusCode::OK, &answers),
        }
    }

    /// To `rmcp`, as a client that accepts what it insists on.
    async fn forward(&self, body: Bytes, method: &str, id: &RawValue) -> Response {
        let mut parts = self.parts.clone();
        let json = HeaderValue::from_static("application/json");
        parts.headers.insert(header::CONTENT_TYPE, json);
        let both = HeaderValue::from_static("application/json, text/event-stream");
        parts.headers.insert(header::ACCEPT, both);
        parts.headers.remove(header::CONTENT_LENGTH);
        // From here on they are of no use to anybody, and `rmcp` shows its requests when it debugs.
        parts.headers.remove(header::AUTHORIZATION);
        parts.headers.remove(header::COOKIE);
        if let Who::Shop(shop) = &self.who {
            parts.extensions.insert(shop.clone());
        }
        let response = (self.state.mcp)(Request::from_parts(parts, Full::new(body))).await;
        let (head, body) = response.into_parts();
        let is_json = head
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
        if is_json || head.status.is_success() {
            return Response::from_parts(head, Body::new(body));
        }
        if head.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            // It is JSON, and its type was said: what does not fit is the shape of the parameters.
            let text = format!("Invalid params: they do not fit {method}");
            return self.refuse(-32602, &text, &id);
        }
        // Refusals of the transport (Host, Origin, an unknown revision) are plain text there.
        let Ok(collected) = body.collect().await;
        let text = String::from_utf8_lossy(&collected.to_bytes()).into_owned();
        let code = if head.status.is_server_error() {
            -32603
        } else {
            -32600
        };
        json_response(head.status, &RpcFailure::new(code, text, &id))
    }

    /// A JSON-RPC error of ours: 200 as the contract says, 400 in the modern revision.
    fn refuse<Id: Serialize>(&self, code: i32, message: &str, id: &Id) -> Response {
        let status = match is_modern_header(&self.parts.headers) {
            true => StatusCode::BAD_REQUEST,
            false => StatusCode::OK,
        };
        json_response(status, &RpcFailure::new(code, message, id))
    }
}

fn parse_error(text: &str) -> String {
    match extract::half_emoji(text) {
        Some(field) => format!("{PARSE_ERROR}: {}", extract::half_emoji_text(&field)),
        None => PARSE_ERROR.to_owned(),
    }
}

/// Code and text of what is wrong with the parameters as JSON; `message` is what they are part of. What
/// they must hold is the method's business.
fn check_params(params: &str, message: &str) -> Result<(), (i32, String)> {
    if !params.starts_with('{') {
        let text = "Invalid params: params must be an object";
        return Err((-32602, text.to_owned()));
    }
    match serde_json::from_str::<extract::Ordinary>(params) {
        Ok(_) => Ok(()),
        Err(error) if error.is_data() => Err((-32602, format!("Invalid params: {error}"))),
        Err(_) => Err((-32700, parse_error(message))),
    }
}

/// The message that was judged, and nothing beside it.
fn message(id: &RawValue, method: &str, params: Option<&RawValue>) -> Bytes {
    let id = plain_id(id.get());
    let method = serde_json::Value::from(method);
    let params = params.map_or(String::new(), |params| {
        format!(r#","params":{}"#, params.get())
    });
    Bytes::from(format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":{method}{params}}}"#
    ))
}

/// An `initialize` without parameters, as careless clients send it, means the contract's revision.
fn bare_initialize(id: &RawValue) -> Bytes {
    Bytes::from(format!(
        r#"{{"jsonrpc":"2.0","id":{},"method":"initialize","params":{{"protocolVersion":"2025-03-26","capabilities":{{}},"clientInfo":{{"name":"unknown","version":"0"}}}}}}"#,
        plain_id(id.get())
    ))
}

/// Accepts the end of a session; there is none to end.
#[operation]
pub async fn end(_: McpToken) -> StatusCode {
    StatusCode::ACCEPTED
}

/// Says which methods the endpoint knows.
///
/// No origin is allowed by it.
#[operation]
pub async fn preflight(_: Public) -> Response {
    let allow = [(header::ALLOW, "POST, DELETE, OPTIONS")];
    (StatusCode::NO_CONTENT, allow).into_response()
}

/// Says that there is no stream.
// In the contract's words, to whom it concerns. Clients that look for a stream with a wrong token take a
// 405 for "no such transport" and never say what is wrong.
#[operation]
pub async fn no_stream(_: McpToken) -> Response {
    let body = RpcFailure::new(-32000, "SSE streaming not supported", &());
    let mut response = json_response(StatusCode::METHOD_NOT_ALLOWED, &body);
    let allow = HeaderValue::from_static("POST, DELETE, OPTIONS");
    response.headers_mut().insert(header::ALLOW, allow);
    response
}
