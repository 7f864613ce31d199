//! The guard of `POST /token`, `/introspect` and `/revoke`: client token and client secret, from a JSON
//! body, a form, or HTTP Basic (RFC 6749, 2.3.1 and 4.4). One way per request. A Basic that is a proxy's
//! counts for nothing beside credentials in the body, nor does an old bearer at `POST /token`.

use std::{net::IpAddr, time::Duration};

use axum::extract::{FromRequest, Request};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use percent_encoding::percent_decode_str;
use recado_app::App;
use recado_identity::ProvenClient;
use recado_model::{Error, ErrorCode, Secret};
use serde_json::{Map, Value};
use tokio::time::Instant;

use crate::{
    ApiState, Options, describe::Described, edge::ClientIp, error::Fail, extract, limits::limit,
};

use super::{
    Guard, Rule,
    presented::{conflict, is_of_a_proxy, refuse_repeated, text},
};

/// A client that has proven itself, and what else its request says.
pub struct ClientCredentials {
    pub client: ProvenClient,
    pub fields: TokenFields,
    /// The guard reads the body, so it is a handler's only argument.
    pub app: App,
}

/// The same at `POST /token`: a client that sends its bearer with every call sends the old one when it
/// asks for a new one, so beside complete credentials in the body that is ignored.
pub struct TokenRequest(pub ClientCredentials);

impl Guard for ClientCredentials {
    const RULE: Rule = Rule::ClientCredentials;
    fn describe(into: &mut Described) {
        into.body = Some(ClientCredentials::schema());
    }
}

impl Guard for TokenRequest {
    const RULE: Rule = Rule::ClientCredentials;
    fn describe(into: &mut Described) {
        ClientCredentials::describe(into);
    }
}

impl FromRequest<ApiState> for TokenRequest {
    type Rejection = Fail;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Fail> {
        ClientCredentials::of(request, state, true).await.map(Self)
    }
}

/// A refusal is answered this long after the request began, or a multiple of it: how long the look-up
/// took, and so what was wrong, does not show.
const REFUSED_AFTER: Duration = Duration::from_millis(10);

impl ClientCredentials {
    /// The body as JSON; the same fields make a form.
    fn schema() -> Value {
        serde_json::json!({
            "type": "object",
            "properties": {
                "client_token": { "type": "string", "description": "ct_…; left out with HTTP Basic" },
                "client_secret": { "type": "string", "description": "cs_…; left out with HTTP Basic" },
                "grant_type": { "const": "client_credentials", "description": "Of /token; may be left out" },
                "token": { "type": "string", "description": "Of /introspect and /revoke" },
            },
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "what an attacker measures is real time"
    )]
    async fn of(request: Request, state: &ApiState, renews: bool) -> Result<Self, Fail> {
        let from = request.extensions().get::<ClientIp>().map(|ip| ip.0);
        let (shown, fields) = Shown::read(request, renews).await?;
        let started = Instant::now();
        match shown.prove(state, from).await {
            Ok(client) => Ok(Self {
                client,
                fields,
                app: state.app.clone(),
            }),
            Err(fail) => {
                let took = started.elapsed().as_micros() / REFUSED_AFTER.as_micros();
                let steps = u32::try_from(took).unwrap_or(u32::MAX - 1) + 1;
                tokio::time::sleep_until(started + REFUSED_AFTER * steps).await;
                let id = Some(shown.client_token.expose());
                Err(limit(state, from, id, fail))
            }
        }
    }
}

impl FromRequest<ApiState> for ClientCredentials {
    type Rejection = Fail;
    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Fail> {
        Self::of(request, state, false).await
    }
}

/// The credentials that a client showed; not yet proven.
struct Shown {
    client_token: Secret,
    client_secret: Secret,
    /// HTTP Basic was used, so a refusal names that scheme.
    basic: bool,
}

impl Shown {
    async fn prove(&self, state: &ApiState, from: Option<IpAddr>) -> Result<ProvenClient, Fail> {
        let (token, secret) = (self.client_token.expose(), self.client_secret.expose());
        let client = state.app.access().client(token, secret, from).await;
        client.map_err(|error| match self.basic {
            true => Fail::of_basic(error),
            false => Fail::of_proof(error, false),
        })
    }

    /// `renews`: a bearer beside complete credentials in the body is ignored.
    async fn read(request: Request, renews: bool) -> Result<(Self, TokenFields), Fail> {
        let (parts, body) = request.into_parts();
        refuse_query(parts.uri.query().unwrap_or(""))?;
        refuse_others(&parts.headers)?;
        let proxys = is_of_a_proxy(&parts.headers);
        let bearer = renews && is_bearer(&parts.headers);
        let header = match basic(&parts.headers) {
            // It may turn out to be nothing, beside what the body says.
            Err(fail) if proxys || bearer => Err(fail),
            read => Ok(read?),
        };
        let bytes = extract::read(&parts.headers, body, Options::UNPROVEN_BODY_LIMIT).await?;
        let fields = TokenFields::read(&parts.headers, &bytes)?;
        let in_body = fields.names_a_client();
        let ignored = (proxys && in_body) || (bearer && fields.proves_a_client());
        let credentials = match header {
            _ if ignored => fields.client()?,
            Ok(Some(_)) if in_body => {
                return Err(conflict(
                    "Send the client credentials once: by HTTP Basic or in the body.".to_owned(),
                ));
            }
            Ok(Some(pair)) => pair,
            Ok(None) => fields.client()?,
            Err(fail) => return Err(fail),
        };
        agree_with_header(&parts.headers, &credentials)?;
        Ok((credentials, fields))
    }
}

/// A secret in a URL ends up in logs and histories: refused, so that nobody gets used to it.
fn refuse_query(query: &str) -> Result<(), Fail> {
    let named = serde_urlencoded::from_str::<Vec<(String, String)>>(query)
        .unwrap_or_default()
        .into_iter()
        .any(|(name, _)| name.starts_with("client_") || name == "access_token" || name == "token");
    if named {
        let text = "Send credentials and tokens in the body, never in the URL.";
        return Err(Error::new(ErrorCode::InvalidRequest, text).into());
    }
    Ok(())
}

fn refuse_others(headers: &HeaderMap) -> Result<(), Fail> {
    refuse_repeated(headers, &header::AUTHORIZATION)?;
    for (name, owner) in [
        ("x-api-key", "the Direct API"),
        ("x-instance-token", "calls to an instance"),
    ] {
        if headers.contains_key(name) {
            return Err(conflict(format!(
                "The header {name} belongs to {owner}; leave it out here."
            )));
        }
    }
    Ok(())
}

/// Whether `Authorization` is a bearer, of whatever worth.
fn is_bearer(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION);
    let scheme = value.and_then(|value| value.as_bytes().split(|b| *b == b' ').next());
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"))
}

fn basic(headers: &HeaderMap) -> Result<Option<Shown>, Fail> {
    let Some(value) = text(headers, &header::AUTHORIZATION)? else {
        return Ok(None);
    };
    let refused = || {
        let text =
            "The Authorization header here is HTTP Basic: base64 of client_token:client_secret.";
        Fail::of_basic(Error::new(ErrorCode::InvalidClient, text))
    };
    let (scheme, encoded) = value.split_once(' ').ok_or_else(refused)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(refused());
    }
    let decoded = BASE64_STANDARD
        .decode(encoded.trim())
        .map_err(|_| refused())?;
    let decoded = String::from_utf8(decoded).map_err(|_| refused())?;
    let (id, secret) = decoded.split_once(':').ok_or_else(refused)?;
    // Both are form-encoded inside Basic, says RFC 6749, 2.3.1.
    let plain = |part: &str| {
        let spaced = part.replace('+', " ");
        let plain = percent_decode_str(&spaced)
            .decode_utf8()
            .map(|text| text.into_owned());
        plain.map(Secret::new).map_err(|_| refused())
    };
    Ok(Some(Shown {
        client_token: plain(id)?,
        client_secret: plain(secret)?,
        basic: true,
    }))
}

/// The content of a Basic header, for the fuzz target.
#[cfg(feature = "fuzzing")]
pub(crate) fn basic_pair(headers: &HeaderMap) -> Result<Option<(String, String)>, Fail> {
    let plain = |secret: &Secret| secret.expose().to_owned();
    refuse_others(headers)?;
    let shown = basic(headers)?;
    Ok(shown.map(|shown| (plain(&shown.client_token), plain(&shown.client_secret))))
}

/// `X-Client-Token` is not needed here, but when it comes it must name the same client.
fn agree_with_header(headers: &HeaderMap, shown: &Shown) -> Result<(), Fail> {
    let name = http::HeaderName::from_static("x-client-token");
    refuse_repeated(headers, &name)?;
    match text(headers, &name)? {
        Some(token) if token != shown.client_token.expose() => Err(conflict(
            "X-Client-Token names another client than the body.".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Parameters of a token request; empty ones count as absent (RFC 6749, 3.2).
pub struct TokenFields(Map<String, Value>);

impl TokenFields {
    fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Self, Fail> {
        let form = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .is_some_and(|essence| {
                let essence = essence.trim();
                essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
        let map = if form {
            Self::form(bytes)?
        } else {
            extract::require_json_of(headers, bytes)?;
            extract::object(bytes)?
        };
        Ok(Self(
            map.into_iter().filter(|(_, value)| value != "").collect(),
        ))
    }

    fn form(bytes: &[u8]) -> Result<Map<String, Value>, Fail> {
        // The type that curl sends with -d and no header.
        if bytes.trim_ascii_start().starts_with(b"{") {
            let text = "The body looks like JSON but was sent as a form: add Content-Type: application/json.";
            return Err(Error::new(ErrorCode::InvalidRequest, text).into());
        }
        let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes)
            .map_err(|_| Error::new(ErrorCode::InvalidRequest, "The form is not readable."))?;
        let mut map = Map::new();
        for (name, value) in pairs {
            if map.contains_key(&name) {
                let shown: String = name.chars().take(40).collect();
                let text = format!("The parameter '{shown}' is repeated.");
                return Err(Error::new(ErrorCode::InvalidRequest, text).into());
            }
            map.insert(name, Value::String(value));
        }
        Ok(map)
    }

    fn names_a_client(&self) -> bool {
        ["client_token", "client_id", "client_secret"]
            .iter()
            .any(|name| self.0.contains_key(*name))
    }

    /// Both halves are there, whatever they are worth.
    fn proves_a_client(&self) -> bool {
        let given = |name| self.0.get(name).is_some_and(Value::is_string);
        (given("client_token") || given("client_id")) && given("client_secret")
    }

    fn client(&self) -> Result<Shown, Fail> {
        Ok(Shown {
            client_token: self.required(["client_token", "client_id"])?,
            client_secret: self.required(["client_secret", "client_secret"])?,
            basic: false,
        })
    }

    /// Of `POST /token`: the one grant there is, and no scope.
    pub fn check_grant(&self) -> Result<(), Fail> {
        match self.0.get("grant_type") {
            None => {}
            Some(Value::String(grant)) if grant == "client_credentials" => {}
            Some(_) => {
                let text = "grant_type is client_credentials, or absent.";
                return Err(Error::new(ErrorCode::UnsupportedGrantType, text).into());
            }
        }
        if self.0.contains_key("scope") {
            let text = "This server knows no scopes; leave scope out.";
            return Err(Error::new(ErrorCode::InvalidScope, text).into());
        }
        Ok(())
    }

    /// Of `/introspect` and `/revoke`: the token that is asked about. `token_type_hint` is only a hint.
    pub fn token(&self) -> Result<Secret, Fail> {
        self.required(["token", "token"])
    }

    fn required(&self, [name, alias]: [&'static str; 2]) -> Result<Secret, Fail> {
        if name != alias && self.0.contains_key(name) && self.0.contains_key(alias) {
            return Err(conflict(format!("Send {name} or {alias}, not both.")));
        }
        match self.0.get(name).or_else(|| self.0.get(alias)) {
            Some(Value::String(text)) => Ok(Secret::new(text.clone())),
            Some(_) => Err(Error::field(name, format!("{name} must be a string")).into()),
            None => Err(Error::field(name, format!("{name} is required")).into()),
        }
    }
}
